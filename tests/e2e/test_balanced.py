"""Several `pulse run` on one PostgreSQL, behind a balancer to which the platforms come."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from tests.e2e.house import House
from tests.fakes.crowd import Crowd, answers
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.web.balancer import balancing
from tests.web.serving import free_port

Build = Callable[..., House]


async def turns(port: int) -> dict[str, int]:
    """Give how many inbounds a worker has taken, by channel."""
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    found: dict[str, int] = {}
    pattern = r'^pulse_turns_total\{channel="(\w+)".*outcome="taken"\} (\d+)'
    for channel, number in re.findall(pattern, text, re.MULTILINE):
        found[channel] = found.get(channel, 0) + int(number)
    return found


@pytest.mark.timeout(300)
async def test_any_worker_takes_what_comes_and_the_last_takes_the_webhook_away(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, postgres_url: str
) -> None:
    telegram.faults.repeat = slack.faults.repeat = 0.2
    slack.faults.fresh_event_id = True
    slack.retry_delays = (0.0, 1.0, 5.0)
    house = build(telegram=telegram, slack=slack, hooks=True, storage=postgres_url)
    policy = answers(words=["It works."], prefer=["I agree", "Fully"], avoid=["Skip", "Back"])
    crowds = [
        Crowd(group, policy, lambda m: "[end]" in m.text, patience=10.0)
        for group in (
            [telegram.person(100 + n) for n in range(8)],
            [slack.person(f"UP{n}") for n in range(8)],
        )
    ]
    ports = [free_port(), free_port()]
    async with balancing(house.port, ports) as balancer:
        first, second = [await house.run(port=port) for port in ports]
        await balancer.wait_ready()
        reports = await asyncio.gather(*(crowd.run(120) for crowd in crowds))
        await telegram.wait_settled(30)
        await slack.wait_settled(30)
        assert [report.unfinished for report in reports] == [[], []]
        for port in ports:
            assert min((await turns(port)).values()) > 0, balancer.served
        assert await first.terminate() == 0
        assert telegram.webhook.url
        late = telegram.person(200)
        await late.send("/start")
        await late.wait_for(lambda m: "I agree" in m.labels, timeout=20)
        await telegram.wait_settled(30)
        assert await second.terminate() == 0
    assert telegram.webhook.url == ""
    assert telegram.duplicates + slack.duplicates == 0
    outcomes = house.rows("select disposition, count(*) as n from responses group by disposition")
    assert outcomes == [{"disposition": "complete", "n": 16}]
    edits = house.rows("select sum(n_edits) as n, count(*) as answers from answers")
    assert edits == [{"n": 0, "answers": 32}]
    for person in (*telegram.people.values(), *slack.people.values()):
        if person is not late:
            assert len(person.shown) == 4, person.transcript()
    for running in (first, second):
        assert "Traceback" not in running.said, running.said


@pytest.mark.timeout(300)
async def test_a_worker_that_is_killed_loses_nothing_to_the_other(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, postgres_url: str
) -> None:
    slack.retry_delays = (0.0, 1.0, 5.0)
    house = build(telegram=telegram, slack=slack, hooks=True, storage=postgres_url)
    policy = answers(words=["It works."], prefer=["I agree", "Fully"], avoid=["Skip", "Back"])
    crowds = [
        Crowd(group, policy, lambda m: "[end]" in m.text, patience=5.0, think=(0.0, 2.0))
        for group in (
            [telegram.person(100 + n) for n in range(8)],
            [slack.person(f"UP{n}") for n in range(8)],
        )
    ]
    ports = [free_port(), free_port()]
    async with balancing(house.port, ports) as balancer:
        first, second = [await house.run(port=port) for port in ports]
        await balancer.wait_ready()
        talking = [asyncio.create_task(crowd.run(120)) for crowd in crowds]
        await house.until(lambda: house.rows("select 1 from answers where value is not null"))
        await first.kill()
        reports = await asyncio.gather(*talking)
        assert [report.unfinished for report in reports] == [[], []]
        await telegram.wait_settled(30)
        assert await second.terminate() == 0
    assert telegram.webhook.url == ""
    values = house.rows("select distinct value from answers order by value")
    assert values == [{"value": "3"}, {"value": "It works."}]
    counts = house.rows("select count(*) as n from answers")
    assert counts == [{"n": 32}]
    # What was under way in the one that was killed may have come twice, and no more.
    in_doubt = sum(map(int, re.findall(r"(\d+) messages on \w+ were in doubt", second.said)))
    twice = in_doubt + sum(crowd.again for crowd in crowds)
    assert telegram.duplicates + slack.duplicates <= twice


@pytest.mark.timeout(300)
async def test_one_persons_words_at_once_through_two_workers_are_each_kept_once(
    build: Build, telegram: FakeTelegram, postgres_url: str
) -> None:
    telegram.webhook.in_order = False
    telegram.faults.repeat = 0.5
    house = build(telegram=telegram, hooks=True, storage=postgres_url)
    ann = telegram.person(7)
    ports = [free_port(), free_port()]
    async with balancing(house.port, ports) as balancer:
        workers = [await house.run(port=port) for port in ports]
        await balancer.wait_ready()
        await ann.send("/start")
        await ann.wait_for(lambda m: "I agree" in m.labels, timeout=20)
        await ann.press("I agree")
        await ann.wait_for(lambda m: "[goals]" in m.text, timeout=20)
        await ann.press("Fully")
        await ann.wait_for(lambda m: "[why]" in m.text, timeout=20)
        for number in range(12):
            ann.say(f"Words {number}.")
        await telegram.wait_settled(60)
        await ann.wait_for(lambda m: "[end]" in m.text, timeout=20)
        for worker in workers:
            assert await worker.terminate() == 0
    assert house.rows("select count(*) as n from inbound") == [{"n": 15}]
    (why,) = house.rows("select text from answers where question_id = 'why'")
    kept = why["text"].split("\n")
    assert len(kept) == len(set(kept))
    assert set(kept) <= {f"Words {number}." for number in range(12)}
    assert sum("[end]" in message.text for message in ann.shown) == 1
