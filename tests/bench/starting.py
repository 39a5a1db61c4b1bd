"""How long it takes from a command to its first sign of life."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.answering import TOKEN
from tests.bench.bots import ROOT, Commonpulse, Yardstick, clean_environ
from tests.fakes.telegram import FakeTelegram

__all__ = ["starting"]


async def starting(folder: Path, *, times: int) -> list[dict[str, Any]]:
    """Measure ``pulse --help``, and how soon each bot asks for updates."""
    figures = [{"measure": "starting", "what": "pulse --help", **_figures(list(_help(times)))}]
    for kind in (Commonpulse, Yardstick):
        seconds = []
        for number in range(times):
            async with FakeTelegram(TOKEN) as fake:
                started = time.perf_counter()
                place = folder / f"start-{kind.name}-{number}"
                with kind(place, token=TOKEN, api_base_url=fake.base_url):
                    await fake.wait_polled()
                    seconds.append(time.perf_counter() - started)
        what = f"{kind.name} to its first getUpdates"
        figures.append({"measure": "starting", "what": what, **_figures(seconds)})
    return figures


def _help(times: int) -> Iterator[float]:
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "bot", "--help"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            env=clean_environ(),
        )
        yield time.perf_counter() - started


def _figures(seconds: list[float]) -> dict[str, Any]:
    return {
        "times": len(seconds),
        "best_s": round(min(seconds), 3),
        "median_s": round(median(seconds), 3),
    }
