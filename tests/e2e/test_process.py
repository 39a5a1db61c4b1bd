"""The process `pulse run`: its end, its restarts, its troubles, and what it says of them."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from pathlib import Path

from tests.e2e.house import House
from tests.fakes.crowd import Crowd, answers
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]


async def agreed(person: Person) -> None:
    """Begin and agree, up to the first question."""
    await person.send("/start")
    await person.wait_for(lambda m: "I agree" in m.labels)
    await person.press("I agree")
    await person.wait_for(lambda m: "[goals]" in m.text)


async def test_sigterm_amid_traffic_ends_well_and_the_restart_goes_on(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack)
    policy = answers(words=["It works."], prefer=["I agree", "Fully"])
    crowds = [
        Crowd(group, policy, lambda m: "[end]" in m.text, think=(0.0, 0.4), patience=3.0)
        for group in (
            [telegram.person(100 + n) for n in range(12)],
            [slack.person(f"UP{n}") for n in range(12)],
        )
    ]
    talking = [asyncio.create_task(crowd.run(60)) for crowd in crowds]
    statuses = []
    for _ in range(2):
        running = await house.run("--verbose")
        await asyncio.sleep(0.4)
        statuses.append(await running.terminate())
        assert house.rows("select 1 from outbox where state = 'claimed'") == []
        started = {row["session_id"]: row["turn"] for row in house.rows("select * from sessions")}
        messages = house.rows("select session_id, turn from outbox where state = 'pending'")
        assert all(row["turn"] == started[row["session_id"]] for row in messages)
    running = await house.run()
    reports = await asyncio.gather(*talking)
    await house.until(lambda: not house.rows("select 1 from outbox where state != 'sent'"))
    statuses.append(await running.terminate())
    assert statuses == [0, 0, 0]
    assert sum(report.finished for report in reports) == 24
    assert telegram.duplicates + slack.duplicates == 0
    outcomes = house.rows("select disposition, count(*) n from responses group by 1")
    assert outcomes == [{"disposition": "complete", "n": 24}]
    assert "in doubt" not in "".join(one.said for one in house.running)


async def test_a_wrong_token_is_said_and_ends_it(build: Build, telegram: FakeTelegram) -> None:
    telegram.revoke()
    house = build(telegram=telegram)
    running = await house.run(ready=False)
    assert await running.ended() == 1
    assert "@BotFather" in running.said
    assert "TEST" not in running.said
    assert "Traceback" not in running.said


async def test_a_token_that_is_revoked_leaves_the_other_channel_up(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack)
    ann, sue = telegram.person(7), slack.person("U1")
    running = await house.run()
    await asyncio.gather(agreed(ann), agreed(sue))
    telegram.revoke()
    await ann.press("Fully")
    await running.until("@BotFather")
    await sue.press("Fully")
    await sue.wait_for(lambda m: "[why]" in m.text)
    telegram.restore()
    assert await running.terminate() == 0
    # The press was never acknowledged: it is there when the token works again.
    running = await house.run()
    await ann.wait_for(lambda m: "[why]" in m.text)
    slack.revoke()
    await ann.send("It works.")
    await ann.wait_for(lambda m: "[end]" in m.text)
    assert await running.terminate() in {0, 1}
    assert "Traceback" not in running.said


async def test_slack_away_leaves_telegram_alone_and_is_made_up_for(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack)
    ann, sue = telegram.person(7), slack.person("U1")
    running = await house.run()
    await agreed(sue)
    await slack.stop()
    await agreed(ann)
    await ann.press("Fully")
    await ann.wait_for(lambda m: "[why]" in m.text)
    await slack.start()
    await slack.wait_connected()
    await sue.press("Fully")
    await sue.wait_for(lambda m: "[why]" in m.text, timeout=15)
    assert await running.terminate() == 0
    assert "Traceback" not in running.said


async def test_a_platform_that_answers_nonsense_or_not_at_all_is_borne(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack)
    ann, sue = telegram.person(7), slack.person("U1")
    telegram.faults.fail("getUpdates", "nonsense")
    telegram.faults.fail("sendMessage", "nonsense")
    slack.faults.fail("chat.postMessage", "nonsense")
    running = await house.run()
    for person in (ann, sue):
        await person.send("/start")
        await person.wait_for(lambda m: "I agree" in m.labels, timeout=20)
        await person.press("I agree")
        await person.wait_for(lambda m: "[goals]" in m.text)
    assert await running.terminate() == 0
    assert "Traceback" not in running.said


async def test_a_database_that_is_locked_for_a_while_delays_and_loses_nothing(
    build: Build, telegram: FakeTelegram
) -> None:
    house = build(telegram=telegram)
    ann = telegram.person(7)
    running = await house.run()
    await agreed(ann)
    await telegram.wait_settled()
    with house.locked():
        await ann.press("Fully")
        await asyncio.sleep(1.0)
        assert telegram.unconfirmed == 1
        assert "[goals]" in ann.newest.text if ann.newest else False
    await ann.wait_for(lambda m: "[why]" in m.text, timeout=20)
    assert await running.terminate() == 0
    assert house.rows("select value from answers where question_id = 'goals'") == [{"value": "3"}]


async def test_two_on_one_database_are_refused(build: Build, telegram: FakeTelegram) -> None:
    house = build(telegram=telegram)
    running = await house.run()
    second = await house.pulse("run")
    assert second.status == 1
    assert "Another `pulse run`" in second.err
    assert second.err.count("\n") == 1
    assert await running.terminate() == 0
    third = await house.run()
    assert await third.terminate() == 0


async def test_with_no_channel_it_says_what_to_do(build: Build) -> None:
    done = await build().pulse("run")
    assert done.status == 2
    assert "telegram.token" in done.err
    assert "Traceback" not in done.err


async def test_logs_hold_no_words_no_addresses_and_no_tokens(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack)
    ann = telegram.person(70_707_070, first_name="Annmarker")
    sue = slack.person("U8080MARK", name="Suemarker")
    running = await house.run("--verbose")
    for person in (ann, sue):
        await agreed(person)
        await person.send("secretword that fits nothing")
        await person.wait_for(lambda m: "did not understand" in m.text)
        await person.press("Fully")
        await person.wait_for(lambda m: "[why]" in m.text)
    telegram.poison(ann)
    for method, kind in (
        ("sendMessage", "500"), ("sendMessage", "nonsense"), ("getUpdates", "reset"),
        ("chat.postMessage", "500"), ("chat.postMessage", "nonsense"),
    ):  # fmt: skip
        for fake in (telegram, slack):
            fake.faults.fail(method, kind)
    await slack.cut()
    with house.locked():
        await ann.send("secretword in answer")
        await asyncio.sleep(0.3)
    await ann.wait_for(lambda m: "[end]" in m.text, timeout=20)
    telegram.revoke()
    slack.revoke()
    await ann.send("secretword at the end")
    await sue.send("secretword at the end")
    assert await running.ended() == 1
    said = running.said
    assert "Reading telegram" in said
    for marker in (
        "secretword", "70707070", "U8080MARK", "DU8080MARK", "Annmarker", "Suemarker", "123:TEST",
        "TEST", "xoxb-T", "ticket=",
    ):  # fmt: skip
        assert marker not in said, said


async def test_after_a_kill_no_tagger_is_left_behind(build: Build, telegram: FakeTelegram) -> None:
    house = build(telegram=telegram)
    ann = telegram.person(7)
    running = await house.run()
    await agreed(ann)
    await ann.press("Fully")
    await ann.wait_for(lambda m: "[why]" in m.text)
    await ann.send("It works.")
    await ann.wait_for(lambda m: "[end]" in m.text)
    await house.until(lambda: not house.untagged())
    (tagger,) = [Path("/proc", pid) for pid in running.children()]
    await running.kill()
    await house.until(lambda: not tagger.exists())
    codes = house.rows("select enabler, coder from codings")
    assert codes == [{"enabler": "shared_goals", "coder": "stub@1"}]


def _catches_sigterm(pid: int) -> bool:
    mask = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return mask is not None and bool(int(mask[1], 16) >> (signal.SIGTERM - 1) & 1)


async def test_sigterm_while_it_still_begins_ends_well(
    build: Build, telegram: FakeTelegram
) -> None:
    house = build(telegram=telegram, tagger=True)
    said: list[str] = []
    # Where this test is slow to ask, the program has begun by then and ends as it always does.
    while "pulse: stopped before it had begun.\n" not in said:
        assert len(said) < 10, said
        running = await house.run(ready=False)
        async with asyncio.timeout(20):
            while not _catches_sigterm(running.process.pid):
                await asyncio.sleep(0.001)
        assert await running.terminate() == 0
        said.append(running.said)
