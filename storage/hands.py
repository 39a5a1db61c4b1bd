"""A thread that writes: it owns a store, and many jobs share a commit.

All jobs that are waiting run in one transaction, each in a part of its own, so that one which
fails takes nothing from the others. Their results are given out only after the commit is on
the disk: who has a result can say "kept".

Where others write too (PostgreSQL), a group takes the locks of its keys first, and only those
that are free: it waits for nobody while it holds something. A job whose key somebody else
holds, or that met another transaction, runs again by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Protocol

from dialogues.errors import StaleSession, StoreAway, StoreConflict, StoreError, StoreUnsure
from storage.store import SqlStore
from storage.tasks import Task, deliver, run_alone

__all__ = ["SCRUB_SECONDS", "Bounds", "Hand", "Heard"]

#: How long erased words may stay in the database's log while there is always work to do.
SCRUB_SECONDS = 1.0

#: The shortest time between two stirrings of anonymous responses, in seconds, and how many times
#: as long as it took is rested after one: it takes up a twentieth of the time at most.
_STIR_SECONDS = 2.0
_REST = 20

#: How long scrubbing is tried at the end, where nobody may come after us who would do it, and how
#: often.
_LAST_SCRUB_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.05


@dataclass(slots=True, kw_only=True)
class Bounds:
    """When a group of jobs ends, whichever comes first.

    Attributes:
        jobs: So many at most.
        seconds: No further jobs after this long.
        at_once: How many are taken in before the clock is looked at again. More than one
            also means that others write to the same database.
    """

    jobs: int = 256
    seconds: float = 0.02
    at_once: int = 1


class Heard(Protocol):
    """Hears of groups and what they left word of."""

    def __call__(self, *, seconds: float, n_jobs: int, kept: bool, topics: frozenset[str]) -> None:
        """Take note; must not raise."""
        ...


class Hand:
    """One thread with a store of its own, and the queue of what it has to do.

    Args:
        open_store: Opens the store; called once, in the thread.
        bounds: Of a group.
        name: Of the thread.
        heard: Told of every commit, in the thread, before any result is given out.
        tidy: Told where something was erased; None where the thread itself tidies up.
    """

    def __init__(
        self,
        open_store: Callable[[], SqlStore],
        *,
        bounds: Bounds,
        name: str,
        heard: Heard,
        tidy: Callable[[], None] | None = None,
    ) -> None:
        self._bounds = bounds
        self._heard = heard
        self._tidy = tidy
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._ending = False
        self._stir_at = 0.0
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, args=(open_store,), name=name)
        self._thread.start()

    def opened(self) -> None:
        """Wait until the store is open.

        Raises:
            StoreError: It cannot be opened.
        """
        self._opened.result()

    def put(self, task: Task | None) -> None:
        """Queue a task; None ends the thread once everything before it is done."""
        self._queue.put(task)

    def waiting(self) -> int:
        """Give about how many tasks are queued."""
        return self._queue.qsize()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    # In the thread --------------------------------------------------------------------

    def _main(self, open_store: Callable[[], SqlStore]) -> None:
        try:
            store = open_store()
        except BaseException as trouble:
            self._opened.set_exception(trouble)
            return
        self._opened.set_result(None)
        try:
            self._work(store)
        finally:
            store.close()

    def _work(self, store: SqlStore) -> None:
        scrubbed_at = time.monotonic()
        while not self._ending:
            try:
                # With erased words in the log, idle moments are for scrubbing.
                untidy = store.scrub_due or store.stir_due
                first = self._queue.get(timeout=SCRUB_SECONDS if untidy else None)
            except Empty:
                self._tidy_up(store)
                continue
            if first is None:
                break
            self._do(store, first)
            if self._tidy is not None and store.scrub_due:
                store.stir_due = store.scrub_due = False
                self._tidy()
            now = time.monotonic()
            untidy = store.scrub_due or store.stir_due
            if untidy and (self._queue.empty() or now - scrubbed_at > SCRUB_SECONDS):
                self._tidy_up(store)
                scrubbed_at = now
        self._scrub_at_last(store)

    def _scrub_at_last(self, store: SqlStore) -> None:
        """Scrub before the end; what another program looks at meanwhile is waited for a while."""
        until = time.monotonic() + _LAST_SCRUB_SECONDS
        self._stir_at = 0.0
        self._tidy_up(store)
        while store.scrub_due and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN_SECONDS)
            _scrub(store)

    def _tidy_up(self, store: SqlStore) -> None:
        """Stir what is due, after a rest, and scrub."""
        began = time.monotonic()
        if store.stir_due and began >= self._stir_at:
            with suppress(StoreError):
                store.stir()
            ended = time.monotonic()
            self._stir_at = ended + max(_STIR_SECONDS, _REST * (ended - began))
        _scrub(store)

    def _do(self, store: SqlStore, first: Task) -> None:
        """Run what waits, and hand out what came of it."""
        if self._bounds.at_once > 1 and self._queue.empty():
            # A part of a transaction would cost two more exchanges with the server.
            self._alone(store, _wanted([first]))
            return
        began, kept = time.monotonic(), True
        group = _Group()
        try:
            group.run(store, map(_wanted, self._coming(first)))
        except BaseException as trouble:
            kept = False
            if not group.begun:
                # Whoever waits by now has waited as long as one should.
                group.tasks = _wanted([first, *self._taken()])
                group.fail(trouble)
            elif isinstance(trouble, StoreAway) and not isinstance(trouble, StoreUnsure):
                # It was cut off before anything was kept: once more, on another connection.
                group, kept = _done_again(store, group.tasks)
            else:
                group.fail(trouble)
        self._note(store, began, len(group.tasks), kept)
        over = set(group.over)
        deliver(task for task in group.tasks if task not in over)
        self._alone(store, group.over)

    def _alone(self, store: SqlStore, tasks: list[Task]) -> None:
        for task in tasks:
            began = time.monotonic()
            kept = run_alone(store, task)
            self._note(store, began, 1, kept)
            deliver([task])

    def _note(self, store: SqlStore, began: float, n_jobs: int, kept: bool) -> None:
        seconds = time.monotonic() - began
        self._heard(seconds=seconds, n_jobs=n_jobs, kept=kept, topics=store.take_topics())

    def _coming(self, first: Task) -> Iterator[list[Task]]:
        """Give what waits, and what comes meanwhile, a few at a time, up to the bounds."""
        until = time.monotonic() + self._bounds.seconds
        left = self._bounds.jobs
        tasks = [first, *islice(self._taken(), min(self._bounds.at_once, left) - 1)]
        while tasks:
            left -= len(tasks)
            yield tasks
            if time.monotonic() > until:
                return
            tasks = list(islice(self._taken(), min(self._bounds.at_once, left)))

    def _taken(self) -> Iterator[Task]:
        """Take tasks out of the queue until it is empty or the writer is to end."""
        while not self._queue.empty():
            task = self._queue.get()
            if task is None:
                self._ending = True
                return
            yield task


class _Group:
    """Jobs that share a transaction.

    Attributes:
        begun: Whether the transaction was.
        tasks: All that were taken in.
        over: Those to be run by themselves afterwards, in order.
    """

    def __init__(self) -> None:
        self.begun = False
        self.tasks: list[Task] = []
        self.over: list[Task] = []
        self._last: list[Task] = []
        self._held: set[str] = set()
        self._busy: set[str] = set()

    def run(self, store: SqlStore, coming: Iterable[list[Task]]) -> None:
        """Run them all, and commit.

        Raises:
            StoreError: Nothing was kept, or (``StoreUnsure``) nobody knows.
        """
        with store.transaction():
            self.begun = True
            with store.impatient():
                for tasks in coming:
                    self._take(store, tasks)
                for task in self._last:
                    self._run(store, task)

    def fail(self, trouble: BaseException) -> None:
        """Note that nothing was kept; who has a trouble of their own keeps it."""
        for task in self.tasks:
            task.trouble = task.trouble if _is_final(task.trouble) else trouble
        self.over = []

    def _take(self, store: SqlStore, tasks: list[Task]) -> None:
        self.tasks += tasks
        keys = {task.key for task in tasks if task.key is not None} - self._held - self._busy
        free = store.hold_free(keys)
        self._held |= free
        self._busy |= keys - free
        for task in tasks:
            if task.last:
                self._last.append(task)
            else:
                self._run(store, task)

    def _run(self, store: SqlStore, task: Task) -> None:
        if task.key not in self._busy:
            task.run(store)
            if _is_final(task.trouble) or task.trouble is None:
                return
            if isinstance(task.trouble, StoreAway):
                raise task.trouble
        # What comes after it for the same key waits for it.
        self.over.append(task)
        if task.key is not None:
            self._busy.add(task.key)


def _is_final(trouble: BaseException | None) -> bool:
    """Whether a job's trouble is its own, and not one of the moment."""
    return trouble is not None and not isinstance(trouble, StoreConflict | StaleSession | StoreAway)


def _done_again(store: SqlStore, tasks: list[Task]) -> tuple[_Group, bool]:
    """Run a group once more; says also whether it was kept."""
    group = _Group()
    try:
        group.run(store, [tasks])
    except BaseException as trouble:
        group.tasks = tasks
        group.fail(trouble)
        return group, False
    return group, True


def _wanted(tasks: Iterable[Task]) -> list[Task]:
    return [task for task in tasks if task.wanted()]


def _scrub(store: SqlStore) -> None:
    """Scrub if that is due; what cannot be done now is done later."""
    with suppress(StoreError):
        store.scrub()
