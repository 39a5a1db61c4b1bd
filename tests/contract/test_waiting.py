"""Broadcasts that wait, for their hour or for their wave, hold up no others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.protocol import Receipt
from storage.records import write_instant
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, MUCH_LATER, begin, claim, person, rows, wave

LONG_AFTER = MUCH_LATER + timedelta(days=1)


def invite(store: SqlStore, wave_id: str, *, late: bool = False) -> None:
    """Invite Ann to a wave; ``late``: after all that these tests are about."""
    respondent = person(store)
    assert begin(
        store,
        respondent,
        f"s-{wave_id}",
        wave_id=wave_id,
        invitation_id=f"i-{wave_id}",
        lane=1,
        due_at=LONG_AFTER if late else AT,
    )


def claimed(store: SqlStore) -> list[str]:
    """Claim broadcasts and give whose waves they are, as the rows stand."""
    ids = {message.outbox_id for message in claim(store, lane=1)}
    return [str(row["wave_id"]) for row in rows(store, "outbox") if row["outbox_id"] in ids]


@pytest.fixture
def waved(store: SqlStore) -> SqlStore:
    for name in ("first", "second"):
        store.open_wave(wave(name))
    return store


@pytest.mark.parametrize("state", ["paused", "closing"])
def test_a_wave_that_sends_nothing_holds_up_no_other(waved: SqlStore, state: str) -> None:
    invite(waved, "first")
    invite(waved, "second")
    waved.set_wave("first", state=state)
    assert claimed(waved) == ["second"]
    assert claimed(waved) == []
    waved.release_claims("telegram")
    waved.set_wave("first", state="open")
    assert claimed(waved) == ["first"]


def test_quiet_hours_of_one_wave_hold_up_no_other(waved: SqlStore) -> None:
    invite(waved, "first", late=True)
    invite(waved, "second")
    assert claimed(waved) == ["second"]
    # One at a time, though both are due by now.
    assert claim(waved, lane=1, now=LONG_AFTER) != []
    assert claim(waved, lane=1, now=LONG_AFTER) == []


def test_two_that_are_due_go_one_after_the_other(waved: SqlStore) -> None:
    invite(waved, "first", late=True)
    invite(waved, "second")
    [message] = claim(waved, lane=1, now=LONG_AFTER)
    assert claim(waved, lane=1, now=LONG_AFTER) == []
    waved.settle(
        [Receipt(outbox_id=message.outbox_id, outcome="sent", position="1")], now=LONG_AFTER
    )
    assert len(claim(waved, lane=1, now=LONG_AFTER)) == 1


def test_one_that_is_tried_again_later_keeps_its_place(waved: SqlStore) -> None:
    """Nobody is written to around a message that their platform did not take just now."""
    invite(waved, "first")
    invite(waved, "second")
    [message] = claim(waved, lane=1)
    receipt = Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=LONG_AFTER)
    waved.settle([receipt], now=LATER)
    assert claimed(waved) == []
    assert [row["due_at"] for row in rows(waved, "outbox")] == [
        write_instant(LONG_AFTER), write_instant(AT),
    ]  # fmt: skip


def test_what_a_wave_has_still_to_send_can_be_dropped(waved: SqlStore) -> None:
    for name in ("first", "second"):
        invite(waved, name)
    waved.drop_broadcasts("first")
    assert [row["wave_id"] for row in rows(waved, "outbox")] == ["second"]
    assert waved.counts("first", now=AT).waiting == 0


def test_who_leaves_a_cohort_is_not_sent_what_its_waves_had_to_say(waved: SqlStore) -> None:
    waved.open_wave(wave("elsewhere", cohort="hillside"))
    for name in ("first", "elsewhere"):
        invite(waved, name)
    waved.join("ann", "riverside", on=AT.date())
    waved.leave("ann", "riverside", at=AT)
    assert [row["wave_id"] for row in rows(waved, "outbox")] == ["elsewhere"]
