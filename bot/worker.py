"""This program among the others that share a database: who is up, and who leads in what.

What lives here: saying again and again that we are up, noticing that others are not any more,
and holding the lead in what only one may do. On SQLite, which a file's locks keep for one
program a role (``bot.sole``), nobody else is there and nothing is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import methodcaller

from bot.processes import is_gone, this_machine, this_process
from dialogues.errors import StoreError
from storage.protocol import Store, WorkerSeen
from storage.writer import Writer

__all__ = ["DOUBTFUL", "Alone", "Worker"]

log = logging.getLogger(__name__)

#: Seconds between two signs of life.
_BEAT = 2.0

#: Seconds after the last sign of life for which we can be sure that nobody thinks us dead.
_SURE = 6.0

#: How long a lead holds without a sign of life: longer than we are sure of it.
_LEAD = timedelta(seconds=8)

#: How long a worker may be silent before it is taken for dead.
_DEAD = timedelta(seconds=15)

#: A process of this machine that is gone is believed to be so after this long: others may see
#: it before its last messages have been counted by their platform.
_GONE = timedelta(seconds=2)


#: How long a message that may have arrived waits until it is sent again. What people have
#: answered to it waits at the platforms and reaches us first: then they are not asked twice.
DOUBTFUL = timedelta(seconds=3)


class Alone:
    """A program that shares its database with nobody.

    Attributes:
        worker_id: Under which it claims messages.
        alone: True.
    """

    worker_id = ""
    alone = True

    def sure(self) -> bool:
        """Whether what we hold is ours: nobody takes us for dead."""
        return True

    def leads(self, name: str) -> bool:
        """Whether we lead in something. From the first time that it is asked we want to."""
        return True

    async def until(self, name: str, *, leads: bool) -> None:
        """Wait until we lead in something, or do not any more."""
        if not leads:
            await asyncio.get_running_loop().create_future()

    def place(self, role: str) -> tuple[int, int]:
        """Give our place among those who have a role, from 0, and how many they are."""
        return 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beat:
    """What a sign of life came to.

    Attributes:
        leads: What we lead in.
        alive: Everybody who is up, by worker_id.
        in_doubt: Messages of dead workers that may have arrived, by channel.
    """

    leads: frozenset[str]
    alive: tuple[WorkerSeen, ...]
    in_doubt: Mapping[str, int]


class Worker(Alone):
    """A program that may share its database with others.

    Args:
        writer: Runs what the store is asked.
        worker_id: New for every program.
        roles: What this one does.
        now: Gives aware UTC.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        worker_id: str,
        roles: Collection[str],
        now: Callable[[], datetime],
    ) -> None:
        self.worker_id = worker_id
        self._writer = writer
        self._roles = frozenset(roles)
        self._now = now
        self._machine = this_machine()
        self._process = this_process()
        self._wanted: set[str] = set()
        self._leads: frozenset[str] = frozenset()
        self._alive: tuple[WorkerSeen, ...] = ()
        self._beat_at = -_SURE
        self._in_trouble = False
        self._again = asyncio.Event()
        self._changed = asyncio.Event()
        self._stopping = False
        #: Held while the store is told how we are.
        self._telling = asyncio.Lock()

    async def start(self) -> None:
        """Find out whether others may be there, and say that we are.

        Raises:
            StoreError: The store could not be written.
        """
        self.alone = not await self._writer.run(methodcaller("is_shared"))
        if not self.alone:
            await self._beat()

    async def run(self) -> None:
        """Go on until ``stop`` is called."""
        while not self._stopping and not self.alone:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT):
                    await self._again.wait()
            self._again.clear()
            if self._stopping:
                return
            try:
                await self._beat()
                self._in_trouble = False
            except StoreError as trouble:
                if not self._in_trouble:
                    self._in_trouble = True
                    log.warning("The other workers cannot be told that we are up: %s", trouble)
            # Who lost the lead without hearing of it has to look by itself.
            self._tell()

    async def stop(self) -> None:
        """Let go of all that we hold, so that others take over at once."""
        self._stopping = True
        self._again.set()
        if self.alone:
            return
        # A sign of life that is on its way would bring us back.
        async with self._telling:
            self._leads = frozenset()
            self._tell()
            with contextlib.suppress(StoreError):
                await self._writer.run(self._leave)

    def look(self) -> None:
        """Give a sign of life now: somebody has let go of something."""
        self._again.set()

    def sure(self) -> bool:
        """Whether what we hold is ours: nobody takes us for dead."""
        return self.alone or _monotonic() - self._beat_at < _SURE

    def leads(self, name: str) -> bool:
        """Whether we lead in something. From the first time that it is asked we want to."""
        if self.alone:
            return True
        if name not in self._wanted:
            self._wanted.add(name)
            self._again.set()
        return name in self._leads and self.sure()

    async def until(self, name: str, *, leads: bool) -> None:
        """Wait until we lead in something, or do not any more."""
        while self.leads(name) is not leads:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                # That we cannot be sure any more nobody tells.
                async with asyncio.timeout(_BEAT):
                    await self._changed.wait()

    def able(self, role: str, able: bool) -> None:
        """Say whether we can do what a role is about; where we cannot, others do it."""
        if able is not (role in self._roles):
            self._roles = self._roles | {role} if able else self._roles - {role}
            self._again.set()

    def place(self, role: str) -> tuple[int, int]:
        """Give our place among those who have a role, from 0, and how many they are."""
        ids = {one.worker_id for one in self._alive if role in one.roles} | {self.worker_id}
        return sorted(ids).index(self.worker_id), len(ids)

    async def _beat(self) -> None:
        async with self._telling:
            if not self._stopping:
                await self._beat_now()

    async def _beat_now(self) -> None:
        began = _monotonic()
        beat = await self._writer.run(self._say_up)
        self._beat_at = began
        self._leads = beat.leads
        self._alive = beat.alive
        for channel, count in sorted(beat.in_doubt.items()):
            log.warning("%d messages on %s were in doubt and are sent again", count, channel)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()

    def _say_up(self, store: Store) -> _Beat:
        """Say that we are up, bury the dead, and take the leads that are free."""
        now = store.clock(self._now())
        store.beat(
            self.worker_id,
            roles=self._roles,
            machine=self._machine,
            process=self._process,
            now=now,
        )
        alive: list[WorkerSeen] = []
        in_doubt: Counter[str] = Counter()
        for other in store.workers():
            if other.worker_id == self.worker_id or not _is_dead(other, now):
                alive.append(other)
            else:
                doubts = store.dismiss(other.worker_id, seen_at=other.seen_at, now=now)
                store.notify("workers")
                in_doubt.update(doubts or {})
        for channel in in_doubt:
            store.put_off_doubtful(channel, until=now + DOUBTFUL)
        until = now + _LEAD
        leads = {
            name
            for name in sorted(self._wanted)
            if store.lead(name, self.worker_id, now=now, until=until)
        }
        return _Beat(leads=frozenset(leads), alive=tuple(alive), in_doubt=in_doubt)

    def _leave(self, store: Store) -> None:
        now = store.clock(self._now())
        store.dismiss(self.worker_id, seen_at=now, now=now)
        store.notify("workers")


def _is_dead(other: WorkerSeen, now: datetime) -> bool:
    silent = now - other.seen_at
    return silent > _DEAD or (silent >= _GONE and is_gone(other.machine, other.process))


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
