"""A table as JSON lines: UTF-8, one object a row, verbatim."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from storage.exports.columns import Cell, Column

__all__ = ["write_jsonl"]

#: Line ends to some readers, although not to JSON; escaped, so that a row is one line to all.
_LINE_ENDS = (("\x85", "\\u0085"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"))


def write_jsonl(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table, one row at a time, and give how many rows it has.

    Every object has every key, in column order; an empty cell is null.
    """
    names = [column.name for column in columns]
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    n_rows = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = encode(dict(zip(names, row, strict=True)))
            if not line.isascii():
                for end, escaped in _LINE_ENDS:
                    line = line.replace(end, escaped)
            file.write(line)
            file.write("\n")
            n_rows += 1
    return n_rows
