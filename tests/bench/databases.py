"""A new database on each engine, as durable as in real use, for whatever is measured on both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from storage.driver import Driver
from tests.bench.bots import cpu_seconds
from tests.postgres import Server

__all__ = ["ENGINES", "Databases"]

ENGINES = ("sqlite", "postgres")

#: Unlike the server of the tests: every commit is on the disk, and it looks after itself.
_REAL = """
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 256MB
max_wal_size = 2GB
autovacuum = on
"""

_SIZES = {
    "sqlite": "select name, sum(pgsize) as bytes from dbstat group by name",
    "postgres": (
        "select c.relname as name, pg_relation_size(c.oid) as bytes from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = current_schema() and c.relkind in ('r', 'i', 't')"
    ),
}

#: Which table an index is of.
_OWNERS = {
    "sqlite": "select name, tbl_name as owner from sqlite_schema where type = 'index'",
    "postgres": "select indexname as name, tablename as owner from pg_indexes",
}


class Databases:
    """Makes databases in a folder; a PostgreSQL server is started when first wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place: Path | None = None
        self._server: Server | None = None
        self._made = 0

    @contextmanager
    def new(self, engine: str) -> Iterator[str]:
        """Make an empty database, give its address, and remove it afterwards."""
        self._made += 1
        name = f"bench{self._made}"
        if engine == "sqlite":
            folder = self._folder / name
            folder.mkdir(parents=True)
            yield f"sqlite:///{folder}/pulse.db"
            shutil.rmtree(folder)
            return
        yield self.server.database(name)
        self.server.execute(f"drop database {name} with (force)")

    @property
    def server(self) -> Server:
        """The PostgreSQL server."""
        if self._server is None:
            # The path of a socket may not be long.
            self._place = Path(tempfile.mkdtemp(prefix="pulse-pg-"))
            self._server = Server(self._place, settings=_REAL)
        return self._server

    def server_cpu_seconds(self) -> float:
        """Give the CPU time that the server's processes of now have used."""
        parent = self.server.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return cpu_seconds(parent) + sum(map(cpu_seconds, children))

    def close(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            self._server.remove()
            self._server = None


def sizes(driver: Driver) -> dict[str, int]:
    """Give the bytes of every table, its indexes included."""
    owners = {row["name"]: row["owner"] for row in driver.all(_OWNERS[driver.engine], {})}
    found: dict[str, int] = {}
    for row in driver.all(_SIZES[driver.engine], {}):
        table = owners.get(row["name"], row["name"])
        if not table.startswith(("sqlite_", "_", "pg_")):
            found[table] = found.get(table, 0) + int(row["bytes"])
    return found


def n_commits(url: str) -> int:
    """Give how many transactions a database on PostgreSQL has committed."""
    with psycopg.connect(url, autocommit=True) as connection:
        row: Any = connection.execute(
            "select xact_commit from pg_stat_database where datname = current_database()"
        ).fetchone()
        return int(row[0])
