"""One person's inbound: whose conversation it may move, and what coming back means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import methodcaller

import pytest

from bot.clock.fatigue import Budget
from bot.house import PulsePlan
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.talk import survey_of

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def test_a_button_moves_only_its_own_persons_conversation(place: Place) -> None:
    place.write("ann", "/start")
    (_, consent) = place.deliver()[-1]
    agree = next(one.token for one in consent.options if one.label == "I agree")
    before = place.rows("select * from sessions")
    place.press("bob", agree)
    assert (
        place.rows("select * from sessions where session_id = ?", before[0]["session_id"]) == before
    )
    for table in ("consents", "responses", "answers"):
        assert place.rows(f"select * from {table}") == []
    place.answer("bob", "/start")
    place.press("bob", agree)
    assert place.rows("select * from consents") == []
    place.press("ann", agree)
    assert len(place.rows("select * from consents")) == 1


def alone(place: Place, *pulses: PulsePlan) -> None:
    """Have a cohort with nothing open outside its waves."""
    place.set_up(*pulses, cohorts=(replace(RIVERSIDE, survey_id=None, days_off=(5, 6)),))


@pytest.mark.parametrize(
    ("cron", "day", "dydd"),
    [
        ("0 10 1 * *", "1 December", "1 Rhagfyr"),
        ("0 10 28 11 *", "30 November", "30 Tachwedd"),  # A Saturday, which is off.
    ],
)
def test_who_joins_while_nothing_is_open_hears_when_something_comes(
    place: Place, cron: str, day: str, dydd: str
) -> None:
    alone(place, replace(MONTHLY, cron=cron))
    place.clock.at = OPENS - timedelta(days=4)
    joined = place.answer("ann", "/start river")
    assert joined == [
        "You have joined Riverside.",
        f"No check-in is open now. The next one is planned for {day}, and I will write to you"
        " then.",
    ]
    person = place.rows("select respondent_id from respondents")[0]["respondent_id"]
    place.run(methodcaller("set_language", person, "cy"))
    assert place.answer("ann", "diolch") == [
        f"Does dim arolwg ar agor nawr. Mae'r nesaf wedi'i drefnu ar gyfer {dydd}, a bydda i'n"
        " ysgrifennu atoch chi bryd hynny."
    ]
    told = {}
    for days in range(4, -1, -1):
        place.tick(OPENS - timedelta(days=days))
        if "ann" in place.texts():
            told[place.clock().date()] = True
    assert [f"{on.day} {on:%B}" for on in told] == [day]


def test_who_joins_with_nothing_planned_for_them_hears_that(place: Place) -> None:
    alone(place, replace(MONTHLY, roles=("partner",)))
    assert place.answer("ann", "/start river")[-1] == (
        "No check-in is open now, and none is planned for you yet."
    )
    assert place.answer("bob", "/start elsewhere")[-1] == "No check-in is open now."
    place.answer("ann", "/stop")
    assert place.answer("ann", "thanks")[-1] == "No check-in is open now."


def test_who_says_start_after_stop_hears_from_us_again(place: Place) -> None:
    place.answer("ann", "/start", "yes", "/stop")
    assert place.rows("select opted_out_at from respondents") != [{"opted_out_at": None}]
    place.answer("ann", "/start")
    assert place.rows("select opted_out_at from respondents") == [{"opted_out_at": None}]
    assert len(place.rows("select * from sessions")) == 1


def test_who_repeats_words_that_nobody_answered_yet_has_not_answered_the_next_question(
    place: Place,
) -> None:
    def answers() -> dict[str, str | None]:
        return {row["question_id"]: row["value"] for row in place.rows("select * from answers")}

    place.answer("ann", "/start", "I agree")
    place.write("ann", "yes")
    # The program dies while the next question is on its way: nobody knows whether it arrived.
    place.run(lambda store: place.claim(store, "telegram"))
    place.run(methodcaller("release_claims", "telegram"))
    place.write("ann", " Yes ")
    assert answers() == {"goals": "yes", "why": None}
    # It comes again, and once it has been seen the same words are the answer to it.
    assert ["[why]" in prompt.text for _, prompt in place.deliver()] == [True]
    place.write("ann", "yes")
    assert answers() == {"goals": "yes", "why": "yes"}


def test_other_words_may_answer_a_question_that_may_have_arrived(place: Place) -> None:
    place.answer("ann", "/start", "I agree")
    place.write("ann", "yes")
    place.run(lambda store: place.claim(store, "telegram"))
    place.run(methodcaller("release_claims", "telegram"))
    place.write("ann", "We meet.")
    assert place.rows("select value from answers where question_id = 'why'") == [
        {"value": "We meet."}
    ]


def test_the_same_words_may_answer_a_question_that_has_just_left(place: Place) -> None:
    place.answer("ann", "/start", "I agree")
    place.write("ann", "yes")
    place.run(lambda store: place.claim(store, "telegram"))
    place.write("ann", "yes")
    assert place.rows("select value from answers where question_id = 'why'") == [{"value": "yes"}]


# Who has just come, with several waves open --------------------------------------------


def two_waves(place: Place) -> None:
    other = survey_of({"id": "rest", "kind": "yesno", "text": "Rested? [rest]"}, survey="other")
    weekly = replace(MONTHLY, name="weekly", survey_id="other")
    place.set_up(MONTHLY, weekly, more=(other,), budget=Budget())
    place.tick(OPENS)


@pytest.mark.parametrize("stopped", [False, True])
def test_who_has_just_come_is_asked_for_consent_once(place: Place, stopped: bool) -> None:
    if stopped:
        place.join("ann")
        place.answer("ann", "/stop")
    two_waves(place)
    place.write("ann", "/start" if stopped else "/start river")
    assert sum("May we keep your answers?" in text for text in place.texts()["ann"]) == 1
    for minutes in (1, 2, 60 * 24):
        place.tick(OPENS + timedelta(minutes=minutes))
        assert place.texts() == {}
    rows = place.rows("select reason from dispositions where state = 'rejected'")
    assert [row["reason"] for row in rows] == ["fatigue"]
    place.answer("ann", "no")
    place.tick(OPENS + timedelta(days=2))
    assert place.texts() == {}


def test_what_a_member_begins_themselves_costs_no_invitation(place: Place) -> None:
    two_waves(place)
    place.join("ann")
    place.answer("ann", "/start", "no")
    place.tick(OPENS + timedelta(minutes=1))
    assert len(place.texts()["ann"]) == 1


THREE = survey_of(
    {"id": "first", "kind": "yesno", "text": "Same goal? [first]"},
    {"id": "second", "kind": "yesno", "text": "Same plan? [second]"},
    {"id": "third", "kind": "text", "text": "Why? [third]"},
    survey="three",
)


def reach(place: Place, *texts: str) -> None:
    """Write, and let what is shown arrive, save after the last: it is in doubt."""
    place.set_up(cohorts=(replace(RIVERSIDE, survey_id="three"),), more=(THREE,))
    place.answer("ann", "/start", *texts[:-1])
    place.write("ann", texts[-1])
    place.run(lambda store: place.claim(store, "telegram"))
    place.run(methodcaller("release_claims", "telegram"))


def shown(place: Place) -> list[str]:
    return [prompt.text.split("[")[-1].split("]")[0] for _, prompt in place.deliver()]


@pytest.mark.parametrize("again", ["skip", " Skip ", "/skip"])
def test_who_skips_once_more_skips_nothing_that_may_not_have_arrived(
    place: Place, again: str
) -> None:
    reach(place, "I agree", "skip")
    place.write("ann", again)
    assert shown(place) == ["second"]
    place.write("ann", "skip")
    assert shown(place) == ["third"]


def test_who_goes_back_once_more_stays_where_that_led(place: Place) -> None:
    reach(place, "I agree", "yes", "no", "back")
    place.write("ann", "back")
    assert shown(place) == ["second"]
    place.write("ann", "back")
    assert shown(place) == ["first"]


def test_who_agrees_once_more_has_not_answered_the_first_question(place: Place) -> None:
    reach(place, "yes")
    place.write("ann", "Yes")
    assert shown(place) == ["first"]
    assert place.rows("select * from answers where value is not null") == []


def test_who_skips_after_an_answer_skips_the_question_that_may_have_arrived(place: Place) -> None:
    reach(place, "I agree", "yes")
    place.write("ann", "skip")
    assert shown(place) == ["third"]


def test_who_goes_back_after_an_answer_goes_back_to_it(place: Place) -> None:
    reach(place, "I agree", "yes", "no")
    place.write("ann", "back")
    assert shown(place) == ["second"]


@pytest.mark.parametrize("before", [[], ["/start"], ["/start", "yes"]])
def test_who_joins_and_types_on_at_once_reads_first_that_they_joined(
    place: Place, before: list[str]
) -> None:
    place.answer("ann", *before)
    place.write("ann", "/start river")
    place.write("ann", "yes")
    [joined, *more] = place.texts()["ann"]
    assert joined == "You have joined Riverside."
    assert more


def test_who_joins_and_agreed_before_reads_first_that_they_joined(place: Place) -> None:
    place.answer("ann", "/start", "yes", "yes", "We meet.")
    place.write("ann", "/start river")
    place.write("ann", "no")
    [joined, asked] = place.texts()["ann"]
    assert joined == "You have joined Riverside."
    assert "[goals]" in asked
