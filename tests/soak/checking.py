"""What has to be true of the database and the chats, whatever went wrong meanwhile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.e2e.house import House, Running
from tests.fakes.crowd import Crowd
from tests.fakes.people import Person
from tests.soak.answers import QUESTIONS, TYPED, acknowledged, mark, meant, platform_id

__all__ = [
    "check_acknowledged",
    "check_all",
    "check_invited",
    "doubts",
    "settle",
    "stuck",
]


def doubts(running: Running) -> int:
    """Give how many messages a program found in doubt."""
    found = re.findall(r"(\d+) messages on \w+ were in doubt", running.said)
    return sum(int(count) for count in found)


async def settle(house: House) -> None:
    """Wait until nothing is left to send or to tag."""
    left = "select 1 from outbox where state in ('pending', 'claimed')"
    await house.until(lambda: not house.rows(left) and not house.untagged(), seconds=120)


def _stored(house: House) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Give what is stored: by person and question, every value with its words."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in house.rows(
        "select d.platform_id, a.question_id, a.value, a.text from answers a"
        " join responses r using (response_id) join addresses d using (respondent_id)"
        " where a.missing is null"
    ):
        key = (row["platform_id"], row["question_id"])
        found.setdefault(key, []).append((row["value"], row["text"]))
    return found


def check_acknowledged(house: House, crowds: Sequence[Crowd]) -> int:
    """Hold the database to everything that people were shown as received; give how much."""
    # First what they saw: the database may go on meanwhile.
    shown = [
        (person_id, question)
        for crowd in crowds
        for person_id, exchanges in crowd.exchanges.items()
        for question in set(acknowledged(exchanges))
    ]
    people = {one: talk.person for crowd in crowds for one, talk in crowd.talks.items()}
    kept = _stored(house) if shown else {}
    for person_id, question in shown:
        values = [value for value, _ in kept.get((platform_id(person_id), question), [])]
        assert values == [meant(person_id, question)], (
            f"{person_id} was shown {question} as received, stored is {values}\n"
            + people[person_id].transcript()
        )
    return len(shown)


def check_all(house: House, crowds: Sequence[Crowd]) -> int:
    """Hold the database to every answer of everybody; give how many there are."""
    kept = _stored(house)
    count = 0
    for crowd in crowds:
        for person_id, talk in crowd.talks.items():
            for question in QUESTIONS:
                values = [value for value, _ in kept.get((platform_id(person_id), question), [])]
                assert values == [meant(person_id, question)], (
                    f"{person_id} at {question}: stored is {values}\n" + talk.person.transcript()
                )
                count += 1
    assert count == sum(map(len, kept.values()))
    outcomes = Counter(row["disposition"] for row in house.rows("select * from responses"))
    assert outcomes == {"complete": sum(len(crowd.talks) for crowd in crowds)}
    assert house.rows("select count(*) n from codings")[0]["n"] == len(TYPED) * outcomes["complete"]
    return count


def check_invited(house: House, people: Sequence[Person]) -> int:
    """Hold the platform to one invitation for everybody, save where the database itself says
    that it was in doubt; give how many came more than once.
    """
    rows = house.rows(
        "select d.platform_id, count(*) as n, max(o.doubt) as doubt from outbox o"
        " join invitations i using (respondent_id) join addresses d using (respondent_id)"
        " where o.lane = 1 group by d.platform_id"
    )
    doubtful = {row["platform_id"]: bool(row["doubt"]) for row in rows}
    assert [row["n"] for row in rows] == [1] * len(people)
    twice = 0
    for person in people:
        count = sum(mark(message.text) == "consent" for message in person.shown)
        doubt = doubtful[platform_id(person.id)]
        assert count == 1 or (count > 1 and doubt), (
            f"{person.id} was invited {count} times, in doubt: {doubt}\n{person.transcript()}"
        )
        twice += count - 1
    return twice


def stuck(crowds: Sequence[Crowd], unfinished: Sequence[Any], running: Running) -> str:
    """Describe conversations that did not end."""
    talks = [crowd.talks[one] for crowd in crowds for one in unfinished if one in crowd.talks]
    shown = "\n\n".join(f"{talk.person.transcript()}\n{talk.person.acts()}" for talk in talks[:3])
    return f"{unfinished} did not end:\n{shown}\n{running.said[-2000:]}"
