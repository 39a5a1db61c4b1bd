"""Time: everyone's own is kept, many are invited at once, and what is not sent is noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from dialogues.disposition import Disposition
from dialogues.effects import DispositionSet, Turn
from dialogues.session import Status
from storage.protocol import (
    NO_END,
    Candidate,
    Invited,
    PassedOver,
    Receipt,
    Reminding,
    Timing,
    Unsent,
    Window,
)
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    begin,
    blank,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    shown,
    wave,
)

W = wave().wave_id
DAY = timedelta(days=1)


def fielded(store: SqlStore, *names: str) -> None:
    """Open the wave, with members."""
    store.keep_survey(CONFIDENTIAL, at=AT)
    store.open_wave(wave())
    for name in names:
        person(store, name)
        store.join(name, "riverside", on=AT.date())


def candidates(
    store: SqlStore, wave_id: str = W, *, after: str = "", limit: int = 10
) -> tuple[list[Candidate], str | None]:
    return store.candidates(
        wave_id,
        consent_revision=CONFIDENTIAL.consent_revision,
        roles=["citizen"],
        since=AT - 7 * DAY,
        after=after,
        limit=limit,
    )


def invited(
    candidate: Candidate,
    *,
    window: Window | None = None,
    number: str = "",
    remind: bool = True,
) -> Invited:
    name = candidate.respondent_id
    window = window or Window(due_at=AT, quiet_at=AT + DAY, expires_at=AT + 2 * DAY)
    return Invited(
        candidate=candidate,
        invitation_id=f"i-{name}{number}",
        turn=Turn(session=blank(f"s-{name}{number}"), effects=(shown(f"consent, {name}?"),)),
        window=window,
        remind_at=window.due_at + DAY if remind else None,
    )


def invite_all(store: SqlStore, wave_id: str = W, *, window: Window | None = None) -> list[str]:
    found, _ = candidates(store, wave_id)
    return store.invite(
        wave_id,
        [
            invited(one, window=window, number="" if wave_id == W else f"-{wave_id}")
            for one in found
        ],
        at=AT,
    )


# People's own time --------------------------------------------------------------------


def test_what_a_person_wants_is_kept_beside_what_their_platform_says(store: SqlStore) -> None:
    person(store)
    assert store.timing("ann") == Timing()
    assert store.tell_timezone("ann", "Europe/Paris")
    assert not store.tell_timezone("ann", "Europe/Paris")
    said = Timing(
        timezone="Asia/Kolkata",
        told_timezone="Europe/Paris",
        minute=18 * 60,
        quiet=(21 * 60, 7 * 60),
        days_off=(0, 4),
        paused_until=date(2027, 1, 12),
    )
    store.set_timing("ann", said)
    assert store.timing("ann") == said
    assert store.tell_timezone("ann", "Europe/Berlin")
    assert store.timing("ann") == replace(said, told_timezone="Europe/Berlin")
    away = Timing(days_off=(), paused_until=NO_END)
    store.set_timing("ann", away)
    assert store.timing("ann") == away


def test_the_moments_of_a_cohort_are_given_once_each(store: SqlStore) -> None:
    fielded(store, "ann", "bob", "cat", "dan", "eve")
    store.set_timing("ann", Timing(timezone="Asia/Tokyo", told_timezone="Asia/Seoul"))
    store.tell_timezone("bob", "Asia/Tokyo")
    store.set_timing("cat", Timing(minute=480))
    person(store, "out")
    store.tell_timezone("out", "Asia/Dubai")
    found = store.moments("riverside")
    assert sorted(found, key=str) == [("Asia/Tokyo", None), (None, 480), (None, None)]
    assert store.moments("hillside") == []


# Inviting -----------------------------------------------------------------------------


def test_candidates_come_in_pages_of_the_cohort(store: SqlStore) -> None:
    fielded(store, *(f"n{number}" for number in range(7)))
    store.opt_out("n0", at=AT)
    store.set_reachable("n1", False, at=AT)
    first = person(store, "n2")
    begin(store, first, wave_id=W, invitation_id="i2")
    (n3,) = [one for one in candidates(store)[0] if one.respondent_id == "n3"]
    store.pass_over(W, [PassedOver(candidate=n3, invitation_id="i3", reason="fatigue")], at=AT)
    store.note_unsent(W, [Unsent(respondent_id="n4", number=1, reason="away")], at=AT)
    person(store, "sue", channel="slack")
    pages = []
    after: str | None = ""
    while after is not None:
        page, after = candidates(store, after=after, limit=3)
        pages.append([one.respondent_id for one in page])
    assert pages == [[], ["n4", "n5"], ["n6"], []]
    assert candidates(store, "no such wave") == ([], None)


def test_a_candidate_brings_what_planning_needs(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    store.open_wave(wave("other", opens_at=AT - DAY))
    store.open_wave(wave("old", opens_at=AT - 9 * DAY))
    store.set_timing("ann", Timing(minute=600, days_off=(6,)))
    invite_all(store, "old", window=Window(due_at=AT - 8 * DAY))
    invite_all(store, "other", window=Window(due_at=AT - 3 * DAY))
    consented(store, person(store, "bob"), "s-bob-open")
    (ann, bob), last = candidates(store)
    assert last == "bob"
    assert (ann.timing, ann.agreed, bob.agreed) == (Timing(minute=600, days_off=(6,)), False, True)
    (earlier,) = ann.earlier
    assert (earlier.pulse, earlier.due_at) == ("monthly", AT - 3 * DAY)
    assert (earlier.opens_on, earlier.minute) == (AT.date(), 600)
    assert (ann.channel, ann.role, ann.language) == ("telegram", "citizen", "en")


def test_earlier_invitations_are_those_that_do_not_wait_any_more(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    store.open_wave(wave("other", opens_at=AT - DAY))
    store.open_wave(wave("old", opens_at=AT - 9 * DAY))
    invite_all(store, "old", window=Window(due_at=AT - 8 * DAY))
    invite_all(store, "other", window=Window(due_at=AT - 3 * DAY))
    assert store.earlier("ann", since=AT - 9 * DAY) == ()
    claimed = claim(store, lane=1)
    (leaving,) = store.earlier("ann", since=AT - 9 * DAY)
    assert leaving.due_at == AT - 8 * DAY
    sent = [Receipt(outbox_id=one.outbox_id, outcome="sent", position="1") for one in claimed]
    store.settle(sent, now=AT)
    send(store, lane=1)
    invite_all(store)
    found = store.earlier("ann", since=AT - 9 * DAY)
    assert [(one.pulse, one.due_at) for one in found] == [
        ("monthly", AT - 8 * DAY),
        ("monthly", AT - 3 * DAY),
    ]
    assert store.earlier("ann", since=AT - 7 * DAY) == found[1:]
    assert store.earlier("nobody", since=AT - 9 * DAY) == ()


def test_many_are_invited_at_once_and_each_once(store: SqlStore) -> None:
    fielded(store, "ann", "bob", "cat")
    found, _ = candidates(store)
    bob = person(store, "bob")
    begin(store, bob, "s-own", wave_id=W, invitation_id="i-own")
    kept = store.invite(W, [invited(one) for one in found], at=AT)
    assert kept == ["i-ann", "i-cat"]
    assert store.invite(W, [invited(one, number="-again") for one in found], at=LATER) == []
    by_id = {row["invitation_id"]: row for row in rows(store, "invitations")}
    assert sorted(by_id) == ["i-ann", "i-cat", "i-own"]
    assert by_id["i-ann"]["due_at"] is not None
    assert by_id["i-own"]["due_at"] is None
    session = store.session_in_wave("ann", W)
    assert session is not None
    assert (session.session.status, session.cohort) == (Status.CONSENTING, "riverside")
    assert sorted(send(store, lane=1)) == ["consent, ann?", "consent, cat?"]
    assert send(store) == ["consent?"]
    assert store.invite(W, [], at=AT) == []


# Windows ------------------------------------------------------------------------------


def test_a_broadcast_leaves_in_its_window_only(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    assert claim(store, lane=1, now=AT - timedelta(seconds=1)) == []
    assert claim(store, lane=1, now=AT + DAY) == []
    [message] = claim(store, lane=1, now=AT + DAY - timedelta(seconds=1))
    assert message.prompt.text == "consent, ann?"


def test_a_broadcast_in_quiet_time_holds_up_no_other(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    ann = person(store)
    store.say(ann, [shown("results").prompt], at=AT, lane=1)
    [message] = claim(store, lane=1, now=AT + DAY)
    assert message.prompt.text == "results"


def test_what_is_stale_is_dropped_and_noted_and_holds_up_no_other(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    invite_all(store, window=Window(due_at=AT, expires_at=MUCH_LATER))
    store.say(person(store), [shown("results").prompt], at=AT, lane=1)
    go_on(store, person(store, "bob"), shown("remember?"), session_id="s-bob", lane=1)
    assert send(store, lane=1) == ["results", "remember?"]
    assert rows(store, "unsent") == [
        {
            "wave_id": W,
            "respondent_id": "ann",
            "number": 0,
            "reason": "stale",
            "noted_at": rows(store, "unsent")[0]["noted_at"],
        }
    ]
    assert store.unsent(W) == {"stale": 1}
    # What was never sent counts for nothing, and is not reminded of.
    (ann,) = [row for row in rows(store, "invitations") if row["respondent_id"] == "ann"]
    assert (ann["due_at"], ann["next_reminder_at"]) == (None, None)
    assert candidates(store)[0] == []


def test_what_is_stale_and_may_have_been_seen_is_not_noted(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store, window=Window(due_at=AT, expires_at=AT + DAY))
    claim(store, lane=1, now=AT)
    store.release_claims("telegram")
    assert claim(store, lane=1, now=AT + DAY) == []
    assert store.unsent(W) == {}
    assert [row["state"] for row in rows(store, "outbox")] == ["sent"]


def test_a_stale_reminder_is_noted_under_its_number(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    send(store, lane=1)
    before = store.session("s-ann")
    assert before is not None
    store.commit_turn(
        Turn(
            session=replace(before.session, turn=2),
            effects=(shown("Remember?"),),
        ),
        before=before,
        respondent=person(store),
        lane=1,
        at=LATER,
        loose_id="loose",
        window=Window(due_at=LATER, expires_at=LATER + DAY),
        number=2,
    )
    assert claim(store, lane=1, now=LATER + DAY) == []
    (noted,) = rows(store, "unsent")
    assert (noted["number"], noted["reason"]) == (2, "stale")
    assert store.unsent(W) == {}
    assert rows(store, "invitations")[0]["due_at"] is not None


def test_what_says_something_can_have_a_window_too(store: SqlStore) -> None:
    ann = person(store)
    window = Window(due_at=LATER, expires_at=MUCH_LATER)
    store.say(ann, [shown("one").prompt], at=AT, lane=1, window=window)
    assert claim(store, lane=1, now=AT) == []
    assert claim(store, lane=1, now=MUCH_LATER) == []
    assert rows(store, "outbox") == []
    assert rows(store, "unsent") == []


# Waiting ------------------------------------------------------------------------------


def test_what_is_in_quiet_time_can_be_put_off(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    invite_all(store)
    assert store.put_off(now=AT + DAY - timedelta(seconds=1), limit=9) == []
    ann, bob = store.put_off(now=AT + DAY, limit=9)
    assert store.put_off(now=AT + DAY, limit=1) == [ann]
    assert (ann.respondent_id, ann.number, ann.seen) == ("ann", 0, False)
    assert (ann.wave_id, ann.invitation_id) == (W, "i-ann")
    assert ann.expires_at == AT + 2 * DAY
    later = Window(due_at=AT + 3 * DAY, quiet_at=AT + 4 * DAY, expires_at=AT + 5 * DAY)
    assert store.move(ann.outbox_id, later)
    assert store.put_off(now=AT + DAY, limit=9) == [bob]
    assert len(claim(store, lane=1, now=AT + 3 * DAY)) == 1
    assert not store.move(ann.outbox_id, later)
    (moved,) = [row for row in rows(store, "invitations") if row["respondent_id"] == "ann"]
    assert str(moved["due_at"]).startswith((AT + 3 * DAY).date().isoformat())
    # What is stale is not put off.
    assert store.put_off(now=AT + 6 * DAY, limit=9) == []


def test_an_invitation_that_nobody_saw_is_taken_back_whole(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    invite_all(store)
    (waiting,) = store.waiting("ann")
    assert store.waits_until("s-ann") == AT
    store.take_back(waiting)
    store.take_back(waiting)
    assert [row["respondent_id"] for row in rows(store, "invitations")] == ["bob"]
    assert [row["respondent_id"] for row in rows(store, "sessions")] == ["bob"]
    assert [row["respondent_id"] for row in rows(store, "outbox")] == ["bob"]
    assert store.waits_until("s-ann") is None
    # They are a candidate as before.
    assert [one.respondent_id for one in candidates(store)[0]] == ["ann"]


def test_of_a_conversation_that_was_seen_only_the_message_is_taken_back(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    send(store, lane=1)
    assert store.waiting("ann") == []
    assert store.waits_until("s-ann") is None
    go_on(store, person(store), shown("Remember?"), session_id="s-ann", lane=1)
    (waiting,) = store.waiting("ann")
    assert waiting.seen
    assert store.waits_until("s-ann") is None
    store.take_back(waiting)
    assert store.session("s-ann") is not None
    assert [row["state"] for row in rows(store, "outbox")] == ["sent"]


def test_what_may_have_left_does_not_wait(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    (waiting,) = store.waiting("ann")
    claim(store, lane=1, now=AT)
    assert store.waiting("ann") == []
    assert not store.move(waiting.outbox_id, Window(due_at=LATER))
    store.take_back(waiting)
    store.release_claims("telegram")
    assert store.waiting("ann") == []
    assert len(rows(store, "outbox")) == 1


def test_what_is_late_when_a_wave_closes_is_noted(store: SqlStore) -> None:
    fielded(store, "ann", "bob", "cat")
    invite_all(store)
    store.say(person(store), [shown("results").prompt], at=AT, lane=1)
    [message] = claim(store, lane=1, limit=1, now=AT)
    store.settle([Receipt(outbox_id=message.outbox_id, outcome="sent", position="1")], now=AT)
    assert store.drop_late(W, reason="closed", at=LATER, limit=1) == 1
    assert store.drop_late(W, reason="paused", at=LATER, limit=9) == 1
    assert store.drop_late(W, reason="closed", at=LATER, limit=9) == 0
    assert store.unsent(W) == {"closed": 1, "paused": 1}
    states = [row["state"] for row in rows(store, "invitations")]
    assert sorted(map(str, states)) == ["contacted", "failed", "failed"]
    assert [one.prompt.text for one in claim(store, lane=1, now=LATER)] == ["results"]


def test_what_no_time_is_left_for_is_given_up(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    (waiting,) = store.waiting("ann")
    store.give_up(waiting, reason="quiet", at=LATER)
    store.give_up(waiting, reason="away", at=LATER)
    assert store.unsent(W) == {"quiet": 1}
    assert [row["reason"] for row in rows(store, "dispositions")] == [None, "quiet"]
    assert rows(store, "outbox") == []
    assert rows(store, "invitations")[0]["due_at"] is None


# Reminding ----------------------------------------------------------------------------


def due(store: SqlStore, now: object = None) -> list[Reminding]:
    return store.reminders_due(W, now=AT + DAY, limit=10)


def test_reminders_are_due_by_their_own_instant(store: SqlStore) -> None:
    fielded(store, "ann", "bob", "cat")
    found, _ = candidates(store)
    store.invite(W, [invited(one, remind=one.respondent_id != "cat") for one in found], at=AT)
    begin(store, person(store, "dan"), "s-dan", wave_id=W, invitation_id="i-dan")
    assert store.reminders_due(W, now=AT + DAY - timedelta(seconds=1), limit=9) == []
    ann, bob = due(store)
    assert store.reminders_due(W, now=AT + DAY, limit=1) == [ann]
    assert (ann.invitation_id, ann.session_id, ann.reminded) == ("i-ann", "s-ann", 0)
    assert (ann.base_at, ann.look_at, ann.waiting) == (AT, AT + DAY, True)
    assert bob.respondent_id == "bob"
    assert store.reminders_due("other", now=AT + DAY, limit=9) == []


def test_a_look_at_reminders_is_noted_once(store: SqlStore) -> None:
    fielded(store, "ann")
    invite_all(store)
    send(store, lane=1)
    (ann,) = due(store)
    assert not ann.waiting
    # It arrived an hour late, so reminders come an hour later.
    assert ann.base_at == MUCH_LATER
    assert store.set_reminder(ann, look_at=AT + 2 * DAY, reminded=1)
    assert not store.set_reminder(ann, look_at=AT + 2 * DAY, reminded=1)
    assert due(store) == []
    (again,) = store.reminders_due(W, now=AT + 2 * DAY, limit=9)
    assert store.set_reminder(again, look_at=None, reminded=2)
    (row,) = rows(store, "invitations")
    assert (row["reminded"], row["next_reminder_at"]) == (2, None)


def test_who_begins_by_themselves_is_reminded_from_then_on(store: SqlStore) -> None:
    fielded(store)
    ann = person(store)
    store.begin_session(
        Turn(session=blank("s1"), effects=(shown("consent?"),)),
        respondent=ann,
        wave_id=W,
        cohort="riverside",
        invitation_id="i1",
        lane=0,
        at=AT,
        due_at=AT,
        remind_at=LATER,
    )
    (found,) = due(store)
    assert (found.base_at, found.look_at) == (AT, LATER)


def test_reminders_are_looked_at_again_while_the_outcome_is_open(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    invite_all(store)
    for found in due(store):
        store.set_reminder(found, look_at=None, reminded=0)
    refusal = DispositionSet(disposition=Disposition.REFUSAL, at=AT)
    go_on(store, person(store, "bob"), refusal, session_id="s-bob", status=Status.REFUSED)
    store.look_again("ann", at=LATER)
    store.look_again("bob", at=LATER)
    assert [one.respondent_id for one in due(store)] == ["ann"]
    store.set_wave(W, state="closed")
    store.set_reminder(due(store)[0], look_at=None, reminded=0)
    store.look_again("ann", at=LATER)
    assert due(store) == []


# What is not sent ---------------------------------------------------------------------


def passed_over(store: SqlStore, **reasons: str) -> None:
    found, _ = candidates(store)
    passed = [
        PassedOver(
            candidate=one,
            invitation_id=f"i-{one.respondent_id}",
            reason=reasons[one.respondent_id],
        )
        for one in found
        if one.respondent_id in reasons
    ]
    assert len(passed) == len(reasons)
    store.pass_over(W, passed, at=AT)


def test_a_newer_reason_takes_the_place_of_an_older(store: SqlStore) -> None:
    fielded(store)
    for reason in ("stale", "away"):
        store.note_unsent(W, [Unsent(respondent_id="ann", number=1, reason=reason)], at=AT)
    store.note_unsent(W, [], at=AT)
    assert [row["reason"] for row in rows(store, "unsent")] == ["away"]


def test_who_is_passed_over_is_not_counted_as_invited_nor_told_of_results(store: SqlStore) -> None:
    fielded(store, "ann", "bob", "cat")
    passed_over(store, ann="fatigue", bob="away")
    invite_all(store)
    stands = store.counts(W, now=AT)
    assert (stands.invited, stands.by_channel) == (1, {"telegram": 1})
    assert stands.by_state == {"rejected": 2, "queued": 1}
    audience = store.audience(W, after="", limit=9)
    assert [one.respondent_id for one in audience] == ["cat"]


def test_who_is_passed_over_has_an_invitation_that_was_not_sent(store: SqlStore) -> None:
    fielded(store, "ann", "bob")
    passed_over(store, ann="fatigue", bob="stale")
    store.pass_over(W, [], at=AT)
    assert candidates(store)[0] == []
    found = {row["respondent_id"]: row for row in rows(store, "invitations")}
    assert {name: row["state"] for name, row in found.items()} == {
        "ann": "rejected",
        "bob": "failed",
    }
    assert {name: row["disposition"] for name, row in found.items()} == {
        "ann": "screened_out",
        "bob": "non_contact",
    }
    assert [(row["seq"], row["reason"]) for row in rows(store, "dispositions")] == [
        (1, "fatigue"),
        (1, "stale"),
    ]
    assert {row["due_at"] for row in found.values()} == {None}
    assert store.unsent(W) == {"fatigue": 1, "stale": 1}


def test_who_was_passed_over_may_come_by_themselves(store: SqlStore) -> None:
    fielded(store, "ann")
    assert not store.was_passed_over("ann", W)
    passed_over(store, ann="fatigue")
    assert store.was_passed_over("ann", W)
    ann = person(store)
    assert begin(store, ann, "s1", wave_id=W, invitation_id="i-new")
    assert not store.was_passed_over("ann", W)
    assert not begin(store, ann, "s2", wave_id=W, invitation_id="i-newer")
    (invitation,) = rows(store, "invitations")
    assert (invitation["invitation_id"], invitation["state"]) == ("i-ann", "contacted")
    assert invitation["disposition"] == "unknown"
    assert rows(store, "sessions")[0]["invitation_id"] == "i-ann"
    states = [row["state"] for row in rows(store, "dispositions")]
    assert states == ["rejected", "contacted"]


def test_what_hung_on_somebodys_own_time_is_forgotten_while_the_wave_is_open(
    store: SqlStore,
) -> None:
    fielded(store, "ann", "bob", "cat", "dan")
    passed_over(store, ann="away", bob="fatigue", cat="stale", dan="away")
    for name in ("ann", "bob", "cat"):
        store.forget_unsent(name)
    assert store.unsent(W) == {"away": 1, "fatigue": 1, "stale": 1}
    assert [one.respondent_id for one in candidates(store)[0]] == ["ann"]
    store.set_wave(W, state="closed")
    store.forget_unsent("dan")
    assert store.unsent(W) == {"away": 1, "fatigue": 1, "stale": 1}
    assert [row["respondent_id"] for row in rows(store, "invitations")] == ["bob", "cat", "dan"]
    assert len(rows(store, "dispositions")) == 3


def test_who_came_by_themselves_is_not_forgotten(store: SqlStore) -> None:
    fielded(store, "ann")
    passed_over(store, ann="away")
    begin(store, person(store), "s1", wave_id=W, invitation_id="i-new")
    store.forget_unsent("ann")
    assert len(rows(store, "invitations")) == 1
    assert candidates(store)[0] == []
