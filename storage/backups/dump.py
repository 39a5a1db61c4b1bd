"""A backup by pg_dump, PostgreSQL's own program, of the very state that our reader sees.

What lives here: finding and running the programs, and reading a dump back row by row. What
must not: psycopg (``pool.py``), or a password on a command line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from dialogues.errors import StoreError
from storage.copying import Progress, TableSum, stepping
from storage.digest import Digest, line_writer
from storage.driver import Driver
from storage.tables import in_order
from storage.urls import PostgresPlace

__all__ = ["dump_database", "verify_dump"]

_COPY = re.compile(r'COPY (\w+|"[^"]+")\.(\w+) \(([^)]*)\) FROM stdin;')

#: How a dump writes what would break a line.
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: The columns that hold numbers; every other one is text.
_NUMBERS = """
select table_name as in_table, column_name as name, data_type as kind
from information_schema.columns where table_schema = current_schema()
and data_type <> 'text'
"""

_READERS: dict[str, Callable[[str], int | float | str]] = {
    "bigint": int,
    "integer": int,
    "double precision": float,
}


def dump_database(driver: Driver, place: PostgresPlace, path: Path) -> None:
    """Let pg_dump write a database as the driver sees it.

    Args:
        driver: For reading, in a transaction: its state is the one that is dumped.
        place: Where the database is.
        path: Of the file; an empty one.

    Raises:
        StoreError: It is not installed, or could not do it; the message says what to do.
    """
    program = _find("pg_dump")
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
        raise StoreError(_why("pg_dump", done.stderr))


def verify_dump(
    driver: Driver, path: Path, tables: tuple[TableSum, ...], progress: Progress
) -> None:
    """Read a dump back, row by row, and compare it with what was to be in it.

    Args:
        driver: Of the database, to tell numbers from text.
        path: Of the dump.
        tables: What each table held.
        progress: Told how far it is.

    Raises:
        StoreError: It holds something else, or cannot be read.
    """
    kinds = {
        (row["in_table"], row["name"]): _READERS.get(row["kind"], str)
        for row in driver.all(_NUMBERS, {})
    }
    row = driver.one("select current_schema() as name", {})
    schema = "" if row is None else row["name"]
    step = stepping(progress, "reading back", sum(table.rows for table in tables))
    found: dict[str, TableSum] = {}
    command = [_find("pg_restore"), "--data-only", "--file=-", str(path)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if process.stdout is not None:
            for name, columns, rows in _tables_of(process.stdout):
                table = name.removeprefix(f"{schema}.")
                readers = [kinds.get((table, column), str) for column in columns]
                write, digest = line_writer(columns), Digest()
                for fields in rows:
                    digest.add(
                        write(
                            [
                                None if field is None else read(field)
                                for read, field in zip(readers, fields, strict=True)
                            ]
                        )
                    )
                    step()
                found[table] = TableSum(
                    name=table, columns=tuple(sorted(columns)), rows=digest.rows, digest=digest.hex
                )
        trouble = b"" if process.stderr is None else process.stderr.read()
    if process.returncode:
        raise StoreError(_why("pg_restore", trouble.decode(errors="replace")))
    if [found.get(table.name) for table in in_order(table.name for table in tables)] != list(
        tables
    ):
        raise StoreError("The dump holds something else than the database. No backup was made.")


def _tables_of(
    script: IO[bytes],
) -> Iterator[tuple[str, list[str], Iterator[list[str | None]]]]:
    """Give the tables of a script, with their schema, columns and rows, to be read in turn."""
    for line in script:
        start = _COPY.fullmatch(line.decode().rstrip("\n"))
        if start is not None:
            columns = [name.strip(' "') for name in start[3].split(",")]
            yield start[1].strip('"') + "." + start[2], columns, _rows(script)


def _rows(script: IO[bytes]) -> Iterator[list[str | None]]:
    for line in script:
        text = line.decode().rstrip("\n")
        if text == "\\.":
            return
        yield [None if field == "\\N" else _unescaped(field) for field in text.split("\t")]


def _unescaped(field: str) -> str:
    if "\\" not in field:
        return field
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), field)


def _find(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise StoreError(
            f"{program} is not installed here. Install PostgreSQL's programs for clients, or"
            " leave --pg-dump away."
        )
    return path


def _environment(place: PostgresPlace) -> dict[str, str]:
    """Give the environment of a program that connects there: an address on the command line
    would show its password to everybody on this computer.
    """
    from storage.pool import environment

    return {**os.environ, **environment(place)}


def _why(program: str, said: str) -> str:
    """Say why a program failed, by the first line of its own words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any("server version mismatch" in line for line in lines):
        return (
            f"{program} is older than the server. Install the server's version of it, or leave"
            " --pg-dump away. No backup was made."
        )
    first = lines[0].rpartition("error: ")[2] if lines else "it said nothing"
    return f"{program} could not do it ({first[:200]}). No backup was made."
