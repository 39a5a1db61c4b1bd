"""Running jobs in the store from a thread that may wait, such as a tick or a command."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from dialogues.errors import StoreError
from storage.protocol import Store

__all__ = ["RunJob", "Troubles"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class RunJob(Protocol):
    """Runs a job in a transaction of its own and gives its result."""

    def __call__(self, job: Callable[[Store], _T]) -> _T:
        """Run it; raises ``StoreError`` when it could not be kept."""
        ...


class Troubles:
    """What is passed over because it breaks: it is logged once, and the rest goes on."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Let one thing fail and the rest go on; the log has its id, the first time.

        A store that does not work fails everything, and is tried again at the next tick.
        """
        try:
            yield
        except StoreError:
            raise
        except Exception as trouble:
            if what not in self._known:
                self._known.add(what)
                log.error("Passed over %s: %s", what, type(trouble).__name__)
