"""Whole conversations by webhook and HTTP, on both platforms, and what is kept from them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
from aiohttp import ClientSession

from bot.channels.telegram_webhook import secret_of
from tests.e2e.disk import Disk
from tests.e2e.house import House
from tests.fakes.crowd import Crowd, answers
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_delivery import sign
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

WHY = "select text, n_edits from answers where question_id = 'why' order by text"


async def agreed(person: Person) -> None:
    """Begin and agree, up to the first question."""
    await person.send("/start")
    await person.wait_for(lambda m: "I agree" in m.labels)
    await person.press("I agree")
    await person.wait_for(lambda m: "[goals]" in m.text)


async def answered(person: Person, words: str) -> None:
    """Answer both questions."""
    await person.press("Fully")
    await person.wait_for(lambda m: "[why]" in m.text)
    await person.send(words)
    await person.wait_for(lambda m: "[end]" in m.text)


async def get(house: House, path: str) -> tuple[int, str]:
    """Look at a page."""
    async with ClientSession() as session, session.get(house.url + path) as answer:
        return answer.status, await answer.text()


async def post(house: House, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Knock at the door; give the status."""
    given = {"Content-Type": "application/json", **headers}
    async with (
        ClientSession() as session,
        session.post(house.url + path, data=BytesIO(body), headers=given) as answer,
    ):
        assert await answer.text() == ""
        return answer.status


async def test_both_platforms_at_once(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack, hooks=True)
    ann, sue = telegram.person(7, first_name="Ann"), slack.person("U1", name="Sue")
    async with house.up():
        await asyncio.gather(agreed(ann), agreed(sue))
        await asyncio.gather(answered(ann, "We meet."), answered(sue, "We talk."))
        for person in (ann, sue):
            for press in person.presses:
                await person.wait_until(lambda press=press: press.answered)
        assert await sue.slash("/pulse", "help")
        await sue.wait_for(lambda m: "stop" in m.text)
        said = next(message for message in sue.chat if message.text == "We talk.")
        await sue.edit(said, "We talk a lot.")
        await house.until(lambda: {"text": "We talk a lot.", "n_edits": 1} in house.rows(WHY))
        await house.until(lambda: house.rows("select count(*) n from codings")[0]["n"] == 2)
        await telegram.wait_settled()
        await slack.wait_settled()
    assert telegram.webhook.url == ""
    assert telegram.calls["getUpdates"] == slack.calls["apps.connections.open"] == 0
    assert telegram.calls["answerCallbackQuery"] == 0
    assert slack.lost == 0
    rows = house.rows("select value, disposition from answers join responses using (response_id)")
    assert sorted(row["value"] for row in rows) == ["3", "3", "We meet.", "We talk a lot."]
    assert {row["disposition"] for row in rows} == {"complete"}


async def test_repeated_requests_change_nothing_and_say_nothing(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    telegram.faults.repeat = slack.faults.repeat = 1.0
    slack.faults.fresh_event_id = True
    house = build(telegram=telegram, slack=slack, hooks=True)
    ann, sue = telegram.person(7), slack.person("U1")
    async with house.up():
        for person in (ann, sue):
            await agreed(person)
            await answered(person, "It works.")
        await telegram.wait_settled()
        await slack.wait_settled()
    assert telegram.redelivered >= 4
    assert slack.redelivered >= 3
    for person in (ann, sue):
        assert len(person.shown) == 4, person.transcript()
    assert house.rows("select n_edits from answers") == [{"n_edits": 0}] * 4


async def test_what_a_failing_store_did_not_keep_comes_again_and_is_kept_once(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, disk: Disk
) -> None:
    slack.retry_delays = (0.0, 0.3, 6.0)
    house = build(telegram=telegram, slack=slack, hooks=True)
    ann, sue = telegram.person(7), slack.person("U1")
    async with house.up():
        await asyncio.gather(agreed(ann), agreed(sue))
        for person in (ann, sue):
            await person.press("Fully")
            await person.wait_for(lambda m: "[why]" in m.text)
        await telegram.wait_settled()
        await slack.wait_settled()
        assert json.loads((await get(house, "/readyz"))[1])["checks"]["store"] == "up"
        disk.full = True
        ann.say("We meet.")
        sue.say("We talk.")
        await asyncio.sleep(0.3)
        assert (telegram.unconfirmed, telegram.redelivered > 0) == (1, True)
        status, text = await get(house, "/readyz")
        async with asyncio.timeout(10):
            while status == 200:
                await asyncio.sleep(0.2)
                status, text = await get(house, "/readyz")
        assert json.loads(text)["checks"] == {"store": "down", "telegram": "up", "slack": "up"}
        assert (await get(house, "/healthz"))[0] == 200
        assert (await get(house, "/metrics"))[0] == 200
        disk.full = False
        for person in (ann, sue):
            await person.wait_for(lambda m: "[end]" in m.text, timeout=10)
        await telegram.wait_settled()
        await slack.wait_settled()
    assert slack.redelivered >= 1
    assert house.rows(WHY) == [
        {"text": "We meet.", "n_edits": 0},
        {"text": "We talk.", "n_edits": 0},
    ]
    for person in (ann, sue):
        assert len(person.shown) == 4, person.transcript()


async def test_killed_between_receipt_and_commit_nothing_is_lost_or_doubled(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    # However long the restart takes: Slack itself takes minutes.
    slack.retry_delays = (0.0, 0.5, 2.0, *(5.0,) * 12)
    house = build(telegram=telegram, slack=slack, hooks=True)
    ann, sue = telegram.person(7), slack.person("U1")
    running = await house.run()
    await asyncio.gather(agreed(ann), agreed(sue))
    for person in (ann, sue):
        await person.press("Fully")
        await person.wait_for(lambda m: "[why]" in m.text)
    await telegram.wait_settled()
    await slack.wait_settled()
    with house.locked():
        telegram.handed = 0
        said = [ann.say("We meet."), sue.say("We talk.")]
        async with asyncio.timeout(10):
            while any(message.handed_at is None for message in said):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert telegram.unconfirmed == 1
        await running.kill()
    assert house.rows(WHY) == [{"text": "", "n_edits": 0}] * 2
    # The webhook still stands: nobody was there to take it away.
    assert telegram.webhook.url
    running = await house.run()
    for person in (ann, sue):
        await person.wait_for(lambda m: "[end]" in m.text, timeout=60)
    await telegram.wait_settled()
    assert await running.terminate() == 0
    assert [row["text"] for row in house.rows(WHY)] == ["We meet.", "We talk."]
    assert telegram.webhook.url == ""


async def test_what_is_forged_stale_or_malformed_leaves_nothing(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack, hooks=True)
    update = json.dumps({
        "update_id": 1,
        "message": {
            "message_id": 1, "from": {"id": 7, "is_bot": False, "first_name": "Ann"}, "date": 1,
            "chat": {"id": 7, "type": "private"}, "text": "/start",
        },
    }).encode()  # fmt: skip
    event = json.dumps({
        "type": "event_callback", "team_id": slack.team_id,
        "event": {
            "type": "message", "channel_type": "im", "channel": "DU1", "user": "U1", "ts": "1.1",
            "text": "start",
        },
    }).encode()  # fmt: skip
    secret = {"X-Telegram-Bot-Api-Secret-Token": secret_of(telegram.token)}
    now = int(time.time())
    running = await house.run()
    for path, body, headers, status in (
        ("/telegram/webhook", update, {}, 403),
        ("/telegram/webhook", update, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, 403),
        ("/telegram/webhook", update[:-1], secret, 400),
        ("/telegram/webhook", update + b" " * 1_100_000, secret, 413),
        ("/telegram/webhook", update, secret | {"Content-Encoding": "gzip"}, 415),
        ("/telegram/webhook", update, secret | {"Content-Type": "text/html"}, 415),
        ("/telegram/other", update, secret, 404),
        ("/slack/events", event, {}, 403),
        ("/slack/events", event, sign("another secret", event, now), 403),
        ("/slack/events", event, sign(slack.signing_secret, event, now - 400), 403),
        ("/slack/events", event, sign(slack.signing_secret, event, now + 400), 403),
        ("/slack/events", event[:-1], sign(slack.signing_secret, event[:-1], now), 400),
    ):
        assert await post(house, path, body, headers) == status, (path, status)
    metrics = (await get(house, "/metrics"))[1]
    assert await running.terminate() == 0
    assert house.rows("select * from respondents") == house.rows("select * from inbound") == []
    for line in (
        'pulse_refused_requests_total{kind="forged"} 4.0',
        'pulse_refused_requests_total{kind="stale"} 2.0',
        'pulse_refused_requests_total{kind="malformed"} 4.0',
        'pulse_refused_requests_total{kind="oversized"} 1.0',
        'pulse_refused_requests_total{kind="unknown"} 1.0',
    ):
        assert line in metrics
    assert "Refused 1 web request: stale" in running.said
    assert "Traceback" not in running.said
    # The same, as the platforms send it, is taken.
    running = await house.run()
    assert await post(house, "/telegram/webhook", update, secret) == 200
    signed = sign(slack.signing_secret, event, int(time.time()))
    assert await post(house, "/slack/events", event, signed) == 200
    assert await post(house, "/slack/events", event, signed) == 200
    assert await running.terminate() == 0
    assert len(house.rows("select * from respondents")) == 2
    assert len(house.rows("select * from inbound")) == 2


@pytest.mark.timeout(180)
async def test_fifty_people_at_once(build: Build, telegram: FakeTelegram, slack: FakeSlack) -> None:
    house = build(telegram=telegram, slack=slack, hooks=True)
    policy = answers(words=["It works."], prefer=["I agree", "Fully"], avoid=["Skip", "Back"])
    crowds = [
        Crowd(group, policy, lambda m: "[end]" in m.text)
        for group in (
            [telegram.person(100 + n) for n in range(25)],
            [slack.person(f"UP{n}") for n in range(25)],
        )
    ]
    async with house.up():
        reports = await asyncio.gather(*(crowd.run(90) for crowd in crowds))
        await telegram.wait_settled()
        await slack.wait_settled()
    assert sum(report.finished for report in reports) == 50
    assert telegram.duplicates + slack.duplicates == 0
    assert (telegram.redelivered, slack.lost) == (0, 0)
    outcomes = house.rows("select disposition, count(*) n from responses group by 1")
    assert outcomes == [{"disposition": "complete", "n": 50}]


async def test_one_persons_updates_at_once_are_each_kept_once(
    build: Build, telegram: FakeTelegram
) -> None:
    telegram.webhook.in_order = False
    telegram.faults.repeat = 1.0
    house = build(telegram=telegram, hooks=True)
    ann = telegram.person(7)
    async with house.up():
        await agreed(ann)
        await ann.press("Fully")
        await ann.wait_for(lambda m: "[why]" in m.text)
        for number in range(20):
            ann.say(f"Words {number}.")
        await telegram.wait_settled()
        await ann.wait_for(lambda m: "[end]" in m.text)
    taken = house.rows("select * from inbound")
    assert len(taken) == 23
    (why,) = house.rows(WHY)
    kept = why["text"].split("\n")
    assert len(kept) == len(set(kept))
    assert set(kept) <= {f"Words {number}." for number in range(20)}
    assert sum("[end]" in message.text for message in ann.shown) == 1


async def test_what_people_do_while_nobody_is_there_waits_at_the_platform(
    build: Build, telegram: FakeTelegram
) -> None:
    house = build(telegram=telegram, hooks=True)
    ann = telegram.person(7)
    running = await house.run()
    await agreed(ann)
    assert await running.terminate() == 0
    assert telegram.webhook.url == ""
    await ann.press("Fully")
    running = await house.run()
    await ann.wait_for(lambda m: "[why]" in m.text)
    assert await running.terminate() == 0
    # By long polling nothing is lost either, and the other way round.
    ann.say("It works.")
    text = house.config.read_text().replace('mode = "webhook"', 'mode = "polling"')
    house.config.write_text(text)
    running = await house.run(ready=False)
    await running.until("Reading telegram")
    await ann.wait_for(lambda m: "[end]" in m.text, timeout=15)
    assert await running.terminate() == 0
    assert telegram.duplicates == 0


async def test_the_end_is_told_to_balancers_first(build: Build, telegram: FakeTelegram) -> None:
    house = build(telegram=telegram, hooks=True)
    house.config.write_text(house.config.read_text() + 'drain = "2s"\n')
    ann = telegram.person(7)
    running = await house.run()
    await agreed(ann)
    ending = asyncio.create_task(running.terminate())
    async with asyncio.timeout(10):
        while (await get(house, "/readyz"))[0] == 200:
            await asyncio.sleep(0.02)
    # Whoever is not told yet is served.
    await ann.press("Fully")
    await ann.wait_for(lambda m: "[why]" in m.text)
    assert await ending == 0
    assert telegram.webhook.url == ""


async def test_a_port_that_is_taken_is_said(build: Build, telegram: FakeTelegram) -> None:
    first, second = build(telegram=telegram, hooks=True), build(telegram=telegram, hooks=True)
    running = await first.run()
    second.config.write_text(
        second.config.read_text().replace(f"port = {second.port}", f"port = {first.port}")
    )
    done = await second.pulse("run")
    assert done.status == 1
    assert f"port {first.port} (address already in use)" in done.err
    assert "Traceback" not in done.err
    assert await running.terminate() == 0


async def test_by_long_polling_the_door_is_open_where_it_is_always_to_be(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    port = build(telegram=telegram, hooks=True).port
    house = build(telegram=telegram, slack=slack, more=f"[web]\nalways = true\nport = {port}\n")
    async with house.up() as app:
        house.port = app._door.port
        async with asyncio.timeout(10):
            while (await get(house, "/readyz"))[0] != 200:
                await asyncio.sleep(0.05)
        assert json.loads((await get(house, "/readyz"))[1]) == {
            "state": "ready",
            "checks": {"store": "up", "telegram": "up", "slack": "up"},
        }
        assert await post(house, "/telegram/webhook", b"{}", {}) == 404
        assert await post(house, "/slack/events", b"{}", {}) == 404


async def test_logs_hold_no_words_no_addresses_and_no_tokens(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack, hooks=True)
    ann = telegram.person(70_707_070, first_name="Annmarker")
    sue = slack.person("U8080MARK", name="Suemarker")
    running = await house.run("--verbose")
    for person in (ann, sue):
        await agreed(person)
        await person.send("secretword that fits nothing")
        await person.wait_for(lambda m: "did not understand" in m.text)
    telegram.poison(ann)
    await slack.emit({"type": "message", "channel_type": "im", "user": "U8080MARK"})
    await post(house, "/telegram/webhook", b'{"secretword"', {})
    body = b'{"type": "event_callback", "event": {"type": "secretword"}}'
    await post(house, "/slack/events", body, sign("0" * 16, body, int(time.time())))
    await telegram.wait_settled()
    assert await running.terminate() == 0
    said = running.said
    assert "Refused" in said
    assert "cannot be read" in said
    for marker in (
        "secretword", "70707070", "U8080MARK", "Annmarker", "Suemarker", "123:TEST", "xoxb-T",
        slack.signing_secret, secret_of(telegram.token),
    ):  # fmt: skip
        assert marker not in said, said
