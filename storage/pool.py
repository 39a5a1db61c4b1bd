"""Connections to PostgreSQL: how each is set, and what is said when there is none.

What lives here: the pool, the settings of a connection, and the engine's errors in our
words. What must not: SQL of the field. A message of the engine can repeat values of a row,
and an address holds a password: neither is ever passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from dialogues.errors import (
    StoreAway,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreFull,
    StoreRefused,
)
from storage.urls import PostgresPlace

__all__ = ["Connection", "Pool", "connect", "environment", "open_pool", "trouble", "troubled"]

Connection = psycopg.Connection[DictRow]
Pool = ConnectionPool[Connection]

#: How long a lock of somebody else is waited for, in seconds; as with SQLite.
LOCK_SECONDS = 5

#: How long one statement may take, in seconds.
STATEMENT_SECONDS = 120

#: How long a connection is waited for, in seconds.
CONNECT_SECONDS = 5

#: Unless the address says otherwise. A connection that is cut without a word is noticed.
_DEFAULTS = {
    "application_name": "commonpulse",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

#: What an anonymous or a hurried server may have set otherwise. A commit is on the disk when
#: it returns, on a replica too where the server is set to wait for one.
_SETTINGS = f"""
select set_config('TimeZone', 'UTC', false),
    set_config('lock_timeout', '{LOCK_SECONDS}s', false),
    set_config('statement_timeout', '{STATEMENT_SECONDS}s', false),
    set_config('synchronous_commit', case current_setting('synchronous_commit')
        when 'remote_apply' then 'remote_apply' else 'on' end, false)
"""


class _Number(Loader):
    """A sum of whole numbers is whole, as with SQLite; any other number has a fraction."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdecimal() else float(text)


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    # One type for all whole numbers, so that a statement is prepared once and not for each.
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_loader("numeric", _Number)
    return adapters


_ADAPTERS = _adapters()


def _options(place: PostgresPlace, *, readonly: bool) -> dict[str, Any]:
    """Give how to connect; raises ``StoreError`` where the address cannot be read."""
    try:
        given = conninfo_to_dict(place.url)
    except psycopg.Error:
        raise StoreError(
            "storage.url cannot be read: expected postgresql://USER@HOST:PORT/NAME, and an"
            " option only as ?name=value with a name that libpq knows."
        ) from None
    target = {} if readonly else {"target_session_attrs": "read-write"}
    return {**_DEFAULTS, **target, **given, "autocommit": True, "row_factory": dict_row}


def environment(place: PostgresPlace) -> dict[str, str]:
    """Give the variables by which PostgreSQL's own programs connect there: on a command line
    everybody could read the password.
    """
    given = conninfo_to_dict(place.url)
    names = {
        known.keyword.decode(): known.envvar.decode()
        for known in psycopg.pq.Conninfo.get_defaults()
        if known.envvar is not None
    }
    return {names[key]: str(value) for key, value in given.items() if key in names}


def _prepare(connection: Connection) -> None:
    """Set a new connection."""
    connection.execute(_SETTINGS)
    # There are some two hundred named queries, and each is worth keeping.
    connection.prepare_threshold = 3
    connection.prepared_max = 500


def connect(place: PostgresPlace, *, readonly: bool = False) -> Connection:
    """Make one connection.

    Raises:
        StoreError: There is none to be had; the message says what to do.
    """
    options = _options(place, readonly=readonly)
    try:
        connection: Connection = psycopg.connect(**options, context=_ADAPTERS)
    except psycopg.OperationalError as error:
        raise StoreAway(_away(place, error)) from None
    except psycopg.Error:
        raise StoreError(f"{place.name} cannot be used; check storage.url.") from None
    try:
        with troubled():
            _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_pool(place: PostgresPlace, *, connections: int, readonly: bool = False) -> Pool:
    """Open a pool; it makes connections as they are needed, and new ones for broken ones.

    Args:
        place: Where.
        connections: The most at a time.
        readonly: Whether a server that only follows another will do.
    """
    options = _options(place, readonly=readonly)
    return ConnectionPool(
        "",
        kwargs={**options, "context": _ADAPTERS},
        configure=_prepare,
        min_size=1,
        max_size=connections,
        timeout=CONNECT_SECONDS,
        # It is tried again whenever somebody asks; nothing is gained by waiting long.
        reconnect_timeout=CONNECT_SECONDS,
        num_workers=1,
        name="store",
        open=True,
    )


def _away(place: PostgresPlace, error: psycopg.Error) -> str:
    reasons = re.findall(r"failed: (?:FATAL: +)?([^\n]+)", str(error))
    reason = f" ({reasons[-1].rstrip('. ')})" if reasons else ""
    return (
        f"{place.name} cannot be reached{reason}; see that PostgreSQL runs there and that its"
        " address (storage.url, or what --to names) is right."
    )


@contextmanager
def troubled() -> Iterator[None]:
    """Turn the engine's errors into ours."""
    try:
        yield
    except psycopg.Error as error:
        raise trouble(error) from None


def trouble(error: psycopg.Error) -> StoreError | StoreRefused:
    """Say what is wrong, without a value of a row and without the words of the engine that
    could hold one.
    """
    state = error.sqlstate or ""
    match state[:2], state:
        case ("40", _) | (_, "23505" | "23503"):
            return StoreConflict()
        case _, "55P03" | "57014":
            return StoreBusy()
        case _, "53300":
            return StoreBusy(
                "PostgreSQL has no connection left: lower storage.connections, or raise the"
                " server's max_connections."
            )
        case _, "53100":
            return StoreFull()
        case _, "25006":
            return StoreFull("The database can only be read: it follows another one.")
        case ("08", _) | (_, "57P01" | "57P02" | "57P03" | "57P05" | "25P03"):
            return StoreAway()
        case "42", _:
            # About our own statement: it names tables and columns, and there is no value in it.
            return StoreError(f"The database could not do it: {error.diag.message_primary}.")
    if state.startswith("22") or (isinstance(error, psycopg.DataError) and not state):
        # The platform would bring what holds such a value again and again, and nothing after it.
        return StoreRefused(f"The database takes no such value: error {state or 'unknown'}.")
    if isinstance(error, PoolTimeout) or (
        isinstance(error, psycopg.OperationalError) and not state
    ):
        return StoreAway()
    named = [error.diag.table_name, error.diag.column_name, error.diag.constraint_name]
    where = " ".join(name for name in named if name)
    return StoreError(f"The database could not do it: error {state or 'unknown'} {where}".rstrip())
