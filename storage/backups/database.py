"""A backup that is a SQLite database: one file, that any SQLite tool can open.

What lives here: copying a database that is being written to, noting what it holds inside of
the copy, and reading that back. What must not: where the file stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialogues.errors import StoreBusy, StoreError, StoreFull
from storage.backups.manifest import Manifest, read_manifest, write_manifest
from storage.copying import DatabaseSource, Progress, sums_of
from storage.filling import is_whole
from storage.sqlite import SqliteDriver

__all__ = ["DatabaseBackup", "copy_database"]

#: The table of the copy that says what is in it.
_NOTES = "_backup"

#: Pages that are copied between two words on how far it is.
_PAGES = 1024


def copy_database(
    driver: SqliteDriver, path: Path, draft: Manifest, *, progress: Progress
) -> Manifest:
    """Copy a database as it is at this moment, while others go on writing to it.

    Args:
        driver: For reading, in a transaction: that keeps the state, so the copy is done in
            one go however much is written meanwhile.
        path: Of an empty file.
        draft: What to say of it, but for the tables.
        progress: Told how far it is, in rows, then in pages.

    Raises:
        StoreError: It cannot be read or written.
    """
    manifest = replace(draft, tables=tuple(sums_of(driver, progress, what="reading")))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            driver.db.conn.backup(
                copy,
                pages=_PAGES,
                progress=lambda _, left, total: progress("copying", total - left, total),
            )
            # One file, with no log beside it.
            copy.execute("pragma journal_mode = delete")
            copy.execute("pragma secure_delete = on")
            copy.execute(f"create table {_NOTES} (manifest text not null)")
            copy.execute(
                f"insert into {_NOTES} (manifest) values (?)",  # noqa: S608
                [write_manifest(manifest)],
            )
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
            raise StoreError("The database is damaged, so it cannot be copied.") from error
        raise StoreFull(
            "The backup could not be written: the disk is full or something is wrong with it."
            " Nothing of it was left."
        ) from error
    return manifest


class DatabaseBackup:
    """A backup to read from: a ``Source``. A mere copy of the database's file will do, but
    with no manifest in it, it can only be looked at for damage that SQLite itself sees.

    Args:
        path: Of the file.

    Attributes:
        manifest: What it says of itself; None for a mere copy.

    Raises:
        StoreError: It is none, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with ExitStack() as opening:
            self._driver = opening.enter_context(closing(SqliteDriver(path, readonly=True)))
            opening.enter_context(self._driver.transaction())
            self._source = DatabaseSource(self._driver)
            self.manifest = self._read_manifest()
            self._opened = opening.pop_all()
        self.migrations = self._source.migrations
        self.columns: Mapping[str, tuple[str, ...]] = self._source.columns
        self.counters: Mapping[str, int] = self._source.counters

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Give the rows of a table, values in the order of ``columns``."""
        return self._source.rows(table)

    def verify(self, progress: Progress) -> None:
        """Read it all, and see that it holds what its manifest says.

        Raises:
            StoreError: It does not.
        """
        try:
            if self._is_cut_short() or not is_whole(self._driver):
                raise self._damaged()
            sums = sums_of(self._driver, progress)
        except StoreBusy:
            raise
        except StoreError:
            raise self._damaged() from None
        if self.manifest is not None and (
            self.manifest.tables != tuple(sums)
            or self.manifest.migrations != self.migrations
            or dict(self.manifest.counters) != dict(self.counters)
        ):
            raise self._damaged()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _read_manifest(self) -> Manifest | None:
        if not self._driver.all(
            "select 1 from sqlite_master where type = 'table' and name = :name", {"name": _NOTES}
        ):
            return None
        try:
            [row] = self._driver.all(f"select manifest from {_NOTES}", {})  # noqa: S608
            return read_manifest(row["manifest"])
        except (ValueError, TypeError):
            raise self._damaged() from None

    def _is_cut_short(self) -> bool:
        """Whether the file is shorter than it says: SQLite reads what is missing as nothing."""
        with self._path.open("rb") as file:
            head = file.read(32)
        size = int.from_bytes(head[16:18])
        pages = int.from_bytes(head[28:32])
        return self._path.stat().st_size < pages * (65536 if size == 1 else size)

    def _damaged(self) -> StoreError:
        return StoreError(
            f"{self._path} is damaged: what is in it is not what its manifest says."
            " Nothing was changed; take another backup."
        )
