"""What is wrong in a survey beyond the shape of its keys.

What lives here: checks across questions and on the length of words, made on whatever part
of a survey is well-formed. What must not: the shape of each key (``survey.py``), reading
files or lines (the shell).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dialogues.conditions import can_hold, condition_problems
from dialogues.errors import Problem
from dialogues.survey import (
    PLACEHOLDER,
    ChoiceQuestion,
    Condition,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    TextQuestion,
)
from dialogues.text import ANY_LANGUAGE

__all__ = ["Draft", "check"]

Path = tuple[str | int, ...]

#: What a button shows on a phone without being cut; and what the platforms take at most.
BUTTON_SHOWN, BUTTON_TAKEN = 24, 75
#: What Slack shows in one block, and what Telegram takes in one message.
MESSAGE_SHOWN, MESSAGE_TAKEN = 3_000, 4_096
#: What a person reads on a phone before agreeing; the rest belongs behind "More".
ESSENCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A survey that may be wrong in places.

    Attributes:
        data: As in the file.
        questions: By place; None where a question is malformed.
    """

    data: Mapping[str, Any]
    questions: tuple[Question | None, ...]

    @property
    def ids(self) -> tuple[str | None, ...]:
        """Ids by place, of malformed questions as well; None where there is none."""
        return tuple(
            found if isinstance(found := item.get("id"), str) else None for item in self.items
        )

    @property
    def items(self) -> tuple[Mapping[str, Any], ...]:
        """The questions as in the file; an empty table for what is no table."""
        listed = self.data.get("question")
        if not isinstance(listed, list):
            return ()
        return tuple(item if isinstance(item, dict) else {} for item in listed)


def check(draft: Draft, *, enablers: Collection[str] | None = None) -> Iterator[Problem]:
    """Yield everything that is wrong across a survey.

    Args:
        draft: What there is of it.
        enablers: Keys of the codeframe; None leaves ``enabler`` unchecked.
    """
    yield from _languages(draft)
    for path, words in _texts(draft):
        yield from _words(draft, path, words)
    yield from _essence(draft)
    yield from _ids(draft)
    for place, question in enumerate(draft.questions):
        if question is not None:
            yield from _alone(question, ("question", place))
    yield from _member_checks(draft)
    yield from _enablers(draft, enablers)
    yield from _messages(draft)
    yield from _routes(draft)


def _by_language(text: object) -> dict[str, str]:
    """Read a text as in the file; empty where it is none."""
    if isinstance(text, str):
        return {ANY_LANGUAGE: text}
    if isinstance(text, dict) and all(isinstance(words, str) for words in text.values()):
        return text
    return {}


def _texts(draft: Draft) -> Iterator[tuple[Path, object]]:
    """Yield every text that a person sees, as in the file."""
    data = draft.data
    for key in ("title", "intro", "thanks"):
        yield (key,), data.get(key)
    consent = data.get("consent")
    if isinstance(consent, dict):
        for key in ("text", "more"):
            yield ("consent", key), consent.get(key)
    for place, item in enumerate(draft.items):
        yield ("question", place, "text"), item.get("text")
        yield ("question", place, "unit"), item.get("unit")
        yield from _labels(item, ("question", place))


def _labels(item: Mapping[str, Any], base: Path) -> Iterator[tuple[Path, object]]:
    for key in ("labels", "choices"):
        listed = item.get(key)
        for number, label in enumerate(listed if isinstance(listed, list) else ()):
            path = (*base, key, number)
            if key == "choices" and isinstance(label, dict):
                yield (*path, "text"), label.get("text")
            else:
                yield path, label


def _languages(draft: Draft) -> Iterator[Problem]:
    languages = draft.data.get("languages")
    if isinstance(languages, list):
        for number, language in enumerate(languages):
            if language in languages[:number]:
                yield Problem(path=("languages", number), expected=f"expected {language} only once")


def _wanted(draft: Draft) -> list[str]:
    languages = draft.data.get("languages", ["en"])
    if not isinstance(languages, list):
        return []
    return [language for language in languages if isinstance(language, str)]


def _words(draft: Draft, path: Path, text: object) -> Iterator[Problem]:
    languages = _wanted(draft)
    by_language = _by_language(text)
    if isinstance(text, dict) and by_language and languages:
        missing = [language for language in languages if language not in by_language]
        if missing:
            expected = f"expected words in {', '.join(missing)} as well"
            yield Problem(path=path, expected=expected)
        for language in by_language:
            if language not in languages:
                expected = f"expected a language of this survey: {', '.join(languages)}"
                yield Problem(path=(*path, language), expected=expected)
    elif isinstance(text, dict) and not text:
        yield Problem(path=path, expected="expected words in at least one language")
    button = "labels" in path or "choices" in path
    for language, words in by_language.items():
        at = path if language == ANY_LANGUAGE else (*path, language)
        if not words.strip():
            yield Problem(path=at, expected="expected words; this is empty")
        if button:
            yield from _button(at, words)
        yield from _braces(draft, path, at, words)


def _button(path: Path, words: str) -> Iterator[Problem]:
    if len(words) > BUTTON_TAKEN:
        expected = f"expected at most {BUTTON_TAKEN} characters on a button; here are {len(words)}"
        yield Problem(path=path, expected=expected)
    elif len(words) > BUTTON_SHOWN:
        expected = (
            f"expected at most {BUTTON_SHOWN} characters, or a phone may cut the button; "
            f"here are {len(words)}"
        )
        yield Problem(path=path, expected=expected, severity="warning")


def _braces(draft: Draft, path: Path, at: Path, words: str) -> Iterator[Problem]:
    """Check what is put in for ``{id}``: only questions do that, with earlier answers."""
    if path[0] != "question" or path[-1] != "text" or len(path) != 3:
        for found in PLACEHOLDER.finditer(words):
            if found[1] in draft.ids:
                expected = f"expected {found[0]} in the text of a question only"
                yield Problem(path=at, expected=expected)
        return
    place = int(path[1])
    earlier = [known for known in draft.ids[:place] if known]
    for found in PLACEHOLDER.finditer(words):
        if found[1] not in earlier:
            expected = _reference(found[1], draft, place, f"in {found[0]}")
            yield Problem(path=at, expected=expected)
    rest = PLACEHOLDER.sub("", words)
    if "{" in rest or "}" in rest:
        expected = "expected the id of an earlier question between { and }, such as {goals}"
        yield Problem(path=at, expected=expected)


def _reference(name: str, draft: Draft, place: int, where: str) -> str:
    """Say what is wrong with naming a question that does not come earlier."""
    if name == draft.ids[place]:
        return f"expected an earlier question {where}; {name} is this one"
    if name in draft.ids:
        return f"expected an earlier question {where}; {name} comes later"
    near = get_close_matches(name, [known for known in draft.ids[:place] if known], n=1)
    hint = f"; did you mean {near[0]}?" if near else "; there is no such question"
    return f"expected the id of an earlier question {where}{hint}"


def _essence(draft: Draft) -> Iterator[Problem]:
    consent = draft.data.get("consent")
    text = consent.get("text") if isinstance(consent, dict) else None
    for language, words in _by_language(text).items():
        if len(words.strip()) > ESSENCE:
            at: Path = ("consent", "text")
            yield Problem(
                path=at if language == ANY_LANGUAGE else (*at, language),
                expected=(
                    f"expected at most {ESSENCE} characters, with the whole in consent.more; "
                    f"here are {len(words.strip())}"
                ),
            )


def _member_checks(draft: Draft) -> Iterator[Problem]:
    if draft.data.get("anonymity") != "anonymous":
        return
    for place, question in enumerate(draft.questions):
        if isinstance(question, TextQuestion) and question.member_check:
            expected = (
                "expected no member check in an anonymous survey: once the answers are sent, nobody"
                " is known who could be asked"
            )
            yield Problem(
                path=("question", place, "member_check"), expected=expected, severity="warning"
            )


def _ids(draft: Draft) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for place, found in enumerate(draft.ids):
        if found is None:
            continue
        if found in seen:
            expected = f"expected an id of its own; question {seen[found] + 1} is {found} too"
            yield Problem(path=("question", place, "id"), expected=expected)
        seen.setdefault(found, place)
    for place, question in enumerate(draft.questions):
        if isinstance(question, ChoiceQuestion | MultichoiceQuestion):
            ids = [choice.id for choice in question.choices]
            for number, choice in enumerate(ids):
                if choice in ids[:number]:
                    expected = (
                        f"expected an id of its own; choice {ids.index(choice) + 1} is {choice} "
                        'too: give one as { id = "...", text = "..." }'
                    )
                    yield Problem(path=("question", place, "choices", number), expected=expected)


def _alone(question: Question, path: Path) -> Iterator[Problem]:
    match question:
        case MultichoiceQuestion():
            count = len(question.choices)
            if question.most > count:
                expected = f"expected at most {count}, the number of choices"
                yield Problem(path=(*path, "max_choices"), expected=expected)
            if question.min_choices > min(question.most, count):
                expected = (
                    f"expected at most {min(question.most, count)}, the most that may be chosen"
                )
                yield Problem(path=(*path, "min_choices"), expected=expected)
        case NumberQuestion():
            if (
                question.min is not None
                and question.max is not None
                and question.min > question.max
            ):
                expected = f"expected no more than max, which is {question.max:g}"
                yield Problem(path=(*path, "min"), expected=expected)
        case TextQuestion() if question.dont_know:
            yield Problem(
                path=(*path, "dont_know"),
                expected="expected only where something is chosen; an open question can be skipped",
                severity="warning",
            )
        case _:
            pass


def _enablers(draft: Draft, enablers: Collection[str] | None) -> Iterator[Problem]:
    for place, item in enumerate(draft.items):
        enabler = item.get("enabler")
        if enablers is not None and isinstance(enabler, str) and enabler not in enablers:
            near = get_close_matches(enabler, enablers, n=1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(enablers)}"
            yield Problem(
                path=("question", place, "enabler"),
                expected=f"expected a code of the codeframe{hint}",
            )


def _messages(draft: Draft) -> Iterator[Problem]:
    """Check that each message fits the platforms, with its options written out."""
    for language in _wanted(draft) or [ANY_LANGUAGE]:

        def size(text: object, language: str = language) -> int:
            words = _by_language(text)
            return len(words.get(language) or words.get(ANY_LANGUAGE) or "")

        consent = draft.data.get("consent")
        if isinstance(consent, dict):
            yield from _fits(("consent", "more"), size(consent.get("more")), "the consent")
        yield from _fits(("thanks",), size(draft.data.get("thanks")), "the thanks")
        for place, item in enumerate(draft.items):
            base: Path = ("question", place)
            total = size(item.get("text")) + sum(size(label) for _, label in _labels(item, base))
            what = "the question with its options"
            if place == 0:
                total += size(draft.data.get("intro"))
                what = "the intro and the first question"
            yield from _fits((*base, "text"), total, f"{what} ({language})")


def _fits(path: Path, size: int, what: str) -> Iterator[Problem]:
    if size > MESSAGE_TAKEN:
        expected = f"expected at most {MESSAGE_TAKEN:,} characters in {what}; here are {size:,}"
        yield Problem(path=path, expected=expected)
    elif size > MESSAGE_SHOWN:
        expected = (
            f"expected at most {MESSAGE_SHOWN:,} characters in {what}, for Slack; here are {size:,}"
        )
        yield Problem(path=path, expected=expected, severity="warning")


def _routes(draft: Draft) -> Iterator[Problem]:
    """Check that conditions name earlier questions and that every question can be asked."""
    known: dict[str, Question | None] = {}
    needs: dict[str, dict[str, list[Condition]]] = {}
    for place, question in enumerate(draft.questions):
        if question is not None:
            mine, problems = _needs(draft, place, question, known, needs)
            yield from problems
            needs.setdefault(question.id, mine)
        name = draft.ids[place]
        if name is not None:
            known.setdefault(name, question)


def _needs(
    draft: Draft,
    place: int,
    question: Question,
    known: Mapping[str, Question | None],
    needs: Mapping[str, dict[str, list[Condition]]],
) -> tuple[dict[str, list[Condition]], list[Problem]]:
    """Collect what must hold for a question to be asked, that of earlier ones included."""
    base: Path = ("question", place, "show_if")
    problems: list[Problem] = []
    mine: dict[str, list[Condition]] = {}
    for name, condition in question.show_if.items():
        if name not in known:
            problems.append(
                Problem(path=(*base, name), expected=_reference(name, draft, place, "here"))
            )
            continue
        other = known[name]
        if other is None:
            continue
        found = list(condition_problems(other, condition, (*base, name)))
        problems += found
        if found:
            continue
        mine.setdefault(name, []).append(condition)
        if not _meets_silence(condition):
            for inherited, conditions in needs.get(name, {}).items():
                mine.setdefault(inherited, []).extend(conditions)
    for name, conditions in mine.items():
        other = known.get(name)
        if other is not None and not can_hold(other, conditions):
            expected = (
                f"expected a question that can be asked; what it needs of {name} "
                "cannot all be so at once"
            )
            problems.append(Problem(path=base, expected=expected))
            return {}, problems
    return mine, problems


def _meets_silence(condition: Condition) -> bool:
    """Whether a question that was never asked meets the condition."""
    return condition.answered is False
