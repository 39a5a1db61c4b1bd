"""A platform asks to wait: exactly as long, for everybody or for one chat, in every worker."""

from __future__ import annotations

import asyncio

import pytest

from bot import delivery as module
from bot.channels.base import SlowDown
from bot.worker import Alone
from storage.writer import Writer
from tests.bot.deliveries import Say, delivering, noted, outbox, until
from tests.bot.ports import FakeChannel, FakeClock


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.02)


async def test_a_halt_of_the_whole_platform_stops_everything_until_it_is_over(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    channel.troubles["p1"] = [SlowDown(0.4)]
    await say("p1", "first")
    begun = asyncio.get_running_loop().time()
    async with delivering(writer, channel, clock) as delivery:
        await until(lambda: channel.tries == ["p1"])
        await say("p2", "second")
        await say("p3", "news", lane=1)
        clock.pass_(seconds=31)
        delivery.wake()
        await until(lambda: len(channel.sent) == 3)
    assert asyncio.get_running_loop().time() - begun >= 0.4
    assert sorted(channel.tries) == ["p1", "p1", "p2", "p3"]


async def test_a_halt_holds_after_a_restart(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    channel.troubles["p1"] = [SlowDown(3600.0)]
    await say("p1", "first")
    async with delivering(writer, channel, clock):
        await until(lambda: channel.tries == ["p1"])
    await say("p2", "second")
    clock.pass_(seconds=3599)
    async with delivering(writer, channel, clock) as delivery:
        delivery.wake()
        await asyncio.sleep(0.1)
        assert channel.tries == ["p1"]
    clock.pass_(seconds=1)
    async with delivering(writer, channel, clock) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert sorted(channel.texts()) == ["first", "second"]


async def test_another_worker_heeds_a_halt_too(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    other = FakeChannel()
    channel.troubles["p1"] = [SlowDown(3600.0)]
    await say("p1", "first")
    a, b = Alone(), Alone()
    a.worker_id, b.worker_id = "a", "b"
    a.alone = b.alone = False
    async with delivering(writer, channel, clock, worker=a, broadcasts_per_second=30):
        await until(lambda: channel.tries == ["p1"])
    await say("p2", "second")
    async with delivering(writer, other, clock, worker=b, broadcasts_per_second=30) as delivery:
        await until(lambda: delivery._pace.halted > 3500)
        await asyncio.sleep(0.05)
    assert other.tries == []


@pytest.mark.parametrize("seconds", [float("inf"), 1e300])
async def test_a_platform_that_asks_to_wait_for_ever_is_not_believed(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str, seconds: float
) -> None:
    channel.troubles["p1"] = [SlowDown(seconds)]
    channel.troubles["p2"] = [SlowDown(seconds, whole=False)]
    await say("p2", "hello")
    async with delivering(writer, channel, clock):
        await until(lambda: noted(url, 1))
    await say("p1", "hello")
    async with delivering(writer, channel, clock):
        await until(lambda: channel.tries == ["p2", "p1"])
    due = [type(clock()).fromisoformat(row["due_at"]) - clock() for row in outbox(url)]
    assert {one.days for one in due} == {1}


async def test_a_wait_that_is_asked_of_one_chat_leaves_the_others_alone(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    channel.troubles["p1"] = [SlowDown(5.0, whole=False)]
    await say("p1", "first", "second")
    async with delivering(writer, channel, clock) as delivery:
        await until(lambda: channel.tries == ["p1"])
        await say("p2", "other")
        delivery.wake()
        await until(lambda: channel.texts() == ["other"])
        clock.pass_(seconds=5)
        delivery.wake()
        await until(lambda: channel.texts("p1") == ["first", "second"])
