"""Making a backup, and reading it back before it counts.

What lives here: which form is made of which engine, in which file. What must not: the forms
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from dialogues.errors import StoreError, StoreFull
from storage.backups.database import DatabaseBackup, copy_database
from storage.backups.dump import dump_database, verify_dump
from storage.backups.manifest import Manifest
from storage.backups.place import forget_pages, whole_file
from storage.backups.portable import PortableBackup, write_portable
from storage.copying import DatabaseSource, Progress, count_rows, sums_of
from storage.driver import Driver
from storage.open import open_driver
from storage.sqlite import SqliteDriver
from storage.urls import PostgresPlace, read_url

__all__ = ["ENDINGS", "Form", "Made", "make_backup"]

Form = Literal["sqlite", "portable", "pg_dump"]

#: How files of each form end.
ENDINGS: dict[Form, str] = {"sqlite": ".db", "portable": ".zip", "pg_dump": ".dump"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was made.

    Attributes:
        size: Of the file, in bytes.
    """

    path: Path
    form: Form
    size: int
    manifest: Manifest


def make_backup(
    url: str,
    target: Path,
    *,
    form: Form,
    at: datetime,
    program: str,
    progress: Progress,
) -> Made:
    """Write a backup of a database, while others go on writing to it, and read it back.

    Args:
        url: Of the database.
        target: The file; nothing may be there yet.
        form: ``sqlite`` can be made of SQLite only.
        at: Now, aware.
        program: The version of Commonpulse.
        progress: Told how far it is.

    Raises:
        UserError: There is something at ``target``.
        StoreError: It could not be done; nothing was left at ``target``.
    """
    try:
        with (
            closing(open_driver(url, readonly=True)) as driver,
            whole_file(target) as path,
        ):
            with driver.transaction():
                draft = _draft(DatabaseSource(driver), driver, at=at, program=program)
                manifest = _WRITERS[form](url, driver, path, draft, progress)
            forget_pages(path)
            if form == "pg_dump":
                verify_dump(path, manifest.migrations, manifest.tables, progress)
            else:
                _verify(path, form, manifest, progress)
    except OSError as error:
        raise StoreFull(
            f"{target.parent} cannot be written ({error.strerror}). No backup was made."
        ) from error
    return Made(path=target, form=form, size=target.stat().st_size, manifest=manifest)


def _draft(source: DatabaseSource, driver: Driver, *, at: datetime, program: str) -> Manifest:
    if not source.migrations:
        raise StoreError("There is nothing to back up: nobody has used this database yet.")
    return Manifest(
        made_at=at,
        program=program,
        engine=driver.engine,
        migrations=source.migrations,
        tables=(),
        counters=dict(source.counters),
    )


def _copy(_: str, driver: Driver, path: Path, draft: Manifest, progress: Progress) -> Manifest:
    if not isinstance(driver, SqliteDriver):
        raise StoreError("Only a SQLite database can be copied as one.")
    return copy_database(driver, path, draft, progress=progress)


def _write(_: str, driver: Driver, path: Path, draft: Manifest, progress: Progress) -> Manifest:
    source = DatabaseSource(driver)
    total = sum(count_rows(driver, source.columns).values())
    return write_portable(path, source, draft, total=total, progress=progress)


def _dump(url: str, driver: Driver, path: Path, draft: Manifest, progress: Progress) -> Manifest:
    place = read_url(url)
    if not isinstance(place, PostgresPlace):
        raise StoreError("Only a database on PostgreSQL is dumped by pg_dump.")
    manifest = replace(draft, tables=tuple(sums_of(driver, progress, what="reading")))
    progress("dumping", 0, 0)
    dump_database(driver, place, path)
    return manifest


_WRITERS: dict[Form, Callable[[str, Driver, Path, Manifest, Progress], Manifest]] = {
    "sqlite": _copy,
    "portable": _write,
    "pg_dump": _dump,
}


def _verify(path: Path, form: Form, manifest: Manifest, progress: Progress) -> None:
    with closing(DatabaseBackup(path) if form == "sqlite" else PortableBackup(path)) as backup:
        if backup.manifest != manifest:
            raise StoreError("The backup says another thing of itself than was written.")
        backup.verify(progress)
