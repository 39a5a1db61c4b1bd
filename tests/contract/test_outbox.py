"""The outbox: a person's messages in order, at least once, and no word kept for longer."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.prompts import Button, Layout, Prompt
from storage.open import open_store
from storage.protocol import Receipt, Window
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    LATER,
    MUCH_LATER,
    begin,
    claim,
    go_on,
    person,
    rows,
    send,
    shown,
    wave,
)


def say(store: SqlStore, name: str, *texts: str, lane: int = 0) -> None:
    respondent = store.respondent(name)
    assert respondent is not None
    store.say(respondent, [Prompt(text=text) for text in texts], at=AT, lane=lane)


def texts(store: SqlStore, *, lane: int = 0, limit: int = 10) -> list[str]:
    return [message.prompt.text for message in claim(store, lane=lane, limit=limit)]


def test_what_may_have_arrived_waits_for_its_answer_and_then_holds_up_nothing(
    store: SqlStore,
) -> None:
    ann, bob = person(store), person(store, "bob")
    for respondent, session_id in ((ann, "s1"), (bob, "s2")):
        begin(store, respondent, session_id)
    assert len(claim(store)) == 2
    store.release_claims("telegram")
    store.put_off_doubtful("slack", until=MUCH_LATER + timedelta(hours=1))
    store.put_off_doubtful("telegram", until=MUCH_LATER + timedelta(seconds=3))
    assert texts(store) == []
    assert store.next_due("telegram", after=MUCH_LATER) == MUCH_LATER + timedelta(seconds=3)
    go_on(store, ann, shown("goals?"))
    assert texts(store) == ["goals?"]
    # Nobody knows whether it was seen.
    assert store.seen_turn("s1", "1") == 2
    later = MUCH_LATER + timedelta(seconds=3)
    assert [one.prompt.text for one in claim(store, now=later)] == ["consent?"]
    # One that is due later than that is due as before.
    store.release_claims("telegram")
    store.put_off_doubtful("telegram", until=AT)
    again = claim(store, now=later)
    assert sorted(one.prompt.text for one in again) == ["consent?", "goals?"]


def test_a_message_is_claimed_as_it_was_put_in(store: SqlStore) -> None:
    ann = person(store)
    prompt = Prompt(
        text="Dweud eich dweud 👋",
        options=(Button(label="Ie", token="s1.0.0"),),
        layout=Layout.OPTIONS,
    )
    store.say(ann, [prompt], at=AT)
    [message] = claim(store)
    assert (message.prompt, message.chat) == (prompt, "chat-of-ann")
    assert (message.respondent_id, message.lane) == ("ann", 0)
    assert (message.replaces, message.attempts) == (None, 0)
    assert claim(store) == []


def test_one_message_a_person_at_a_time_in_order(store: SqlStore) -> None:
    person(store)
    person(store, "bob")
    say(store, "ann", "a1", "a2")
    say(store, "bob", "b1")
    say(store, "ann", "a3")
    assert texts(store) == ["a1", "b1"]
    assert texts(store) == []
    assert store.release_claims("telegram") == 2
    assert send(store) == ["a1", "b1", "a2", "a3"]


def test_claims_of_which_a_worker_does_not_know_are_put_back(store: SqlStore) -> None:
    for name in ("ann", "bob", "cat"):
        person(store, name)
        say(store, name, f"to {name}")
    person(store, "dan", channel="slack")
    say(store, "dan", "to dan")
    claim(store, channel="slack", worker_id="w1")
    known, _lost = claim(store, limit=2, worker_id="w1")
    claim(store, worker_id="w2")
    assert store.put_back_others("telegram", [known.outbox_id], worker_id="w1") == 1
    [again] = claim(store, worker_id="w2")
    # Nobody has sent it, so there is no doubt about it.
    assert (again.prompt.text, again.attempts) == ("to bob", 0)
    assert [row["doubt"] for row in rows(store, "outbox")] == [0, 0, 0, 0]


@pytest.mark.parametrize("body", ['{"v":2,"text":"x"}', "no JSON", '{"v":1,"words":3}'])
def test_a_message_that_cannot_be_read_holds_up_nobody(store: SqlStore, body: str) -> None:
    person(store)
    person(store, "bob")
    say(store, "ann", "damaged", "after it")
    damage = "update outbox set body = :body where outbox_id = 1"
    store._driver.run(damage, {"body": body})
    say(store, "bob", "to bob")
    assert send(store) == ["to bob", "after it"]
    (damaged,) = [row for row in rows(store, "outbox") if row["state"] == "dead"]
    assert (damaged["body"], damaged["error"]) == (body, "unreadable")


def test_the_limit_and_the_channel_are_kept_to(store: SqlStore) -> None:
    for name in ["ann", "bob", "cat"]:
        person(store, name)
        say(store, name, f"to {name}")
    person(store, "dan", channel="slack")
    say(store, "dan", "to dan")
    assert texts(store, limit=2) == ["to ann", "to bob"]
    assert texts(store, limit=2) == ["to cat"]
    assert [message.chat for message in claim(store, channel="slack")] == ["chat-of-dan"]


def test_only_one_chat_where_one_is_named(store: SqlStore) -> None:
    for name in ["ann", "bob"]:
        person(store, name, channel="terminal")
        say(store, name, f"to {name}")
    (claimed,) = claim(store, channel="terminal", chat="chat-of-bob")
    assert claimed.prompt.text == "to bob"
    assert claim(store, channel="terminal", chat="chat-of-cat") == []
    assert [one.prompt.text for one in claim(store, channel="terminal")] == ["to ann"]


def test_what_nobody_will_read_is_dropped_by_its_age(store: SqlStore) -> None:
    for name in ["ann", "bob"]:
        person(store, name, channel="terminal")
        say(store, name, f"to {name}")
    person(store, "cat")
    say(store, "cat", "to cat")
    claim(store, limit=1, channel="terminal")
    store.drop_unread("terminal", before=AT)
    assert len(rows(store, "outbox")) == 3
    store.drop_unread("terminal", before=LATER)
    assert [row["respondent_id"] for row in rows(store, "outbox")] == ["cat"]
    assert store.scrub_due


def test_a_reply_goes_before_a_broadcast_and_never_beside_it(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "broadcast", lane=1)
    say(store, "ann", "reply")
    assert texts(store, lane=1) == []
    assert texts(store) == ["reply"]
    assert texts(store, lane=1) == []
    store.release_claims("telegram")
    assert send(store) == ["reply"]
    assert send(store, lane=1) == ["broadcast"]


def test_nothing_goes_before_it_is_due(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, due_at=LATER, lane=1)
    assert claim(store, lane=1, now=LATER - timedelta(microseconds=1)) == []
    assert [message.lane for message in claim(store, lane=1, now=LATER)] == [1]


def test_a_claim_that_is_not_settled_opens_again_and_counts(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1")
    [first] = claim(store, now=AT)
    assert claim(store, now=AT + timedelta(seconds=59)) == []
    [again] = claim(store, now=AT + timedelta(seconds=60))
    assert (again.outbox_id, again.attempts) == (first.outbox_id, 1)


def test_a_late_receipt_still_counts(store: SqlStore) -> None:
    """The claim ran out while the message was on its way: it need not be sent again."""
    person(store)
    say(store, "ann", "a1", "a2")
    [first] = claim(store, now=AT)
    store.release_claims("telegram")
    store.settle([Receipt(outbox_id=first.outbox_id, outcome="sent", position="1")], now=LATER)
    assert texts(store) == ["a2"]
    # And one that comes twice, or for a row that is gone, changes nothing.
    store.settle([Receipt(outbox_id=first.outbox_id, outcome="retry")], now=LATER)
    store.settle([Receipt(outbox_id=999, outcome="sent")], now=LATER)
    assert texts(store) == []


def test_ids_are_never_given_twice(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1")
    [first] = claim(store)
    send_one(store, first.outbox_id)
    say(store, "ann", "a2")
    [second] = claim(store)
    assert second.outbox_id > first.outbox_id


def test_a_failed_one_comes_again_in_its_place(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1", "a2")
    [message] = claim(store, now=AT)
    receipt = Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=LATER, error="flood")
    store.settle([receipt], now=AT)
    assert store.next_due("telegram", after=AT) == LATER
    assert claim(store, now=LATER - timedelta(seconds=1)) == []
    [again] = claim(store, now=LATER)
    assert (again.prompt.text, again.attempts) == ("a1", 1)


def test_a_dead_one_lets_the_next_go(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    say(store, "ann", "next")
    [message] = claim(store)
    store.settle(
        [Receipt(outbox_id=message.outbox_id, outcome="dead", error="too long")], now=LATER
    )
    [dead] = [row for row in rows(store, "outbox") if row["state"] == "dead"]
    assert dead["error"] == "too long"
    assert texts(store) == ["next"]


def test_what_was_not_tried_is_put_back_as_it_was(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1", "a2")
    [message] = claim(store, now=AT)
    store.settle([Receipt(outbox_id=message.outbox_id, outcome="put_back")], now=AT)
    [again] = claim(store, now=AT)
    assert (again.prompt.text, again.attempts) == ("a1", 0)
    assert rows(store, "outbox")[0]["doubt"] == 0


def test_who_is_gone_loses_all_that_waits(store: SqlStore) -> None:
    person(store)
    person(store, "bob")
    say(store, "ann", "a1", "a2")
    say(store, "ann", "a3", lane=1)
    say(store, "bob", "b1")
    message = claim(store)[0]
    store.settle([Receipt(outbox_id=message.outbox_id, outcome="gone")], now=LATER)
    ann = store.respondent("ann")
    assert ann is not None
    assert not ann.reachable
    assert [row["respondent_id"] for row in rows(store, "outbox")] == ["bob"]


def test_a_message_to_a_place_goes_there_and_keeps_its_order(store: SqlStore) -> None:
    ann = person(store)
    store.open_wave(wave(state="closed"))
    for text in ("one", "two"):
        store.post(
            "slack", "C1", Prompt(text=text), window=Window(due_at=AT), wave_id=wave().wave_id
        )
    store.post("slack", "C2", Prompt(text="elsewhere"), window=Window(due_at=AT))
    store.say(ann, [Prompt(text="to Ann")], at=AT, lane=1)
    first = claim(store, lane=1, channel="slack")
    assert {(one.chat, one.prompt.text) for one in first} == {("C1", "one"), ("C2", "elsewhere")}
    assert store.counts(wave().wave_id, now=AT).waiting == 2
    sent = [Receipt(outbox_id=one.outbox_id, outcome="sent", position="1") for one in first]
    store.settle(sent, now=MUCH_LATER)
    assert [one.prompt.text for one in claim(store, lane=1, channel="slack")] == ["two"]
    assert [one.chat for one in claim(store, lane=1)] == ["chat-of-ann"]


def test_a_place_that_is_gone_takes_nobody_with_it(store: SqlStore) -> None:
    ann = person(store, channel="slack")
    for text in ("one", "two"):
        store.post("slack", "C1", Prompt(text=text), window=Window(due_at=AT))
    store.say(ann, [Prompt(text="to Ann")], at=AT, lane=1)
    post, _ = claim(store, lane=1, channel="slack")
    store.settle([Receipt(outbox_id=post.outbox_id, outcome="gone")], now=LATER)
    assert [row["respondent_id"] for row in rows(store, "outbox")] == ["ann"]
    known = store.respondent("ann")
    assert known is not None
    assert known.reachable


def test_a_broadcast_about_a_wave_goes_to_nobody_who_has_left(store: SqlStore) -> None:
    ann, bob = person(store), person(store, "bob")
    store.open_wave(wave())
    for one in (ann, bob):
        store.join(one.respondent_id, wave().cohort, on=AT.date())
        store.say(one, [Prompt(text="of a wave")], at=AT, lane=1, wave_id=wave().wave_id)
        store.say(one, [Prompt(text="of none")], at=AT, lane=1)
    store.leave("ann", wave().cohort, at=LATER)
    assert send(store, lane=1) == ["of none", "of a wave", "of none"]


def test_the_words_go_once_they_are_sent(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    say(store, "ann", "and more")
    send(store, position="17")
    # What belongs to a conversation leaves its place in the chat, the rest nothing.
    [row] = rows(store, "outbox")
    assert (row["body"], row["position"], row["session_id"]) == (None, "17", "s1")


class TestOvertaken:
    """A prompt that a later one has overtaken is not sent."""

    def test_a_newer_prompt_drops_the_older(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann, effects=[shown("one?")])
        go_on(store, ann, shown("two?"))
        assert send(store) == ["two?"]

    def test_what_lasts_is_sent_and_overtakes_nothing(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann, effects=[shown("one?")])
        go_on(store, ann, shown("By the way", lasting=True))
        go_on(store, ann)
        assert send(store) == ["one?", "By the way"]
        go_on(store, ann, shown("Again", lasting=True))
        go_on(store, ann, shown("two?"))
        assert send(store) == ["Again", "two?"]

    def test_also_when_it_comes_back_from_a_failed_attempt(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann, effects=[shown("one?")])
        [message] = claim(store)
        go_on(store, ann, shown("two?"))
        assert claim(store) == []
        store.settle([Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=AT)], now=AT)
        assert send(store) == ["two?"]

    def test_other_conversations_are_not_concerned(self, store: SqlStore) -> None:
        ann, bob = person(store), person(store, "bob")
        begin(store, ann, "s1", effects=[shown("one?")])
        begin(store, bob, "s2", effects=[shown("bob?")])
        say(store, "bob", "hello")
        go_on(store, ann, shown("two?"))
        assert sorted(send(store)) == ["bob?", "hello", "two?"]


class TestInPlace:
    """A message that takes the place of the newest prompt of its conversation."""

    def test_it_replaces_nothing_where_nobody_knows_what_stands_last(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="9")
        go_on(store, ann, shown("which?"))
        claim(store)
        # It may have arrived: who ticks something has seen it, and not the one before it change.
        store.release_claims("telegram")
        store.put_off_doubtful("telegram", until=MUCH_LATER + timedelta(hours=1))
        go_on(store, ann, shown("which? (ticked)", in_place=True))
        [message] = claim(store)
        assert (message.prompt.text, message.replaces) == ("which? (ticked)", None)
        store.release_claims("telegram")
        [message] = claim(store, now=MUCH_LATER + timedelta(hours=2))
        assert (message.prompt.text, message.replaces) == ("which? (ticked)", None)

    def test_it_replaces_the_newest_prompt_that_was_sent(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        send(store, position="7")
        go_on(store, ann, shown("which?"))
        send(store, position="9")
        say(store, "ann", "by the way")
        send(store, position="11")
        go_on(store, ann, shown("which? (ticked)", in_place=True))
        [message] = claim(store)
        assert message.replaces == "9"

    def test_it_is_a_new_one_where_nothing_was_sent(self, store: SqlStore) -> None:
        ann = person(store)
        begin(store, ann)
        go_on(store, ann, shown("which? (ticked)", in_place=True))
        [message] = claim(store)
        assert message.replaces is None


class TestPausedWave:
    """A paused wave holds its broadcasts back, and nobody's conversation."""

    @pytest.fixture(autouse=True)
    def _wave(self, store: SqlStore) -> None:
        store.open_wave(wave("w"))
        begin(store, person(store), "s1", wave_id="w", invitation_id="i1", lane=1)
        begin(store, person(store, "bob"), "s2", wave_id="w", invitation_id="i2", lane=1)
        store.set_wave("w", state="paused")

    def test_invitations_wait(self, store: SqlStore) -> None:
        assert claim(store, lane=1) == []
        store.set_wave("w", state="open")
        assert len(claim(store, lane=1)) == 2

    def test_who_talks_is_answered(self, store: SqlStore) -> None:
        ann = store.respondent("ann")
        assert ann is not None
        go_on(store, ann, shown("goals?"))
        assert send(store) == ["goals?"]

    def test_other_broadcasts_go(self, store: SqlStore) -> None:
        cat = person(store, "cat")
        begin(store, cat, "s3", wave_id="other", invitation_id="i3", lane=1)
        assert send(store, lane=1) == ["consent?"]


def test_next_due_is_the_first_reply_to_come(store: SqlStore) -> None:
    ann, bob = person(store), person(store, "bob")
    say(store, "ann", "due already")
    begin(store, ann, "s1", due_at=LATER, lane=1)
    assert store.next_due("telegram", after=AT) is None
    begin(store, ann, "s2", due_at=MUCH_LATER)
    begin(store, bob, "s3", due_at=LATER)
    assert store.next_due("telegram", after=AT) == LATER
    assert store.next_due("telegram", after=LATER) == MUCH_LATER
    assert store.next_due("slack", after=AT) is None


def test_a_reply_goes_at_once_whatever_the_clock_of_who_wrote_it_says(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, due_at=LATER)
    assert [message.prompt.text for message in claim(store, now=AT)] == ["consent?"]


def test_only_this_channel_is_released(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1")
    claim(store)
    assert store.release_claims("slack") == 0
    assert store.release_claims("telegram") == 1
    assert store.release_claims("telegram") == 0


PEOPLE = ["ann", "bob", "cat"]
DO = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(PEOPLE), st.integers(0, 1)),
    st.tuples(st.just("claim"), st.integers(1, 3), st.integers(0, 1)),
    st.tuples(st.just("settle"), st.sampled_from(["sent", "retry", "dead"]), st.integers(0, 9)),
    st.tuples(st.just("crash"), st.none(), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DO, max_size=40))
def test_whatever_happens_each_person_gets_theirs_in_order(steps: list[tuple]) -> None:
    """One message a person is on its way, replies in order and broadcasts in order, and
    everything that is not given up arrives.
    """
    store = open_store("sqlite://")
    try:
        check_order(store, steps)
    finally:
        store.close()


def check_order(store: SqlStore, steps: list[tuple]) -> None:
    for name in PEOPLE:
        person(store, name)
    said: dict[tuple[str, int], list[str]] = defaultdict(list)
    got: dict[tuple[str, int], list[str]] = defaultdict(list)
    given_up: set[str] = set()
    held: list = []

    def settle(message, outcome: str) -> None:
        store.settle([Receipt(outbox_id=message.outbox_id, outcome=outcome, retry_at=AT)], now=AT)
        if outcome == "sent":
            got[message.respondent_id, message.lane].append(message.prompt.text)
        elif outcome == "dead":
            given_up.add(message.prompt.text)

    for number, (do, what, which) in enumerate(steps):
        if do == "say":
            text = f"{number}"
            say(store, what, text, lane=which)
            said[what, which].append(text)
        elif do == "claim":
            held += claim(store, lane=which, limit=what, now=AT)
            on_their_way = [message.respondent_id for message in held]
            assert len(on_their_way) == len(set(on_their_way))
        elif do == "settle" and held:
            settle(held.pop(which % len(held)), what)
        elif do == "crash":
            assert store.release_claims("telegram") == len(held)
            held.clear()
    for message in held:
        settle(message, "sent")
    while messages := claim(store, lane=0, now=AT) + claim(store, lane=1, now=AT):
        for message in messages:
            settle(message, "sent")
    for key, all_said in said.items():
        assert got[key] == [text for text in all_said if text not in given_up]
    kept = [row for row in rows(store, "outbox") if row["body"] is not None]
    assert {row["state"] for row in kept} <= {"dead"}
    assert len(kept) == len(given_up)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=20))
def test_a_repeated_event_changes_nothing(numbers: list[int]) -> None:
    store = open_store("sqlite://")
    try:
        taken = [number for number in numbers if store.take_event(f"e{number}", on=AT.date())]
        assert taken == list(dict.fromkeys(numbers))
    finally:
        store.close()


def send_one(store: SqlStore, outbox_id: int) -> None:
    store.settle([Receipt(outbox_id=outbox_id, outcome="sent", position="1")], now=LATER)
