"""Delivery, over a real store and a channel of the test's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot import delivery as module
from bot.channels.base import ChannelFailed, ChatGone, MessageRefused
from bot.delivery import MAX_TRIES, Delivery
from dialogues.errors import StoreBusy, StoreFull, StoreUnsure
from dialogues.prompts import Picture, Prompt
from storage.protocol import Address, Outgoing, Respondent, Store, Window
from storage.store import SqlStore
from storage.writer import Writer
from tests.bot.deliveries import Say, delivering, noted, outbox, until
from tests.bot.ports import FakeChannel, FakeClock


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.02)


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


async def test_what_was_claimed_unheard_is_sent_at_once_and_what_is_under_way_once(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The database kept the claims, and broke before it said so."""
    run, unheard = writer.run, 0

    async def lossy(job: Any, **options: Any) -> Any:
        nonlocal unheard
        result = await run(job, **options)
        if getattr(result, "claimed", None) and channel.under_way and not unheard:
            unheard = len(result.claimed)
            raise StoreUnsure
        return result

    monkeypatch.setattr(writer, "run", lossy)
    channel.gate.clear()
    await say("p1", "under way")
    async with delivering(writer, channel, clock) as delivery:
        await until(lambda: channel.under_way == 1)
        await say("p2", "unheard")
        delivery.wake()
        await until(lambda: "p2" in channel.tries)
        channel.gate.set()
        await asyncio.wait_for(delivery.drained(), 10)
    assert unheard == 1
    assert sorted(channel.texts()) == ["under way", "unheard"]


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
        await until(lambda: channel.under_way == 3)
        await say("p20", "reply")
        delivery.wake()
        await until(lambda: "p20" in channel.tries)
        assert channel.most == 4


async def test_a_broadcast_is_claimed_shortly_before_its_time(
    writer: Writer, channel: FakeChannel, clock: FakeClock, say: Say, url: str
) -> None:
    await say("p1", "first", lane=1)
    await say("p2", "second", lane=1)
    async with delivering(writer, channel, clock, broadcasts_per_second=0.01):
        await until(lambda: channel.texts() == ["first"])
        await asyncio.sleep(0.1)
        assert [row["state"] for row in outbox(url)] == ["pending"]


async def test_what_had_to_wait_too_long_is_given_back_untried(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Claimed and waiting for longer than the claim holds, it would be sent twice.
    monkeypatch.setattr(module, "_STALE", 0.05)
    await say("p1", "news", lane=1)
    delivery = Delivery(writer, channel, now=clock)
    delivery._pace.take(0)
    monkeypatch.setattr(delivery._pace, "take", lambda _share: None)
    monkeypatch.setattr(delivery._pace, "room_ahead", lambda _seconds: 1)
    await delivery._round()
    assert outbox(url)[0]["state"] == "claimed"
    await asyncio.wait(delivery._under_way)
    await delivery._finish()
    [row] = outbox(url)
    assert (row["state"], row["attempts"], row["doubt"]) == ("pending", 0, 0)
    assert channel.tries == []


async def test_a_program_that_was_asleep_sends_nothing_that_it_had_claimed(
    writer: Writer,
    channel: FakeChannel,
    clock: FakeClock,
    say: Say,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say("p1", "hello")
    delivery = Delivery(writer, channel, now=clock)
    await delivery._round()
    at = asyncio.get_running_loop().time()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_monotonic", lambda: at + 60)
        await asyncio.wait(delivery._under_way)
    await delivery._finish()
    assert channel.tries == []
    assert outbox(url)[0]["state"] == "pending"


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


def test_the_wait_is_anything_up_to_twice_the_last_one(
    writer: Writer, channel: FakeChannel, clock: FakeClock
) -> None:
    async def waits(chance: float) -> list[float]:
        delivery = Delivery(writer, channel, now=clock, chance=lambda: chance)
        found = []
        for attempts in (0, 1, 2, 50):
            row = Outgoing(
                outbox_id=1,
                respondent_id="r",
                chat="p1",
                prompt=Prompt(text="x"),
                replaces=None,
                attempts=attempts,
                lane=0,
            )
            again = delivery._failed(row, "down").retry_at
            assert again is not None
            found.append((again - clock()).total_seconds())
        return found

    assert asyncio.run(waits(0.0)) == [0, 0, 0, 0]
    assert asyncio.run(waits(0.75)) == [0.75, 1.5, 3.0, 900.0]


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

    def exchange(self: Delivery, store: Store, asked: Any) -> Any:
        if asked.receipts and troubles:
            raise troubles.pop(0)
        return real(self, store, asked)

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
        store.post("telegram", "a place", lost, window=Window(due_at=clock()))

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
