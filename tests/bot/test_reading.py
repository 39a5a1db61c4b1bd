"""Channels that only one program may read are read by one, and by the next when it is gone."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.base import CohortListed, Inbound, Receive
from bot.reading import Reading
from bot.worker import Alone
from dialogues.errors import CannotError
from tests.bot.deliveries import until
from tests.bot.ports import FakeChannel


class OneReader(FakeChannel):
    """A channel that is read by one program at a time, and counts how often it is begun."""

    one_reader = True

    def __init__(self, trouble: Exception | None = None) -> None:
        super().__init__()
        self.begun = 0
        self.reading = False
        self.trouble = trouble
        self.told = asyncio.Event()

    async def run(self, receive: Receive) -> None:
        self.begun += 1
        self.reading = True
        try:
            if self.trouble is not None:
                raise self.trouble
            await self.told.wait()
        finally:
            self.reading = False

    async def stop(self) -> None:
        self.told.set()


class Leader(Alone):
    """A worker whose lead the test gives and takes."""

    alone = False

    def __init__(self) -> None:
        self.has = asyncio.Event()
        self.has_not = asyncio.Event()
        self.has_not.set()

    def give(self) -> None:
        self.has.set()
        self.has_not.clear()

    def take(self) -> None:
        self.has.clear()
        self.has_not.set()

    async def until(self, name: str, *, leads: bool) -> None:
        assert name == "read telegram"
        await (self.has if leads else self.has_not).wait()


async def nobody(_inbound: Inbound | CohortListed) -> None:
    raise AssertionError


async def test_it_is_read_while_we_lead_and_again_when_we_lead_again() -> None:
    channel, worker = OneReader(), Leader()
    reading = Reading([channel], nobody, worker=worker)
    reading.start()
    await until(lambda: reading.stands_by("telegram"))
    assert channel.begun == 0
    worker.give()
    await until(lambda: channel.reading)
    assert not reading.stands_by("telegram")
    worker.take()
    await until(lambda: not channel.reading and reading.stands_by("telegram"))
    worker.give()
    await until(lambda: channel.reading)
    assert channel.begun == 2
    await asyncio.wait_for(reading.stop(), 5)
    await asyncio.wait_for(reading.ended(), 5)
    reading.check()
    assert not channel.reading


async def test_who_stands_by_ends_at_once_when_told() -> None:
    channel = OneReader()
    reading = Reading([channel], nobody, worker=Leader())
    reading.start()
    await until(lambda: reading.stands_by("telegram"))
    await asyncio.wait_for(reading.stop(), 5)
    await asyncio.wait_for(reading.ended(), 5)
    reading.check()
    assert channel.begun == 0


async def test_who_is_alone_or_may_read_beside_others_just_reads() -> None:
    channel, other = OneReader(), OneReader()
    other.name = "slack"
    other.one_reader = False
    alone = Reading([channel], nobody, worker=Alone())
    beside = Reading([other], nobody, worker=Leader())
    for one in (alone, beside):
        one.start()
    await until(lambda: channel.reading and other.reading)
    for one in (alone, beside):
        await one.stop()


async def test_a_channel_that_is_of_no_use_ends_and_the_others_go_on() -> None:
    worker = Leader()
    worker.give()
    broken, other = OneReader(CannotError("refused")), OneReader()
    other.name = "slack"
    other.one_reader = False
    reading = Reading([broken, other], nobody, worker=worker)
    reading.start()
    ended = asyncio.create_task(reading.ended())
    await until(lambda: broken.begun == 1 and not broken.reading)
    await asyncio.sleep(0.05)
    assert not ended.done()
    reading.check()
    await reading.stop()
    await asyncio.wait_for(ended, 5)


async def test_when_none_can_go_on_it_is_said_why() -> None:
    worker = Leader()
    worker.give()
    reading = Reading([OneReader(CannotError("refused"))], nobody, worker=worker)
    reading.start()
    await asyncio.wait_for(reading.ended(), 5)
    with pytest.raises(CannotError, match="refused"):
        reading.check()
    await reading.stop()


async def test_without_a_channel_it_never_ends_by_itself() -> None:
    reading = Reading([], nobody, worker=Alone())
    reading.start()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reading.ended(), 0.05)
    await reading.stop()
    reading.check()
