"""What a table holds, as one short number that is the same on every engine.

What lives here: a row as a line of text, and the sum over the lines of a table. What must
not: where rows come from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import Any

__all__ = ["Digest", "line_reader", "line_writer"]

_BITS = 128
_MASK = (1 << _BITS) - 1

#: How each kind of value is written. Row by row this is twice as quick as an encoder that
#: has to look at everything anew.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: int.__repr__,
    type(None): lambda _: "null",
}


class Digest:
    """Counts lines and sums their hashes: the order in which they come does not matter.

    It tells damage from none, and two different tables apart. It is no signature: somebody
    who wants to deceive can write a digest too.

    Attributes:
        rows: How many lines there were.
    """

    __slots__ = ("_sum", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, line: bytes) -> None:
        """Take in a row.

        Args:
            line: As ``line_writer`` writes it, without the line's end.
        """
        self.rows += 1
        self._sum += int.from_bytes(hashlib.blake2b(line, digest_size=_BITS // 8).digest())

    @property
    def hex(self) -> str:
        """The sum, as 32 digits."""
        return f"{self._sum & _MASK:032x}"


def line_writer(columns: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
    """Give what writes a row of a table as one line of JSON.

    Args:
        columns: Names of the columns, in the order of the row's values. The line has them in
            the order of their names, whatever order an engine gives them.

    Returns:
        A function from values (whole numbers, floats, text, bytes, None) to the line.
    """
    order = sorted(range(len(columns)), key=columns.__getitem__)
    keys = (json.dumps(columns[place]).replace("%", "%%") for place in order)
    line = f"{{{','.join(f'{key}:%s' for key in keys)}}}"
    sorted_already = order == list(range(len(columns)))

    def write(values: Sequence[Any]) -> bytes:
        if not sorted_already:
            values = [values[place] for place in order]
        written = [_WRITERS.get(value.__class__, _special)(value) for value in values]
        return (line % tuple(written)).encode()

    return write


def line_reader(columns: Sequence[str]) -> Callable[[bytes], list[Any]]:
    """Give what reads a line back into the values of a row, in the order of ``columns``.

    The function raises ValueError where a line is not what ``line_writer`` writes for these
    columns.
    """
    known = set(columns)

    def read(line: bytes) -> list[Any]:
        row = json.loads(line)
        if not isinstance(row, dict) or row.keys() != known:
            raise ValueError("not a row of these columns")
        return [
            _back(value) if isinstance(value, dict) else value
            for value in map(row.__getitem__, columns)
        ]

    return read


def _special(value: Any) -> str:
    """Write a fraction, and what JSON has no word for.

    No engine keeps the sign of a zero for sure.
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return repr(value or 0.0)
        return json.dumps({"float": repr(value)}, separators=(",", ":"))
    if isinstance(value, bytes | bytearray | memoryview):
        text = base64.b64encode(value).decode("ascii")
        return json.dumps({"bytes": text}, separators=(",", ":"))
    raise TypeError(f"a {type(value).__name__} is not kept in any table")


def _back(value: dict[str, Any]) -> Any:
    match value:
        case {"float": str(text)} if len(value) == 1:
            return float(text)
        case {"bytes": str(text)} if len(value) == 1:
            return base64.b64decode(text, validate=True)
        case _:
            raise ValueError("not a value of a row")
