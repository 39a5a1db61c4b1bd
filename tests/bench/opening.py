"""A wave opened by hand for very many people: how long until every invitation lies ready."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.open import open_store
from tests.bench.bots import ROOT, clean_environ, rss_mb, write_config
from tests.bench.databases import ENGINES, Databases
from tests.bench.multiplying import Lived, fill, live
from tests.database import read_rows

__all__ = ["opening"]

#: People whose lives are multiplied: they were in one wave before, and some of them agreed then.
_LIVED = 10

#: How often a command's memory is looked at. It ends by itself, so the last look is before that.
_LOOK_SECONDS = 0.02

_COHORT = """
[[cohort]]
name = "riverside"

[[pulse]]
name = "bench"
survey = "bench"
cohorts = ["riverside"]
cron = "0 10 1 1 *"
close_after = "10d"
"""


def opening(folder: Path, *, people: int) -> Iterator[dict[str, Any]]:
    """Measure both engines, a tenth of so many people first: memory is not to grow with them.

    Args:
        folder: New ones go in here.
        people: Members of the cohort that is invited.
    """
    lived = live(people=_LIVED, waves=1)
    databases = Databases(folder)
    number = 0
    try:
        for engine in ENGINES:
            for count in (people // 10, people):
                number += 1
                with databases.new(engine) as url:
                    figures = _opened(folder / f"opening{number}", url, lived, count)
                yield {"measure": "opening", "engine": engine, **figures}
    finally:
        databases.close()


def _opened(folder: Path, url: str, lived: Lived, people: int) -> dict[str, Any]:
    store = open_store(url)
    fill(store._driver, lived, copies=people // _LIVED)
    if store._driver.engine == "postgres":
        # As its own housekeeping does sooner or later; SQLite has none.
        store._driver.run("vacuum (analyze)", {})
    store.close()
    folder.mkdir(parents=True)
    config = write_config(folder, storage=url)
    with config.open("a") as more:
        more.write(_COHORT)
    seconds, rss = _open_wave(config)
    ready = read_rows(
        url,
        "select count(*) as n from outbox where wave_id like 'bench-%' and state = 'pending'",
    )[0]["n"]
    if ready != people:
        raise RuntimeError(f"{ready} invitations lie ready for {people} people.")
    return {
        "people": people,
        "seconds_until_ready": round(seconds, 1),
        "people_per_second": round(people / seconds),
        "rss_mb": round(rss, 1),
    }


def _open_wave(config: Path) -> tuple[float, float]:
    """Run the command as a person does; give its seconds and the most memory that it held."""
    rss = 0.0
    began = time.perf_counter()
    with (config.parent / "log").open("wb") as log:
        command = subprocess.Popen(
            [sys.executable, "-m", "bot", "wave", "open", "bench", "--config", str(config)],
            cwd=ROOT, stdout=log, stderr=log, env=clean_environ(),
        )  # fmt: skip
        while command.poll() is None:
            rss = max(rss, rss_mb(command.pid))
            time.sleep(_LOOK_SECONDS)
    seconds = time.perf_counter() - began
    if command.returncode:
        raise RuntimeError((config.parent / "log").read_text())
    return seconds, rss
