"""Opening a store by its address (``storage.url`` of the configuration)."""

from __future__ import annotations

import secrets

from dialogues.errors import StoreError
from storage.driver import Driver
from storage.sql import queries
from storage.sqlite import SqliteDriver
from storage.store import SqlStore
from storage.tidier import Tidier
from storage.urls import PostgresPlace, SqlitePlace, read_url
from storage.writer import Bounds, Writer

__all__ = ["CONNECTIONS", "open_driver", "open_reader", "open_store", "open_writer"]

#: The most connections to PostgreSQL at a time, unless the caller says otherwise.
CONNECTIONS = 4

#: Connections beside those that write, for what becomes of a commit and for tidying up.
SPARE = 1


def open_store(url: str) -> SqlStore:
    """Open a store, with its tables brought up to date.

    Args:
        url: As in ``read_url``.

    Raises:
        StoreError: It cannot be opened; the message says what to do.
    """
    return _opened(open_driver(url))


def open_writer(url: str, *, connections: int = CONNECTIONS) -> Writer:
    """Open a store for writing, with its tables brought up to date.

    Args:
        url: As in ``read_url``.
        connections: How many may write at a time, where the engine lets several.

    Raises:
        StoreError: It cannot be opened; the message says what to do.
    """
    place = _place(url)
    if isinstance(place, SqlitePlace):
        return Writer(lambda: open_store(url))
    from storage.pool import connect, open_pool
    from storage.postgres import PostgresDriver
    from storage.topics import Topics

    connect(place).close()
    pool = open_pool(place, connections=connections + SPARE)
    try:
        driver = PostgresDriver(pool, name=place.name)
        driver.migrate()
        salt = _salt(driver)

        def opened() -> SqlStore:
            return SqlStore(PostgresDriver(pool, name=place.name), salt=salt)

        return Writer(
            opened,
            hands=connections,
            bounds=Bounds(jobs=32, at_once=8),
            at_end=pool.close,
            topics=Topics(place, origin=secrets.token_hex(4)),
            tidier=Tidier(opened),
        )
    except BaseException:
        pool.close()
        raise


def open_reader(url: str) -> SqlStore:
    """Open a second connection to a store for reading only, such as an export beside a
    running bot: neither waits for the other.

    Raises:
        StoreError: It cannot be opened, or is in memory, where only its writer can read.
    """
    return _opened(open_driver(url, readonly=True))


def open_driver(url: str, *, readonly: bool = False) -> Driver:
    """Open a database as it is, of whatever version, with its tables or without any.

    Raises:
        StoreError: It cannot be opened, or is in memory, where only its writer can read.
    """
    place = _place(url)
    if isinstance(place, PostgresPlace):
        return _postgres(place, readonly=readonly)
    if readonly and place.path is None:
        raise StoreError("A database in memory can be read by its own program only.")
    return SqliteDriver(place.path, readonly=readonly)


def _place(url: str) -> SqlitePlace | PostgresPlace:
    try:
        return read_url(url)
    except StoreError as trouble:
        raise StoreError(f"storage.url cannot be used: {trouble}.") from None


def _postgres(place: PostgresPlace, *, readonly: bool) -> Driver:
    # Its library is loaded where it is used.
    from storage.pool import connect, open_pool
    from storage.postgres import PostgresDriver

    # A pool only says that it has waited long enough; one connection says what is wrong.
    connect(place, readonly=readonly).close()
    pool = open_pool(place, connections=CONNECTIONS, readonly=readonly)
    return PostgresDriver(pool, name=place.name, readonly=readonly, owns=True)


def _opened(driver: Driver) -> SqlStore:
    try:
        driver.migrate()
        return SqlStore(driver, salt=_salt(driver))
    except BaseException:
        driver.close()
        raise


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
