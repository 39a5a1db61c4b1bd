"""A thread that tidies up where that would hold up those who write: PostgreSQL.

What lives here: when it is done. What must not: what it is (``SqlStore.tidy``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from dialogues.errors import StoreError
from storage.store import SqlStore

__all__ = ["Tidier"]

#: The shortest time between two, in seconds; what comes meanwhile is dealt with together.
PAUSE_SECONDS = 2.0

#: It rests so many times as long as it has worked: it takes up a twentieth of the time at most.
_REST = 20

#: How often it looks by itself for what another program has left behind.
_LOOK_SECONDS = 60.0


class Tidier:
    """Tidies up soon after it is told that there is something to tidy.

    Nothing is started before that.

    Args:
        open_store: Opens a store of its own; called once.
    """

    def __init__(self, open_store: Callable[[], SqlStore]) -> None:
        self._open_store = open_store
        self._changed = threading.Condition()
        self._due = False
        self._ending = False
        self._thread: threading.Thread | None = None

    def due(self) -> None:
        """Say that there is something to tidy."""
        with self._changed:
            self._due = True
            if self._thread is None and not self._ending:
                self._thread = threading.Thread(target=self._main, name="store-tidier")
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Tidy once more what is due, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _main(self) -> None:
        store = self._open_store()
        rest = 0.0
        while True:
            self._wait(rest)
            with self._changed:
                due, ending, self._due = self._due, self._ending, False
            began = time.monotonic()
            done = self._tidy(store, due=due)
            rest = max(PAUSE_SECONDS, _REST * (time.monotonic() - began))
            if ending:
                store.close()
                return
            if not done:
                with self._changed:
                    self._due = True

    def _wait(self, rest: float) -> None:
        """Wait for the end of the rest, and then for something to tidy."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending, rest)
            self._changed.wait_for(lambda: self._due or self._ending, _LOOK_SECONDS)

    def _tidy(self, store: SqlStore, *, due: bool) -> bool:
        """Tidy up; False when something is left, which is tried again."""
        with suppress(StoreError):
            store.scrub_due = store.scrub_due or due
            return store.tidy()
        return False
