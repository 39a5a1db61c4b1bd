"""What nobody needs any more goes, and nothing is understood otherwise for it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from dialogues.effects import ConsentRecorded, PromptShown, ResponseSubmitted
from dialogues.session import Status
from storage.protocol import Receipt, Respondent
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
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

WAVE = wave().wave_id
OLD = AT + timedelta(days=100)


def sweep_events(store: SqlStore, *, days: int, limit: int = 3) -> int:
    """Go over all events, page by page; give how many pages that were."""
    after: str | None = ""
    pages = 0
    while after is not None:
        before = AT.date() + timedelta(days=days)
        after = store.sweep_events(after=after, before=before, limit=limit)
        pages += 1
    return pages


def sweep_sent(store: SqlStore, *, limit: int = 3) -> int:
    after: int | None = 0
    pages = 0
    while after is not None:
        after = store.sweep_sent(after=after, before=OLD, limit=limit)
        pages += 1
    return pages


def kept(store: SqlStore) -> list[tuple[object, object]]:
    """Session and turn of every message that is left."""
    return [(row["session_id"], row["turn"]) for row in rows(store, "outbox")]


def told(store: SqlStore, respondent: Respondent, session_id: str, *, first: int) -> None:
    """Show two more prompts of a conversation, at positions from ``first`` on."""
    send(store, str(first))
    go_on(store, respondent, ConsentRecorded(at=AT), shown("goals?"), session_id=session_id)
    send(store, str(first + 1))
    go_on(store, respondent, shown("thanks"), session_id=session_id, status=Status.COMPLETE)
    send(store, str(first + 2))


def test_old_events_are_forgotten_page_by_page_and_newer_ones_kept(store: SqlStore) -> None:
    for number in range(8):
        for day in (0, 5, 9):
            assert store.take_event(f"{number} on day {day}", on=AT.date() + timedelta(days=day))
    assert sweep_events(store, days=0) > 8
    assert len(rows(store, "inbound")) == 24
    sweep_events(store, days=5)
    assert {row["received_on"] for row in rows(store, "inbound")} == {"2026-12-06", "2026-12-10"}
    assert len(rows(store, "inbound")) == 16
    assert store.take_event("3 on day 0", on=AT.date())
    assert not store.take_event("3 on day 5", on=AT.date())
    sweep_events(store, days=99, limit=1000)
    assert rows(store, "inbound") == []


def test_a_page_of_events_can_begin_anywhere(store: SqlStore) -> None:
    for number in range(20):
        store.take_event(str(number), on=AT.date())
    keys = [str(row["event_key"]) for row in rows(store, "inbound")]
    last = store.sweep_events(after=keys[4][:4] + "zz", before=OLD.date(), limit=5)
    assert last == keys[9]
    assert [row["event_key"] for row in rows(store, "inbound")] == keys[:5] + keys[10:]


def test_of_what_is_over_only_the_newest_prompt_stays(store: SqlStore) -> None:
    for number, name in enumerate(["ann", "bob"]):
        respondent = person(store, name)
        for session_id in (f"{name}-1", f"{name}-2"):
            begin(store, respondent, session_id)
            told(store, respondent, session_id, first=100 + 10 * number)
    assert len(kept(store)) == 12
    assert sweep_sent(store) == 5
    assert kept(store) == [(f"{name}-{n}", 3) for name in ["ann", "bob"] for n in (1, 2)]
    assert sweep_sent(store) == 2


def test_what_is_young_stays(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    told(store, ann, "s1", first=100)
    assert store.sweep_sent(after=0, before=AT, limit=100) is None
    assert len(kept(store)) == 3
    store.sweep_sent(after=0, before=LATER, limit=100)
    assert len(kept(store)) == 2


@pytest.mark.parametrize("state", ["open", "paused", "closing", "closed"])
def test_while_a_wave_is_not_closed_its_messages_stay(store: SqlStore, state: str) -> None:
    ann = person(store)
    store.open_wave(wave())
    begin(store, ann, wave_id=WAVE, invitation_id="i1")
    told(store, ann, "s1", first=100)
    store.set_wave(WAVE, state=state)  # type: ignore[arg-type]
    sweep_sent(store)
    assert len(kept(store)) == (1 if state == "closed" else 3)


def test_while_a_conversation_is_not_over_its_messages_stay(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    send(store, "100")
    go_on(store, ann, shown("goals?"))
    send(store, "101")
    sweep_sent(store)
    assert len(kept(store)) == 2


def test_an_older_conversation_that_is_not_over_keeps_the_later_ones(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, "long")
    send(store, "50")
    begin(store, ann, "short")
    told(store, ann, "short", first=100)
    sweep_sent(store)
    assert len(kept(store)) == 4
    # Somebody changes what they wrote between the two prompts of the one that is over.
    assert store.seen_session("ann", "101") == "short"
    go_on(store, ann, session_id="long", status=Status.STOPPED)
    sweep_sent(store)
    assert kept(store) == [("long", 1), ("short", 3)]


def test_a_newer_conversation_that_is_not_over_keeps_nothing_of_before(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann, "over")
    told(store, ann, "over", first=100)
    begin(store, ann, "new")
    send(store, "200")
    sweep_sent(store)
    assert kept(store) == [("over", 3), ("new", 1)]


def test_what_waits_or_was_given_up_stays(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    [first] = claim(store)
    store.settle([Receipt(outbox_id=first.outbox_id, outcome="dead")], now=MUCH_LATER)
    go_on(store, ann, shown("goals?"))
    send(store, "102")
    go_on(store, ann, shown("thanks", lasting=True), status=Status.COMPLETE)
    before = rows(store, "outbox")
    assert [row["state"] for row in before] == ["dead", "sent", "pending"]
    sweep_sent(store)
    assert rows(store, "outbox") == before


def test_what_may_have_been_sent_goes_once_something_else_was_seen(store: SqlStore) -> None:
    ann = person(store)
    begin(store, ann)
    told(store, ann, "s1", first=100)
    begin(store, ann, "s2")
    [first] = claim(store)
    retry = Receipt(outbox_id=first.outbox_id, outcome="retry", retry_at=AT, in_doubt=True)
    store.settle([retry], now=MUCH_LATER)
    assert store.drop_letter(first.outbox_id)
    go_on(store, ann, session_id="s2", status=Status.STOPPED)
    sweep_sent(store)
    assert kept(store) == [("s1", 3), ("s2", 1)]
    assert store.seen_session("ann", "200") == "s2"
    begin(store, ann, "s3")
    send(store, "150")
    # It stands above all that was seen, however old it is.
    assert store.seen_session("ann", "200") == "s2"
    sweep_sent(store)
    assert kept(store) == [("s1", 3), ("s3", 1)]
    assert store.seen_session("ann", "200") == "s3"


def test_the_ends_of_anonymous_responses_stay_once_for_each_person(store: SqlStore) -> None:
    for name in ["ann", "bob"]:
        respondent = person(store, name)
        for number in range(3):
            session_id = f"{name}-{number}"
            begin(store, respondent, session_id, of=ANONYMOUS)
            go_on(store, respondent, ConsentRecorded(at=AT), session_id=session_id)
            go_on(
                store,
                respondent,
                ResponseSubmitted(at=AT),
                shown("sent"),
                session_id=session_id,
                status=Status.COMPLETE,
                loose_id=f"loose of {session_id}",
            )
            send(store, str(100 + number))
    sweep_sent(store)
    left = [(row["respondent_id"], row["position"]) for row in rows(store, "outbox")]
    assert left == [("ann", "102"), ("bob", "102")]
    assert store.seen_session("ann", "103") == "cut"


@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_now_is_understood_as_before(store: SqlStore, seed: int) -> None:
    """Whatever happened before, in many conversations of a few people."""
    chance = random.Random(seed)
    people = [person(store, name) for name in ["ann", "bob"]]
    store.open_wave(wave())
    sessions: dict[str, Respondent] = {}
    position = 100
    for number in range(30):
        if len(sessions) < 6 and chance.random() < 0.3:
            respondent = chance.choice(people)
            session_id = f"s{number}"
            sessions[session_id] = respondent
            invited = chance.random() < 0.4
            invitation = f"i{number}" if invited else None
            if not begin(
                store, respondent, session_id, wave_id=WAVE if invited else None,
                invitation_id=invitation,
            ):  # fmt: skip
                del sessions[session_id]
        elif sessions:
            session_id = chance.choice(list(sessions))
            status = chance.choice([Status.ASKING, Status.COMPLETE, Status.STOPPED])
            effect: PromptShown = shown(f"{number}", lasting=chance.random() < 0.3)
            go_on(store, sessions[session_id], effect, session_id=session_id, status=status)
        for message in claim(store, limit=chance.randint(0, 3)):
            position += 1
            outcome = chance.choice(["sent", "sent", "sent", "retry", "dead"])
            receipt = Receipt(
                outbox_id=message.outbox_id,
                outcome=outcome,  # type: ignore[arg-type]
                position=str(position) if outcome == "sent" else None,
                retry_at=AT,
            )
            store.settle([receipt], now=MUCH_LATER)
    if chance.random() < 0.7:
        store.set_wave(WAVE, state="closed")

    def understood() -> list[object]:
        now = str(position + 1)
        return [
            [(store.seen_session(one.respondent_id, at)) for one in people]
            + [store.seen_turn(session_id, at) for session_id in sessions]
            for at in (now, None)
        ]

    before, n_rows = understood(), len(kept(store))
    sweep_sent(store, limit=chance.randint(1, 50))
    assert understood() == before
    assert len(kept(store)) <= n_rows
