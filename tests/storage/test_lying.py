"""In a file of SQLite: where a row lies inside its page tells nothing of when it came."""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.open import open_reader, open_writer
from storage.store import SqlStore
from tests.contract.scenes import rows
from tests.contract.test_anonymity import answer, submit, wave_of_secrets

#: Handed in in this order, which is not that of the ids.
HANDED_IN = ("ann", "m-loose"), ("bob", "c-loose"), ("cat", "x-loose"), ("dan", "a-loose")
IN_ORDER = sorted(loose_id for _, loose_id in HANDED_IN)

_LEAF, _INTERIOR = 0x0A, 0x02


def _cells(data: bytes, size: int, number: int) -> Iterator[tuple[int, int, int]]:
    """Give every cell of a tree: the number of its page, where it begins, and where it ends
    at the latest.
    """
    base = (number - 1) * size
    kind, n_cells = data[base], struct.unpack_from(">H", data, base + 3)[0]
    assert kind in (_LEAF, _INTERIOR)
    header = 8 if kind == _LEAF else 12
    starts = sorted(struct.unpack_from(f">{n_cells}H", data, base + header))
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        yield number, base + start, base + end
        if kind == _INTERIOR:
            yield from _cells(data, size, struct.unpack_from(">I", data, base + start)[0])
    if kind == _INTERIOR:
        yield from _cells(data, size, struct.unpack_from(">I", data, base + 8)[0])


def lying(path: Path, name: str) -> list[str]:
    """Give whose rows lie in a table or an index, the one that was put in first first."""
    with sqlite3.connect(path) as conn:
        [(root,)] = conn.execute("select rootpage from sqlite_master where name = ?", (name,))
    conn.close()
    data = path.read_bytes()
    size = struct.unpack_from(">H", data, 16)[0]
    cells = sorted(_cells(data, size, root), key=lambda cell: (cell[0], -cell[1]))
    found = [
        loose_id
        for _, start, end in cells
        for loose_id in IN_ORDER
        if loose_id.encode() in data[start:end]
    ]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("name", ["responses", "answers", "responses_loose", "answers_unread"])
def test_rows_of_nobody_lie_as_their_random_ids_have_it(tmp_path: Path, name: str) -> None:
    writer = open_writer(f"sqlite:///{tmp_path}/pulse.db")
    writer.submit(wave_of_secrets).result()
    for person, loose_id in HANDED_IN:

        def handed_in(store: SqlStore, person: str = person, loose_id: str = loose_id) -> None:
            submit(store, answer(store, person), loose_id)

        writer.submit(handed_in).result()
    writer.close()
    assert lying(tmp_path / "pulse.db", name) == IN_ORDER


def test_they_are_stirred_while_the_program_is_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pulse.db"
    writer = open_writer(url)
    writer.submit(wave_of_secrets).result()

    def handed_in(store: SqlStore) -> object:
        submit(store, answer(store, "ann"), "m-loose")
        return rows(store, "responses")[0]["unstirred"]

    assert writer.submit(handed_in).result() == 1
    reader = open_reader(url)
    try:
        for _ in range(600):
            [row] = rows(reader, "responses")
            if not row["unstirred"]:
                break
            time.sleep(0.05)
        assert row["unstirred"] == 0
    finally:
        reader.close()
        writer.close()
