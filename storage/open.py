"""Opening a store by its address (``storage.url`` of the configuration)."""

from __future__ import annotations

import secrets
from pathlib import Path

from dialogues.errors import StoreError
from storage.driver import Driver
from storage.sql import queries
from storage.sqlite import SqliteDriver
from storage.store import SqlStore

__all__ = ["open_reader", "open_store"]


def open_store(url: str) -> SqlStore:
    """Open a store, with its tables brought up to date.

    Args:
        url: ``sqlite:///pulse.db`` (beside the working directory),
            ``sqlite:////var/lib/pulse.db`` (absolute), or ``sqlite://`` (in memory, gone
            at the end).

    Raises:
        StoreError: It cannot be opened; the message says what to do.
    """
    driver = SqliteDriver(_path(url))
    try:
        driver.migrate()
        return SqlStore(driver, salt=_salt(driver))
    except BaseException:
        driver.close()
        raise


def open_reader(url: str) -> SqlStore:
    """Open a second connection to a store for reading only, such as an export beside a
    running bot: neither waits for the other.

    Raises:
        StoreError: It cannot be opened, or is in memory, where only its writer can read.
    """
    path = _path(url)
    if path is None:
        raise StoreError("A database in memory can be read by its own program only.")
    driver = SqliteDriver(path, readonly=True)
    try:
        driver.migrate()
        return SqlStore(driver, salt=_salt(driver))
    except BaseException:
        driver.close()
        raise


def _path(url: str) -> Path | None:
    """Give the file of an address; None for a database in memory."""
    scheme, separator, rest = url.partition("://")
    if scheme != "sqlite" or not separator:
        raise StoreError(
            "This version stores in SQLite only; set storage.url to sqlite:///pulse.db."
        )
    if rest in {"", "/", "/:memory:"}:
        return None
    if not rest.startswith("/"):
        raise StoreError(
            f"{url} names no file: write three strokes, sqlite:///{rest}, or four for a path"
            " from the root."
        )
    return Path(rest[1:])


def _salt(driver: Driver) -> bytes:
    """Give the salt of the keyed hashes, made when the database was new.

    It is the one thing that the store draws by chance: it never leaves the database, and
    nothing outside could need it.
    """
    sql = queries(driver.engine)
    row = driver.one(sql["meta"], {"key": "salt"})
    if row is None:
        driver.run(sql["add_meta"], {"key": "salt", "value": secrets.token_hex(32)})
        row = driver.one(sql["meta"], {"key": "salt"})
    if row is None:
        raise StoreError("The database has lost its salt; bring back a copy of it.")
    return bytes.fromhex(row["value"])
