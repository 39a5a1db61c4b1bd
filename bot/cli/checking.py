"""The command ``pulse check``.

What lives here: which files are checked and how findings are printed. What must not: the
checks themselves (``bot.config``, ``dialogues``).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import config_path, use_config
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.config import ConfigReading, Settings
    from bot.findings import Finding
    from dialogues.errors import Problem
    from dialogues.survey import Survey

__all__ = ["check"]


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Survey files; else all of the folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find every mistake in the configuration and the surveys.

    Prints a line for each: file, line, key and what was expected.
    """
    from bot.findings import errors_in

    findings, checked = _look(files or [])
    errors = len(errors_in(findings))
    warnings = len(findings) - errors
    if as_json:
        report = {
            "checked": checked,
            "errors": errors,
            "warnings": warnings,
            "findings": [asdict(finding) for finding in findings],
        }
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            typer.echo(str(finding))
        counts = (
            _count(len(checked), "file"),
            _count(errors, "error"),
            _count(warnings, "warning"),
        )
        typer.echo("{}: {}, {}".format(*counts))
    if errors:
        raise typer.Exit(2)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _look(files: list[Path]) -> tuple[list[Finding], list[str]]:
    """Check everything; gives the findings by file and line, and the names of what was read."""
    from bot.config import foreign_codes, ids_twice, read_survey_file
    from bot.config_checks import survey_references, too_few_to_draw
    from bot.findings import in_file
    from dialogues.promises import MIN_GROUP

    surveys = [path for path in files if not _is_configuration(path)]
    reading, findings = _configuration()
    whole = not surveys and reading is not None
    if reading is not None and whole:
        surveys, missing = _folder(reading)
        findings += missing
    enablers, unreadable = _enablers(reading)
    findings += unreadable
    if reading is not None and reading.settings is not None and whole and enablers is not None:
        foreign = list(foreign_codes(reading.settings.surveys, enablers))
        findings += in_file(reading.source, foreign)
        surveys = [] if foreign else surveys
    settings = None if reading is None else reading.settings
    least = MIN_GROUP if settings is None else settings.results.min_group
    read = [read_survey_file(path, enablers=enablers, min_group=least) for path in surveys]
    findings += [finding for survey in read for finding in survey.findings]
    findings += ids_twice(read)
    if reading is not None and whole and surveys:
        ids = [survey.survey_id for survey in read if survey.survey_id is not None]
        findings += in_file(reading.source, survey_references(reading.source.data, ids))
        known = {one.survey.survey_id: one.survey for one in read if one.survey is not None}
        findings += in_file(reading.source, too_few_to_draw(reading.source.data, known))
        if reading.settings is not None:
            findings += in_file(reading.source, _reaching_nobody(reading.settings, known))
    checked = [reading.source.name] if reading is not None and reading.source.name else []
    checked += [str(survey.path) for survey in read]
    return sorted(dict.fromkeys(findings), key=lambda one: (one.file, one.line or 0)), checked


def _reaching_nobody(settings: Settings, surveys: Mapping[str, Survey]) -> Iterator[Problem]:
    from bot.app import cohorts_of, now, pulses_of
    from bot.config_reach import reaching_nobody

    tokens = {"telegram": settings.telegram.token, "slack": settings.slack.bot_token}
    return reaching_nobody(
        pulses_of(settings),
        cohorts_of(settings),
        surveys,
        channels=[channel for channel, token in tokens.items() if token.get_secret_value()],
        on=now().date(),
    )


def _is_configuration(path: Path) -> bool:
    """Take a named file that is a configuration as the one to check."""
    from bot.config import configuration_keys
    from bot.toml_source import TomlUnreadable, read_toml

    try:
        keys = set(read_toml(path).data)
    except TomlUnreadable:
        return False
    if keys & {"survey", "question", "consent"} or not keys & set(configuration_keys()):
        return False
    use_config(path)
    return True


def _configuration() -> tuple[ConfigReading | None, list[Finding]]:
    from bot.config import read_settings
    from bot.findings import Finding
    from bot.toml_source import TomlUnreadable

    try:
        reading = read_settings(config_path(), os.environ)
    except TomlUnreadable as error:
        return None, [Finding(file=error.file, line=error.line, key="", expected=error.expected)]
    return reading, list(reading.findings)


def _folder(reading: ConfigReading) -> tuple[list[Path], list[Finding]]:
    from bot.config import survey_files
    from bot.findings import Finding

    try:
        return survey_files(reading.surveys_dir), []
    except UserError as error:
        folder = str(reading.surveys_dir)
        expected = str(error).removeprefix(f"{folder}: ")
        return [], [Finding(file=folder, line=None, key="", expected=expected)]


def _enablers(reading: ConfigReading | None) -> tuple[tuple[str, ...] | None, list[Finding]]:
    """Read the codes that questions may name; None where they cannot be read."""
    from bot.config import read_enablers
    from bot.findings import Finding
    from dialogues.errors import TaggerError

    codeframe = reading.codeframe if reading is not None else None
    try:
        return read_enablers(codeframe), []
    except TaggerError as error:
        file = "the shipped codeframe" if codeframe is None else str(codeframe)
        expected = f"expected a codeframe: {str(error).removeprefix(f'{file}: ')}"
        return None, [Finding(file=file, line=None, key="", expected=expected)]
