"""A store with its own thread, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.open import open_store
from storage.writer import Writer
from tests.bot.place import Place
from tests.bot.ports import FakeChannel, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pulse.db"


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    writer = Writer(lambda: open_store(url))
    yield writer
    writer.close()


@pytest.fixture
async def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def place(writer: Writer, clock: FakeClock, url: str) -> Place:
    return Place(writer, clock, url)
