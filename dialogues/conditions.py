"""Whether the conditions of a survey can hold at all.

What lives here: reading ``show_if`` as a puzzle. Every answer has few values that matter
(its options, or the numbers and words that conditions name, and those between), so all of
them are tried. What must not: whether a condition holds for a person (``routing.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise

from dialogues.errors import Problem
from dialogues.survey import (
    ChoiceQuestion,
    Condition,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    TextQuestion,
    YesNoQuestion,
)

__all__ = ["can_hold", "condition_problems"]

#: What an answer may be in the puzzle: a value as stored, or None for no answer.
Answer = str | float | None

#: Stands for any words that no condition names.
OTHER_WORDS = "\0"


def condition_problems(
    question: Question, condition: Condition, path: tuple[str | int, ...]
) -> Iterator[Problem]:
    """Yield what is wrong with a condition on a question, seen alone.

    Args:
        question: The earlier question that the condition is about.
        condition: What its answer must be.
        path: Of the condition in the file.
    """
    keys = condition.model_dump(by_alias=True, exclude_none=True)
    if not keys:
        expected = "expected one of: is, in, not_in, at_least, at_most, answered"
        yield Problem(path=path, expected=expected)
        return
    clean = True
    for key in ("at_least", "at_most"):
        if key in keys and not isinstance(question, ScaleQuestion | NumberQuestion):
            clean = False
            yield Problem(
                path=(*path, key),
                expected=f"expected a scale or number question; {question.id} is {question.kind}",
            )
    for value_path, value in _values(condition, path):
        wrong = _value_problem(question, value)
        if wrong:
            clean = False
            yield Problem(path=value_path, expected=wrong)
    if clean and not can_hold(question, (condition,)):
        yield Problem(
            path=path, expected=f"expected a condition that can hold; {_limits(question)}"
        )


def _values(
    condition: Condition, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str | float | bool]]:
    if condition.equals is not None:
        yield (*path, "is"), condition.equals
    for key, values in (("in", condition.one_of), ("not_in", condition.not_in)):
        for number, value in enumerate(values or ()):
            yield (*path, key, number), value


def _value_problem(question: Question, value: str | float | bool) -> str | None:
    match question:
        case ChoiceQuestion() | MultichoiceQuestion():
            ids = [choice.id for choice in question.choices]
            if value in ids:
                return None
            near = get_close_matches(str(value), ids, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return f"expected a choice of {question.id}: {', '.join(ids)}{hint}"
        case ScaleQuestion():
            points = len(question.labels)
            number = _number(value)
            if number is not None and number in range(1, points + 1):
                return None
            return f"expected a point of {question.id}: 1 to {points}"
        case YesNoQuestion():
            return None if value in ("yes", "no", True, False) else "expected yes or no"
        case NumberQuestion():
            return None if _number(value) is not None else "expected a number"
        case TextQuestion():
            return None if isinstance(value, str) else "expected text in quotes"


def _limits(question: Question) -> str:
    match question:
        case ScaleQuestion():
            return f"{question.id} goes from 1 to {len(question.labels)}"
        case NumberQuestion() if question.min is not None or question.max is not None:
            low = "" if question.min is None else f" from {question.min:g}"
            high = "" if question.max is None else f" to {question.max:g}"
            return f"{question.id} goes{low}{high}"
        case _:
            return f"no answer to {question.id} is so"


def can_hold(question: Question, conditions: Sequence[Condition]) -> bool:
    """Whether some answer to a question, or none, meets all these conditions at once."""
    if isinstance(question, MultichoiceQuestion):
        return _several_can_hold(question, conditions)
    return any(
        all(_meets(condition, answer) for condition in conditions)
        for answer in _answers(question, conditions)
    )


def _several_can_hold(question: MultichoiceQuestion, conditions: Sequence[Condition]) -> bool:
    """Choosing all that is not ruled out is the choice that meets the most."""
    if all(_meets(condition, None) for condition in conditions):
        return True
    ruled_out = {value for condition in conditions for value in condition.not_in or ()}
    chosen = {choice.id for choice in question.choices} - ruled_out
    return bool(chosen) and all(
        condition.answered is not False
        and (condition.equals is None or condition.equals in chosen)
        and (condition.one_of is None or bool(chosen & set(condition.one_of)))
        for condition in conditions
    )


def _answers(question: Question, conditions: Sequence[Condition]) -> list[Answer]:
    match question:
        case NumberQuestion():
            return [None, *_numbers(question, conditions)]
        case TextQuestion():
            named = {str(value) for one in conditions for _, value in _values(one, ())}
            return [None, OTHER_WORDS, *sorted(named)]
        case ScaleQuestion():
            return [None, *(float(point + 1) for point in range(len(question.labels)))]
        case _:
            return [None, *(option.value for option in question.options)]


def _numbers(question: NumberQuestion, conditions: Sequence[Condition]) -> list[float]:
    """Every number that a condition names, and one on each side of it."""
    named = {
        number
        for one in conditions
        for _, value in _values(one, ())
        if (number := _number(value)) is not None
    }
    for one in conditions:
        named.update(limit for limit in (one.at_least, one.at_most) if limit is not None)
    named.update(limit for limit in (question.min, question.max) if limit is not None)
    points = sorted(named) or [0.0]
    between = [(low + high) / 2 for low, high in pairwise(points)]
    tried = [points[0] - 1, *points, *between, points[-1] + 1]
    return [
        number
        for number in tried
        if (question.min is None or number >= question.min)
        and (question.max is None or number <= question.max)
    ]


def _meets(condition: Condition, answer: Answer) -> bool:
    if condition.answered is not None and condition.answered != (answer is not None):
        return False
    compares = condition.model_dump(exclude={"answered"}, exclude_none=True)
    if not compares:
        return True
    if answer is None:
        return False
    if condition.equals is not None and not _same(answer, condition.equals):
        return False
    if condition.one_of is not None and not any(_same(answer, one) for one in condition.one_of):
        return False
    if condition.not_in is not None and any(_same(answer, one) for one in condition.not_in):
        return False
    if condition.at_least is not None and not (
        isinstance(answer, float) and answer >= condition.at_least
    ):
        return False
    return condition.at_most is None or (isinstance(answer, float) and answer <= condition.at_most)


def _same(answer: str | float, wanted: str | float | bool) -> bool:
    if isinstance(answer, float):
        return answer == _number(wanted)
    if isinstance(wanted, bool):
        return answer == ("yes" if wanted else "no")
    return answer == str(wanted)


def _number(value: str | float | bool) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None
