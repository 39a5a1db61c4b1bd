"""This computer: whether the configuration can be read, time zones, the tagger.

What lives here: checks that need neither the database nor a network. What must not: the
rules of a configuration (``bot.config``).
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.config import ConfigReading, Settings, read_settings
from bot.doctor.finding import Finding, counted, ok, trouble, warning
from bot.errors import UserError
from bot.findings import errors_in
from bot.toml_source import TomlUnreadable
from dialogues.errors import CommonpulseError

__all__ = ["configuration", "surveys", "tagger", "time_zones"]

#: Clock changes are decided anew every year or two.
_OLD_YEARS = 2


def configuration(
    path: Path | None, environ: Mapping[str, str]
) -> tuple[Settings | None, list[Finding]]:
    """Read the configuration; gives it, or None, and what was found."""
    check = "configuration"
    repair = "Run `pulse check`: it says what is wrong, with file and line."
    try:
        reading: ConfigReading = read_settings(path, environ)
    except (TomlUnreadable, UserError) as error:
        return None, [trouble(check, str(error), repair)]
    errors = errors_in(reading.findings)
    if reading.settings is None:
        first = f"{counted(len(errors), 'error')}, the first: {errors[0]}" if errors else "broken"
        return None, [trouble(check, f"It cannot be used: {first}.", repair)]
    name = reading.source.name or "built-in defaults"
    odd = len(reading.findings)
    if odd:
        found = warning(check, f"{name}: {counted(odd, 'warning')}.", repair)
    else:
        found = ok(check, f"{name} can be read.")
    return reading.settings, [found]


def surveys(known: Settings) -> Finding:
    """See that every survey of the folder can be used."""
    try:
        read = known.load_surveys()
    except CommonpulseError as error:
        first = str(error).splitlines()[0]
        return trouble("surveys", first, "Run `pulse check`: `pulse run` does not start so.")
    return ok("surveys", f"{counted(len(read), 'survey')} in {known.surveys_dir} can be used.")


def time_zones(known: Settings, *, today: datetime) -> Finding:
    """See that this computer knows when clocks change where people are."""
    for cohort in known.cohorts:
        with suppress(zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            zoneinfo.ZoneInfo(cohort.timezone)
            continue
        return trouble(
            "time zones",
            f"This computer does not know {cohort.timezone}.",
            "Install the time zone data again: `make .venv/.run` brings tzdata along.",
        )
    release = _release()
    if release is None:
        return ok("time zones", "Every zone that is named is known.")
    if int(release[:4]) < today.year - _OLD_YEARS:
        return warning(
            "time zones",
            f"The time zone data are of {release}; clock changes have been decided since.",
            "Bring the system's tzdata up to date, else check-ins may go out an hour off.",
        )
    return ok("time zones", f"Every zone that is named is known; the data are of {release}.")


def tagger(known: Settings) -> Finding:
    """See that the model can be loaded and reads a sentence."""
    from nlp.load import load_tagger
    from nlp.tagger import ToTag

    try:
        loaded = load_tagger(known.model)
        [read] = loaded.tag([ToTag(text="We trust each other and share what we know.")])
    except CommonpulseError as error:
        return trouble(
            "tagger",
            str(error),
            "Answers are kept and tagged later; see tagger.model, or install anew.",
        )
    except Exception as error:
        return trouble(
            "tagger",
            f"It does not load ({type(error).__name__}).",
            "Answers are kept and tagged later; install anew with `make .venv/.run`.",
        )
    if read.error is not None:
        return trouble("tagger", "It loads, but reads nothing.", "Install anew, and report it.")
    return ok("tagger", f"{loaded.version} loads and reads.")


def _release() -> str | None:
    """Give the release of the time zone data that are read, such as 2026b; None if unknown."""
    for folder in map(Path, zoneinfo.TZPATH):
        if not (folder / "Europe" / "London").is_file():
            continue
        for name, begins in (("tzdata.zi", "# version "), ("+VERSION", "")):
            with suppress(OSError, UnicodeDecodeError), (folder / name).open() as file:
                line = file.readline().strip()
                if line.startswith(begins) and line[len(begins) : len(begins) + 4].isdigit():
                    return line[len(begins) :]
        return None
    with suppress(PackageNotFoundError):
        return version("tzdata")
    return None
