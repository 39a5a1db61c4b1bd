"""Delivery, over a real store and a channel of the test's own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from bot import delivery as module
from bot.channels.base import ChannelFailed, ChatGone, MessageRefused, SlowDown
from bot.delivery import MAX_TRIES, Delivery
from dialogues.errors import StoreBusy, StoreFull
from dialogues.prompts import Picture, Prompt
from storage.protocol import Address, Outgoing, Respondent, Store
from storage.store import SqlStore
from storage.writer import Writer
from tests.bot.ports import FakeChannel, FakeClock


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.02)


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


Say = Callable[..., Awaitable[None]]


@pytest.fixture
def say(writer: Writer, clock: FakeClock, people: dict[str, Respondent]) -> Say:
    async def put(name: str, *texts: str, lane: int = 0) -> None:
        prompts = [Prompt(text=text) for text in texts]
        await writer.run(lambda store: store.say(people[name], prompts, at=clock(), lane=lane))

    return put


@asynccontextmanager
async def delivering(
    writer: Writer, channel: FakeChannel, clock: FakeClock, **options: Any
) -> AsyncIterator[Delivery]:
    options = {"broadcasts_per_second": 1e6, "chance": lambda: 0.5, **options}
    delivery = Delivery(writer, channel, now=clock, **options)
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        channel.gate.set()
        await delivery.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def outbox(url: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("select * from outbox order by outbox_id")]


def noted(url: str, tries: int) -> bool:
    """Whether the first message waits to be tried again after so many tries."""
    first = outbox(url)[0]
    return first["state"] == "pending" and first["attempts"] == tries


async def test_one_chat_is_served_where_one_is_named(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    await say("p1", "private words of one")
    async with delivering(writer, channel, clock, chat="p2") as delivery:
        await say("p2", "to two")
        await asyncio.wait_for(delivery.drained(), 10)
    assert channel.texts() == ["to two"]


async def test_nobody_waits_for_an_outbox_that_cannot_be_written(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull

    async with delivering(writer, channel, clock) as delivery:
        with monkeypatch.context() as patch:
            patch.setattr(SqlStore, "settle", full)
            await say("p1", "hello")
            delivery.wake()
            with pytest.raises(StoreFull):
                await asyncio.wait_for(delivery.drained(), 10)
            assert caplog.text.count("The outbox cannot be read") == 1
        delivery.wake()
        await asyncio.wait_for(delivery.drained(), 10)
    assert channel.texts() == ["hello"]


async def test_each_persons_messages_come_in_order(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    for turn in range(4):
        for name in ("p1", "p2", "p3"):
            await say(name, f"{turn}a", f"{turn}b")
    async with delivering(writer, channel, clock, slots=3) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    expected = [f"{turn}{part}" for turn in range(4) for part in "ab"]
    for name in ("p1", "p2", "p3"):
        assert channel.texts(name) == expected
    assert channel.most <= 3


async def test_drained_waits_for_every_message_of_a_turn(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    async with delivering(writer, channel, clock, slots=1) as delivery:
        for turn in range(20):
            await say("p1", f"{turn}a", f"{turn}b", f"{turn}c")
            delivery.wake()
            await asyncio.wait_for(delivery.drained(), 10)
            assert len(channel.sent) == 3 * (turn + 1)


async def test_replies_go_before_broadcasts(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    for name in ("p1", "p2", "p3", "p4", "p5"):
        await say(name, "news", lane=1)
    await say("p6", "reply")
    await say("p1", "reply")
    async with delivering(writer, channel, clock, slots=2) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert [one.text for one in channel.sent[:2]] == ["reply", "reply"]
    assert channel.texts("p1") == ["reply", "news"]
    assert channel.texts().count("news") == 5


async def test_broadcasts_leave_slots_free_for_replies(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    for number in range(8):
        await say(f"p{number}", "news", lane=1)
    channel.gate.clear()
    async with delivering(writer, channel, clock, slots=4) as delivery:
        await until(lambda: channel.under_way == 2)
        await say("p20", "reply")
        delivery.wake()
        await until(lambda: "p20" in channel.tries)
        assert channel.most == 3


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long delivery slept before each broadcast, while its clock stands still."""
    seconds: list[float] = []
    monkeypatch.setattr(module, "_monotonic", lambda: 100.0)
    real = asyncio.sleep

    async def sleep(length: float) -> None:
        if length != module._IDLE_SECONDS:
            seconds.append(length)
        await real(0)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    return seconds


async def test_broadcasts_are_spaced_evenly(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, waits: list[float]
) -> None:
    for number in range(8):
        await say(f"p{number}", "news", lane=1)
    delivery = Delivery(writer, channel, now=clock, slots=16, broadcasts_per_second=10)
    await delivery._round()
    await delivery.stop()
    await delivery._finish()
    assert waits == pytest.approx([0.1 * number for number in range(1, 8)])
    assert len(channel.sent) == 8


async def test_each_reply_puts_the_next_broadcast_off_by_one_space(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, waits: list[float]
) -> None:
    await say("p1", "reply")
    await say("p2", "reply")
    await say("p3", "news", lane=1)
    delivery = Delivery(writer, channel, now=clock, slots=16, broadcasts_per_second=10)
    await delivery._round()
    await delivery._finish()
    assert waits == pytest.approx([0.2])


async def test_broadcasts_that_many_replies_put_off_are_not_claimed_before_their_time(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    url: str,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Claimed and asleep for longer than the claim holds, they would be sent twice.
    delivery = Delivery(writer, channel, now=clock, slots=16, broadcasts_per_second=10)
    for _ in range(3):
        for number in range(16):
            await say(f"p{number}", "reply")
        await delivery._round()
        await asyncio.wait(delivery._under_way)
    await say("p20", "news", lane=1)
    await delivery._round()
    assert outbox(url)[-1]["state"] == "pending"
    monkeypatch.setattr(module, "_monotonic", lambda: 101.0)
    await delivery._round()
    await delivery._finish()
    assert channel.texts("p20") == ["news"]
    assert max(waits, default=0.0) <= 1.0


async def test_a_halt_of_the_whole_platform_stops_everything_until_it_is_over(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = 100.0
    monkeypatch.setattr(module, "_monotonic", lambda: at)
    channel.troubles["p1"] = [SlowDown(30.0)]
    await say("p1", "first")
    async with delivering(writer, channel, clock) as delivery:
        await until(lambda: channel.tries == ["p1"])
        await until(lambda: not delivery._under_way)
        await say("p2", "second")
        clock.pass_(seconds=31)
        delivery.wake()
        await asyncio.sleep(0.1)
        assert channel.tries == ["p1"]
        at = 131.0
        delivery.wake()
        await until(lambda: len(channel.sent) == 2)


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


async def test_failures_are_tried_again_after_waits_that_double(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    channel.troubles["p1"] = [ChannelFailed("down")] * 4
    await say("p1", "hello")
    seen = []
    async with delivering(writer, channel, clock) as delivery:
        for tries in range(1, 5):
            await until(lambda: noted(url, tries))  # noqa: B023
            due_at = outbox(url)[0]["due_at"]
            seconds = (type(clock()).fromisoformat(due_at) - clock()).total_seconds()
            seen.append(seconds)
            clock.pass_(seconds=seconds)
            delivery.wake()
        await until(lambda: channel.texts() == ["hello"])
    assert seen == [0.5, 1.0, 2.0, 4.0]


async def test_a_message_is_given_up_in_the_end_and_holds_nothing_up(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    channel.troubles["p1"] = [ChannelFailed("down")] * MAX_TRIES
    await say("p1", "never", "next")
    async with delivering(writer, channel, clock) as delivery:
        for tries in range(1, MAX_TRIES):
            await until(lambda: noted(url, tries))  # noqa: B023
            clock.pass_(minutes=15)
            delivery.wake()
        await until(lambda: channel.texts() == ["next"])
    assert len(channel.tries) == MAX_TRIES + 1
    dead = outbox(url)[0]
    assert (dead["state"], dead["error"]) == ("dead", "ChannelFailed")
    assert "never" in dead["body"]


async def test_what_breaks_our_own_code_is_given_up_soon(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel.troubles["p1"] = [ValueError("marker-of-words")] * 5
    await say("p1", "broken", "next")
    async with delivering(writer, channel, clock) as delivery:
        for tries in range(1, 5):
            await until(lambda: noted(url, tries))  # noqa: B023
            clock.pass_(minutes=15)
            delivery.wake()
        await until(lambda: channel.texts() == ["next"])
    assert "marker-of-words" not in caplog.text


async def test_many_waits_in_a_row_do_not_break_the_backoff(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    delivery = Delivery(writer, channel, now=clock, chance=lambda: 0.5)
    row = Outgoing(
        outbox_id=1,
        respondent_id="r",
        chat="p1",
        prompt=Prompt(text="x"),
        replaces=None,
        attempts=5_000,
        lane=0,
    )
    again = delivery._failed(row, "down", most=10_000)
    assert again.retry_at is not None
    assert (again.retry_at - clock()).total_seconds() == 600.0


async def test_a_person_who_is_gone_gets_nothing_more(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    channel.troubles["p1"] = [ChatGone("blocked")]
    await say("p1", "first", "second")
    await say("p1", "news", lane=1)
    await say("p2", "other")
    async with delivering(writer, channel, clock) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert channel.tries.count("p1") == 1
    assert channel.texts() == ["other"]
    assert outbox(url) == []
    gone = await writer.run(lambda store: store.respondent("r-p1"))
    assert gone is not None
    assert not gone.reachable


async def test_a_refused_message_is_not_tried_again(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    channel.troubles["p1"] = [MessageRefused("too long")]
    await say("p1", "first", "second")
    async with delivering(writer, channel, clock) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert channel.texts() == ["second"]
    assert outbox(url)[0]["state"] == "dead"


async def test_after_a_crash_what_was_under_way_is_sent_again_and_no_more_than_the_slots(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say
) -> None:
    for number in range(20):
        await say(f"p{number}", f"to {number}")
    channel.gate.clear()
    crashed = Delivery(writer, channel, now=clock, slots=4)
    task = asyncio.create_task(crashed.run())
    await until(lambda: channel.under_way == 4)
    task.cancel()
    for sending in list(crashed._under_way):
        sending.cancel()
    await asyncio.gather(task, *crashed._under_way, return_exceptions=True)
    doubt = await writer.run(lambda store: store.release_claims("telegram"))
    assert doubt == 4
    channel.gate.set()
    async with delivering(writer, channel, clock, slots=4) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert sorted(channel.texts()) == sorted(f"to {number}" for number in range(20))
    assert len(channel.tries) == 24


async def test_stopping_finishes_and_notes_what_is_under_way(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    for number in range(6):
        await say(f"p{number}", "hello")
    channel.gate.clear()
    delivery = Delivery(writer, channel, now=clock, slots=4)
    task = asyncio.create_task(delivery.run())
    await until(lambda: channel.under_way == 4)
    await delivery.stop()
    channel.gate.set()
    await asyncio.wait_for(task, 10)
    assert [row["state"] for row in outbox(url)] == ["pending", "pending"]
    assert len(channel.sent) == 4


async def test_a_store_in_trouble_loses_no_receipt(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Delivery._exchange
    troubles = [StoreBusy(), KeyError("a defect")]

    def exchange(self: Delivery, store: Store, receipts: Any, *counts: int) -> Any:
        if receipts and troubles:
            raise troubles.pop(0)
        return real(self, store, receipts, *counts)

    monkeypatch.setattr(Delivery, "_exchange", exchange)
    await say("p1", "one", "two")
    async with delivering(writer, channel, clock):
        await until(lambda: channel.texts() == ["one", "two"])
    assert not troubles
    assert outbox(url) == []


async def test_messages_of_another_channel_are_left_alone(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    address = Address(channel="slack", platform_id="s1", chat="s1")
    partner = await writer.run(
        lambda store: store.welcome(
            address, respondent_id="r-s1", role="partner", language=None, on=clock().date()
        )
    )
    await writer.run(lambda store: store.say(partner, [Prompt(text="hi")], at=clock()))
    await say("p1", "hello")
    async with delivering(writer, channel, clock) as delivery:
        await asyncio.wait_for(delivery.drained(), 10)
    assert channel.texts() == ["hello"]
    assert outbox(url)[0]["state"] == "pending"


async def test_a_picture_goes_with_its_message_and_is_read_once_a_slot(
    writer: Writer, channel: FakeChannel, clock: FakeClock, people: dict[str, Respondent]
) -> None:
    read: list[str] = []
    picture_id = await writer.run(lambda store: store.keep_picture(b"a picture", at=clock()))

    def put(store: SqlStore) -> None:
        plain = store.picture

        def noting(name: str) -> bytes | None:
            read.append(name)
            return plain(name)

        store.picture = noting  # type: ignore[method-assign]
        for name in list(people)[:5]:
            pictured = Prompt(text="seen", picture=Picture(picture_id=picture_id, alt="words"))
            store.say(people[name], [pictured, pictured, Prompt(text="heard")], at=clock())
        lost = Prompt(text="lost", picture=Picture(picture_id="lost", alt="words"))
        store.post("telegram", "a place", lost, at=clock())

    await writer.run(put)
    async with delivering(writer, channel, clock, slots=2):
        await until(lambda: len(channel.sent) == 16)
    assert {(one.text, one.picture) for one in channel.sent} == {
        ("seen", b"a picture"),
        ("heard", None),
        ("lost", None),
    }
    assert [one.chat for one in channel.sent if one.text == "lost"] == ["a place"]
    assert 1 <= read.count(picture_id) <= 2
