"""A tagger held against people: codes, stance, evidence, confidence.

What lives here: the figures and what they mean. What must not: printing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogues.coding import Coding
from nlp.answers import CodedAnswer
from nlp.tagger import Tagged

__all__ = ["CodeScore", "Cost", "Evaluation", "cost", "evaluate", "overlap"]

_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScore:
    """How well one code is given.

    Attributes:
        n: Answers to which people gave it.
        given: Answers to which the tagger gave it.
        precision: Share of the tagger's that people gave too; None where it gave none.
        recall: Share of people's that the tagger gave too; None where people gave none.
        f1: 2 * right / (n + given); None where both are 0.
    """

    n: int
    given: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a tagger costs, on one core.

    Attributes:
        ms: Milliseconds an answer, each alone; None where there was none.
        per_second: Answers a second; None likewise.
        mb: Megabytes of its folder.
    """

    ms: float | None
    per_second: float | None
    mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Figures of a tagger on coded answers; None where there is nothing to compare.

    Attributes:
        n: Answers.
        errors: Answers that could not be tagged; they count as answers without codes.
        per_code: Of each code of the codeframe, in its order.
        macro_f1: Mean F1 of the codes that people or the tagger gave at all.
        micro_f1: F1 over all codes together.
        stance_n: Codes that both gave and people gave a stance.
        stance_accuracy: Share of these in which the stance is the same.
        evidence_n: Codes that both gave and people gave evidence.
        iou50: Share of these in which the spans share at least half of the characters
            that either has.
        ece: Expected calibration error of the tags given: ten bins of equal width of
            confidence, the distance between mean confidence and share right, weighted by
            tags.
    """

    n: int
    errors: int
    per_code: dict[str, CodeScore]
    macro_f1: float | None
    micro_f1: float | None
    stance_n: int
    stance_accuracy: float | None
    evidence_n: int
    iou50: float | None
    ece: float | None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _score(n: int, given: int, right: int) -> CodeScore:
    return CodeScore(
        n=n,
        given=given,
        precision=_share(right, given),
        recall=_share(right, n),
        f1=_share(2 * right, n + given),
    )


def cost(seconds: float, answers: int, folder: Path) -> Cost:
    """Give the cost of tagging so many answers in so many seconds.

    Args:
        seconds: Of the processor, on one thread.
        answers: That were tagged.
        folder: The model's.
    """
    return Cost(
        ms=_share(1000 * seconds, answers),
        per_second=_share(answers, seconds),
        mb=sum(part.stat().st_size for part in folder.iterdir() if part.is_file()) / 1e6,
    )


def overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Give the characters that two spans share over those that either has, in [0, 1]."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    return max(0, shared) / either if either else 0.0


def _span(coding: Coding) -> tuple[int, int]:
    return coding.span_start, coding.span_end


def _calibration_error(tags: Sequence[tuple[float, bool]]) -> float | None:
    if not tags:
        return None
    total = 0.0
    for number in range(_BINS):
        inside = [tag for tag in tags if min(int(tag[0] * _BINS), _BINS - 1) == number]
        total += abs(sum(confidence - right for confidence, right in inside))
    return total / len(tags)


def evaluate(
    answers: Sequence[CodedAnswer], tagged: Sequence[Tagged], codes: Sequence[str]
) -> Evaluation:
    """Hold tags against people's codes.

    Args:
        answers: As people coded them.
        tagged: As the tagger coded them, in the same order.
        codes: Keys of the codeframe.
    """
    people = dict.fromkeys(codes, 0)
    machine = dict.fromkeys(codes, 0)
    both = dict.fromkeys(codes, 0)
    stances: list[bool] = []
    spans: list[bool] = []
    tags: list[tuple[float, bool]] = []
    for answer, tag in zip(answers, tagged, strict=True):
        given = {coding.enabler: coding for coding in reversed(tag.codings)}
        tags += [(c.confidence, c.enabler in answer.keys) for c in tag.codings]
        for key in answer.keys:
            people[key] += 1
        for key, coding in given.items():
            machine[key] += 1
            theirs = [each for each in answer.codings if each.enabler == key]
            both[key] += bool(theirs)
            known = [each.stance for each in theirs if each.stance is not None]
            if known and coding.stance is not None:
                stances.append(coding.stance in known)
            if quoted := [each for each in theirs if each.span_text]:
                spans.append(any(overlap(_span(coding), _span(each)) >= 0.5 for each in quoted))
    per_code = {key: _score(people[key], machine[key], both[key]) for key in codes}
    scored = [score.f1 for score in per_code.values() if score.f1 is not None]
    total = _score(sum(people.values()), sum(machine.values()), sum(both.values()))
    return Evaluation(
        n=len(answers),
        errors=sum(tag.error is not None for tag in tagged),
        per_code=per_code,
        macro_f1=_share(sum(scored), len(scored)),
        micro_f1=total.f1,
        stance_n=len(stances),
        stance_accuracy=_share(sum(stances), len(stances)),
        evidence_n=len(spans),
        iou50=_share(sum(spans), len(spans)),
        ece=_calibration_error(tags),
    )
