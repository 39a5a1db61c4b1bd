"""How large a database becomes, and how quick what a reply needs is found in it then."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storage.driver import Driver
from storage.open import open_store
from storage.records import read_instant
from storage.store import SqlStore
from tests.bench.databases import ENGINES, Databases, sizes
from tests.bench.multiplying import Lived, fill, live
from tests.fakes.crowd import percentile

__all__ = ["growth"]

#: Where a table takes less than this share of all, it is counted among the others.
_WORTH_NAMING = 0.01

#: Far more prompts than a person ever has at once.
_ALL = 1000

Lookup = Callable[[SqlStore], object]


def growth(folder: Path, *, answers: int, times: int, people: int, waves: int) -> Iterator[Any]:
    """Measure both engines with that many answers; each lookup so many times.

    Args:
        folder: For the databases.
        answers: About how many there are to be.
        times: How often each lookup is made, each time for somebody else.
        people: How many lives are multiplied.
        waves: How many waves each of them goes through.
    """
    lived = live(people=people, waves=waves)
    copies = max(1, answers // lived.answers)
    databases = Databases(folder)
    try:
        for engine in ENGINES:
            with databases.new(engine) as url:
                store = open_store(url)
                try:
                    yield _filled(store, lived, copies)
                    yield _looked_up(store, lived.answers * copies, times)
                finally:
                    store.close()
    finally:
        databases.close()


def _filled(store: SqlStore, lived: Lived, copies: int) -> dict[str, Any]:
    driver: Driver = store._driver
    started = time.perf_counter()
    rows = fill(driver, lived, copies=copies)
    seconds = time.perf_counter() - started
    if driver.engine == "postgres":
        # As its own housekeeping does sooner or later; SQLite has none.
        driver.run("vacuum (analyze)", {})
    found = sizes(driver)
    answers, total = lived.answers * copies, sum(found.values())
    named = {name: size for name, size in found.items() if size >= total * _WORTH_NAMING}
    each = {name: round(size / answers, 1) for name, size in _largest_first(named)}
    each["others"] = round((total - sum(named.values())) / answers, 1)
    spared = sum(
        n * found[name] / (len(lived.rows[name]) * copies) for name, n in lived.swept.items()
    )
    return {
        "measure": "growth",
        "engine": driver.engine,
        "answers": answers,
        "rows": rows,
        "fill_s": round(seconds, 1),
        "mb": round(total / 1e6, 1),
        "gb_per_million_answers": round(total / answers / 1000, 3),
        "swept_out_gb_per_million_answers": round(spared / lived.answers / 1000, 3),
        "bytes_per_answer": each,
    }


def _largest_first(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda pair: -pair[1])


class _Known:
    """Somebody who is in the database, and their newest conversation."""

    def __init__(self, driver: Driver, number: int, of: int) -> None:
        row: Any = driver.one(
            "select a.respondent_id, a.platform_id, s.session_id, s.updated_at"
            " from addresses a join sessions s on s.respondent_id = a.respondent_id"
            " where a.channel = 'telegram' and a.platform_id >= :least"
            " order by a.platform_id, s.updated_at desc limit 1",
            {"least": str(1_000_000_000 + number * 6_500_000_000 // of)},
        ) or driver.one(
            "select a.respondent_id, a.platform_id, s.session_id, s.updated_at"
            " from addresses a join sessions s on s.respondent_id = a.respondent_id"
            " order by s.updated_at desc limit 1",
            {},
        )
        self.person: str = row["respondent_id"]
        self.account: str = row["platform_id"]
        self.session: str = row["session_id"]
        self.at = read_instant(row["updated_at"])


def _looked_up(store: SqlStore, answers: int, times: int) -> dict[str, Any]:
    """Make each lookup of a reply's way, each in a transaction of its own as nothing else."""
    chance = random.Random(0)
    known = [_Known(store._driver, number, times) for number in range(times)]
    chance.shuffle(known)
    figures: dict[str, Any] = {
        "measure": "lookups",
        "engine": store._driver.engine,
        "answers": answers,
        "times": times,
    }
    for name in _lookups(known[0]):
        seconds = []
        for one in known:
            lookup = _lookups(one)[name]
            with store.transaction():
                began = time.perf_counter()
                lookup(store)
                seconds.append(time.perf_counter() - began)
        figures[f"{name}_p50_ms"] = round(1000 * percentile(seconds, 0.5), 3)
        figures[f"{name}_p99_ms"] = round(1000 * percentile(seconds, 0.99), 3)
    return figures


def _lookups(one: _Known) -> dict[str, Lookup]:
    """Give what is asked of the store on the way of a reply, and beside it."""
    now = one.at + timedelta(days=1)
    until = now + timedelta(minutes=2)
    return {
        "take_event": lambda store: store.take_event(f"bench:{one.account}", on=now.date()),
        "respondent_at": lambda store: store.respondent_at("telegram", one.account),
        "session": lambda store: store.session(one.session),
        "recent_sessions": lambda store: store.recent_sessions(one.person, limit=8),
        "seen_session": lambda store: store.seen_session(one.person, "999999999999"),
        "seen_turn": lambda store: store.seen_turn(one.session, "999999999999"),
        "has_waiting": lambda store: store.has_waiting(one.session),
        "open_waves_for": lambda store: store.open_waves_for(one.person),
        "claim_replies": lambda store: _claim(store, now, until),
        "claim_broadcasts": lambda store: _claim(store, now, until, lane=1),
        "untagged": lambda store: store.untagged("bench@1", limit=32),
        "workload": lambda store: store.workload(),
        "sweep_events": lambda store: store.sweep_events(after="", before=now.date(), limit=1000),
    }


def _claim(store: SqlStore, now: datetime, until: datetime, *, lane: int = 0) -> object:
    return store.claim_outbox(
        "telegram", lane=lane, limit=32, now=now, until=until, worker_id="bench"
    )
