"""Many scripted people who each hold a whole conversation with the bot.

    policy = answers(words=["We meet every month."], prefer=["I agree"], avoid=["Back", "Stop"])
    crowd = Crowd(people, policy, finished=lambda m: "Thank you" in m.text)
    report = await crowd.run(timeout=60)
    report.finished, report.answers_per_second, report.p99_ms, report.again

Works on either platform: all it asks of a person is `people.Person`.

A *policy* is called with the person and what the bot shows now, and gives `Say(text)`,
`Press(which)` (label, data, index or Button) or None (wait for more). It is called for every
showing: a new message, or an edit of the newest one that leaves buttons. `answers` makes
the usual policy; any function will do.

Everybody begins by saying `opening`. `patience` is how long somebody waits before doing the
same again, because a press may be lost when a bot dies: presses at once; words only when the
platform has given up on them (`message.lost`), as it hands over by itself all that it has kept.

`ignore` names notices (`That question is past`) that neither answer an action nor call for
one: without it, such a notice counts as the reply to whatever was done last.

Each `Exchange` is one action and what came of it. `acknowledged` means that the person was
shown something after it: no such answer may ever be lost. `crowd.exchanges[person.id]` holds
them in order, and `crowd.acknowledged()` gives all of them with their people.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.fakes.people import Button, Message, Person
from tests.fakes.people import Press as Pressed


@dataclass(frozen=True, slots=True)
class Say:
    """Type words."""

    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """Press a button of the message that is shown."""

    which: str | int | Button


Action = Say | Press
Policy = Callable[[Person, Message], Action | None]


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One action of a person, and the showing that followed.

    Attributes:
        question: the words that were shown when they acted; empty for the opening.
        answer: what was typed, or the label of what was pressed.
        data: the data of what was pressed; empty for words.
        tries: how often it was done until something came.
        shown: the words of the showing that followed, None while there is none.
        seconds: from the last try to that showing.
    """

    question: str
    message: Message | None
    answer: str
    data: str
    at: float
    act: Message | Pressed
    tries: int = 1
    shown: str | None = None
    seconds: float | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether the person was shown something after it."""
        return self.shown is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to; latencies in milliseconds.

    Attributes:
        answers: actions that were followed by a showing, openings included.
        again: actions that had to be repeated.
        p50_ms: from a person's action to the next showing; p99_ms likewise.
        handed_p50_ms: from the platform's handing over; handed_p99_ms likewise.
        unfinished: ids of people whose conversation did not end in time.
    """

    people: int
    finished: int
    answers: int
    again: int
    seconds: float
    answers_per_second: float
    p50_ms: float
    p99_ms: float
    handed_p50_ms: float
    handed_p99_ms: float
    unfinished: list[Any]


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value with at least `share` (0 to 1) of all at or below; 0 if none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def answers(
    *,
    words: Sequence[str] = ("We talk every week and it works.",),
    prefer: Iterable[str] = (),
    avoid: Iterable[str] = (),
    by_text: Mapping[str, str | Action | None] | None = None,
    seed: int = 0,
) -> Policy:
    """Make the usual policy: press something at random, type words at open questions.

    Args:
        words: what is typed, at random, where nothing is left to press.
        prefer: labels pressed first when they are there (`I agree`, `Done`).
        avoid: labels never pressed (`Back`, `Stop`, `Skip`).
        by_text: regular expression found in the message's text to what is done then: words
            to type, an action, or None to wait. Goes before all else.
        seed: of the random choices; each person has their own, so runs repeat.
    """
    first, never = list(prefer), frozenset(avoid)
    rules = [(re.compile(pattern), action) for pattern, action in (by_text or {}).items()]
    sources: dict[Any, random.Random] = {}

    def policy(person: Person, message: Message) -> Action | None:
        for pattern, action in rules:
            if pattern.search(message.text):
                return Say(action) if isinstance(action, str) else action
        chance = sources.get(person.id)
        if chance is None:
            chance = sources[person.id] = random.Random(f"{seed}-{person.id}")
        buttons = message.buttons
        for label in first:
            for button in buttons:
                if button.label == label:
                    return Press(button)
        choices = [b for b in buttons if b.label not in never and not b.url]
        if choices:
            return Press(chance.choice(choices))
        return Say(chance.choice(words))

    return policy


@dataclass(slots=True, eq=False)
class _Talk:
    """One person's place in the run."""

    person: Person
    exchanges: list[Exchange] = field(default_factory=list)
    open: Exchange | None = None
    action: Action | None = None
    latest: Message | None = None
    planned: bool = False
    done: bool = False


class Crowd:
    """People on one fake, and the conversations they hold."""

    def __init__(
        self,
        people: Iterable[Person],
        policy: Policy,
        finished: Callable[[Message], bool],
        *,
        opening: str = "/start",
        patience: float = 2.0,
        think: tuple[float, float] = (0.0, 0.0),
        ignore: Callable[[Message], bool] | None = None,
        seed: int = 0,
    ) -> None:
        self.policy = policy
        self.finished = finished
        self.opening = opening
        self.patience = patience
        self.think = think
        self.ignore = ignore
        self.talks = {person.id: _Talk(person) for person in people}
        self.again = 0
        self._random = random.Random(seed)
        self._left = len(self.talks)
        self._shown_at = 0.0
        self._over = asyncio.Event()
        self._failure: Exception | None = None

    @property
    def exchanges(self) -> dict[Any, list[Exchange]]:
        """Everybody's actions in order, by person id."""
        return {person_id: talk.exchanges for person_id, talk in self.talks.items()}

    @property
    def left(self) -> int:
        """How many conversations have not ended yet."""
        return self._left

    def acknowledged(self) -> Iterator[tuple[Person, Exchange]]:
        """Give every action after which its person was shown something."""
        for talk in self.talks.values():
            for exchange in talk.exchanges:
                if exchange.acknowledged:
                    yield talk.person, exchange

    async def run(
        self,
        timeout: float = 60.0,  # noqa: ASYNC109
        *,
        standstill: float = inf,
    ) -> Report:
        """Let everybody talk until each conversation has ended, or time is up.

        Args:
            timeout: Seconds in all.
            standstill: Seconds in which nobody is shown anything, after which nothing more is
                expected: how fast the machine is, is nothing to fail for.

        Raises:
            Exception: what the policy raised, if it did.
        """
        started = time.monotonic()
        talks = list(self.talks.values())
        before = {talk.person.id: self._measured(talk.person) for talk in talks}
        for talk in talks:
            talk.person.on_showing = self._showing
            self._plan(talk, Say(self.opening))
        if not talks:
            self._over.set()
        self._shown_at = started
        impatience = asyncio.ensure_future(self._be_impatient(standstill))
        try:
            await asyncio.wait_for(self._over.wait(), timeout)
        except TimeoutError:
            pass
        finally:
            impatience.cancel()
            for talk in talks:
                talk.person.on_showing = None
        if self._failure is not None:
            raise self._failure
        seconds = time.monotonic() - started
        latencies: list[float] = []
        handed: list[float] = []
        for talk in talks:
            skip, skip_handed = before[talk.person.id]
            latencies += talk.person.latencies[skip:]
            handed += talk.person.handed_latencies[skip_handed:]
        n_answers = sum(1 for _ in self.acknowledged())
        return Report(
            people=len(talks),
            finished=len(talks) - self._left,
            answers=n_answers,
            again=self.again,
            seconds=seconds,
            answers_per_second=n_answers / seconds,
            p50_ms=1000 * percentile(latencies, 0.50),
            p99_ms=1000 * percentile(latencies, 0.99),
            handed_p50_ms=1000 * percentile(handed, 0.50),
            handed_p99_ms=1000 * percentile(handed, 0.99),
            unfinished=[talk.person.id for talk in talks if not talk.done],
        )

    @staticmethod
    def _measured(person: Person) -> tuple[int, int]:
        return len(person.latencies), len(person.handed_latencies)

    def _showing(self, person: Person, message: Message) -> None:
        self._shown_at = time.monotonic()
        if self.ignore is not None and self.ignore(message):
            return
        talk = self.talks[person.id]
        talk.latest = message
        exchange = talk.open
        if exchange is not None:
            exchange.shown = message.text
            exchange.seconds = time.monotonic() - exchange.act.at
            talk.open = None
        if talk.done:
            return
        if self.finished(message):
            talk.done = True
            self._left -= 1
            if self._left == 0:
                self._over.set()
            return
        if not talk.planned:
            self._plan(talk, None)

    def _plan(self, talk: _Talk, action: Action | None) -> None:
        talk.planned = True
        loop = asyncio.get_running_loop()
        least, most = self.think
        if most > 0.0:
            loop.call_later(self._random.uniform(least, most), self._act, talk, action)
        else:
            loop.call_soon(self._act, talk, action)

    def _act(self, talk: _Talk, action: Action | None) -> None:
        talk.planned = False
        if talk.done or self._over.is_set():
            return
        message = talk.latest
        try:
            if action is None and message is not None:
                action = self.policy(talk.person, message)
            if action is not None:
                self._begin(talk, action, message)
        except Exception as failure:
            self._failure = failure
            self._over.set()

    def _begin(self, talk: _Talk, action: Action, message: Message | None) -> None:
        person = talk.person
        question = message.text if message is not None else ""
        answer, data = "", ""
        act: Message | Pressed
        if isinstance(action, Say):
            act = person.say(action.text)
            answer = action.text
        else:
            if message is None:
                raise LookupError("nothing to press yet")
            button = person.find_button(action.which, message)
            action = Press(button)
            act = person.click(button, message)
            answer, data = button.label, button.data
        exchange = Exchange(
            question=question, message=message, answer=answer, data=data, at=act.at, act=act
        )
        talk.exchanges.append(exchange)
        talk.open = exchange
        talk.action = action

    async def _be_impatient(self, standstill: float) -> None:
        while True:
            await asyncio.sleep(min(self.patience, standstill) / 4)
            now = time.monotonic()
            if now - self._shown_at > standstill:
                self._over.set()
                return
            for talk in self.talks.values():
                exchange = talk.open
                if talk.done or exchange is None or now - exchange.act.at < self.patience:
                    continue
                self._again(talk, exchange)

    def _again(self, talk: _Talk, exchange: Exchange) -> None:
        if isinstance(talk.action, Say):
            if isinstance(exchange.act, Message) and exchange.act.lost:
                exchange.act = talk.person.say(talk.action.text)
            else:
                return
        elif isinstance(talk.action, Press) and exchange.message is not None:
            button = talk.person.find_button(talk.action.which, exchange.message)
            exchange.act = talk.person.click(button, exchange.message)
        exchange.tries += 1
        self.again += 1
