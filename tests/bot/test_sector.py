"""The sector in an installation: asked once, kept, changed, and never before consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dialogues.survey import Survey
from tests.bot.place import ANONYMOUS, MONTHLY, RIVERSIDE, SURVEY, Place

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
NEXT = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)
ASKING: Survey = SURVEY.model_copy(update={"survey_id": "asking", "ask_sector": True})
HIDDEN: Survey = ANONYMOUS.model_copy(update={"survey_id": "hidden", "ask_sector": True})
PULSE = replace(MONTHLY, survey_id="asking")
QUESTION = "Who do you answer as?"


def set_up(place: Place, **changes: object) -> None:
    standing = replace(RIVERSIDE, survey_id=None)
    place.set_up(replace(PULSE, **changes), cohorts=(standing,), more=(ASKING, HIDDEN))


def person(place: Place, name: str) -> tuple[str | None, str]:
    (row,) = place.rows("select sector, role from respondents where respondent_id = ?", name)
    return row["sector"], row["role"]


def responses(place: Place) -> list[tuple[str | None, str]]:
    rows = place.rows("select sector, role from responses order by started_at, response_id")
    return [(row["sector"], row["role"]) for row in rows]


def test_it_is_asked_in_the_first_wave_and_in_no_other(place: Place) -> None:
    set_up(place)
    place.join("ann")
    place.tick(OPENS)
    place.deliver()
    assert person(place, "ann") == (None, "citizen")
    shown = place.answer("ann", "yes", "a business", "yes", "We meet.")
    assert QUESTION in shown[0]
    assert person(place, "ann") == ("business", "partner")
    assert responses(place) == [("business", "partner")]
    set_up(place)
    place.tick(NEXT)
    place.deliver()
    shown = place.answer("ann", "yes", "yes", "We meet.")
    assert QUESTION not in "".join(shown)
    assert responses(place) == [("business", "partner")] * 2


def test_rather_not_say_is_not_asked_again_and_leaves_the_role(place: Place) -> None:
    set_up(place)
    place.join("sue", channel="slack")
    place.tick(OPENS)
    place.deliver("slack")
    place.answer("sue", "yes", "rather not say", "yes", channel="slack")
    assert person(place, "sue") == ("undisclosed", "partner")
    assert responses(place) == [("undisclosed", "partner")]
    place.tick(NEXT)
    place.deliver("slack")
    assert QUESTION not in "".join(place.answer("sue", "yes", "yes", channel="slack"))


def test_nothing_of_it_is_kept_before_consent(place: Place) -> None:
    set_up(place)
    place.join("ann")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "role", "a business", "no", "role", "a business")
    assert person(place, "ann") == (None, "citizen")
    assert responses(place) == []


def test_a_conversation_that_began_before_it_was_known_does_not_ask_again(place: Place) -> None:
    """Two invitations at once; the sector is said in the first that is answered."""
    other = replace(PULSE, name="other")
    place.set_up(PULSE, other, cohorts=(RIVERSIDE,), more=(ASKING, HIDDEN))
    place.join("ann")
    place.tick(OPENS)
    prompts = [prompt for _, prompt in place.deliver()]
    assert len(prompts) == 2
    for prompt in prompts:
        place.press("ann", next(one.token for one in prompt.options if one.label == "I agree"))
        shown = place.texts()["ann"][-1]
        if prompt is prompts[0]:
            assert QUESTION in shown
            place.write("ann", "a resident")
            place.deliver()
        else:
            assert QUESTION not in shown
    assert responses(place) == [("citizen", "citizen")] * 2


def test_who_is_asked_of_which_role_follows_it(place: Place) -> None:
    """Somebody on Telegram who answers as a business is asked as a partner from then on."""
    set_up(place)
    place.join("ann")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "yes", "a business", "yes", "We meet.")
    set_up(place, roles=("citizen",))
    place.tick(NEXT)
    assert place.texts() == {}
    place.answer("ann", "role", "a resident")
    assert person(place, "ann") == ("citizen", "citizen")
    # What was answered before stays what it was.
    assert responses(place) == [("business", "partner")]
    place.tick(NEXT)
    assert list(place.texts()) == ["ann"]


def test_it_is_shown_and_erased_with_the_rest(place: Place) -> None:
    set_up(place)
    place.join("ann")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "yes", "a charity", "yes", "We meet.")
    assert "You answer as: A charity or community group" in "".join(place.answer("ann", "/mydata"))
    place.answer("ann", "/forget", "/forget")
    assert place.rows("select * from respondents") == []


def test_it_goes_with_an_anonymous_response_and_names_nobody(place: Place) -> None:
    set_up(place, survey_id="hidden")
    names = ["ann", "bob", "cat", "dan", "eve", "fay"]
    place.join(*names)
    place.tick(OPENS)
    place.deliver()
    for name in names:
        sector = "a business" if name == "ann" else "a resident"
        place.answer(name, "yes", sector, "yes", "send")
    assert sorted({sector for sector, _ in responses(place)}) == ["business", "citizen"]
    [wave] = place.run(lambda store: store.waves())
    place.waves.close(wave.wave_id, place.run)
    assert person(place, "ann") == ("business", "partner")
    # Five residents and one business: nobody's sector is left that fewer than five share.
    assert {sector for sector, _ in responses(place)} == {"withheld"}


def test_in_the_lobby_it_can_be_changed_by_who_agreed_once(place: Place) -> None:
    set_up(place, survey_id="hidden")
    place.join("ann", "bob")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "yes", "a business", "yes", "send")
    place.write("ann", "/role")
    [(_, asked)] = place.deliver()
    place.press("ann", asked.options[3].token)
    assert place.texts()["ann"] == ["Noted: A resident ✓ To change it, type /role."]
    assert person(place, "ann") == ("citizen", "citizen")


def test_who_is_in_the_middle_of_it_is_being_asked(place: Place) -> None:
    """An invitation that comes meanwhile does not take what they type."""
    other = replace(PULSE, name="other", cron="30 10 1 * *")
    place.set_up(PULSE, other, cohorts=(RIVERSIDE,), more=(ASKING, HIDDEN))
    place.join("ann")
    place.tick(OPENS)
    place.deliver()
    place.answer("ann", "yes")
    place.tick(OPENS.replace(minute=30))
    place.deliver()
    place.answer("ann", "a business")
    assert person(place, "ann") == ("business", "partner")
