"""Tidying up goes on at every tick, little by little, and nobody notices it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from bot import sweeping
from bot.sweeping import EVENTS_KEPT, SENT_KEPT, Sweeper
from storage.open import open_store
from storage.protocol import Store
from storage.writer import Writer
from tests.bot.place import Place
from tests.bot.ports import FakeClock

COUNT = "select count(*) as n from {}"


def count(place: Place, table: str) -> int:
    n: int = place.rows(COUNT.format(table))[0]["n"]
    return n


def test_events_are_known_for_eight_days(place: Place, clock: FakeClock) -> None:
    sweeper = Sweeper(now=clock)
    for _ in range(11):
        place.run(lambda store: store.take_event(f"{clock()}", on=clock().date()))
        clock.pass_(days=1)
        for _ in range(3):
            sweeper.tick(place.run)
            clock.pass_(seconds=5)
    days = [row["received_on"] for row in place.rows("select * from inbound order by 2")]
    assert days[0] == str((clock() - EVENTS_KEPT).date())
    assert len(days) == 8


def test_each_tick_looks_at_one_page_and_a_round_is_followed_by_a_rest(
    place: Place, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_PAGE", 10)

    def fill(store: Store) -> None:
        for number in range(35):
            store.take_event(str(number), on=clock().date())

    place.run(fill)
    clock.pass_(days=20)
    sweeper = Sweeper(now=clock)
    left = [count(place, "inbound")]
    for _ in range(5):
        sweeper.tick(place.run)
        left.append(count(place, "inbound"))
    # Where the first round began is left to chance; what was before it goes in the next one.
    assert all(0 <= before - after <= 10 for before, after in pairwise(left))
    clock.pass_(hours=1)
    for _ in range(5):
        sweeper.tick(place.run)
    assert count(place, "inbound") == 0
    place.run(fill)
    clock.pass_(days=20)
    for _ in range(6):
        sweeper.tick(place.run)
    assert count(place, "inbound") == 0


def test_nothing_is_asked_of_the_store_while_it_rests(place: Place, clock: FakeClock) -> None:
    asked = 0

    def run(job):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return place.run(job)

    sweeper = Sweeper(now=clock)
    sweeper.tick(run)
    sweeper.tick(run)
    clock.pass_(minutes=59)
    sweeper.tick(run)
    assert asked == 2
    clock.pass_(minutes=1)
    sweeper.tick(run)
    assert asked == 4


def hold(path: Path, *, swept: bool) -> tuple[list[dict[str, list[str]]], list[str]]:
    """Let two waves and an open check-in go by, and then everything that somebody may do months
    later; give what was shown, and what is kept of it.
    """
    clock = FakeClock()
    url = f"sqlite:///{path}"
    writer = Writer(lambda: open_store(url))
    place = Place(writer, clock, url)
    place.join("ann", "bob")
    for month in (12, 1):
        place.tick(clock.at.replace(year=2026 + (month == 1), month=month, day=1, hour=11))
        place.answer("ann", "I agree", "yes", "We meet.")
        place.answer("bob", "I agree")
        place.tick(clock.pass_(days=11))
        place.texts()
    place.answer("ann", "/start", "I agree", "no", "It depends.")
    old_words = place.said["ann"]
    clock.pass_(days=3)
    place.set_up(cohorts=())
    clock.pass_(days=SENT_KEPT.days)
    before = count(place, "outbox")
    if swept:
        Sweeper(now=clock).tick(place.run)
    assert (count(place, "outbox") < before) is swept
    place.edit("ann", old_words, "It depends on us.")
    shown = [place.texts()]
    for name in ("ann", "bob"):
        for words in ("hello", "yes", "/back", "/mydata", "/start", "I agree", "yes", "More."):
            place.write(name, words)
            shown.append(place.texts())
    texts = [row["text"] for row in place.rows("select text from answers order by 1")]
    writer.close()
    return shown, texts


def test_people_who_come_back_months_later_are_answered_alike(tmp_path: Path) -> None:
    shown, texts = hold(tmp_path / "swept.db", swept=True)
    assert (shown, texts) == hold(tmp_path / "all.db", swept=False)
    assert "It depends on us." in texts
    assert sum(len(said) for said in shown) >= 16
