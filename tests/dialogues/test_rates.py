"""Rates, worked out by hand and by what must hold of any counts."""

from __future__ import annotations

import math
from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from dialogues.disposition import Disposition
from dialogues.rates import Rates, rates_of

COUNTS = st.fixed_dictionaries({one.value: st.integers(0, 1000) for one in Disposition})


def test_a_wave_worked_out_by_hand() -> None:
    rates = rates_of(
        {
            "complete": 30,
            "partial": 10,
            "break_off": 6,
            "refusal": 4,
            "non_contact": 40,
            "unknown": 10,
            "screened_out": 7,
        },
        agreed=48,
    )
    assert rates == Rates(
        response=30 / 100,
        response_with_partial=40 / 100,
        cooperation=30 / 50,
        cooperation_with_partial=40 / 50,
        contact=50 / 100,
        refusal=10 / 100,
        completion=30 / 48,
        break_off=6 / 48,
    )


def test_where_nobody_was_invited_there_is_no_rate() -> None:
    assert set(astuple(rates_of({}, agreed=0))) == {None}
    assert set(astuple(rates_of({"screened_out": 3}, agreed=0))) == {None}


@given(COUNTS)
def test_rates_are_shares_and_keep_their_order(counts: dict[str, int]) -> None:
    agreed = counts["complete"] + counts["partial"] + counts["break_off"]
    rates = rates_of(counts, agreed=agreed)
    assert all(share is None or 0 <= share <= 1 for share in astuple(rates))
    if rates.response is None:
        return
    assert rates.response_with_partial is not None
    assert rates.contact is not None
    assert rates.refusal is not None
    assert rates.response <= rates.response_with_partial <= rates.contact
    assert math.isclose(rates.response_with_partial + rates.refusal, rates.contact, abs_tol=1e-12)


@given(COUNTS, st.integers(1, 100))
def test_who_may_still_answer_can_only_raise_a_rate(counts: dict[str, int], n: int) -> None:
    waiting = {**counts, "unknown": counts["unknown"] + n}
    answered = {**counts, "complete": counts["complete"] + n}
    before, after = rates_of(waiting, agreed=0), rates_of(answered, agreed=0)
    assert before.response is not None
    assert after.response is not None
    assert after.response > before.response
