"""What is told of a count lets nobody work out a cell with too few people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.survey import ScaleQuestion
from storage.reports.figures import _statement
from storage.reports.suppression import Share, ShareKind, Span, shown


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int]:
    """How many said it, of how many, with which threshold."""
    least = draw(st.integers(3, 12))
    of = draw(st.integers(0, 60))
    return draw(st.integers(0, of)), of, least


@given(tables())
def test_nothing_shown_narrows_a_small_cell_down(table: tuple[int, int, int]) -> None:
    count, of, least = table
    span = shown(count, of=of, least=least)
    if of < least:
        assert span is None
        return
    assert span is not None
    assert 0 <= span.low <= count <= span.high <= of
    # All that can be worked out: which counts are told just so.
    alike = [other for other in range(of + 1) if shown(other, of=of, least=least) == span]
    assert alike == list(range(span.low, span.high + 1))
    small = [other for other in alike if min(other, of - other) < least]
    if small:
        assert len(alike) >= min(least, (of + 1) // 2) >= 2
    if span.exact:
        assert count >= least
        assert of - count >= least


@given(tables())
def test_zero_and_everybody_are_never_told(table: tuple[int, int, int]) -> None:
    _, of, least = table
    for count in (0, of):
        span = shown(count, of=of, least=least)
        assert span is None or not span.exact


@given(tables())
def test_a_share_is_true_of_every_count_that_it_may_stand_for(table: tuple[int, int, int]) -> None:
    count, of, least = table
    span = shown(count, of=of, least=least)
    if span is None:
        return
    told = span.share
    assert 1 <= told.percent <= 99
    for possible in range(span.low, span.high + 1):
        hundredfold, bound = 100 * possible, told.percent * of
        match told.kind:
            case ShareKind.EXACT:
                assert abs(hundredfold - bound) * 2 <= (5 if of < 100 else 1) * of
            case ShareKind.AT_LEAST | ShareKind.OVER_HALF:
                assert hundredfold >= bound
                assert told.kind is ShareKind.AT_LEAST or 2 * possible > of
            case ShareKind.AT_MOST | ShareKind.UP_TO_HALF:
                assert hundredfold <= bound


@given(
    st.lists(st.integers(1, 5), max_size=30),
    st.integers(3, 8),
    st.sampled_from([False, True]),
)
def test_who_knows_all_but_the_hidden_learns_no_small_cell(
    points: list[int], least: int, reversed_: bool
) -> None:
    """Of every table of agree and not that a statement could stand for, two or more are told
    alike wherever one of the cells is small.
    """
    question = ScaleQuestion(
        id="q", kind="scale", text="?", labels=("1", "2", "3", "4", "5"), enabler="trust",
        reversed=reversed_,
    )  # fmt: skip

    def told(agree: int) -> object:
        counts = {"5": agree, "1": len(points) - agree}
        return _statement(question, {value: n for value, n in counts.items() if n}, least)

    counts: dict[str, int] = {}
    for point in points:
        counts[str(point)] = counts.get(str(point), 0) + 1
    agree = sum(point > 3 for point in points)
    assert _statement(question, counts, least) == told(agree)
    alike = [other for other in range(len(points) + 1) if told(other) == told(agree)]
    if min(agree, len(points) - agree) < least:
        assert len(alike) > 1 or not points


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [
        (4, 4, None),
        (0, 5, Span(low=0, high=2, of=5)),
        (5, 5, Span(low=3, high=5, of=5)),
        (4, 8, Span(low=0, high=4, of=8)),
        (5, 9, Span(low=5, high=9, of=9)),
        (4, 10, Span(low=0, high=4, of=10)),
        (5, 10, Span(low=5, high=5, of=10)),
        (6, 10, Span(low=6, high=10, of=10)),
        (13, 20, Span(low=13, high=13, of=20)),
        (16, 20, Span(low=16, high=20, of=20)),
    ],
)
def test_spans_by_hand(count: int, of: int, expected: Span | None) -> None:
    assert shown(count, of=of, least=5) == expected


@pytest.mark.parametrize(
    ("span", "kind", "percent"),
    [
        (Span(low=0, high=2, of=5), "up_to_half", 50),
        (Span(low=5, high=9, of=9), "over_half", 50),
        (Span(low=0, high=4, of=10), "at_most", 40),
        (Span(low=7, high=11, of=11), "at_least", 60),
        (Span(low=8, high=8, of=13), "exact", 60),
        (Span(low=123, high=123, of=200), "exact", 62),
        (Span(low=5, high=5, of=4000), "exact", 1),
        (Span(low=3995, high=3995, of=4000), "exact", 99),
        (Span(low=0, high=4, of=1000), "at_most", 5),
        (Span(low=996, high=1000, of=1000), "at_least", 95),
    ],
)
def test_shares_by_hand(span: Span, kind: str, percent: int) -> None:
    assert span.share == Share(kind=ShareKind(kind), percent=percent)


@pytest.mark.parametrize("count", [-1, 6])
def test_a_part_is_within_the_whole(count: int) -> None:
    with pytest.raises(ValueError, match="not larger"):
        shown(count, of=5, least=5)
