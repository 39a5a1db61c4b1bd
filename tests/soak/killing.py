"""People answer on both platforms and a wave is sent, while everything goes wrong.

    tally = await hold(folder, [Kill()] * 20, people=50, seed=1)

After every trouble the database is read: whatever a person was shown as received has to be
there. At the end everybody's answers are, each once, and every conversation has ended.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.house import House
from tests.fakes.crowd import Crowd, Report
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.soak.answers import SURVEY, ended, policy
from tests.soak.checking import (
    check_acknowledged,
    check_all,
    check_invited,
    doubts,
    settle,
    stuck,
)
from tests.soak.inviting import WAVE, invited, open_wave_at_last, reached
from tests.soak.troubles import Trouble, Workers
from tests.web.balancer import balancing
from tests.web.serving import free_port

__all__ = ["Tally", "hold"]

#: Messages under way at once on each platform, and so in doubt after each kill at most.
SLOTS = 4

#: Seconds in which nobody is shown anything, after which nothing more is expected: longer than
#: a claim holds (``bot.delivery.LEASE``).
STANDSTILL = 150.0

#: How often a trouble comes while the programs are still starting.
_EARLY = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run came to.

    Attributes:
        people: Who answered.
        complete: Whose conversation ended.
        invited: Who were sent an invitation meanwhile.
        troubles: How often each struck.
        answers: That are stored, each once.
        acknowledged: Of them, most that were shown as received when a trouble had struck.
        again: Presses and messages that people had to repeat.
        in_doubt: Messages that may have arrived and were sent again.
        lost_replies: Messages that arrived and whose sending looked failed.
        twice: Messages that came twice.
        invited_twice: Of them, invitations.
        redelivered: Events that came to the programs more than once.
        seconds: That the longest conversation took.
    """

    people: int
    complete: int
    invited: int
    troubles: Counter[str]
    answers: int
    acknowledged: int
    again: int
    in_doubt: int
    lost_replies: int
    twice: int
    invited_twice: int
    redelivered: int
    seconds: float

    def __str__(self) -> str:
        """Give it on one line."""
        struck = ", ".join(f"{count} {name}" for name, count in sorted(self.troubles.items()))
        return (
            f"{self.answers} answers of {self.people} people, {self.invited} invitations; {struck};"
            f" {self.in_doubt} in doubt, {self.lost_replies} replies lost, {self.twice} twice"
            f" ({self.invited_twice} invitations); {self.acknowledged} answers seen as kept before"
            f" the last trouble, {self.again} repeated by people, {self.redelivered} by the"
            f" platforms; {self.seconds} s"
        )


async def hold(
    folder: Path,
    troubles: Sequence[Trouble],
    *,
    people: int,
    seed: int,
    invite: int = 40,
    workers: int = 1,
    storage: str = "",
    between: tuple[float, float] = (0.2, 3.0),
    think: tuple[float, float] = (0.2, 1.5),
    patience: float = 3.0,
    limits: bool = True,
    lost_replies: float = 0.0,
    hooks: bool = False,
) -> Tally:
    """Hold all conversations to their end, with troubles meanwhile; raise when anything is wrong.

    Args:
        folder: A new one.
        troubles: What strikes, in this order.
        people: Half of them on each platform.
        seed: Of the moments of the troubles and of the fakes' faults.
        invite: Others, who are sent an invitation meanwhile.
        workers: Programs on the one database.
        storage: The address of a database; empty for a file in the folder.
        between: Least and most seconds from when people are answered again to the next trouble.
        think: Seconds that people take for each answer.
        patience: Seconds after which they press again.
        limits: Whether the platforms' rates hold.
        lost_replies: Share of messages that arrive and whose sending looks failed all the same,
            so that people see them twice.
        hooks: Whether the platforms come to us: by webhook, and by HTTP.
    """
    chance = random.Random(seed)
    async with (
        FakeTelegram(token="123:TEST", limits=limits, seed=seed) as telegram,
        FakeSlack(limits=limits, seed=seed) as slack,
    ):
        fakes: tuple[FakeTelegram | FakeSlack, ...] = (telegram, slack)
        for fake in fakes:
            fake.faults.repeat = 0.05
        lost = [
            fake.faults.fail(method, "lose_reply", probability=lost_replies)
            for fake, method in zip(fakes, ("sendMessage", "chat.postMessage"), strict=True)
        ]
        # A wave takes some seconds, so that troubles come in the middle of it.
        more = f"[delivery]\nslots = {SLOTS}\nbroadcast_per_second = 8\n{WAVE}"
        house = House(
            folder, telegram=telegram, slack=slack, surveys=[SURVEY], more=more, hooks=hooks,
            storage=storage,
        )  # fmt: skip
        half = people // 2
        groups: list[list[Person]] = [
            [telegram.person(100 + n, first_name=f"T{n}") for n in range(half)],
            [slack.person(f"UP{n}", name=f"S{n}") for n in range(people - half)],
        ]
        crowds = [
            Crowd(group, policy, ended, patience=patience, think=think, seed=seed)
            for group in groups
        ]
        try:
            async with _working(house, chance, count=workers) as programs:
                programs.idle = lambda: not any(crowd.left for crowd in crowds)
                members = invited(house, telegram, invite)
                talking = [
                    asyncio.create_task(crowd.run(3600, standstill=STANDSTILL)) for crowd in crowds
                ]
                opening = asyncio.create_task(open_wave_at_last(house))
                checked = 0
                for trouble in troubles:
                    await _a_while(programs, crowds, between)
                    await trouble.strike(programs)
                    checked = max(checked, check_acknowledged(house, crowds))
                await programs.until_reading()
                reports = await asyncio.gather(*talking)
                unfinished = [one for report in reports for one in report.unfinished]
                assert not unfinished, stuck(crowds, unfinished, programs.up[0])
                await opening
                await telegram.wait_until(lambda: reached(members) == invite, 300)
                await settle(house)
                for running in programs.up:
                    assert await running.terminate() == 0, running.said
            struck = Counter(trouble.name for trouble in troubles)
            in_doubt = sum(doubts(one) for one in house.running)
            most = SLOTS * len(fakes) * programs.n_lost
            assert in_doubt <= most, f"{in_doubt} in doubt, and no more than {most} may be"
            return _tally(
                house, fakes, crowds, members, reports, struck,
                checked=checked, in_doubt=in_doubt, lost=sum(fault.hits for fault in lost),
            )  # fmt: skip
        finally:
            await house.close()


@asynccontextmanager
async def _working(house: House, chance: random.Random, *, count: int) -> AsyncIterator[Workers]:
    """Have so many programs up, behind a balancer where the platforms come to them."""
    behind = bool(house.port) and count > 1
    workers = Workers(
        house=house, chance=chance, ports=[free_port() if behind else 0 for _ in range(count)]
    )

    async def start() -> None:
        # The first run has Slack take the address; later it just comes there.
        for place in range(count):
            await workers.start(place, ready=place == 0)
        await workers.until_reading()

    if not behind:
        await start()
        yield workers
        return
    async with balancing(house.port, workers.ports):
        await start()
        yield workers


async def _a_while(workers: Workers, crowds: Sequence[Crowd], between: tuple[float, float]) -> None:
    """Wait until the next trouble may come: mostly when people are answered again, however long
    the programs took to start, and now and then before that.
    """
    least, most = between
    if workers.chance.random() < _EARLY:
        await asyncio.sleep(workers.chance.uniform(0.0, least))
        return
    await workers.until_reading()
    before = _n_answered(crowds)
    async with asyncio.timeout(STANDSTILL):
        while _n_answered(crowds) == before and not workers.idle():
            await asyncio.sleep(0.02)
    await asyncio.sleep(workers.chance.uniform(least, most))


def _n_answered(crowds: Sequence[Crowd]) -> int:
    return sum(1 for crowd in crowds for _ in crowd.acknowledged())


def _tally(
    house: House,
    fakes: Sequence[FakeTelegram | FakeSlack],
    crowds: Sequence[Crowd],
    members: Sequence[Person],
    reports: Sequence[Report],
    struck: Counter[str],
    *,
    checked: int,
    in_doubt: int,
    lost: int,
) -> Tally:
    """Hold everything to what it has to be, and count."""
    answers = check_all(house, crowds)
    invited_twice = check_invited(house, members)
    twice = sum(fake.duplicates for fake in fakes)
    again = sum(crowd.again for crowd in crowds)
    assert twice <= in_doubt + lost + again, twice
    assert invited_twice <= in_doubt + lost, invited_twice
    for running in house.running:
        assert "Traceback" not in running.said, running.said
    return Tally(
        people=sum(len(crowd.talks) for crowd in crowds),
        complete=sum(report.finished for report in reports),
        invited=len(members),
        troubles=struck,
        answers=answers,
        acknowledged=checked,
        again=again,
        in_doubt=in_doubt,
        lost_replies=lost,
        twice=twice,
        invited_twice=invited_twice,
        redelivered=sum(fake.redelivered for fake in fakes),
        seconds=round(max(report.seconds for report in reports), 1),
    )
