"""Waves: opened once when they are due, invited to, reminded of, closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import new_id
from tests.bot.place import MONTHLY, Place, zoned

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
WAVE = "monthly-riverside-2026-12-01"


def opened(place: Place) -> list[str]:
    return [wave.wave_id for wave in place.run(lambda store: store.waves())]


# Opening ------------------------------------------------------------------------------


def test_a_wave_opens_when_it_is_due_and_not_before(place: Place) -> None:
    place.tick(OPENS - timedelta(seconds=1))
    assert opened(place) == []
    place.tick(OPENS)
    assert opened(place) == [WAVE]


def test_it_opens_once_however_often_we_look(place: Place) -> None:
    place.join("ann")
    for seconds in [*range(120), *range(120, 86_400, 601)]:
        place.tick(OPENS + timedelta(seconds=seconds))
    assert opened(place) == [WAVE]
    assert len(place.texts()["ann"]) == 1


def test_it_opens_once_across_restarts(place: Place) -> None:
    place.join("ann")
    for hours in range(0, 48, 2):
        place.set_up()
        place.tick(OPENS + timedelta(hours=hours))
    assert opened(place) == [WAVE]
    assert len(place.texts()["ann"]) == 1


def test_a_pulse_that_is_new_opens_nothing_for_the_past(place: Place) -> None:
    place.tick(OPENS + timedelta(days=3))
    assert opened(place) == []
    place.tick(OPENS + timedelta(hours=2))
    assert opened(place) == []


def test_a_new_pulse_opens_up_to_an_hour_late(place: Place) -> None:
    place.tick(OPENS + timedelta(minutes=59))
    assert opened(place) == [WAVE]


def test_a_pulse_with_a_new_name_does_not_ask_the_same_again_that_day(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.set_up(replace(MONTHLY, name="renamed"))
    place.tick(OPENS + timedelta(minutes=30))
    assert opened(place) == [WAVE]
    assert len(place.texts()["ann"]) == 1
    place.tick(datetime(2027, 1, 1, 10, 0, tzinfo=UTC))
    assert opened(place) == ["renamed-riverside-2027-01-01", WAVE]


def test_a_second_pulse_may_ask_the_same_on_the_same_day(place: Place) -> None:
    place.set_up(MONTHLY, replace(MONTHLY, name="second"))
    place.tick(OPENS)
    assert set(opened(place)) == {WAVE, "second-riverside-2026-12-01"}


def test_a_known_pulse_opens_late_after_we_were_down(place: Place) -> None:
    place.tick(OPENS)
    later = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)
    place.tick(later + timedelta(days=4))
    assert opened(place) == ["monthly-riverside-2027-01-01", WAVE]
    (newest, *_) = place.run(lambda store: store.waves())
    assert newest.opens_at == later
    assert newest.closes_at == later + timedelta(days=10)


def test_it_does_not_open_when_most_of_its_time_is_over(place: Place) -> None:
    place.tick(OPENS)
    place.tick(datetime(2027, 1, 7, 10, 0, tzinfo=UTC))
    assert opened(place) == [WAVE]


@pytest.mark.parametrize("close_after", [None, timedelta(days=5)])
@pytest.mark.parametrize(
    ("cron", "day", "next_opening"),
    [
        ("30 9 * * THU", datetime(2026, 11, 27, 11, 0, tzinfo=UTC), "2026-12-03T09:30"),
        ("0 10 1 * *", datetime(2026, 12, 2, 11, 0, tzinfo=UTC), "2027-01-01T10:00"),
        ("0 10 1 * *", datetime(2026, 12, 5, 11, 0, tzinfo=UTC), "2027-01-01T10:00"),
    ],
)
def test_a_first_wave_opened_by_hand_runs_as_long_as_any(
    place: Place, cron: str, day: datetime, next_opening: str, close_after: timedelta | None
) -> None:
    pulse = replace(MONTHLY, cron=cron, close_after=close_after)
    following = datetime.fromisoformat(f"{next_opening}+00:00")
    place.set_up(pulse)
    place.join("ann")
    place.tick(day - timedelta(minutes=5))
    place.clock.at = day
    by_hand = place.waves.plan(pulse, place.waves.house.cohorts[0], day)
    assert place.waves.open(by_hand, place.run)
    closes_at = min(following, day + (close_after or timedelta(days=365)))
    for later in (timedelta(seconds=5), timedelta(hours=3), timedelta(days=1, hours=2)):
        place.set_up(pulse)
        place.tick(day + later)
        (wave,) = place.run(lambda store: store.waves())
        assert (wave.state, wave.closes_at) == ("open", closes_at)
    place.tick(following - timedelta(minutes=1))
    place.tick(following)
    states = {wave.wave_id: wave.state for wave in place.run(lambda store: store.waves())}
    assert states == {
        by_hand.wave_id: "closed",
        f"monthly-riverside-{following:%Y-%m-%d}": "open",
    }


def test_what_was_due_does_not_open_once_a_hand_was_faster(place: Place) -> None:
    weekly = replace(MONTHLY, cron="30 9 * * THU", close_after=None)
    place.set_up(weekly)
    (cohort,) = place.waves.house.cohorts
    place.tick(datetime(2026, 11, 19, 9, 30, tzinfo=UTC))
    place.clock.at = day = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
    due = place.waves.due(weekly, cohort, place.run)
    assert due is not None
    assert due.wave_id == "monthly-riverside-2026-11-26"
    assert place.waves.open(place.waves.plan(weekly, cohort, day), place.run)
    assert not place.waves.open(due, place.run)
    place.tick(day)
    states = {wave.wave_id: wave.state for wave in place.run(lambda store: store.waves())}
    assert states == {
        "monthly-riverside-2026-11-27": "open",
        "monthly-riverside-2026-11-19": "closed",
    }


def test_the_wave_before_is_closed_when_the_next_opens(place: Place) -> None:
    place.set_up(replace(MONTHLY, close_after=None))
    place.join("ann")
    place.tick(OPENS)
    place.tick(datetime(2027, 1, 1, 10, 0, tzinfo=UTC))
    states = {wave.wave_id: wave.state for wave in place.run(lambda store: store.waves())}
    assert states == {WAVE: "closed", "monthly-riverside-2027-01-01": "open"}


def test_each_cohort_has_a_wave_at_its_own_local_time(place: Place) -> None:
    place.set_up(
        replace(MONTHLY, cohorts=("york", "perth")),
        cohorts=(zoned("york", "America/New_York"), zoned("perth", "Australia/Perth")),
    )
    seen = {}
    for hours in range(-24, 24):
        place.tick(OPENS + timedelta(hours=hours))
        for wave in opened(place):
            seen.setdefault(wave, place.clock())
    assert seen == {
        "monthly-perth-2026-12-01": datetime(2026, 12, 1, 2, 0, tzinfo=UTC),
        "monthly-york-2026-12-01": datetime(2026, 12, 1, 15, 0, tzinfo=UTC),
    }


# Quiet hours --------------------------------------------------------------------------


def test_invitations_wait_until_the_quiet_hours_are_over(place: Place) -> None:
    place.set_up(replace(MONTHLY, cron="0 22 1 * *", quiet_hours=(20 * 60, 8 * 60)))
    place.join("ann")
    place.tick(datetime(2026, 12, 1, 22, 0, tzinfo=UTC))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 2, 7, 59, tzinfo=UTC))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 2, 8, 0, tzinfo=UTC))
    assert len(place.texts()["ann"]) == 1


def test_reminders_and_closings_wait_until_the_quiet_hours_are_over(place: Place) -> None:
    place.set_up(
        replace(
            MONTHLY,
            quiet_hours=(20 * 60, 8 * 60),
            remind_after=(timedelta(hours=12),),
            close_after=timedelta(hours=36),
        )
    )
    place.join("ann", "ben")
    place.tick(OPENS)
    place.texts()
    place.answer("ben", "yes", "yes")
    place.tick(OPENS + timedelta(hours=12))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 2, 8, 0, tzinfo=UTC))
    assert list(place.texts()) == ["ann"]
    place.tick(OPENS + timedelta(hours=36))
    assert place.texts() == {}
    place.tick(datetime(2026, 12, 3, 8, 0, tzinfo=UTC))
    assert list(place.texts()) == ["ben"]
    assert place.run(lambda store: store.waves(state="open")) == []


# Inviting -----------------------------------------------------------------------------


def test_members_of_the_roles_are_invited_on_their_channel(place: Place) -> None:
    place.set_up(replace(MONTHLY, roles=("partner",)))
    place.join("ann")
    place.join("sue", channel="slack")
    place.tick(OPENS)
    assert place.texts() == {}
    assert list(place.texts("slack")) == ["sue"]


def test_who_joins_later_is_invited(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    assert list(place.texts()) == ["ann"]
    place.join("ben")
    place.tick(OPENS + timedelta(days=1))
    assert list(place.texts()) == ["ben"]


def test_who_stopped_or_cannot_be_reached_is_not_invited(place: Place) -> None:
    place.join("ann", "ben", "cat")
    place.run(lambda store: store.opt_out("ann", at=place.clock()))
    place.run(lambda store: store.set_reachable("ben", False, at=place.clock()))
    place.tick(OPENS)
    assert list(place.texts()) == ["cat"]
    assert list(place.dispositions()) == ["cat"]


def test_a_whole_cohort_is_invited_in_batches(place: Place) -> None:
    names = [f"n{number:03}" for number in range(230)]
    place.join(*names)
    place.tick(OPENS)
    assert sorted(name for name, _ in place.deliver()) == names


def test_what_is_written_for_neighbours_lies_together(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inviting.BATCH", 5)
    place.new_id = new_id
    place.set_up()
    place.join(*(f"n{number:03}" for number in range(40)))
    place.tick(OPENS)
    for table, name in (("invitations", "invitation_id"), ("sessions", "session_id")):
        rows = place.rows(f"select {name} as id from {table} order by respondent_id")
        pages = [{row["id"][:8] for row in rows[first : first + 5]} for first in range(0, 40, 5)]
        assert all(len(page) == 1 for page in pages), table
        # In one look, pages come after each other; what tells rows of a page apart is chance.
        assert [max(page) for page in pages] == sorted(max(page) for page in pages)
        assert max(len(row["id"]) for row in rows) <= 24


def test_a_paused_wave_sends_nothing(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.run(lambda store: store.set_wave(WAVE, state="paused"))
    place.join("ben")
    for days in range(10):
        place.tick(OPENS + timedelta(days=days, minutes=1))
        assert place.texts() == {}
    place.run(lambda store: store.set_wave(WAVE, state="open"))
    place.tick(OPENS + timedelta(days=9, hours=1))
    assert sorted(place.texts()) == ["ann", "ben"]


def test_while_a_wave_is_paused_who_is_invited_may_begin_and_nobody_else(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    assert len(place.texts()["ann"]) == 1
    place.run(lambda store: store.set_wave(WAVE, state="paused"))
    place.join("late")
    place.tick(OPENS + timedelta(hours=1))
    assert place.texts() == {}
    place.write("late", "/start")
    place.answer("ann", "yes", "yes", "We meet often.")
    assert place.dispositions() == {"ann": "complete"}
    (response,) = place.rows("select * from responses where wave_id = ?", WAVE)
    assert response["respondent_id"] == "ann"


def test_somebody_in_a_wave_may_answer_while_it_is_paused(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.run(lambda store: store.set_wave(WAVE, state="paused"))
    place.write("ann", "yes")
    assert "[goals]" in place.texts()["ann"][-1]


# Reminding ----------------------------------------------------------------------------


def test_a_reminder_on_the_last_day_says_the_hour(place: Place) -> None:
    place.set_up(replace(MONTHLY, remind_after=(timedelta(days=9), timedelta(days=9, hours=20))))
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.tick(OPENS + timedelta(days=9))
    assert "open until 11 December." in place.texts()["ann"][0]
    place.tick(OPENS + timedelta(days=9, hours=20))
    assert "open until 10:00 on 11 December." in place.texts()["ann"][0]


def test_reminders_go_once_each_to_who_has_answered_nothing(place: Place) -> None:
    place.join("ann", "ben", "cat", "dan")
    place.tick(OPENS)
    place.texts()
    place.answer("ben", "yes")  # Agreed, and answered nothing yet.
    place.answer("cat", "yes", "yes")
    place.answer("dan", "yes", "yes", "We meet.")
    seen: dict[str, list[int]] = {}
    for hours in range(24 * 9):
        place.tick(OPENS + timedelta(hours=hours))
        for name, texts in place.texts().items():
            seen.setdefault(name, []).extend([hours] * len(texts))
    assert seen == {"ann": [48, 120], "ben": [48, 120]}
    reminders = place.rows("select respondent_id, reminders n from invitations order by 1")
    assert [row["n"] for row in reminders] == [2, 2, 0, 0]


def test_after_a_long_stop_of_ours_one_reminder_goes_not_two(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.tick(OPENS + timedelta(days=6))
    place.set_up()
    place.tick(OPENS + timedelta(days=6, minutes=1))
    assert len(place.texts()["ann"]) == 1


def test_who_stopped_in_another_conversation_is_not_reminded_nor_told_of_the_closing(
    place: Place,
) -> None:
    place.join("ann", "ben")
    place.tick(OPENS)
    place.texts()
    for name in ("ann", "ben"):
        place.answer(name, "yes", "yes")
    place.run(lambda store: store.opt_out("ann", at=place.clock()))
    place.tick(OPENS + timedelta(days=10))
    assert list(place.texts()) == ["ben"]
    assert place.dispositions()["ann"] == place.dispositions()["ben"]


# Closing ------------------------------------------------------------------------------


def test_closing_settles_every_invitation(place: Place) -> None:
    place.join("all", "half", "none", "no", "stop")
    place.tick(OPENS)
    place.texts()
    place.answer("all", "yes", "yes", "We meet.")
    place.answer("half", "yes", "yes")
    place.answer("no", "no thanks")
    place.answer("stop", "yes", "stop")
    place.tick(OPENS + timedelta(days=10))
    outcome = place.dispositions()
    assert outcome["all"] == "complete"
    assert outcome["half"] == "partial"
    assert outcome["none"] == "non_contact"
    assert outcome["no"] == "refusal"
    assert outcome["stop"] == "break_off"
    assert list(place.texts()) == ["half"]
    counts = place.run(lambda store: store.counts(WAVE, now=place.clock()))
    assert (counts.invited, counts.consented, counts.waiting) == (5, 3, 0)


def test_an_invitation_that_never_left_is_not_sent_after_the_closing(place: Place) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.tick(OPENS + timedelta(days=10))
    assert place.texts() == {}


# Who may begin ------------------------------------------------------------------------


def test_a_citizen_is_not_given_the_partners_wave(place: Place) -> None:
    partners = replace(MONTHLY, name="partners", roles=("partner",), survey_id="secret")
    place.set_up(MONTHLY, partners)
    place.join("ann")
    place.tick(OPENS)
    place.clock.pass_(minutes=5)
    place.answer("ann", "yes", "yes", "We meet.")
    assert "anonymous" not in "".join(place.answer("ann", "/start"))
    assert {row["wave_id"] for row in place.rows("select wave_id from invitations")} == {WAVE}


def test_somebody_without_a_cohort_is_not_given_the_partners_survey(place: Place) -> None:
    partners = replace(MONTHLY, name="partners", roles=("partner",), survey_id="secret")
    place.set_up(partners)
    place.tick(OPENS)
    place.write("new", "/start")
    assert "anonymous" not in "".join(place.texts()["new"])


def test_start_goes_on_with_the_invitation_that_waits(place: Place) -> None:
    other = replace(MONTHLY, name="other", survey_id="secret")
    place.set_up(MONTHLY, other)
    place.join("ann")
    place.tick(OPENS)
    prompts = [prompt for _, prompt in place.deliver()]
    (small,) = [
        prompt
        for prompt in prompts
        if "Small survey" in prompt.text and "anonymous" not in prompt.text
    ]
    agree = next(option for option in small.options if option.label == "I agree")
    place.press("ann", agree.token)
    assert "[why]" in place.answer("ann", "yes")[-1]
    assert "Thank you." in place.answer("ann", "We meet.")[-1]
    assert "anonymous" in place.answer("ann", "/start")[-1]


def test_a_clock_that_runs_on_while_we_work_does_no_harm(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(place.clock), "__call__", lambda clock: clock.pass_(microseconds=1))
    place.join("ann", "bob")
    place.tick(OPENS)
    assert {row["respondent_id"] for row in place.rows("select * from invitations")} == {
        "ann",
        "bob",
    }
    place.tick(OPENS + timedelta(days=2))
    place.tick(OPENS + timedelta(days=10, seconds=1))
    assert place.rows("select state from waves") == [{"state": "closed"}]
