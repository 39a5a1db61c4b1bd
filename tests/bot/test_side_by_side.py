"""Two programs on one PostgreSQL: one person's turns follow one another, each is kept once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from bot.app import new_id
from bot.channels.base import Wrote
from storage.open import open_writer
from storage.protocol import Store
from storage.writer import Writer
from tests.bot.place import Place
from tests.bot.ports import FakeClock
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
        # Both are in the middle: the one who erases waits, or is done where it does not.
        while not erasing.done() and not places[0].rows("select 1 from pg_locks where not granted"):
            time.sleep(0.01)
        go_on.set()
        telling.result()
        erasing.result()
    desk.tick()
    assert places[0].rows("select 1 from results where told_after is not null") == []
    assert gone not in str(places[0].rows("select * from outbox"))
    assert set(desk.told()) == {*PEOPLE, "silent", "C1"} - {gone}
