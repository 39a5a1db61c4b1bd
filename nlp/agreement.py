"""How far two coders agree: per code, and over the sets of codes that an answer got.

What lives here: the figures, their intervals and the answers on which coders differ. What
must not: reading files or the store (``pairing.py``), printing.

The figures that are cited are those of well-kept libraries (decision 0030). The intervals need
each figure a thousand times over, so they are taken from counts, of all draws at once; a
test holds both ways together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from nltk.metrics.agreement import AnnotationTask  # type: ignore[import-untyped]
from nltk.metrics.distance import masi_distance  # type: ignore[import-untyped]
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]

from dialogues.coding import Coding
from nlp.evaluate import overlap

__all__ = [
    "DRAWS",
    "SEED",
    "Agreement",
    "CodeAgreement",
    "Figure",
    "Pair",
    "agree",
    "masi",
    "masi_alpha",
    "table_ac1",
    "table_alpha",
    "table_kappa",
]

SEED = 20261122
DRAWS = 1000

_TAIL = 2.5
_FEWEST_DRAWS = 0.95
_DRAWS_AT_ONCE = 100

_Counts = npt.NDArray[np.float64]
_Keys = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One answer as two coders coded it, each without knowing of the other.

    Attributes:
        answer_id: As in the file or store.
        text: As kept.
        question: None where it is not known.
        first: Of the first coder; empty where none of the codes applies.
        second: Likewise.
    """

    answer_id: str
    text: str
    question: str | None
    first: tuple[Coding, ...]
    second: tuple[Coding, ...]

    @property
    def keys(self) -> tuple[_Keys, _Keys]:
        """The codes of the first coder and of the second."""
        return frozenset(c.enabler for c in self.first), frozenset(c.enabler for c in self.second)

    @property
    def differs(self) -> bool:
        """Whether one gave a code, or a stance with it, that the other did not."""
        first, second = (
            {(c.enabler, c.stance) for c in each} for each in (self.first, self.second)
        )
        return first != second


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with the interval of its chance.

    Attributes:
        value: None where it says nothing, as where both coders never gave the code.
        low: Lower end of the 95% percentile interval of the bootstrap over answers; None
            where too many draws leave the figure without meaning.
        high: Upper end, likewise.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAgreement:
    """How far two coders agree on one code.

    Attributes:
        n_first: Answers to which the first coder gave it.
        n_second: Answers to which the second coder gave it.
        n_both: Answers to which both gave it.
        prevalence: Mean share of answers that the two gave it to.
        same: Share of answers on which both say the same: given, or not given.
        kappa: Cohen's.
        alpha: Krippendorff's, nominal.
        ac1: Gwet's first agreement coefficient.
    """

    n_first: int
    n_second: int
    n_both: int
    prevalence: float
    same: Figure
    kappa: Figure
    alpha: Figure
    ac1: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two coders agree.

    Attributes:
        n: Answers that both coded.
        per_code: Of each code of the codeframe, in its order.
        same_codes: Share of answers with the very same codes.
        masi_alpha: Krippendorff's alpha over the sets of codes, with MASI distance.
        stance_n: Codes that both gave with a stance.
        stance_same: Share of these in which the stance is the same.
        span_n: Codes that both gave with evidence.
        span_half: Share of these in which the spans share at least half of the characters
            that either has.
        differing: Where they differ in codes or stance, in the order given.
    """

    n: int
    per_code: dict[str, CodeAgreement]
    same_codes: Figure
    masi_alpha: Figure
    stance_n: int
    stance_same: float | None
    span_n: int
    span_half: float | None
    differing: tuple[Pair, ...]


# Tables: the last axis holds how many answers got the code of both, of the first coder
# alone, of the second alone, and of neither.


def _undefined(values: _Counts, undefined: npt.NDArray[np.bool_]) -> _Counts:
    return np.where(undefined, np.nan, values)


def _share_same(table: _Counts) -> _Counts:
    same: _Counts = (table[..., 0] + table[..., 3]) / table.sum(axis=-1)
    return same


def table_kappa(table: _Counts) -> _Counts:
    """Give Cohen's kappa of tables, not a number where chance alone explains all.

    Source: J. Cohen, A coefficient of agreement for nominal scales (1960), p. 40.
    """
    total = table.sum(axis=-1)
    first = (table[..., 0] + table[..., 1]) / total
    second = (table[..., 0] + table[..., 2]) / total
    chance = first * second + (1 - first) * (1 - second)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _undefined((_share_same(table) - chance) / (1 - chance), chance >= 1)


def table_alpha(table: _Counts) -> _Counts:
    """Give Krippendorff's nominal alpha of tables, not a number where nothing varies.

    Source: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), section A.
    """
    total = 2 * table.sum(axis=-1)
    apart = table[..., 1] + table[..., 2]
    given = 2 * table[..., 0] + apart
    expected = given * (total - given)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _undefined(1 - (total - 1) * apart / expected, expected <= 0)


def table_ac1(table: _Counts) -> _Counts:
    """Give Gwet's AC1 of tables.

    Source: K. L. Gwet, Computing inter-rater reliability and its variance in the presence
    of high agreement (2008), equations 4 and 5, for two coders and two categories.
    """
    given = (table[..., 0] + (table[..., 1] + table[..., 2]) / 2) / table.sum(axis=-1)
    chance = 2 * given * (1 - given)
    coefficient: _Counts = (_share_same(table) - chance) / (1 - chance)
    return coefficient


# Sets


def masi(one: _Keys, other: _Keys) -> float:
    """Give the MASI distance of two sets, in [0, 1]; two empty sets are the same set.

    Source: R. Passonneau, Measuring agreement on set-valued items (MASI) for semantic and
    pragmatic annotation (2006), section 4.
    """
    return float(masi_distance(one, other)) if one or other else 0.0


def _task_alpha(
    first: Sequence[object], second: Sequence[object], **options: Callable[..., float]
) -> float | None:
    """Give the library's alpha of two coders' values of the same answers."""
    if len({*first, *second}) < 2:
        return None
    data = [("first", number, value) for number, value in enumerate(first)]
    data += [("second", number, value) for number, value in enumerate(second)]
    return float(AnnotationTask(data, **options).alpha())


def masi_alpha(first: Sequence[_Keys], second: Sequence[_Keys], weights: _Counts) -> _Counts:
    """Give alpha with MASI distance for weighted answers, not a number where nothing varies.

    Args:
        first: Sets of the first coder, one an answer.
        second: Sets of the second coder, in the same order.
        weights: How often each answer counts, shape (draws, answers); rows sum to the
            number of answers.

    Returns:
        Shape (draws,).
    """
    values = sorted({*first, *second}, key=sorted)
    place = {value: number for number, value in enumerate(values)}
    distance = np.array([[masi(one, other) for other in values] for one in values])
    one, two = np.array([place[each] for each in first]), np.array([place[each] for each in second])
    given = np.eye(len(values))[one] + np.eye(len(values))[two]
    total = 2 * len(first)
    observed = weights @ distance[one, two] / len(first)
    counts = weights @ given
    expected = np.einsum("dv,vw,dw->d", counts, distance, counts) / (total * (total - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _undefined(1 - observed / expected, expected <= 0)


# Intervals


def _interval(value: float | None, draws: _Counts) -> Figure:
    known = draws[~np.isnan(draws)]
    if value is None or len(known) < max(1.0, _FEWEST_DRAWS * len(draws)):
        return Figure(value=value, low=None, high=None)
    low, high = np.percentile(known, [_TAIL, 100 - _TAIL])
    return Figure(value=value, low=float(low), high=float(high))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


class _Draws:
    """Answers drawn anew, as many as there are, again and again."""

    def __init__(self, n: int, draws: int, seed: int) -> None:
        self._n, self._draws, self._seed = n, draws, seed

    def each(self, figure: Callable[[_Counts], _Counts]) -> _Counts:
        """Give a figure of every draw: the same draws whenever it is called."""
        random = np.random.default_rng(self._seed)
        even = np.full(self._n, 1 / self._n)
        parts = []
        for start in range(0, self._draws, _DRAWS_AT_ONCE):
            size = min(_DRAWS_AT_ONCE, self._draws - start)
            parts.append(figure(random.multinomial(self._n, even, size=size).astype(float)))
        return np.concatenate(parts) if parts else np.empty(0)


def _code_agreement(given: npt.NDArray[np.bool_], tables: npt.NDArray[np.float64]) -> CodeAgreement:
    """Give the figures of one code.

    Args:
        given: By the first and the second coder, shape (2, answers).
        tables: Of the draws, shape (draws, 4).
    """
    first, second = given
    table = _cells(given).sum(axis=0)
    kappa = None
    if not np.isnan(table_kappa(table)):
        kappa = float(cohen_kappa_score(first, second, labels=[False, True]))
    return CodeAgreement(
        n_first=int(first.sum()),
        n_second=int(second.sum()),
        n_both=int(table[0]),
        prevalence=float(given.mean()),
        same=_interval(float(_share_same(table)), _share_same(tables)),
        kappa=_interval(kappa, table_kappa(tables)),
        alpha=_interval(_task_alpha(first.tolist(), second.tolist()), table_alpha(tables)),
        ac1=_interval(float(table_ac1(table)), table_ac1(tables)),
    )


def _cells(given: npt.NDArray[np.bool_]) -> _Counts:
    first, second = given
    cells = (first & second, first & ~second, ~first & second, ~first & ~second)
    return np.stack(cells, axis=-1).astype(float)


def _shared(pairs: Sequence[Pair]) -> list[tuple[Coding, Coding]]:
    """Give what both gave, code for code; of a code given twice, what is most alike."""
    shared = []
    for pair in pairs:
        for key in sorted(pair.keys[0] & pair.keys[1]):
            choices = [
                (one, two)
                for one in pair.first
                for two in pair.second
                if one.enabler == two.enabler == key
            ]
            shared.append(max(choices, key=_alike))
    return shared


def _alike(codings: tuple[Coding, Coding]) -> tuple[bool, float]:
    one, two = codings
    return one.stance == two.stance, _overlap(one, two)


def _overlap(one: Coding, two: Coding) -> float:
    return overlap((one.span_start, one.span_end), (two.span_start, two.span_end))


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def agree(
    pairs: Sequence[Pair], codes: Sequence[str], *, draws: int = DRAWS, seed: int = SEED
) -> Agreement:
    """Hold two coders against each other.

    Args:
        pairs: Answers that both coded; at least one.
        codes: Keys of the codeframe.
        draws: Of the bootstrap; 0 for no intervals.
        seed: Of the bootstrap: the same answers and seed give the same intervals.

    Raises:
        ValueError: There is no pair.
    """
    if not pairs:
        raise ValueError("there is no answer that both coded")
    random = _Draws(len(pairs), draws, seed)
    first = [pair.keys[0] for pair in pairs]
    second = [pair.keys[1] for pair in pairs]
    given = np.array(
        [[[key in keys for keys in side] for side in (first, second)] for key in codes]
    )
    cells = np.concatenate([_cells(each) for each in given], axis=-1)
    tables = random.each(lambda weights: weights @ cells).reshape(draws, len(codes), 4)
    same = np.array([one == two for one, two in zip(first, second, strict=True)])
    shared = _shared(pairs)
    stances = [one.stance == two.stance for one, two in shared if one.stance and two.stance]
    spans = [_overlap(one, two) >= 0.5 for one, two in shared if one.span_text and two.span_text]
    return Agreement(
        n=len(pairs),
        per_code={
            key: _code_agreement(given[number], tables[:, number])
            for number, key in enumerate(codes)
        },
        same_codes=_interval(float(same.mean()), random.each(lambda w: w @ same / len(pairs))),
        masi_alpha=_interval(
            _task_alpha(first, second, distance=masi),
            random.each(lambda weights: masi_alpha(first, second, weights)),
        ),
        stance_n=len(stances),
        stance_same=_share(stances),
        span_n=len(spans),
        span_half=_share(spans),
        differing=tuple(pair for pair in pairs if pair.differs),
    )
