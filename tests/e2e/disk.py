"""Stands between the store and its commits, in the process of the test."""

from __future__ import annotations

import threading

import pytest

from dialogues.errors import StoreFull
from storage.sqlite import SqliteDriver


class Disk:
    """Stands between the store and its commits.

    Attributes:
        free: While it is not set, every commit that wrote something waits.
        full: While true, every such commit fails.
        held: Commits that wait now.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.free.set()
        self.full = False
        self.held = 0
        real = SqliteDriver._execute

        def execute(driver: SqliteDriver, statement: str) -> None:
            if statement == "commit" and (self.full or not self.free.is_set()):
                if self.full:
                    raise StoreFull
                self.held += 1
                self.free.wait(20)
                self.held -= 1
            real(driver, statement)

        monkeypatch.setattr(SqliteDriver, "_execute", execute)
