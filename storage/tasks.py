"""A job on its way to the store, and its result on the way back.

What lives here: one job, run as a part of a group or by itself, and who waits for it. What
must not: queues and groups (``hands.py``).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dialogues.errors import StaleSession, StoreAway, StoreConflict, StoreError, StoreUnsure
from storage.store import SqlStore

__all__ = ["Task", "deliver", "run_alone"]

#: A job that meets another transaction is run again, so often in all.
_TRIES = 6

#: The wait before that, in seconds; each further one is twice as long, give or take.
_PAUSE_SECONDS = 0.01


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """A job whose result goes to a thread (``future``) or to an event loop (``waiter``).

    Attributes:
        key: Whose it is: jobs of one key run in the order in which they were submitted.
        last: Whether it runs at the end of its group.
    """

    job: Callable[[SqlStore], Any]
    future: Future[Any] | None = None
    waiter: asyncio.Future[Any] | None = None
    key: str | None = None
    last: bool = False
    result: Any = None
    trouble: BaseException | None = None

    def wanted(self) -> bool:
        """Whether nobody called it off before it began."""
        if self.future is not None:
            return self.future.set_running_or_notify_cancel()
        return self.waiter is not None and not self.waiter.cancelled()

    def run(self, store: SqlStore) -> None:
        """Run it as a part of a transaction; what it did is undone if it fails."""
        try:
            with store.transaction():
                self.result = self.job(store)
            self.trouble = None
        except BaseException as trouble:
            self.trouble = trouble

    def deliver(self) -> None:
        """Hand out the result, in the thread where it is waited for."""
        target = self.future if self.future is not None else self.waiter
        if target is None or target.done():
            return
        if self.trouble is not None:
            target.set_exception(self.trouble)
        else:
            target.set_result(self.result)


def run_alone(store: SqlStore, task: Task) -> bool:
    """Run a job in a transaction of its own, again where it meets another one.

    Where the database went away before anything was kept it is tried once more.

    Returns:
        False when the database kept nothing for a reason of its own, not of the job's.
    """
    was_away = False
    for attempt in range(_TRIES):
        if attempt:
            # By chance, so that two who met do not meet again.
            pause = _PAUSE_SECONDS * 2**attempt
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311
        begun = False
        try:
            with store.transaction():
                begun = True
                if task.key is not None:
                    store.hold(task.key)
                task.result = task.job(store)
        except (StoreConflict, StaleSession) as trouble:
            task.trouble = trouble
        except StoreAway as trouble:
            task.trouble = trouble
            # What could not even begin has waited already.
            if not begun or was_away or isinstance(trouble, StoreUnsure):
                return False
            was_away = True
        except BaseException as trouble:
            task.trouble = trouble
            return not isinstance(trouble, StoreError)
        else:
            task.trouble = None
            return True
    return False


def deliver(tasks: Iterable[Task]) -> None:
    """Hand out results; each event loop is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Task]] = {}
    for task in tasks:
        if task.waiter is None:
            task.deliver()
        else:
            by_loop.setdefault(task.waiter.get_loop(), []).append(task)
    for loop, waited in by_loop.items():
        # A loop that has closed meanwhile waits for nothing.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver_in_loop, waited)


def _deliver_in_loop(tasks: list[Task]) -> None:
    for task in tasks:
        task.deliver()
