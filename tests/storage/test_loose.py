"""Withholding: every combination that is left is shared by enough people."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.loose import WITHHELD, withhold

Row = tuple[str | None, ...]

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["en", "cy", "fr"]),
        st.sampled_from(["telegram", "slack"]),
        st.sampled_from(["citizen", "partner"]),
        st.sampled_from([None, "charity", "public"]),
    ),
    max_size=40,
)


@given(ROWS, st.integers(1, 7))
def test_what_is_left_is_shared_by_enough(known: list[Row], min_group: int) -> None:
    left = withhold(known, min_group=min_group)
    assert len(left) == len(known)
    for before, after in zip(known, left, strict=True):
        assert all(new in (old, WITHHELD) for old, new in zip(before, after, strict=True))
    if len(known) < min_group:
        assert set(left) <= {(WITHHELD,) * 4}
    else:
        assert all(count >= min_group for count in Counter(left).values())
    assert withhold(left, min_group=min_group) == left


@given(ROWS, st.integers(1, 7))
def test_what_enough_share_is_kept(known: list[Row], min_group: int) -> None:
    if all(count >= min_group for count in Counter(known).values()):
        assert withhold(known, min_group=min_group) == known


@pytest.mark.parametrize(
    ("languages", "left"),
    [
        ("", ""),
        ("eeee", "????"),
        ("eeeee", "eeeee"),
        ("eeeec", "?????"),
        # The one is hidden among as many others as it takes, or among all of them.
        ("eeeeeeeeec", "????eeeee?"),
        ("eeeeeeeec", "?????????"),
        ("eeeeeccccf", "eeeee?????"),
    ],
)
def test_the_one_is_hidden_among_others(languages: str, left: str) -> None:
    rows = withhold([(one,) for one in languages], min_group=5)
    assert "".join("?" if one == WITHHELD else str(one) for (one,) in rows) == left
