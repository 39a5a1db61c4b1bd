"""Bring together what two coders made of the same answers.

What lives here: pairs from files, from one file and a tagger, and from answers that were
reviewed in the store. What must not: figures (``agreement.py``), SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialogues.coding import Coding
from nlp.agreement import Pair
from nlp.answers import AnswersError, CodedAnswer
from nlp.tagger import Tagged

__all__ = ["RESPONDENT", "TAGGER", "Coded", "Paired", "pair_coders", "pair_files", "pair_tagger"]

TAGGER = "tagger"
"""Stands for the tagger among the coders of an answer, whatever its version."""

RESPONDENT = "respondent"
"""Stands for the person who answered, and said whether the tags are right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """An answer of the store as everybody coded it who looked at it.

    Attributes:
        answer_id: Stands for response and question.
        text: As kept.
        question: As it was shown; None where it is not known.
        codings: Of each coder those that hold. A coder who looked and found that none of the
            codes applies has none of them; one who did not look is not there.
    """

    answer_id: str
    text: str
    question: str | None
    codings: Mapping[str, tuple[Coding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Answers that both coded, and how many only one did.

    Attributes:
        pairs: In the order of the first.
        first_only: Answers that the first coder alone coded.
        second_only: Answers that the second coder alone coded.
    """

    pairs: tuple[Pair, ...]
    first_only: int
    second_only: int


def _pair(one: CodedAnswer, second: tuple[Coding, ...]) -> Pair:
    return Pair(
        answer_id=one.answer_id,
        text=one.text,
        question=one.question,
        first=one.codings,
        second=second,
    )


def _by_words(answers: Iterable[CodedAnswer]) -> dict[Hashable, CodedAnswer]:
    """Give answers by their words; the second "ok" to a question is another than the first."""
    times: Counter[tuple[str | None, str]] = Counter()
    found: dict[Hashable, CodedAnswer] = {}
    for answer in answers:
        words = (answer.question, answer.text)
        times[words] += 1
        found[*words, times[words]] = answer
    return found


def pair_files(first: Sequence[CodedAnswer], second: Sequence[CodedAnswer]) -> Paired:
    """Bring together two coders' files of the same answers.

    Answers belong together by their ids; those whose id the other file does not have, by
    question and text.

    Args:
        first: Of the first coder.
        second: Of the second coder.

    Raises:
        AnswersError: An id is there twice in one file, or stands for two texts.
    """
    named = {answer.answer_id: answer for answer in second}
    for answers in (first, second):
        ids = Counter(answer.answer_id for answer in answers)
        if twice := [answer_id for answer_id, n in ids.items() if n > 1]:
            raise AnswersError(f"the id {twice[0]!r} is there twice in one file; ids are unique")
    partner: dict[str, CodedAnswer] = {}
    for answer in first:
        other = named.get(answer.answer_id)
        if other is None:
            continue
        if other.text != answer.text:
            raise AnswersError(
                f"the id {answer.answer_id!r} stands for another text in each file; "
                "give two codings of the same answers"
            )
        partner[answer.answer_id] = other
    left = _by_words(answer for answer in second if answer.answer_id not in partner)
    alone = _by_words(answer for answer in first if answer.answer_id not in partner)
    partner |= {alone[words].answer_id: left[words] for words in alone if words in left}
    pairs = tuple(
        _pair(answer, partner[answer.answer_id].codings)
        for answer in first
        if answer.answer_id in partner
    )
    return Paired(
        pairs=pairs, first_only=len(first) - len(pairs), second_only=len(second) - len(pairs)
    )


def pair_tagger(answers: Sequence[CodedAnswer], tagged: Sequence[Tagged]) -> Paired:
    """Bring together a coder's answers and what the tagger made of them, in the same order.

    An answer that the tagger could not read is the coder's alone.
    """
    pairs = tuple(
        _pair(answer, tags.codings)
        for answer, tags in zip(answers, tagged, strict=True)
        if tags.error is None
    )
    return Paired(pairs=pairs, first_only=len(answers) - len(pairs), second_only=0)


def pair_coders(answers: Iterable[Coded], first: str, second: str) -> Paired:
    """Bring together what two coders made of reviewed answers.

    Args:
        answers: As they come; read once.
        first: A coder, ``TAGGER`` or ``RESPONDENT``.
        second: Another one.
    """
    pairs: list[Pair] = []
    first_only = second_only = 0
    for answer in answers:
        one, other = answer.codings.get(first), answer.codings.get(second)
        if one is not None and other is not None:
            pairs.append(
                Pair(
                    answer_id=answer.answer_id,
                    text=answer.text,
                    question=answer.question,
                    first=one,
                    second=other,
                )
            )
        first_only += one is not None and other is None
        second_only += one is None and other is not None
    return Paired(pairs=tuple(pairs), first_only=first_only, second_only=second_only)
