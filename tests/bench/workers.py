"""Turns a second against the number of workers on one PostgreSQL, behind a balancer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.bench.answering import Round, figures_of, hold_round, ratio_of
from tests.bench.bots import Bot, Commonpulse
from tests.bench.databases import Databases
from tests.fakes.telegram import FakeTelegram
from tests.web.balancer import Balancer, balancing
from tests.web.serving import free_port

__all__ = ["workers"]


class _Team(Bot):
    """So many ``pulse run`` on one database, to which Telegram comes through a balancer."""

    name = "workers"

    def __init__(
        self, folder: Path, *, token: str, api_base_url: str, storage: str, url: str,
        balancer: Balancer,
    ) -> None:  # fmt: skip
        super().__init__(folder, token=token, api_base_url=api_base_url)
        self._balancer = balancer
        self._all: list[Commonpulse] = []
        for number, port in enumerate(balancer.ports):
            one = Commonpulse(
                folder / f"{number}", token=token, api_base_url=api_base_url, storage=storage
            )
            one.env = {
                "PULSE_TELEGRAM__MODE": "webhook",
                "PULSE_WEB__PORT": str(port),
                "PULSE_WEB__PUBLIC_URL": url,
            }
            self._all.append(one)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        for one in self._all:
            one.__enter__()
        return self

    async def wait_up(self, fake: FakeTelegram) -> None:
        await self._balancer.wait_ready()
        await fake.wait_hooked()

    @property
    def log(self) -> str:
        return "\n".join(one.log for one in self._all)

    def cpu_seconds(self) -> float:
        return sum(one.cpu_seconds() for one in self._all)

    def rss_mb(self) -> float:
        return sum(one.rss_mb() for one in self._all)

    def kill(self) -> None:
        for one in self._all:
            one.kill()

    def kept(self) -> int:
        return self._all[0].kept()


async def workers(
    folder: Path, *, people: int, crowds: int, rounds: int, counts: Sequence[int]
) -> list[dict[str, Any]]:
    """Measure each number of workers in turn, so that whatever else the machine does meets all.

    Args:
        folder: New ones go in here.
        people: Who answer at once.
        crowds: How many of them, one after another, in a round.
        rounds: Of each number.
        counts: Of workers; the first is what the others are compared with.
    """
    databases = Databases(folder)
    held: dict[int, list[Round]] = {count: [] for count in counts}
    try:
        for number in range(rounds):
            for count in counts:
                with databases.new("postgres") as storage:
                    port = free_port()
                    ports = [free_port() for _ in range(count)]
                    async with balancing(port, ports) as balancer:
                        kind = partial(
                            _Team, storage=storage, url=f"http://127.0.0.1:{port}",
                            balancer=balancer,
                        )  # fmt: skip
                        place = folder / f"{count}-workers-{number}"
                        held[count].append(
                            await hold_round(kind, place, people=people, crowds=crowds)
                        )
    finally:
        databases.close()
    shared = {"measure": "workers", "people": people, "crowds": crowds, "rounds": rounds}
    first = held[counts[0]]
    return [
        {
            **shared,
            "workers": count,
            **figures_of(held[count]),
            "platform_cpu_share": round(
                median(one.platform_cpu_seconds / one.seconds for one in held[count]), 2
            ),
            "ratio_updates_per_second": ratio_of(
                list(zip(held[count], first, strict=True)), lambda one: one.updates_per_second
            ),
        }
        for count in counts
    ]
