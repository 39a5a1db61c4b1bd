"""A wave of invitations on a fake Telegram that counts strictly, then one while people answer."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.open import open_store
from storage.protocol import Address
from tests.bench.answering import TOKEN, policy, thanked
from tests.bench.bots import ROOT, Commonpulse, clean_environ
from tests.fakes.crowd import Crowd, Exchange, percentile
from tests.fakes.people import Message, Person
from tests.fakes.telegram import FakeTelegram

__all__ = ["sending"]

#: The platform's own rate.
ALLOWED = 30

#: How many hold a conversation at once.
_AT_ONCE = 30

_COHORTS = """
[fatigue]
invitations = 100

[[cohort]]
name = "first"

[[cohort]]
name = "second"

[[pulse]]
name = "bench"
survey = "bench"
cohorts = ["first", "second"]
cron = "0 10 1 1 *"
close_after = "10d"
"""


class _House(Commonpulse):
    """``pulse run`` with its defaults, and two cohorts of people who are known already."""

    def __init__(self, folder: Path, *, api_base_url: str, people: Sequence[int]) -> None:
        super().__init__(folder, token=TOKEN, api_base_url=api_base_url)
        self.people = people

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "config.toml").open("a") as config:
            config.write(_COHORTS)
        today = datetime.now(UTC).date()
        store = open_store(f"sqlite:///{self.folder / 'pulse.db'}")
        for cohort, count in zip(("first", "second"), self.people, strict=True):
            with store.transaction():
                for number in range(count):
                    person = f"{cohort}-{number}"
                    chat = str(_id(cohort, number))
                    store.welcome(
                        Address(channel="telegram", platform_id=chat, chat=chat),
                        respondent_id=person,
                        role="citizen",
                        language="en",
                        on=today,
                    )
                    store.join(person, cohort, on=today)
        store.close()

    def open_wave(self, cohort: str) -> None:
        """Open a wave as a person would."""
        subprocess.run(
            [
                sys.executable, "-m", "bot", "wave", "open", "bench", "--cohort", cohort,
                "--config", str(self.folder / "config.toml"),
            ],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=clean_environ(),
        )  # fmt: skip


def _id(cohort: str, number: int) -> int:
    return (1 if cohort == "first" else 10_000_000) + number


def _crowd(fake: FakeTelegram, cohort: str, count: int) -> list[Person]:
    """Make the people of a cohort, who have all pressed Start once."""
    people = [fake.person(_id(cohort, number)) for number in range(count)]
    for person in people:
        person.started = True
    return people


async def sending(
    folder: Path, *, people: int, meanwhile: int, think: tuple[float, float] = (3.0, 7.0)
) -> list[dict[str, Any]]:
    """Measure a wave alone, then another while people of the first answer.

    Args:
        folder: A new one goes in here.
        people: Invited by the first wave.
        meanwhile: Invited by the second.
        think: Seconds that somebody takes for each answer, least and most.
    """
    async with FakeTelegram(TOKEN, overall=ALLOWED) as fake:
        first = _crowd(fake, "first", people)
        second = _crowd(fake, "second", meanwhile)
        house = _House(folder / "sending", api_base_url=fake.base_url, people=(people, meanwhile))
        with house:
            await fake.wait_polled()
            await asyncio.to_thread(house.open_wave, "first")
            await fake.wait_until(lambda: _reached(first) == people, timeout=60 + people)
            alone = _figures(fake, fake.sent) | {"part": "invitations alone", "people": people}
            before, refused = len(fake.sent), fake.earned_429
            await asyncio.to_thread(house.open_wave, "second")
            await fake.wait_until(lambda: len(fake.sent) > before, timeout=60)
            exchanges = await _answer_until(fake, first, second, think)
            both = _figures(fake, fake.sent[before:]) | {
                "part": "invitations while people answer",
                "people": meanwhile,
                "refused_429": fake.earned_429 - refused,
            }
            waits = [one.seconds for one in exchanges if one.seconds is not None]
            replies = {
                "replies": len(waits),
                "reply_p50_ms": round(1000 * percentile(waits, 0.5), 1),
                "reply_p99_ms": round(1000 * percentile(waits, 0.99), 1),
                "lost": meanwhile - _reached(second),
                "twice": fake.duplicates,
            }
    return [{"measure": "sending", **one} for one in (alone, both | replies)]


def _reached(people: Sequence[Person]) -> int:
    return sum(bool(person.shown) for person in people)


async def _answer_until(
    fake: FakeTelegram,
    people: Sequence[Person],
    invited: Sequence[Person],
    think: tuple[float, float],
) -> list[Exchange]:
    """Let people hold conversations, one after the other, until all others are invited."""
    waiting = list(people)
    random.Random(0).shuffle(waiting)
    over = asyncio.Event()
    exchanges: list[Exchange] = []

    async def hold_some() -> None:
        while waiting and not over.is_set():
            person = waiting.pop()
            # Each with a pace of their own: nobody waits for the others.
            crowd = Crowd([person], policy(), thanked, patience=60, think=think, seed=person.id)
            talking = asyncio.create_task(crowd.run(timeout=120))
            ending = asyncio.create_task(over.wait())
            await asyncio.wait({talking, ending}, return_when=asyncio.FIRST_COMPLETED)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            ending.cancel()
            exchanges.extend(one for _, one in crowd.acknowledged())

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(hold_some())
        await fake.wait_until(lambda: _reached(invited) == len(invited), timeout=60 + len(invited))
        over.set()
    return exchanges


def _figures(fake: FakeTelegram, sent: Sequence[Message]) -> dict[str, Any]:
    times = [message.at for message in sent]
    seconds = times[-1] - times[0]
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return {
        "messages": len(times),
        "seconds": round(seconds, 1),
        "per_second": round((len(times) - 1) / seconds, 2),
        "most_in_any_second": most,
        "allowed": fake.window.count,
        "refused_429": fake.earned_429,
    }
