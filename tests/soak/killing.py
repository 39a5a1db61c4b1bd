"""People answer on both platforms while `pulse run` is killed again and again.

    tally = await kill_while_answering(folder, people=50, kills=20, seed=1)

Everybody has their own answer to each question, so that an answer that went to another
question or to another person shows. After every kill, while nothing runs, the database is
read: whatever a person was shown as received has to be there.
"""

from __future__ import annotations

import asyncio
import random
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.e2e.house import House, Running
from tests.fakes.crowd import Action, Crowd, Exchange, Press, Say
from tests.fakes.people import Message, Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

#: Messages under way at once on each platform, and so in doubt after each kill at most.
SLOTS = 4

SURVEY = """
survey = "killed"
title = "Killed survey"
ask_sector = false
thanks = "Thank you. [end]"
consent.text = "May we keep your answers? [consent]"

[[question]]
id = "goals"
kind = "scale"
text = "We want the same. [goals]"
labels = ["Not at all", "A little", "Mostly", "Fully"]
enabler = "shared_goals"

[[question]]
id = "why"
kind = "text"
text = "What makes you say so? [why]"

[[question]]
id = "example"
kind = "text"
text = "Can you give an example? [example]"

[[question]]
id = "meetings"
kind = "number"
text = "How many meetings were there? [meetings]"
min = 0
max = 1000

[[question]]
id = "count"
kind = "number"
text = "How many people came? [count]"
min = 0
max = 1000

[[question]]
id = "sectors"
kind = "multichoice"
text = "Who was there? [sectors]"
choices = ["Council", "Charity", "Business", "Residents"]

[[question]]
id = "service"
kind = "choice"
text = "Which service is it about? [service]"
choices = ["Housing", "Health", "Schools", "Police"]

[[question]]
id = "again"
kind = "yesno"
text = "Would you do it again? [again]"

[[question]]
id = "risk"
kind = "scale"
text = "We talk about what could go wrong. [risk]"
labels = ["Never", "Sometimes", "Often", "Always"]
enabler = "risk"

[[question]]
id = "last"
kind = "text"
text = "What else? [last]"
"""

ORDER = (
    "consent", "goals", "why", "example", "meetings", "count", "sectors", "service", "again",
    "risk", "last", "end",
)  # fmt: skip
QUESTIONS = ORDER[1:-1]
TYPED = {"why", "example", "last"}
OPTIONS = {
    "goals": ["Not at all", "A little", "Mostly", "Fully"],
    "sectors": ["Council", "Charity", "Business", "Residents"],
    "service": ["Housing", "Health", "Schools", "Police"],
    "again": ["Yes", "No"],
    "risk": ["Never", "Sometimes", "Often", "Always"],
}
TEAM = "T0000000001"
_MARK = re.compile(r"\[(\w+)\]")


def draw(person_id: Any, question: str, below: int) -> int:
    """Give a number that this person always gives at this question."""
    return zlib.crc32(f"{person_id}:{question}".encode()) % below


def chosen(person_id: Any, question: str) -> list[str]:
    """Give the labels that this person chooses."""
    options = OPTIONS[question]
    if question != "sectors":
        return [options[draw(person_id, question, len(options))]]
    mask = 1 + draw(person_id, question, 2 ** len(options) - 1)
    return [label for place, label in enumerate(options) if mask & 1 << place]


def meant(person_id: Any, question: str) -> str:
    """Give the value that has to be stored for this person."""
    if question in TYPED:
        return words(person_id, question)
    if question in ("meetings", "count"):
        return str(draw(person_id, question, 1000))
    labels = chosen(person_id, question)
    if question in ("goals", "risk"):
        return str(OPTIONS[question].index(labels[0]) + 1)
    return "|".join(label.lower() for label in labels)


def words(person_id: Any, question: str) -> str:
    """Give what this person types at an open question."""
    return f"{person_id} says at {question}: we meet every month."


def mark(text: str) -> str:
    """Give the question that a message shows; empty when it shows none."""
    found = _MARK.findall(text)
    return found[-1] if found else ""


def policy(person: Person, message: Message) -> Action | None:
    """Answer what is shown, every time the same."""
    question = mark(message.text)
    if question == "consent":
        return Press("I agree")
    if question in TYPED:
        return Say(words(person.id, question))
    if question in ("meetings", "count"):
        return Say(meant(person.id, question))
    if question == "sectors":
        ticked = {label[2:] for label in message.labels if label.startswith("✓ ")}
        wanted = set(chosen(person.id, question))
        for label in OPTIONS[question]:
            if (label in ticked) != (label in wanted):
                return Press(f"✓ {label}" if label in ticked else label)
        return Press("Done")
    if question in OPTIONS:
        return Press(chosen(person.id, question)[0])
    return None


def acknowledged(exchanges: list[Exchange]) -> Iterator[str]:
    """Give the questions after whose answer the person was shown a later one."""
    for exchange in exchanges:
        question = mark(exchange.question)
        if exchange.shown is None or question not in QUESTIONS:
            continue
        following = mark(exchange.shown)
        if following in ORDER and ORDER.index(following) > ORDER.index(question):
            yield question


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run came to."""

    people: int
    complete: int
    kills: int
    answers: int
    acknowledged_before_a_kill: int
    presses_again: int
    in_doubt: int
    lost_replies: int
    duplicates: int
    redelivered: int
    seconds: float


async def kill_while_answering(
    folder: Path,
    *,
    people: int,
    kills: int,
    seed: int,
    up: tuple[float, float] = (0.2, 3.0),
    think: tuple[float, float] = (0.2, 1.5),
    patience: float = 3.0,
    limits: bool = True,
    lost_replies: float = 0.0,
    hooks: bool = False,
    timeout: float = 600.0,  # noqa: ASYNC109
) -> Tally:
    """Hold all conversations to their end, killing meanwhile; raise when anything is wrong.

    Args:
        folder: A new one.
        people: Half of them on each platform.
        kills: With SIGKILL.
        seed: Of the moments of the kills and of the fakes' faults.
        up: Least and most seconds from a start to the next kill.
        think: Seconds that people take for each answer.
        patience: Seconds after which they press again.
        limits: Whether the platforms' rates hold.
        lost_replies: Share of messages that arrive and whose sending looks failed all the same,
            so that people see them twice.
        hooks: Whether the platforms come to us: by webhook, and by HTTP.
        timeout: Of the whole.
    """
    chance = random.Random(seed)
    async with (
        FakeTelegram(token="123:TEST", limits=limits, seed=seed) as telegram,
        FakeSlack(limits=limits, seed=seed) as slack,
    ):
        for fake in (telegram, slack):
            fake.faults.repeat = 0.05
        lost = [
            fake.faults.fail(method, "lose_reply", probability=lost_replies)
            for fake, method in ((telegram, "sendMessage"), (slack, "chat.postMessage"))
        ]
        more = f"[delivery]\nslots = {SLOTS}"
        house = House(
            folder, telegram=telegram, slack=slack, surveys=[SURVEY], more=more, hooks=hooks
        )
        half = people // 2
        crowds = [
            Crowd(
                group,
                policy,
                lambda message: mark(message.text) == "end",
                patience=patience,
                think=think,
                seed=seed,
            )
            for group in (
                [telegram.person(100 + n, first_name=f"T{n}") for n in range(half)],
                [slack.person(f"UP{n}", name=f"S{n}") for n in range(people - half)],
            )
        ]
        try:
            # The first run has Slack take the address; later it just comes there.
            running = await house.run()
            talking = [asyncio.create_task(crowd.run(timeout)) for crowd in crowds]
            checked = 0
            done = 0
            while done < kills:
                await asyncio.sleep(chance.uniform(*up))
                await running.kill()
                done += 1
                checked = max(checked, check_acknowledged(house, crowds))
                running = await house.run(ready=False)
            await running.until("Reading slack")
            reports = await asyncio.gather(*talking)
            await settle(house)
            status = await running.terminate()
            assert status == 0, running.said
            unfinished = [one for report in reports for one in report.unfinished]
            assert not unfinished, stuck(crowds, unfinished, running)
            answers = check_all(house, crowds)
            in_doubt = sum(doubts(one) for one in house.running)
            duplicates = telegram.duplicates + slack.duplicates
            assert in_doubt <= SLOTS * 2 * done, f"{in_doubt} in doubt after {done} kills"
            twice = in_doubt + sum(fault.hits for fault in lost)
            assert duplicates <= twice + sum(crowd.again for crowd in crowds), duplicates
            return Tally(
                people=people,
                complete=sum(report.finished for report in reports),
                kills=done,
                answers=answers,
                acknowledged_before_a_kill=checked,
                presses_again=sum(crowd.again for crowd in crowds),
                in_doubt=in_doubt,
                lost_replies=sum(fault.hits for fault in lost),
                duplicates=duplicates,
                redelivered=telegram.redelivered + slack.redelivered,
                seconds=round(max(report.seconds for report in reports), 1),
            )
        finally:
            await house.close()


def doubts(running: Running) -> int:
    """Give how many messages a start found in doubt."""
    found = re.findall(r"(\d+) messages on \w+ were in doubt", running.said)
    return sum(int(count) for count in found)


async def settle(house: House) -> None:
    """Wait until nothing is left to send or to tag."""
    left = "select 1 from outbox where state in ('pending', 'claimed')"
    await house.until(lambda: not house.rows(left) and not house.untagged(), seconds=60)


def stored(house: House) -> dict[tuple[str, str], list[tuple[str, str]]]:
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


def check_acknowledged(house: House, crowds: list[Crowd]) -> int:
    """Hold the database to everything that people were shown as received; give how much."""
    kept = stored(house) if house.database.exists() else {}
    count = 0
    for crowd in crowds:
        for person_id, exchanges in crowd.exchanges.items():
            for question in set(acknowledged(exchanges)):
                values = [value for value, _ in kept.get((platform_id(person_id), question), [])]
                assert values == [meant(person_id, question)], (
                    f"{person_id} was shown {question} as received, stored is {values}\n"
                    + crowd.talks[person_id].person.transcript()
                )
                count += 1
    return count


def check_all(house: House, crowds: list[Crowd]) -> int:
    """Hold the database to every answer of everybody; give how many there are."""
    kept = stored(house)
    count = 0
    for crowd in crowds:
        for person_id, talk in crowd.talks.items():
            for question in QUESTIONS:
                values = [value for value, _ in kept.get((platform_id(person_id), question), [])]
                assert values == [meant(person_id, question)], (
                    f"{person_id} at {question}: stored is {values}\n" + talk.person.transcript()
                )
                count += 1
    outcomes = Counter(row["disposition"] for row in house.rows("select * from responses"))
    assert outcomes == {"complete": sum(len(crowd.talks) for crowd in crowds)}
    assert house.rows("select count(*) n from codings")[0]["n"] == len(TYPED) * outcomes["complete"]
    return count


def platform_id(person_id: Any) -> str:
    """Give a person's id as the database has it: in Slack with the team's."""
    return str(person_id) if isinstance(person_id, int) else f"{TEAM}:{person_id}"


def stuck(crowds: list[Crowd], unfinished: list[Any], running: Running) -> str:
    """Describe conversations that did not end."""
    talks = [crowd.talks[one] for crowd in crowds for one in unfinished if one in crowd.talks]
    shown = "\n\n".join(talk.person.transcript() for talk in talks[:3])
    return f"{unfinished} did not end:\n{shown}\n{running.said[-2000:]}"


def line(tally: Tally) -> str:
    """Write a tally on one line."""
    return ", ".join(f"{name} {value}" for name, value in asdict(tally).items())
