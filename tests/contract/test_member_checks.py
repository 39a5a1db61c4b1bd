"""The contract about member checks: who waits, what is kept of a check, and what goes with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dialogues.coding import Coding, Said, Stance
from dialogues.effects import Turn
from dialogues.prompts import Prompt
from dialogues.session import Given, Part, Status
from dialogues.survey import Survey
from storage.checking import Heard
from storage.protocol import Window
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    answered,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    shown,
    stored,
)

WORDS = "Nobody asks us."
TAG = Coding(
    enabler="engagement", stance=Stance.GAP, span_text="Nobody asks", span_start=0, span_end=11,
    confidence=0.8, threshold=0.5,
)  # fmt: skip
OWN = replace(TAG, confidence=1.0, threshold=None)


def checked() -> Survey:
    document = CONFIDENTIAL.model_dump(mode="json", by_alias=True)
    document["question"][1]["member_check"] = True
    return Survey.model_validate(document)


CHECKED = checked()


def complete(store: SqlStore, name: str, words: str = WORDS) -> None:
    """Somebody answers the question that is checked, and has finished."""
    respondent = person(store, name)
    session_id = f"s{name}"
    consented(store, respondent, session_id, of=CHECKED)
    go_on(store, respondent, answered("why", words, text=words), session_id=session_id)
    before = stored(store, session_id)
    given = Given(question_id="why", value=words, parts=(Part(position="1", text=words),))
    session = replace(
        before.session, turn=before.session.turn + 1, status=Status.COMPLETE, given=(given,)
    )
    store.commit_turn(
        Turn(session=session, effects=(shown("Thank you."),)), before=before,
        respondent=respondent, lane=0, at=AT, loose_id="loose",
    )  # fmt: skip


def tag(store: SqlStore) -> None:
    for answer in store.untagged("m@1", limit=9):
        store.save_codings(
            answer, [TAG], coding_ids=[f"c-{answer.response_id}"], coder="m@1", at=AT, error=None
        )


def waiting(store: SqlStore, *, overdue: bool = False, after: str = "") -> list[str]:
    before = LATER if overdue else AT
    return [one.response_id for one in store.waiting_checks(overdue=before, after=after, limit=9)]


def ask(store: SqlStore, response_id: str) -> Heard:
    [heard] = store.answers_to_check(response_id)
    assert store.move_check(response_id, "asked", at=LATER, before="waiting")
    assert store.keep_heard(response_id, heard, "places")
    return heard


def test_a_response_waits_until_its_words_are_read(store: SqlStore) -> None:
    for name in ["ann", "bob"]:
        complete(store, name)
    assert waiting(store) == []
    assert waiting(store, overdue=True) == ["sann", "sbob"]
    tag(store)
    assert waiting(store) == ["sann", "sbob"]
    assert waiting(store, after="sann") == ["sbob"]
    [heard] = store.answers_to_check("sann")
    assert (heard.question_id, heard.place, heard.text) == ("why", 1, WORDS)
    assert heard.suggested == (TAG,)


def test_nobody_waits_who_said_nothing_that_is_asked_about(store: SqlStore) -> None:
    ann = person(store, "ann")
    consented(store, ann, of=CHECKED)
    go_on(store, ann, answered("more", "Much.", text="Much."), status=Status.COMPLETE)
    assert rows(store, "member_checks") == []


def test_it_is_asked_once_whoever_asks(store: SqlStore) -> None:
    complete(store, "ann")
    tag(store)
    assert not store.was_asked("ann")
    ask(store, "sann")
    assert not store.move_check("sann", "asked", at=LATER, before="waiting")
    assert waiting(store, overdue=True) == []
    assert store.was_asked("ann")
    asking = store.asking("sann")
    assert asking is not None
    assert (asking.respondent_id, asking.state) == ("ann", "asked")
    assert [one.body for one in asking.heard] == ["places"]
    assert store.asking("nobody") is None


def test_what_they_say_stands_beside_the_taggers_own(store: SqlStore) -> None:
    complete(store, "ann")
    tag(store)
    heard = ask(store, "sann")
    wrong = [(OWN, Said.REJECTED), (replace(OWN, stance=Stance.STRENGTH), Said.CONFIRMED)]
    assert store.save_heard("sann", heard, wrong, coding_ids=["x", "y"], at=LATER)
    kept = rows(store, "codings")
    # The same again changes nothing, not even an id.
    assert store.save_heard("sann", heard, wrong[::-1], coding_ids=["v", "w"], at=MUCH_LATER)
    assert rows(store, "codings") == kept
    assert [(row["coder"], row["stance"], row["status"]) for row in kept] == [
        ("m@1", "gap", "suggested"),
        ("respondent", "gap", "rejected"),
        ("respondent", "strength", "confirmed"),
    ]
    assert store.save_heard("sann", heard, [(OWN, Said.CONFIRMED)], coding_ids=["z"], at=MUCH_LATER)
    assert [row["coding_id"] for row in rows(store, "codings")] == ["c-sann", "z"]
    [check] = store.member_checks()
    assert [(one.coding, one.status) for one in check.codings] == [(OWN, Said.CONFIRMED)]
    assert check.suggested == (TAG,)
    exported = [dict(row) for row in store.read("export_codes", survey_id=None, wave_id=None)]
    assert {row["source"] for row in exported} == {"tagger", "respondent"}


def test_words_that_change_take_the_check_of_them_back(store: SqlStore) -> None:
    complete(store, "ann")
    tag(store)
    heard = ask(store, "sann")
    store.save_heard("sann", heard, [(OWN, Said.CONFIRMED)], coding_ids=["x"], at=LATER)
    go_on(
        store, person(store, "ann"), answered("why", "Other.", text="Other.", edited=True),
        session_id="sann", status=Status.COMPLETE,
    )  # fmt: skip
    asking = store.asking("sann")
    assert asking is not None
    assert asking.heard == ()
    assert rows(store, "codings") == []
    assert not store.keep_heard("sann", heard, "places")
    assert not store.save_heard("sann", heard, [], coding_ids=[], at=LATER)
    assert len(rows(store, "member_checks")) == 1


def test_what_is_off_is_not_sent_any_more(store: SqlStore) -> None:
    complete(store, "ann")
    send(store)
    tag(store)
    ask(store, "sann")
    store.show_check(
        person(store, "ann"), "sann", Prompt(text="Right?"), window=Window(due_at=LATER), lane=1,
        in_place=False,
    )  # fmt: skip
    assert store.move_check("sann", "off", at=LATER)
    assert rows(store, "member_drafts") == []
    assert send(store, lane=1) == []


def test_a_check_stands_beside_the_conversation(store: SqlStore) -> None:
    complete(store, "ann")
    send(store, "100")
    ann, window = person(store, "ann"), Window(due_at=LATER, expires_at=MUCH_LATER)
    store.show_check(ann, "sann", Prompt(text="Right?"), window=window, lane=1, in_place=False)
    assert claim(store, lane=1, now=MUCH_LATER + timedelta(seconds=1)) == []
    store.show_check(ann, "sann", Prompt(text="Right?"), window=Window(due_at=LATER), lane=1,
                     in_place=False)  # fmt: skip
    assert send(store, "200", lane=1) == ["Right?"]
    # It is no prompt that words could answer.
    assert store.seen_session("ann", "300") == "sann"
    store.show_check(ann, "sann", Prompt(text="Thanks."), window=Window(due_at=LATER), lane=0,
                     in_place=True)  # fmt: skip
    [message] = claim(store)
    assert message.replaces == "200"


def test_whether_somebody_wants_to_be_asked(store: SqlStore) -> None:
    person(store, "ann")
    assert store.wants_checks("ann")
    store.set_checks("ann", False)
    assert not store.wants_checks("ann")
    assert store.holdings("ann").unchecked
    store.set_checks("ann", True)
    assert store.wants_checks("ann")
    assert not store.wants_checks("nobody")


def test_erasing_somebody_takes_their_check_along(store: SqlStore) -> None:
    complete(store, "ann")
    tag(store)
    heard = ask(store, "sann")
    store.save_heard("sann", heard, [(OWN, Said.CONFIRMED)], coding_ids=["x"], at=LATER)
    [held] = store.holdings("ann").responses
    assert (held.check, held.check_at) == ("asked", LATER)
    store.erase(
        "ann", at=AT, erasure_id="e", actor="test", farewell=None, leaving_id="leaving"
    )  # fmt: skip
    for table in ["member_checks", "member_drafts", "codings"]:
        assert rows(store, table) == []
