"""Waves: opened once, paused, reminded, closed, and every invitation with an outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from dialogues.disposition import Disposition
from dialogues.effects import DispositionSet
from dialogues.session import Status
from dialogues.states import State
from storage.protocol import InvitationCounts, Retention, Rhythm, ToSend
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    CONFIDENTIAL,
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
    )
    assert store.open_wave(bare)
    assert store.wave("by-hand") == bare
    rhythm = Rhythm(
        opens_on=date(2026, 12, 1),
        minute=0,
        at_once=True,
        daily=True,
        days_off=(5, 6),
        holidays="GB-WLS",
        remind_after=(timedelta(hours=3), timedelta(days=1, minutes=5)),
    )
    assert store.open_wave(wave("of-its-own", rhythm=rhythm))
    kept = store.wave("of-its-own")
    assert kept is not None
    assert kept.rhythm == rhythm


def test_what_is_given_is_changed_and_nothing_else(store: SqlStore) -> None:
    store.open_wave(wave())
    store.set_wave(wave().wave_id, state="paused")
    assert store.wave(wave().wave_id) == wave(state="paused")
    store.set_wave(wave().wave_id, state="closed", closes_at=LATER)
    assert store.wave(wave().wave_id) == wave(state="closed", closes_at=LATER)


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
    assert store.counts("w", now=AT) == InvitationCounts(
        invited=0,
        consented=0,
        by_disposition={},
        by_state={},
        by_channel={},
        waiting=0,
        to_send=(),
        retention=None,
    )
    for name in ["ann", "bob", "cat"]:
        begin(
            store, person(store, name), f"s-{name}", wave_id="w", invitation_id=f"i-{name}", lane=1
        )
    later = person(store, "eve", channel="slack")
    begin(
        store,
        later,
        "s-eve",
        wave_id="w",
        invitation_id="i-eve",
        lane=1,
        due_at=AT + 2 * (LATER - AT),
    )
    stands = store.counts("w", now=LATER)
    assert stands.waiting == 4
    assert stands.by_channel == {"telegram": 3, "slack": 1}
    assert stands.to_send == (
        ToSend(channel="slack", due=0, later=1, last_due_at=AT + 2 * (LATER - AT)),
        ToSend(channel="telegram", due=3, later=0, last_due_at=AT),
    )
    claim(store, lane=1, limit=1)
    assert store.counts("w", now=LATER).waiting == 4
    store.release_claims("telegram")
    send(store, lane=1)
    dan = person(store, "dan")
    consented(store, dan, "s-dan", wave_id="w", invitation_id="i-dan")
    store.note_state("i-cat", State.REFUSED, at=AT)
    stands = store.counts("w", now=LATER)
    assert (stands.invited, stands.consented, stands.waiting) == (5, 1, 2)
    assert stands.by_disposition == {"unknown": 4, "refusal": 1}
    assert stands.by_state == {"contacted": 2, "queued": 1, "started": 1, "refused": 1}


def _answers(store: SqlStore, wave_id: str, *names: str) -> None:
    for name in names:
        known = store.respondent(name) or person(store, name)
        invitation_id = f"{wave_id}-{name}"
        consented(store, known, f"s-{invitation_id}", wave_id=wave_id, invitation_id=invitation_id)
        store.note_state(invitation_id, State.COMPLETED, at=AT)


def test_who_came_again_is_counted_against_the_wave_before(store: SqlStore) -> None:
    earlier = AT - timedelta(days=30)
    store.open_wave(wave("oldest", opens_at=earlier - timedelta(days=30)))
    store.open_wave(wave("first", opens_at=earlier))
    store.open_wave(wave("elsewhere", opens_at=earlier, cohort="hillside"))
    store.open_wave(wave("second"))
    _answers(store, "oldest", "zoe")
    _answers(store, "elsewhere", "zoe")
    _answers(store, "first", "ann", "bob", "cat", "dan")
    begin(store, person(store, "eve"), "s-eve", wave_id="first", invitation_id="first-eve")
    assert store.counts("second", now=AT).retention is None
    for name in ("oldest", "elsewhere", "first"):
        store.set_wave(name, state="closed")
    _answers(store, "second", "ann", "bob", "eve", "fay")
    cat = store.respondent("cat")
    assert cat is not None
    begin(store, cat, "s-cat-again", wave_id="second", invitation_id="second-cat")
    assert store.counts("second", now=AT).retention == Retention(
        before="first", answered=4, invited=3, again=2, entered=2
    )
    by_hand = wave("by-hand", pulse=None)
    store.open_wave(by_hand)
    assert store.counts("by-hand", now=AT).retention is None


def test_who_came_again_anonymously_is_not_known_before_closing(store: SqlStore) -> None:
    for one in (CONFIDENTIAL, ANONYMOUS):
        store.keep_survey(one, at=AT)
    secret = {"survey_id": ANONYMOUS.survey_id, "revision": ANONYMOUS.revision}
    store.open_wave(wave("first", state="closed", opens_at=AT - timedelta(days=30), **secret))
    store.open_wave(wave("second", **secret))
    assert store.counts("second", now=AT).retention is None
    store.set_wave("second", state="closed")
    assert store.counts("second", now=AT).retention == Retention(
        before="first", answered=0, invited=0, again=0, entered=0
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
