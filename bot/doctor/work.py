"""What waits: messages to send, answers to tag, waves to close, and when the next one opens.

What lives here: questions to the store, and what their answers mean. What must not: the
engine that it runs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock.wall import next_due
from bot.config import Settings
from bot.doctor.finding import Finding, counted, how_long, ok, trouble, warning
from nlp.languages import NOT_TAGGED
from storage.records import read_instant, write_instant
from storage.store import SqlStore

__all__ = ["dead_letters", "growth", "next_opening", "outbox", "tagging", "waves"]

#: A message that is due for longer is stuck.
_STUCK = timedelta(minutes=10)

#: A wave that should have closed this long ago is stuck.
_LATE = timedelta(minutes=15)

#: Answers that may wait to be tagged, beside what is said at this moment.
_MANY = 200

_START = "Start `pulse run`: it does this by itself."
_LOOK = "Look at the log of `pulse run`; stopping and starting it is safe at any time."


def outbox(store: SqlStore, *, now: datetime, running: bool) -> Iterator[Finding]:
    """Look for messages that should have gone out.

    Args:
        store: For reading.
        now: Aware.
        running: Whether `pulse run` is up.
    """
    waiting = list(store.read("doctor_waiting", now=write_instant(now)))
    total = sum(row["n"] for row in waiting)
    oldest = min((read_instant(row["oldest"]) for row in waiting), default=now)
    by_channel = ", ".join(f"{row['n']:,} on {row['channel']}" for row in waiting)
    if now - oldest <= _STUCK:
        yield ok("outbox", f"{counted(total, 'message')} due." if total else "Nothing is due.")
    elif running:
        yield trouble(
            "outbox",
            f"Messages are due that do not leave ({by_channel}); the oldest for"
            f" {how_long(now - oldest)}.",
            f"See what is said of the platforms here. {_LOOK}",
        )
    else:
        yield warning("outbox", f"{counted(total, 'message')} wait to be sent.", _START)
    claims = next(store.read("doctor_claims", now=write_instant(now)))
    if claims["n"]:
        late = now - read_instant(claims["oldest"])
        if late > _STUCK:
            yield warning(
                "outbox claims",
                f"{counted(claims['n'], 'message')} were taken up to be sent"
                f" {how_long(late)} too long ago, and it is not known how that ended.",
                _LOOK if running else _START,
            )


def dead_letters(store: SqlStore) -> Finding:
    """Look for messages that were given up."""
    dead = list(store.read("doctor_dead"))
    if not dead:
        return ok("dead letters", "No message was given up.")
    total = sum(row["n"] for row in dead)
    by_channel = ", ".join(f"{row['n']:,} on {row['channel']}" for row in dead)
    return warning(
        "dead letters",
        f"{counted(total, 'message')} were given up ({by_channel}).",
        "`pulse outbox` lists them with the reason, and tries them again.",
    )


def tagging(store: SqlStore, *, running: bool) -> Finding:
    """Look for answers that nobody has read."""
    row = next(store.read("doctor_unread", foreign=NOT_TAGGED))
    foreign, broken = int(row["foreigners"] or 0), int(row["broken"] or 0)
    waiting = int(row["n"]) - foreign - broken
    if broken:
        return warning(
            "tagging",
            f"{counted(broken, 'answer')} could not be read by the model.",
            "`pulse tag --untagged` lists them. Another model (tagger.model) tries them again.",
        )
    if waiting > _MANY or (waiting and not running):
        return warning(
            "tagging",
            f"{counted(waiting, 'answer')} wait to be tagged.",
            _LOOK if running else _START,
        )
    unknown = (
        f" {counted(foreign, 'answer')} in a language that the model does not know:"
        " `pulse tag --untagged` lists them for people to read."
        if foreign
        else ""
    )
    return ok("tagging", f"{counted(waiting, 'answer')} wait to be tagged.{unknown}")


def waves(store: SqlStore, *, now: datetime, running: bool) -> Finding:
    """Look for waves that should be closed."""
    rows = list(store.read("doctor_waves"))
    late = [
        row["wave_id"]
        for row in rows
        if row["closes_at"] is not None and now - read_instant(row["closes_at"]) > _LATE
    ]
    if late:
        return (trouble if running else warning)(
            "waves",
            f"{', '.join(late)} should be closed by now.",
            _LOOK if running else _START,
        )
    paused = [row["wave_id"] for row in rows if row["state"] == "paused"]
    if paused:
        return ok("waves", f"{counted(len(rows), 'wave')} not closed; paused: {', '.join(paused)}.")
    return ok("waves", f"{counted(len(rows), 'wave')} open.")


def next_opening(known: Settings, *, now: datetime) -> Finding:
    """Tell when the next wave opens."""
    zones = {cohort.name: cohort.timezone for cohort in known.cohorts}
    coming = [
        (next_due(pulse.cron, ZoneInfo(zones[cohort]), now), pulse.name, cohort)
        for pulse in known.pulses
        for cohort in pulse.cohorts
        if cohort in zones
    ]
    if not coming:
        return ok("schedule", "No [[pulse]] is configured: waves are opened by hand.")
    at, pulse, cohort = min(coming)
    local = at.astimezone(ZoneInfo(zones[cohort]))
    return ok(
        "schedule",
        f"The next wave, {pulse} for {cohort}, opens in {how_long(at - now)}"
        f" ({local:%Y-%m-%d %H:%M} {zones[cohort]}).",
    )


def growth(store: SqlStore, *, now: datetime) -> tuple[int, int]:
    """Count answers: all, and those of the last seven days."""
    since = write_instant(now - timedelta(days=7))
    [row] = store.read("doctor_answers")
    [recent] = store.read("doctor_recent", since=since)
    return int(row["n"]), int(recent["n"])
