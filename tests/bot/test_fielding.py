"""How a wave is fielded stands when the configuration, the cohort or the process changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.base import CohortLeft, CohortListed
from tests.bot.place import MONTHLY, RIVERSIDE, Place, zoned

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
WAVE = "monthly-riverside-2026-12-01"


def states(place: Place) -> dict[str, str]:
    return {wave.wave_id: wave.state for wave in place.run(lambda store: store.waves())}


# A pulse that is renamed or dropped ---------------------------------------------------


def test_a_renamed_pulse_keeps_inviting_its_own_roles_only(place: Place) -> None:
    partners = replace(MONTHLY, roles=("partner",))
    place.set_up(partners)
    place.join("ann")
    place.join("sue", channel="slack")
    place.tick(OPENS)
    place.set_up(replace(partners, name="every-month"))
    place.join("tom", channel="slack")
    place.tick(OPENS + timedelta(hours=2))
    assert sorted(place.dispositions()) == ["sue", "tom"]
    place.write("ann", "/start")
    assert sorted(place.dispositions()) == ["sue", "tom"]


def test_a_renamed_pulse_keeps_its_quiet_hours(place: Place) -> None:
    """Also where the cohort, with its time zone, is renamed too."""
    quiet = replace(MONTHLY, quiet_hours=(20 * 60, 8 * 60), cohorts=("york",))
    york = zoned("york", "America/New_York")
    place.set_up(quiet, cohorts=(york,))
    place.tick(datetime(2026, 12, 1, 15, 0, tzinfo=UTC))
    place.set_up(replace(quiet, name="other", cohorts=("new",)), cohorts=(zoned("new", "UTC"),))
    place.join("ann", cohort="york")
    place.tick(datetime(2026, 12, 2, 1, 0, tzinfo=UTC))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 2, 12, 59, tzinfo=UTC))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 2, 13, 0, tzinfo=UTC))
    assert list(place.texts()) == ["ann"]


@pytest.mark.parametrize(("before", "after"), [(None, 1), (1, None)])
def test_a_wave_keeps_how_many_questions_each_person_gets(
    place: Place, before: int | None, after: int | None
) -> None:
    place.set_up(replace(MONTHLY, questions_per_person=before))
    place.tick(OPENS)
    place.set_up(replace(MONTHLY, name="other", questions_per_person=after))
    place.join("ann")
    place.tick(OPENS + timedelta(hours=2))
    (row,) = place.rows("select session_id from sessions")
    stored = place.run(lambda store: store.session(row["session_id"]))
    assert stored is not None
    assert (stored.session.draw is None) is (before is None)


# Opened by hand -----------------------------------------------------------------------


def test_a_wave_opened_by_hand_stands_for_the_one_due_that_day(place: Place) -> None:
    place.join("ann")
    place.clock.at = OPENS - timedelta(hours=1)
    wave = place.waves.plan(MONTHLY, RIVERSIDE, place.clock())
    assert place.waves.open(wave, place.run)
    for minutes in (-59, 0, 1, 60 * 24 * 9):
        place.tick(OPENS + timedelta(minutes=minutes))
        assert states(place) == {WAVE: "open"}
    place.tick(OPENS + timedelta(days=10))
    assert states(place) == {WAVE: "closed"}
    place.tick(datetime(2027, 1, 1, 10, 0, tzinfo=UTC))
    assert states(place)["monthly-riverside-2027-01-01"] == "open"


def test_a_wave_opened_by_hand_the_day_before_makes_way(place: Place) -> None:
    place.clock.at = OPENS - timedelta(days=1)
    wave = place.waves.plan(MONTHLY, RIVERSIDE, place.clock())
    assert wave.closes_at == OPENS


# Who is reminded ----------------------------------------------------------------------


def leave(place: Place, name: str) -> None:
    address = place.address(name, "slack")
    place.take(CohortLeft(address=address, place="C1", **place.event()))


def test_who_left_the_cohort_is_not_reminded(place: Place) -> None:
    place.join("sue", "tom", channel="slack")
    place.tick(OPENS)
    assert sorted(place.texts("slack")) == ["sue", "tom"]
    leave(place, "sue")
    place.tick(OPENS + timedelta(days=2))
    assert list(place.texts("slack")) == ["tom"]
    reminders = place.rows("select respondent_id, reminders n from invitations order by 1")
    assert [row["n"] for row in reminders] == [0, 1]


def test_who_left_the_cohort_is_not_sent_what_waited(place: Place) -> None:
    place.set_up(replace(MONTHLY, quiet_hours=(9 * 60, 20 * 60)))
    place.join("sue", "tom", channel="slack")
    place.tick(OPENS)
    leave(place, "sue")
    place.tick(datetime(2026, 12, 1, 20, 0, tzinfo=UTC))
    assert list(place.texts("slack")) == ["tom"]


def test_a_reminder_that_two_look_at_goes_once(place: Place) -> None:
    """Two workers read the same rows; the second finds that the first has done it."""
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.clock.at = OPENS + timedelta(days=2)
    due = place.run(lambda store: store.reminders_due(WAVE, now=place.clock(), limit=9))
    assert len(due) == 1
    place.tick()
    assert len(place.texts()["ann"]) == 1
    reminder = place.waves._reminder
    place.run(lambda store: reminder._look_at_all(store, wave_id=WAVE, due=due))
    place.set_up()
    place.tick(OPENS + timedelta(days=2, minutes=1))
    assert place.texts() == {}
    (row,) = place.rows("select reminders n from invitations")
    assert row["n"] == 1


def listed(place: Place, *names: str, at: str = "C1") -> None:
    """Let a complete list of a channel come."""
    found = frozenset(place.address(name, "slack").platform_id for name in names)
    place.take(CohortListed(channel="slack", place=at, platform_ids=found, **place.event()))


def members(place: Place) -> list[str]:
    return [row["respondent_id"] for row in place.rows("select * from memberships order by 1")]


def test_who_left_the_channel_while_we_were_down_has_left(place: Place) -> None:
    place.join("sue", "tom", channel="slack")
    place.join("ann")  # On Telegram: no channel of Slack's says anything of her.
    place.join("ron", channel="slack", cohort="elsewhere")
    place.tick(OPENS)
    place.texts("slack")
    listed(place, "tom", "somebody new", at="C9")
    assert members(place) == ["ann", "ron", "sue", "tom"]
    listed(place, "tom", "somebody new")
    assert members(place) == ["ann", "ron", "tom"]
    place.tick(OPENS + timedelta(days=2))
    assert list(place.texts("slack")) == ["tom"]


async def test_a_list_that_breaks_the_runner_is_passed_over(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("marker-of-words")

    monkeypatch.setattr(place.runner, "_leave_unlisted", broken)
    found = CohortListed(
        channel="slack", place="C1", platform_ids=frozenset({"x"}), **place.event()
    )
    await place.runner.receive(found)
    assert "An inbound of slack broke the runner: ValueError" in caplog.text
    assert "marker-of-words" not in caplog.text
    assert place.texts("slack") == {}
