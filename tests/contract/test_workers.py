"""Several workers on one database: who claims, who is gone, who leads."""

from __future__ import annotations

from datetime import datetime, timedelta

from dialogues.prompts import Prompt
from storage.protocol import Outgoing, Receipt
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, MUCH_LATER, person, rows


def say(store: SqlStore, name: str, *texts: str, lane: int = 0) -> None:
    respondent = store.respondent(name)
    assert respondent is not None
    store.say(respondent, [Prompt(text=text) for text in texts], at=AT, lane=lane)


def claim(store: SqlStore, worker_id: str, *, now: datetime = AT) -> list[Outgoing]:
    until = now + timedelta(seconds=60)
    return store.claim_outbox(
        "telegram", lane=0, limit=10, now=now, until=until, worker_id=worker_id
    )


def ended(message: Outgoing, outcome: str) -> Receipt:
    return Receipt(outbox_id=message.outbox_id, outcome=outcome, position="1", retry_at=LATER)


def beat(store: SqlStore, worker_id: str, *, now: datetime = AT, role: str = "delivery") -> None:
    store.beat(worker_id, roles={role, "web"}, machine="m", process="p", now=now)


def test_time_goes_on(store: SqlStore) -> None:
    first, second = store.clock(AT), store.clock(AT)
    assert first.tzinfo is not None
    assert first <= second


def test_workers_are_known_until_they_are_dismissed(store: SqlStore) -> None:
    beat(store, "b")
    beat(store, "a")
    beat(store, "a", now=LATER, role="tagging")
    seen = [(one.worker_id, one.roles, one.seen_at) for one in store.workers()]
    assert seen == [
        ("a", {"tagging", "web"}, LATER),
        ("b", {"delivery", "web"}, AT),
    ]
    assert store.dismiss("b", seen_at=AT, now=AT) == {}
    assert store.dismiss("b", seen_at=AT, now=AT) is None
    assert [one.worker_id for one in store.workers()] == ["a"]


def test_who_was_seen_again_is_not_dismissed(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1")
    beat(store, "a")
    claim(store, "a")
    beat(store, "a", now=LATER)
    assert store.dismiss("a", seen_at=AT, now=AT) is None
    assert claim(store, "b") == []


def test_what_a_dismissed_worker_claimed_is_open_to_others(store: SqlStore) -> None:
    for name in ("ann", "bob"):
        person(store, name)
        say(store, name, f"to {name}")
    beat(store, "a")
    beat(store, "b")
    claim(store, "a")
    say(store, "ann", "more")
    assert claim(store, "b") == []
    assert store.dismiss("a", seen_at=AT, now=AT) == {"telegram": 2}
    again = claim(store, "b")
    assert [(one.prompt.text, one.attempts) for one in again] == [("to ann", 1), ("to bob", 1)]
    assert {row["doubt"] for row in rows(store, "outbox")} == {0, 1}


def test_a_receipt_counts_only_from_who_holds_the_claim(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1", "a2")
    [message] = claim(store, "a")
    [taken_over] = claim(store, "b", now=MUCH_LATER)
    assert taken_over.outbox_id == message.outbox_id
    for outcome in ("retry", "dead", "put_back", "sent"):
        store.settle([ended(message, outcome)], now=MUCH_LATER, worker_id="a")
    assert claim(store, "c", now=MUCH_LATER) == []
    store.settle([ended(message, "sent")], now=MUCH_LATER, worker_id="b")
    [next_one] = claim(store, "c", now=MUCH_LATER)
    assert next_one.prompt.text == "a2"


def test_a_late_receipt_saves_sending_what_nobody_has_taken_over(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1", "a2")
    beat(store, "a")
    [message] = claim(store, "a")
    store.dismiss("a", seen_at=AT, now=AT)
    store.settle([ended(message, "dead")], now=AT, worker_id="a")
    store.settle([ended(message, "sent")], now=AT, worker_id="a")
    assert [one.prompt.text for one in claim(store, "b")] == ["a2"]


def test_whoever_hears_that_somebody_is_gone(store: SqlStore) -> None:
    person(store)
    say(store, "ann", "a1", "a2")
    [message] = claim(store, "a")
    claim(store, "b", now=MUCH_LATER)
    store.settle([ended(message, "gone")], now=MUCH_LATER, worker_id="a")
    assert rows(store, "outbox") == []


def test_one_leads_until_its_lease_has_ended(store: SqlStore) -> None:
    assert store.lead("schedule", "a", now=AT, until=LATER)
    assert not store.lead("schedule", "b", now=AT, until=MUCH_LATER)
    assert store.lead("other", "b", now=AT, until=LATER)
    assert store.lead("schedule", "a", now=AT, until=LATER + timedelta(seconds=1))
    assert not store.lead("schedule", "b", now=LATER, until=MUCH_LATER)
    assert store.lead("schedule", "b", now=LATER + timedelta(seconds=1), until=MUCH_LATER)
    assert not store.lead("schedule", "a", now=LATER + timedelta(seconds=1), until=MUCH_LATER)


def test_who_is_dismissed_leads_nothing(store: SqlStore) -> None:
    beat(store, "a")
    assert store.lead("schedule", "a", now=AT, until=MUCH_LATER)
    store.dismiss("a", seen_at=AT, now=AT)
    assert store.lead("schedule", "b", now=AT, until=MUCH_LATER)


def test_who_is_alone_in_a_role_is_known_by_who_was_seen_lately(store: SqlStore) -> None:
    now = store.clock(AT)

    def alone(worker_id: str) -> bool:
        return store.is_alone(worker_id, role="web", within=timedelta(seconds=60), now=now)

    assert alone("a")
    beat(store, "a", now=now)
    assert alone("a")
    store.beat("c", roles={"tagging"}, machine="m", process="p", now=now)
    beat(store, "gone", now=now - timedelta(seconds=61))
    assert alone("a")
    beat(store, "b", now=now)
    assert not alone("a")
    store.dismiss("b", seen_at=now, now=now)
    assert alone("a")
