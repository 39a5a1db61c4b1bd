"""Agreement, held against figures that were published and against its definitions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.coding import Coding, Stance
from nlp.agreement import (
    Agreement,
    Pair,
    agree,
    masi,
    masi_alpha,
    table_ac1,
    table_alpha,
    table_kappa,
)

CODES = ("risk", "agility", "design")


def coding(key: str, stance: Stance | None = None, span: tuple[int, int] = (0, 0)) -> Coding:
    return Coding(
        enabler=key, stance=stance, span_text="x" * (span[1] - span[0]), span_start=span[0],
        span_end=span[1], confidence=1.0,
    )  # fmt: skip


def pair(first: Sequence[str], second: Sequence[str], number: int = 0) -> Pair:
    return Pair(
        answer_id=str(number), text="", question=None,
        first=tuple(map(coding, first)), second=tuple(map(coding, second)),
    )  # fmt: skip


def of_table(both: int, one: int, two: int, neither: int) -> Agreement:
    """Give the agreement on `risk` of coders with this table."""
    cells = [(both, "risk", "risk"), (one, "risk", ""), (two, "", "risk"), (neither, "", "")]
    pairs = [pair([f] if f else [], [s] if s else []) for n, f, s in cells for _ in range(n)]
    return agree(pairs, CODES, draws=0)


# Feinstein & Cicchetti (1990), High agreement but low kappa: I, tables 2 and 3;
# Gwet (2002), Kappa statistic is not satisfactory for assessing the extent of agreement
# between raters, table 2; Wikipedia, "Cohen's kappa", worked examples.
@pytest.mark.parametrize(
    ("table", "same", "kappa", "ac1"),
    [
        ((40, 9, 6, 45), 0.85, 0.70, None),
        ((80, 10, 5, 5), 0.85, 0.32, None),
        ((118, 5, 2, 0), 0.944, -0.0234, 0.9408),
        ((20, 5, 10, 15), 0.70, 0.40, None),
        ((45, 15, 25, 15), 0.60, 0.1304, None),
        ((25, 35, 5, 35), 0.60, 0.2593, None),
    ],
)
def test_figures_of_two_coders_as_published(
    table: tuple[int, int, int, int], same: float, kappa: float, ac1: float | None
) -> None:
    figures = of_table(*table).per_code["risk"]
    assert figures.same.value == pytest.approx(same)
    digits = len(str(abs(kappa)).partition(".")[2])
    assert figures.kappa.value == pytest.approx(kappa, abs=0.6 * 10**-digits)
    if ac1 is not None:
        assert figures.ac1.value == pytest.approx(ac1, abs=5e-5)


def test_alpha_as_published() -> None:
    """K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), section A."""
    meg, owen = "0100000010", "1110010000"
    pairs = [pair(["risk"] * int(m), ["risk"] * int(o)) for m, o in zip(meg, owen, strict=True)]
    assert agree(pairs, CODES, draws=0).per_code["risk"].alpha.value == pytest.approx(
        0.095, abs=5e-4
    )


def test_masi_as_published() -> None:
    """R. Passonneau (2006), section 4: Jaccard times 1, 2/3, 1/3 or 0."""
    a, ab, ac, abcd, d = (frozenset(each) for each in ("a", "ab", "ac", "abcd", "d"))
    assert masi(ab, ab) == 0
    assert masi(ab, abcd) == pytest.approx(1 - 2 / 4 * 2 / 3)
    assert masi(ab, ac) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi(a, d) == masi(a, frozenset()) == 1
    assert masi(frozenset(), frozenset()) == 0


settings.register_profile("agreement", max_examples=40, deadline=None)
FEWER = settings.get_profile("agreement")
KEYS = st.frozensets(st.sampled_from(CODES))
PAIRS = st.lists(st.tuples(KEYS, KEYS), min_size=1, max_size=25)


def made(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> list[Pair]:
    return [pair(sorted(f), sorted(s), n) for n, (f, s) in enumerate(pairs)]


def values(figures: Agreement, key: str) -> list[float | None]:
    code = figures.per_code[key]
    return [code.prevalence] + [
        each.value for each in (code.same, code.kappa, code.alpha, code.ac1)
    ]


def test_nothing_in_common_says_so() -> None:
    with pytest.raises(ValueError, match="no answer that both coded"):
        agree([], CODES)


@FEWER
@given(st.lists(KEYS, min_size=1, max_size=25))
def test_coders_who_always_agree_agree_perfectly(sets: list[frozenset[str]]) -> None:
    figures = agree(made([(each, each) for each in sets]), CODES, draws=20)
    assert figures.differing == ()
    assert figures.same_codes.value == 1
    assert figures.masi_alpha.value == (pytest.approx(1) if len(set(sets)) > 1 else None)
    for key in CODES:
        code = figures.per_code[key]
        varies = 0 < code.n_first < len(sets)
        assert code.n_first == code.n_second == code.n_both == sum(key in each for each in sets)
        assert code.same.value == code.ac1.value == 1
        assert code.kappa.value == code.alpha.value == (pytest.approx(1) if varies else None)


@FEWER
@given(PAIRS)
def test_it_does_not_matter_who_comes_first(
    pairs: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    one = agree(made(pairs), CODES, draws=0)
    other = agree(made([(second, first) for first, second in pairs]), CODES, draws=0)
    for key in CODES:
        assert values(one, key) == pytest.approx(values(other, key), nan_ok=True)
    assert one.masi_alpha.value == pytest.approx(other.masi_alpha.value)
    assert [each.answer_id for each in one.differing] == [
        each.answer_id for each in other.differing
    ]


@FEWER
@given(PAIRS, st.sampled_from(list(permutations(CODES))))
def test_figures_move_with_the_codes_when_these_change_names(
    pairs: list[tuple[frozenset[str], frozenset[str]]], names: tuple[str, ...]
) -> None:
    called = dict(zip(CODES, names, strict=True))
    renamed = [
        (frozenset(map(called.__getitem__, f)), frozenset(map(called.__getitem__, s)))
        for f, s in pairs
    ]
    one, other = agree(made(pairs), CODES, draws=0), agree(made(renamed), CODES, draws=0)
    for key in CODES:
        assert values(one, key) == pytest.approx(values(other, called[key]))
    assert one.masi_alpha.value == pytest.approx(other.masi_alpha.value)


def alpha_by_definition(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> float | None:
    """Give alpha with MASI by Krippendorff's definition: all pairs of values, one by one."""
    everybody = [value for both in pairs for value in both]
    observed = sum(masi(*both) for both in pairs) / len(pairs)
    expected = sum(masi(one, two) for one, two in permutations(everybody, 2))
    return 1 - observed * len(everybody) * (len(everybody) - 1) / expected if expected else None


@FEWER
@given(PAIRS)
def test_alpha_over_sets_is_krippendorffs_by_definition(
    pairs: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    assert agree(made(pairs), CODES, draws=0).masi_alpha.value == pytest.approx(
        alpha_by_definition(pairs)
    )


@FEWER
@given(PAIRS)
def test_what_is_drawn_has_the_figures_of_the_library(
    pairs: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    """The intervals are taken from counts: each answer once gives the library's own figures."""
    figures = agree(made(pairs), CODES, draws=0)
    first, second = zip(*pairs, strict=True)
    once = masi_alpha(first, second, np.ones((1, len(pairs))))[0]
    assert (None if np.isnan(once) else once) == pytest.approx(figures.masi_alpha.value)
    for code in figures.per_code.values():
        both, one, two = (
            code.n_both, code.n_first - code.n_both, code.n_second - code.n_both
        )  # fmt: skip
        table = np.array([both, one, two, len(pairs) - both - one - two], dtype=float)
        for drawn, figure in ((table_kappa, code.kappa), (table_alpha, code.alpha)):
            value = float(drawn(table))
            assert (None if np.isnan(value) else value) == pytest.approx(figure.value)
        assert float(table_ac1(table)) == pytest.approx(code.ac1.value)


@FEWER
@given(PAIRS)
def test_kappa_is_cohens_by_definition(
    pairs: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    figures, n = agree(made(pairs), CODES, draws=0), len(pairs)
    for key in CODES:
        first, second = ([key in keys for keys in side] for side in zip(*pairs, strict=True))
        same = Fraction(sum(one == two for one, two in zip(first, second, strict=True)), n)
        chance = Fraction(sum(first) * sum(second) + (n - sum(first)) * (n - sum(second)), n * n)
        wanted = None if chance == 1 else float((same - chance) / (1 - chance))
        assert figures.per_code[key].kappa.value == pytest.approx(wanted)


@FEWER
@given(PAIRS)
def test_intervals_come_again_with_their_seed(
    pairs: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    one = agree(made(pairs), CODES, draws=120, seed=4)
    assert one == agree(made(pairs), CODES, draws=120, seed=4)
    for code in one.per_code.values():
        for figure in (code.same, code.kappa, code.alpha, code.ac1):
            if figure.low is not None and figure.high is not None:
                assert figure.low <= figure.high


def test_an_interval_holds_the_figure_and_is_narrower_with_more_answers() -> None:
    few = [pair(["risk"], ["risk"])] * 12 + [pair(["risk"], [])] * 4 + [pair([], [])] * 14
    narrow, wide = agree(few * 16, CODES).per_code["risk"], agree(few, CODES).per_code["risk"]
    for small, large in ((wide.kappa, narrow.kappa), (wide.alpha, narrow.alpha)):
        assert None not in (small.low, small.value, small.high, large.low, large.high)
        assert small.low < small.value < small.high  # type: ignore[operator]
        width = small.high - small.low  # type: ignore[operator]
        assert width / 5 < large.high - large.low < width / 3  # type: ignore[operator]
    # Of a share the interval is known: 1.96 standard errors to either side.
    share, n = 26 / 30, 480
    assert narrow.same.low == pytest.approx(
        share - 1.96 * (share * (1 - share) / n) ** 0.5, abs=0.01
    )


def test_a_code_given_once_has_no_interval_of_kappa() -> None:
    """Four draws in ten do not hold the answer at all, and say nothing of it."""
    figures = agree([pair(["risk"], ["risk"])] + [pair([], [])] * 30, CODES).per_code["risk"]
    assert figures.kappa.value == 1
    assert figures.kappa.low is figures.kappa.high is None
    assert figures.ac1.low == 1


def test_stance_and_evidence_of_what_both_gave() -> None:
    gap, strength = Stance.GAP, Stance.STRENGTH
    both = Pair(
        answer_id="1", text="x" * 30, question=None,
        first=(coding("risk", gap, (0, 10)), coding("risk", strength, (12, 20)),
               coding("agility", gap, (0, 4)), coding("design")),
        second=(coding("risk", strength, (12, 18)), coding("agility", strength, (3, 9))),
    )  # fmt: skip
    figures = agree([both], CODES, draws=0)
    assert (figures.stance_n, figures.stance_same) == (2, 0.5)
    assert (figures.span_n, figures.span_half) == (2, 0.5)


def test_another_stance_is_a_difference() -> None:
    one = Pair(answer_id="1", text="", question=None, first=(coding("risk", Stance.GAP),),
               second=(coding("risk", Stance.STRENGTH),))  # fmt: skip
    figures = agree([one, pair(["risk"], ["risk"])], CODES, draws=0)
    assert figures.differing == (one,)
    assert figures.same_codes.value == 1
