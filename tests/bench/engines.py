"""SQLite against PostgreSQL: the same people and one worker, each as durable as in real use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.answering import Round, figures_of, hold_round, ratio_of
from tests.bench.bots import Commonpulse
from tests.bench.databases import ENGINES, Databases

__all__ = ["engines"]


class _OnPostgres(Commonpulse):
    """Its CPU time is that of the server too: on SQLite the program does that work itself."""

    def __init__(self, folder: Path, *, databases: Databases, **options: Any) -> None:
        super().__init__(folder, **options)
        self._databases = databases

    def cpu_seconds(self) -> float:
        return super().cpu_seconds() + self._databases.server_cpu_seconds()


async def engines(folder: Path, *, people: int, crowds: int, rounds: int) -> list[dict[str, Any]]:
    """Measure both in turn, so that whatever else the machine does meets both alike.

    Args:
        folder: New ones go in here.
        people: Who answer at once.
        crowds: How many of them, one after another, in a round.
        rounds: Of each engine.
    """
    databases = Databases(folder)
    held: dict[str, list[Round]] = {engine: [] for engine in ENGINES}
    try:
        for number in range(rounds):
            for engine in ENGINES:
                with databases.new(engine) as url:
                    kind: Any = partial(Commonpulse, storage=url)
                    if engine == "postgres":
                        kind = partial(_OnPostgres, storage=url, databases=databases)
                    place = folder / f"{engine}-{number}"
                    held[engine].append(await hold_round(kind, place, people=people, crowds=crowds))
    finally:
        databases.close()
    shared = {"measure": "engines", "people": people, "crowds": crowds, "rounds": rounds}
    figures: list[dict[str, Any]] = [
        {**shared, "engine": engine, **figures_of(held[engine])} for engine in ENGINES
    ]
    pairs = list(zip(held["postgres"], held["sqlite"], strict=True))
    ratios = {
        "updates_per_second": ratio_of(pairs, lambda one: one.updates_per_second),
        "p99": ratio_of(pairs, lambda one: one.p99_ms),
        "cpu_per_update": ratio_of(pairs, lambda one: one.cpu_ms),
    }
    return [*figures, {**shared, "ratio_postgres_to_sqlite": ratios}]
