"""Schedules that reach nobody: found before the first one is waited for in vain.

What lives here: whether a pulse ever invites anybody in a cohort, by the very rules by which
it will be done (``clock``). What must not: any other check (``config_checks.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta

from bot.clock.opening import scheduled
from bot.clock.planning import Planner
from bot.clock.wall import days_of
from bot.house import CohortPlan, PulsePlan
from dialogues.errors import Problem
from dialogues.survey import Survey
from storage.protocol import Timing, Window

__all__ = ["reaching_nobody"]

#: How far ahead a schedule is looked at.
_AHEAD = timedelta(days=400)

#: What stands against an invitation, in few words.
_AGAINST = {
    "day_off": "on days off",
    "holiday": "on public holidays",
    "quiet": "in quiet hours",
}

#: Role to channel, its name, the key by which people of that role come, and who else is one.
_WAYS = {
    "citizen": ("telegram", "Telegram", "telegram_code", "in Slack that they are a resident"),
    "partner": ("slack", "Slack", "slack_channel", "on Telegram that they are of an organisation"),
}


def reaching_nobody(
    pulses: Sequence[PulsePlan],
    cohorts: Sequence[CohortPlan],
    surveys: Mapping[str, Survey],
    *,
    channels: Collection[str],
    on: date,
) -> Iterator[Problem]:
    """Warn where a pulse invites nobody in a cohort.

    Args:
        pulses: In the order of the configuration.
        cohorts: Likewise.
        surveys: By id; a pulse whose survey is not there is passed over.
        channels: Those with a token; where there is none, nobody has filled them in yet.
        on: The day from which on schedules are looked at.
    """
    places = {cohort.name: place for place, cohort in enumerate(cohorts)}
    for place, pulse in enumerate(pulses):
        known = [cohorts[places[name]] for name in pulse.cohorts if name in places]
        yield from _no_way_in(pulse, place, known, channels)
        survey = surveys.get(pulse.survey_id)
        if survey is not None:
            for cohort in known:
                yield from _never(pulse, place, cohort, survey, on)


def _no_way_in(
    pulse: PulsePlan, place: int, cohorts: Sequence[CohortPlan], channels: Collection[str]
) -> Iterator[Problem]:
    """Warn where nobody of the roles that are asked comes to a cohort."""
    missed = [
        one for one in cohorts if not any(_comes(one, role, channels) for role in pulse.roles)
    ]
    if not missed:
        return
    listed = ", ".join(one.name for one in missed)
    if len(pulse.roles) > 1:
        expected = f"expected a telegram_code or slack_channel in {listed}, and a token for it"
        yield _warning(("pulse", place, "cohorts"), f"{expected}; nobody comes there without")
        return
    _, name, key, others = _WAYS[pulse.roles[0]]
    what = f"expected a {key} in {listed}"
    if all(_key(one, pulse.roles[0]) for one in missed):
        what = f"expected a token for {name}, where the {pulse.roles[0]}s of {listed} are"
    yield _warning(
        ("pulse", place, "roles"),
        f"{what}; without it nobody is asked but who says {others}",
    )


def _key(cohort: CohortPlan, role: str) -> str | None:
    return cohort.code if role == "citizen" else cohort.place


def _comes(cohort: CohortPlan, role: str, channels: Collection[str]) -> bool:
    return bool(_key(cohort, role)) and (not channels or _WAYS[role][0] in channels)


def _never(
    pulse: PulsePlan, place: int, cohort: CohortPlan, survey: Survey, on: date
) -> Iterator[Problem]:
    """Warn where every wave is over before anybody may be written to."""
    against: set[str] = set()
    for day in days_of(pulse.cron, on, on + _AHEAD):
        wave = scheduled(pulse, cohort, survey, day, seed=None)
        found = Planner(wave, wave.opens_at).window(Timing())
        if isinstance(found, Window):
            return
        against.add(found)
    if not against:
        return
    if len({*pulse.days_off, *cohort.days_off}) == 7:
        yield _warning(
            ("pulse", place, "days_off"),
            f"expected a day that is none: with those of {cohort.name} every day is one, so"
            " nobody is ever invited",
        )
        return
    told = ", ".join(words for reason, words in _AGAINST.items() if reason in against)
    yield _warning(
        ("pulse", place, "cron" if pulse.close_after is None else "close_after"),
        f"expected longer than what stands against it in {cohort.name}: every wave opens {told}"
        " and is over before they are, so nobody is ever invited",
    )


def _warning(path: tuple[str | int, ...], expected: str) -> Problem:
    return Problem(path=path, expected=expected, severity="warning")
