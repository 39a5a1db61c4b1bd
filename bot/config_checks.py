"""What is wrong in a configuration beyond each key: names, references, order, fatigue.

What lives here: checks across tables, made on whatever part is well-formed. What must
not: the shape of each key (``settings.py``), files and the environment (``config.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from cronsim import CronSim
from pydantic import BaseModel, ValidationError

from bot.clock.fitting import within
from bot.clock.wall import minute_of
from bot.settings import Fatigue, Pulse, Results, Telegram, Web, written
from bot.toml_source import KeyPath
from dialogues.errors import Problem
from dialogues.promises import MIN_GROUP
from dialogues.survey import Survey

__all__ = ["configuration_problems", "quoted_values", "survey_references", "too_few_to_draw"]

T = TypeVar("T", bound=BaseModel)

_PLAIN_KINDS: dict[object, str] = {
    bool: "expected true or false, without quotes",
    int: "expected a whole number, without quotes",
    float: "expected a number, without quotes",
}

#: A schedule is held against the fatigue budget from here, as far ahead as this, and for
#: this many openings at most.
_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=400)
_OPENINGS = 1_000

#: The Bot API that asks for what is checked here, and the ports that it sends to.
_TELEGRAM = "api.telegram.org"
_PORTS = (443, 80, 88, 8443)


def configuration_problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong across the tables of a configuration.

    Args:
        data: As in the file, the environment laid over it.
    """
    for table, keys in (
        ("cohort", ("name", "telegram_code", "slack_channel")),
        ("pulse", ("name",)),
        ("coder", ("name", "telegram", "slack")),
    ):
        for key in keys:
            yield from _unique(data, table, key)
    pulses = [_made(Pulse, item) for item in _listed(data, "pulse")]
    yield from _cohorts_exist(data)
    yield from _wave_names(pulses)
    for place, pulse in enumerate(pulses):
        if pulse is not None:
            yield from _in_order(pulse, ("pulse", place))
            yield from _in_own_quiet(pulse, ("pulse", place))
            yield from _in_vain(pulse, ("pulse", place))
    yield from _tokens(data.get("slack"))
    yield from _webhook(_made(Telegram, data.get("telegram", {})), _made(Web, data.get("web", {})))
    results = _made(Results, data.get("results", {}))
    yield from _groups(results)
    yield from _nobody_told(data, pulses, results or Results())
    fatigue = _made(Fatigue, data.get("fatigue", {}))
    if fatigue is not None:
        yield from _wearing(pulses, fatigue)


def quoted_values(
    data: Mapping[str, Any],
    tables: Mapping[str, type[BaseModel]],
    *,
    but: Collection[KeyPath],
) -> Iterator[Problem]:
    """Yield numbers and truth values that a file has in quotes, or one for the other.

    Args:
        data: As in the file, the environment laid over it.
        tables: Name of a table, or of a list of tables, to its keys.
        but: What comes from the environment, where everything is text.
    """
    for name, model in tables.items():
        given = data.get(name)
        items: list[tuple[KeyPath, object]] = [((name,), given)]
        if isinstance(given, list):
            items = [((name, place), item) for place, item in enumerate(given)]
        for path, item in items:
            for key, value in item.items() if isinstance(item, Mapping) else ():
                field = model.model_fields.get(key)
                kinds = _kinds(field.annotation) if field is not None else set()
                at = (*path, key)
                if at in but or not kinds & set(_PLAIN_KINDS):
                    continue
                if isinstance(value, str) or (isinstance(value, bool) and bool not in kinds):
                    expected = next(_PLAIN_KINDS[kind] for kind in _PLAIN_KINDS if kind in kinds)
                    yield Problem(path=at, expected=expected)


def _kinds(annotation: object) -> set[object]:
    return {annotation, *get_args(annotation)}


def survey_references(data: Mapping[str, Any], survey_ids: Collection[str]) -> Iterator[Problem]:
    """Yield where a cohort or pulse names a survey that is not there.

    Args:
        data: As in the file.
        survey_ids: Of the surveys in the folder.
    """
    for table in ("cohort", "pulse"):
        for place, item in enumerate(_listed(data, table)):
            named = item.get("survey")
            if isinstance(named, str) and named and named not in survey_ids:
                yield Problem(
                    path=(table, place, "survey"),
                    expected=_one_of("the id of a survey in the folder", named, survey_ids),
                )


def too_few_to_draw(data: Mapping[str, Any], surveys: Mapping[str, Survey]) -> Iterator[Problem]:
    """Warn where a pulse draws more questions for each person than there are to draw from.

    Args:
        data: As in the file.
        surveys: By id.
    """
    for place, item in enumerate(_listed(data, "pulse")):
        pulse = _made(Pulse, item)
        survey = None if pulse is None else surveys.get(pulse.survey)
        count = None if pulse is None else pulse.questions_per_person
        if survey is None or count is None or count <= len(survey.pool):
            continue
        expected = (
            f"expected {len(survey.pool)} or fewer: {survey.survey_id} has no more questions"
            " to draw from, so everybody gets them all"
        )
        if not survey.pool:
            expected = (
                f"expected questions with an enabler in {survey.survey_id}; it has none to"
                " draw from, so everybody gets all of it"
            )
        yield Problem(
            path=("pulse", place, "questions_per_person"), expected=expected, severity="warning"
        )


def _one_of(what: str, given: str, known: Collection[str]) -> str:
    near = get_close_matches(given, known, n=1)
    if near:
        return f"expected {what}; did you mean {near[0]}?"
    return f"expected {what}: {', '.join(known) or 'there is none'}"


def _listed(data: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    listed = data.get(table)
    if not isinstance(listed, list):
        return []
    return [item if isinstance(item, dict) else {} for item in listed]


def _made(model: type[T], item: object) -> T | None:
    try:
        return model.model_validate(item)
    except ValidationError:
        return None


def _unique(data: Mapping[str, Any], table: str, key: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for place, item in enumerate(_listed(data, table)):
        value = item.get(key)
        if isinstance(value, int):
            value = str(value)  # an id of Telegram, which may be written either way
        if not isinstance(value, str) or not value:
            continue
        if value in seen:
            expected = f"expected a {key} of its own; {table} {seen[value] + 1} has {value} too"
            yield Problem(path=(table, place, key), expected=expected)
        seen.setdefault(value, place)


def _cohorts_exist(data: Mapping[str, Any]) -> Iterator[Problem]:
    names = [item["name"] for item in _listed(data, "cohort") if isinstance(item.get("name"), str)]
    for place, item in enumerate(_listed(data, "pulse")):
        listed = item.get("cohorts")
        cohorts: list[object] = listed if isinstance(listed, list) else []
        for number, name in enumerate(cohorts):
            path: KeyPath = ("pulse", place, "cohorts", number)
            if isinstance(name, str) and name not in names:
                yield Problem(path=path, expected=_one_of("the name of a cohort", name, names))
            elif name in cohorts[:number]:
                yield Problem(path=path, expected=f"expected {name} only once")


def _wave_names(pulses: Sequence[Pulse | None]) -> Iterator[Problem]:
    """A wave is called PULSE-COHORT-DATE: two of them must not come out the same."""
    seen: dict[str, tuple[str, str]] = {}
    for place, pulse in enumerate(pulses):
        for cohort in pulse.cohorts if pulse is not None else ():
            name = pulse.name if pulse is not None else ""
            wave = f"{name}-{cohort}"
            if seen.setdefault(wave, (name, cohort)) != (name, cohort):
                other = " for ".join(seen[wave])
                expected = f"expected another name; its waves would be called as those of {other}"
                yield Problem(path=("pulse", place, "name"), expected=expected)


def _in_order(pulse: Pulse, path: KeyPath) -> Iterator[Problem]:
    for number, after in enumerate(pulse.remind_after):
        at = (*path, "remind_after", number)
        if number and after <= pulse.remind_after[number - 1]:
            yield Problem(path=at, expected="expected longer than the reminder before it")
        if pulse.close_after is not None and after >= pulse.close_after:
            yield Problem(path=at, expected="expected shorter than close_after")


def _in_own_quiet(pulse: Pulse, path: KeyPath) -> Iterator[Problem]:
    """Warn where a pulse's time is one at which it sends nothing."""
    if pulse.quiet_hours is None:
        return
    minute, quiet = minute_of(pulse.cron), pulse.quiet_hours.minutes
    if within(minute, quiet):
        expected = (
            f"expected hours without the pulse's own time, {_clock(minute)}; as it is, everybody"
            f" is written to at {_clock(quiet[1])}"
        )
        yield Problem(path=(*path, "quiet_hours"), expected=expected, severity="warning")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _in_vain(pulse: Pulse, path: KeyPath) -> Iterator[Problem]:
    """Warn of reminders that come in no wave: the next one has opened by then, or it is another
    day and the pulse comes daily. Where the wave has closed by then, it is an error.
    """
    waves = _lives(pulse)
    for number, after in enumerate(pulse.remind_after):
        closed = pulse.close_after is not None and after >= pulse.close_after
        if closed or not waves or any(after < life for life in waves):
            continue
        expected = (
            f"expected shorter than {written(max(waves))}, the longest that a wave of this pulse"
            " is of use; this reminder never comes"
        )
        at = (*path, "remind_after", number)
        yield Problem(path=at, expected=expected, severity="warning")


def _lives(pulse: Pulse) -> list[timedelta]:
    """Give how long each wave lasts until the next one opens; of days in a row, until
    midnight.
    """
    openings = _openings(pulse)
    lives: list[timedelta] = []
    for number, at in enumerate(openings[:-1]):
        life = openings[number + 1] - at
        before = at - openings[number - 1] if number else None
        if timedelta(days=1) in (life, before):
            midnight = at.replace(hour=0, minute=0) + timedelta(days=1)
            life = min(life, midnight - at)
        lives.append(life)
    return lives


def _tokens(slack: object) -> Iterator[Problem]:
    """What is missing beside a token, also one that is wrong itself."""
    if not isinstance(slack, Mapping):
        return
    bot, app = slack.get("bot_token"), slack.get("app_token")
    if slack.get("mode") == "http":
        if bot and not slack.get("signing_secret"):
            expected = (
                'expected the signing secret, from "Basic Information", beside bot_token:'
                ' mode = "http" needs both'
            )
            yield Problem(path=("slack", "signing_secret"), expected=expected)
        return
    if bot and not app:
        expected = 'expected a token "xapp-..." beside bot_token: Socket Mode needs both'
        yield Problem(path=("slack", "app_token"), expected=expected)
    if app and not bot:
        expected = 'expected a token "xoxb-..." beside app_token: Socket Mode needs both'
        yield Problem(path=("slack", "bot_token"), expected=expected)


def _webhook(telegram: Telegram | None, web: Web | None) -> Iterator[Problem]:
    """What Telegram asks of the address of a webhook (core.telegram.org/bots/webhooks)."""
    if telegram is None or web is None or telegram.mode != "webhook":
        return
    if not telegram.token.get_secret_value():
        return
    path: KeyPath = ("web", "public_url")
    if not web.public_url:
        expected = (
            'expected an address such as "https://pulse.example.org": telegram.mode = "webhook"'
            " needs it"
        )
        yield Problem(path=path, expected=expected)
        return
    if urlsplit(telegram.api_base_url).hostname != _TELEGRAM:
        # A Bot API server of one's own asks for none of what follows.
        return
    url = urlsplit(web.public_url)
    if url.scheme != "https":
        yield Problem(path=path, expected="expected https://: Telegram sends to nothing else")
    elif (url.port or 443) not in _PORTS:
        listed = ", ".join(map(str, _PORTS))
        yield Problem(path=path, expected=f"expected one of the ports {listed}: Telegram's rule")
    elif not _public(url.hostname or ""):
        yield Problem(path=path, expected="expected an address that the internet can reach")


def _public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))


def _groups(results: Results | None) -> Iterator[Problem]:
    if results is not None and results.min_group < MIN_GROUP:
        expected = (
            f"expected {MIN_GROUP} or more: of fewer people one is easily told apart, so say it"
            " to those who are asked, also in surveys of your own"
        )
        yield Problem(path=("results", "min_group"), expected=expected, severity="warning")
    if results is not None and results.public_min_group < results.min_group:
        expected = f"expected min_group ({results.min_group}) or more"
        yield Problem(path=("results", "public_min_group"), expected=expected)


def _nobody_told(
    data: Mapping[str, Any], pulses: Sequence[Pulse | None], results: Results
) -> Iterator[Problem]:
    """Warn where results go to a channel alone and a cohort has none."""
    without = {
        item.get("name") for item in _listed(data, "cohort") if not item.get("slack_channel")
    }
    for place, pulse in enumerate(pulses):
        if pulse is None or (pulse.share or results.share) != "channel":
            continue
        missed = [name for name in pulse.cohorts if name in without]
        if missed:
            path: KeyPath = ("pulse", place, "share") if pulse.share else ("results", "share")
            expected = (
                f"expected a slack_channel in {', '.join(missed)}; without one its people are"
                ' told no results ("both" tells them one by one)'
            )
            yield Problem(path=path, expected=expected, severity="warning")


def _openings(pulse: Pulse) -> list[datetime]:
    openings: list[datetime] = []
    for at in CronSim(pulse.cron, _FROM):
        if at > _FROM + _AHEAD or len(openings) == _OPENINGS:
            break
        openings.append(at)
    return openings


def _most_within(openings: Sequence[datetime], per: timedelta) -> int:
    """Count the most openings that fall into any stretch of time shorter than ``per``."""
    most = first = 0
    for last, at in enumerate(openings):
        while at - openings[first] >= per:
            first += 1
        most = max(most, last - first + 1)
    return most


def _wearing(pulses: Sequence[Pulse | None], fatigue: Fatigue) -> Iterator[Problem]:
    """Warn where pulses, alone or together, invite the same people too often."""
    together: dict[tuple[str, str], list[tuple[str, list[datetime]]]] = defaultdict(list)
    for place, pulse in enumerate(pulses):
        if pulse is None:
            continue
        budget = f"fatigue allows {fatigue.invitations} in {written(fatigue.per)}"
        openings = _openings(pulse)
        path: KeyPath = ("pulse", place, "cron")
        alone = _most_within(openings, fatigue.per)
        if alone > fatigue.invitations:
            expected = f"expected fewer invitations; here come {alone}, {budget}"
            yield Problem(path=path, expected=expected, severity="warning")
            continue
        others: set[str] = set()
        for cohort in dict.fromkeys(pulse.cohorts):
            for role in pulse.roles:
                before = together[cohort, role]
                merged = sorted([*openings, *(at for _, listed in before for at in listed)])
                if before and _most_within(merged, fatigue.per) > fatigue.invitations:
                    others.update(name for name, _ in before)
                before.append((pulse.name, openings))
        if others:
            expected = f"expected fewer invitations; with {', '.join(sorted(others))}, {budget}"
            yield Problem(
                path=path, expected=f"{expected}, so some are not sent", severity="warning"
            )
