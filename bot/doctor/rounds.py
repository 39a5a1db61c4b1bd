"""All checks, one after another; one that fails is a finding, and the rest go on.

What lives here: the order, and what each check needs of another. What must not: a check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bot.config import Settings
from bot.doctor import machine, platforms, postgres, sqlite, work
from bot.doctor.finding import Finding, counted, ok, trouble, warning
from bot.sole import is_in_use
from dialogues.errors import StoreError
from storage.driver import Driver
from storage.open import open_driver
from storage.sql import migrations
from storage.store import SqlStore
from storage.uptime import is_somebody_up
from storage.urls import SqlitePlace, read_url

__all__ = ["examine"]


def examine(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    now: Callable[[], datetime],
    deep: bool,
    show: Callable[[Finding], None],
) -> list[Finding]:
    """Look at everything; changes nothing.

    Args:
        path: Of the configuration, as for ``load_settings``.
        environ: The environment's variables.
        now: The clock.
        deep: Whether the whole database is read for damage.
        show: Called with each finding as it is made.
    """
    found: list[Finding] = []

    def note(findings: Iterable[Finding]) -> None:
        for finding in findings:
            found.append(finding)
            show(finding)

    known, read = machine.configuration(path, environ)
    note(read)
    if known is None:
        return found
    note([machine.surveys(known), machine.time_zones(known, today=now())])
    clocks: dict[str, timedelta] = {}
    note(_database(known, now=now, deep=deep, clocks=clocks))
    note([work.next_opening(known, now=now()), machine.tagger(known)])
    note(asyncio.run(_platforms(known, now, clocks)))
    asked = bool(clocks) or _is_telegram(known) or _is_slack(known)
    note([platforms.clock(clocks, asked=asked)])
    return found


def _database(
    known: Settings,
    *,
    now: Callable[[], datetime],
    deep: bool,
    clocks: dict[str, timedelta],
) -> Iterator[Finding]:
    place = read_url(known.storage.url)
    running = False
    if isinstance(place, SqlitePlace):
        if place.path is None:
            yield warning(
                "database",
                "It is in memory, and gone when the program ends.",
                "Set storage.url to a file: sqlite:///pulse.db",
            )
            return
        yield from sqlite.file_and_folder(place.path)
        if not place.path.exists():
            yield ok("database", f"There is none at {place.path} yet: `pulse run` makes it.")
            return
        yield from sqlite.room(place.path)
        running = is_in_use(place.path)
    try:
        with closing(open_driver(known.storage.url, readonly=True)) as driver:
            yield from _inside(known, driver, now=now, deep=deep, clocks=clocks, running=running)
    except StoreError as error:
        yield trouble("database", str(error), "Until this is mended, nothing can be kept or sent.")


def _inside(
    known: Settings,
    driver: Driver,
    *,
    now: Callable[[], datetime],
    deep: bool,
    clocks: dict[str, timedelta],
    running: bool,
) -> Iterator[Finding]:
    if driver.engine == "postgres":
        before = now()
        theirs = postgres.its_clock(driver)
        after = now()
        clocks["PostgreSQL"] = (
            theirs - after if theirs > after else min(theirs - before, timedelta())
        )
        yield from postgres.server(driver)
    else:
        yield sqlite.damage(driver, deep=deep)
    applied = set(driver.applied())
    if newer := sorted(applied - set(migrations())):
        yield trouble(
            "database version",
            f"It was written by a newer version of Commonpulse ({newer[-1]}).",
            "Install that version or a later one.",
        )
        return
    if pending := [name for name in migrations() if name not in applied]:
        yield warning(
            "database version",
            f"{counted(len(pending), 'step')} up to this version are still to be made.",
            "Make a backup (`pulse backup`); then start `pulse run`, which makes them.",
        )
        return
    yield ok("database version", "It is up to date.")
    store = SqlStore(driver, salt=b"")
    with store.transaction():
        yield from _work(known, store, driver, now=now(), running=running)


def _work(
    known: Settings, store: SqlStore, driver: Driver, *, now: datetime, running: bool
) -> Iterator[Finding]:
    answers, recent = work.growth(store, now=now)
    place = read_url(known.storage.url)
    if isinstance(place, SqlitePlace) and place.path is not None:
        yield sqlite.size(place.path, driver, answers=answers, recent=recent)
    else:
        yield postgres.size(driver, answers=answers, recent=recent)
    up = running or is_somebody_up(driver, now=now)
    if up:
        yield ok("pulse run", "It is up.")
    else:
        yield warning(
            "pulse run",
            "It is not running: nobody is answered, and nothing is sent.",
            "Start `pulse run`, or let the system do so (systemd, a container).",
        )
    yield from work.outbox(store, now=now, running=up)
    yield work.dead_letters(store)
    yield work.tagging(store, running=up)
    yield work.waves(store, now=now, running=up)


async def _platforms(
    known: Settings, now: Callable[[], datetime], clocks: dict[str, timedelta]
) -> list[Finding]:
    asked = []
    if _is_telegram(known):
        asked.append(platforms.telegram(known, now, clocks))
    if _is_slack(known):
        asked.append(platforms.slack(known, now, clocks))
    if not asked:
        return [
            warning(
                "channels",
                "Neither Telegram nor Slack is configured.",
                "Set telegram.token or slack.bot_token; `pulse chat` works without.",
            )
        ]
    return [finding for each in await asyncio.gather(*asked) for finding in each]


def _is_telegram(known: Settings) -> bool:
    return bool(known.telegram.token.get_secret_value())


def _is_slack(known: Settings) -> bool:
    return bool(known.slack.bot_token.get_secret_value())
