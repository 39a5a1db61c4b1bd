"""The configuration: its file, the environment over it, and every mistake with its line.

What lives here: finding and reading the file, the environment's variables, checks across
tables, and the survey files that it names. What must not: what each key may be
(``settings.py``).

Imports neither spaCy nor a chat platform's library, so that it costs little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

import dialogues
from bot.coders import Coder
from bot.config_checks import configuration_problems, quoted_values, survey_references
from bot.errors import UserError
from bot.findings import Finding, errors_in, in_file, refuse, syntax_errors
from bot.settings import (
    Cohort,
    Delivery,
    Fatigue,
    Privacy,
    Pulse,
    QuietHours,
    Results,
    Slack,
    Storage,
    Table,
    Tagger,
    Telegram,
    Web,
    database_file,
)
from bot.toml_source import KeyPath, TomlSource, TomlUnreadable, read_toml, read_toml_text
from dialogues.errors import Problem
from dialogues.expectations import is_echo, keys_of, plain, unknown_key
from dialogues.loader import read_survey
from dialogues.promises import MIN_GROUP
from dialogues.survey import Survey
from nlp.shipped import is_shipped, model_folder

__all__ = [
    "SHIPPED_SURVEYS",
    "Cohort",
    "ConfigReading",
    "Pulse",
    "QuietHours",
    "Settings",
    "SurveyFile",
    "configuration_keys",
    "environment_keys",
    "find_config",
    "foreign_codes",
    "ids_twice",
    "load_settings",
    "read_enablers",
    "read_settings",
    "read_survey_file",
    "survey_files",
]

#: The surveys that come with Commonpulse.
SHIPPED_SURVEYS = Path(dialogues.__file__).parent / "surveys"

PREFIX = "PULSE_"
#: Variables that are no keys.
OTHER_VARIABLES = ("PULSE_CONFIG", "PULSE_DEBUG")


class Settings(Table):
    """Everything that can be configured.

    Attributes:
        surveys: Folder of survey files; see ``surveys_dir``.
    """

    surveys: str = Field(
        default="", description="folder of survey files; empty: the shipped surveys"
    )
    storage: Storage = Storage()
    telegram: Telegram = Telegram()
    slack: Slack = Slack()
    web: Web = Web()
    results: Results = Results()
    fatigue: Fatigue = Fatigue()
    privacy: Privacy = Privacy()
    tagger: Tagger = Tagger()
    delivery: Delivery = Delivery()
    cohorts: tuple[Cohort, ...] = Field(
        default=(), alias="cohort", description="the first serves people who are in none"
    )
    pulses: tuple[Pulse, ...] = Field(default=(), alias="pulse", description="the schedule")
    coders: tuple[Coder, ...] = Field(
        default=(), alias="coder", description="nobody else may review in the chat"
    )

    _source: TomlSource = PrivateAttr(default_factory=lambda: read_toml_text("", name=""))
    _warnings: tuple[Finding, ...] = PrivateAttr(default=())

    @property
    def surveys_dir(self) -> Path:
        """The folder of survey files."""
        return Path(self.surveys) if self.surveys else SHIPPED_SURVEYS

    @property
    def database(self) -> Path | None:
        """The file that everything is kept in; None when it is kept in memory."""
        return database_file(self.storage.url)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is odd about the configuration and can be lived with."""
        return self._warnings

    @property
    def codeframe(self) -> Path | None:
        """The file of the codes that the tagger gives; None for the shipped one."""
        return None if is_shipped(self.tagger.model) else self.model / "codeframe.toml"

    @property
    def model(self) -> Path:
        """The folder of the tagger's model."""
        return model_folder(self.tagger.model)

    def load_surveys(self) -> dict[str, Survey]:
        """Read every survey of the folder.

        Returns:
            Id to survey, in the order of file names.

        Raises:
            UserError: A survey has errors, the folder has none, or a cohort or pulse names
                a survey that is not there.
            TaggerError: The codeframe cannot be read.
        """
        enablers = read_enablers(self.codeframe)
        refuse(in_file(self._source, foreign_codes(self.surveys, enablers)))
        files = survey_files(self.surveys_dir)
        least = self.results.min_group
        read = [read_survey_file(path, enablers=enablers, min_group=least) for path in files]
        refuse(finding for file in read for finding in file.findings)
        refuse(ids_twice(read))
        ids = [file.survey_id for file in read if file.survey_id is not None]
        refuse(in_file(self._source, survey_references(self._source.data, ids)))
        return {file.survey.survey_id: file.survey for file in read if file.survey is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigReading:
    """What came of reading the configuration.

    Attributes:
        settings: None when there is an error.
        findings: By place.
        source: The file; an empty one where there is none.
        surveys_dir: Where surveys are, as far as it can be told.
        codeframe: As in ``Settings.codeframe``, as far as it can be told.
    """

    settings: Settings | None
    findings: tuple[Finding, ...]
    source: TomlSource
    surveys_dir: Path
    codeframe: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFile:
    """What came of reading a survey file.

    Attributes:
        survey: None when there is an error.
        survey_id: What the file says of itself, even when it has errors.
        survey_line: Where it says so.
    """

    path: Path
    survey: Survey | None
    survey_id: str | None
    findings: tuple[Finding, ...]
    survey_line: int = 1


def find_config(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Give the file to read: as asked, else PULSE_CONFIG, else config.toml here, else none."""
    if path is not None:
        return path
    if environ.get("PULSE_CONFIG"):
        return Path(environ["PULSE_CONFIG"])
    here = Path("config.toml")
    return here if here.is_file() else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the configuration.

    Args:
        path: As given with ``--config``; None looks at PULSE_CONFIG, then for
            ``config.toml`` here, then takes the defaults.
        environ: The environment's variables.

    Raises:
        UserError: It has errors.
    """
    reading = read_settings(path, environ)
    refuse(reading.findings)
    if reading.settings is None:
        raise UserError("The configuration cannot be read; run pulse check.")
    return reading.settings


def read_settings(path: Path | None, environ: Mapping[str, str]) -> ConfigReading:
    """Read the configuration and find all that is wrong in it, in one pass.

    Raises:
        UserError: The file is not there or is no text; mistakes in it do not raise.
    """
    file = find_config(path, environ)
    source = read_toml_text("", name="") if file is None else read_toml(file)
    data, variables, odd = _with_environment(source.data, environ)
    problems: list[Problem] = []
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = list(_translate(error, data))
    wrong = {problem.path for problem in problems}
    lists: dict[str, type[BaseModel]] = {"cohort": Cohort, "pulse": Pulse}
    problems += quoted_values(data, _tables() | lists, but=variables.keys() | wrong)
    problems += configuration_problems(data)
    findings = (*_placed(source, problems, variables), *odd)
    known = _beside(settings or _what_can_be_told(data), file)
    if settings is not None and not errors_in(findings):
        settings = known
        settings._source = source
        settings._warnings = findings
    else:
        settings = None
    return ConfigReading(
        settings=settings,
        findings=findings,
        source=source,
        surveys_dir=known.surveys_dir,
        codeframe=known.codeframe,
    )


def _what_can_be_told(data: Mapping[str, Any]) -> Settings:
    """Take of a wrong configuration what the check of the surveys needs."""
    surveys, tagger = data.get("surveys"), data.get("tagger")
    model = tagger.get("model") if isinstance(tagger, dict) else None
    return Settings(
        surveys=surveys if isinstance(surveys, str) else "",
        tagger=Tagger(model=model if isinstance(model, str) else ""),
    )


def _beside(settings: Settings, file: Path | None) -> Settings:
    """Read relative paths from the folder of the configuration file."""
    folder = Path() if file is None else file.parent
    changes: dict[str, Any] = {}
    if settings.surveys:
        changes["surveys"] = str(folder / settings.surveys)
    database = settings.database
    if database is not None:
        url = f"sqlite:///{folder / database}"
        changes["storage"] = settings.storage.model_copy(update={"url": url})
    if not is_shipped(settings.tagger.model):
        changes["tagger"] = Tagger(model=str(folder / settings.tagger.model))
    return settings.model_copy(update=changes)


def _placed(
    source: TomlSource, problems: list[Problem], variables: Mapping[KeyPath, str]
) -> list[Finding]:
    """Say where each problem is: in the file, or in a variable of the environment."""
    in_variables = [
        Finding(
            file="environment",
            line=None,
            key=variables[problem.path],
            expected=problem.expected,
            severity=problem.severity,
        )
        for problem in problems
        if problem.path in variables
    ]
    rest = [problem for problem in problems if problem.path not in variables]
    return [*syntax_errors(source), *in_file(source, rest), *in_variables]


def _tables() -> dict[str, type[BaseModel]]:
    """Give the plain tables by name."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def configuration_keys() -> tuple[str, ...]:
    """Give the keys and tables that a configuration may have at its top."""
    return keys_of(Settings)


def environment_keys() -> dict[str, KeyPath]:
    """Give every variable that sets a key, with the key's path."""
    keys: dict[str, KeyPath] = {f"{PREFIX}SURVEYS": ("surveys",)}
    for table, model in _tables().items():
        for key in model.model_fields:
            keys[f"{PREFIX}{table}__{key}".upper()] = (table, key)
    return keys


def _with_environment(
    data: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[KeyPath, str], list[Finding]]:
    """Lay the environment over the file's data; gives which variable set what, and oddities."""
    merged = dict(data)
    known = environment_keys()
    variables: dict[KeyPath, str] = {}
    odd = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        path = known.get(name)
        if path is None:
            odd.append(_unknown_variable(name, [*known, *OTHER_VARIABLES]))
            continue
        variables[path] = name
        if len(path) == 1:
            merged[str(path[0])] = environ[name]
        else:
            table = merged.get(str(path[0]), {})
            if isinstance(table, dict):
                merged[str(path[0])] = {**table, str(path[1]): environ[name]}
    return merged, variables, odd


def _unknown_variable(name: str, known: list[str]) -> Finding:
    near = get_close_matches(name, known, n=1)
    if name.startswith((f"{PREFIX}COHORT", f"{PREFIX}PULSE")):
        expected = "expected in the file: lists cannot be set by the environment"
    elif near:
        expected = f"expected a known variable; did you mean {near[0]}?"
    else:
        expected = "expected a known variable, such as PULSE_TELEGRAM__TOKEN"
    return Finding(file="environment", line=None, key=name, expected=expected, severity="warning")


def _translate(error: ValidationError, data: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[KeyPath] = set()
    for found in error.errors(include_url=False):
        path = found["loc"]
        if path not in seen and not is_echo(found):
            seen.add(path)
            yield Problem(path=path, expected=_expected(found, path))


def _expected(found: ErrorDetails, path: KeyPath) -> str:
    kind = found["type"]
    lists: dict[str, type[BaseModel]] = {"cohort": Cohort, "pulse": Pulse, "coder": Coder}
    if kind == "extra_forbidden":
        key = str(path[-1])
        if len(path) == 1:
            return unknown_key(key, configuration_keys())
        tables = _tables() | lists
        others = [name for name, model in tables.items() if key in keys_of(model)]
        known = keys_of(tables[str(path[0])])
        if not get_close_matches(key, known, n=1) and others:
            return f"expected a known key; {key} belongs to {' and '.join(others)}"
        return unknown_key(key, known)
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        if path[0] in lists:
            return f"expected tables that begin with [[{path[0]}]]"
        return f"expected a table [{path[0]}]"
    if kind == "tuple_type" and len(path) == 1:
        return f"expected tables that begin with [[{path[0]}]]"
    return plain(found)


def read_enablers(codeframe: Path | None) -> tuple[str, ...]:
    """Give the keys of a codeframe, in its order; None reads the shipped one.

    Raises:
        TaggerError: It cannot be read.
    """
    from nlp.codeframe import CODEFRAME_PATH, read_codeframe

    return tuple(code.key for code in read_codeframe(codeframe or CODEFRAME_PATH).codes)


def foreign_codes(surveys: str, enablers: Collection[str]) -> Iterator[Problem]:
    """Find that the shipped surveys do not go with the codes of a partnership's own model.

    Args:
        surveys: As configured; empty for the shipped ones.
        enablers: The codes of the configured model.
    """
    if not surveys and not set(read_enablers(None)) <= set(enablers):
        yield Problem(
            path=("surveys",),
            expected="expected a folder of your own surveys: the shipped ones name other codes "
            "than the model under [tagger] gives",
        )


def survey_files(folder: Path) -> list[Path]:
    """Give the survey files of a folder, by name.

    Raises:
        UserError: There is no such folder, or no survey in it.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: expected the folder of survey files; there is no such folder")
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UserError(f"{folder}: expected survey files (*.toml) in this folder; there is none")
    return files


def read_survey_file(
    path: Path, *, enablers: Collection[str] | None = None, min_group: int = MIN_GROUP
) -> SurveyFile:
    """Read a survey file and find all that is wrong in it, in one pass. Never raises."""
    try:
        source = read_toml(path)
    except TomlUnreadable as error:
        finding = Finding(file=error.file, line=error.line, key="", expected=error.expected)
        return SurveyFile(path=path, survey=None, survey_id=None, findings=(finding,))
    reading = read_survey(source.data, enablers=enablers, min_group=min_group)
    findings = (*syntax_errors(source), *in_file(source, reading.problems))
    survey_id = source.data.get("survey")
    return SurveyFile(
        path=path,
        survey=None if errors_in(findings) else reading.survey,
        survey_id=survey_id if isinstance(survey_id, str) else None,
        findings=findings,
        survey_line=source.line_of(("survey",)),
    )


def ids_twice(files: Iterable[SurveyFile]) -> Iterator[Finding]:
    """Yield survey files that give themselves an id which an earlier one has."""
    seen: dict[str, Path] = {}
    for file in files:
        if file.survey_id is None:
            continue
        if file.survey_id in seen:
            expected = f"expected an id of its own; {seen[file.survey_id]} is {file.survey_id} too"
            yield Finding(
                file=str(file.path), line=file.survey_line, key="survey", expected=expected
            )
        seen.setdefault(file.survey_id, file.path)
