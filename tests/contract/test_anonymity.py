"""A submitted anonymous response: nothing at rest joins it to its person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dialogues.disposition import Disposition
from dialogues.effects import DispositionSet, QuestionOffered, ResponseSubmitted, Turn
from dialogues.errors import StaleSession
from dialogues.prompts import Prompt
from dialogues.session import Status
from storage.open import open_store
from storage.protocol import Receipt, Respondent
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    CONFIDENTIAL,
    LATER,
    answered,
    as_they_lie,
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
from tests.contract.test_people import TABLES

WORDS = "Quixotic words"


def wave_of_secrets(store: SqlStore) -> None:
    store.open_wave(wave("w", survey_id=ANONYMOUS.survey_id, revision=ANONYMOUS.revision))


def answer(store: SqlStore, name: str) -> Respondent:
    """Take part up to the last question; a prompt that quotes the answer is waiting."""
    respondent = person(store, name)
    consented(
        store,
        respondent,
        f"s-of-{name}",
        of=ANONYMOUS,
        wave_id="w",
        invitation_id=f"i-of-{name}",
    )
    send(store, position=f"77{name}77")
    go_on(
        store,
        respondent,
        answered("goals", "yes"),
        QuestionOffered(question_id="why", at=LATER),
        session_id=f"s-of-{name}",
    )
    go_on(
        store,
        respondent,
        answered("why", WORDS, text=WORDS),
        DispositionSet(disposition=Disposition.BREAK_OFF, at=LATER),
        shown(f"You said {WORDS}. Hand it in?"),
        session_id=f"s-of-{name}",
        status=Status.SUBMITTING,
    )
    return respondent


def submit(store: SqlStore, respondent: Respondent, loose_id: str) -> None:
    go_on(
        store,
        respondent,
        DispositionSet(disposition=Disposition.COMPLETE, at=LATER),
        ResponseSubmitted(at=LATER),
        shown("Thank you."),
        session_id=f"s-of-{respondent.respondent_id}",
        status=Status.COMPLETE,
        at=LATER,
        loose_id=loose_id,
    )


def test_a_loose_response_is_whole_and_nobodys(store: SqlStore) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    assert store.tidy()
    assert rows(store, "responses") == [
        {
            "response_id": "xk4",
            "respondent_id": None,
            "wave_id": "w",
            "survey_id": "secret",
            "revision": ANONYMOUS.revision,
            "cohort": "riverside",
            "channel": "telegram",
            "role": "citizen",
            "sector": None,
            "language": "en",
            "started_at": "2026-12-01",
            "ended_at": "2026-12-01",
            "disposition": "complete",
            "drawn": None,
            "unstirred": 0,
        }
    ]
    goals, why = rows(store, "answers")
    assert goals["value"] == "yes"
    assert (why["response_id"], why["text"], why["kind"], why["place"]) == (
        "xk4",
        WORDS,
        "text",
        1,
    )
    assert {goals["asked_at"], goals["answered_at"], why["answered_at"]} == {"2026-12-01"}


def test_the_conversation_is_over_and_thanked_for(store: SqlStore) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    assert store.session("s-of-ann") is None
    assert store.latest_session("ann") is None
    assert store.took_part("ann", "w")
    assert store.holdings("ann").responses == ()
    # The prompt that quoted them is not sent any more.
    assert send(store) == ["Thank you."]
    # That something ended here stays, so that later words are not taken for another answer.
    [over] = rows(store, "outbox")
    assert (over["session_id"], over["wave_id"], over["body"]) == ("cut", None, None)
    assert store.seen_session("ann", None) == "cut"


def test_a_letter_on_its_way_is_not_kept_beside_the_pseudonym(store: SqlStore) -> None:
    wave_of_secrets(store)
    ann = answer(store, "ann")
    send(store)
    store.say(ann, [Prompt(text="You said: secret words")], at=AT)
    store.say(ann, [Prompt(text="And more secret words")], at=AT)
    claim(store)
    submit(store, ann, "xk4")
    assert not any("secret words" in (row["body"] or "") for row in rows(store, "outbox"))


def test_who_did_not_take_part_is_told_from_who_did(store: SqlStore) -> None:
    wave_of_secrets(store)
    answer(store, "ann")
    assert not store.took_part("ann", "w")
    assert not store.took_part("bob", "w")


def test_no_value_joins_a_response_to_its_person(store: SqlStore) -> None:
    """Follows every value of a loose row through every table that names a person."""
    wave_of_secrets(store)
    for name, loose_id in [("ann", "z-loose"), ("bob", "a-loose"), ("cat", "m-loose")]:
        submit(store, answer(store, name), loose_id)
    send(store)
    harmless = {
        "w",
        "secret",
        ANONYMOUS.revision,
        "riverside",
        "telegram",
        "citizen",
        "en",
        "2026-12-01",
        "complete",
        None,
        "",
        # A count or a flag, too few values to tell people apart.
        0,
        1,
        2,
    }
    loose = {
        value
        for table in ["responses", "answers", "codings"]
        for row in rows(store, table)
        for value in row.values()
    } - harmless
    personal = [
        str(value)
        for table in set(TABLES) - {"responses", "answers", "codings", "surveys"}
        for row in rows(store, table)
        for value in row.values()
    ]
    for value in loose:
        assert not any(str(value) in other for other in personal), value
    # Nor does the other way: what is a person's is nowhere in the loose rows.
    for name in ["ann", "bob", "cat"]:
        assert not any(name in str(value) for value in loose)
    # No clock time stands in a loose row.
    assert not any("T" in str(value)[10:11] for value in loose)
    # The order of the rows is that of the random ids, not of handing in.
    assert store.tidy()
    assert [row["response_id"] for row in as_they_lie(store, "responses")] == [
        "a-loose",
        "m-loose",
        "z-loose",
    ]


def test_the_outcome_is_written_at_closing_for_all_alike(store: SqlStore) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    submit(store, answer(store, "bob"), "xk5")
    answer(store, "cat")
    invited = {row["invitation_id"]: row for row in rows(store, "invitations")}
    assert [invited[f"i-of-{name}"]["disposition"] for name in ["ann", "bob"]] == ["unknown"] * 2
    closing = LATER + timedelta(days=9)
    store.settle_wave("w", at=closing, min_group=5)
    invited = {row["invitation_id"]: row for row in rows(store, "invitations")}
    assert [invited[f"i-of-{name}"]["disposition"] for name in ["ann", "bob", "cat"]] == [
        "complete",
        "complete",
        "break_off",
    ]
    assert invited["i-of-ann"]["disposition_at"] == invited["i-of-bob"]["disposition_at"]
    assert store.took_part("ann", "w")
    assert not store.took_part("cat", "w")


def test_what_was_never_handed_in_is_dropped_at_closing(store: SqlStore) -> None:
    wave_of_secrets(store)
    cat = answer(store, "cat")
    submit(store, answer(store, "ann"), "xk4")
    go_on(
        store,
        cat,
        shown("This check-in has closed."),
        session_id="s-of-cat",
        status=Status.CLOSED,
    )
    store.settle_wave("w", at=LATER, min_group=5)
    assert [row["response_id"] for row in rows(store, "responses")] == ["xk4"]
    assert {row["response_id"] for row in rows(store, "answers")} == {"xk4"}
    assert rows(store, "sessions") == []
    assert sorted(send(store)) == ["Thank you.", "This check-in has closed."]


def test_what_is_on_its_way_while_it_is_cut_loose_is_not_sent_again(store: SqlStore) -> None:
    wave_of_secrets(store)
    ann = answer(store, "ann")
    [question] = claim(store)
    submit(store, ann, "xk4")
    # It still holds the place of the thanks behind it.
    assert claim(store) == []
    retry = Receipt(outbox_id=question.outbox_id, outcome="retry", retry_at=AT)
    store.settle([retry], now=AT)
    assert send(store) == ["Thank you."]


def test_what_is_on_its_way_when_its_wave_closes_is_not_sent_again(store: SqlStore) -> None:
    wave_of_secrets(store)
    cat = answer(store, "cat")
    [question] = claim(store)
    go_on(
        store,
        cat,
        shown("This check-in has closed."),
        session_id="s-of-cat",
        status=Status.CLOSED,
    )
    store.settle_wave("w", at=LATER, min_group=5)
    retry = Receipt(outbox_id=question.outbox_id, outcome="retry", retry_at=AT)
    store.settle([retry], now=AT)
    assert send(store) == ["This check-in has closed."]


def test_what_we_say_to_everybody_is_not_lost_with_a_letter(store: SqlStore) -> None:
    wave_of_secrets(store)
    ann = answer(store, "ann")
    store.say(ann, [Prompt(text="All that is kept of you")], at=AT)
    store.say(ann, [Prompt(text="What everybody said")], at=AT, lane=1)
    submit(store, ann, "xk4")
    assert send(store) == ["Thank you."]
    assert send(store, lane=1) == ["What everybody said"]


def test_a_lost_race_cuts_nothing_loose(store: SqlStore) -> None:
    wave_of_secrets(store)
    ann = answer(store, "ann")
    before = stored(store, "s-of-ann")
    go_on(store, ann, session_id="s-of-ann")
    turn = Turn(session=before.session, effects=(ResponseSubmitted(at=LATER),))
    with pytest.raises(StaleSession):
        store.commit_turn(turn, before=before, respondent=ann, lane=0, at=LATER, loose_id="xk4")


def about(store: SqlStore) -> set[tuple[object, ...]]:
    """What is known of the people behind the responses."""
    names = ("language", "channel", "role", "sector")
    return {tuple(row[name] for name in names) for row in rows(store, "responses")}


def test_what_one_alone_has_in_common_with_nobody_is_withheld_at_closing(store: SqlStore) -> None:
    wave_of_secrets(store)
    for number, name in enumerate(["ann", "bob", "cat", "dan", "eve", "fay", "gil"]):
        submit(store, answer(store, name), f"xk{number}")
    store._driver.run("update responses set channel = 'slack' where response_id = 'xk3'", {})
    store._driver.run("update responses set language = 'cy' where response_id = 'xk3'", {})
    store._driver.run("update answers set question = 'Yr un nod?' where place = 0", {})
    assert ("cy", "slack", "citizen", None) in about(store)
    store.settle_wave("w", at=LATER, min_group=3)
    assert about(store) == {
        ("en", "telegram", "citizen", None),
        ("withheld", "withheld", "citizen", None),
    }
    hidden = [
        row["response_id"] for row in rows(store, "responses") if row["channel"] != "telegram"
    ]
    assert len(hidden) == 3
    assert "xk3" in hidden
    wording = {
        row["response_id"]: row["question"] for row in rows(store, "answers") if row["place"] == 0
    }
    assert {wording[one] for one in hidden} == {"Same goal?"}
    settled = rows(store, "responses")
    store.settle_wave("w", at=LATER, min_group=3)
    assert rows(store, "responses") == settled


def test_few_people_keep_nothing(store: SqlStore) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    submit(store, answer(store, "bob"), "xk5")
    store.settle_wave("w", at=LATER, min_group=5)
    assert about(store) == {("withheld",) * 4}


def test_the_tagger_is_told_of_no_language_that_is_withheld(store: SqlStore) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    [before] = store.untagged("m@1", limit=9)
    store.settle_wave("w", at=LATER, min_group=5)
    [after] = store.untagged("m@1", limit=9)
    assert (before.language, after.language) == ("en", None)


def test_outside_a_wave_nothing_is_kept_of_who_answered(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann, "s-of-ann", of=ANONYMOUS)
    store._driver.run("update answers set question = 'Yr un nod?'", {})
    submit(store, ann, "xk4")
    assert about(store) == {("withheld",) * 4}
    assert rows(store, "answers")[0]["question"] == "Same goal?"


def test_the_day_of_an_agreement_is_kept_and_no_more(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann, "s1", of=ANONYMOUS)
    consented(store, ann, "s2")
    kept = {row["survey_id"]: row["consented_at"] for row in rows(store, "consents")}
    assert kept == {"secret": "2026-12-01", "pulse": AT.isoformat()}


def test_what_is_not_handed_in_outside_a_wave_is_dropped_after_a_time(store: SqlStore) -> None:
    for name, of in (("ann", ANONYMOUS), ("bob", CONFIDENTIAL)):
        respondent = person(store, name)
        consented(store, respondent, f"s-of-{name}", of=of)
        words = answered("why", WORDS, text=WORDS)
        go_on(store, respondent, words, shown("Hand it in?"), session_id=f"s-of-{name}")
    wave_of_secrets(store)
    answer(store, "cat")
    assert store.drop_stale_anonymous(LATER) == 0
    assert store.drop_stale_anonymous(LATER + timedelta(seconds=1)) == 1
    assert store.drop_stale_anonymous(LATER + timedelta(seconds=1)) == 0
    for table in ("sessions", "responses", "outbox"):
        assert {row["respondent_id"] for row in rows(store, table)} == {"bob", "cat"}
    assert "s-of-ann" not in {row["response_id"] for row in rows(store, "answers")}
    assert store.scrub_due


def test_who_refused_outside_a_wave_is_not_asked_again(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, "s1", of=ANONYMOUS)
    go_on(store, ann, shown("That is fine."), session_id="s1", status=Status.REFUSED)
    assert store.drop_stale_anonymous(LATER + timedelta(days=99)) == 0


def test_nothing_is_left_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    store = open_store(f"sqlite:///{path}")
    wave_of_secrets(store)
    submit(store, answer(store, "ann"), "xk4")
    bob = answer(store, "bob")
    send(store)
    assert store.scrub_due
    assert store.scrub()
    left = raw(tmp_path)
    # The words stand in the loose answer only, and in what Bob has not handed in yet.
    assert left.count(WORDS.encode()) == len(
        [
            value
            for table in ["answers", "sessions"]
            for row in rows(store, table)
            for value in row.values()
            for _ in range(str(value).count(WORDS))
        ]
    )
    for trace in [b"s-of-ann", b"77ann77"]:
        assert trace not in left
    assert b"s-of-bob" in left
    submit(store, bob, "xk5")
    assert store.scrub()
    left = raw(tmp_path)
    assert left.count(WORDS.encode()) == 4  # value and text of two answers
    assert b"s-of-bob" not in left
    store.close()


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
