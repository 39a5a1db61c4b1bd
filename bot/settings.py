"""The configuration as values: one frozen model a table.

What lives here: keys, their meaning, defaults and what each may be. What must not:
reading files and the environment, checks across tables (``config.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictStr,
    model_validator,
)

from bot.clock.zones import zones_called
from dialogues.errors import StoreError
from dialogues.folding import fold
from dialogues.text import Text
from storage.urls import SqlitePlace, read_url

__all__ = [
    "Cohort",
    "Delivery",
    "Fatigue",
    "Name",
    "Privacy",
    "Pulse",
    "QuietHours",
    "Results",
    "Role",
    "Share",
    "Slack",
    "Storage",
    "Table",
    "Tagger",
    "Telegram",
    "Web",
    "database_file",
    "written",
]

Role = Literal["citizen", "partner"]
Share = Literal["both", "channel", "direct", "ask", "off"]

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class QuietHours(BaseModel):
    """Hours of the day in which nothing is sent, in local time; may pass midnight."""

    model_config = ConfigDict(frozen=True)

    start: time
    end: time

    @property
    def minutes(self) -> tuple[int, int]:
        """From and until, in minutes after midnight."""
        return (
            self.start.hour * 60 + self.start.minute,
            self.end.hour * 60 + self.end.minute,
        )


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    parts = re.findall(r"(\d{1,5})([wdhms])", value) if isinstance(value, str) else []
    length = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
    if not length or "".join(count + unit for count, unit in parts) != value:
        raise ValueError('expected a time such as "2d", "5h" or "30m"')
    return length


def _quiet_hours(value: object) -> object:
    if value == "":
        return None
    if not isinstance(value, str):
        return value
    found = _QUIET.fullmatch(value)
    if found is None or found[1] + found[2] == found[3] + found[4]:
        raise ValueError('expected two times of the day such as "20:00-08:00"')
    return QuietHours(
        start=time(int(found[1]), int(found[2])), end=time(int(found[3]), int(found[4]))
    )


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        called, _ = zones_called(fold(value))
        near = called or get_close_matches(value, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ' such as "Europe/London"'
        raise ValueError(f"expected the name of a time zone{hint}") from None
    return value


def _cron(value: str) -> str:
    expected = 'expected minute, hour, day, month and weekday such as "0 10 1 * *"'
    count = len(value.split())
    if count != 5:
        here = "is 1 field" if count == 1 else f"are {count} fields"
        raise ValueError(f"{expected}; here {here}")
    try:
        comes = next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        raise ValueError(f"{expected}; {str(error).lower()}") from None
    if comes is None:
        raise ValueError("expected a time that comes")
    # A wave's id holds its local date: of two on one day the second would never open. The
    # fields alone say so; what clock changes repeat or leave out does not count.
    line = CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    first, *more = sorted(
        f"{hour:02}:{minute:02}" for hour in line.hours for minute in line.minutes
    )
    if more:
        raise ValueError(
            f"expected one opening a day at most; this line opens at {first} and at {more[0]}"
            " (make a pulse for each)"
        )
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("expected an address that begins with https:// or http://")
    return value


def _public_address_or_empty(value: str) -> str:
    if value and ("?" in _web_address(value) or "#" in value or "@" in value):
        raise ValueError("expected an address without ?, # and @")
    return value


def _database_address(value: str) -> str:
    try:
        place = read_url(value)
    except StoreError as trouble:
        raise ValueError(str(trouble)) from None
    if place == SqlitePlace(path=None) and not value.endswith(":memory:"):
        raise ValueError('expected a file, as in "sqlite:///pulse.db"')
    return value


def _shape(pattern: str, expected: str) -> AfterValidator:
    """Check words against a pattern; empty is allowed, and the words are never repeated."""

    def look(value: Any) -> Any:
        words = value.get_secret_value() if isinstance(value, SecretStr) else value
        if words and not re.fullmatch(pattern, words):
            raise ValueError(expected)
        return value

    return AfterValidator(look)


def _days_off(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError('expected days such as ["sat", "sun"]')
    days: set[int] = set()
    for word in value:
        if isinstance(word, int) and not isinstance(word, bool) and 0 <= word < len(_WEEKDAYS):
            days.add(word)
            continue
        if not isinstance(word, str) or word.lower()[:3] not in _WEEKDAYS:
            raise ValueError(f'expected days such as ["sat", "sun"]: {", ".join(_WEEKDAYS)}')
        days.add(_WEEKDAYS.index(word.lower()[:3]))
    if len(days) == len(_WEEKDAYS):
        raise ValueError("expected at least one day of the week that is not off")
    return tuple(sorted(days))


def _calendar(value: str) -> str:
    from bot.clock.calendars import calendar_problem

    problem = calendar_problem(value)
    if problem is not None:
        raise ValueError(problem)
    return value


def _short(value: Text | None) -> Text | None:
    if value is not None and any(len(words) > 100 for words in value.root.values()):
        raise ValueError("expected at most 100 characters")
    return value


def _none_for_empty(value: object) -> object:
    return None if value == "" else value


def _maybe(look: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Check a value that may be missing."""
    return lambda value: None if value is None else look(value)


def _bearable(value: timedelta | None) -> timedelta | None:
    if value is not None and value > timedelta(minutes=5):
        raise ValueError('expected "5m" or less: nothing ends before')
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
DaysOff = Annotated[tuple[int, ...], BeforeValidator(_days_off)]
Name = Annotated[
    StrictStr,
    Field(min_length=1, max_length=64),
    _shape(r"[a-z0-9][a-z0-9-]*", "expected a-z, 0-9 and -"),
]


class Table(BaseModel):
    """A table of the configuration: frozen, with no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Storage(Table):
    """Where everything is kept."""

    url: Annotated[str, Field(min_length=1), AfterValidator(_database_address)] = Field(
        default="sqlite:///pulse.db",
        # It may hold a password.
        repr=False,
        description=(
            "`sqlite:///FILE`, where a relative file is beside the configuration file; or"
            " `postgresql://USER:PASSWORD@HOST/NAME`"
        ),
    )
    connections: int = Field(
        default=4, ge=1, le=64, description="how many write to PostgreSQL at once, each process"
    )


class Telegram(Table):
    """Citizens' channel; off while the token is empty."""

    token: Annotated[
        SecretStr, _shape(r"\d+:\S+", 'expected the token from @BotFather, such as "123456:ABC..."')
    ] = Field(default=SecretStr(""), description="from @BotFather; empty: no Telegram")
    mode: Literal["polling", "webhook"] = Field(
        default="polling",
        description="how messages are read: `polling` needs no public address, `webhook` needs"
        " `public_url` in `[web]`",
    )
    api_base_url: Annotated[str, AfterValidator(_web_address)] = Field(
        default="https://api.telegram.org",
        description="another server that speaks the Bot API",
    )
    webhook_secret: Annotated[
        SecretStr, _shape(r"[A-Za-z0-9_-]{1,256}", "expected at most 256 of A-Z, a-z, 0-9, _ and -")
    ] = Field(
        default=SecretStr(""),
        description="what Telegram proves itself with at our webhook; empty: made of the token",
    )


class Slack(Table):
    """Partners' channel; off while the tokens are empty."""

    bot_token: Annotated[
        SecretStr, _shape(r"(xoxe\.)?xoxb-\S+", 'expected the token of a bot, "xoxb-..."')
    ] = Field(
        default=SecretStr(""),
        description="`xoxb-...`, from “OAuth & Permissions”; empty: no Slack",
    )
    app_token: Annotated[SecretStr, _shape(r"xapp-\S+", 'expected a token "xapp-..."')] = Field(
        default=SecretStr(""),
        description="`xapp-...`, with the scope connections:write; needed while `mode` is `socket`",
    )
    signing_secret: Annotated[
        SecretStr, _shape(r"\S{8,}", 'expected the signing secret, from "Basic Information"')
    ] = Field(
        default=SecretStr(""),
        description="from “Basic Information”; needed while `mode` is `http`",
    )
    mode: Literal["socket", "http"] = Field(
        default="socket",
        description="how messages are read: `socket` needs no public address, `http` does",
    )
    api_base_url: Annotated[str, AfterValidator(_web_address)] = Field(
        default="https://slack.com/api/", description="another server that speaks the Web API"
    )


class Web(Table):
    """The web server: started where a channel is read by webhook or HTTP, or where it is always
    wanted. It also shows `/healthz`, `/readyz` and `/metrics`.
    """

    always: bool = Field(
        default=False, description="start it also where no channel needs it, to be watched"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="port to listen on")
    public_url: Annotated[str, AfterValidator(_public_address_or_empty)] = Field(
        default="",
        description="https address under which the platforms reach it, such as"
        " `https://pulse.example.org`",
    )
    drain: Annotated[
        Duration | None, BeforeValidator(_none_for_empty), AfterValidator(_bearable)
    ] = Field(
        default=None,
        description="at the end, how long `/readyz` says so while requests are still taken, for a"
        ' balancer to notice, such as "10s"',
    )


class Results(Table):
    """Nothing is published on fewer people."""

    min_group: int = Field(
        default=5, ge=3, description="people behind a figure inside a partnership; at least 3"
    )
    public_min_group: int = Field(default=10, ge=3, description="people behind anything public")
    share: Share = Field(
        default="both",
        description="who gets the results when a wave closes: `channel` (the cohort's channel "
        "in Slack), `direct` (everybody who was invited), `both`; `ask`: only who types "
        "`/results`; `off`: nobody",
    )


class Fatigue(Table):
    """How often one person is invited, over all pulses."""

    invitations: int = Field(
        default=1, ge=1, description="most invitations; reminders do not count"
    )
    per: Duration = Field(default=timedelta(days=7), description="in this time")


class Privacy(Table):
    """What `/privacy` says of the people who run this."""

    contact: str = Field(
        default="", max_length=300, description="who runs this and how to reach them"
    )
    kept: Annotated[Text | None, AfterValidator(_short)] = Field(
        default=None,
        description='how long answers are kept, such as "two years", or a table of languages,'
        ' such as `{ en = "two years", cy = "dwy flynedd" }`',
    )


class Tagger(Table):
    """What reads the open answers."""

    model: str = Field(
        default="default",
        description="`default`, which is right more often; `fast`, for small machines; or the "
        "folder of a model made by `pulse train`",
    )


class Delivery(Table):
    """How fast messages leave."""

    slots: int = Field(default=32, ge=1, le=100, description="messages under way at once")
    broadcast_per_second: float = Field(
        default=30,
        gt=0,
        le=30,
        description="messages a second on Telegram; broadcasts take what replies leave of it",
    )
    slack_broadcast_per_second: float = Field(
        default=4, gt=0, le=50, description="the same in Slack"
    )

    @property
    def rates(self) -> dict[str, float]:
        """Messages a second, by channel."""
        return {"telegram": self.broadcast_per_second, "slack": self.slack_broadcast_per_second}


class Cohort(Table):
    """A partnership, place or panel."""

    name: Name = Field(description="a-z, 0-9 and -; unique")
    title: str = Field(default="", max_length=100, description="what people see; else the name")
    timezone: Annotated[StrictStr, AfterValidator(_zone)] = Field(
        default="UTC",
        description="local time of members whose own is not known, such as `Europe/London`",
    )
    slack_channel: Annotated[
        str | None,
        BeforeValidator(_none_for_empty),
        _shape(r"[CG][A-Z0-9]+", 'expected the id of a Slack channel such as "C0123456789"'),
    ] = Field(default=None, description="id of a Slack channel: its members are the partners")
    telegram_code: Annotated[
        str | None,
        BeforeValidator(_none_for_empty),
        _shape(r"[A-Za-z0-9_-]{1,64}", "expected at most 64 of A-Z, a-z, 0-9, _ and -"),
    ] = Field(default=None, description="`t.me/BOT?start=CODE` joins the cohort")
    survey: Annotated[str | None, BeforeValidator(_none_for_empty)] = Field(
        default=None, description="survey that is open at any time, when no wave is"
    )
    days_off: DaysOff = Field(
        default=(), description='nothing is sent on these days, such as `["sat", "sun"]`'
    )
    holidays: Annotated[
        str | None, AfterValidator(_maybe(_calendar)), BeforeValidator(_none_for_empty)
    ] = Field(
        default=None,
        description="nothing is sent on public holidays of this country or region, such as"
        " `GB` or `GB-WLS`",
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("title") and "name" in value:
            return {**value, "title": value["name"]}
        return value

    @cached_property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.timezone)


class Pulse(Table):
    """A check-in that comes again and again."""

    name: Name = Field(description="a-z, 0-9 and -; unique")
    survey: StrictStr = Field(description="id of the survey that it asks")
    cohorts: tuple[StrictStr, ...] = Field(min_length=1, description="names of the cohorts asked")
    roles: tuple[Role, ...] = Field(
        default=("citizen", "partner"),
        min_length=1,
        description="who is asked: `citizen` (Telegram), `partner` (Slack)",
    )
    cron: Annotated[StrictStr, AfterValidator(_cron)] = Field(
        description="minute, hour, day, month, weekday, in everybody's own local time"
    )
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet_hours)] = Field(
        default=None, description='nothing is sent in these hours, such as "20:00-08:00"'
    )
    days_off: DaysOff = Field(
        default=(), description="nothing is sent on these days, beside those of the cohort"
    )
    remind_after: tuple[Duration, ...] = Field(
        default=(),
        description="one reminder each after a person's invitation, to those who have not answered",
    )
    close_after: Duration | None = Field(
        default=None, description="how long a wave stays open; else until the next one opens"
    )
    questions_per_person: int | None = Field(
        default=None,
        ge=1,
        description="how many of the questions with an enabler each person gets; else all",
    )
    seed: StrictStr = Field(
        default="",
        max_length=64,
        description="of the draw of these questions, to write down beforehand; else one by chance",
    )
    share: Share | None = Field(
        default=None, description="who gets its results; else as `[results] share` says"
    )


def database_file(url: str) -> Path | None:
    """Give the file of a storage address; None where there is none, in memory or elsewhere."""
    place = read_url(url)
    return place.path if isinstance(place, SqlitePlace) else None


def written(length: timedelta) -> str:
    """Write a length of time as the configuration does: ``2d``, ``5h``, ``30m``."""
    for unit, name in _UNITS.items():
        one = timedelta(**{name: 1})
        if unit != "w" and length % one == timedelta():
            return f"{length // one}{unit}"
    return f"{length.total_seconds():g}s"
