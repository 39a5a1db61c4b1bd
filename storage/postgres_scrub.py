"""Removing what was erased from a PostgreSQL database: dead rows, and what was counted of them.

What lives here: vacuuming, and whether it could reach everything. What must not: which rows
go. Of a deleted row the server keeps the whole until it is vacuumed, and that works only
once nobody looks at an older state.
"""

from __future__ import annotations

import time

from storage.pool import Connection

__all__ = ["UNCOUNTED", "vacuum"]

#: How long transactions that are under way are waited for, in seconds; most are over at once.
_PATIENCE_SECONDS = 1.0

#: Columns with people's own words and addresses, of which the server must keep no samples:
#: what ``analyze`` notes of common values outlives the rows that it took them from.
UNCOUNTED = frozenset(
    {"address_key", "body", "chat", "platform_id", "question", "span_text", "text", "value"}
)

#: The number that the next transaction gets. Whatever is deleted by now has a lower one.
_NEXT = "select cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint) as n"

#: The lowest number that anybody still looks at, and how many we are not shown. The age of a
#: number is how far it lies back; a replica that reads holds one, too.
_OLDEST = """
select cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint) - greatest(
    coalesce((
        select max(greatest(age(backend_xmin), age(backend_xid))) from pg_stat_activity
        where pid <> pg_backend_pid()
    ), 0),
    coalesce((select max(age(xmin)) from pg_replication_slots), 0),
    coalesce((select max(age(transaction)) from pg_prepared_xacts), 0)
) as n, (
    select count(*) from pg_stat_activity
    where query = '<insufficient privilege>' and backend_type in ('client backend', 'walsender')
) as hidden
"""

_DEAD = """
select coalesce(sum(n_dead_tup), 0) as n from pg_stat_all_tables
where schemaname = current_schema()
"""

_TABLES = """
select format('%I', tablename) as name from pg_catalog.pg_tables
where schemaname = current_schema() order by tablename
"""


def vacuum(connection: Connection) -> bool:
    """Remove every dead row that nobody can see any more.

    Returns:
        Whether all that was deleted before this call is gone; else somebody looked at an older
        state.
    """
    mark = _number(connection, _NEXT)
    reached = _wait_for(connection, mark)
    tables = ", ".join(row["name"] for row in connection.execute(_TABLES).fetchall())
    if not tables:
        return True
    connection.execute("set statement_timeout = 0")
    try:
        # Index entries too: where they point tells in which order rows came.
        connection.execute(f"vacuum (index_cleanup on, truncate off) {tables}")
    finally:
        connection.execute("reset statement_timeout")
    return reached or _number(connection, _DEAD) == 0


def _wait_for(connection: Connection, mark: int) -> bool:
    """Wait until nobody looks at a state from before a number; False when somebody stays."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        row = connection.execute(_OLDEST).fetchone()
        if row is None or row["hidden"]:
            # We may not see what others do: only the count of what is left will tell.
            return False
        if row["n"] >= mark:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.01)


def _number(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row["n"])
