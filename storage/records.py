"""Rows to values and back: how instants, days and lists are written in a column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime

from dialogues.codec import decode_session
from dialogues.coding import Coding, Stance
from storage.driver import Record
from storage.protocol import Respondent, StoredSession, Wave

__all__ = [
    "read_coding",
    "read_instant",
    "read_respondent",
    "read_session",
    "read_wave",
    "write_day",
    "write_instant",
    "write_instants",
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


def write_instants(instants: Sequence[datetime]) -> str:
    """Write several instants, in order."""
    return json.dumps([write_instant(at) for at in instants])


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
        quiet_hours=None if quiet is None else _pair(json.loads(quiet)),
        state=row["state"],
        opens_at=read_instant(row["opens_at"]),
        closes_at=None if closes_at is None else read_instant(closes_at),
        remind_at=tuple(read_instant(at) for at in json.loads(row["remind_at"])),
        reminded=row["reminded"],
        seed=row["seed"],
    )


def _pair(numbers: list[int]) -> tuple[int, int]:
    first, second = numbers
    return first, second


def read_coding(row: Record) -> Coding:
    """Read a coding."""
    return Coding(
        enabler=row["enabler"],
        stance=None if row["stance"] is None else Stance(row["stance"]),
        span_text=row["span_text"],
        span_start=row["span_start"],
        span_end=row["span_end"],
        confidence=row["confidence"],
    )
