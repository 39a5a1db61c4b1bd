"""What `/metrics` shows after conversations: right values, and nobody in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from storage.store import SqlStore
from tests.e2e.house import House
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

WAVE = """
[[cohort]]
name = "markedcohort"
slack_channel = "C1"
survey = "small"
"""


async def scrape(house: House) -> str:
    async with ClientSession() as session, session.get(f"{house.url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


def read(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def talk(person: Person) -> None:
    await person.send("/start")
    await person.wait_for(lambda m: "I agree" in m.labels)
    await person.press("I agree")
    await person.wait_for(lambda m: "[goals]" in m.text)
    await person.press("Fully")
    await person.wait_for(lambda m: "[why]" in m.text)
    await person.send(f"Markedwords of {person.name}.")
    await person.wait_for(lambda m: "[end]" in m.text)


async def test_after_conversations_it_says_how_many_and_nothing_of_whom(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.door._FRESH", 0.0)
    telegram.faults.repeat = 1.0
    telegram.faults.fail("sendMessage", "429", retry_after=0)
    slack.faults.fail("chat.postMessage", "500")
    ann = telegram.person(70_707_070, first_name="Annmarker", username="annhandle")
    sue = slack.person("U8080MARK", name="Suemarker")
    house = build(telegram=telegram, slack=slack, hooks=True, more=WAVE)
    async with house.up():
        await asyncio.gather(talk(ann), talk(sue))
        await telegram.wait_settled()
        await slack.wait_settled()
        await house.until(lambda: house.rows("select count(*) n from codings")[0]["n"] == 2)
        await house.until(lambda: not house.rows("select 1 from outbox where state != 'sent'"))
        text = await scrape(house)
    shown = read(text)
    for channel in ("telegram", "slack"):
        assert shown["pulse_turns_total", channel, "wrote", "taken"] == 2
        assert shown["pulse_turns_total", channel, "pressed", "taken"] == 2
        assert shown["pulse_turn_seconds_count", channel] == 4
        assert 0 < shown["pulse_turn_seconds_sum", channel] < 60
        assert shown["pulse_sends_total", channel, "reply", "sent"] == 4
        assert shown["pulse_outbox_messages", channel, "reply", "pending"] == 0
        assert shown["pulse_outbox_messages", channel, "broadcast", "dead"] == 0
        assert shown["pulse_outbox_oldest_due_seconds", channel, "reply"] == 0
        assert shown["pulse_up", channel] == 1
    assert shown["pulse_up", "store"] == 1
    assert shown["pulse_turns_total", "telegram", "wrote", "repeated"] == 2
    assert shown["pulse_turns_total", "telegram", "pressed", "repeated"] == 2
    assert shown["pulse_sends_total", "telegram", "reply", "slowed"] == 1
    assert shown["pulse_rate_limited_total", "telegram"] == 1
    assert shown["pulse_sends_total", "slack", "reply", "failed"] == 1
    assert shown[("pulse_commit_seconds_count",)] >= 4
    assert shown[("pulse_commit_jobs_sum",)] >= 12
    assert shown["pulse_tagged_answers_total", "tagged"] == 2
    assert shown["pulse_tagged_answers_total", "failed"] == 0
    assert shown[("pulse_untagged_answers",)] == 0
    assert shown[("pulse_waves_open",)] == 0
    assert shown[("process_open_fds",)] > 0
    for marker in (
        "70707070", "Annmarker", "annhandle", "U8080MARK", "Suemarker", "Markedwords", "Fully",
        "markedcohort", "small", "C1", "T0000000001", "TEST", slack.signing_secret, "127.0.0.1",
    ):  # fmt: skip
        assert marker not in text
    people = house.rows("select respondent_id from respondents")
    assert len(people) == 2
    assert all(row["respondent_id"] not in text for row in people)


async def test_asking_often_costs_the_store_nothing(
    build: Build, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("workload", "probe"):
        real = getattr(SqlStore, name)

        def count(store: SqlStore, *, name: str = name, real: object = real, **options: object):  # type: ignore[no-untyped-def]
            asked.append(name)
            return real(store, **options)  # type: ignore[operator]

        monkeypatch.setattr(SqlStore, name, count)
    house = build(telegram=telegram, hooks=True)
    async with house.up():
        texts = await asyncio.gather(*(scrape(house) for _ in range(30)))
    assert sorted(asked) == ["probe", "workload"]
    assert all('pulse_up{part="telegram"} 1.0' in text for text in texts)
