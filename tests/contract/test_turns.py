"""Turns: everything that follows from an event is kept together, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialogues.disposition import Disposition
from dialogues.effects import (
    ConsentRecorded,
    DataRequested,
    DispositionSet,
    ErasureRequested,
    EventRejected,
    LanguageChosen,
    PrivacyRequested,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
    ResultsRequested,
    Turn,
)
from dialogues.errors import StaleSession, StoreError
from dialogues.session import Missing, Status
from storage.protocol import Receipt
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    answered,
    begin,
    blank,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    shown,
    stored,
    survey,
    wave,
)


def test_an_event_is_taken_once_and_only_its_hash_is_kept(store: SqlStore) -> None:
    assert store.take_event("telegram:7:1001", on=AT.date())
    assert not store.take_event("telegram:7:1001", on=LATER.date())
    assert store.take_event("telegram:7:1002", on=AT.date())
    for row in rows(store, "inbound"):
        assert row["received_on"] == "2026-12-01"
        assert "100" not in str(row["event_key"]) or len(str(row["event_key"])) == 32


def test_hashes_of_two_installations_differ(store: SqlStore) -> None:
    from storage.open import open_store

    other = open_store("sqlite://")
    store.take_event("e", on=AT.date())
    other.take_event("e", on=AT.date())
    assert rows(store, "inbound") != rows(other, "inbound")
    other.close()


def test_a_session_is_read_as_it_was_saved(store: SqlStore) -> None:
    ann = person(store)
    store.open_wave(wave())
    assert begin(store, ann, wave_id=wave().wave_id, invitation_id="i1")
    session = stored(store)
    assert session.session == blank("s1")
    assert (session.respondent_id, session.invitation_id) == ("ann", "i1")
    assert (session.wave_id, session.cohort) == (wave().wave_id, "riverside")
    assert session.updated_at == AT
    assert store.session_in_wave("ann", wave().wave_id) == session
    assert store.session("s2") is None
    assert store.session_in_wave("ann", "w2") is None
    assert store.session_in_wave("bob", wave().wave_id) is None


def test_the_latest_session_is_the_one_that_moved_last(store: SqlStore) -> None:
    ann = person(store)
    assert store.latest_session("ann") is None
    begin(store, ann, "s1")
    begin(store, ann, "s2", at=LATER)
    assert store.latest_session("ann") == stored(store, "s2")
    go_on(store, ann, session_id="s1", at=MUCH_LATER)
    assert store.latest_session("ann") == stored(store, "s1")
    assert store.latest_session("bob") is None


def test_a_person_is_in_a_wave_once(store: SqlStore) -> None:
    ann, bob = person(store), person(store, "bob")
    assert begin(store, ann, "s1", wave_id="w", invitation_id="i1")
    assert not begin(store, ann, "s2", wave_id="w", invitation_id="i2")
    assert store.session("s2") is None
    assert begin(store, ann, "s3", wave_id="other", invitation_id="i3")
    assert begin(store, bob, "s4", wave_id="w", invitation_id="i4")
    assert begin(store, ann, "s5")
    assert [row["invitation_id"] for row in rows(store, "invitations")] == ["i1", "i3", "i4"]


def test_no_answer_without_consent(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    with pytest.raises(StoreError), store.transaction():
        go_on(store, ann, answered("goals", "yes"))
    assert rows(store, "answers") == []
    assert stored(store).session.turn == 1


def test_consent_begins_the_response(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, wave_id="w", invitation_id="i1")
    assert rows(store, "responses") == []
    go_on(store, ann, ConsentRecorded(at=AT))
    [response] = rows(store, "responses")
    assert response == {
        "response_id": "s1",
        "respondent_id": "ann",
        "wave_id": "w",
        "survey_id": "pulse",
        "revision": CONFIDENTIAL.revision,
        "cohort": "riverside",
        "channel": "telegram",
        "role": "citizen",
        "sector": None,
        "language": "en",
        "started_at": "2026-12-01T10:30:15.123456+00:00",
        "ended_at": None,
        "disposition": "unknown",
        "drawn": None,
        "unstirred": 0,
    }
    assert rows(store, "invitations")[0]["consented"] == 1


def test_a_question_is_a_row_from_its_offer_on(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    [offered] = rows(store, "answers")
    assert (offered["question_id"], offered["place"], offered["kind"]) == ("goals", 0, "yesno")
    assert (offered["question"], offered["missing"]) == ("Same goal?", "not_answered")
    assert (offered["value"], offered["text"], offered["answered_at"]) == (None, "", None)
    go_on(store, ann, LanguageChosen(language="cy"))
    go_on(
        store,
        ann,
        answered("goals", "yes", text="Yes!", at=LATER),
        QuestionOffered(question_id="goals", at=MUCH_LATER),
        QuestionOffered(question_id="more", at=LATER),
    )
    by_id = {row["question_id"]: row for row in rows(store, "answers")}
    goals = by_id["goals"]
    assert (goals["value"], goals["text"], goals["missing"]) == ("yes", "Yes!", None)
    assert goals["question"] == "goals, as put"
    assert goals["asked_at"] == "2026-12-01T10:30:15.123456+00:00"
    assert goals["answered_at"] == "2026-12-01T10:31:15.123456+00:00"
    assert goals["n_edits"] == 0
    assert by_id["more"]["place"] == 2


def test_a_skip_has_a_reason_and_no_value(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    go_on(store, ann, answered("goals", None, missing=Missing.SKIPPED))
    [answer] = rows(store, "answers")
    assert (answer["value"], answer["missing"]) == (None, "skipped")


def test_edits_are_counted(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    go_on(store, ann, answered("goals", "yes"))
    go_on(store, ann, answered("goals", "no", edited=True))
    go_on(store, ann, answered("goals", None, missing=Missing.SKIPPED, edited=True))
    [answer] = rows(store, "answers")
    assert (answer["n_edits"], answer["value"], answer["missing"]) == (2, None, "skipped")


def test_the_outcome_is_kept_with_invitation_and_response(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann, wave_id="w", invitation_id="i1")
    go_on(store, ann, DispositionSet(disposition=Disposition.BREAK_OFF, at=AT))
    [response], [invitation] = rows(store, "responses"), rows(store, "invitations")
    assert (response["disposition"], response["ended_at"]) == ("break_off", None)
    assert invitation["disposition"] == "break_off"
    go_on(
        store,
        ann,
        DispositionSet(disposition=Disposition.COMPLETE, at=LATER),
        ResponseSubmitted(at=LATER),
        status=Status.COMPLETE,
    )
    [response], [invitation] = rows(store, "responses"), rows(store, "invitations")
    assert response["disposition"] == invitation["disposition"] == "complete"
    assert response["ended_at"] == "2026-12-01T10:31:15.123456+00:00"
    # A confidential one stays its person's.
    assert (response["respondent_id"], response["response_id"]) == ("ann", "s1")
    assert not store.took_part("ann", "w")
    # A correction afterwards leaves the end where it was.
    go_on(
        store,
        ann,
        DispositionSet(disposition=Disposition.PARTIAL, at=MUCH_LATER),
        status=Status.COMPLETE,
    )
    assert rows(store, "responses")[0]["ended_at"] == response["ended_at"]


def test_stopping_ends_the_response(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    go_on(
        store,
        ann,
        DispositionSet(disposition=Disposition.BREAK_OFF, at=LATER),
        status=Status.STOPPED,
    )
    assert rows(store, "responses")[0]["ended_at"] == "2026-12-01T10:31:15.123456+00:00"


def test_a_lost_race_changes_nothing(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    before = stored(store)
    go_on(store, ann, answered("goals", "yes"))
    after = stored(store)
    turn = Turn(
        session=replace(before.session, turn=before.session.turn + 1),
        effects=(answered("goals", "no"), shown("again?")),
    )
    with pytest.raises(StaleSession), store.transaction():
        store.commit_turn(turn, before=before, respondent=ann, lane=0, at=AT, loose_id="loose")
    assert stored(store) == after
    assert rows(store, "answers")[0]["value"] == "yes"


def test_a_turn_of_an_unknown_survey_is_refused(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    other = survey("other")
    before = stored(store)
    session = replace(before.session, survey_id="other", revision=other.revision, turn=2)
    with pytest.raises(StoreError, match="was not kept"):
        store.commit_turn(
            Turn(session=session, effects=(ConsentRecorded(at=AT),)),
            before=before,
            respondent=ann,
            lane=0,
            at=AT,
            loose_id="loose",
        )


def test_requests_to_the_shell_keep_nothing(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    tables = ["responses", "answers", "outbox", "consents", "respondents"]
    before = [rows(store, table) for table in tables]
    go_on(
        store,
        ann,
        DataRequested(),
        ResultsRequested(),
        PrivacyRequested(),
        ErasureRequested(at=AT),
        EventRejected(reason="stale"),
    )
    assert [rows(store, table) for table in tables] == before


def test_what_is_dropped_is_gone_and_the_consent_stays(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann, of=ANONYMOUS)
    go_on(store, ann, answered("why", "Words", text="Words"))
    go_on(store, ann, ResponseDropped(at=LATER), shown("Thrown away."), status=Status.STOPPED)
    assert rows(store, "responses") == rows(store, "answers") == []
    assert store.has_consented("ann", "secret", ANONYMOUS.consent_revision)
    assert store.scrub_due


def test_a_transaction_is_all_or_nothing_also_inside_another(store: SqlStore) -> None:
    with store.transaction():
        person(store)
        with pytest.raises(ValueError, match="on purpose"):
            keep_and_fail(store, "bob")
        # Not even remembered.
        assert store.survey("pulse", CONFIDENTIAL.revision) is None
        with store.transaction():
            person(store, "cat")
    assert [row["respondent_id"] for row in rows(store, "respondents")] == ["ann", "cat"]
    with pytest.raises(ValueError, match="on purpose"):
        keep_and_fail(store, "dan")
    assert store.respondent("dan") is None


def keep_and_fail(store: SqlStore, name: str) -> None:
    with store.transaction():
        person(store, name)
        store.keep_survey(CONFIDENTIAL, at=AT)
        assert store.survey("pulse", CONFIDENTIAL.revision) == CONFIDENTIAL
        raise ValueError("on purpose")


def test_revisions_of_a_survey_are_kept_for_ever(store: SqlStore) -> None:
    assert store.survey("pulse", CONFIDENTIAL.revision) is None
    newer = CONFIDENTIAL.model_copy(update={"languages": ("cy", "en")})
    newer.__dict__.pop("revision", None)
    store.keep_survey(newer, at=LATER)
    store.keep_survey(CONFIDENTIAL, at=AT)
    store.keep_survey(CONFIDENTIAL, at=MUCH_LATER)
    store.keep_survey(survey("another"), at=MUCH_LATER)
    assert store.survey("pulse", CONFIDENTIAL.revision) == CONFIDENTIAL
    assert store.survey("pulse", newer.revision) == newer
    assert [(kept.survey_id, kept.revision) for kept in store.kept_surveys()] == [
        ("another", survey("another").revision),
        ("pulse", CONFIDENTIAL.revision),
        ("pulse", newer.revision),
    ]


class TestSeenTurn:
    """What the person can have had before their eyes when they wrote."""

    def test_the_newest_prompt_before_the_position(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        assert store.seen_turn("s1", "101") is None
        send(store, position="99")
        go_on(store, ann, shown("first?"))
        # Not sent yet, so not seen.
        assert store.seen_turn("s1", "101") == 1
        send(store, position="102")
        assert store.seen_turn("s1", "101") == 1
        assert store.seen_turn("s1", "103") == 2
        # By length first: positions are numbers to the platform and words to us.
        assert store.seen_turn("s1", "99") is None
        assert store.seen_turn("s2", "103") is None

    def test_what_is_on_its_way_may_have_been_seen(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="99")
        go_on(store, ann, shown("first?"))
        [message] = claim(store)
        assert store.seen_turn("s1", "101") == 2
        retry = Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=LATER)
        store.settle([retry], now=LATER)
        # It is known that it did not arrive.
        assert store.seen_turn("s1", "101") == 1
        claim(store)
        store.release_claims("telegram")
        assert store.seen_turn("s1", "101") == 2
        go_on(store, ann, shown("second?"))
        assert store.seen_turn("s1", "101") == 2
        assert send(store, position="105") == ["second?"]
        assert store.seen_turn("s1", "101") == 2
        assert store.seen_turn("s1", "106") == 3

    def test_what_is_in_doubt_was_not_surely_seen(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="99")
        go_on(store, ann, shown("first?"))
        claim(store)
        assert store.seen_turn("s1", "101", surely=True) == 2
        store.release_claims("telegram")
        assert store.seen_turn("s1", "101", surely=True) == 1
        claim(store)
        assert store.seen_turn("s1", "101", surely=True) == 1
        store.release_claims("telegram")
        send(store, position="105")
        assert store.seen_turn("s1", "101", surely=True) == 1
        assert store.seen_turn("s1", "106", surely=True) == 2

    def test_what_was_sent_twice_may_have_been_seen_the_first_time(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="99")
        go_on(store, ann, shown("first?"))
        claim(store)
        store.release_claims("telegram")
        assert send(store, position="105") == ["first?"]
        # 101 was written between the copy that we know nothing of and the one at 105.
        assert store.seen_turn("s1", "101") == 2

    def test_what_may_have_arrived_though_sending_failed_may_have_been_seen(
        self, store: SqlStore
    ) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="99")
        go_on(store, ann, shown("first?"))
        [message] = claim(store)
        retry = Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=LATER, in_doubt=True)
        store.settle([retry], now=LATER)
        assert store.seen_turn("s1", "101") == 2


def test_unfinished_sessions_come_in_pages(store: SqlStore) -> None:
    for name in ["ann", "bob", "cat", "dan"]:
        respondent = person(store, name)
        wave_id = "other" if name == "cat" else "w"
        begin(store, respondent, f"s-{name}", wave_id=wave_id, invitation_id=f"i-{name}")
        if name == "bob":
            go_on(store, respondent, session_id="s-bob", status=Status.STOPPED)
    assert store.unfinished("w", limit=1) == ["s-ann"]
    assert store.unfinished("w", after="s-ann") == ["s-dan"]
