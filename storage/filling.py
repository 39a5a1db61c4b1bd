"""An empty database to fill: in the end it is there whole, or all is as it was before.

What lives here: what may be filled, making room beside an earlier database, and moving into
place. What must not: where the rows come from.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dialogues.errors import StoreBusy, StoreError, UserError
from storage.driver import Driver
from storage.earlier import Earlier
from storage.private import private_folder, sync
from storage.schema import table_names
from storage.sqlite import SqliteDriver
from storage.tables import TABLES, in_order
from storage.urls import PostgresPlace, read_url

__all__ = ["Filling", "fill_sqlite", "filling_at", "holds_nothing", "is_whole"]


@dataclass(slots=True, kw_only=True)
class Filling:
    """A database that is being filled.

    Attributes:
        driver: In a transaction; it has no tables yet.
        earlier: What it takes the place of; None where there was nothing, or where that
            cannot be read any more.
        kept: Where the earlier one is afterwards, for people to read; empty without one.
        unreadable: Whether there was an earlier one that cannot be read.
        erased: To be set where rows that came in were erased again.
    """

    driver: Driver
    earlier: Earlier | None = None
    kept: str = ""
    unreadable: bool = False
    erased: bool = False


@contextmanager
def filling_at(
    url: str, *, replace: bool, at: datetime, may_replace: bool = True
) -> Iterator[Filling]:
    """Give a database to fill, of whatever engine; see ``fill_sqlite`` and
    ``storage.filling_postgres``.

    Args:
        url: Where.
        replace: Whether one that is there may be put aside.
        at: Now, aware UTC.
        may_replace: Whether who is refused is told of --replace.
    """
    place = read_url(url)
    if isinstance(place, PostgresPlace):
        from storage.filling_postgres import fill_postgres

        filling = fill_postgres(place, replace=replace, at=at, may_replace=may_replace)
    elif place.path is None:
        raise UserError("A database in memory is gone when its program ends; name a file.")
    else:
        filling = fill_sqlite(place.path, replace=replace, at=at, may_replace=may_replace)
    with filling as given:
        yield given


@contextmanager
def fill_sqlite(
    path: Path, *, replace: bool, at: datetime, may_replace: bool = True
) -> Iterator[Filling]:
    """Give a SQLite database to fill, beside the place where it will be.

    Args:
        path: Of the file. Nobody else may be using it.
        replace: Whether one that is there may be moved aside.
        at: Now, aware UTC; the name that the earlier one gets has it.
        may_replace: As in ``filling_at``.

    Raises:
        UserError: There is one with something in it, and ``replace`` was not given.
        StoreError: It cannot be written, or somebody is using the earlier one.
    """
    if not path.parent.is_dir():
        raise StoreError(
            f"The folder {path.parent} of the database is missing; make it or choose another."
        )
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a file is needed.")
    there = path.exists() and path.stat().st_size > 0
    if not there:
        _refuse_stray_log(path)
    try:
        with private_folder(path.parent, f".{path.name}.partial-") as private:
            new = private / path.name
            old = _open_old(path) if there else None
            try:
                if there:
                    _check_room(old, path, replace=replace, may_replace=may_replace)
                filling = Filling(
                    driver=SqliteDriver(new),
                    earlier=Earlier(old) if old is not None and replace else None,
                    kept=f"{path}.before-{at:%Y%m%dT%H%M%SZ}" if there and replace else "",
                    unreadable=there and old is None,
                )
                try:
                    with filling.driver.transaction():
                        yield filling
                finally:
                    filling.driver.close()
            finally:
                if old is not None:
                    old.close()
            _check_new(new)
            _move(new, path, Path(filling.kept) if filling.kept else None)
    except OSError as error:
        raise StoreError(
            f"{path.parent} cannot be written ({error.strerror}). Nothing was changed."
        ) from error


def holds_nothing(driver: Driver) -> bool:
    """Whether nobody has said or done anything in a database yet.

    Raises:
        StoreError: It is of another program.
    """
    names = table_names(driver)
    if names and not driver.applied():
        raise StoreError("it is a database of another program")
    ours = [table for table in in_order(names) if not table.by_itself]
    return all(
        driver.one(f"select 1 as yes from {table.name} limit 1", {}) is None  # noqa: S608
        for table in ours
    )


def is_whole(driver: Driver) -> bool:
    """Whether SQLite finds nothing wrong: pages, order, indexes and references.

    Raises:
        StoreError: It cannot even be read.
    """
    row = driver.one("pragma integrity_check(1)", {})
    found = None if row is None else row["integrity_check"]
    return found == "ok" and not driver.all("pragma foreign_key_check", {})


def _open_old(path: Path) -> SqliteDriver | None:
    """Open what is there; None when it is beyond reading."""
    try:
        driver = SqliteDriver(path, readonly=True)
    except StoreError:
        return None
    try:
        # Everything that will be asked of it.
        for table in TABLES:
            if table.name in table_names(driver):
                driver.one(f"select count(*) as n from {table.name}", {})  # noqa: S608
        driver.applied()
    except StoreBusy:
        driver.close()
        raise
    except StoreError:
        driver.close()
        return None
    return driver


def _check_room(old: SqliteDriver | None, path: Path, *, replace: bool, may_replace: bool) -> None:
    if old is not None:
        try:
            empty = holds_nothing(old)
        except StoreError as error:
            raise UserError(f"{path} cannot be filled: {error}. Choose another file.") from None
    if replace or (old is not None and empty):
        return
    what = "holds something already" if old is not None else "cannot be read"
    aside = ", or give --replace to put it aside under another name" if may_replace else ""
    raise UserError(f"{path} {what}. Name another file{aside or ' with --to'}.")


def _refuse_stray_log(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise UserError(
            f"{log} is the log of a database that is not there. Move it away: it would be taken"
            " for that of the new one."
        )


def _check_new(new: Path) -> None:
    """Read the finished file once more, as the next program will."""
    with closing(SqliteDriver(new, readonly=True)) as driver:
        if not is_whole(driver):
            raise StoreError(
                "The new database is damaged as soon as it is written. Nothing was"
                " changed; look after the disk."
            )
    sync(new)


def _move(new: Path, path: Path, kept: Path | None) -> None:
    """Put the new database in its place, the earlier one under its other name first."""
    if path.exists():
        logs = _close_log(path)
        if kept is not None:
            for file in (path, *logs):
                _link(file, kept.with_name(kept.name + file.name.removeprefix(path.name)))
        for log in logs:
            log.unlink()
    new.replace(path)
    sync(path.parent)


def _close_log(path: Path) -> list[Path]:
    """Let a database lie in one file, which nobody else may have open; gives what files it
    has beside that after all, since it is damaged.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as conn:
            mode = conn.execute("pragma journal_mode = delete").fetchone()[0]
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
        }:
            mode = "busy"
        else:
            mode = "damaged"
    if mode in {"busy", "wal"}:
        raise StoreBusy(
            f"{path} is open in another program (an export, or a tool that shows it). Close"
            " that, and try again. Nothing was changed."
        )
    logs = [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]
    return [log for log in logs if log.exists()]


def _link(file: Path, kept: Path) -> None:
    """Give a file another name, and leave it its own until the new one takes that."""
    with suppress(OSError):
        os.link(file, kept)
        return
    # A file system without links: for a moment there is none under the old name.
    file.rename(kept)
