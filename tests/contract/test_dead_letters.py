"""Messages that were given up: seen without their words, tried again, dropped, forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialogues.effects import ResponseSubmitted
from dialogues.prompts import Prompt
from dialogues.session import Status
from storage.protocol import Receipt
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
    wave,
)


def give_up(store: SqlStore, *, lane: int = 0, in_doubt: bool = False) -> list[int]:
    """Claim all that can be and give it up; give the numbers."""
    ids = []
    while claimed := claim(store, lane=lane):
        if in_doubt:
            doubts = [
                Receipt(outbox_id=one.outbox_id, outcome="retry", retry_at=AT, in_doubt=True)
                for one in claimed
            ]
            store.settle(doubts, now=LATER)
            claimed = claim(store, lane=lane)
        ids += [one.outbox_id for one in claimed]
        store.settle(
            [Receipt(outbox_id=one, outcome="dead", error="refused") for one in ids], now=LATER
        )
    return ids


def say(store: SqlStore, name: str, *texts: str, lane: int = 0) -> None:
    respondent = store.respondent(name)
    assert respondent is not None
    store.say(respondent, [Prompt(text=text) for text in texts], at=AT, lane=lane)


def test_it_is_seen_without_its_words_or_its_address(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "marker-of-words")
    [outbox_id] = give_up(store)
    [letter] = store.letters()
    assert letter == store.letter(outbox_id)
    assert (letter.state, letter.error, letter.attempts) == ("dead", "refused", 0)
    assert (letter.channel, letter.lane, letter.respondent_id) == ("telegram", 0, "ann")
    assert (letter.due_at, letter.dead_at, letter.retryable) == (AT, LATER, True)
    assert "marker-of-words" not in repr(letter)
    assert "chat-of-ann" not in repr(letter)
    assert store.letter(999) is None


def test_what_waits_is_listed_by_channel_state_and_wave(store: SqlStore) -> None:
    ann = person(store)
    person(store, "bob", channel="slack")
    store.open_wave(wave("w"))
    begin(store, ann, wave_id="w", invitation_id="i", lane=1)
    say(store, "bob", "b1")
    claim(store, channel="slack")
    say(store, "bob", "b2")
    found = {one.outbox_id: (one.channel, one.state) for one in store.letters()}
    assert found == {
        1: ("telegram", "pending"),
        2: ("slack", "claimed"),
        3: ("slack", "pending"),
    }
    assert [one.outbox_id for one in store.letters(channel="slack")] == [2, 3]
    assert [one.outbox_id for one in store.letters(state="pending")] == [3, 1]
    assert [one.outbox_id for one in store.letters(wave_id="w")] == [1]
    assert [one.outbox_id for one in store.letters(limit=1)] == [2]


def test_what_was_sent_is_not_listed(store: SqlStore) -> None:
    begin(store, person(store))
    send(store)
    assert store.letters() == []
    assert store.outbox_depth() == []


def test_the_depth_is_counted_with_the_longest_due(store: SqlStore) -> None:
    ann = person(store)
    person(store, "bob")
    begin(store, ann, "s1", lane=1, due_at=LATER)
    begin(store, ann, "s2", lane=1, due_at=AT)
    say(store, "bob", "b1")
    claim(store)
    depth = [
        (one.channel, one.lane, one.state, one.count, one.oldest_at) for one in store.outbox_depth()
    ]
    assert depth == [("telegram", 0, "claimed", 1, AT), ("telegram", 1, "pending", 2, AT)]


def test_tried_again_it_goes_as_if_it_were_new_and_in_its_place(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "first")
    [outbox_id] = give_up(store)
    say(store, "ann", "second")
    assert store.revive(outbox_id, now=LATER)
    assert not store.revive(outbox_id, now=LATER)
    letter = store.letter(outbox_id)
    assert letter is not None
    assert (letter.state, letter.attempts, letter.error, letter.dead_at) == (
        "pending", 0, None, None,
    )  # fmt: skip
    assert send(store) == ["first", "second"]
    assert not store.revive(outbox_id, now=LATER)


def test_what_waits_or_was_sent_is_not_tried_again(store: SqlStore) -> None:
    begin(store, person(store))
    assert not store.revive(1, now=LATER)
    claim(store)
    assert not store.revive(1, now=LATER)
    assert not store.revive(2, now=LATER)


def test_dropped_it_is_gone(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "given up")
    [outbox_id] = give_up(store)
    say(store, "ann", "waits", "is on its way")
    assert store.drop_letter(outbox_id)
    assert store.scrub_due
    assert store.drop_letter(2)
    claim(store)
    assert not store.drop_letter(3)
    assert not store.drop_letter(999)
    assert [row["outbox_id"] for row in rows(store, "outbox")] == [3]


def test_dropped_it_stays_known_as_something_that_may_have_been_seen(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    go_on(store, ann, shown("goals?"))
    [outbox_id] = give_up(store, in_doubt=True)
    assert store.seen_turn("s1", "100") == 2
    assert store.drop_letter(outbox_id)
    assert store.seen_turn("s1", "100") == 2
    assert [row["body"] for row in rows(store, "outbox")] == [None]
    assert store.letters() == []


def test_a_farewell_that_is_dropped_ends_the_address(store: SqlStore) -> None:
    person(store)
    store.erase(
        "ann", at=AT, erasure_id="e", actor="a", farewell=Prompt(text="Gone."), leaving_id="l"
    )
    [letter] = store.letters()
    assert store.drop_letter(letter.outbox_id)
    assert rows(store, "addresses") == []


def test_after_its_time_it_is_forgotten(store: SqlStore) -> None:
    for name in ("ann", "bob"):
        person(store, name)
        say(store, name, f"to {name}")
        give_up(store)
    store._driver.run(
        "update outbox set dead_at = :at where respondent_id = 'bob'",
        {"at": (LATER + timedelta(days=1)).isoformat(timespec="microseconds")},
    )
    assert store.forget_dead(before=LATER) == 0
    assert store.forget_dead(before=LATER + timedelta(seconds=1)) == 1
    assert [row["respondent_id"] for row in rows(store, "outbox")] == ["bob"]


def test_a_prompt_that_a_newer_one_took_the_place_of_keeps_no_words(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, effects=[shown("one?"), shown("By the way", lasting=True)])
    give_up(store)
    go_on(store, ann, shown("two?"))
    assert [row["body"] is None for row in rows(store, "outbox")] == [True, False, False]
    [one, lasting] = store.letters(state="dead")
    assert (one.retryable, lasting.retryable) == (False, True)
    assert not store.revive(one.outbox_id, now=LATER)


class TestWhoseTheyAre:
    """They go where all else of a person goes, and stay behind nowhere."""

    def test_erasing_somebody_takes_them_along(self, store: SqlStore) -> None:
        person(store)
        say(store, "ann", "words")
        give_up(store)
        store.erase("ann", at=AT, erasure_id="e", actor="a", farewell=None, leaving_id="l")
        assert rows(store, "outbox") == []

    def test_who_withdraws_is_not_invited_by_trying_again(self, store: SqlStore) -> None:
        person(store)
        say(store, "ann", "news", lane=1)
        say(store, "ann", "reply")
        give_up(store)
        give_up(store, lane=1)
        store.opt_out("ann", at=LATER)
        assert [one.lane for one in store.letters()] == [0]

    def test_nor_who_left_the_cohort(self, store: SqlStore) -> None:
        store.open_wave(wave("w"))
        begin(store, person(store), wave_id="w", invitation_id="i", lane=1)
        give_up(store, lane=1)
        store.join("ann", "riverside", on=AT.date())
        store.leave("ann", "riverside", at=LATER)
        assert store.letters() == []

    @pytest.mark.parametrize("state", ["dead", "pending"])
    def test_an_anonymous_response_leaves_none_behind(self, store: SqlStore, state: str) -> None:
        ann = person(store)
        consented(store, ann, of=ANONYMOUS)
        go_on(store, ann, answered("why", "Quixotic", text="Quixotic"), shown("You: Quixotic"))
        say(store, "ann", "Your data: Quixotic")
        if state == "dead":
            assert give_up(store)
        go_on(store, ann, ResponseSubmitted(at=MUCH_LATER), status=Status.COMPLETE)
        assert not [row for row in rows(store, "outbox") if "Quixotic" in str(row["body"])]

    def test_nor_does_one_that_nobody_sent_in_time(self, store: SqlStore) -> None:
        ann = person(store)
        consented(store, ann, of=ANONYMOUS)
        go_on(store, ann, answered("why", "Quixotic", text="Quixotic"), shown("You: Quixotic"))
        say(store, "ann", "Your data: Quixotic")
        give_up(store)
        assert store.drop_stale_anonymous(MUCH_LATER) == 1
        assert rows(store, "outbox") == []

    def test_nor_does_the_closing_of_its_wave(self, store: SqlStore) -> None:
        store.keep_survey(ANONYMOUS, at=AT)
        anonymous = {"survey_id": ANONYMOUS.survey_id, "revision": ANONYMOUS.revision}
        store.open_wave(replace(wave("w"), **anonymous))
        ann = person(store)
        consented(store, ann, of=ANONYMOUS, wave_id="w", invitation_id="i")
        go_on(store, ann, answered("why", "Quixotic", text="Quixotic"), shown("You: Quixotic"))
        give_up(store)
        store.settle_wave("w", at=MUCH_LATER, min_group=5)
        assert rows(store, "outbox") == []
