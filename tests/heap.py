"""What really lies in the files of a PostgreSQL table: every row, the dead ones too."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.postgres import Server

__all__ = ["Lying", "lying"]

_PAGE = 8192
_HEADER = 24

#: States of a line pointer.
_UNUSED, _NORMAL, _REDIRECT, _DEAD = range(4)


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies in a table's file.

    Attributes:
        rows: The bytes of each row that has any, in the order of the file.
        n_dead: Places of rows that are gone and whose place is not free yet.
    """

    rows: tuple[bytes, ...]
    n_dead: int

    def holds(self, words: str) -> bool:
        """Whether any row has these words."""
        return any(words.encode() in row for row in self.rows)


def lying(server: Server, database: str, table: str) -> Lying:
    """Read a table's file, past the server."""
    server.execute("checkpoint", database)
    [(path,)] = server.execute(f"select pg_relation_filepath('{table}')", database)
    data = (server.data / path).read_bytes()
    rows: list[bytes] = []
    n_dead = 0
    for start in range(0, len(data), _PAGE):
        page = data[start : start + _PAGE]
        [lower] = struct.unpack_from("<H", page, 12)
        for at in range(_HEADER, lower, 4):
            [pointer] = struct.unpack_from("<I", page, at)
            offset, state, length = pointer & 0x7FFF, pointer >> 15 & 3, pointer >> 17
            if state == _NORMAL:
                rows.append(page[offset : offset + length])
            elif state in (_REDIRECT, _DEAD):
                n_dead += 1
    return Lying(rows=tuple(rows), n_dead=n_dead)
