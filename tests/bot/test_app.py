"""Everything that `pulse run` holds up, begun and ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import App, now
from bot.channels.base import Receive
from bot.house import House
from nlp.codeframe import read_codeframe
from storage.open import open_writer
from storage.writer import Writer
from tests.bot.place import SURVEY
from tests.bot.ports import FakeChannel
from tests.contract.scenes import wave
from tests.database import read_rows


class Reading(FakeChannel):
    """A channel that reads until it is told to stop, and notes how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.told = asyncio.Event()
        self.ended = ""

    async def run(self, receive: Receive) -> None:
        self.begun.set()
        try:
            await self.told.wait()
            self.ended = "told"
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise

    async def stop(self) -> None:
        self.told.set()


@asynccontextmanager
async def up(writer: Writer, *channels: Reading) -> AsyncIterator[None]:
    """Hold an app up."""
    app = App(
        house=House(surveys={SURVEY.survey_id: SURVEY}),
        writer=writer,
        channels=channels,
        codeframe=read_codeframe(),
        model=None,
        slots=2,
        broadcasts_per_second=10,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(stop))
    try:
        async with asyncio.timeout(10):
            for channel in channels:
                await channel.begun.wait()
        yield
    finally:
        stop.set()
        await running


async def test_at_the_end_every_channel_is_told_to_stop(writer: Writer) -> None:
    channels = [Reading(), Reading()]
    channels[1].name = "slack"
    async with up(writer, *channels):
        pass
    assert [channel.ended for channel in channels] == ["told", "told"]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_what_a_command_changes_is_looked_at_at_once(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the next tick: a wave that another program opens, and whose time is over."""
    monkeypatch.setattr("bot.schedule.TICK_SECONDS", 3600)
    url = f"sqlite:///{tmp_path}/pulse.db"
    if engine == "postgres":
        url = request.getfixturevalue("postgres_url")
    over = wave(
        survey_id=SURVEY.survey_id, revision=SURVEY.revision, pulse=None, cohort="elsewhere",
        closes_at=now() - timedelta(hours=1),
    )  # fmt: skip

    def closed() -> int:
        return len(read_rows(url, "select * from waves where state = 'closed'"))

    with closing(open_writer(url)) as ours, closing(open_writer(url, connections=1)) as theirs:
        await theirs.run(lambda store: store.keep_survey(SURVEY, at=now()))
        async with up(ours, Reading()), asyncio.timeout(60):
            opened = 0

            async def open_one() -> None:
                nonlocal opened
                opened += 1
                another = replace(over, wave_id=f"w-{opened}")
                await theirs.run(lambda store: store.open_wave(another))

            while not closed():  # Until it leads.
                await open_one()
                await asyncio.sleep(0.2)
            for _ in range(3):
                await open_one()
                while closed() < opened:
                    await asyncio.sleep(0.02)
