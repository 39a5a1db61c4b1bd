"""Everything that `pulse run` holds up, begun and ended."""

from __future__ import annotations

import asyncio

from bot.app import App
from bot.channels.base import Receive
from bot.house import House
from nlp.codeframe import read_codeframe
from storage.writer import Writer
from tests.bot.place import SURVEY
from tests.bot.ports import FakeChannel


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


async def test_at_the_end_every_channel_is_told_to_stop(writer: Writer) -> None:
    channels = [Reading(), Reading()]
    channels[1].name = "slack"
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
    async with asyncio.timeout(10):
        for channel in channels:
            await channel.begun.wait()
    stop.set()
    await running
    assert [channel.ended for channel in channels] == ["told", "told"]
