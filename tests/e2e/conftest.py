"""Both platforms, fresh for each test, and what makes installations beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.disk import Disk
from tests.e2e.house import House
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(token="123:TEST", limits=False) as fake:
        yield fake


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(limits=False) as fake:
        yield fake


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Callable[..., House]]:
    """Make an installation; what it runs is ended after the test."""
    made: list[House] = []

    def make(**options: Any) -> House:
        house = House(tmp_path / f"house-{len(made)}", **options)
        made.append(house)
        return house

    yield make
    for house in made:
        await house.close()
