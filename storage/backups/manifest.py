"""What a backup says of itself: when it was made, of which version, and what is in it.

What lives here: the manifest as a value, written and read. What must not: where it stands in
a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialogues.errors import StoreError
from storage.copying import TableSum
from storage.records import read_instant, write_instant
from storage.sql import migrations

__all__ = ["FORMAT", "Manifest", "check_version", "read_manifest", "write_manifest"]

#: What it is called inside a file, with the version of the format.
FORMAT = "commonpulse-backup/1"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        made_at: Aware UTC: the state of the database is that of this time or shortly after.
        program: The version of Commonpulse that made it.
        engine: ``sqlite`` or ``postgres``, of the database it was made of.
        migrations: Those that made its tables, in order.
        tables: What each table holds, in an order in which references hold.
        counters: Of each table with a counted column, the highest number ever given out.
    """

    made_at: datetime
    program: str
    engine: str
    migrations: tuple[str, ...]
    tables: tuple[TableSum, ...]
    counters: Mapping[str, int]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for table in self.tables)


def write_manifest(manifest: Manifest) -> str:
    """Write it as JSON."""
    return json.dumps(
        {
            "format": FORMAT,
            "made_at": write_instant(manifest.made_at),
            "program": manifest.program,
            "engine": manifest.engine,
            "migrations": list(manifest.migrations),
            "counters": dict(manifest.counters),
            "tables": [
                {
                    "name": table.name,
                    "columns": list(table.columns),
                    "rows": table.rows,
                    "digest": table.digest,
                }
                for table in manifest.tables
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def read_manifest(text: str) -> Manifest:
    """Read it.

    Raises:
        ValueError: It is none, or not as ``write_manifest`` writes it.
    """
    data: Any = json.loads(text)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError("not a manifest of this format")
    try:
        manifest = Manifest(
            made_at=read_instant(data["made_at"]),
            program=str(data["program"]),
            engine=str(data["engine"]),
            migrations=tuple(map(_name_or_number, data["migrations"])),
            counters={_name(name): int(number) for name, number in data["counters"].items()},
            tables=tuple(map(_table, data["tables"])),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("not a manifest of this format") from error
    if len({table.name for table in manifest.tables}) != len(manifest.tables):
        raise ValueError("a table stands in it twice")
    return manifest


def check_version(applied: Sequence[str], what: str) -> None:
    """See that this version can bring tables back that these migrations made.

    Args:
        applied: Their names. Those that this version has beyond them are made afterwards.
        what: Is looked at, for people to read.

    Raises:
        StoreError: They are of a newer version, or of none of this program's.
    """
    if not applied:
        raise StoreError(f"{what} is no backup of Commonpulse.")
    if newer := [name for name in applied if name not in migrations()]:
        raise StoreError(
            f"{what} was made by a newer version of Commonpulse ({newer[-1]});"
            " install that version or a later one."
        )


def _table(data: Mapping[str, Any]) -> TableSum:
    rows, digest = data["rows"], data["digest"]
    columns = tuple(map(_name, data["columns"]))
    if not isinstance(rows, int) or rows < 0 or not _DIGEST.fullmatch(digest):
        raise ValueError("a count or digest is none")
    if list(columns) != sorted(set(columns)):
        raise ValueError("columns are out of order")
    return TableSum(name=_name(data["name"]), columns=columns, rows=rows, digest=digest)


def _name(text: Any) -> str:
    """Take a name of a table or column: it goes into statements, so nothing else passes."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError("not a name")
    return text


def _name_or_number(text: Any) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}_[a-z0-9_]+", text):
        raise ValueError("not a migration")
    return text
