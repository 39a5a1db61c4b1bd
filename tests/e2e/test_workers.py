"""Several `pulse run` on one database: parts of the work, kills, waves that pause."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.e2e.house import House, Running
from tests.fakes.crowd import Crowd
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.soak.answers import SURVEY, ended, policy
from tests.soak.checking import check_all, check_invited, doubts, settle
from tests.soak.inviting import WAVE, invited, open_wave, reached

Build = Callable[..., House]

PLAN = f"""
[delivery]
slots = 8
{WAVE}"""

READS = "Reading telegram"


async def stand_by(house: House, *options: str) -> Running:
    """Start a worker where another one reads Telegram already."""
    running = await house.run(*options, ready=False)
    await house.until(lambda: len(house.rows("select * from workers")) == up(house))
    return running


def up(house: House) -> int:
    return sum(one.process.returncode is None for one in house.running)


@pytest.mark.timeout(300)
async def test_three_share_everything_and_one_of_them_is_killed(
    build: Build, postgres_url: str
) -> None:
    async with (
        FakeTelegram(token="123:TEST", per_chat_per_second=100.0) as telegram,
        FakeSlack(limits=False) as slack,
    ):
        house = build(
            telegram=telegram, slack=slack, surveys=[SURVEY], more=PLAN, storage=postgres_url
        )
        first = await house.run()
        await house.run(ready=False)
        await house.run(ready=False)
        await house.until(lambda: len(house.rows("select * from workers")) == 3)
        people = invited(house, telegram, 150)
        groups: list[list[Person]] = [
            [telegram.person(100 + number) for number in range(4)],
            [slack.person(f"UP{number}", name=f"S{number}") for number in range(4)],
        ]
        crowds = [
            Crowd(group, policy, ended, patience=3.0, think=(0.3, 1.0), seed=1) for group in groups
        ]
        talking = [asyncio.create_task(crowd.run(100)) for crowd in crowds]
        await open_wave(house)
        await telegram.wait_until(lambda: reached(people) >= 40, 90)
        # The one that reads Telegram and keeps the schedule; whoever takes over does both.
        await first.kill()
        await telegram.wait_until(lambda: reached(people) == 150, 90)
        reports = await asyncio.gather(*talking)
        assert [report.unfinished for report in reports] == [[], []]
        await settle(house)
        answers = check_all(house, crowds)
        in_doubt = sum(doubts(one) for one in house.running)
        for running in house.running[1:]:
            assert await running.terminate() == 0, running.said
        assert in_doubt <= 2 * 8
        again = sum(crowd.again for crowd in crowds)
        assert telegram.duplicates + slack.duplicates <= in_doubt + again
        assert telegram.earned_429 == 0
        readers = sum(one.said.count(READS) for one in house.running)
        assert readers >= 2
        # Two never read at once, unless one that is alive was too slow to say so.
        assert telegram.conflicts == 0 or readers > 2
        check_invited(house, people)
        # Nobody was left behind, and nobody's part of the rate either.
        assert house.rows("select * from workers") == []
        assert house.rows("select * from leases") == []
        print(f"{answers} answers, {in_doubt} in doubt, {telegram.duplicates} twice")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)])
async def test_each_part_runs_in_a_program_of_its_own(
    build: Build, telegram: FakeTelegram, engine: str, request: pytest.FixtureRequest
) -> None:
    storage = request.getfixturevalue("postgres_url") if engine == "postgres" else ""
    house = build(telegram=telegram, surveys=[SURVEY], more=PLAN, storage=storage)
    await house.run("--only", "delivery", ready=False)
    await house.run("--only", "schedule", "--only", "tagging", ready=False)
    await house.run("--only", "web")
    people = invited(house, telegram, 3)
    crowd = Crowd([telegram.person(100), telegram.person(101)], policy, ended, think=(0.0, 0.1))
    talking = asyncio.create_task(crowd.run(90))
    await open_wave(house)
    await telegram.wait_until(lambda: reached(people) == 3, 60)
    assert (await talking).unfinished == []
    await settle(house)
    assert check_all(house, [crowd]) == 20
    second = await house.run("--only", "delivery", ready=False)
    if engine == "sqlite":
        assert await second.ended() == 1
        assert "(delivery)" in second.said
    else:
        await house.until(lambda: len(house.rows("select * from workers")) == 4)
    for running in house.running:
        assert await running.terminate() in (0, 1), running.said


@pytest.mark.timeout(240)
async def test_a_pause_holds_in_every_worker_within_seconds_and_so_does_going_on(
    build: Build, postgres_url: str
) -> None:
    async with FakeTelegram(token="123:TEST") as telegram:
        house = build(telegram=telegram, surveys=[SURVEY], more=PLAN, storage=postgres_url)
        await house.run()
        await stand_by(house)
        people = invited(house, telegram, 300)
        wave = await open_wave(house)
        await telegram.wait_until(lambda: reached(people) >= 30, 60)
        assert (await house.pulse("wave", "pause", wave)).status == 0
        await asyncio.sleep(2)
        paused_at = reached(people)
        assert paused_at < 300
        await asyncio.sleep(2)
        assert reached(people) == paused_at
        assert (await house.pulse("wave", "resume", wave)).status == 0
        await telegram.wait_until(lambda: reached(people) > paused_at, 10)
        await telegram.wait_until(lambda: reached(people) == 300, 60)
        for running in house.running:
            assert await running.terminate() == 0, running.said
        assert telegram.earned_429 == 0
        assert Counter(len(person.shown) for person in people) == {1: 300}


@pytest.mark.timeout(240)
async def test_whoever_stands_by_reads_within_seconds_when_the_reader_is_killed(
    build: Build, telegram: FakeTelegram, postgres_url: str
) -> None:
    house = build(telegram=telegram, surveys=[SURVEY], more=PLAN, storage=postgres_url)
    reader = await house.run()
    other = await stand_by(house)
    assert READS not in other.said
    await reader.kill()
    ann = telegram.person(7)
    killed_at = time.monotonic()
    await ann.start()
    await ann.wait_for(lambda message: "[consent]" in message.text, timeout=30)
    print(f"taken over after {time.monotonic() - killed_at:.1f} s")
    assert READS in other.said
