"""SQLite, through sqlite-utils: durable, and forgetful where it was told to forget.

A commit is on the disk when it returns (write-ahead log, ``synchronous=FULL``). What is
deleted is overwritten (``secure_delete``), and ``scrub`` empties the log of it too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from dialogues.errors import StoreBusy, StoreError, StoreFull
from storage.driver import Params, Record
from storage.sql import migrations, statements

__all__ = ["SqliteDriver"]

#: How long a writer waits for another program, in seconds.
BUSY_SECONDS = 5.0

_SET = "commonpulse"

#: A message about a damaged file can hold bytes that are no text, which Python stumbles over.
_TROUBLES = (sqlite3.Error, UnicodeDecodeError)
_ENGINE_WORDS = {"{keyed}": "without rowid", "{serial}": "integer primary key autoincrement"}


class SqliteDriver:
    """A connection to a SQLite file, or to a database in memory.

    Args:
        path: Of the file; None for a database in memory.
        readonly: For a second connection that only reads: it never waits for the writer,
            and the writer never waits for it.
        busy_seconds: How long to wait for another program.
    """

    engine = "sqlite"

    def __init__(
        self, path: Path | None, *, readonly: bool = False, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self._path = path
        self._readonly = readonly
        self._busy_ms = int(busy_seconds * 1000)
        self._depth = 0
        if path is not None:
            _prepare(path, readonly=readonly)
        try:
            self._conn = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, cached_statements=512
            )
        except _TROUBLES as error:
            raise self._trouble(error) from error
        try:
            self._conn.row_factory = sqlite3.Row
            self.db = Database(self._conn, recursive_triggers=False, execute_plugins=False)
            self._conn.execute(f"pragma busy_timeout = {self._busy_ms}")
            if not readonly:
                self._conn.execute("pragma journal_mode = wal")
            self._conn.execute("pragma synchronous = full")
            self._conn.execute("pragma secure_delete = on")
            self._conn.execute("pragma foreign_keys = on")
            self._conn.execute(f"pragma query_only = {int(readonly)}")
        except _TROUBLES as error:
            self._conn.close()
            raise self._trouble(error) from error

    def one(self, sql: str, params: Params) -> Record | None:
        """Run a statement and give its first row; None when it gave none."""
        try:
            cursor = self._conn.execute(sql, params)
            row: Record | None = cursor.fetchone()
            # Ends the statement: one that returns rows is not done before they are read.
            cursor.close()
        except _TROUBLES as error:
            raise self._trouble(error) from error
        return row

    def all(self, sql: str, params: Params) -> list[Record]:
        """Run a statement and give its rows."""
        try:
            return self._conn.execute(sql, params).fetchall()
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def each(self, sql: str, params: Params) -> Iterator[Record]:
        """Run a query and give its rows one by one, without holding them all."""
        try:
            cursor = self._conn.execute(sql, params)
            try:
                yield from cursor
            finally:
                cursor.close()
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def run(self, sql: str, params: Params) -> int:
        """Run a statement and give how many rows it touched."""
        self._check_alive()
        try:
            return self._conn.execute(sql, params).rowcount
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run a statement once for each set of parameters."""
        self._check_alive()
        try:
            self._conn.executemany(sql, params)
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def lock(self, numbers: Sequence[int], *, wait: bool) -> frozenset[int]:
        """Give all of them: who has begun a transaction writes alone."""
        return frozenset(numbers)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put many rows into a table, as they come."""
        places = ", ".join("?" * len(columns))
        self._check_alive()
        try:
            # The names are those that a database gave of itself.
            sql = f"insert into {table} ({', '.join(columns)}) values ({places})"  # noqa: S608
            self._conn.executemany(sql, rows)
        except _TROUBLES as error:
            raise self._trouble(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction a savepoint.

        It takes the right to write at once: a transaction that begins with reading and
        then writes would fail beside another writer without waiting for it.
        """
        depth = self._depth
        if depth == 0:
            begin = "begin" if self._readonly else "begin immediate"
            commit = "commit"
            undo = ["rollback"]
        else:
            begin, commit = f"savepoint s{depth}", f"release s{depth}"
            undo = [f"rollback to s{depth}", commit]
        self._check_alive()
        self._execute(begin)
        self._depth = depth + 1
        try:
            yield
            self._check_alive()
            self._execute(commit)
        except BaseException:
            # A full disk may have undone everything already, savepoints included.
            if self._conn.in_transaction:
                for statement in undo:
                    self._conn.execute(statement)
            raise
        finally:
            self._depth = depth

    def migrate(self, only: Collection[str] | None = None) -> None:
        """Bring the tables up to this version, each step and its record in one transaction."""
        ours = Migrations(_SET)
        for name, script in migrations().items():
            if only is None or name in only:
                ours(name=name)(_Step(script))
        try:
            self._migrate(ours, known=set(migrations()))
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def applied(self) -> list[str]:
        """Give the names of the migrations that were made, in order."""
        try:
            return [one.name for one in Migrations(_SET).applied(self.db)]
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def _migrate(self, ours: Migrations, *, known: set[str]) -> None:
        applied = set(self.applied())
        if newer := applied - known:
            raise StoreError(
                f"{self._path} was written by a newer version of Commonpulse"
                f" ({max(newer)}); install that version or a later one."
            )
        if not applied and self.db.table_names():
            raise StoreError(
                f"{self._path} is a database of another program; choose another file in"
                " storage.url."
            )
        if not ours.pending(self.db):
            return
        if self._readonly:
            raise StoreError(
                f"{self._path} is of an older version of Commonpulse; start `pulse run` once to"
                " bring it up to date."
            )
        # Two programs may open a new file at once: the second waits, and finds it done.
        with self.transaction():
            ours.apply(self.db)

    def scrub(self) -> bool:
        """Write the log into the database and cut it to nothing, so that no erased word is
        left in it; False while somebody reads an older state.
        """
        if self._path is None:
            return True
        try:
            # Not to wait: whoever writes next would wait as well.
            self._conn.execute("pragma busy_timeout = 0")
            try:
                busy = self._conn.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
            finally:
                self._conn.execute(f"pragma busy_timeout = {self._busy_ms}")
        except _TROUBLES as error:
            raise self._trouble(error) from error
        return not busy

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def _execute(self, statement: str) -> None:
        try:
            self._conn.execute(statement)
        except _TROUBLES as error:
            raise self._trouble(error) from error

    def _check_alive(self) -> None:
        """Stop a job that goes on after SQLite has undone its whole transaction."""
        if self._depth and not self._conn.in_transaction:
            raise StoreFull

    def _trouble(self, error: Exception) -> StoreError:
        """Say what is wrong. SQLite's own words name tables and columns, never values."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return StoreBusy()
            case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY:
                return StoreFull()
            case sqlite3.SQLITE_CANTOPEN:
                return StoreFull(f"{self._path} cannot be opened; see that it may be written.")
            case sqlite3.SQLITE_NOTADB:
                return StoreError(
                    f"{self._path} is not a database; choose another file in storage.url."
                )
            case sqlite3.SQLITE_CORRUPT:
                return StoreError(f"{self._path} is damaged; bring back a copy of it.")
            case 0 if isinstance(error, UnicodeDecodeError) or "Could not decode" in str(error):
                # Python's own words would show the text.
                return StoreError(f"{self._path} is damaged; bring back a copy of it.")
            case _:
                return StoreError(f"The database could not do it: {error}.")


class _Step:
    """A migration as sqlite-utils wants it."""

    __name__ = "step"

    def __init__(self, script: str) -> None:
        self._script = script

    def __call__(self, db: Database, /) -> None:
        for word, meaning in _ENGINE_WORDS.items():
            self._script = self._script.replace(word, meaning)
        for statement in statements(self._script):
            db.execute(statement)


def _prepare(path: Path, *, readonly: bool) -> None:
    """See that the file can be there. A new one is for its owner's eyes only."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; storage.url has to name a file in it.")
    if path.exists():
        if not readonly and not os.access(path, os.W_OK):
            raise StoreFull(f"{path} may not be written; change its rights or storage.url.")
        return
    if readonly:
        raise StoreError(f"There is no database at {path} yet (storage.url); `pulse run` makes it.")
    if not path.parent.is_dir():
        raise StoreError(
            f"The folder {path.parent} of the database is missing; make it or change storage.url."
        )
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        raise StoreFull(
            f"The folder {path.parent} may not be written; change its rights or storage.url."
        ) from None
