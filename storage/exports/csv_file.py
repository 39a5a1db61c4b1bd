"""A table as CSV: UTF-8, RFC 4180, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from storage.exports.columns import Cell, Column, ColumnKind

__all__ = ["guard", "write_csv"]

#: Cells that a spreadsheet may run as a formula. An apostrophe before one belongs to it, so
#: that taking the guard off again gives exactly what was there.
_RUNS = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_FIRST = frozenset("'=+-@\t\r\n＝＋－＠")
_PLAIN_NUMBER = re.compile(r"-\d+(\.\d+)?")


def guard(cell: str) -> str:
    """Put ``'`` before a cell that a spreadsheet would run; give any other as it is."""
    return f"'{cell}" if _RUNS.match(cell) else cell


class _WithoutNul:
    """Takes lines to a file, U+FFFD for U+0000."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.replace("\0", "\ufffd") if "\0" in line else line)


def write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table, one row at a time, and give how many rows it has.

    Words are guarded (``guard``); numbers stay numbers, negative ones too. Line breaks
    within a cell are kept. U+0000, which most readers stop at, becomes U+FFFD.
    """
    n_rows = 0

    def counted() -> Iterator[Sequence[Cell]]:
        nonlocal n_rows
        for row in _guarded(columns, rows):
            n_rows += 1
            yield row

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(_WithoutNul(file), lineterminator="\r\n")
        writer.writerow(column.name for column in columns)
        writer.writerows(counted())
    return n_rows


def _guarded(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[list[Cell]]:
    words = [at for at, column in enumerate(columns) if column.kind is ColumnKind.TEXT]
    values = [at for at, column in enumerate(columns) if column.kind is ColumnKind.VALUE]
    for row in rows:
        cells = list(row)
        for at in words:
            cell = cells[at]
            if cell and isinstance(cell, str) and cell[0] in _FIRST:
                cells[at] = guard(cell)
        for at in values:
            cell = cells[at]
            if cell and isinstance(cell, str) and cell[0] in _FIRST:
                cells[at] = cell if _PLAIN_NUMBER.fullmatch(cell) else guard(cell)
        yield cells
