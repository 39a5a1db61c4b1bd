"""``pulse forecast``: who would get what and when, without sending."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli import settings
from bot.cli.erasing import NOBODY
from bot.errors import UserError
from bot.standing import why, why_not

if TYPE_CHECKING:
    from bot.forecasting import Forecast, Period
    from bot.house import House

__all__ = ["forecast"]

#: The longest that can be looked ahead.
_LONGEST = 800


def forecast(
    days: Annotated[
        int, typer.Option("--days", min=1, max=_LONGEST, help="How many days to look ahead.")
    ] = 30,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day; else today.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day; else as --days says.")
    ] = None,
    pulse: Annotated[
        list[str] | None, typer.Option("--pulse", help="Only this pulse; may be repeated.")
    ] = None,
    cohort: Annotated[
        list[str] | None, typer.Option("--cohort", help="Only this cohort; may be repeated.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="PSEUDONYM", help="Only this person.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="How many and when, without every person.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """List who would get what and when, without sending anything.

    It goes by today's members and their hours, by quiet hours, days off, public holidays and
    fatigue, across clock changes too. Nobody answers in a forecast, so every reminder is in it.
    """
    from bot.app import house_of, now
    from bot.forecasting import forecast as look_ahead
    from storage.open import open_reader

    known = settings()
    house = house_of(known)
    for names, what, there in (
        (pulse, "pulse", [one.name for one in house.pulses]),
        (cohort, "cohort", [one.name for one in house.cohorts]),
    ):
        for name in names or ():
            if name not in there:
                listed = ", ".join(there) or "none"
                raise UserError(f"There is no {what} {name!r} in the configuration: {listed}.")
    at = now()
    period = _period(first, last, days, at)
    store = open_reader(known.storage.url)
    try:
        with store.transaction():
            if person is not None and store.respondent(person) is None:
                raise UserError(NOBODY)
            found = [
                one
                for one in look_ahead(
                    store, house, period, now=at, pulses=pulse or (), cohorts=cohort or ()
                )
                if person is None or one.respondent_id == person
            ]
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found], ensure_ascii=False))
        return
    if not found:
        typer.echo(f"Nothing would be sent{_between(period)}.")
        return
    for line in _lines(found, house, known.delivery.rates, people=not summary):
        typer.echo(line)


def _period(first: str | None, last: str | None, days: int, now: datetime) -> Period:
    from bot.forecasting import Period

    begins_at = now if first is None else max(now, _midnight(first, "--from"))
    if last is None:
        return Period(begins_at=begins_at, ends_at=begins_at + timedelta(days=days))
    ends_at = _midnight(last, "--to") + timedelta(days=1)
    if ends_at <= begins_at:
        raise UserError("--to is over before the forecast begins: give a later day.")
    if ends_at - now > timedelta(days=_LONGEST + 1):
        raise UserError(f"--to is too far ahead: give a day within {_LONGEST} days.")
    return Period(begins_at=begins_at, ends_at=ends_at)


def _midnight(text: str, option: str) -> datetime:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise UserError(f'{option}: expected a day such as "2027-03-28".') from None
    return datetime(on.year, on.month, on.day, tzinfo=UTC)


def _between(period: Period) -> str:
    return f" from {period.begins_at:%Y-%m-%d} to {period.ends_at:%Y-%m-%d}"


def _row(one: Forecast) -> dict[str, object]:
    return {
        "wave": one.wave_id,
        "pulse": one.pulse,
        "cohort": one.cohort,
        "respondent": one.respondent_id,
        "channel": one.channel,
        "what": _what(one.number),
        "at": one.at.isoformat(timespec="seconds"),
        "local": one.at.astimezone(ZoneInfo(one.timezone)).isoformat(timespec="seconds"),
        "timezone": one.timezone,
        "planned_at": one.planned_at.isoformat(timespec="seconds"),
        "not_sent": one.reason,
    }


def _what(number: int) -> str:
    return f"reminder {number}" if number else "invitation"


def _lines(
    found: Sequence[Forecast], house: House, rates: dict[str, float], *, people: bool
) -> list[str]:
    """Write a forecast for people: a heading a wave and message, then everybody by time."""
    ordered = sorted(found, key=lambda one: (one.wave_id, one.number))
    groups = [list(group) for _, group in groupby(ordered, lambda one: (one.wave_id, one.number))]
    groups.sort(key=lambda group: (min(one.at for one in group), group[0].wave_id))
    written: list[str] = []
    for group in groups:
        written.append(_heading(group, house, rates))
        if people:
            group.sort(key=lambda one: (one.reason is not None, one.at, one.respondent_id))
            written += [f"  {_person(one)}" for one in group]
    return written


def _heading(group: Sequence[Forecast], house: House, rates: dict[str, float]) -> str:
    first = group[0]
    cohort = house.cohort(first.cohort)
    timezone = cohort.timezone if cohort else "UTC"
    sent = [one for one in group if one.reason is None]
    reasons = Counter(one.reason for one in group if one.reason is not None)
    parts = [f"{first.wave_id}: {_what(first.number)} to {len(sent):,}"]
    if sent:
        begins_at = min(one.at for one in sent)
        parts.append(f"from {_clock(begins_at, timezone)}, all sent by about"
                     f" {_clock(_done_at(sent, rates), timezone)} {timezone}")  # fmt: skip
    if reasons:
        parts.append(f"not to {reasons.total():,} ({why_not(reasons)})")
    return "; ".join(parts)


def _done_at(sent: Sequence[Forecast], rates: dict[str, float]) -> datetime:
    """Give when the last would have left at the rates that the platforms take."""
    free: dict[str, datetime] = {}
    for one in sorted(sent, key=lambda one: one.at):
        space = timedelta(seconds=1 / rates.get(one.channel, 1.0))
        free[one.channel] = max(free.get(one.channel, one.at), one.at) + space
    return max(free.values())


def _person(one: Forecast) -> str:
    local = one.at.astimezone(ZoneInfo(one.timezone))
    said = f"{local:%Y-%m-%d %a %H:%M %z} {one.timezone}  {one.respondent_id}  {one.channel}"
    if one.reason is not None:
        return f"{said}  not sent: {why(one.reason)}"
    if one.number == 0 and one.at != one.planned_at:
        return f"{said}  (by their clock at {_clock(one.planned_at, one.timezone)})"
    return said


def _clock(at: datetime, timezone: str) -> str:
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
