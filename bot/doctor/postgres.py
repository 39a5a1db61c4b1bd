"""The database, where that is on PostgreSQL: version, safety, privacy, room for connections.

What lives here: asking the server about itself, for reading only. What must not: what the
rows mean (``work.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.doctor.finding import Finding, counted, grown, how_long, ok, trouble, warning
from storage.driver import Driver

__all__ = ["its_clock", "server", "size"]

#: Connections that should be left.
_FEW = 5

#: A transaction that is open for longer keeps deleted rows on the disk.
_LONG = timedelta(minutes=30)

_OLDEST = 140_000

#: The share of all transaction numbers after which PostgreSQL itself begins to worry.
_WORN = 1_000_000_000

_SETTINGS = """
select current_setting('server_version_num') as version,
    current_setting('server_version') as shown,
    current_setting('track_commit_timestamp') as stamps,
    (select reset_val from pg_settings where name = 'synchronous_commit') as synchronous,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as whole_pages,
    cast(current_setting('max_connections') as integer)
        - cast(current_setting('superuser_reserved_connections') as integer) as most,
    current_setting('server_encoding') as encoding,
    current_setting('log_statement') as logged,
    current_setting('log_min_duration_statement') as slow,
    current_setting('log_parameter_max_length') as shown_words,
    case when pg_is_in_recovery() then 1 else 0 end as follows
"""

_CONNECTIONS = "select count(*) as n from pg_stat_activity where backend_type = 'client backend'"

_OLDEST_TRANSACTION = """
select extract(epoch from max(clock_timestamp() - xact_start)) as seconds
from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start is not null
"""

_AGE = "select age(datfrozenxid) as n from pg_database where datname = current_database()"

_SIZE = "select pg_database_size(current_database()) as n"

_DEAD_ROWS = """
select relname as name, n_dead_tup as dead, n_live_tup as live
from pg_stat_user_tables where schemaname = current_schema()
"""

_CLOCK = "select extract(epoch from clock_timestamp()) as seconds"


def its_clock(driver: Driver) -> datetime:
    """Give what time it is there, aware UTC."""
    row = driver.one(_CLOCK, {})
    return datetime.fromtimestamp(float(row["seconds"]) if row is not None else 0.0, UTC)


def server(driver: Driver) -> Iterator[Finding]:
    """Ask the server about itself."""
    row = driver.one(_SETTINGS, {})
    if row is None:
        return
    if int(row["version"]) < _OLDEST:
        yield trouble(
            "postgresql", f"It is {row['shown']}.", "Version 14 or later is needed; upgrade it."
        )
    else:
        yield ok("postgresql", f"It is {row['shown']}.")
    if row["encoding"] != "UTF8":
        yield trouble(
            "database encoding",
            f"It keeps text in {row['encoding']}, which cannot hold every language.",
            "Make a database with encoding 'UTF8' template template0, and move to it.",
        )
    if row["follows"]:
        yield trouble(
            "database role",
            "This server follows another one and can only be read.",
            "Let storage.url name the one that is written to.",
        )
    yield from _safety(row["fsync"], row["whole_pages"], row["synchronous"])
    yield _stamps(row["stamps"])
    yield _log(row["logged"], row["slow"], row["shown_words"])
    yield from _load(driver, int(row["most"]))


def _safety(fsync: str, whole_pages: str, synchronous: str) -> Iterator[Finding]:
    check = "database safety"
    if fsync != "on" or whole_pages != "on":
        name = "fsync" if fsync != "on" else "full_page_writes"
        yield trouble(
            check,
            f"{name} is off: after a power failure the database may be lost.",
            f"Set {name} = on in postgresql.conf and load it anew (select pg_reload_conf()).",
        )
    elif synchronous == "off":
        yield warning(
            check,
            "synchronous_commit is off by default; `pulse` sets it on for itself.",
            "Set synchronous_commit = on, so that other programs are as careful.",
        )
    else:
        yield ok(check, "What is committed is on its disk.")


def _stamps(stamps: str) -> Finding:
    check = "anonymity"
    if stamps == "on":
        return trouble(
            check,
            "track_commit_timestamp is on: the server notes when each row was written, which"
            " can join an anonymous response to its person.",
            "Set track_commit_timestamp = off in postgresql.conf and restart the server.",
        )
    return ok(check, "The server does not note when rows were written.")


def _log(logged: str, slow: str, shown_words: str) -> Finding:
    check = "server log"
    if (logged in {"all", "mod"} or slow != "-1") and shown_words != "0":
        name = "log_statement" if logged in {"all", "mod"} else "log_min_duration_statement"
        return trouble(
            check,
            f"{name} is on and shows values: what people said ends up in the server's log.",
            "Set log_parameter_max_length = 0 in postgresql.conf and load it anew"
            " (select pg_reload_conf()).",
        )
    return ok(check, "Nobody's words get into it.")


def _load(driver: Driver, most: int) -> Iterator[Finding]:
    row = driver.one(_CONNECTIONS, {})
    left = most - (0 if row is None else int(row["n"]))
    if left < _FEW:
        yield warning(
            "connections",
            f"{counted(left, 'connection')} of {most} are left.",
            "Raise max_connections, lower storage.connections, or put a pooler in between.",
        )
    else:
        yield ok("connections", f"{left} of {most} are left.")
    row = driver.one(_OLDEST_TRANSACTION, {})
    seconds = None if row is None else row["seconds"]
    if seconds is not None and (open_for := timedelta(seconds=float(seconds))) > _LONG:
        yield warning(
            "long transaction",
            f"One has been open for {how_long(open_for)}: until it ends, nothing that was"
            " erased leaves the disk.",
            "Find it in pg_stat_activity (xact_start) and end it; an export may be at work.",
        )
    row = driver.one(_AGE, {})
    if row is not None and int(row["n"]) > _WORN:
        yield warning(
            "vacuum",
            "Very old rows are waiting to be vacuumed.",
            "See that autovacuum is on; run `vacuum` by hand at a quiet hour.",
        )
    for table in driver.all(_DEAD_ROWS, {}):
        dead, live = int(table["dead"] or 0), int(table["live"] or 0)
        if dead > 100_000 and dead > live:
            yield warning(
                "vacuum",
                f"The table {table['name']} holds {dead:,} rows that are gone.",
                "See that autovacuum is on; run `vacuum` by hand at a quiet hour.",
            )


def size(driver: Driver, *, answers: int, recent: int) -> Finding:
    """Tell how large the database is, and how it grows.

    Args:
        driver: For reading.
        answers: How many there are.
        recent: How many of them are of the last seven days.
    """
    row = driver.one(_SIZE, {})
    whole = 0 if row is None else int(row["n"])
    return ok("database size", grown(whole, whole, answers, recent))
