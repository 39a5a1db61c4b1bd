"""TOML files with the line of every key, and all their mistakes at once.

What lives here: reading a file, finding every syntax error in it, and telling on which
line a key stands. What must not: what the keys mean (``config.py``, ``dialogues``).

Values come from ``tomllib``, which stops at its first error: the statement that it
complains of is taken out (its lines stay, empty) and the rest is read again, so that one
bad line hides no other. Lines come from tree-sitter.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_toml

from bot.errors import UserError

__all__ = ["KeyPath", "Mistake", "TomlSource", "TomlUnreadable", "read_toml", "read_toml_text"]

KeyPath = tuple[str | int, ...]

#: Nobody needs the fiftieth syntax error of a file.
MAX_MISTAKES = 50
MAX_BYTES = 2_000_000
#: How far the end of a broken statement is looked for by reading, in lines.
MAX_STATEMENT = 300

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())
_WHERE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)$")
_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = re.compile(rf"\s*({_KEY_PART}(?:\s*\.\s*{_KEY_PART})*)\s*=")
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY_PART}(?:\s*\.\s*{_KEY_PART})*)\s*\]?\]?\s*(?:#.*)?$")
_STARTS = re.compile(rf"{_KEY.pattern}|\s*\[\[?\s*{_KEY_PART}")

_EXPECTED = (
    (r"Invalid value", 'a value: "text" in quotes, a number, true, false, a [list] or a {table}'),
    (r"Expected '=' after a key", 'an "=" after the key'),
    (r"Invalid statement", 'key = "value", a [table] or a # comment'),
    (r"Invalid initial character for a key part", "a key of letters, digits, - and _"),
    (r"Unclosed array", 'a "," or the closing "]" of the list'),
    (r"Unclosed inline table", 'a "," or the closing "}" of the table'),
    (r"Unescaped '\\'|Invalid hex|Escaped character", r"'\\' for a backslash, or single quotes"),
    (r"Expected newline or end of document", "the end of the line after one value"),
    (r"Unterminated string|Expected \"|Illegal character '\\n'", "a closing quote"),
    (r"Illegal character", "no control character here"),
    (r"Expected '\]\]'", 'the closing "]]" of the table name'),
    (r"Expected '\]'", 'the closing "]" of the table name'),
    (r"Invalid date", "a date that exists, or text in quotes"),
    (r"Cannot|Duplicate", "this only once"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A place where a file is not TOML.

    Attributes:
        line: Counted from 1.
        key: The key on that line, as far as it can be told; else empty.
        expected: What was expected there.
    """

    line: int
    key: KeyPath
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlSource:
    """A file as it was read.

    Attributes:
        name: The file as people named it.
        data: Everything that could be read; without the statements that ``mistakes`` name.
        mistakes: Syntax errors in the order of lines.
        lines: Line of each key, and of each element of a list.
    """

    name: str
    data: dict[str, Any]
    mistakes: tuple[Mistake, ...]
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int:
        """Give the line of a key, counted from 1; of the nearest table where it has none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def is_damaged(self, path: KeyPath) -> bool:
        """Whether a syntax error took this key out, so that nothing can be said of it."""
        return any(
            mistake.key and path[: len(mistake.key)] == mistake.key for mistake in self.mistakes
        )


class TomlUnreadable(UserError):
    """The file cannot be read as text."""

    def __init__(self, file: str, line: int | None, expected: str) -> None:
        self.file = file
        self.line = line
        self.expected = expected
        super().__init__(f"{file}{'' if line is None else f':{line}'}: {expected}")


def read_toml(path: Path) -> TomlSource:
    """Read a file.

    Raises:
        TomlUnreadable: There is no such file, or it is no text; syntax errors do not raise.
    """
    name = str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TomlUnreadable(name, None, "expected a file; there is none") from None
    except IsADirectoryError:
        raise TomlUnreadable(name, None, "expected a file; this is a folder") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TomlUnreadable(name, None, f"expected a file that can be read: {why}") from None
    if len(raw) > MAX_BYTES:
        limit = f"expected a file under {MAX_BYTES // 1_000_000} MB"
        raise TomlUnreadable(name, None, limit)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TomlUnreadable(name, line, "expected text in UTF-8") from None
    return read_toml_text(text, name=str(path))


def read_toml_text(text: str, *, name: str) -> TomlSource:
    """Read TOML from a string. Never raises for what is in it."""
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    mistakes: list[Mistake] = []
    while True:
        try:
            data = tomllib.loads("\n".join(lines))
            break
        except tomllib.TOMLDecodeError as error:
            if len(mistakes) == MAX_MISTAKES:
                data = {}
                break
            mistakes.append(_take_out(lines, str(error)))
        except RecursionError:
            data = {}
            mistakes.append(Mistake(line=1, key=(), expected="fewer lists inside lists"))
            break
    return TomlSource(
        name=name,
        data=data,
        mistakes=tuple(sorted(mistakes, key=lambda mistake: mistake.line)),
        lines=_positions("\n".join(lines)),
    )


def _take_out(lines: list[str], message: str) -> Mistake:
    """Empty the lines of the statement that tomllib complains of."""
    what, at = _first_complaint(lines, message)
    start = _start_of_statement(lines, at)
    table = _table_at(lines, start)
    header = _HEADER.match(lines[start])
    expected = next((words for pattern, words in _EXPECTED if re.match(pattern, what)), what)
    key: KeyPath = ()
    if (
        header
        and expected != "this only once"
        and not lines[start].strip().endswith("]" * len(header[1]))
    ):
        lines[start] = f"{header[1]}{header[2]}{']' * len(header[1])}"
        return Mistake(line=start + 1, key=(), expected=f"expected {expected}")
    if header or lines[start].lstrip().startswith("["):
        key = _parts(header[2]) if header else ()
        end = _next_header(lines, start + 1)
    elif match := _KEY.match(lines[start]):
        key = table + _parts(match[1])
        end = _end_of_statement(lines, start, at)
    else:
        end = _end_of_statement(lines, start, at)
    if expected == "this only once" and key:
        first = _positions("\n".join(lines[:start])).get(key)
        where = f"; it is on line {first} already" if first else ""
        shown = ".".join(str(part) for part in key if isinstance(part, str))
        expected = f"{shown} only once{where}"
        key = ()
    lines[start:end] = [""] * (end - start)
    return Mistake(line=start + 1, key=key, expected=f"expected {expected}")


def _first_complaint(lines: list[str], message: str) -> tuple[str, int]:
    """Give what tomllib said and the line, counted from 0."""
    where = _WHERE.search(message)
    what = _WHERE.sub("", message)
    if where and where[1]:
        return what, min(int(where[1]), len(lines)) - 1
    last = max((number for number, line in enumerate(lines) if line.strip()), default=0)
    return what, last


def _reads(lines: list[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _start_of_statement(lines: list[str], at: int) -> int:
    """Find the last line from which on the trouble begins: what stands before it reads well."""
    tries = 0
    for number in range(at, -1, -1):
        if number != at and not _STARTS.match(lines[number]):
            continue
        tries += 1
        if _reads(lines[:number]):
            return number
        if tries == 200:
            break
    return at


def _end_of_statement(lines: list[str], start: int, at: int) -> int:
    """Find the line after a statement that does not read: the next one that begins something."""
    value = lines[start].partition("=")[2].strip()
    if at == start and not value.startswith(("[", "{", '"""', "'''")):
        return start + 1
    for number in range(start + 1, len(lines)):
        if number - start < MAX_STATEMENT and _reads(lines[start:number]):
            return number
        line = lines[number]
        if _STARTS.match(line) and (line.lstrip().startswith("[") or _reads([line])):
            return number
    return len(lines)


def _next_header(lines: list[str], start: int) -> int:
    for number in range(start, len(lines)):
        if lines[number].lstrip().startswith("["):
            return number
    return len(lines)


def _table_at(lines: list[str], start: int) -> KeyPath:
    """Give the path of the table that a line belongs to."""
    table: KeyPath = ()
    for path, _ in _walk("\n".join(lines[:start]), headers=True):
        table = path
    return table


def _parts(key: str) -> tuple[str, ...]:
    """Split a key as TOML does: ``a."b c"`` is a and b c."""
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    parts = []
    while isinstance(table, dict):
        name = next(iter(table))
        parts.append(name)
        table = table[name]
    return tuple(parts)


def _positions(text: str) -> dict[KeyPath, int]:
    found: dict[KeyPath, int] = {}
    for path, line in _walk(text):
        found.setdefault(path, line)
    return found


def _walk(text: str, *, headers: bool = False) -> Iterator[tuple[KeyPath, int]]:
    """Yield the path and line of every key, or of table headers only, in file order."""
    root = tree_sitter.Parser(_LANGUAGE).parse(text.encode()).root_node
    counts: dict[KeyPath, int] = {}
    for node in root.children:
        if node.type == "pair" and not headers:
            yield from _pair((), node)
        elif node.type in ("table", "table_array_element"):
            named = [child for child in node.children if child.is_named]
            if not named:
                continue
            base = _resolve(_parts(_text(named[0])), counts)
            line = node.start_point[0] + 1
            if node.type == "table_array_element":
                number = counts.get(base, -1) + 1
                counts[base] = number
                if not headers and number == 0:
                    yield base, line
                base = (*base, number)
            yield base, line
            if not headers:
                for child in named[1:]:
                    if child.type == "pair":
                        yield from _pair(base, child)


def _resolve(parts: tuple[str, ...], counts: Mapping[KeyPath, int]) -> KeyPath:
    """Put the number of the newest element behind every array of tables on the way."""
    path: KeyPath = ()
    for number, part in enumerate(parts, start=1):
        path = (*path, part)
        if number < len(parts) and path in counts:
            path = (*path, counts[path])
    return path


def _pair(base: KeyPath, node: tree_sitter.Node) -> Iterator[tuple[KeyPath, int]]:
    named = [child for child in node.children if child.is_named and child.type != "comment"]
    if len(named) < 2:
        return
    path = base
    for part in _parts(_text(named[0])):
        path = (*path, part)
        yield path, node.start_point[0] + 1
    yield from _value(path, named[1])


def _value(path: KeyPath, node: tree_sitter.Node) -> Iterator[tuple[KeyPath, int]]:
    if node.type == "inline_table":
        for child in node.children:
            if child.type == "pair":
                yield from _pair(path, child)
    elif node.type == "array":
        items = [child for child in node.children if child.is_named and child.type != "comment"]
        for number, child in enumerate(items):
            yield (*path, number), child.start_point[0] + 1
            yield from _value((*path, number), child)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()
