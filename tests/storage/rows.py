"""Rows of any table, made up from what the database says of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.driver import Driver
from storage.tables import KeptTable, in_order

#: Columns that say whose a row is, directly or through what is theirs.
PERSONAL = ("respondent_id", "response_id", "session_id", "invitation_id")

#: Columns that say how far something went among people: they name one, and are no one's.
CURSORS = ("told_after",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its kind is text, integer or real."""

    name: str
    kind: str
    needed: bool


_COLUMNS = {
    "sqlite": (
        'select t.name as in_table, c.name, lower(c.type) as kind, c."notnull" or c.pk as needed'
        " from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table'"
        " order by t.name, c.cid"
    ),
    "postgres": (
        "select table_name as in_table, column_name as name, data_type as kind,"
        " case is_nullable when 'NO' then 1 else 0 end as needed"
        " from information_schema.columns where table_schema = current_schema()"
        " order by table_name, ordinal_position"
    ),
}

_KINDS = {"bigint": "integer", "double precision": "real", "float": "real"}


def columns(driver: Driver) -> dict[str, list[Column]]:
    """Every listed table's columns, tables in the order in which references hold."""
    found: dict[str, list[Column]] = {}
    for row in driver.all(_COLUMNS[driver.engine], {}):
        kind = _KINDS.get(row["kind"], row["kind"])
        column = Column(name=row["name"], kind=kind, needed=bool(row["needed"]))
        found.setdefault(row["in_table"], []).append(column)
    names = [name for name in found if not name.startswith(("_", "sqlite_"))]
    return {table.name: found[table.name] for table in in_order(names)}


def add(driver: Driver, table: str, values: Mapping[str, Any]) -> None:
    """Add a row."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    driver.run(f"insert into {table} ({names}) values ({places})", values)


def plain_row(table: KeptTable, of: list[Column], who: str) -> dict[str, Any]:
    """A row that is somebody's, with something in every column but the counted one."""
    row: dict[str, Any] = {}
    for number, column in enumerate(of):
        if column.name == table.serial:
            continue
        if column.kind == "text":
            row[column.name] = (
                who if column.name in (*PERSONAL, *CURSORS) else f"{column.name} of {who}"
            )
        else:
            row[column.name] = number if column.kind == "integer" else number + 0.25
    return row
