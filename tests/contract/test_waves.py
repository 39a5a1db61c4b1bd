"""Waves: opened once, paused, reminded, closed, and every invitation with an outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dialogues.disposition import Disposition
from dialogues.effects import DispositionSet
from dialogues.session import Status
from dialogues.states import State
from storage.protocol import InvitationCounts
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    LATER,
    begin,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    shown,
    wave,
)


def test_a_wave_opens_once(store: SqlStore) -> None:
    assert store.wave(wave().wave_id) is None
    assert store.open_wave(wave())
    assert not store.open_wave(wave(state="closed"))
    assert store.wave(wave().wave_id) == wave()
    bare = wave(
        "by-hand",
        pulse=None,
        roles=("partner",),
        questions_per_person=None,
        quiet_hours=None,
        closes_at=None,
        remind_at=(),
    )
    assert store.open_wave(bare)
    assert store.wave("by-hand") == bare


def test_what_is_given_is_changed_and_nothing_else(store: SqlStore) -> None:
    store.open_wave(wave())
    store.set_wave(wave().wave_id, state="paused")
    store.set_wave(wave().wave_id, reminded=1)
    assert store.wave(wave().wave_id) == wave(state="paused", reminded=1)
    store.set_wave(wave().wave_id, state="closed", closes_at=LATER)
    assert store.wave(wave().wave_id) == wave(state="closed", reminded=1, closes_at=LATER)


def test_waves_come_newest_first(store: SqlStore) -> None:
    store.open_wave(wave("old", opens_at=AT - timedelta(days=1)))
    store.open_wave(wave("b"))
    store.open_wave(wave("a", state="closed"))
    assert [found.wave_id for found in store.waves()] == ["a", "b", "old"]
    assert [found.wave_id for found in store.waves(state="open")] == ["b", "old"]
    assert store.waves(state="paused") == []


def test_a_person_is_in_the_open_waves_of_their_cohorts(store: SqlStore) -> None:
    person(store)
    store.open_wave(wave("old", opens_at=AT - timedelta(days=1)))
    store.open_wave(wave("newer"))
    store.open_wave(wave("paused", state="paused", opens_at=LATER))
    store.open_wave(wave("elsewhere", cohort="hillside", opens_at=LATER))
    assert store.open_waves_for("ann") == []
    store.join("ann", "riverside", on=AT.date())
    assert [found.wave_id for found in store.open_waves_for("ann")] == ["newer", "old"]
    store.join("ann", "hillside", on=AT.date())
    found = store.open_waves_for("ann")
    assert [one.wave_id for one in found] == ["elsewhere", "newer", "old"]


def test_reminders_are_counted(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, wave_id="w", invitation_id="i1")
    store.note_reminder("i1")
    store.note_reminder("i1")
    assert rows(store, "invitations")[0]["reminders"] == 2


def test_how_a_wave_stands(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    assert store.counts("w") == InvitationCounts(
        invited=0, consented=0, by_disposition={}, waiting=0
    )
    for name in ["ann", "bob", "cat"]:
        begin(store, person(store, name), f"s-{name}", wave_id="w", invitation_id=f"i-{name}")
    assert store.counts("w").waiting == 3
    claim(store, limit=1)
    assert store.counts("w").waiting == 3
    store.release_claims("telegram")
    send(store)
    dan = person(store, "dan")
    consented(store, dan, "s-dan", wave_id="w", invitation_id="i-dan")
    store.note_state("i-cat", State.REFUSED, at=AT)
    assert store.counts("w") == InvitationCounts(
        invited=4, consented=1, by_disposition={"unknown": 3, "refusal": 1}, waiting=1
    )


def test_closing_gives_every_invitation_an_outcome(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    store.open_wave(wave("other"))
    for name in ["ann", "bob", "cat", "dan"]:
        wave_id = "other" if name == "dan" else "w"
        respondent = person(store, name)
        start = begin if name in {"ann", "dan"} else consented
        start(store, respondent, f"s-{name}", wave_id=wave_id, invitation_id=f"i-{name}")
        if name == "cat":
            go_on(
                store,
                respondent,
                DispositionSet(disposition=Disposition.PARTIAL, at=AT),
                shown("Closed."),
                session_id="s-cat",
                status=Status.CLOSED,
            )
    store.settle_wave("w", at=LATER, min_group=5)
    outcomes = {row["invitation_id"]: row["disposition"] for row in rows(store, "invitations")}
    assert outcomes == {
        "i-ann": "non_contact",
        "i-bob": "break_off",
        "i-cat": "partial",
        "i-dan": "unknown",
    }
    # Conversations of a confidential survey stay as they are.
    assert len(rows(store, "sessions")) == 4
    assert len(rows(store, "responses")) == 2
    before = rows(store, "invitations")
    store.settle_wave("w", at=LATER + timedelta(days=1), min_group=5)
    assert rows(store, "invitations") == before


def test_a_wave_of_another_revision_is_not_anonymous_by_name(store: SqlStore) -> None:
    """Whether a wave is anonymous is asked of the very revision that it fields."""
    store.open_wave(replace(wave("w"), revision="unheard"))
    begin(store, person(store), wave_id="w", invitation_id="i1")
    store.settle_wave("w", at=LATER, min_group=5)
    assert len(rows(store, "sessions")) == 1
