"""The one list of tables is whole and true, and erasing somebody reaches all of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from storage.open import open_store
from storage.store import SqlStore
from storage.tables import NOT_ERASED, TABLES, in_order
from tests.storage.rows import CURSORS, PERSONAL, Column, add, columns, plain_row

AT = datetime(2026, 12, 1, 10, 30, tzinfo=UTC)

KEYS = "select name as column_name from pragma_table_info('{table}') where pk > 0 order by pk"
REFERENCES = """select distinct t.name as child, f."table" as parent
    from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table'"""


@pytest.fixture
def store() -> SqlStore:
    return open_store("sqlite://")


def test_every_table_is_listed_once(store: SqlStore) -> None:
    names = [table.name for table in TABLES]
    assert len(names) == len(set(names))
    assert set(names) == set(columns(store._driver)), "list it in storage/tables.py"
    store.close()


def test_the_keys_are_those_of_the_tables(store: SqlStore) -> None:
    for table in TABLES:
        found = store._driver.all(KEYS.format(table=table.name), {})
        assert tuple(row["column_name"] for row in found) == table.key, table.name
    store.close()


def test_the_counted_columns_are_known(store: SqlStore) -> None:
    counted = store._driver.all(
        "select name from sqlite_master where lower(sql) like '%autoincrement%'"
        " and name not like '\\_%' escape '\\'",
        {},
    )
    assert {row["name"] for row in counted} == {one.name for one in TABLES if one.serial}
    store.close()


def test_what_is_referred_to_comes_first(store: SqlStore) -> None:
    place = {table.name: number for number, table in enumerate(TABLES)}
    references = store._driver.all(REFERENCES, {})
    assert references
    for row in references:
        assert place[row["parent"]] < place[row["child"]]
    store.close()


def test_a_table_of_another_version_comes_last() -> None:
    names = ["zebras", "outbox", "apes", "meta"]
    assert [table.name for table in in_order(names)] == ["meta", "outbox", "apes", "zebras"]


def test_erasing_somebody_reaches_every_table_that_names_them(store: SqlStore) -> None:
    driver = store._driver
    described = columns(driver)
    personal = _named(described, PERSONAL)
    going = _named(described, CURSORS)
    for table in TABLES:
        if personal[table.name] or going[table.name]:
            for who in ("ann", "bob"):
                add(driver, table.name, plain_row(table, described[table.name], who))
    store.erase("ann", at=AT, erasure_id="e1", actor="test", farewell=None, leaving_id="leaving")
    for name, named_by in personal.items():
        for column in named_by:
            left = [row[column] for row in driver.all(f"select {column} from {name}", {})]
            expected = ["ann", "bob"] if name in NOT_ERASED else ["bob"]
            assert sorted(left) == expected, (
                f"{name} names a person: erase it in storage/people.py, or give the reason"
                " for leaving it in NOT_ERASED (storage/tables.py)"
            )
    for name, named_by in going.items():
        for column in named_by:
            left = [row[column] for row in driver.all(f"select {column} from {name}", {})]
            assert sorted(left) == ["", "bob"], f"{name} still names who was erased"
    assert set(NOT_ERASED) <= {name for name, named_by in personal.items() if named_by}
    assert all(NOT_ERASED.values())
    store.close()


def _named(described: Mapping[str, list[Column]], wanted: tuple[str, ...]) -> dict[str, list[str]]:
    return {
        name: [column.name for column in of if column.name in wanted]
        for name, of in described.items()
    }
