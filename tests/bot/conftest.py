"""A store with its own thread, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialogues.prompts import Prompt
from storage.open import open_writer
from storage.protocol import Address, Respondent, Store
from storage.writer import Writer
from tests.bot.deliveries import Say
from tests.bot.place import Place
from tests.bot.ports import FakeChannel, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    # Delivery goes by the server's clock there, which does not stand still.
    if request.config.getoption("--postgres") and "place" in request.fixturenames:
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/pulse.db"


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    writer = open_writer(url)
    yield writer
    writer.close()


@pytest.fixture
async def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def place(writer: Writer, clock: FakeClock, url: str) -> Place:
    return Place(writer, clock, url)


@pytest.fixture
def people(writer: Writer, clock: FakeClock) -> dict[str, Respondent]:
    def welcome(store: Store) -> dict[str, Respondent]:
        return {
            name: store.welcome(
                Address(channel="telegram", platform_id=name, chat=name),
                respondent_id=f"r-{name}",
                role="citizen",
                language="en",
                on=clock().date(),
            )
            for name in [f"p{number}" for number in range(30)]
        }

    return writer.submit(welcome).result()


@pytest.fixture
def say(writer: Writer, clock: FakeClock, people: dict[str, Respondent]) -> Say:
    async def put(name: str, *texts: str, lane: int = 0) -> None:
        prompts = [Prompt(text=text) for text in texts]
        await writer.run(lambda store: store.say(people[name], prompts, at=clock(), lane=lane))

    return put
