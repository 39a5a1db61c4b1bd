"""The history of an invitation: every step once, in order, and of the anonymous no more than
may be known.
"""

from __future__ import annotations

import json
from datetime import timedelta

from dialogues.disposition import Disposition
from dialogues.effects import ConsentRecorded, DispositionSet, OptedOut
from dialogues.session import Given, Missing, Status
from dialogues.states import FAMILIES, Cause, State
from storage.protocol import Receipt, StateHeld
from storage.records import write_instant
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    LATER,
    MUCH_LATER,
    answered,
    begin,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    shown,
    stored,
    wave,
)
from tests.contract.test_anonymity import answer, submit, wave_of_secrets
from tests.contract.test_people import erase


def history(store: SqlStore, invitation_id: str = "i1") -> list[str]:
    """The states of an invitation, oldest first, with their reasons."""
    steps = sorted(
        (row for row in rows(store, "dispositions") if row["invitation_id"] == invitation_id),
        key=lambda row: int(str(row["seq"])),
    )
    assert [row["seq"] for row in steps] == [*range(1, len(steps) + 1)]
    return [
        f"{row['state']}:{row['reason']}" if row["reason"] else str(row["state"]) for row in steps
    ]


def invitation(store: SqlStore, invitation_id: str = "i1") -> dict[str, object]:
    return next(row for row in rows(store, "invitations") if row["invitation_id"] == invitation_id)


def invite(store: SqlStore, name: str = "ann", number: int = 1) -> None:
    begin(
        store,
        person(store, name),
        f"s{number}",
        wave_id="w",
        invitation_id=f"i{number}",
        lane=1,
        effects=[shown("invited?")],
    )


def test_a_whole_way_is_noted_step_by_step(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    invite(store)
    assert history(store) == ["queued"]
    send(store, lane=1)
    ann = store.respondent("ann")
    assert ann is not None
    go_on(store, ann, ConsentRecorded(at=LATER))
    go_on(store, ann, answered("goals", "yes"))
    go_on(store, ann, answered("why", "We talk", text="We talk"))
    ended = DispositionSet(disposition=Disposition.COMPLETE, at=MUCH_LATER)
    go_on(store, ann, ended, status=Status.COMPLETE, at=MUCH_LATER)
    assert history(store) == ["queued", "contacted", "started", "interim_partial", "completed"]
    assert invitation(store)["state"] == "completed"
    assert invitation(store)["disposition"] == "complete"
    assert invitation(store)["disposition_at"] == write_instant(MUCH_LATER)
    [held] = store.holdings("ann").invitations
    assert held.history[1] == StateHeld(
        state=State.CONTACTED, at=MUCH_LATER, channel="telegram", reason=None
    )


def test_who_comes_by_themselves_is_in_contact_at_once(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    begin(store, person(store), wave_id="w", invitation_id="i1", lane=0)
    send(store)
    assert history(store) == ["contacted"]


def test_what_arrives_after_somebody_began_changes_nothing(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    invite(store)
    [invited] = claim(store, lane=1)
    ann = store.respondent("ann")
    assert ann is not None
    go_on(store, ann, ConsentRecorded(at=LATER))
    store.settle([Receipt(outbox_id=invited.outbox_id, outcome="sent", position="1")], now=LATER)
    assert history(store) == ["queued", "started"]


def test_a_repeated_note_is_none(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    invite(store)
    assert store.note_state("i1", State.CONTACTED, at=AT)
    assert not store.note_state("i1", State.CONTACTED, at=LATER)
    assert not store.note_state("nobody's", State.CONTACTED, at=LATER)
    assert history(store) == ["queued", "contacted"]


def test_an_invitation_that_does_not_arrive_says_why(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    for number, name in enumerate(["ann", "bob", "cat", "dan", "eve"], start=1):
        invite(store, name, number)
        store.join(name, "riverside", on=AT.date())
    dead, gone, retried, *_ = claim(store, lane=1)
    receipts = [
        Receipt(outbox_id=dead.outbox_id, outcome="dead", error="refused"),
        Receipt(outbox_id=gone.outbox_id, outcome="gone", error="blocked"),
        Receipt(outbox_id=retried.outbox_id, outcome="retry", retry_at=LATER),
    ]
    store.settle(receipts, now=LATER)
    store.leave("dan", "riverside", at=LATER)
    store.set_reachable("eve", False, at=LATER)
    assert history(store, "i1") == ["queued", "failed:given_up"]
    assert history(store, "i2") == ["queued", "failed:unreachable"]
    assert history(store, "i3") == ["queued"]
    assert history(store, "i4") == ["queued", "failed:left"]
    assert history(store, "i5") == ["queued", "failed:unreachable"]
    assert invitation(store, "i1")["disposition"] == "non_contact"
    # Who can be reached again can still take part.
    eve = store.respondent("eve")
    assert eve is not None
    go_on(store, eve, ConsentRecorded(at=MUCH_LATER), session_id="s5")
    assert history(store, "i5") == ["queued", "failed:unreachable", "started"]
    assert invitation(store, "i5")["disposition"] == "unknown"


def test_every_invitation_of_who_blocked_us_has_failed(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    store.open_wave(wave("v"))
    store.open_wave(wave("u", state="closed"))
    invite(store)
    ann = store.respondent("ann")
    assert ann is not None
    for number, wave_id in ((2, "v"), (3, "u")):
        begin(store, ann, f"s{number}", wave_id=wave_id, invitation_id=f"i{number}", lane=1)
    [first] = claim(store, lane=1)
    store.settle([Receipt(outbox_id=first.outbox_id, outcome="gone")], now=LATER)
    assert history(store, "i2") == ["queued", "failed:unreachable"]
    assert history(store, "i3") == ["queued"]


def test_a_reminder_that_does_not_arrive_leaves_the_contact(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    invite(store)
    send(store, lane=1)
    ann = store.respondent("ann")
    assert ann is not None
    go_on(store, ann, shown("still open"), lane=1, status=Status.CONSENTING)
    [reminder] = claim(store, lane=1)
    store.settle([Receipt(outbox_id=reminder.outbox_id, outcome="gone")], now=LATER)
    assert history(store) == ["queued", "contacted"]


def test_dont_know_is_a_first_answer_and_a_skip_is_none(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    ann = person(store)
    consented(store, ann, wave_id="w", invitation_id="i1")
    go_on(store, ann, answered("goals", None, missing=Missing.SKIPPED))
    assert history(store) == ["contacted", "started"]
    go_on(store, ann, answered("goals", None, missing=Missing.DONT_KNOW, edited=True))
    assert history(store) == ["contacted", "started", "interim_partial"]


def test_who_stops_and_comes_back_goes_on(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    ann = person(store)
    consented(store, ann, wave_id="w", invitation_id="i1")
    stop = DispositionSet(disposition=Disposition.BREAK_OFF, at=LATER)
    go_on(store, ann, OptedOut(at=LATER), stop, status=Status.STOPPED)
    go_on(store, ann, shown("Welcome back."))
    assert history(store) == ["contacted", "started", "breakoff", "started"]
    assert invitation(store)["disposition"] == "unknown"
    go_on(store, ann, DispositionSet(disposition=Disposition.PARTIAL, at=LATER))
    assert history(store)[-1] == "partial"


def test_who_comes_back_with_answers_is_in_the_middle(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    ann = person(store)
    consented(store, ann, wave_id="w", invitation_id="i1")
    store._driver.run(
        "update sessions set body = :body",
        {
            "body": json.dumps(
                json.loads(rows(store, "sessions")[0]["body"])  # type: ignore[arg-type]
                | {"given": [{"question_id": "goals", "value": "yes"}], "status": "stopped"}
            )
        },
    )
    assert stored(store).session.given == (Given(question_id="goals", value="yes"),)
    go_on(store, ann, shown("Welcome back."))
    assert history(store) == ["contacted", "started", "interim_partial"]


def test_closing_ends_every_history(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    for number, name in enumerate(["ann", "bob", "cat", "dan"], start=1):
        invite(store, name, number)
    send(store, lane=1)
    invite(store, "eve", 5)
    for number, name in ((2, "bob"), (3, "cat")):
        respondent = store.respondent(name)
        assert respondent is not None
        go_on(store, respondent, ConsentRecorded(at=LATER), session_id=f"s{number}")
    cat = store.respondent("cat")
    assert cat is not None
    closed = DispositionSet(disposition=Disposition.PARTIAL, at=LATER)
    go_on(store, cat, closed, session_id="s3", status=Status.CLOSED)
    dan = store.respondent("dan")
    assert dan is not None
    silent = DispositionSet(disposition=Disposition.NON_CONTACT, at=LATER)
    go_on(store, dan, silent, session_id="s4", status=Status.CLOSED)
    for _ in range(2):
        store.settle_wave("w", at=MUCH_LATER, min_group=5)
        assert history(store, "i1") == ["queued", "contacted", "unresponsive"]
        assert history(store, "i2") == ["queued", "contacted", "started", "breakoff"]
        assert history(store, "i3") == ["queued", "contacted", "started", "partial"]
        assert history(store, "i4") == ["queued", "contacted", "unresponsive"]
        assert history(store, "i5") == ["queued", "failed:closed"]
        for row in rows(store, "invitations"):
            assert FAMILIES[State(row["state"])].value == row["disposition"]


def test_a_paused_wave_that_closes_says_so(store: SqlStore) -> None:
    store.open_wave(wave("w", state="paused"))
    invite(store)
    store.settle_wave("w", at=LATER, min_group=5)
    assert history(store) == ["queued", "failed:paused"]


def test_an_invitation_from_before_there_were_histories_gets_none(store: SqlStore) -> None:
    """Its state stands by what was known of it; only what comes now is noted."""
    store.open_wave(wave("w"))
    invite(store)
    store._driver.run("delete from dispositions", {})
    store._driver.run("update invitations set state = 'completed', disposition = 'complete'", {})
    store.settle_wave("w", at=LATER, min_group=5)
    assert history(store) == []
    assert invitation(store)["state"] == "completed"


def test_of_an_anonymous_survey_nothing_is_noted_between_contact_and_closing(
    store: SqlStore,
) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    answer(store, "bob")
    begin(
        store, person(store, "cat"), "s-of-cat", of=ANONYMOUS, wave_id="w", invitation_id="i-of-cat"
    )
    cat = store.respondent("cat")
    assert cat is not None
    no = DispositionSet(disposition=Disposition.REFUSAL, at=LATER)
    go_on(store, cat, no, session_id="s-of-cat", status=Status.REFUSED)
    names = ["ann", "bob", "cat"]
    assert [history(store, f"i-of-{name}") for name in names] == [["contacted"]] * 3
    assert {row["state"] for row in rows(store, "invitations")} == {"contacted"}
    assert not store.note_state("i-of-ann", State.COMPLETED, at=LATER)
    closing = LATER + timedelta(days=9)
    store.settle_wave("w", at=closing, min_group=5)
    assert [history(store, f"i-of-{name}") for name in names] == [
        ["contacted", "completed"],
        ["contacted", "breakoff"],
        ["contacted", "refused"],
    ]
    ends = {row["at"] for row in rows(store, "dispositions") if row["state"] != "contacted"}
    assert ends == {write_instant(closing)}


def test_who_said_no_to_an_anonymous_survey_and_came_back_broke_off(store: SqlStore) -> None:
    wave_of_secrets(store)
    begin(store, person(store), "s-of-ann", of=ANONYMOUS, wave_id="w", invitation_id="i1")
    ann = store.respondent("ann")
    assert ann is not None
    no = DispositionSet(disposition=Disposition.REFUSAL, at=LATER)
    go_on(store, ann, no, session_id="s-of-ann", status=Status.REFUSED)
    go_on(store, ann, ConsentRecorded(at=LATER), session_id="s-of-ann")
    store.settle_wave("w", at=LATER, min_group=5)
    assert invitation(store)["disposition"] == "break_off"
    assert history(store) == ["contacted", "breakoff"]


def test_what_we_did_not_send_is_noted_for_the_anonymous_too(store: SqlStore) -> None:
    wave_of_secrets(store)
    begin(store, person(store), of=ANONYMOUS, wave_id="w", invitation_id="i1", lane=1)
    assert store.note_state("i1", State.FAILED, at=LATER, reason=Cause.STALE)
    assert history(store) == ["queued", "failed:stale"]
    store.settle_wave("w", at=MUCH_LATER, min_group=5)
    assert history(store) == ["queued", "failed:stale"]


def test_the_history_goes_with_its_person(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    invite(store, "ann", 1)
    invite(store, "bob", 2)
    erase(store, "ann")
    assert {row["invitation_id"] for row in rows(store, "dispositions")} == {"i2"}
