"""The one thread that writes: it owns the store, and many jobs share a commit.

A job is a function of the store. All jobs that are waiting run in one transaction, each in
a part of its own, so that one which fails takes nothing from the others. Their results are
given out only after the commit is on the disk: who has a result can say "kept".
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from dialogues.errors import StoreError
from storage.store import SqlStore

__all__ = ["Writer"]

_T = TypeVar("_T")

#: A group ends with this many jobs, or after this long, whichever comes first.
MAX_JOBS = 256
MAX_SECONDS = 0.02

#: How long erased words may stay in the database's log while there is always work to do.
SCRUB_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class _Task:
    """A job on its way: its result goes to a thread (``future``) or to a loop (``waiter``)."""

    job: Callable[[SqlStore], Any]
    future: Future[Any] | None = None
    waiter: asyncio.Future[Any] | None = None
    last: bool = False
    result: Any = None
    trouble: BaseException | None = None

    def wanted(self) -> bool:
        """Whether nobody called it off before it began."""
        if self.future is not None:
            return self.future.set_running_or_notify_cancel()
        return self.waiter is not None and not self.waiter.cancelled()

    def deliver(self) -> None:
        """Hand out the result, in the thread where it is waited for."""
        target = self.future if self.future is not None else self.waiter
        if target is None or target.done():
            return
        if self.trouble is not None:
            target.set_exception(self.trouble)
        else:
            target.set_result(self.result)


class Writer:
    """Runs jobs on the store, one group after another, in a thread of its own.

    Args:
        open_store: Opens the store; called once, in the writer's thread.
        max_jobs: How many jobs share a commit at most.
        max_seconds: How long a group takes in further jobs.

    Raises:
        StoreError: The store cannot be opened.
    """

    def __init__(
        self,
        open_store: Callable[[], SqlStore],
        *,
        max_jobs: int = MAX_JOBS,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        #: Told, in the writer's thread, of each group: seconds, jobs, and whether it was kept.
        self.on_group: Callable[[float, int, bool], None] = _unheard
        self._max_jobs = max_jobs
        self._max_seconds = max_seconds
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._ending = False
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._main, args=(open_store, opened), name="store-writer"
        )
        self._thread.start()
        try:
            opened.result()
        except BaseException:
            self._thread.join()
            raise

    def submit(self, job: Callable[[SqlStore], _T]) -> Future[_T]:
        """Queue a job; the future has its result once it is committed.

        Jobs run in the order in which they were submitted.

        Raises:
            StoreError: The writer is closed.
        """
        future: Future[_T] = Future()
        self._put(_Task(job=job, future=future))
        return future

    def run(self, job: Callable[[SqlStore], _T], *, last: bool = False) -> asyncio.Future[_T]:
        """Queue a job from a running event loop, and give something to await.

        As ``submit``, but a loop is woken once for a whole group, not once for each job.

        Args:
            job: What to do.
            last: At the end of its group, after the jobs that come meanwhile: what they leave
                behind can be taken up within the same commit.

        Raises:
            StoreError: The writer is closed.
        """
        waiter: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._put(_Task(job=job, waiter=waiter, last=last))
        return waiter

    def close(self) -> None:
        """Finish what is queued, close the store and end the thread. Safe to repeat."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, task: _Task) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("The store is closed.")
            self._queue.put(task)

    # In the writer's thread -----------------------------------------------------------

    def _main(self, open_store: Callable[[], SqlStore], opened: Future[None]) -> None:
        try:
            store = open_store()
        except BaseException as trouble:
            opened.set_exception(trouble)
            return
        opened.set_result(None)
        try:
            self._work(store)
        finally:
            store.close()

    def _work(self, store: SqlStore) -> None:
        scrubbed_at = time.monotonic()
        while not self._ending:
            try:
                # With erased words in the log, idle moments are for scrubbing.
                first = self._queue.get(timeout=SCRUB_SECONDS if store.scrub_due else None)
            except Empty:
                _scrub(store)
                continue
            if first is None:
                break
            self._group(store, first)
            now = time.monotonic()
            if store.scrub_due and (self._queue.empty() or now - scrubbed_at > SCRUB_SECONDS):
                _scrub(store)
                scrubbed_at = now
        _scrub(store)

    def _group(self, store: SqlStore, first: _Task) -> None:
        """Run a group of jobs in one transaction, then hand out what came of them."""
        began, kept = time.monotonic(), True
        begun: list[_Task] = []
        at_the_end: list[_Task] = []
        try:
            with store.transaction():
                for task in self._coming(first):
                    if not task.wanted():
                        continue
                    begun.append(task)
                    if task.last:
                        at_the_end.append(task)
                    else:
                        _run(store, task)
                for task in at_the_end:
                    _run(store, task)
        except BaseException as trouble:
            kept = False
            # Nothing of the group was kept. Had it not even begun, whoever waits by now has
            # waited as long as one should.
            waiting = [] if begun else [first, *self._taken()]
            begun += [task for task in waiting if task.wanted()]
            for task in begun:
                task.trouble = task.trouble or trouble
        self.on_group(time.monotonic() - began, len(begun), kept)
        _deliver(begun)

    def _coming(self, first: _Task) -> Iterator[_Task]:
        """Give what waits, and what comes meanwhile, up to the bounds of a group."""
        until = time.monotonic() + self._max_seconds
        yield first
        for _, task in zip(range(self._max_jobs - 1), self._taken(), strict=False):
            yield task
            if time.monotonic() > until:
                return

    def _taken(self) -> Iterator[_Task]:
        """Take tasks out of the queue until it is empty or the writer is to end."""
        while not self._queue.empty():
            task = self._queue.get()
            if task is None:
                self._ending = True
                return
            yield task


def _unheard(_seconds: float, _n_jobs: int, _kept: bool) -> None:
    """Care for no group."""


def _run(store: SqlStore, task: _Task) -> None:
    """Run one job; what it did is undone if it fails."""
    try:
        with store.transaction():
            task.result = task.job(store)
    except BaseException as trouble:
        task.trouble = trouble


def _deliver(tasks: list[_Task]) -> None:
    """Hand out results; each event loop is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Task]] = {}
    for task in tasks:
        if task.waiter is None:
            task.deliver()
        else:
            by_loop.setdefault(task.waiter.get_loop(), []).append(task)
    for loop, waited in by_loop.items():
        # A loop that has closed meanwhile waits for nothing.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver_in_loop, waited)


def _deliver_in_loop(tasks: list[_Task]) -> None:
    for task in tasks:
        task.deliver()


def _scrub(store: SqlStore) -> None:
    """Scrub if that is due; what cannot be done now is done later."""
    with suppress(StoreError):
        store.scrub()
