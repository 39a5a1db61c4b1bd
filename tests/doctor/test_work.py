"""What is stuck is found: messages, answers to read, waves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.doctor import work
from nlp.languages import NOT_TAGGED
from storage.open import open_store
from storage.protocol import Receipt
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, MUCH_LATER, claim, tell_all, wave
from tests.doctor.conftest import Configure, found

ENGINES = ["sqlite", "postgres"]


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """A store in which messages wait since ``AT``, and nobody has read the answers."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with closing(open_store(url)) as store:
        with store.transaction():
            tell_all(store)
        yield store


class TestOutbox:
    """Messages."""

    def test_what_has_just_fallen_due_is_no_trouble(self, store: SqlStore) -> None:
        found(work.outbox(store, now=LATER, running=True), "outbox", "ok", "4 messages due")

    def test_nothing_is_due(self, store: SqlStore) -> None:
        early = AT - timedelta(days=1)
        found(work.outbox(store, now=early, running=True), "outbox", "ok", "Nothing is due")

    def test_what_does_not_leave(self, store: SqlStore) -> None:
        findings = list(work.outbox(store, now=MUCH_LATER, running=True))
        finding = found(findings, "outbox", "trouble", "4 on telegram")
        assert "for 1 h" in finding.found

    def test_nobody_is_there_to_send(self, store: SqlStore) -> None:
        findings = work.outbox(store, now=MUCH_LATER, running=False)
        found(findings, "outbox", "warning", "Start `pulse run`")

    def test_a_paused_wave_is_not_stuck(self, store: SqlStore) -> None:
        store._driver.run("update outbox set lane = 1, wave_id = :id", {"id": wave().wave_id})
        store.set_wave(wave().wave_id, state="paused")
        found(work.outbox(store, now=MUCH_LATER, running=True), "outbox", "ok", "Nothing")

    def test_claims_past_their_time(self, store: SqlStore) -> None:
        assert claim(store, now=AT)
        findings = list(work.outbox(store, now=MUCH_LATER, running=True))
        found(findings, "outbox claims", "warning", "2 messages were taken up")

    def test_claims_of_this_moment_are_none(self, store: SqlStore) -> None:
        assert claim(store, now=AT)
        checks = {one.check for one in work.outbox(store, now=LATER, running=True)}
        assert checks == {"outbox"}

    def test_what_was_given_up(self, store: SqlStore) -> None:
        found([work.dead_letters(store)], "dead letters", "ok")
        [first, *_] = claim(store)
        store.settle(
            [Receipt(outbox_id=first.outbox_id, outcome="dead", error="x")], now=MUCH_LATER
        )
        found([work.dead_letters(store)], "dead letters", "warning", "1 on telegram")


class TestTagging:
    """Answers that nobody has read."""

    def test_all_is_read(self, store: SqlStore) -> None:
        found([work.tagging(store, running=False)], "tagging", "ok")

    def test_some_wait(self, store: SqlStore) -> None:
        store._driver.run("update answers set tagged_by = null", {})
        found([work.tagging(store, running=True)], "tagging", "ok", "2 answers wait")
        found([work.tagging(store, running=False)], "tagging", "warning", "Start")

    def test_too_many_wait(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        store._driver.run("update answers set tagged_by = null", {})
        monkeypatch.setattr(work, "_MANY", 1)
        found([work.tagging(store, running=True)], "tagging", "warning", "Look at the log")

    def test_some_broke_the_model(self, store: SqlStore) -> None:
        store._driver.run("update answers set tag_error = 'it broke'", {})
        found([work.tagging(store, running=True)], "tagging", "warning", "2 answers could not")

    def test_some_are_in_a_language_that_the_model_does_not_know(self, store: SqlStore) -> None:
        store._driver.run("update answers set tag_error = :why", {"why": NOT_TAGGED})
        found([work.tagging(store, running=True)], "tagging", "ok", "2 answers in a language")
        found([work.tagging(store, running=False)], "tagging", "ok", "0 answers wait")


class TestWaves:
    """Waves that should be closed."""

    def test_one_is_open(self, store: SqlStore) -> None:
        found([work.waves(store, now=LATER, running=True)], "waves", "ok", "1 wave open")

    def test_one_is_late(self, store: SqlStore) -> None:
        late = AT + timedelta(days=11)
        finding = found([work.waves(store, now=late, running=True)], "waves", "trouble")
        assert wave().wave_id in finding.found
        found([work.waves(store, now=late, running=False)], "waves", "warning", "Start")

    def test_one_is_paused(self, store: SqlStore) -> None:
        store.set_wave(wave().wave_id, state="paused")
        found([work.waves(store, now=LATER, running=True)], "waves", "ok", "paused: monthly")

    def test_one_has_no_end(self, store: SqlStore) -> None:
        store.open_wave(wave("forever", closes_at=None))
        far = AT + timedelta(days=1)
        found([work.waves(store, now=far, running=True)], "waves", "ok", "2 waves open")


PULSES = """
[[cohort]]
name = "riverside"
timezone = "Pacific/Auckland"
[[pulse]]
name = "monthly"
survey = "partnership-pulse"
cohorts = ["riverside"]
cron = "0 10 1 * *"
"""


def test_the_next_opening_is_told(configure: Configure) -> None:
    at = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
    finding = found([work.next_opening(configure(PULSES), now=at)], "schedule", "ok")
    assert "monthly for riverside, opens in 30 min (2026-12-01 10:00 Pacific/Auckland)" in (
        finding.found
    )
    found([work.next_opening(configure(), now=at)], "schedule", "ok", "by hand")
