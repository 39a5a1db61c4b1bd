"""A backup by pg_dump, PostgreSQL's own program, of the very state that our reader sees.

What lives here: having it written, and reading it back into values. What must not: psycopg
(``pool.py``), a password on a command line, or the form of a dump (``script.py``).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from dialogues.errors import StoreError
from storage.backups.script import Script, find_program, why
from storage.copying import Progress, TableSum, stepping, sum_of
from storage.driver import Driver
from storage.postgres_steps import TAKEN
from storage.schema import table_names
from storage.sqlite import SqliteDriver
from storage.tables import in_order
from storage.urls import PostgresPlace

__all__ = ["DumpBackup", "dump_database", "verify_dump"]

_Read = Callable[[str], Any]

#: Every other column is text.
_READERS: dict[str, _Read] = {"integer": int, "double precision": float}


def dump_database(driver: Driver, place: PostgresPlace, path: Path) -> None:
    """Let pg_dump write a database as the driver sees it.

    Args:
        driver: For reading, in a transaction: its state is the one that is dumped.
        place: Where the database is.
        path: Of the file; an empty one.

    Raises:
        StoreError: It is not installed, or could not do it; the message says what to do.
    """
    program = find_program("pg_dump")
    row = driver.one("select pg_export_snapshot() as snapshot", {})
    if row is None:
        raise StoreError("The server gives no snapshot; leave --pg-dump away.")
    command = [
        program,
        "--format=custom",
        "--no-password",
        f"--snapshot={row['snapshot']}",
        # What earlier restores put aside.
        "--exclude-schema=before_*",
        f"--file={path}",
    ]
    done = subprocess.run(  # noqa: S603
        command, env=_environment(place), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoreError(why("pg_dump", done.stderr))


def verify_dump(
    path: Path, migrations: tuple[str, ...], tables: tuple[TableSum, ...], progress: Progress
) -> None:
    """Read a dump back, row by row, and compare it with what was to be in it.

    Args:
        path: Of the dump.
        migrations: Those that made the tables.
        tables: What each table held.
        progress: Told how far it is.

    Raises:
        StoreError: It holds something else, or cannot be read.
    """
    backup = DumpBackup(path)
    if backup.migrations != migrations:
        raise StoreError("The dump is of another version than the database. No backup was made.")
    step = stepping(progress, "reading back", sum(table.rows for table in tables))
    if backup.sums(step) != list(tables):
        raise StoreError("The dump holds something else than the database. No backup was made.")


class DumpBackup:
    """A dump to read from: a ``Source``. It holds no checksums of ours, only what PostgreSQL's
    own format has.

    Args:
        path: Of the file.

    Attributes:
        manifest: None: it says nothing of itself.

    Raises:
        StoreError: It cannot be read, or pg_restore is not installed.
    """

    manifest: None = None

    def __init__(self, path: Path) -> None:
        self._script = Script(path)
        self._schema = ""
        self.migrations: tuple[str, ...] = ()
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for schema, name, columns, rows in self._script.tables():
            found[schema, name] = tuple(sorted(columns))
            if name == TAKEN:
                place = columns.index("name")
                self._schema = schema
                self.migrations = tuple(sorted(str(row[place]) for row in rows))
        self._kinds = _kinds(self.migrations)
        self.columns: Mapping[str, tuple[str, ...]] = {
            name: columns
            for (schema, name), columns in found.items()
            if schema == self._schema and name in self._kinds
        }
        self.counters: Mapping[str, int] = {
            table.name: self._script.counters.get(f"{table.name}_{table.serial}_seq", 0)
            for table in in_order(self.columns)
            if table.serial is not None
        }

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Give the rows of a table, values in the order of ``columns``."""
        for schema, name, columns, rows in self._script.tables(only=table):
            if (schema, name) == (self._schema, table):
                yield from map(self._reader(table, columns), rows)

    def verify(self, progress: Progress) -> None:
        """Read it all.

        Raises:
            StoreError: It cannot be read.
        """
        self.sums(stepping(progress, "reading back", 0))

    def sums(self, step: Callable[[], None]) -> list[TableSum]:
        """Read it all once, and give what each table holds, in the order of the list."""
        found: dict[str, TableSum] = {}
        for schema, name, columns, rows in self._script.tables():
            if schema == self._schema and name in self.columns:
                read = map(self._reader(name, columns), rows)
                found[name] = sum_of(read, name, self.columns[name], step)
        return [found[table.name] for table in in_order(found)]

    def close(self) -> None:
        """Nothing is open between two readings."""

    def _reader(
        self, table: str, columns: Sequence[str]
    ) -> Callable[[Sequence[str | None]], list[Any]]:
        """Give what reads a line's parts, which are of these columns, into values."""
        kinds = self._kinds[table]
        wanted = [(columns.index(name), kinds.get(name, str)) for name in self.columns[table]]

        def read(parts: Sequence[str | None]) -> list[Any]:
            try:
                return [
                    None if (part := parts[place]) is None else reader(part)
                    for place, reader in wanted
                ]
            except (IndexError, ValueError):
                raise StoreError(f"{self._script.path} is damaged. Nothing was changed.") from None

        return read


def _kinds(migrations: Sequence[str]) -> dict[str, dict[str, _Read]]:
    """Give how to read each column of each table that these migrations make."""
    with closing(SqliteDriver(None)) as driver:
        driver.migrate(migrations)
        return {
            name: {
                row["name"]: _READERS.get(row["type"].lower(), str)
                for row in driver.all("select * from pragma_table_info(:name)", {"name": name})
            }
            for name in table_names(driver)
        }


def _environment(place: PostgresPlace) -> dict[str, str]:
    """Give the environment of a program that connects there: an address on the command line
    would show its password to everybody on this computer.
    """
    from storage.pool import environment

    return {**os.environ, **environment(place)}
