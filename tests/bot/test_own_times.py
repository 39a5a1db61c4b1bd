"""People rule their own clock from the chat: what waits moves at once, and nothing comes twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.base import CohortSeen
from bot.clock.fatigue import Budget
from dialogues.prompts import Prompt
from dialogues.times import read_wish
from storage.protocol import NO_END, Timing
from tests.bot.place import ANONYMOUS, MONTHLY, RIVERSIDE, Place
from tests.talk import survey_of

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: Long enough for every reminder; the wave is open for ten days.
WEEK = 7 * DAY


#: What is read, and not what is kept: one engine shows it.
one_engine = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/pulse.db"


def timing(place: Place, name: str = "ann") -> Timing:
    return place.run(lambda store: store.timing(name))


def ask(place: Place, *words: str, name: str = "ann", channel: str = "telegram") -> str:
    """Let somebody ask; gives what was answered last, before what comes of our own accord."""
    said = ""
    for word in words:
        place.write(name, word, channel=channel)
        said = place.texts(channel)[name][0]
    return said


def asked(place: Place, words: str) -> Prompt:
    """Let somebody ask; gives the answer with its buttons."""
    place.write("ann", words)
    return place.deliver()[-1][1]


def button(prompt: Prompt, label: str) -> str:
    return next(one.token for one in prompt.options if one.label == label)


def walk(place: Place, until: datetime, step: timedelta = HOUR) -> list[tuple[datetime, str, str]]:
    """Tick and send until then; gives when who got what of our own accord."""
    came = []
    while place.clock() < until:
        place.tick(place.clock() + step)
        came += [(place.clock(), name, prompt.text) for name, prompt in place.deliver()]
    return came


def invited(place: Place, name: str = "ann") -> list[str]:
    """Give the waves to which somebody's invitation was sent."""
    rows = place.rows(
        "select wave_id from outbox where number = 0 and state = 'sent' and respondent_id = ?"
        " order by wave_id",
        name,
    )
    return [row["wave_id"] for row in rows]


def begin(place: Place, *names: str) -> None:
    """Open the wave of the first of December; what is due then is left to be sent."""
    place.set_up()
    place.clock.at = OPENS - HOUR
    place.join(*names)


def hours_of(came: list[tuple[datetime, str, str]], name: str = "ann") -> list[str]:
    return [f"{at:%d %H:%M}" for at, who, _ in came if who == name]


# What waits moves -------------------------------------------------------------------------


def test_an_invitation_that_waits_comes_at_the_new_hour_and_at_no_other(place: Place) -> None:
    begin(place, "ann", "bob")
    said = ask(place, "/times 18:00")
    assert said == (
        "Noted ✓ I will write to you at 18:00, by the clock of Europe/London.\n"
        "To see or change your times, type /times."
    )
    place.tick(OPENS)
    assert list(place.texts()) == ["bob"]
    assert "What waits for you comes on 1 December at 12:00." in ask(place, "/times noon")
    assert hours_of(walk(place, OPENS + 12 * HOUR)) == ["01 12:00"]


def test_an_hour_that_has_passed_lets_it_come_now(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    place.clock.at = OPENS + 2 * HOUR
    assert "What waits for you comes now." in ask(place, "/times 11:00")
    assert invited(place) == ["monthly-riverside-2026-12-01"]
    assert walk(place, OPENS + 10 * HOUR) == []


@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Pacific/Kiritimati", "America/Los_Angeles"),
        ("America/Los_Angeles", "Pacific/Kiritimati"),
        ("Asia/Kolkata", "Europe/London"),
        ("America/New_York", "Asia/Tokyo"),
    ],
)
def test_who_changes_zone_amid_a_wave_is_invited_once(
    place: Place, first: str, then: str, delivered: bool
) -> None:
    """Before their own ten o'clock, and after it."""
    begin(place, "ann", "bob")
    ask(place, f"/times {first}")
    place.clock.at = OPENS - 20 * HOUR
    while not place.rows("select * from invitations where respondent_id = 'ann'"):
        place.tick(place.clock() + HOUR / 2)
    while delivered and not invited(place):
        walk(place, place.clock() + HOUR / 2)
    ask(place, f"/times {then}")
    walk(place, OPENS + 2 * DAY - HOUR)
    assert invited(place) == ["monthly-riverside-2026-12-01"]
    assert len(place.rows("select * from invitations where respondent_id = 'ann'")) == 1


def test_a_daily_pulse_comes_at_most_once_a_day_however_often_the_zone_changes(
    place: Place,
) -> None:
    daily = replace(MONTHLY, cron="0 10 * * *", remind_after=(), close_after=None)
    place.set_up(daily)
    place.clock.at = OPENS - 30 * HOUR
    place.join("ann")
    zones = ["Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Europe/London"]
    for number in range(25):
        place.write("ann", f"/times {zones[number % len(zones)]}")
        place.deliver()
        for _ in range(5):
            place.tick(place.clock() + HOUR)
            place.deliver()
    assert len(invited(place)) >= 3
    assert set(Counter(invited(place)).values()) == {1}


def test_days_off_put_off_what_waits(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    # The first of December 2026 is a Tuesday.
    said = ask(place, "/times not tue wed")
    assert "I will not write to you on: Tuesday, Wednesday." in said
    assert "What waits for you comes on 3 December at 18:00." in said
    assert hours_of(walk(place, OPENS + 3 * DAY)) == ["03 18:00"]


def test_quiet_hours_put_it_off_till_they_end(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    said = ask(place, "/times not 17:00-20:30")
    assert "Your hour is in your quiet hours, so I write when they end, at 20:30." in said
    assert hours_of(walk(place, OPENS + DAY, HOUR / 2)) == ["01 20:30"]


# Pauses -----------------------------------------------------------------------------------


def test_a_pause_lets_it_come_on_the_day_it_ends(place: Place) -> None:
    begin(place, "ann", "bob")
    ask(place, "/times 11:00")
    place.tick(OPENS)
    place.deliver()
    said = ask(place, "/pause 3 days")
    assert "I will not invite or remind you before 4 December." in said
    assert "What waits for you comes on 4 December at 11:00." in said
    came = walk(place, OPENS + 5 * DAY)
    assert hours_of(came) == ["04 11:00"]
    assert hours_of(came, "bob") == ["03 10:00", "06 10:00"]


def test_a_pause_that_outlasts_the_wave_is_recorded_as_the_schedule_does(place: Place) -> None:
    begin(place, "ann", "bob")
    for name in ("ann", "bob"):
        ask(place, "/times 18:00", name=name)
    place.tick(OPENS)
    said = ask(place, "/pause until 12 January")
    assert "Something that waited for you does not fit in any more" in said
    ask(place, "/pause", "/pause until I say", name="bob")
    assert timing(place, "bob").paused_until == NO_END
    place.tick(OPENS + HOUR)
    for name in ("ann", "bob"):
        (held,) = place.rows("select * from invitations where respondent_id = ?", name)
        assert (held["state"], held["due_at"]) == ("rejected", None)
    assert place.rows("select distinct number, reason from unsent") == [
        {"number": 0, "reason": "away"}
    ]
    assert place.rows("select * from sessions") == []
    assert walk(place, OPENS + 2 * DAY) == []
    # Back within the wave: it comes after all, and once.
    assert "Welcome back" in ask(place, "/resume")
    assert place.rows("select respondent_id from unsent") == [{"respondent_id": "bob"}]
    came = walk(place, OPENS + 3 * DAY)
    assert [who for _, who, _ in came] == ["ann"]
    assert timing(place) == Timing(minute=18 * 60)


def test_reminders_wait_and_what_has_begun_goes_on(place: Place) -> None:
    begin(place, "ann")
    place.tick(OPENS)
    place.deliver()
    place.clock.at = OPENS + DAY
    assert "What you have begun goes on" in ask(place, "/pause 1 week")
    assert "[goals]" in ask(place, "yes")
    assert walk(place, OPENS + 7 * DAY + 12 * HOUR, 6 * HOUR) == []
    came = walk(place, OPENS + 9 * DAY, 6 * HOUR)
    # Of the two reminders whose time came meanwhile the last one comes, at their hour.
    assert hours_of(came) == ["09 10:00"]
    assert "You have begun Small survey" in came[0][2]


def test_a_pause_over_the_closing_leaves_no_reminder_and_resuming_brings_it_back(
    place: Place,
) -> None:
    begin(place, "ann")
    place.tick(OPENS)
    place.deliver()
    place.clock.at = OPENS + DAY
    ask(place, "/pause 1 month")
    place.tick()
    unsent = "select number, reason from unsent order by number"
    assert place.rows(unsent) == [{"number": n, "reason": "away"} for n in (1, 2)]
    ask(place, "/resume")
    assert place.rows(unsent) == []
    assert hours_of(walk(place, OPENS + 6 * DAY, 6 * HOUR)) == ["03 10:00", "06 10:00"]


def test_of_two_that_fall_together_the_first_comes_and_the_budget_is_kept(place: Place) -> None:
    """Both waves are open early, for bob, who is far east; ann's two invitations wait."""
    pulses = [
        replace(MONTHLY, name=name, cron=f"0 {hour} 1 * *", remind_after=())
        for name, hour in (("first", 10), ("second", 17))
    ]
    place.set_up(*pulses, budget=Budget(invitations=1, per=6 * HOUR))
    place.clock.at = OPENS - DAY
    place.join("ann", "bob")
    ask(place, "/times Kiritimati", name="bob")
    walk(place, OPENS - 3 * HOUR)
    waiting = "select due_at from outbox where state = 'pending' order by due_at"
    assert [row["due_at"][11:16] for row in place.rows(waiting)] == ["10:00", "17:00"]
    # Seven hours later both are due at once, and that is one too many.
    said = ask(place, "/times 18:00")
    assert "comes on 1 December at 18:00" in said
    assert "Something that waited for you does not fit in" in said
    assert place.rows("select wave_id, reason from unsent") == [
        {"wave_id": "second-riverside-2026-12-01", "reason": "fatigue"}
    ]
    walk(place, OPENS + 12 * HOUR)
    assert invited(place) == ["first-riverside-2026-12-01"]
    assert len(invited(place, "bob")) == 2


def test_what_was_sent_counts_when_something_else_moves(place: Place) -> None:
    pulses = [
        replace(MONTHLY, name=name, cron=f"0 {hour} 1 * *", remind_after=())
        for name, hour in (("first", 10), ("second", 17))
    ]
    place.set_up(*pulses, budget=Budget(invitations=1, per=6 * HOUR))
    place.clock.at = OPENS - DAY
    place.join("ann", "bob")
    ask(place, "/times Kiritimati", name="bob")
    walk(place, OPENS + HOUR)
    assert invited(place) == ["first-riverside-2026-12-01"]
    assert "does not fit in any more" in ask(place, "/times 12:00")
    walk(place, OPENS + 12 * HOUR)
    assert invited(place) == ["first-riverside-2026-12-01"]


def test_who_is_taken_back_counts_in_no_draw(place: Place) -> None:
    pool = [
        {"id": f"q{n}", "kind": "yesno", "text": f"Well? {n}", "enabler": f"e{n}"} for n in range(4)
    ]
    survey = survey_of(*pool, survey="drawn")
    pulse = replace(MONTHLY, survey_id="drawn", questions_per_person=2)
    place.set_up(pulse, more=(survey,))
    place.clock.at = OPENS - HOUR
    place.join("ann", "bob")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    place.deliver()
    count = "select sum(n) as n from draws"
    assert place.rows(count) == [{"n": 4}]
    ask(place, "/pause until 12 January")
    assert place.rows(count) == [{"n": 2}]
    ask(place, "/resume")
    place.tick()
    assert place.rows(count) == [{"n": 4}]


# Words ------------------------------------------------------------------------------------


def test_times_alone_shows_how_it_stands(place: Place) -> None:
    begin(place, "ann")
    shown = asked(place, "/times")
    assert shown.text.startswith(
        "When I write to you of my own accord:\n"
        "• by the clock of Europe/London, as for everybody; it is 09:00 there now\n"
        "• at each check-in's usual time: 10:00\n"
        "• with no days off of your own\n"
        "\n"
        "To change it, press a button, or type for example:\n"
        "/times 18:00\n"
    )
    labels = [one.label for one in shown.options]
    assert labels == ["09:00", "13:00", "18:00", "Not at weekends", "Pause"]
    for label in ("18:00", "Not at weekends"):
        place.press("ann", button(shown, label))
    place.deliver()
    for words in ("/times Tokyo", "/times not 22:00-07:00", "/pause 1 week"):
        ask(place, words)
    shown = asked(place, "/times")
    assert shown.text.startswith(
        "When I write to you of my own accord:\n"
        "• by the clock of Asia/Tokyo, as you said; it is 18:00 there now\n"
        "• at 18:00, as you said\n"
        "• never on: Saturday, Sunday\n"
        "• never from 22:00 to 07:00\n"
        "You are paused: I will not write to you before 8 December.\n"
    )
    labels = [one.label for one in shown.options]
    assert labels == ["09:00", "13:00", "Any day", "As usual", "Resume"]
    place.press("ann", button(shown, "As usual"))
    assert "I go by the usual times again" in place.texts()["ann"][0]
    assert timing(place) == Timing(paused_until=date(2026, 12, 8))
    place.press("ann", button(shown, "Resume"))
    place.deliver()
    assert timing(place) == Timing()


def test_what_holds_for_everybody_is_said_too(place: Place) -> None:
    cohort = replace(RIVERSIDE, holidays="GB-WLS", days_off=(6,))
    weekly = replace(MONTHLY, name="weekly", cron="30 8 * * 1", quiet_hours=(1200, 480))
    place.set_up(replace(MONTHLY, days_off=(5,)), weekly, cohorts=(cohort,))
    place.join("ann")
    assert (
        "• at each check-in's usual time: 08:30, 10:00\n"
        "• with no days off of your own\n"
        "• with these kept free for everybody: Sunday, public holidays\n"
        "• with these kept free in some check-ins: Saturday, 20:00 to 08:00\n"
    ) in ask(place, "/times")
    place.run(lambda store: store.set_language("ann", "cy"))
    assert (
        "• gyda'r rhain yn rhydd i bawb: dydd Sul, gwyliau cyhoeddus\n"
        "• gyda'r rhain yn rhydd mewn rhai arolygon: dydd Sadwrn, 20:00 i 08:00\n"
    ) in ask(place, "/times")
    # Of what they are not asked nothing is said.
    place.join("sue", cohort="elsewhere")
    assert "• at each check-in's usual time\n• with no days off of your own\n\n" in ask(
        place, "/times", name="sue"
    )


def test_what_buttons_offer_can_be_read(place: Place) -> None:
    begin(place, "ann")
    for words in ("/times", "/pause", "/times nonsense7", "/times Birmingham", "/times Londn"):
        for one in asked(place, words).options:
            said = one.token.split(".", 2)[2].replace("_", " ")
            assert not hasattr(read_wish(said, OPENS.date()), "key"), said
            assert len(one.token) <= 64


@one_engine
@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/times 25:00", "Sorry, I did not understand, so nothing has changed. Type a time"),
        ("/times Xyzzy", "I do not know that place, so nothing has changed. Type a large city"),
        ("/times Londn", "Did you mean one of these?"),
        ("/times Birmingham", "There is more than one of that name."),
        ("/times not mon tue wed thu fri sat sun", "That leaves no day at all"),
        ("/times not 8-8", "Sorry, I did not understand"),
        ("/pause for a bit", "Sorry, I did not understand how long"),
        ("/pause until 1 November 2026", "That day is not ahead of us"),
        ("/pause 99 years", "That is very long"),
        ("/resume", "You are not paused"),
        ("/times " + "x" * 5_000, "Sorry, I did not understand"),
    ],
)
def test_what_cannot_be_done_is_answered_and_changes_nothing(
    place: Place, words: str, answer: str
) -> None:
    begin(place, "ann")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    before = (timing(place), place.rows("select outbox_id, due_at from outbox where number = 0"))
    said = ask(place, words)
    assert answer in said
    assert "xxx" not in said
    after = (timing(place), place.rows("select outbox_id, due_at from outbox where number = 0"))
    assert after == before


def test_which_of_two_places_is_pressed(place: Place) -> None:
    begin(place, "ann")
    which = asked(place, "/times Birmingham")
    assert [one.label for one in which.options] == ["Europe/London", "America/Chicago"]
    place.press("ann", button(which, "America/Chicago"))
    assert "I go by the clock of America/Chicago" in place.texts()["ann"][0]
    assert timing(place).timezone == "America/Chicago"


def test_in_slack_plain_words_do_and_an_answer_stays_an_answer(place: Place) -> None:
    place.set_up()
    place.clock.at = OPENS - HOUR
    place.join("sue", channel="slack")
    place.tick(OPENS)
    place.deliver("slack")
    place.answer("sue", "yes", "yes", channel="slack")
    assert "comes at your usual time" in ask(
        place, "pause 1 week", "resume", name="sue", channel="slack"
    )
    # Asked for just now, a place is no answer to the open question that waits.
    ask(place, "times", name="sue", channel="slack")
    assert "Europe/Paris" in ask(place, "times paris", name="sue", channel="slack")
    ask(place, "They take their times", channel="slack", name="sue")
    answers = place.rows("select text from answers where question_id = 'why'")
    assert answers == [{"text": "They take their times"}]
    assert timing(place, "sue").timezone == "Europe/Paris"


def test_a_plain_place_at_an_open_question_is_an_answer(place: Place) -> None:
    begin(place, "ann")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "yes", "yes", "times change")
    answers = place.rows("select text from answers where question_id = 'why'")
    assert answers == [{"text": "times change"}]
    assert timing(place) == Timing()


def test_in_welsh_it_is_said_in_welsh(place: Place) -> None:
    begin(place, "ann")
    place.run(lambda store: store.set_language("ann", "cy"))
    assert "Fydda i ddim yn ysgrifennu atoch chi ar: dydd Sadwrn, dydd Sul." in (
        ask(place, "amserau dim penwythnosau")
    )
    assert "cyn 15 Rhagfyr" in ask(place, "saib 2 wythnos")
    # Amid a survey that is in English only, too.
    place.tick(OPENS)
    place.deliver()
    assert "Croeso'n ôl" in ask(place, "ailddechrau")


def test_who_agreed_to_nothing_may_rule_their_clock_too(place: Place) -> None:
    begin(place)
    assert "I will write to you at 18:00" in ask(place, "/times 18:00", name="new")
    assert place.rows("select * from responses") == []
    assert place.rows("select * from consents") == []
    assert place.rows("select minute from timings") == [{"minute": 18 * 60}]


def test_a_pause_that_is_over_is_none(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/pause 3 days")
    place.clock.at = OPENS + 4 * DAY
    assert "You are not paused" in ask(place, "/resume")
    assert "paused" not in asked(place, "/times").text


# What is kept -----------------------------------------------------------------------------


def test_mydata_shows_all_of_it_and_forget_removes_it(place: Place) -> None:
    begin(place, "ann")
    place.tick(OPENS)
    place.deliver()
    place.clock.at = OPENS + DAY
    for words in ("/times Tokyo", "/times 18:00", "/times not sat", "/times not 22:00-07:00"):
        ask(place, words)
    place.run(lambda store: store.tell_timezone("ann", "Europe/Paris"))
    ask(place, "/pause 1 month")
    place.tick()
    letter = "\n".join(place.answer("ann", "/mydata"))
    for line in (
        "Your time zone, as you said: Asia/Tokyo",
        "Your time zone, as Telegram says: Europe/Paris",
        "You want to be written to at: 18:00",
        "You want no message on: Saturday",
        "You want no message from 22:00 to 07:00",
        "You are paused until 2 January 2027.",
        "  Reminder 1 was not sent, 2 December: you were away",
        "  Reminder 2 was not sent, 2 December: you were away",
    ):
        assert line in letter.splitlines(), letter
    place.answer("ann", "/forget", "/forget")
    for table in ("timings", "unsent", "invitations", "sessions", "respondents"):
        assert place.rows(f"select * from {table}") == [], table


def test_mydata_says_of_whom_nothing_was_asked_that_nothing_was(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/pause until I say")
    place.tick(OPENS)
    letter = "\n".join(place.answer("ann", "/mydata"))
    assert "You are paused until you say so." in letter
    assert "We did not ask you to answer “Small survey”, which was open on 1 December." in letter
    assert "we did not ask 10:00 (you were away)" in letter
    assert "We asked you" not in letter


def test_an_anonymous_survey_is_ruled_alike(place: Place) -> None:
    place.set_up(replace(MONTHLY, survey_id="secret"), more=(ANONYMOUS,))
    place.clock.at = OPENS - HOUR
    place.join("ann")
    ask(place, "/times 18:00")
    place.tick(OPENS)
    ask(place, "/pause 2 days")
    assert hours_of(walk(place, OPENS + 3 * DAY)) == ["03 18:00"]


# What a platform says -----------------------------------------------------------------------


def seen(place: Place, name: str, timezone: str | None) -> None:
    place.take(
        CohortSeen(
            address=place.address(name, "slack"),
            place="C1",
            language="en",
            timezone=timezone,
            **place.event(),
        )
    )


def test_the_zone_that_slack_says_holds_until_they_say_another(place: Place) -> None:
    place.set_up()
    place.clock.at = OPENS - 12 * HOUR
    seen(place, "sue", "America/New_York")
    (name,) = [row["respondent_id"] for row in place.rows("select * from respondents")]
    assert timing(place, name) == Timing(told_timezone="America/New_York")
    shown = place.answer("sue", "times", channel="slack")[-1]
    assert "by the clock of America/New_York, as Slack says" in shown
    place.tick(OPENS)
    assert place.deliver("slack") == []
    # They moved to Berlin, and Slack with them: what waits moves along, and comes now.
    seen(place, "sue", "Europe/Berlin")
    place.tick(OPENS + HOUR / 2)
    assert [who for who, _ in place.deliver("slack")] == ["sue"]
    place.answer("sue", "times Tokyo", channel="slack")
    seen(place, "sue", "America/New_York")
    kept = timing(place, name)
    assert (kept.timezone, kept.told_timezone) == ("Asia/Tokyo", "America/New_York")
    place.answer("sue", "times usual", channel="slack")
    assert timing(place, name) == Timing(told_timezone="America/New_York")


@one_engine
@pytest.mark.parametrize("timezone", [None, "Europe/Nowhere", "../../etc/passwd"])
def test_what_is_no_zone_is_not_kept(place: Place, timezone: str | None) -> None:
    place.set_up()
    seen(place, "sue", timezone)
    assert place.rows("select * from timings") == []
    assert len(place.rows("select * from memberships")) == 1


# Who has stopped ---------------------------------------------------------------------------

STOPPED = "You have stopped, so I do not write to you of my own accord. To come back, type /start."
KEPT = "Noted ✓ I have kept that for when you come back."


def test_who_has_stopped_is_told_so_whatever_they_say_of_their_times(place: Place) -> None:
    begin(place, "ann")
    ask(place, "/stop")
    assert ask(place, "/resume") == STOPPED
    assert ask(place, "/times 18:00") == f"{KEPT}\n{STOPPED}"
    assert ask(place, "/times").startswith(f"{STOPPED}\n\nWhen I write to you")
    assert ask(place, "/pause").startswith(f"{STOPPED}\nHow long")
    assert ask(place, "/pause 2 weeks") == f"{KEPT}\n{STOPPED}"
    assert ask(place, "/resume") == STOPPED
    assert timing(place) == Timing(minute=18 * 60)
    assert walk(place, OPENS + DAY) == []
    ask(place, "/start")
    assert ask(place, "/resume").startswith("You are not paused: I write to you as usual.")


def test_in_slack_and_in_welsh_it_is_said_alike(place: Place) -> None:
    place.join("sue", channel="slack")
    ask(place, "stop", name="sue", channel="slack")
    assert ask(place, "resume", name="sue", channel="slack") == STOPPED.replace("/", "")
    place.run(lambda store: store.set_language("sue", "cy"))
    assert ask(place, "ailddechrau", name="sue", channel="slack").startswith("Rydych chi wedi stop")
