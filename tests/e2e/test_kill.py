"""The kill tests in short; in full they are `tests/soak/test_kill.py`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.cutting import Line
from tests.postgres import Server
from tests.soak.killing import Tally, hold
from tests.soak.troubles import (
    Cut,
    FullDisk,
    Kill,
    LittleDisk,
    LittleFiles,
    Restart,
    may_mount,
)

#: Quick people, on platforms that take everything.
BRISK = {"people": 10, "seed": 7, "patience": 1.5, "limits": False}


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may stop."""
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")))
    yield server
    server.remove()


@pytest.fixture
def line(own_server: Server) -> Iterator[Line]:
    line = Line(own_server.folder)
    yield line
    line.close()


def whole(tally: Tally) -> None:
    print(tally)
    assert tally.complete == tally.people
    assert tally.acknowledged > 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("hooks", [False, True], ids=["asking", "hooks"])
async def test_nobody_loses_an_answer_while_the_process_is_killed(
    tmp_path: Path, hooks: bool
) -> None:
    whole(await hold(
        tmp_path / "house", [Kill()] * 3, hooks=hooks, between=(0.3, 1.0), think=(0.05, 0.6),
        **BRISK,
    ))  # fmt: skip


@pytest.mark.timeout(600)
async def test_nobody_loses_an_answer_while_workers_postgres_and_the_line_to_it_break(
    tmp_path: Path, own_server: Server, line: Line
) -> None:
    own_server.database("pulse")
    kill, restart, cut = Kill(), Restart(own_server), Cut(line)
    whole(await hold(
        tmp_path / "house", [kill, cut, restart, cut, kill, cut, restart],
        storage=line.url("pulse"), workers=3, between=(0.2, 0.8), think=(0.1, 0.9), **BRISK,
    ))  # fmt: skip


@pytest.mark.timeout(600)
async def test_nobody_loses_an_answer_while_the_disk_is_full(tmp_path: Path) -> None:
    with ExitStack() as stack:
        folder = tmp_path / "disk"
        disk: LittleDisk | LittleFiles = LittleFiles()
        if may_mount(tmp_path / "try"):
            disk = stack.enter_context(LittleDisk.mounted(folder))
        else:
            folder.mkdir()
        troubles = [FullDisk(disk), Kill(), FullDisk(disk, kills=True)]
        whole(await hold(
            tmp_path / "house", troubles, storage=f"sqlite:///{folder}/pulse.db",
            between=(0.3, 1.0), think=(0.05, 0.6), **BRISK,
        ))  # fmt: skip
