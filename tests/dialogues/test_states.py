"""States of an invitation: which may follow which, and how they add up to families."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.disposition import Disposition
from dialogues.states import (
    BEFORE_CLOSING,
    CAUSES,
    FAMILIES,
    FOLLOWS,
    MEANINGS,
    UNSENT,
    Cause,
    State,
    diagram,
    may_follow,
    state_of,
)

#: The whole mapping once more, so that no slip of a hand changes what a rate is made of.
FAMILY = {
    "registered": "unknown",
    "queued": "unknown",
    "contacted": "unknown",
    "started": "unknown",
    "interim_partial": "unknown",
    "completed": "complete",
    "partial": "partial",
    "breakoff": "break_off",
    "refused": "refusal",
    "unresponsive": "non_contact",
    "failed": "non_contact",
    "ineligible": "screened_out",
    "rejected": "screened_out",
}


def test_every_state_is_of_one_family_and_every_family_has_a_state() -> None:
    assert {state.value: family.value for state, family in FAMILIES.items()} == FAMILY
    assert set(FAMILIES.values()) == set(Disposition)
    assert set(FAMILIES) == set(FOLLOWS) == set(MEANINGS) == set(State)
    assert set(CAUSES) == set(Cause)


def test_nothing_follows_itself_and_everything_can_be_reached() -> None:
    assert not any(state in following for state, following in FOLLOWS.items())
    reached, waiting = set(), [State.REGISTERED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += FOLLOWS[state]
    assert reached == set(State)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.QUEUED, State.CONTACTED),
        (State.QUEUED, State.STARTED),  # Came by themselves before it was sent.
        (State.FAILED, State.CONTACTED),  # Sent again by hand.
        (State.REFUSED, State.STARTED),  # Changed their mind.
        (State.PARTIAL, State.COMPLETED),  # Came back.
    ],
)
def test_what_happens_is_news(before: State, after: State) -> None:
    assert may_follow(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.STARTED, State.CONTACTED),  # The invitation's receipt comes after the consent.
        (State.COMPLETED, State.STARTED),
        (State.CONTACTED, State.FAILED),  # A reminder that finds the chat blocked.
        (State.UNRESPONSIVE, State.CONTACTED),
        (State.INTERIM_PARTIAL, State.INTERIM_PARTIAL),
    ],
)
def test_what_comes_late_or_twice_is_none(before: State, after: State) -> None:
    assert not may_follow(before, after)


@given(st.sampled_from(Disposition), st.sampled_from(State))
def test_an_outcome_gives_a_state_of_its_family(disposition: Disposition, before: State) -> None:
    state = state_of(disposition, before)
    if disposition is Disposition.UNKNOWN:
        assert state is None
    else:
        assert state is not None
        assert FAMILIES[state] is disposition


def test_who_was_never_asked_did_not_fall_silent() -> None:
    for before in UNSENT:
        assert state_of(Disposition.NON_CONTACT, before) is State.FAILED
    assert state_of(Disposition.NON_CONTACT, State.CONTACTED) is State.UNRESPONSIVE


def test_nothing_of_an_answer_is_noted_before_closing_where_it_is_anonymous() -> None:
    told = {
        State.STARTED,
        State.INTERIM_PARTIAL,
        State.COMPLETED,
        State.PARTIAL,
        State.BREAKOFF,
        State.REFUSED,
        State.UNRESPONSIVE,
    }
    assert set(State) == BEFORE_CLOSING | told
    assert not BEFORE_CLOSING & told


def test_the_picture_has_every_arrow() -> None:
    drawn = diagram().splitlines()
    for before, following in FOLLOWS.items():
        for after in following:
            assert f"    {before} --> {after}" in drawn
    assert "    [*] --> registered" in drawn
    assert "    completed --> [*]" in drawn
    assert "    contacted --> [*]" not in drawn
    assert len(drawn) == len(set(drawn))
