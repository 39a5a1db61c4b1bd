"""What is done to the programs and their database while people answer.

Each trouble has a ``name``, of which the tally gives the count, and strikes when it is told to.
When ``strike`` returns, everything that it took away is there again.
"""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.e2e.house import House, Running
from tests.fakes.cutting import COMMIT, Line
from tests.postgres import Server

__all__ = [
    "Cut",
    "FullDisk",
    "Kill",
    "LittleDisk",
    "LittleFiles",
    "Restart",
    "Trouble",
    "Workers",
    "may_mount",
]


#: What a program says when it reads every platform, and when the disk is full.
_READS = "Reading slack"
_FULL = "disk is full"

#: Whoever is silent for longer may be taken for dead; much less than it takes (15 s).
_SILENT_SECONDS = 5.0

#: What it may say at its end where it could not begin.
_NO_DATABASE = (_FULL, "cannot be reached", "may not be written")


@dataclass(slots=True, kw_only=True)
class Workers:
    """The programs that are up, each of which is started anew when it was killed.

    Attributes:
        house: Theirs.
        chance: Of everything that happens to them.
        ports: Where each listens, behind a balancer; 0 where there is none.
        idle: Whether nobody does anything any more.
        up: The newest of each place.
        n_lost: How many were killed, or silent for so long that others may think so.
    """

    house: House
    chance: random.Random
    ports: list[int]
    idle: Callable[[], bool] = lambda: False
    up: list[Running] = field(default_factory=list)
    n_lost: int = 0

    async def start(self, place: int, *, ready: bool = False) -> Running:
        """Start the one of a place."""
        running = await self.house.run(ready=ready, port=self.ports[place])
        self.up[place : place + 1] = [running]
        return running

    async def kill_one(self) -> int:
        """Kill one of them; give its place."""
        self.n_lost += 1
        place = self.chance.randrange(len(self.up))
        await self.up[place].kill()
        return place

    async def until_reading(self, seconds: float = 120.0) -> None:
        """Wait until all of them are up. Whoever found no database when it began has ended and
        said why; it is started anew, as whatever watches over it would.
        """
        async with asyncio.timeout(seconds):
            for place in range(len(self.up)):
                while _READS not in self.up[place].said:
                    running = self.up[place]
                    if running.process.returncode is not None:
                        assert running.process.returncode == 1, running.said
                        assert any(why in running.said for why in _NO_DATABASE), running.said
                        assert "Traceback" not in running.said, running.said
                        await self.start(place)
                    await asyncio.sleep(0.02)


class Trouble(Protocol):
    """Something that goes wrong."""

    @property
    def name(self) -> str:
        """In the plural, as the tally counts it."""
        ...

    async def strike(self, workers: Workers) -> None:
        """Let it happen, and be over."""
        ...


class Kill:
    """A program is killed with SIGKILL and started anew."""

    name = "kills"

    async def strike(self, workers: Workers) -> None:
        """Let it happen, and be over."""
        await workers.start(await workers.kill_one())


class Restart:
    """The server is stopped, in order or as by a crash, and comes back a moment later."""

    name = "restarts"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ways = [signal.SIGQUIT, signal.SIGINT]

    async def strike(self, workers: Workers) -> None:
        """Let it happen, and be over: each way in turn."""
        how = self._ways[0]
        self._ways.reverse()
        began = time.monotonic()
        await asyncio.to_thread(self._server.stop, how)
        await asyncio.sleep(workers.chance.uniform(0.0, 1.5))
        await asyncio.to_thread(self._server.start)
        if time.monotonic() - began > _SILENT_SECONDS:
            workers.n_lost += len(workers.up)


class Cut:
    """The connections to the server are cut: one at a commit, whose answer is lost or which is
    never heard, or all of them at once.
    """

    name = "cuts"

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ways = 0

    async def strike(self, workers: Workers) -> None:
        """Let it happen, and be over: each way in turn."""
        self._ways += 1
        before = self._line.n_cut
        if self._ways % 3 == 0:
            self._line.cut_all()
            return
        self._line.cut_at(COMMIT, after=self._ways % 3 == 1)
        async with asyncio.timeout(60):
            while self._line.n_cut == before:
                await asyncio.sleep(0.01)


class Disk(Protocol):
    """A disk that can be full."""

    def fill(self, running: Running) -> None:
        """Leave no room on it."""
        ...

    def free(self, running: Running) -> None:
        """Let there be room again."""
        ...


class FullDisk:
    """The disk is full until the program has said so, and a while longer.

    Args:
        disk: That of the database.
        kills: Whether the program is killed and started meanwhile, too.
    """

    def __init__(self, disk: Disk, *, kills: bool = False) -> None:
        self.name = "kills on a full disk" if kills else "full disks"
        self._disk = disk
        self._kills = kills

    async def strike(self, workers: Workers) -> None:
        """Let it happen, and be over."""
        if workers.up[0].process.returncode is not None:
            await workers.until_reading()
        (running,) = workers.up
        before = running.said.count(_FULL)
        _empty_log(workers.house.storage.removeprefix("sqlite:///"))
        self._disk.fill(running)
        try:
            until = time.monotonic() + 120
            # One that was still starting says so too, and ends.
            while running.said.count(_FULL) == before and not workers.idle():
                assert time.monotonic() < until, f"the disk is full, and not said:\n{running.said}"
                await asyncio.sleep(0.02)
            await asyncio.sleep(workers.chance.uniform(0.0, 1.0))
            if self._kills:
                running = await workers.start(await workers.kill_one())
                self._disk.fill(running)
                await asyncio.sleep(workers.chance.uniform(0.0, 2.0))
        finally:
            self._disk.free(running)


def _empty_log(database: str) -> None:
    """Carry the log over into the database: else there is room in it that is taken already."""
    with closing(sqlite3.connect(database, timeout=10.0)) as connection:
        for _ in range(100):
            if connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0:
                break


class LittleDisk:
    """A file system of its own, of some megabytes, which something else fills up.

    Args:
        folder: Where it is mounted; see ``mounted``.
    """

    def __init__(self, folder: Path) -> None:
        self._else = folder / "something-else"

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path, *, megabytes: int = 64) -> Iterator[LittleDisk]:
        """Mount one, and take it away again."""
        folder.mkdir()
        _mount(folder, megabytes)
        try:
            yield cls(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    def fill(self, _running: Running) -> None:
        """Leave no room on it."""
        with self._else.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self, _running: Running) -> None:
        """Let there be room again."""
        self._else.unlink()


class LittleFiles:
    """The program may not make any file longer than its log, as on a full disk: for where
    nothing can be mounted.
    """

    def fill(self, running: Running) -> None:
        """Leave no room on it."""
        most = max(16_384, running.log.stat().st_size + 8_192)
        self._limit(running, most)

    def free(self, running: Running) -> None:
        """Let there be room again."""
        self._limit(running, resource.RLIM_INFINITY)

    def _limit(self, running: Running, most: int) -> None:
        if running.process.returncode is None:
            pid = running.process.pid
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))


def may_mount(folder: Path) -> bool:
    """Whether we may mount a file system; that takes root, and not even root may everywhere."""
    if shutil.which("mount") is None:
        return False
    folder.mkdir()
    try:
        _mount(folder, 1)
    except subprocess.CalledProcessError:
        return False
    subprocess.run(["umount", folder], check=True)
    return True


def _mount(folder: Path, megabytes: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "commonpulse-tests", folder]
    subprocess.run(command, check=True, capture_output=True)
