"""How fast bots may send: shared out evenly, never more than the bot may, halted for all."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from storage.protocol import PaceSeen
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, MUCH_LATER, rows

BOT = ("telegram", "4242")
SECOND = timedelta(seconds=1)


def ask(
    store: SqlStore,
    worker_id: str | None = None,
    *,
    in_use: int = 0,
    per_second: int = 30,
    now: datetime = AT,
) -> PaceSeen:
    return store.take_pace(*BOT, per_second=per_second, worker_id=worker_id, in_use=in_use, now=now)


def halt(store: SqlStore, *, until: datetime, slower: bool = False, now: datetime = AT) -> None:
    store.halt_pace(*BOT, until=until, slower=slower, now=now)


def test_who_is_alone_has_all_of_it(store: SqlStore) -> None:
    assert ask(store) == PaceSeen(share=30, halted_until=None)
    assert ask(store, per_second=20).share == 20
    assert rows(store, "shares") == []


def test_no_token_and_no_number_of_a_bot_is_kept(store: SqlStore) -> None:
    ask(store)
    assert "4242" not in repr(rows(store, "paces"))


def test_a_newcomer_gets_its_part_once_the_other_has_let_go_of_it(store: SqlStore) -> None:
    assert ask(store, "a").share == 30
    assert ask(store, "b").share == 0
    # It was told to use less, and 28 of what it sent may count still.
    assert ask(store, "a", in_use=28).share == 15
    assert ask(store, "b").share == 2
    assert ask(store, "a", in_use=16).share == 15
    assert ask(store, "b", in_use=2).share == 14
    assert ask(store, "a", in_use=15).share == 15
    assert ask(store, "b", in_use=14).share == 15


def test_what_does_not_divide_is_used_all_the_same(store: SqlStore) -> None:
    for _ in range(4):
        shares = [ask(store, worker, per_second=30).share for worker in "abcd"]
    assert shares == [8, 8, 7, 7]


def test_bots_have_each_their_own(store: SqlStore) -> None:
    assert ask(store, "a").share == 30
    other = store.take_pace("slack", "4242", per_second=4, worker_id="b", in_use=0, now=AT)
    assert other.share == 4


def test_who_has_ended_leaves_its_part_to_the_others_a_moment_later(store: SqlStore) -> None:
    for worker in "ab":
        store.beat(worker, roles={"delivery"}, machine="m", process="p", now=AT)
        ask(store, worker)
    ask(store, "a")
    assert ask(store, "b").share == 15
    store.dismiss("a", seen_at=AT, now=AT)
    assert ask(store, "b", now=AT + SECOND).share == 15
    assert ask(store, "b", now=AT + 2 * SECOND).share == 30
    assert [row["worker_id"] for row in rows(store, "shares")] == ["b"]


def test_a_halt_is_told_to_everybody_until_it_is_over(store: SqlStore) -> None:
    ask(store, "a")
    halt(store, until=MUCH_LATER)
    halt(store, until=LATER)
    assert ask(store, "b").halted_until == MUCH_LATER
    assert ask(store, "a", now=MUCH_LATER - SECOND).halted_until == MUCH_LATER
    assert ask(store, "a", now=MUCH_LATER).halted_until is None


def test_refused_without_our_fault_we_go_slower_and_try_one_more_each_minute(
    store: SqlStore,
) -> None:
    ask(store)
    halt(store, until=AT + SECOND, slower=True)
    # Several at one moment are one.
    halt(store, until=AT + SECOND, slower=True, now=AT + 5 * SECOND)
    assert ask(store, now=AT + 59 * SECOND).share == 27
    assert ask(store, now=AT + 60 * SECOND).share == 28
    assert ask(store, now=AT + 61 * SECOND).share == 28
    assert ask(store, now=AT + 120 * SECOND).share == 29
    halt(store, until=AT + 130 * SECOND, slower=False, now=AT + 130 * SECOND)
    assert ask(store, now=AT + 180 * SECOND).share == 30
    assert ask(store, now=MUCH_LATER).share == 30


def test_it_never_comes_to_a_standstill(store: SqlStore) -> None:
    ask(store)
    at = AT
    for _ in range(100):
        at += 10 * SECOND
        halt(store, until=at, slower=True, now=at)
    assert ask(store, now=at).share == 1


def test_a_halt_of_a_bot_that_never_asked_is_nothing(store: SqlStore) -> None:
    halt(store, until=LATER)
    assert rows(store, "paces") == []


@pytest.mark.parametrize("seed", range(20))
def test_whoever_comes_and_goes_all_together_never_have_more(store: SqlStore, seed: int) -> None:
    """Each sends as ``bot/pace.py`` does: up to its share, and what it sent counts a while."""
    chance = random.Random(seed)
    in_use: dict[str, int] = {}
    share: dict[str, int] = {}
    at = AT
    for number in range(120):
        at += timedelta(seconds=0.3)
        do = chance.random()
        if do < 0.08 and len(share) < 6:
            share[f"w{number}"] = in_use[f"w{number}"] = 0
            store.beat(f"w{number}", roles=(), machine="m", process="p", now=at)
        elif do < 0.12 and share:
            gone = chance.choice(sorted(share))
            store.dismiss(gone, seen_at=at, now=at)
            del share[gone], in_use[gone]
        for worker in chance.sample(sorted(share), k=min(len(share), 2)):
            held = max(share[worker], in_use[worker])
            share[worker] = ask(store, worker, in_use=held, now=at).share
            in_use[worker] = max(share[worker], in_use[worker] - chance.randrange(12))
        assert sum(max(share[one], in_use[one]) for one in share) <= 30
