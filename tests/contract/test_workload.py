"""How much there is to do, and whether the store can be written at all."""

from __future__ import annotations

from datetime import timedelta

from dialogues.prompts import Prompt
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    LATER,
    answered,
    claim,
    consented,
    go_on,
    person,
    rows,
    wave,
)


def test_an_empty_house_has_nothing_to_do(store: SqlStore) -> None:
    load = store.workload()
    assert (load.outbox, load.n_untagged, load.n_open_waves) == ((), 0, 0)


def test_messages_that_were_not_sent_are_counted(store: SqlStore) -> None:
    for name in ("ann", "bob"):
        store.say(person(store, name), [Prompt(text="x"), Prompt(text="y")], at=AT)
    claim(store, limit=1)
    load = store.workload()
    counted = {(one.channel, one.lane, one.state): one.count for one in load.outbox}
    assert counted == {("telegram", 0, "claimed"): 1, ("telegram", 0, "pending"): 3}
    assert {one.oldest_at for one in load.outbox} == {AT}


def test_answers_that_wait_for_the_tagger_are_counted(store: SqlStore) -> None:
    for name, of in (("ann", None), ("bob", ANONYMOUS)):
        respondent = person(store, name)
        options = {} if of is None else {"of": of}
        consented(store, respondent, f"s-{name}", **options)
        why = answered("why", "Words", text="Words")
        go_on(store, respondent, why, session_id=f"s-{name}")
    # Bob's is nobody's to read before he sends it.
    assert store.workload().n_untagged == 1
    [untagged] = store.untagged("m@1", limit=9)
    store.save_codings(untagged, [], coding_ids=[], coder="m@1", at=LATER, error="broke")
    assert store.workload().n_untagged == 0


def test_open_waves_are_counted(store: SqlStore) -> None:
    store.open_wave(wave())
    assert store.workload().n_open_waves == 1
    store.set_wave(wave().wave_id, state="paused")
    assert store.workload().n_open_waves == 0


def test_a_probe_is_written_and_read_and_leaves_one_row(store: SqlStore) -> None:
    before = rows(store, "meta")
    for minute in range(3):
        assert store.probe(at=AT + timedelta(minutes=minute))
    assert len(rows(store, "meta")) == len(before) + 1
