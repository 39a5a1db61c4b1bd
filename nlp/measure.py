"""What a model card says in figures: a tagger held against people, on each kind of answer.

What lives here: figures. What must not: words (``card.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dialogues.coding import Codeframe, Coding, Stance
from nlp.answers import CodedAnswer
from nlp.evaluate import Evaluation, evaluate
from nlp.slices import (
    LENGTHS,
    QUESTIONS,
    REGISTERS,
    cue_words,
    length_of,
    question_of,
    register_of,
    rewritten,
)
from nlp.tagger import Tagged, ToTag

__all__ = [
    "Found",
    "Kind",
    "Measured",
    "Reads",
    "measure",
    "measure_registers",
    "measure_rewritten",
]


class Reads(Protocol):
    """A tagger with its codeframe."""

    @property
    def codeframe(self) -> Codeframe:
        """The codes that it gives."""
        ...

    def tag(self, answers: Sequence[ToTag]) -> list[Tagged]:
        """Tag answers, in the order given."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Figures of one kind of answers.

    Attributes:
        name: Of the kind.
        n_codes: Codes that people gave.
        result: The figures.
    """

    name: str
    n_codes: int
    result: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many of so many; ``share`` is None of none."""

    n: int
    of: int

    @property
    def share(self) -> float | None:
        """As a share."""
        return self.n / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures of a card.

    Attributes:
        all: Of all answers.
        unasked: The same answers without their questions.
        by_file, by_length, by_question, by_role, by_channel: Of each kind.
        exact: Answers with the very codes that people gave.
        none_right: Of answers without a code, those that were given none.
        none_wrong: Of answers with a code, those that were given none.
        neutral: Of people's neutral codes that were given, those given as neutral.
        cued: Of people's codes on answers with a cue word, those that were given.
        uncued: Of the others, likewise.
    """

    all: Evaluation
    unasked: Evaluation
    by_file: tuple[Kind, ...]
    by_length: tuple[Kind, ...]
    by_question: tuple[Kind, ...]
    by_role: tuple[Kind, ...]
    by_channel: tuple[Kind, ...]
    exact: Found
    none_right: Found
    none_wrong: Found
    neutral: Found
    cued: Found
    uncued: Found


def _tagged(tagger: Reads, answers: Sequence[CodedAnswer]) -> list[Tagged]:
    return tagger.tag([ToTag(text=each.text, question=each.question) for each in answers])


def _kinds(
    answers: Sequence[CodedAnswer],
    tagged: Sequence[Tagged],
    codes: Sequence[str],
    kind_of: Callable[[CodedAnswer], str | None],
    order: Sequence[str] = (),
) -> tuple[Kind, ...]:
    """Give the figures of each kind that there is, in an order or as the kinds come."""
    kinds = [kind_of(answer) for answer in answers]
    names = [name for name in order or dict.fromkeys(kinds) if name is not None and name in kinds]
    made = []
    for name in names:
        chosen = [number for number, kind in enumerate(kinds) if kind == name]
        some = [answers[number] for number in chosen]
        made.append(
            Kind(
                name=name,
                n_codes=sum(len(answer.keys) for answer in some),
                result=evaluate(some, [tagged[number] for number in chosen], codes),
            )
        )
    return tuple(made)


def _given(tags: Tagged) -> set[str]:
    return {coding.enabler for coding in tags.codings}


def _neutral(pairs: Sequence[tuple[CodedAnswer, Tagged]]) -> Found:
    found: list[bool] = []
    for answer, tags in pairs:
        given = {coding.enabler: coding for coding in reversed(tags.codings)}
        found += [_same(each, given[each.enabler]) for each in answer.codings
                  if each.stance is Stance.NEUTRAL and each.enabler in given]  # fmt: skip
    return Found(n=sum(found), of=len(found))


def _same(one: Coding, other: Coding) -> bool:
    return one.stance == other.stance


def _cued(pairs: Sequence[tuple[CodedAnswer, Tagged]], codeframe: Codeframe) -> tuple[Found, Found]:
    """Give how many codes are found with a word of the code's own in the answer, and without."""
    holds = {code.key: cue_words(code) for code in codeframe.codes}
    found: dict[bool, list[bool]] = {True: [], False: []}
    for answer, tags in pairs:
        given = _given(tags)
        for key in answer.keys:
            found[holds[key](answer.text)].append(key in given)
    cued, uncued = (Found(n=sum(found[cue]), of=len(found[cue])) for cue in (True, False))
    return cued, uncued


def measure(tagger: Reads, files: Sequence[tuple[str, Sequence[CodedAnswer]]]) -> Measured:
    """Hold a tagger against files of coded answers.

    Args:
        tagger: The tagger.
        files: Name and answers of each; together at least one answer.
    """
    codes = [code.key for code in tagger.codeframe.codes]
    answers = [answer for _, part in files for answer in part]
    file_of = {id(answer): name for name, part in files for answer in part}
    tagged = _tagged(tagger, answers)
    pairs = list(zip(answers, tagged, strict=True))
    blank = [replace(answer, question=None) for answer in answers]
    cued, uncued = _cued(pairs, tagger.codeframe)
    empty = [not tags.codings for answer, tags in pairs if not answer.codings]
    missed = [not tags.codings for answer, tags in pairs if answer.codings]
    exact = sum(answer.keys == _given(tags) for answer, tags in pairs)
    return Measured(
        all=evaluate(answers, tagged, codes),
        unasked=evaluate(blank, _tagged(tagger, blank), codes),
        by_file=_kinds(answers, tagged, codes, lambda answer: file_of[id(answer)]),
        by_length=_kinds(answers, tagged, codes, lambda a: length_of(a.text), LENGTHS),
        by_question=_kinds(answers, tagged, codes, question_of, QUESTIONS),
        by_role=_kinds(answers, tagged, codes, lambda answer: answer.role),
        by_channel=_kinds(answers, tagged, codes, lambda answer: answer.channel),
        exact=Found(n=exact, of=len(answers)),
        none_right=Found(n=sum(empty), of=len(empty)),
        none_wrong=Found(n=sum(missed), of=len(missed)),
        neutral=_neutral(pairs),
        cued=cued,
        uncued=uncued,
    )


def measure_rewritten(tagger: Reads, answers: Sequence[CodedAnswer]) -> tuple[Kind, ...]:
    """Give the figures of the same answers in each register, rewritten by rule.

    Evidence is not judged: the words are others.
    """
    codes = [code.key for code in tagger.codeframe.codes]
    kinds = []
    for register in REGISTERS[::-1]:
        said = [replace(each, text=rewritten(each.text, register)) for each in answers]
        result = evaluate(answers, _tagged(tagger, said), codes)
        n_codes = sum(len(answer.keys) for answer in answers)
        kinds.append(Kind(name=register, n_codes=n_codes, result=result))
    return tuple(kinds)


def measure_registers(tagger: Reads, answers: Sequence[CodedAnswer]) -> tuple[Kind, ...]:
    """Give the figures of each register that there is among answers."""
    codes = [code.key for code in tagger.codeframe.codes]
    tagged = _tagged(tagger, answers)
    return _kinds(answers, tagged, codes, lambda answer: register_of(answer.text), REGISTERS)
