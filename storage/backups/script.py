"""Reading what pg_restore writes: the tables of a dump, row by row, as text.

What lives here: the program that reads a dump, and the form of its script. What must not: a
database, or what the rows mean.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dialogues.errors import StoreError

__all__ = ["Script", "find_program", "why"]

_COPY = re.compile(r'COPY (\w+|"[^"]+")\.(\w+) \(([^)]*)\) FROM stdin;')
_COUNTER = re.compile(r"SELECT pg_catalog\.setval\('\S+\.(\w+)', (\d+), (true|false)\);")

#: How a dump writes what would break a line.
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

Row = list[str | None]


@dataclass(slots=True)
class Script:
    """The rows of a dump.

    Attributes:
        path: Of the dump.
        counters: What the sequences that were passed have given out, by their names.
    """

    path: Path
    counters: dict[str, int] = field(default_factory=dict)

    def tables(self, *, only: str = "") -> Iterator[tuple[str, str, list[str], Iterator[Row]]]:
        """Give schema, name, columns and rows of each table; the rows are to be read in turn.

        Args:
            only: The one table that is wanted; empty for all.

        Raises:
            StoreError: pg_restore is not installed, or cannot read it to its end.
        """
        wanted = [f"--table={only}"] if only else []
        command = [find_program("pg_restore"), "--data-only", *wanted, "--file=-", str(self.path)]
        with subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                if process.stdout is not None:
                    yield from self._tables(process.stdout)
            except GeneratorExit:
                process.kill()
                raise
            said = b"" if process.stderr is None else process.stderr.read()
        if process.returncode:
            raise StoreError(why("pg_restore", said.decode(errors="replace")))

    def _tables(self, script: IO[bytes]) -> Iterator[tuple[str, str, list[str], Iterator[Row]]]:
        for line in script:
            text = line.decode(errors="replace").rstrip("\n")
            if start := _COPY.fullmatch(text):
                columns = [name.strip(' "') for name in start[3].split(",")]
                rows = self._rows(script)
                yield start[1].strip('"'), start[2], columns, rows
                # What nobody read must not be taken for commands.
                deque(rows, maxlen=0)
            elif counted := _COUNTER.fullmatch(text):
                # One that says false has not given out its number yet.
                self.counters[counted[1]] = int(counted[2]) - (counted[3] == "false")

    def _rows(self, script: IO[bytes]) -> Iterator[Row]:
        for line in script:
            try:
                text = line.decode().rstrip("\n")
            except UnicodeDecodeError:
                raise StoreError(f"{self.path} is damaged. Nothing was changed.") from None
            if text == "\\.":
                return
            yield [None if part == "\\N" else _unescaped(part) for part in text.split("\t")]
        raise StoreError(f"{self.path} is damaged: it ends midway. Nothing was changed.")


def find_program(program: str) -> str:
    """Give the path of one of PostgreSQL's programs.

    Raises:
        StoreError: It is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise StoreError(
            f"{program} is not installed here. Install PostgreSQL's programs for clients, or do"
            " without a dump of theirs."
        )
    return path


def why(program: str, said: str) -> str:
    """Say why a program failed, by the first line of its own words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any("server version mismatch" in line for line in lines):
        return (
            f"{program} is older than the server. Install the server's version of it, or leave"
            " --pg-dump away. Nothing was changed."
        )
    first = lines[0].rpartition("error: ")[2] if lines else "it said nothing"
    return f"{program} could not do it ({first[:200]}). Nothing was changed."


def _unescaped(part: str) -> str:
    if "\\" not in part:
        return part
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), part)
