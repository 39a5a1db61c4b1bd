"""The short number of a table: the same for the same rows, another for others."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.digest import Digest, line_reader, line_writer

VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
COLUMNS = ("b", "a", "c")


def digest(rows: list[Any]) -> str:
    found = Digest()
    for row in rows:
        found.add(line_writer(COLUMNS)(row))
    assert found.rows == len(rows)
    return found.hex


@given(st.lists(VALUES, min_size=3, max_size=3))
def test_a_row_comes_back_from_its_line(row: list[Any]) -> None:
    line = line_writer(COLUMNS)(row)
    assert b"\n" not in line
    assert list(json.loads(line)) == ["a", "b", "c"]
    back = line_reader(COLUMNS)(line)
    assert back == row
    assert [type(value) for value in back] == [type(value) for value in row]
    assert line_writer(COLUMNS)(back) == line


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=6), st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[Any], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert digest(rows) == digest(shuffled)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=4), st.tuples(VALUES, VALUES, VALUES))
def test_one_row_more_is_another_table(rows: list[Any], row: Any) -> None:
    assert digest(rows) != digest([*rows, row])


def test_the_order_of_the_columns_does_not_matter() -> None:
    assert line_writer(("b", "a"))([1, 2]) == line_writer(("a", "b"))([2, 1]) == b'{"a":2,"b":1}'


def test_values_are_told_apart_by_kind_too() -> None:
    rows = [[None], [""], ["1"], [1], [1.0], [b""], [b"1"], [math.inf], [-math.inf], ["inf"]]
    assert len({line_writer(("a",))(row) for row in rows}) == len(rows)


def test_a_zero_is_a_zero() -> None:
    """No engine promises to keep its sign."""
    assert line_writer(("a",))([-0.0]) == line_writer(("a",))([0.0]) == b'{"a":0.0}'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1",
        b"[]",
        b"{}",
        b'{"a": 1, "b": 2}',
        b'{"b": 1}',
        b'{"a": {"bytes": "?"}}',
        b'{"a": {"float": "many"}}',
        b'{"a": {"other": ""}}',
        b'{"a": {"bytes": "", "float": "1"}}',
        b'{"a": "\xff"}',
    ],
)
def test_what_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        line_reader(("a",))(line)


def test_what_no_column_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="list"):
        line_writer(("a",))([[]])
