"""Two programs on one PostgreSQL: one person's turns follow one another, each is kept once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest

from bot.app import new_id
from bot.channels.base import Wrote
from storage.open import open_writer
from storage.protocol import Store
from storage.writer import Writer
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.bot.ports import FakeClock
from tests.bot.test_drawing import FOUR, MANY, NEXT, OPENS, drawn, people, spread
from tests.bot.test_results import PEOPLE, Desk, Job


@pytest.fixture
def places(postgres_url: str) -> Iterator[list[Place]]:
    """Two runners with a writer each, and one clock."""
    writers = [open_writer(postgres_url, connections=3) for _ in range(2)]
    clock = FakeClock()
    yield [Place(writer, clock, postgres_url, new_id=new_id) for writer in writers]
    for writer in writers:
        writer.close()


def wrote(place: Place, name: str, text: str, number: int) -> Wrote:
    return Wrote(
        address=place.address(name),
        text=text,
        position=f"{number:09}",
        event_id=f"{name}-{number}",
        at=place.clock.pass_(milliseconds=1),
    )


async def take(writer: Writer, place: Place, inbound: Wrote) -> bool:
    return await writer.run(partial(place.runner.take, inbound=inbound), key=inbound.address.key)


async def test_what_reaches_both_at_once_is_taken_by_one(places: list[Place]) -> None:
    """A balancer that tries again elsewhere; ten people, each in a hurry."""
    people = [f"p{number}" for number in range(10)]
    words = ["hello", "I agree", "yes", "we meet", "no", "help", "back", "yes", "more", "stop"]
    inbounds = [
        wrote(places[0], name, text, number) for number, text in enumerate(words) for name in people
    ]
    taken = await asyncio.gather(
        *(
            take(place.writer, place, inbound)
            for inbound in inbounds
            for place in (places if len(inbound.text) % 2 else places[::-1])
        )
    )
    assert Counter(taken) == {True: 100, False: 100}
    place = places[0]
    assert len(place.rows("select 1 from inbound")) == 100
    assert len(place.rows("select 1 from respondents")) == 10
    # One conversation each, wherever it began.
    assert Counter(
        row["n"] for row in place.rows("select count(*) n from sessions group by respondent_id")
    ) == {1: 10}
    # Nobody was shown a turn twice, and none is missing.
    shown = place.rows("select session_id, turn from outbox where session_id is not null")
    assert len({(row["session_id"], row["turn"]) for row in shown}) == len(shown)


async def test_a_conversation_goes_on_wherever_the_next_word_arrives(places: list[Place]) -> None:
    for number, text in enumerate(["hello", "I agree", "yes", "We meet every week."]):
        place = places[number % 2]
        place.deliver()
        places[1 - number % 2].position = place.position
        place.position += 1
        assert await take(place.writer, place, wrote(place, "ann", text, place.position))
    [why] = places[0].rows("select text from answers where question_id = 'why'")
    assert why["text"] == "We meet every week."
    assert places[0].rows("select disposition from responses") == [{"disposition": "complete"}]


async def test_a_person_whom_both_meet_first_is_one_person(places: list[Place]) -> None:
    for number in range(20):
        name = f"p{number}"
        await asyncio.gather(
            *(
                take(place.writer, place, wrote(place, name, "hello", which))
                for which, place in enumerate(places)
            )
        )
    assert len(places[0].rows("select 1 from respondents")) == 20
    assert len(places[0].rows("select 1 from sessions")) == 20


def test_who_is_erased_while_people_are_told_is_named_nowhere(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.results._BATCH", 5)
    desk, gone = Desk(places[0]), PEOPLE[4]
    desk.wave()
    told, go_on = Event(), Event()

    def run(job: Job) -> object:
        def and_stay(store: Store) -> object:
            result = job(store)
            if result == gone:
                told.set()
                go_on.wait(120)
            return result

        return places[0].run(and_stay)

    def erase(store: Store) -> None:
        store.erase(
            gone,
            at=places[0].clock(),
            erasure_id="e",
            actor="respondent",
            farewell=None,
            leaving_id="x",
        )

    with ThreadPoolExecutor() as threads:
        telling = threads.submit(desk.tick, run)
        assert told.wait(120)
        erasing = places[1].writer.submit(erase)
        _until_somebody_waits(places[0], erasing)
        go_on.set()
        telling.result()
        erasing.result()
    desk.tick()
    assert places[0].rows("select 1 from results where told_after is not null") == []
    assert gone not in str(places[0].rows("select * from outbox"))
    assert set(desk.told()) == {*PEOPLE, "silent", "C1"} - {gone}


def test_two_schedules_at_once_open_each_wave_once_and_draw_evenly(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the wave due at the same instant, and invite the same people page by page, while
    others come by themselves.
    """
    monkeypatch.setattr("bot.inviting.BATCH", 5)
    for place in places:
        place.set_up(FOUR, more=(MANY,))
    members, keen = people(61), people(20, first=100)
    places[0].join(*members, *keen)
    both = Counter[str]()
    for number, opens_at in enumerate((OPENS, NEXT), 1):
        places[0].clock.at = opens_at
        wave_id = f"monthly-riverside-{opens_at.date()}"
        _at_once(
            *(place.tick for place in places),
            *(partial(_come, place, keen[one::2]) for one, place in enumerate(places)),
        )
        waves = places[0].rows("select wave_id, seed from waves order by opens_at")
        assert len(waves) == number
        assert (waves[-1]["wave_id"], bool(waves[-1]["seed"])) == (wave_id, True)
        for table in ("invitations", "sessions"):
            found = places[0].rows(f"select * from {table} where wave_id = ?", wave_id)
            assert sorted(row["respondent_id"] for row in found) == [*members, *keen]
        counts = Counter(one for draw in drawn(places[0], wave_id).values() for one in draw)
        assert sum(counts.values()) == 4 * 81
        assert spread(counts) <= 1
        kept = places[0].rows("select * from draws where wave_id = ?", wave_id)
        assert {row["question_id"]: row["n"] for row in kept} == counts
        both += counts
    assert spread(both) <= 1


def test_of_two_days_opened_at_once_the_earlier_is_not_opened_behind_the_later(
    places: list[Place],
) -> None:
    """One worker's clock, or a hand, is a month ahead of the other's."""
    later, earlier = (place.waves for place in places)
    waves = [later.plan(MONTHLY, RIVERSIDE, at) for at in (NEXT, OPENS)]
    opened, go_on = Event(), Event()

    def run(job: Job) -> object:
        def and_stay(store: Store) -> object:
            result = job(store)
            opened.set()
            go_on.wait(120)
            return result

        return places[0].run(and_stay)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(later.open, waves[0], run)
        assert opened.wait(120)
        second = threads.submit(earlier.open, waves[1], places[1].run)
        _until_somebody_waits(places[0], second)
        go_on.set()
        assert (first.result(), second.result()) == (True, False)
    [wave] = places[0].rows("select wave_id from waves")
    assert wave["wave_id"] == waves[0].wave_id


def _at_once(*jobs: Callable[[], None]) -> None:
    """Let jobs begin at the same moment, each in a thread of its own."""
    ready = Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        ready.wait(120)
        job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        for running in [threads.submit(run, job) for job in jobs]:
            running.result()


def _come(place: Place, names: Sequence[str]) -> None:
    """Let people come by themselves while others open the wave."""
    for name in names:
        place.write(name, "/start")


def test_who_comes_while_another_worker_draws_waits_for_what_it_drew(places: list[Place]) -> None:
    for place in places:
        place.set_up(replace(FOUR, questions_per_person=7), more=(MANY,))
    places[0].tick(OPENS)
    places[0].join("ann", "bob")
    drew, go_on = Event(), Event()
    take = partial(places[0].runner.take, inbound=wrote(places[0], "ann", "/start", 1))

    def and_stay(store: Store) -> None:
        take(store)
        drew.set()
        go_on.wait(120)

    with ThreadPoolExecutor() as threads:
        anns = threads.submit(places[0].run, and_stay)
        assert drew.wait(120)
        bobs = threads.submit(places[1].write, "bob", "/start")
        _until_somebody_waits(places[0], bobs)
        go_on.set()
        anns.result()
        bobs.result()
    draws = drawn(places[0])
    counts = Counter(one for draw in draws.values() for one in draw)
    assert (len(draws), sum(counts.values()), spread(counts)) == (2, 14, 1)


def _until_somebody_waits(place: Place, other: Future[Any]) -> None:
    """Wait until the other one waits for a lock, or is done where it needs none."""
    while not other.done() and not place.rows("select 1 from pg_locks where not granted"):
        time.sleep(0.01)
