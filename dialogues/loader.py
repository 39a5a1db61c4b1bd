"""From the data of a survey file to a survey, or to everything that is wrong in it.

What lives here: saying plainly what pydantic found, and gathering it with ``checks.py``
in one pass. What must not: reading files or lines (the shell does).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dialogues.checks import Draft, check
from dialogues.errors import Problem, SurveyInvalid
from dialogues.expectations import is_echo, keys_of, plain, unknown_key
from dialogues.promises import MIN_GROUP, broken_promises, filled
from dialogues.survey import (
    ID,
    Choice,
    ChoiceQuestion,
    Condition,
    Consent,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
    TextQuestion,
    YesNoQuestion,
)

__all__ = ["KINDS", "SurveyReading", "load_survey", "read_survey"]

Path = tuple[str | int, ...]

#: The kinds of question, as files name them.
KINDS: dict[str, type[BaseModel]] = {
    "text": TextQuestion,
    "choice": ChoiceQuestion,
    "multichoice": MultichoiceQuestion,
    "scale": ScaleQuestion,
    "number": NumberQuestion,
    "yesno": YesNoQuestion,
}

_TEXT = 'expected text in quotes, or a table of languages such as { en = "..." }'


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyReading:
    """What came of reading a survey.

    Attributes:
        survey: None when there is an error among the problems.
        problems: In the order of the survey's keys; warnings among them.
    """

    survey: Survey | None
    problems: tuple[Problem, ...]


def load_survey(
    data: Mapping[str, Any],
    *,
    enablers: Collection[str] | None = None,
    min_group: int = MIN_GROUP,
) -> Survey:
    """Make a survey of the data of its file.

    Args:
        data: As TOML gives it.
        enablers: Keys of the codeframe; None leaves ``enabler`` unchecked.
        min_group: People behind a figure, for ``{min_group}``.

    Raises:
        SurveyInvalid: It has errors; ``problems`` says all of them, and the warnings.
    """
    reading = read_survey(data, enablers=enablers, min_group=min_group)
    if reading.survey is None:
        raise SurveyInvalid(reading.problems)
    return reading.survey


def read_survey(
    data: Mapping[str, Any],
    *,
    enablers: Collection[str] | None = None,
    min_group: int = MIN_GROUP,
) -> SurveyReading:
    """Read a survey and find all that is wrong in it, in one pass. Never raises.

    Args:
        data: As TOML gives it.
        enablers: Keys of the codeframe; None leaves ``enabler`` unchecked.
        min_group: People behind a figure, for ``{min_group}``.
    """
    problems = list(broken_promises(data, min_group))
    words, data = filled(data, min_group), filled(data, MIN_GROUP)
    survey: Survey | None = None
    try:
        survey = Survey.model_validate(words, by_alias=True, by_name=False)
    except ValidationError as error:
        problems += _translate(error, data)
    # A digit more makes no text too long.
    draft = Draft(data=data, questions=_questions(data))
    problems += _untyped(draft)
    problems += check(draft, enablers=enablers)
    if any(problem.severity == "error" for problem in problems):
        survey = None
    return SurveyReading(survey=survey, problems=_tidy(problems))


@cache
def _adapter() -> TypeAdapter[Question]:
    return TypeAdapter(Question)


def _questions(data: Mapping[str, Any]) -> tuple[Question | None, ...]:
    listed = data.get("question")
    return tuple(_question(item) for item in (listed if isinstance(listed, list) else ()))


def _question(item: object) -> Question | None:
    """Make a question, without its malformed keys if it has some; None where that fails too."""
    try:
        return _adapter().validate_python(item, by_alias=True, by_name=False)
    except ValidationError as error:
        if not isinstance(item, dict):
            return None
        rest = {
            key: dict(value) if key == "show_if" and isinstance(value, dict) else value
            for key, value in item.items()
        }
        for found in error.errors(include_url=False):
            _leave_out(rest, found["loc"][1:])
    rest.setdefault("text", "...")
    try:
        return _adapter().validate_python(rest, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _leave_out(item: dict[Any, Any], loc: tuple[str | int, ...]) -> None:
    if len(loc) > 1 and loc[0] == "show_if" and isinstance(item.get("show_if"), dict):
        item["show_if"].pop(loc[1], None)
    elif loc:
        item.pop(loc[0], None)


def _untyped(draft: Draft) -> list[Problem]:
    """Look at the other keys of questions whose kind is missing or unknown."""
    problems = []
    for place, item in enumerate(draft.items):
        kind = item.get("kind")
        if not item or (isinstance(kind, str) and kind in KINDS):
            continue
        for key in ("id", "text"):
            if key not in item:
                path: Path = ("question", place, key)
                problems.append(Problem(path=path, expected="expected this key; it is missing"))
        everything = {key for kind in KINDS.values() for key in keys_of(kind)}
        for key in item:
            if key not in everything:
                path = ("question", place, key)
                problems.append(Problem(path=path, expected=unknown_key(key, sorted(everything))))
    return problems


def _tidy(problems: list[Problem]) -> tuple[Problem, ...]:
    """Keep one problem a place and sentence; of several shapes that a value could have, one."""
    kept: dict[tuple[Path, str], Problem] = {}
    for problem in problems:
        kept.setdefault((problem.path, problem.expected), problem)
    return tuple(kept.values())


def _translate(error: ValidationError, data: Mapping[str, Any]) -> list[Problem]:
    problems: dict[Path, Problem] = {}
    for found in error.errors(include_url=False):
        path = _path(found["loc"], data)
        kind = found["type"]
        if is_echo(found):
            continue
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            path = (*path, "kind")
        problem = Problem(path=path, expected=_expected(found, path, data))
        if path in problems and problems[path] != problem:
            problem = Problem(
                path=path, expected="expected text in quotes, a number, true or false"
            )
        problems[path] = problem
    return list(problems.values())


def _path(loc: tuple[str | int, ...], data: Mapping[str, Any]) -> Path:
    """Turn where pydantic was into where the file is: without kinds and names of types."""
    steps = list(loc)
    if len(steps) > 2 and steps[0] == "question" and steps[2] in KINDS:
        del steps[2]
    path: list[str | int] = []
    here: Any = data
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if isinstance(here, list) and isinstance(step, int):
            here = here[step] if step < len(here) else None
        elif isinstance(here, dict) and step in here:
            here = here[step]
        elif not (isinstance(here, dict) and last):
            break
        path.append(step)
    return tuple(path)


def _expected(found: ErrorDetails, path: Path, data: Mapping[str, Any]) -> str:
    kind = found["type"]
    context = found.get("ctx", {})
    if kind == "missing":
        return "expected this key; it is missing"
    if kind == "extra_forbidden":
        return _unknown(path, data)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        near = get_close_matches(str(context.get("tag", "")), KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"expected one of {', '.join(KINDS)}{hint}"
    if kind == "string_pattern_mismatch":
        return _pattern(path, str(context["pattern"]))
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return _table(path)
    return plain(found)


def _pattern(path: Path, pattern: str) -> str:
    if pattern == ID:
        return "expected a-z, 0-9, _ and -, beginning with a letter or a digit"
    if path[0] == "languages":
        return 'expected a language code such as "en"'
    return "expected a-z, 0-9 and -, beginning with a letter or a digit"


def _table(path: Path) -> str:
    if path[-1] == "consent":
        return 'expected a table [consent] with text = "..."'
    if path[-1] == "show_if":
        return "expected a table such as { goals = { at_most = 2 } }"
    if len(path) > 1 and path[-2] == "show_if":
        return "expected a table such as { at_most = 2 }"
    if path[0] == "question" and len(path) < 3:
        return "expected tables that begin with [[question]]"
    if len(path) > 1 and path[-2] == "choices":
        return 'expected a label, or { id = "...", text = "..." }'
    return _TEXT


def _unknown(path: Path, data: Mapping[str, Any]) -> str:
    key = str(path[-1])
    if len(path) == 1:
        return unknown_key(key, keys_of(Survey))
    if path[0] == "consent":
        return unknown_key(key, keys_of(Consent))
    if "show_if" in path:
        return unknown_key(key, keys_of(Condition))
    if "choices" in path:
        return unknown_key(key, keys_of(Choice))
    kind = str(data["question"][path[1]]["kind"])
    others = [name for name, model in KINDS.items() if key in keys_of(model)]
    if others:
        return f"expected only in {' and '.join(others)} questions; this is {kind}"
    return unknown_key(key, keys_of(KINDS[kind]))
