"""Many people answering at once on the fake Telegram: both bots in turn, on equal terms."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.bots import Bot, Commonpulse, Yardstick
from tests.fakes.crowd import Action, Crowd, Policy, Press, Report, Say, percentile
from tests.fakes.people import Message, Person
from tests.fakes.telegram import FakeTelegram

__all__ = [
    "ANSWERS",
    "TOKEN",
    "UPDATES",
    "Round",
    "compare",
    "figures_of",
    "hold_round",
    "policy",
    "ratio_of",
    "thanked",
]

TOKEN = "4242:BENCH"

#: What one person does: start, agree, four presses and one text.
UPDATES = 7
ANSWERS = 5

_NOT_ANSWERS = frozenset({"Skip", "Back", "Don't know", "No thanks", "More"})
_WORDS = (
    "We meet every week and it works.",
    "Nobody told us that the office had closed, so people came for nothing.",
    "The charity and the council share one list now, which saves us hours.",
    "Too many meetings, too few decisions.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One life of one bot: several crowds, one after another, then SIGKILL.

    Attributes:
        updates: Actions of people after which the bot showed them something new.
        seconds: In which the crowds talked.
        latencies: Seconds from each action to the next showing.
        cpu_seconds: Of the bot's process, meanwhile.
        platform_cpu_seconds: Of our own process, in which the fake Telegram and its people are.
        answers: To questions, which their people saw taken.
        kept: Of those, on the disk after the kill.
        calls: Of the Bot API, meanwhile.
        rss_mb: The most memory held.
    """

    updates: int
    seconds: float
    latencies: Sequence[float]
    cpu_seconds: float
    platform_cpu_seconds: float
    answers: int
    kept: int
    calls: int
    rss_mb: float

    @property
    def updates_per_second(self) -> float:
        """The rate."""
        return self.updates / self.seconds

    @property
    def p99_ms(self) -> float:
        """The latency that one in a hundred exceeds."""
        return 1000 * percentile(self.latencies, 0.99)

    @property
    def cpu_ms(self) -> float:
        """CPU time for each update."""
        return 1000 * self.cpu_seconds / self.updates


def policy() -> Policy:
    """Everybody agrees, then presses something at random, or types."""
    chance = random.Random(0)

    def act(_person: Person, message: Message) -> Action:
        labels = message.labels
        if "I agree" in labels:
            return Press("I agree")
        choices = [label for label in labels if label not in _NOT_ANSWERS]
        return Press(chance.choice(choices)) if choices else Say(chance.choice(_WORDS))

    return act


def thanked(message: Message) -> bool:
    return message.text.endswith("That was the last question. Thank you.")


async def _talk(
    fake: FakeTelegram, numbers: Iterator[int], bot: Bot, *, people: int
) -> tuple[Crowd, Report]:
    """Let people who are new to the bot each hold a whole conversation."""
    some = [fake.person(number) for number in islice(numbers, people)]
    # Nobody presses twice: every update counts once.
    crowd = Crowd(some, policy(), thanked, patience=120.0)
    report = await crowd.run(timeout=120)
    if report.unfinished:
        raise RuntimeError(
            f"{bot.name}: {len(report.unfinished)} of {people} conversations did not end.\n"
            f"{bot.log[-2000:]}"
        )
    return crowd, report


async def hold_round(kind: Callable[..., Bot], folder: Path, *, people: int, crowds: int) -> Round:
    """Start a bot, let crowds talk with it, kill it, and look what it has kept."""
    async with FakeTelegram(TOKEN, limits=False) as fake:
        with kind(folder, token=TOKEN, api_base_url=fake.base_url) as bot:
            await bot.wait_up(fake)
            numbers = count(1)
            # What is done for the first time takes longer; it is not measured.
            first = min(people, 20)
            await _talk(fake, numbers, bot, people=first)
            await fake.wait_settled()
            cpu, calls, ours = bot.cpu_seconds(), fake.calls.total(), time.process_time()
            talks = [await _talk(fake, numbers, bot, people=people) for _ in range(crowds)]
            cpu, calls = bot.cpu_seconds() - cpu, fake.calls.total() - calls
            ours = time.process_time() - ours
            rss = bot.rss_mb()
            # At once: what a person was shown as taken has to be on the disk already.
            bot.kill()
            exchanges = [one for crowd, _ in talks for _, one in crowd.acknowledged()]
            return Round(
                updates=len(exchanges),
                seconds=sum(report.seconds for _, report in talks),
                latencies=[one.seconds for one in exchanges if one.seconds is not None],
                cpu_seconds=cpu,
                platform_cpu_seconds=ours,
                answers=ANSWERS * people * crowds,
                kept=max(0, bot.kept() - ANSWERS * first),
                calls=calls,
                rss_mb=rss,
            )


async def compare(folder: Path, *, people: int, crowds: int, rounds: int) -> list[dict[str, Any]]:
    """Measure both in turn, so that whatever else the machine does meets both alike."""
    held: dict[str, list[Round]] = {Commonpulse.name: [], Yardstick.name: []}
    for number in range(rounds):
        for kind in (Commonpulse, Yardstick):
            place = folder / f"{kind.name}-{number}"
            held[kind.name].append(await hold_round(kind, place, people=people, crowds=crowds))
    ours, theirs = held[Commonpulse.name], held[Yardstick.name]
    shared = {"people": people, "crowds": crowds, "rounds": rounds}
    figures: list[dict[str, Any]] = [
        {"measure": "answering", "bot": name, **shared, **figures_of(rounds_of)}
        for name, rounds_of in held.items()
    ]
    pairs = list(zip(ours, theirs, strict=True))
    ratios = {
        "updates_per_second": ratio_of(pairs, lambda one: one.updates_per_second),
        "p99": ratio_of(pairs, lambda one: one.p99_ms),
        "cpu_per_update": ratio_of(pairs, lambda one: one.cpu_ms),
    }
    return [*figures, {"measure": "answering", "ratio_to_yardstick": ratios, **shared}]


def figures_of(rounds: Sequence[Round]) -> dict[str, Any]:
    """Give what several rounds of one bot came to."""
    latencies = [seconds for one in rounds for seconds in one.latencies]
    return {
        "updates_per_second": round(median(one.updates_per_second for one in rounds), 1),
        "answers_per_second": round(
            median(one.updates_per_second for one in rounds) * ANSWERS / UPDATES, 1
        ),
        "p50_ms": round(1000 * percentile(latencies, 0.5), 1),
        "p99_ms": round(1000 * percentile(latencies, 0.99), 1),
        "cpu_ms_per_update": round(median(one.cpu_ms for one in rounds), 3),
        "calls_per_update": round(
            sum(one.calls for one in rounds) / sum(one.updates for one in rounds), 2
        ),
        "answers_shown_as_taken": sum(one.answers for one in rounds),
        "answers_kept_after_sigkill": sum(one.kept for one in rounds),
        "rss_mb": round(max(one.rss_mb for one in rounds), 1),
    }


def ratio_of(pairs: Sequence[tuple[Round, Round]], figure: Any) -> float:
    """Give the middle of what each round of ours comes to beside its neighbour."""
    return round(median(figure(ours) / figure(theirs) for ours, theirs in pairs), 2)
