"""TOML with positions: every syntax error, and the line of every key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.toml_source import MAX_MISTAKES, TomlUnreadable, read_toml, read_toml_text
from tests.dialogues.test_shipped_surveys import FOLDER

SHOP = """\
title = "x"
a.b = 1

[owner]
"full name" = "y"
inline = { k = 1, deep = [ 1, { z = 2 } ] }

[[item]]
id = "one"
tags = [
  "p",
  "q",
]

[[item]]
id = "two"

[item.size]
w = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("a", "b"), 2),
        (("owner",), 4),
        (("owner", "full name"), 5),
        (("owner", "inline", "k"), 6),
        (("owner", "inline", "deep", 1, "z"), 6),
        (("item",), 8),
        (("item", 0, "id"), 9),
        (("item", 0, "tags", 1), 12),
        (("item", 1), 15),
        (("item", 1, "id"), 16),
        (("item", 1, "size", "w"), 19),
        (("item", 1, "nothing", "here"), 15),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_every_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert read_toml_text(SHOP, name="shop").line_of(path) == line


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_key_of_the_shipped_surveys_is_on_a_line_that_names_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    source = read_toml(file)
    assert source.data == tomllib.loads(text)
    lines = text.splitlines()
    for path, line in source.lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a = polling", 1, "a value"),
        ("x = 1\na =", 2, "a value"),
        ("a 1", 1, 'an "="'),
        ("= 3", 1, 'key = "value"'),
        ("a = [1,\n2\nb = 1", 1, 'closing "]"'),
        ("a = [1\n\n[t]\nb = 1", 1, 'closing "]"'),
        ("a = {b = 1", 1, 'closing "}"'),
        ('a = "x\nb = 1', 1, "closing quote"),
        ("a = 'x\nb = 1", 1, "closing quote"),
        ('a = """x\ny\n', 1, "closing quote"),
        ("a = 1 2", 1, "end of the line"),
        ('a = "\\q"', 1, "backslash"),
        ('a = "x\x01"', 1, "control character"),
        ("[t\nb = 1", 1, 'closing "]"'),
        ("[[t]\nb = 1", 1, 'closing "]]"'),
        ("a = 1\nb = 2\na = 3", 3, "a only once; it is on line 1 already"),
        ("[t]\na = 1\n[u]\n[t]\nb = 1", 4, "t only once; it is on line 1 already"),
        ("a = {b = 1, b = 2}", 1, "only once"),
    ],
)
def test_a_syntax_error_says_its_line_and_what_was_expected(
    text: str, line: int, expected: str
) -> None:
    (mistake,) = read_toml_text(text, name="x").mistakes
    assert mistake.line == line
    assert mistake.expected.startswith("expected ")
    assert expected in mistake.expected


def test_all_syntax_errors_are_found_and_the_rest_is_read() -> None:
    source = read_toml_text(
        'good = 1\nbad = yes\n[t\nq = "x\nr = 2\n[[l]]\ns = [1,\n  2\nu = 3\nu = 4\n', name="x"
    )
    assert [mistake.line for mistake in source.mistakes] == [2, 3, 4, 7, 10]
    assert source.data == {"good": 1, "t": {"r": 2}, "l": [{"u": 3}]}
    assert source.is_damaged(("bad",))
    assert source.is_damaged(("t", "q", "deeper"))
    assert source.is_damaged(("l", 0, "s"))
    assert not source.is_damaged(("l", 0, "u"))


def test_rubbish_ends_after_some_mistakes() -> None:
    source = read_toml_text("what is this\n" * 500, name="x")
    assert len(source.mistakes) == MAX_MISTAKES
    assert source.data == {}


@given(st.text(alphabet="ab =\"[]{},\n.'#1\\", max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    source = read_toml_text(text, name="x")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert source.mistakes
    else:
        assert source.mistakes == ()
        assert source.data == data


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    source = read_toml(file)
    assert source.data == {"a": 1, "b": 2}
    assert source.line_of(("b",)) == 2


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(TomlUnreadable, match=r"none\.toml: expected a file; there is none"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(TomlUnreadable, match="this is a folder"):
        read_toml(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes('a = 1\nb = "caf\xe9"\n'.encode("latin-1"))
    with pytest.raises(TomlUnreadable, match=r"latin\.toml:2: expected text in UTF-8"):
        read_toml(latin)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 2_000_001)
    with pytest.raises(TomlUnreadable, match="expected a file under 2 MB"):
        read_toml(huge)


def test_an_empty_file_is_an_empty_table(tmp_path: Path) -> None:
    file = tmp_path / "empty.toml"
    file.touch()
    source = read_toml(file)
    assert (source.data, source.mistakes) == ({}, ())
