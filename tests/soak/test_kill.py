"""The kill tests in full: `make soak`, or `pytest -m soak tests/soak/test_kill.py -s`."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
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
    Trouble,
    may_mount,
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1700)]

#: On a server that is as careful as a real one, for it is to crash.
CAREFUL = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may stop."""
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")), settings=CAREFUL)
    yield server
    server.remove()


@pytest.fixture
def line(own_server: Server) -> Iterator[Line]:
    line = Line(own_server.folder)
    yield line
    line.close()


def shuffled(seed: int, troubles: Sequence[Trouble]) -> list[Trouble]:
    return random.Random(seed).sample(troubles, len(troubles))


def whole(tally: Tally, seed: int) -> None:
    print(f"\nkill test, seed {seed}: {tally}")
    assert tally.complete == tally.people
    assert tally.acknowledged > tally.answers / 10


@pytest.mark.parametrize(
    ("seed", "lost_replies", "hooks"), [(1, 0.0, False), (2, 0.05, False), (3, 0.05, True)]
)
async def test_fifty_people_lose_nothing_while_the_process_is_killed(
    tmp_path: Path, seed: int, lost_replies: float, hooks: bool
) -> None:
    whole(await hold(
        tmp_path / "house", [Kill()] * 24, people=50, invite=200, seed=seed, between=(0.5, 4.0),
        think=(1.0, 8.0), lost_replies=lost_replies, hooks=hooks,
    ), seed)  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "lost_replies", "hooks"), [(4, 0.0, False), (5, 0.05, False), (6, 0.05, True)]
)
async def test_fifty_people_lose_nothing_while_workers_postgres_and_the_line_to_it_break(
    tmp_path: Path, own_server: Server, line: Line, seed: int, lost_replies: float, hooks: bool
) -> None:
    own_server.database("pulse")
    kill, restart, cut = Kill(), Restart(own_server), Cut(line)
    whole(await hold(
        tmp_path / "house", shuffled(seed, [kill] * 10 + [restart] * 8 + [cut] * 15),
        storage=line.url("pulse"), workers=3, people=50, invite=200, seed=seed,
        between=(0.2, 3.0), think=(1.0, 8.0), lost_replies=lost_replies, hooks=hooks,
    ), seed)  # fmt: skip


@pytest.mark.parametrize(("seed", "hooks"), [(7, False), (8, True)])
@pytest.mark.parametrize("kind", ["disk", "files"])
async def test_fifty_people_lose_nothing_while_the_disk_is_full(
    tmp_path: Path, kind: str, seed: int, hooks: bool
) -> None:
    folder = tmp_path / "disk"
    with ExitStack() as stack:
        disk: LittleDisk | LittleFiles = LittleFiles()
        if kind == "disk":
            if not may_mount(tmp_path / "try"):
                pytest.skip("no file system can be mounted here")
            disk = stack.enter_context(LittleDisk.mounted(folder))
        else:
            folder.mkdir()
        full, killed = FullDisk(disk), FullDisk(disk, kills=True)
        whole(await hold(
            tmp_path / "house", shuffled(seed, [full] * 10 + [killed] * 6 + [Kill()] * 4),
            storage=f"sqlite:///{folder}/pulse.db", people=50, invite=200, seed=seed,
            between=(0.5, 4.0), think=(1.0, 8.0), hooks=hooks,
        ), seed)  # fmt: skip
