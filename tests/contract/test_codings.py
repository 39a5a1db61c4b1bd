"""Codings: what is to be read, what was read, and the right to take words back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dialogues.coding import Coding, Stance
from dialogues.effects import ResponseSubmitted
from dialogues.errors import StoreError
from dialogues.session import Missing, Status
from storage.protocol import UntaggedAnswer
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    LATER,
    answered,
    consented,
    go_on,
    person,
    rows,
)

TRUST = Coding(
    enabler="trust",
    stance=Stance.GAP,
    span_text="nobody",
    span_start=0,
    span_end=6,
    confidence=0.8,
)
MONEY = Coding(
    enabler="resources", stance=None, span_text="", span_start=0, span_end=0, confidence=0.4
)


def answer_of(
    text: str = "nobody has time", question_id: str = "why", response_id: str = "s1"
) -> UntaggedAnswer:
    return UntaggedAnswer(
        response_id=response_id,
        question_id=question_id,
        question=f"{question_id}, as put",
        language="en",
        text=text,
    )


def save(
    store: SqlStore,
    answer: UntaggedAnswer,
    *codings: Coding,
    coder: str = "m@1",
    error: str | None = None,
) -> bool:
    ids = [f"{coder}-{answer.question_id}-{number}" for number in range(len(codings))]
    return store.save_codings(answer, codings, coding_ids=ids, coder=coder, at=LATER, error=error)


def found(store: SqlStore) -> list[tuple[str, Coding]]:
    return [(question_id, kept.coding) for question_id, kept in store.codings_of("s1")]


def check_unread(store: SqlStore) -> None:
    """What is marked as unread are the words that no model has read without an error."""
    for row in rows(store, "answers"):
        words = row["kind"] == "text" and row["text"] != "" and row["missing"] is None
        read = row["tagged_by"] is not None and row["tag_error"] is None
        assert row["unread"] == (words and not read), row


@pytest.fixture
def talking(store: SqlStore) -> Iterator[SqlStore]:
    """A store in which Ann has answered ``why``."""
    ann = person(store)
    consented(store, ann)
    go_on(
        store,
        ann,
        answered("goals", "yes", text="yes"),
        answered("why", "nobody has time", text="nobody has time"),
        answered("more", None, missing=Missing.SKIPPED),
    )
    check_unread(store)
    yield store
    check_unread(store)


def say(store: SqlStore, text: str, *, edited: bool = True) -> None:
    ann = store.respondent("ann")
    assert ann is not None
    go_on(store, ann, answered("why", text, text=text, edited=edited))


def test_words_of_open_questions_are_to_be_read(talking: SqlStore) -> None:
    assert talking.untagged("m@1", limit=9) == [answer_of()]
    assert talking.untagged("m@1", limit=0) == []


def test_the_oldest_response_comes_first(talking: SqlStore) -> None:
    bob = person(talking, "bob")
    consented(talking, bob, "a0")
    go_on(
        talking,
        bob,
        answered("more", "b", text="b"),
        answered("why", "a", text="a"),
        session_id="a0",
    )
    found = talking.untagged("m@1", limit=9)
    # Equally old ones by their ids, an answer by the place of its question.
    assert [(answer.response_id, answer.text) for answer in found] == [
        ("a0", "a"),
        ("a0", "b"),
        ("s1", "nobody has time"),
    ]


def test_what_was_read_is_kept_and_not_read_again(talking: SqlStore) -> None:
    assert save(talking, answer_of(), MONEY, TRUST)
    assert talking.untagged("m@1", limit=9) == []
    assert talking.untagged("m@2", limit=9) == []
    assert found(talking) == [("why", MONEY), ("why", TRUST)]
    assert {row["status"] for row in rows(talking, "codings")} == {"suggested"}
    assert {row["coded_at"] for row in rows(talking, "codings")} == {
        "2026-12-01T10:31:15.123456+00:00"
    }


def test_repeating_changes_nothing(talking: SqlStore) -> None:
    save(talking, answer_of(), MONEY, TRUST)
    before = rows(talking, "codings")
    assert talking.save_codings(
        answer_of(), [MONEY, TRUST], coding_ids=["x", "y"], coder="m@1", at=LATER, error=None
    )
    assert rows(talking, "codings") == before


def test_a_new_model_adds_and_overwrites_nothing(talking: SqlStore) -> None:
    save(talking, answer_of(), TRUST)
    save(talking, answer_of(), TRUST, MONEY, coder="m@2")
    assert [row["coder"] for row in rows(talking, "codings")] == ["m@1", "m@2", "m@2"]


def test_one_enabler_may_be_praised_and_missed(talking: SqlStore) -> None:
    praised = Coding(
        enabler="trust",
        stance=Stance.STRENGTH,
        span_text="time",
        span_start=11,
        span_end=15,
        confidence=0.7,
    )
    save(talking, answer_of(), TRUST, praised)
    assert len(found(talking)) == 2


def test_what_broke_a_model_is_left_to_the_next(talking: SqlStore) -> None:
    assert save(talking, answer_of(), error="too odd")
    assert talking.untagged("m@1", limit=9) == []
    assert talking.untagged("m@2", limit=9) == [answer_of()]
    assert save(talking, answer_of(), TRUST, coder="m@2")
    assert talking.untagged("m@3", limit=9) == []


def test_what_was_given_up_is_listed_until_it_is_read(talking: SqlStore) -> None:
    assert list(talking.read("not_tagged")) == []
    save(talking, answer_of(), error="not tagged: language")
    [row] = talking.read("not_tagged")
    assert dict(row) == {
        "response_id": "s1",
        "question_id": "why",
        "question": "why, as put",
        "text": "nobody has time",
        "language": "en",
        "tag_error": "not tagged: language",
        "tagged_by": "m@1",
    }
    save(talking, answer_of(), TRUST, coder="m@2")
    assert list(talking.read("not_tagged")) == []


def test_who_changes_their_words_takes_back_what_was_read_out_of_them(
    talking: SqlStore,
) -> None:
    save(talking, answer_of(), TRUST)
    say(talking, "all is well")
    assert found(talking) == []
    assert talking.untagged("m@1", limit=9) == [answer_of("all is well")]


def test_saying_the_same_again_changes_no_coding(talking: SqlStore) -> None:
    save(talking, answer_of(), TRUST)
    say(talking, "nobody has time")
    assert found(talking) == [("why", TRUST)]
    assert talking.untagged("m@1", limit=9) == []


def test_words_that_are_taken_back_are_read_no_more_and_the_same_ones_again_only_if_not_read(
    talking: SqlStore,
) -> None:
    ann = talking.respondent("ann")
    assert ann is not None
    assert save(talking, answer_of(), TRUST, error="it broke")
    say(talking, "nobody has time")
    check_unread(talking)
    go_on(talking, ann, answered("why", None, missing=Missing.SKIPPED))
    check_unread(talking)
    assert talking.untagged("m@2", limit=9) == []
    say(talking, "nobody has time")
    assert talking.untagged("m@1", limit=9) == [answer_of()]


def test_words_that_changed_while_they_were_read_are_read_again(talking: SqlStore) -> None:
    [old] = talking.untagged("m@1", limit=9)
    say(talking, "all is well")
    assert not save(talking, old, TRUST)
    assert found(talking) == []
    assert talking.untagged("m@1", limit=9) == [answer_of("all is well")]


def test_an_answer_that_is_gone_is_not_coded(talking: SqlStore) -> None:
    [old] = talking.untagged("m@1", limit=9)
    talking.erase("ann", at=AT, erasure_id="e", actor="person", farewell=None, leaving_id="nobody")
    assert not save(talking, old, TRUST)
    assert rows(talking, "codings") == []


def test_an_anonymous_answer_is_read_once_it_is_loose_and_dated_by_the_day(
    store: SqlStore,
) -> None:
    ann = person(store)
    consented(store, ann, of=ANONYMOUS)
    go_on(store, ann, answered("why", "nobody", text="nobody"))
    assert store.untagged("m@1", limit=9) == []
    go_on(store, ann, ResponseSubmitted(at=LATER), status=Status.COMPLETE)
    check_unread(store)
    [answer] = store.untagged("m@1", limit=9)
    assert answer.response_id == "loose"
    assert save(store, answer, TRUST)
    assert [row["coded_at"] for row in rows(store, "codings")] == ["2026-12-01"]


def test_named_queries_are_read_row_by_row(talking: SqlStore) -> None:
    found = talking.read("answers_of", response_id="s1")
    assert next(found)["question_id"] == "goals"
    assert [row["question_id"] for row in found] == ["why", "more"]


@pytest.mark.parametrize("query", ["erase_responses", "answer", "nonsense"])
def test_nothing_is_written_by_reading(talking: SqlStore, query: str) -> None:
    with pytest.raises(StoreError, match=query):
        talking.read(query, respondent_id="ann")
    assert rows(talking, "responses") != []
