"""Databases made up by chance: anything that the columns can hold, in every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from dialogues.errors import StoreError
from storage.copying import Progress, TableSum, sums_of
from storage.driver import Driver
from storage.open import open_store
from storage.tables import TABLES
from tests.storage.rows import Column, add, columns

Rows = dict[str, list[dict[str, Any]]]

#: Every sign that text can have; a database can hold neither NUL nor half a surrogate pair.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
KINDS: Mapping[str, st.SearchStrategy[Any]] = {
    "text": TEXT
    | st.sampled_from(
        ["", "'", '"', "\\N", "a\tb\nc\r\n", "\u2028", "ŵ", "👩🏽‍⚕️", "|", "%s", ":x"]
    ),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "real": st.floats(allow_nan=False),
}

_REFERENCES = (
    'select t.name as child, f.id, f."from" as mine, f."table" as parent, f."to" as theirs'
    " from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table'"
    " order by t.name, f.id, f.seq"
)


def described() -> tuple[dict[str, list[Column]], list[tuple[str, str, dict[str, str]]]]:
    """Columns of every table; and (child, parent, child's column to parent's) of references."""
    store = open_store("sqlite://")
    found = columns(store._driver)
    references: dict[tuple[str, int], tuple[str, str, dict[str, str]]] = {}
    for row in store._driver.all(_REFERENCES, {}):
        of = references.setdefault((row["child"], row["id"]), (row["child"], row["parent"], {}))
        of[2][row["mine"]] = row["theirs"]
    store.close()
    return found, list(references.values())


COLUMNS, REFERENCES = described()


@st.composite
def databases(draw: st.DrawFn) -> Rows:
    """Rows for every table."""
    made: Rows = {}
    for table in TABLES:
        made[table.name] = []
        if table.name in {"meta", "workers"}:
            # The salt stays, and nobody is up.
            continue
        parents = [(made[parent], by) for child, parent, by in REFERENCES if child == table.name]
        if any(not of for of, _ in parents):
            continue
        for _ in range(draw(st.integers(0, 3))):
            row: dict[str, Any] = {}
            for column in COLUMNS[table.name]:
                value = KINDS[column.kind]
                if column.name == table.serial:
                    value = st.integers(1, 2**40)
                row[column.name] = draw(value if column.needed else st.none() | value)
            for of, by in parents:
                parent = draw(st.sampled_from(of))
                row.update({mine: parent[theirs] for mine, theirs in by.items()})
            made[table.name].append(row)
    return made


def put(driver: Driver, rows: Rows) -> int:
    """Put rows into a database; what breaks a rule of a table is left out. Gives how many."""
    n = 0
    for table, of in rows.items():
        for row in of:
            try:
                with driver.transaction():
                    add(driver, table, row)
                n += 1
            except StoreError:
                continue
    return n


def nothing(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


QUIET: Progress = nothing


def holds(url: str) -> list[TableSum]:
    """What a database holds, in short."""
    store = open_store(url)
    with store.transaction():
        found = sums_of(store._driver, QUIET)
    store.close()
    return found


def content(driver: Driver) -> dict[str, Sequence[dict[str, Any]]]:
    """All that a database holds, as it is."""
    return {
        table.name: [
            dict(row)
            for row in driver.all(f"select * from {table.name} order by {', '.join(table.key)}", {})
        ]
        for table in TABLES
    }
