"""The pace, in virtual time, against a platform that counts strictly (tests/fakes/limits.py)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from bot.pace import BROADCAST, REPLY, Pace
from tests.bot.virtual import run
from tests.fakes.limits import Window


def now() -> float:
    return asyncio.get_running_loop().time()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


@dataclass
class Platform:
    """Counts what arrives: at most so many in any second.

    Attributes:
        there: Gives the seconds that a message takes to get there; ``back``: an answer.
        arrivals: Instants and lanes.
        refused: How many were one too many.
    """

    there: Callable[[], float]
    back: Callable[[], float]
    count: int = 30
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.window = Window(self.count)

    async def send(self, lane: int) -> None:
        await asyncio.sleep(self.there())
        if self.window.wait(now()):
            self.refused += 1
        else:
            self.window.take(now())
        self.arrivals.append((now(), lane))
        await asyncio.sleep(self.back())

    def rate(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at, _ in self.arrivals) / (end - begin)


async def send_all(pace: Pace, platform: Platform, *, broadcasts: int, ahead: int = 16) -> None:
    """Send broadcasts as delivery does: some wait, the others are not there yet."""
    room = asyncio.Semaphore(ahead)

    async def one() -> None:
        try:
            assert await pace.go(BROADCAST)
            try:
                await platform.send(BROADCAST)
            finally:
                pace.ended(BROADCAST)
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(broadcasts):
            await room.acquire()
            group.create_task(one())


async def reply_at_random(
    pace: Pace, platform: Platform, *, per_second: float, seconds: float, chance: random.Random
) -> list[float]:
    """Let replies come as people's answers do; give how long each waited to be sent."""
    waits: list[float] = []

    async def one() -> None:
        at = now()
        assert await pace.go(REPLY)
        waits.append(now() - at)
        try:
            await platform.send(REPLY)
        finally:
            pace.ended(REPLY)

    until = now() + seconds
    async with asyncio.TaskGroup() as group:
        while now() < until:
            await asyncio.sleep(chance.expovariate(per_second))
            group.create_task(one())
    return waits


NETWORKS: dict[str, Callable[[random.Random], Callable[[], float]]] = {
    "here": lambda chance: lambda: chance.uniform(0.0005, 0.003),
    "near": lambda chance: lambda: chance.uniform(0.005, 0.02),
    "uneven": lambda chance: lambda: chance.choice([0.001, 0.002, 0.15, 0.4]),
    "far": lambda chance: lambda: chance.gauss(0.15, 0.03),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", range(3))
def test_no_second_holds_too_much_however_long_each_message_takes(network: str, seed: int) -> None:
    chance = random.Random(seed)
    platform = Platform(there=NETWORKS[network](chance), back=NETWORKS[network](chance))

    async def main() -> None:
        await send_all(Pace(30), platform, broadcasts=900)

    run(main())
    assert platform.refused == 0
    assert len(platform.arrivals) == 900


def test_nearly_all_that_the_platform_takes_is_used() -> None:
    chance = random.Random(1)
    platform = Platform(there=NETWORKS["here"](chance), back=NETWORKS["here"](chance))

    async def main() -> float:
        begin = now()
        await send_all(Pace(30), platform, broadcasts=3000)
        return platform.rate(begin + 1, now() - 1)

    assert run(main()) >= 29.7
    assert platform.refused == 0


def test_broadcasts_come_evenly_also_after_they_were_held_up() -> None:
    held = [0.0] * 40 + [0.3] + [0.0] * 200
    platform = Platform(there=lambda: 0.001, back=lambda: held.pop(0) if held else 0.0)

    async def main() -> None:
        await send_all(Pace(30), platform, broadcasts=240)

    run(main())
    times = [at for at, _ in platform.arrivals]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert platform.refused == 0
    assert percentile(gaps[-100:], 0.99) < 0.05
    assert percentile(gaps[-100:], 0.01) > 0.02


@pytest.mark.parametrize("per_second", [2.0, 8.0, 20.0])
def test_replies_hardly_wait_while_broadcasts_fill_what_they_leave(per_second: float) -> None:
    chance = random.Random(3)
    platform = Platform(there=NETWORKS["here"](chance), back=NETWORKS["here"](chance))

    async def main() -> tuple[list[float], float]:
        pace, begin = Pace(30), now()
        sending = asyncio.create_task(send_all(pace, platform, broadcasts=4000))
        waits = await reply_at_random(
            pace, platform, per_second=per_second, seconds=60, chance=chance
        )
        rate = platform.rate(begin + 1, begin + 60)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return waits, rate

    waits, rate = run(main())
    assert platform.refused == 0
    assert rate >= 29.0
    assert percentile(waits, 0.99) < 0.35


def test_a_flood_of_replies_alone_is_not_held_up() -> None:
    platform = Platform(there=lambda: 0.001, back=lambda: 0.001)

    async def main() -> list[float]:
        chance = random.Random(4)
        return await reply_at_random(Pace(30), platform, per_second=300, seconds=2, chance=chance)

    assert max(run(main())) == 0.0


def test_a_flood_of_replies_while_broadcasts_wait_is_held_up_for_a_second_at_most() -> None:
    platform = Platform(there=lambda: 0.001, back=lambda: 0.001)

    async def main() -> list[float]:
        chance, pace = random.Random(5), Pace(30)
        sending = asyncio.create_task(send_all(pace, platform, broadcasts=4000))
        await asyncio.sleep(3)
        waits = await reply_at_random(pace, platform, per_second=300, seconds=2, chance=chance)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return waits

    assert max(run(main())) < 1.01


@pytest.mark.parametrize(("per_second", "expected"), [(10, 10.0), (0.5, 0.5), (2.5, 2.5)])
def test_other_rates_are_kept_too(per_second: float, expected: float) -> None:
    platform = Platform(there=lambda: 0.001, back=lambda: 0.001)

    async def main() -> float:
        begin = now()
        await send_all(Pace(per_second), platform, broadcasts=100)
        return 99 / (platform.arrivals[-1][0] - begin)

    assert run(main()) == pytest.approx(expected, rel=0.05)


def test_workers_that_share_keep_together_to_what_the_platform_takes() -> None:
    chance = random.Random(6)
    platform = Platform(there=NETWORKS["near"](chance), back=NETWORKS["near"](chance))

    async def main() -> float:
        begin = now()
        paces = [Pace(30) for _ in range(4)]
        for pace, share in zip(paces, (8, 8, 7, 7), strict=True):
            pace.take(share)
        async with asyncio.TaskGroup() as group:
            for pace in paces:
                group.create_task(send_all(pace, platform, broadcasts=200))
        return platform.rate(begin + 1, begin + 20)

    assert run(main()) >= 28.5
    assert platform.refused == 0


def test_what_cannot_go_soon_finds_no_room() -> None:
    async def main() -> None:
        pace = Pace(0.1)
        assert pace.room_ahead(1.0) == 1
        assert await pace.go(BROADCAST)
        pace.ended(BROADCAST)
        assert pace.room_ahead(1.0) == 0
        await asyncio.sleep(9.5)
        assert pace.room_ahead(1.0) == 1
        quick = Pace(30)
        assert quick.room_ahead(1.0) == 30
        for _ in range(90):
            assert await quick.go(REPLY)
        assert quick.room_ahead(1.0) == 0

    run(main())


def test_without_a_share_nothing_of_our_own_accord_goes() -> None:
    async def main() -> None:
        pace = Pace(30)
        pace.take(0)
        assert pace.room_ahead(1.0) == 0
        waiting = asyncio.create_task(pace.go(BROADCAST))
        await asyncio.sleep(60)
        assert not waiting.done()
        assert await pace.go(REPLY)
        pace.take(3)
        assert await waiting

    run(main())


def test_a_halt_sends_back_what_waits_and_ends_exactly() -> None:
    async def main() -> None:
        pace = Pace(1)
        assert await pace.go(BROADCAST)
        waiting = [asyncio.create_task(pace.go(lane)) for lane in (BROADCAST, REPLY)]
        await asyncio.sleep(0.01)
        pace.halt(7.0)
        pace.halt(3.0)
        pace.ended(BROADCAST)
        assert [await one for one in waiting] == [False, False]
        assert pace.halted == pytest.approx(7.0)
        await asyncio.sleep(6.999)
        assert not await pace.go(REPLY)
        await asyncio.sleep(0.002)
        assert pace.halted == 0
        assert await pace.go(REPLY)

    run(main())


def test_at_the_end_what_waits_is_sent_back() -> None:
    async def main() -> None:
        pace = Pace(1)
        assert await pace.go(BROADCAST)
        waiting = asyncio.create_task(pace.go(BROADCAST))
        await asyncio.sleep(0.01)
        pace.stop()
        assert not await waiting
        assert not await pace.go(REPLY)

    run(main())


def test_who_stops_waiting_takes_no_room() -> None:
    async def main() -> None:
        pace = Pace(1)
        assert await pace.go(BROADCAST)
        given_up = asyncio.create_task(pace.go(BROADCAST))
        await asyncio.sleep(0.01)
        given_up.cancel()
        pace.ended(BROADCAST)
        await asyncio.sleep(1.1)
        assert pace.in_use == 0
        assert await pace.go(BROADCAST)

    run(main())


def test_a_broadcast_that_hangs_holds_no_reply_up_for_long() -> None:
    async def main() -> None:
        pace = Pace(1)
        assert await pace.go(BROADCAST)
        at = now()
        assert await pace.go(REPLY)
        assert now() - at == pytest.approx(1.0, abs=0.01)

    run(main())
