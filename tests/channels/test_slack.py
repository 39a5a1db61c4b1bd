"""The Slack channel, with the real slack-bolt, on the fake Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    CohortLeft,
    CohortListed,
    CohortSeen,
    Edited,
    Inbound,
    MessageRefused,
    Pressed,
    SlowDown,
    Unread,
)
from bot.channels.slack import SlackChannel
from bot.errors import CannotError
from dialogues.prompts import Button, Layout, Prompt
from tests.channels.keeping import Keeper, Naps, eventually, running
from tests.fakes.slack import FakeSlack

TEAM = "T0000000001"
YES_NO = Prompt(
    text="Is it so?",
    options=(Button(label="Yes", token="s.0.0"), Button(label="No", token="s.0.1")),
)


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(limits=False, ack_within=0.5, retry_delays=(0.0, 0.01, 0.01)) as server:
        yield server


@pytest.fixture
def naps() -> Naps:
    return Naps()


def channel_on(fake: FakeSlack, naps: Any = asyncio.sleep, **options: Any) -> SlackChannel:
    return SlackChannel(
        options.pop("bot_token", "xoxb-TEST"),
        options.pop("app_token", "xapp-TEST"),
        fake.api_base_url,
        now=lambda: datetime(2026, 11, 22, tzinfo=UTC),
        sleep=naps,
        **options,
    )


@pytest.fixture
async def channel(fake: FakeSlack, naps: Naps) -> AsyncIterator[SlackChannel]:
    made = channel_on(fake, naps)
    yield made
    await made.stop()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


# -- reading ------------------------------------------------------------------------------


async def test_what_people_say_arrives_in_order(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    ann, ben = fake.person("U1"), fake.person("U2")
    async with running(channel, keeper):
        await fake.wait_connected()
        for number in range(30):
            ann.say(f"a{number}")
            ben.say(f"b{number}")
        await fake.wait_settled()
    for person, letter in ((ann, "a"), (ben, "b")):
        words = [i.text for i in keeper.came if i.address.platform_id == f"{TEAM}:{person.id}"]
        assert words == [f"{letter}{number}" for number in range(30)]
    assert keeper.came[0].address.chat == "DU1"
    assert fake.lost == fake.redelivered == 0


async def test_nothing_is_acknowledged_before_it_is_kept(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    keeper.gate.clear()
    async with running(channel, keeper):
        await fake.wait_connected()
        ann = fake.person("U1")
        message = await channel.send("U1", YES_NO, replaces=None)
        assert message is not None
        press = await ann.press("Yes")
        await keeper.until(lambda: len(keeper.came) == 1)
        assert not press.answered
        keeper.gate.set()
        await ann.wait_until(lambda: press.answered)
    assert [inbound.token for inbound in keeper.kept] == ["s.0.0"]


async def test_what_could_not_be_kept_is_sent_again_under_the_same_id(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    fake.ack_within = 0.05
    fake.faults.fresh_event_id = True
    keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 3
    async with running(channel, keeper):
        await fake.wait_connected()
        await fake.person("U1").send("keep me")
        await fake.wait_settled()
    assert keeper.words == ["keep me"]
    assert len(keeper.came) == 3
    assert len({inbound.event_id for inbound in keeper.came}) == 1


async def test_a_press_that_could_not_be_kept_is_not_acknowledged(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    fake.ack_within = 0.05
    keeper.refuse = lambda _inbound: True
    async with running(channel, keeper):
        await fake.wait_connected()
        ann = fake.person("U1")
        await channel.send("U1", YES_NO, replaces=None)
        press = await ann.press("Yes")
        await ann.wait_until(lambda: press.lost)
    assert len(keeper.came) == 1


async def test_a_failure_of_our_own_code_is_not_acknowledged_and_not_quoted(
    fake: FakeSlack,
    channel: SlackChannel,
    keeper: Keeper,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.ack_within = 0.05

    def refuse(inbound: Any) -> bool:
        raise RuntimeError(inbound.text * 3)

    keeper.refuse = refuse
    async with running(channel, keeper):
        await fake.wait_connected()
        await fake.person("U1").send("bad")
        await fake.wait_settled()
    assert (len(keeper.came), fake.lost) == (4, 1)
    assert "RuntimeError" in caplog.text
    assert "badbadbad" not in caplog.text


async def test_every_kind_of_inbound_is_read(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    ann = fake.person("U1")
    async with running(channel, keeper):
        await fake.wait_connected()
        said = await ann.send("R&D takes <3 weeks, see https://example.org")
        await fake.wait_settled()
        await ann.edit(said, "R&D takes months")
        await fake.wait_settled()
        await ann.upload("photo.jpg")
        await fake.wait_settled()
        assert await ann.slash("/pulse")
        assert await ann.slash("/pulse", "mydata")
        await channel.send("U1", YES_NO, replaces=None)
        await ann.press("No")
        await ann.open_home()
        await ann.deactivate()
        await fake.wait_settled()
    wrote, edited, unread, alone, mydata, pressed = keeper.kept
    assert wrote.text == "R&D takes <3 weeks, see https://example.org"
    assert isinstance(edited, Edited)
    assert (edited.text, edited.position) == ("R&D takes months", wrote.position)
    assert isinstance(unread, Unread)
    assert (alone.text, mydata.text, alone.address.chat) == ("start", "mydata", "U1")
    assert alone.event_id != mydata.event_id
    assert isinstance(pressed, Pressed)
    assert pressed.token == "s.0.1"
    assert fake.lost == 0


@pytest.mark.parametrize("echo", ["user", "bot_message"])
async def test_the_bots_own_messages_are_not_read(
    echo: str, fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    fake.echo_style = echo
    fake.person("U1")
    async with running(channel, keeper):
        await fake.wait_connected()
        position = await channel.send("U1", YES_NO, replaces=None)
        await channel.send("U1", Prompt(text="Yes ✓"), replaces=position)
        await fake.wait_settled()
    assert keeper.came == []
    assert fake.lost == 0


async def test_what_cannot_be_read_is_passed_over_alone(
    fake: FakeSlack,
    channel: SlackChannel,
    keeper: Keeper,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(channel, keeper):
        await fake.wait_connected()
        assert await fake.emit({"type": "message", "channel_type": "im", "user": "U1"})
        await fake.person("U1").send("after")
        await fake.wait_settled()
    assert keeper.words == ["after"]
    assert "an event cannot be read and is passed over" in caplog.messages


async def test_members_of_places_are_met_and_those_who_come_and_go(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    for number in range(250):
        fake.person(f"U{number}", name=f"Person {number}", locale="fr-FR", tz="Europe/Paris")
    fake.person("UBOT", is_bot=True)
    place = fake.channel("C1", members=[*(f"U{n}" for n in range(250)), "UBOT"])
    fake.channel("C2", members=["U0"])
    channel = channel_on(fake, naps, places=["C1"])
    fake.faults.fail("users.info", "429", retry_after=30)
    async with running(channel, keeper):
        await keeper.until(lambda: len(keeper.kept) == 251)
        await fake.wait_connected()
        late = fake.person("U900")
        await late.join(place)
        await late.leave(place)
        await late.join("C2")
        await late.send("hello everybody")
        await fake.wait_settled()
        await fake.emit(
            {
                "type": "message",
                "user": "U900",
                "ts": "1795339800.000100",
                "text": "ask <@U3>",
                "channel": "DU900",
                "channel_type": "im",
            }
        )
    listed, *rest = keeper.kept
    seen, (joined, left, *_, asked) = rest[:250], rest[250:]
    assert isinstance(listed, CohortListed)
    assert (listed.channel, listed.place) == ("slack", "C1")
    # Bots and all: who is not in it has left.
    everybody = (*(f"U{number}" for number in range(250)), "UBOT")
    assert listed.platform_ids >= {f"{TEAM}:{user}" for user in everybody}
    assert len(listed.platform_ids) <= 252
    assert {inbound.address.platform_id for inbound in seen} == {
        f"{TEAM}:U{number}" for number in range(250)
    }
    assert {type(inbound) for inbound in seen} == {CohortSeen}
    said = {(inbound.place, inbound.language, inbound.timezone) for inbound in seen}
    assert said == {("C1", "fr", "Europe/Paris")}
    assert isinstance(joined, CohortSeen)
    assert isinstance(left, CohortLeft)
    assert asked.text == "ask @Person 3"
    assert naps.asked.count(30.0) == 1
    assert naps.asked.count(0.6) >= 251


async def test_who_joins_is_looked_at_and_who_leaves_meanwhile_is_not_said_to_be_there(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    place = fake.channel("C1", members=[])
    sue, tom = (fake.person(user, tz="Asia/Tokyo") for user in ("U1", "U2"))
    nap = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await nap.wait()

    async with running(channel_on(fake, sleep, places=["C1"]), keeper):
        await fake.wait_connected()
        await sue.join(place)
        await tom.join(place)
        await tom.leave(place)
        await fake.wait_settled()
        nap.set()
        await keeper.until(lambda: len([one for one in keeper.kept if told(one)]) == 1)
        await fake.wait_settled()
    moved = [one for one in keeper.kept if isinstance(one, CohortSeen | CohortLeft)]
    assert [told(one) for one in moved] == [False, False, False, True]
    assert [one.address.platform_id for one in moved if told(one)] == [f"{TEAM}:U1"]
    assert moved[-1].timezone == "Asia/Tokyo"


def told(inbound: Inbound | CohortListed) -> bool:
    """Whether something says a time zone."""
    return isinstance(inbound, CohortSeen) and inbound.timezone is not None


async def test_a_place_that_cannot_be_read_is_named_with_what_to_do(
    fake: FakeSlack, keeper: Keeper, naps: Naps, caplog: pytest.LogCaptureFixture
) -> None:
    fake.person("U1")
    fake.channel("C2", members=["U1"])
    async with running(channel_on(fake, naps, places=["C404", "C2"]), keeper):
        await keeper.until(lambda: len(keeper.kept) == 2)
    assert "Slack channel C404 cannot be read. Invite the app" in caplog.text
    listed, seen = keeper.kept
    assert (listed.place, seen.place) == ("C2", "C2")


async def test_a_place_is_read_when_the_app_is_invited_to_it(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    async with running(channel_on(fake, naps, places=["C1"]), keeper):
        await fake.wait_connected()
        fake.person("U1")
        fake.channel("C1", members=["U1"])
        invited = {
            "type": "member_joined_channel",
            "channel": "C1",
            "user": fake.bot_user_id,
            "event_ts": "1.1",
        }
        assert await fake.emit(invited)
        await keeper.until(lambda: len(keeper.kept) == 2)
    assert [type(inbound) for inbound in keeper.kept] == [CohortListed, CohortSeen]


async def test_of_a_place_that_was_read_in_part_nobody_is_said_to_have_left(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    users = [f"U{number}" for number in range(250)]
    for user in users:
        fake.person(user)
    fake.channel("C1", members=users)
    fake.faults.fail(
        "conversations.members",
        "error",
        error="channel_not_found",
        where=lambda params: bool(params.get("cursor")),
    )
    async with running(channel_on(fake, naps, places=["C1"]), keeper):
        await keeper.until(lambda: len(keeper.kept) >= 190)
    assert {type(inbound) for inbound in keeper.kept} == {CohortSeen}


async def test_who_joins_while_a_place_is_read_is_listed_too(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    fake.person("U1")
    place = fake.channel("C1", members=["U1"])
    keeper.refuse = lambda inbound: isinstance(inbound, CohortListed) and not joined(keeper)
    async with running(channel_on(fake, asyncio.sleep, places=["C1"]), keeper):
        await keeper.until(lambda: len(keeper.came) == 1)
        await fake.wait_connected()
        await fake.person("U2").join(place)
        await keeper.until(lambda: len(keeper.kept) == 3)
    listed = next(one for one in keeper.kept if isinstance(one, CohortListed))
    assert listed.platform_ids >= {f"{TEAM}:U1", f"{TEAM}:U2"}


def joined(keeper: Keeper) -> bool:
    return any(isinstance(inbound, CohortSeen) for inbound in keeper.kept)


async def test_a_member_that_could_not_be_kept_is_told_again(
    fake: FakeSlack, keeper: Keeper, naps: Naps
) -> None:
    fake.person("U1")
    fake.channel("C1", members=["U1"])
    keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 3
    async with running(channel_on(fake, naps, places=["C1"]), keeper):
        await keeper.until(lambda: len(keeper.kept) == 2)
    assert len(keeper.came) == 6


async def test_a_renewed_and_a_broken_connection_lose_nothing(
    fake: FakeSlack, keeper: Keeper
) -> None:
    channel = channel_on(fake)
    ann = fake.person("U1")
    async with running(channel, keeper):
        await fake.wait_connected()
        await fake.disconnect("refresh_requested")
        await fake.wait_connected()
        await ann.send("after the renewal")
        await keeper.until(lambda: len(keeper.kept) == 1)
        await fake.cut()
        await fake.wait_connected()
        await ann.send("after the break")
        await keeper.until(lambda: len(keeper.kept) == 2)
        await fake.wait_settled()
    assert keeper.words == ["after the renewal", "after the break"]


@pytest.mark.parametrize("kind", ["500", "nonsense", "reset", "429"])
@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_trouble_with_the_platform_is_waited_out(
    method: str,
    kind: str,
    fake: FakeSlack,
    channel: SlackChannel,
    keeper: Keeper,
    naps: Naps,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.faults.fail(method, kind, times=3, retry_after=17)
    async with running(channel, keeper):
        await fake.wait_connected()
        await fake.person("U1").send("still here")
        await fake.wait_settled()
    assert keeper.words == ["still here"]
    assert len(naps.asked) == 3
    assert kind != "429" or set(naps.asked) == {17.0}
    assert sum("does not answer" in message for message in caplog.messages) == 1


async def test_stopping_does_not_wait_for_a_platform_that_is_away(keeper: Keeper) -> None:
    waiting = asyncio.Event()

    async def wait_for_ever(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    away = SlackChannel("xoxb-TEST", "xapp-TEST", "http://127.0.0.1:1/api/", sleep=wait_for_ever)
    async with running(away, keeper) as task:
        await waiting.wait()
    assert task.done()
    assert task.exception() is None


@pytest.mark.parametrize(
    ("tokens", "which"),
    [
        ({"bot_token": "xoxb-WRONG"}, "xoxb-"),
        ({"app_token": "xapp-WRONG"}, "xapp-"),
        ({"bot_token": "xapp-TEST", "app_token": "xoxb-TEST"}, "xoxb-"),
    ],
)
async def test_a_wrong_token_is_said_with_what_to_do(
    tokens: dict[str, str], which: str, fake: FakeSlack, keeper: Keeper
) -> None:
    channel = channel_on(fake, **tokens)
    with pytest.raises(CannotError, match=rf"{which}.*api\.slack\.com/apps") as told:
        await asyncio.wait_for(channel.run(keeper.receive), 10)
    await channel.stop()
    assert "WRONG" not in str(told.value)


def test_no_token_is_said_with_what_to_do() -> None:
    with pytest.raises(CannotError, match=r"\[slack\] bot_token and app_token"):
        SlackChannel("xoxb-TEST", "")


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
async def test_a_token_revoked_while_running_ends_the_run(
    error: str, fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    fake.person("U1")
    task = asyncio.create_task(channel.run(keeper.receive))
    await fake.wait_connected()
    fake.revoke(error)
    with pytest.raises(ChannelFailed) as told:
        await channel.send("U1", YES_NO, replaces=None)
    assert type(told.value) is ChannelFailed
    with pytest.raises(CannotError, match="Slack refuses"):
        await asyncio.wait_for(task, 10)


async def test_stopping_lets_what_was_read_be_kept_and_acknowledged(
    fake: FakeSlack, channel: SlackChannel, keeper: Keeper
) -> None:
    keeper.gate.clear()
    task = asyncio.create_task(channel.run(keeper.receive))
    await fake.wait_connected()
    await fake.person("U1").send("last words")
    await keeper.until(lambda: len(keeper.came) == 1)
    stopping = asyncio.create_task(channel.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    keeper.gate.set()
    await asyncio.wait_for(stopping, 10)
    await task
    await fake.wait_settled()
    assert keeper.words == ["last words"]
    assert fake.lost == fake.redelivered == 0


# -- sending ------------------------------------------------------------------------------


async def test_a_message_is_sent_then_changed_in_place(
    fake: FakeSlack, channel: SlackChannel
) -> None:
    ann = fake.person("U1")
    for chat in ("U1", "DU1"):
        position = await channel.send(chat, YES_NO, replaces=None)
        shown = ann.shown[-1]
        assert (shown.id, shown.labels) == (position, ["Yes", "No"])
        assert await channel.send(chat, Prompt(text="Yes ✓"), replaces=position) == position
        assert (shown.text, shown.labels) == ("Yes ✓", [])
    assert len(ann.shown) == 2


async def test_a_message_of_an_earlier_process_is_changed_in_place(
    fake: FakeSlack, channel: SlackChannel
) -> None:
    ann = fake.person("U1")
    position = await channel.send("U1", YES_NO, replaces=None)
    later = channel_on(fake)
    assert await later.send("U1", Prompt(text="Yes ✓"), replaces=position) == position
    await later.stop()
    assert [message.text for message in ann.shown] == ["Yes ✓"]


async def test_what_cannot_be_changed_is_sent_anew(fake: FakeSlack, channel: SlackChannel) -> None:
    ann = fake.person("U1")
    said = await ann.send("mine")
    assert await channel.send("U1", YES_NO, replaces="1.000001") == ann.shown[0].id
    assert await channel.send("U1", YES_NO, replaces=str(said.id)) == ann.shown[1].id


async def test_ticks_are_shown(fake: FakeSlack, channel: SlackChannel) -> None:
    ann = fake.person("U1")
    options = (
        Button(label="Housing", token="s.0.0", ticked=True),
        Button(label="Health", token="s.0.1"),
    )
    prompt = Prompt(text="Which?", options=options, layout=Layout.TICKS)
    await channel.send("U1", prompt, replaces=None)
    assert ann.shown[0].labels == ["✓ Housing", "Health"]


async def test_any_text_is_shown_as_it_is(fake: FakeSlack, channel: SlackChannel) -> None:
    ann = fake.person("U1")
    text = "<!channel> <@U2> & *x* _y_ ~z~ 🎉 שלום \u202e \u0007 end"
    await channel.send("U1", Prompt(text=text), replaces=None)
    assert ann.shown[0].text == text
    assert "<!channel>" not in ann.shown[0].raw["text"]


async def test_a_hundred_thousand_characters_arrive_whole_and_resume_where_they_stopped(
    fake: FakeSlack, channel: SlackChannel
) -> None:
    ann = fake.person("U1")
    prompt = Prompt(
        text=" ".join(f"wörd {number} 🎉" for number in range(7500)), options=YES_NO.options
    )
    fake.faults.fail("chat.postMessage", "429", retry_after=3, where=lambda _p: len(ann.shown) == 5)
    with pytest.raises(SlowDown) as told:
        await channel.send("U1", prompt, replaces=None)
    assert told.value.seconds == 3
    position = await channel.send("U1", prompt, replaces=None)
    assert "".join("".join(m.text for m in ann.shown).split()) == "".join(prompt.text.split())
    assert [bool(m.labels) for m in ann.shown] == [False] * (len(ann.shown) - 1) + [True]
    assert position == ann.shown[-1].id


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "429", "retry_after": 9}, SlowDown),
        ({"kind": "error", "error": "ratelimited"}, SlowDown),
        ({"kind": "error", "error": "channel_not_found"}, ChatGone),
        ({"kind": "error", "error": "user_disabled"}, ChatGone),
        ({"kind": "error", "error": "cannot_dm_bot"}, ChatGone),
        ({"kind": "error", "error": "is_archived"}, ChatGone),
        ({"kind": "error", "error": "account_inactive"}, ChatGone),
        ({"kind": "error", "error": "msg_too_long"}, MessageRefused),
        ({"kind": "error", "error": "invalid_blocks"}, MessageRefused),
        ({"kind": "error", "error": "msg_blocks_too_long"}, MessageRefused),
        ({"kind": "error", "error": "something_new"}, ChannelFailed),
        ({"kind": "500"}, ChannelFailed),
        ({"kind": "nonsense"}, ChannelFailed),
        ({"kind": "reset"}, ChannelFailed),
        ({"kind": "lose_reply"}, ChannelFailed),
    ],
)
async def test_each_trouble_in_sending_has_its_name(
    fault: dict[str, Any], error: type[Exception], fake: FakeSlack, channel: SlackChannel
) -> None:
    fake.person("U1")
    fake.faults.fail("chat.postMessage", **fault)
    with pytest.raises(ChannelFailed) as told:
        await channel.send("U1", YES_NO, replaces=None)
    assert type(told.value) is error
    assert "U1" not in repr(told.value)
    assert told.value.__suppress_context__


async def test_a_change_that_comes_too_soon_halts_nobody_else(
    fake: FakeSlack, channel: SlackChannel
) -> None:
    fake.person("U1")
    position = await channel.send("U1", YES_NO, replaces=None)
    fake.faults.fail("chat.update", "429", retry_after=9)
    with pytest.raises(SlowDown) as told:
        await channel.send("U1", Prompt(text="Yes ✓"), replaces=position)
    assert (told.value.seconds, told.value.whole) == (9, False)


async def test_who_left_the_workspace_is_gone(fake: FakeSlack, channel: SlackChannel) -> None:
    await fake.person("U1").deactivate()
    for chat in ("U1", "U404"):
        with pytest.raises(ChatGone):
            await channel.send(chat, YES_NO, replaces=None)


async def test_messages_still_go_out_after_reading_has_stopped(
    fake: FakeSlack, channel: SlackChannel
) -> None:
    ann = fake.person("U1")
    await channel.stop()
    assert await channel.send("U1", YES_NO, replaces=None) == ann.shown[0].id
    await eventually(lambda: fake.calls["chat.postMessage"] == 1)
