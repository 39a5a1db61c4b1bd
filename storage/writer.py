"""Who writes: one thread on SQLite, several on PostgreSQL; jobs go in, results come back.

A job is a function of the store and of nothing else: where it meets another transaction it is
run again. What lives here: whose turn a job is. What must not: how a group of them shares a
commit (``hands.py``).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from dialogues.errors import StoreError
from storage.hands import Bounds, Hand
from storage.store import SqlStore
from storage.tasks import Task
from storage.tidier import Tidier

__all__ = ["Bounds", "Telling", "Writer"]

_T = TypeVar("_T")


class Telling(Protocol):
    """Tells other programs of topics, and hears of theirs."""

    def tell(self, topics: frozenset[str]) -> None:
        """Tell every other program, soon."""
        ...

    def listen(self, hear: Callable[[str], None]) -> None:
        """Hear of topics from now on."""
        ...

    def close(self) -> None:
        """Tell what is still to be told, and end."""
        ...


class Writer:
    """Runs jobs on the store, in threads of its own.

    Args:
        open_store: Opens a store; called once in each thread.
        hands: How many threads; more than one only where the engine lets several write.
        bounds: Of the jobs that share a commit.
        at_end: Called when all threads have ended.
        topics: Tells other programs what commits have left word of; None where there is
            nobody to hear it.
        tidier: Tidies up what was erased; None where the thread that writes does.

    Raises:
        StoreError: The store cannot be opened.
    """

    def __init__(
        self,
        open_store: Callable[[], SqlStore],
        *,
        hands: int = 1,
        bounds: Bounds | None = None,
        at_end: Callable[[], None] | None = None,
        topics: Telling | None = None,
        tidier: Tidier | None = None,
    ) -> None:
        #: Told, in a writer's thread, of each group: seconds, jobs, and whether it was kept.
        self.on_group: Callable[[float, int, bool], None] = _unheard
        self._at_end = at_end
        self._topics = topics
        self._tidier = tidier
        self._lock = threading.Lock()
        self._closed = False
        self._hands: list[Hand] = []
        self.bounds = bounds or Bounds()
        try:
            for number in range(hands):
                name = f"store-writer-{number + 1}" if hands > 1 else "store-writer"
                hand = Hand(
                    open_store,
                    bounds=self.bounds,
                    name=name,
                    heard=self._hear,
                    tidy=None if tidier is None else tidier.due,
                )
                self._hands.append(hand)
            for hand in self._hands:
                hand.opened()
        except BaseException:
            self.close()
            raise

    def submit(self, job: Callable[[SqlStore], _T], *, key: str | None = None) -> Future[_T]:
        """Queue a job; the future has its result once it is committed.

        Args:
            job: What to do; it may be run again.
            key: Whose it is. Jobs of one key run in the order in which they were submitted,
                and nobody else, in any program, does anything under this key meanwhile.
                Without one the order is kept only where there is one thread.

        Raises:
            StoreError: The writer is closed.
        """
        future: Future[_T] = Future()
        self._put(Task(job=job, future=future, key=key))
        return future

    def run(
        self, job: Callable[[SqlStore], _T], *, key: str | None = None, last: bool = False
    ) -> asyncio.Future[_T]:
        """Queue a job from a running event loop, and give something to await.

        As ``submit``, but a loop is woken once for a whole group, not once for each job.

        Args:
            job: What to do; it may be run again.
            key: As in ``submit``.
            last: At the end of its group, after the jobs that come meanwhile: what they leave
                behind can be taken up within the same commit.

        Raises:
            StoreError: The writer is closed.
        """
        waiter: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._put(Task(job=job, waiter=waiter, key=key, last=last))
        return waiter

    def listen(self, hear: Callable[[str], None]) -> None:
        """Hear of what other programs' commits have left word of (``Store.notify``).

        Args:
            hear: Called with a topic in a thread of ours, or with an empty one where words may
                have got lost. It must be quick and must not raise. Never called on SQLite.
        """
        if self._topics is not None:
            self._topics.listen(hear)

    def tidy(self) -> None:
        """Tidy up soon what was erased, also by an earlier run that did not come to it."""
        if self._tidier is not None:
            self._tidier.due()
        else:
            self.submit(_scrub_soon)

    def close(self) -> None:
        """Finish what is queued, close the store and end the threads. Safe to repeat."""
        with self._lock:
            first = not self._closed
            self._closed = True
            for hand in self._hands if first else ():
                hand.put(None)
        for hand in self._hands:
            hand.join()
        if first and self._tidier is not None:
            self._tidier.close()
        if first and self._topics is not None:
            self._topics.close()
        if first and self._at_end is not None:
            self._at_end()

    def _put(self, task: Task) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("The store is closed.")
            if task.key is None:
                hand = min(self._hands, key=Hand.waiting)
            else:
                hand = self._hands[hash(task.key) % len(self._hands)]
            hand.put(task)

    def _hear(self, *, seconds: float, n_jobs: int, kept: bool, topics: frozenset[str]) -> None:
        self.on_group(seconds, n_jobs, kept)
        if topics and self._topics is not None:
            self._topics.tell(topics)


def _scrub_soon(store: SqlStore) -> None:
    store.stir_due = store.scrub_due = True


def _unheard(_seconds: float, _n_jobs: int, _kept: bool) -> None:
    """Care for no group."""
