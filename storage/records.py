"""Rows to values and back: how instants, days and lists are written in a column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dialogues.codec import decode_session
from dialogues.coding import Coding, KeptCoding, Said, Source, Stance
from storage.clock import Rhythm, Timing
from storage.driver import Record
from storage.protocol import Respondent, StoredSession, Wave

__all__ = [
    "listed",
    "read_coding",
    "read_instant",
    "read_kept_coding",
    "read_maybe",
    "read_pair",
    "read_respondent",
    "read_rhythm",
    "read_session",
    "read_timing",
    "read_wave",
    "write_day",
    "write_instant",
    "write_maybe",
    "write_rhythm",
]


def write_instant(at: datetime) -> str:
    """Write an instant as UTC text of fixed width, which sorts as time does.

    Raises:
        ValueError: It has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")


def read_instant(text: str) -> datetime:
    """Read an instant; of a day alone its beginning."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def write_day(on: date) -> str:
    """Write a day."""
    return on.isoformat()[:10]


def write_maybe(at: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return None if at is None else write_instant(at)


def read_maybe(text: str | None) -> datetime | None:
    """Read an instant that may be missing."""
    return None if text is None else read_instant(text)


def listed(words: Sequence[str]) -> str:
    """Write words as ``|one|two|``, in which a query can look for ``|one|``."""
    return f"|{'|'.join(words)}|" if words else ""


def read_respondent(row: Record, cohorts: Sequence[str]) -> Respondent:
    """Read a person."""
    return Respondent(
        respondent_id=row["respondent_id"],
        channel=row["channel"],
        role=row["role"],
        sector=row["sector"],
        language=row["language"],
        cohorts=tuple(sorted(cohorts)),
        opted_out=row["opted_out_at"] is not None,
        reachable=bool(row["reachable"]),
    )


def read_session(row: Record) -> StoredSession:
    """Read a session."""
    return StoredSession(
        session=decode_session(row["body"]),
        respondent_id=row["respondent_id"],
        invitation_id=row["invitation_id"],
        wave_id=row["wave_id"],
        cohort=row["cohort"],
        updated_at=read_instant(row["updated_at"]),
    )


def read_wave(row: Record) -> Wave:
    """Read a wave."""
    closes_at = row["closes_at"]
    quiet = row["quiet_hours"]
    return Wave(
        wave_id=row["wave_id"],
        pulse=row["pulse"],
        cohort=row["cohort"],
        survey_id=row["survey_id"],
        revision=row["revision"],
        roles=tuple(json.loads(row["roles"])),
        questions_per_person=row["questions_per_person"],
        timezone=row["timezone"],
        quiet_hours=None if quiet is None else read_pair(quiet),
        state=row["state"],
        opens_at=read_instant(row["opens_at"]),
        closes_at=None if closes_at is None else read_instant(closes_at),
        seed=row["seed"],
        rhythm=read_rhythm(row),
    )


def read_pair(text: str) -> tuple[int, int]:
    """Read two numbers."""
    first, second = json.loads(text)
    return first, second


def write_rhythm(rhythm: Rhythm) -> str:
    """Write how a wave keeps to everyone's time."""
    return json.dumps(
        {
            "opens_on": write_day(rhythm.opens_on),
            "minute": rhythm.minute,
            "at_once": rhythm.at_once,
            "next_on": None if rhythm.next_on is None else write_day(rhythm.next_on),
            "daily": rhythm.daily,
            "days_off": rhythm.days_off,
            "holidays": rhythm.holidays,
            "remind_after": [after.total_seconds() for after in rhythm.remind_after],
        }
    )


def read_rhythm(row: Record) -> Rhythm:
    """Read how a wave keeps to everyone's time; one of before this was kept went by its
    cohort's alone.
    """
    if row["timing"] is None:
        opens_at = read_instant(row["opens_at"])
        local = opens_at.astimezone(ZoneInfo(row["timezone"]))
        remind_at = (read_instant(at) for at in json.loads(row["remind_at"]))
        return Rhythm(
            opens_on=local.date(),
            minute=local.hour * 60 + local.minute,
            remind_after=tuple(at - opens_at for at in remind_at),
        )
    found = json.loads(row["timing"])
    next_on = found["next_on"]
    return Rhythm(
        opens_on=date.fromisoformat(found["opens_on"]),
        minute=found["minute"],
        at_once=found["at_once"],
        next_on=None if next_on is None else date.fromisoformat(next_on),
        daily=found["daily"],
        days_off=tuple(found["days_off"]),
        holidays=found["holidays"],
        remind_after=tuple(timedelta(seconds=after) for after in found["remind_after"]),
    )


def read_coding(row: Record) -> Coding:
    """Read a coding."""
    return Coding(
        enabler=row["enabler"],
        stance=None if row["stance"] is None else Stance(row["stance"]),
        span_text=row["span_text"],
        span_start=row["span_start"],
        span_end=row["span_end"],
        confidence=row["confidence"],
        threshold=row["threshold"],
    )


def read_kept_coding(row: Record) -> KeptCoding:
    """Read a coding with who gave it, when, and whether it holds."""
    return KeptCoding(
        coding=read_coding(row),
        coder=row["coder"],
        source=Source(row["source"]),
        status=Said(row["status"]),
        coded_at=row["coded_at"],
    )


def read_timing(row: Record | None) -> Timing:
    """Read when a person wants to be written to; without a row they never said."""
    if row is None:
        return Timing()
    quiet, days_off, until = row["quiet"], row["days_off"], row["paused_until"]
    return Timing(
        timezone=row["timezone"],
        told_timezone=row["told_timezone"],
        minute=row["minute"],
        quiet=None if quiet is None else read_pair(quiet),
        days_off=None if days_off is None else tuple(json.loads(days_off)),
        paused_until=None if until is None else date.fromisoformat(until),
    )
