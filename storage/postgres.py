"""PostgreSQL, through psycopg and a pool: the same SQL, and many who write at once.

What lives here: the driver. A transaction is read committed: what it must not do beside
another one is guarded by a lock on a key (``SqlStore.hold``) or by the turn of a session.
A reader sees one state for the whole of its transaction.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg

from dialogues.errors import StoreAway, StoreError, StoreUnsure
from storage.driver import Params, Record
from storage.pool import Connection, Pool, troubled
from storage.postgres_scrub import vacuum
from storage.postgres_steps import Steps

__all__ = ["PostgresDriver", "adapted"]

#: Rows that a long query hands over at a time.
_ROWS_AT_A_TIME = 500

#: A parameter, a percent sign, or words in quotes, in which a colon is a colon.
_MARKS = re.compile(r"'(?:[^']|'')*'|:([a-z_][a-z0-9_]*)|%")

_LOCK = """select n, pg_advisory_xact_lock(n)
from unnest(cast(:numbers as bigint[])) as n"""

_LOCK_FREE = """select n from unnest(cast(:numbers as bigint[])) as n
where pg_try_advisory_xact_lock(n)"""

#: Of a transaction that was being committed when the connection broke.
_STATUS = "select pg_xact_status(cast(:xid as xid8)) as status"

#: How long it is asked for, in seconds, while the server says that it is still under way.
_STATUS_SECONDS = 20.0


@cache
def adapted(sql: str) -> str:
    """Write ``:name`` as psycopg wants it."""

    def write(found: re.Match[str]) -> str:
        name = found[1]
        return f"%({name})s" if name else found[0].replace("%", "%%")

    return _MARKS.sub(write, sql)


class PostgresDriver:
    """A database, for one thread: a connection of the pool for each transaction.

    Args:
        pool: Where connections come from.
        name: Where the database is, for people to read.
        readonly: For reading only: each transaction sees one state.
        owns: Whether the pool is closed with it; else others use it too.
    """

    engine = "postgres"

    def __init__(
        self, pool: Pool, *, name: str, readonly: bool = False, owns: bool = False
    ) -> None:
        self._pool = pool
        self._owns = owns
        self._name = name
        self._readonly = readonly
        self._depth = 0
        self._reads = 0
        self._held: Connection | None = None

    def one(self, sql: str, params: Params) -> Record | None:
        """Run a statement and give its first row; None when it gave none."""
        with self._connection() as connection:
            return connection.execute(adapted(sql), params).fetchone()

    def all(self, sql: str, params: Params) -> list[Record]:
        """Run a statement and give its rows."""
        with self._connection() as connection:
            rows: list[Any] = connection.execute(adapted(sql), params).fetchall()
        return rows

    def each(self, sql: str, params: Params) -> Iterator[Record]:
        """Run a query and give its rows one by one, without holding them all."""
        if self._held is None:
            with self._begun() as connection:
                yield from self._each(connection, sql, params)
        else:
            yield from self._each(self._held, sql, params)

    def _each(self, connection: Connection, sql: str, params: Params) -> Iterator[Record]:
        self._reads += 1
        with troubled(), connection.cursor(f"each{self._reads}") as cursor:
            cursor.itersize = _ROWS_AT_A_TIME
            yield from cursor.execute(adapted(sql), params)

    def run(self, sql: str, params: Params) -> int:
        """Run a statement and give how many rows it touched."""
        with self._connection() as connection:
            return connection.execute(adapted(sql), params).rowcount

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run a statement once for each set of parameters."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.executemany(adapted(sql), params)

    def lock(self, numbers: Sequence[int], *, wait: bool) -> frozenset[int]:
        """Keep other programs from these numbers until the end of the transaction."""
        rows = self.all(_LOCK if wait else _LOCK_FREE, {"numbers": list(numbers)})
        return frozenset(row["n"] for row in rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put many rows into a table, as they come."""
        # The names are those that a database gave of itself.
        sql = f"copy {table} ({', '.join(columns)}) from stdin"
        with (
            self._connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(sql) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction a savepoint."""
        if self._held is None:
            with self._begun() as connection:
                self._held, self._depth = connection, 1
                try:
                    yield
                finally:
                    self._held, self._depth = None, 0
            return
        depth = self._depth
        self._command(f"savepoint s{depth}")
        self._depth = depth + 1
        try:
            yield
            self._command(f"release s{depth}")
        except BaseException:
            if not self._held.closed:
                self._command(f"rollback to s{depth}; release s{depth}")
            raise
        finally:
            self._depth = depth

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """Take a connection on which a transaction has begun, and end it."""
        connection = self._begin()
        try:
            try:
                yield connection
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise
            self._commit(connection)
        finally:
            self._pool.putconn(connection)

    def _commit(self, connection: Connection) -> None:
        """Commit; where the answer is lost, ask what became of it."""
        with troubled():
            row = connection.execute(
                "select cast(pg_current_xact_id_if_assigned() as text) as xid"
            ).fetchone()
        xid = None if row is None else row["xid"]
        try:
            with troubled():
                connection.execute("commit", prepare=False)
        except StoreAway:
            # Without a number it wrote nothing, and so there is nothing to lose.
            if xid is not None and not self._was_committed(xid):
                raise

    def _was_committed(self, xid: str) -> bool:
        """Ask the server, once it is back, whether a transaction was committed.

        Raises:
            StoreUnsure: It does not say, or is not back in time.
        """
        until = time.monotonic() + _STATUS_SECONDS
        while time.monotonic() < until:
            try:
                with troubled(), self._pool.connection() as connection:
                    row = connection.execute(adapted(_STATUS), {"xid": xid}).fetchone()
            except StoreAway:
                continue
            except StoreError:
                # A server that has never heard of it took the place of the one that had.
                break
            match row["status"] if row is not None else None:
                case "committed":
                    return True
                case "aborted":
                    return False
                case "in progress":
                    time.sleep(0.05)
                case _:
                    break
        raise StoreUnsure

    def _begin(self) -> Connection:
        """Begin a transaction on a connection that lives.

        Those that a restart of the server has broken are found out here, where nothing is
        lost yet; the pool makes new ones for them.
        """
        begin = "begin isolation level read committed"
        if self._readonly:
            begin = "begin isolation level repeatable read read only"
        for _ in range(self._pool.max_size + 1):
            with troubled():
                connection = self._pool.getconn()
            try:
                connection.execute(begin, prepare=False)
            except psycopg.OperationalError:
                self._pool.putconn(connection)
            else:
                return connection
        raise StoreAway

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with troubled():
            if self._held is not None:
                yield self._held
            elif self._readonly:
                with self._begun() as connection:
                    yield connection
            else:
                with self._pool.connection() as connection:
                    yield connection

    def _command(self, words: str) -> None:
        with self._connection() as connection:
            connection.execute(words, prepare=False)

    def migrate(self, only: Collection[str] | None = None) -> None:
        """Bring the tables up to this version, each step and its record in one transaction."""
        Steps(self, self._name, readonly=self._readonly).take(only)

    def applied(self) -> list[str]:
        """Give the names of the migrations that were made, in order."""
        return Steps(self, self._name, readonly=self._readonly).taken()

    @property
    def server(self) -> tuple[int, str]:
        """The server's version, such as 180004, and how it writes text, such as UTF8."""
        with self._connection() as connection:
            encoding = connection.info.parameter_status("server_encoding") or ""
            return connection.info.server_version, encoding

    # Care -----------------------------------------------------------------------------

    def scrub(self) -> bool:
        """Remove what was erased from the tables' files; False while somebody reads an older
        state.
        """
        with self._connection() as connection:
            return vacuum(connection)

    def close(self) -> None:
        """Close the pool, where it is this driver's own."""
        if self._owns:
            self._pool.close()
