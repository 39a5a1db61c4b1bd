"""Who somebody answers as: asked once, after consent and before anything else, and changed."""

from __future__ import annotations

from typing import Any

import pytest

from dialogues import lobby, messages
from dialogues.asking import SECTOR
from dialogues.effects import (
    ConsentRecorded,
    DispositionSet,
    Effect,
    PromptShown,
    QuestionOffered,
    ResponseDropped,
    SectorGiven,
)
from dialogues.loader import load_survey
from dialogues.moves import MAX_ATTEMPTS
from dialogues.sector import Sector, read_sector, role_of, sector_label, sector_named
from dialogues.session import Aside, Status
from dialogues.survey import Survey
from tests.talk import BEGIN, Talk, shipped, survey_of

QUESTIONS = (
    {"id": "goals", "kind": "scale", "text": "Same goal?", "labels": ["No", "Partly", "Yes"]},
    {"id": "why", "kind": "text", "text": "Why?"},
)
PLAIN = survey_of(*QUESTIONS, languages=["en", "cy"], intro="Two questions.")
ANONYMOUS = survey_of(*QUESTIONS, languages=["en", "cy"], anonymity="anonymous")


class Told(Talk):
    """A talk that keeps the effects of every turn."""

    def took(self, effects: tuple[Effect, ...]) -> None:
        self.every = [*getattr(self, "every", []), *effects]
        super().took(effects)


def placing(survey: Survey = PLAIN, **more: Any) -> Told:
    """A talk in which the sector is waited for."""
    talk = Told(survey, ask_sector=True, **more)
    talk.say("yes")
    return talk


def given(talk: Told) -> list[tuple[str, str | None]]:
    return [(one.sector, one.role) for one in talk.every if isinstance(one, SectorGiven)]


def test_it_is_asked_after_consent_and_before_the_first_question() -> None:
    talk = Told(PLAIN, ask_sector=True)
    assert "Who do you answer as" not in talk.shown
    talk.say("yes")
    assert talk.session.status is Status.PLACING
    assert talk.shown == "Who do you answer as? We ask this only once."
    assert [button.label for button in talk.prompt.options] == [
        "A public service",
        "A charity or community group",
        "A business",
        "A resident",
        "Rather not say",
    ]
    kinds = [type(effect) for effect in talk.every]
    assert kinds.count(ConsentRecorded) == 1
    assert QuestionOffered not in kinds
    talk.press("A business")
    assert talk.session.status is Status.ASKING
    assert talk.shown.startswith("A business ✓\n\nTwo questions.\n\n1 of 2\nSame goal?")
    assert given(talk) == [("business", "partner")]


def test_nobody_is_asked_who_need_not_be() -> None:
    talk = Told(PLAIN)
    talk.say("yes")
    assert talk.session.status is Status.ASKING
    assert given(talk) == []


def test_who_agreed_before_is_asked_at_once_when_they_come() -> None:
    talk = Told(PLAIN, ask_sector=True, agreed_before=True)
    assert talk.session.status is Status.PLACING
    assert talk.shown.startswith("Who do you answer as?")


@pytest.mark.parametrize(
    ("sector", "role"),
    [
        ("state", "partner"),
        ("civil_society", "partner"),
        ("business", "partner"),
        ("citizen", "citizen"),
        ("undisclosed", None),
    ],
)
def test_the_role_follows(sector: str, role: str | None) -> None:
    assert role_of(Sector(sector)) == role
    talk = placing()
    talk.press(sector_label(Sector(sector), "en"))
    assert given(talk) == [(sector, role)]


@pytest.mark.parametrize(
    ("words", "sector"),
    [
        ("1", Sector.STATE),
        ("2)", Sector.CIVIL_SOCIETY),
        ("a business", Sector.BUSINESS),
        ("A res", Sector.CITIZEN),
        ("I'd rather not say", Sector.UNDISCLOSED),
        ("5", Sector.UNDISCLOSED),
        ("Council", Sector.STATE),
        ("the NHS", Sector.STATE),
        ("charity", Sector.CIVIL_SOCIETY),
        ("company", Sector.BUSINESS),
        ("Busnes", Sector.BUSINESS),
        ("un o'r trigolion", Sector.CITIZEN),
        ("skip", Sector.UNDISCLOSED),
        ("no", Sector.UNDISCLOSED),
    ],
)
def test_it_can_be_typed(words: str, sector: Sector) -> None:
    talk = placing()
    talk.say(words)
    assert given(talk) == [(sector.value, role_of(sector))]
    assert talk.session.status is Status.ASKING


def test_every_label_is_read_back_in_every_language() -> None:
    for language in messages.LANGUAGES:
        for number, sector in enumerate(Sector, start=1):
            assert read_sector(PLAIN, sector_label(sector, language), language) is sector
            assert read_sector(PLAIN, str(number), language) is sector
            assert sector_named(f" {sector_label(sector, language).upper()}. ") is sector
    assert sector_named("business") is None


def test_what_is_no_answer_is_asked_again_and_then_left() -> None:
    talk = placing()
    for _ in range(MAX_ATTEMPTS - 1):
        talk.say("What is this?")
        assert talk.session.status is Status.PLACING
        assert talk.shown.endswith("Who do you answer as?")
        assert len(talk.prompt.options) == 5
    talk.say("What is this?")
    assert talk.session.status is Status.ASKING
    assert talk.shown.startswith("Let us leave this question and go on.")
    # It was not said, so it may be asked another time.
    assert given(talk) == []


def test_a_picture_is_asked_again_and_back_has_nowhere_to_go() -> None:
    talk = placing()
    talk.photo()
    assert "only read words" in talk.shown
    talk.say("back")
    assert "nothing to go back to" in talk.shown
    assert talk.session.status is Status.PLACING


def test_commands_go_on_working() -> None:
    talk = placing(slash=True)
    for command in ("/help", "/privacy", "/mydata", "/results"):
        talk.say(command)
        assert talk.session.status is Status.PLACING
    talk.say("/language")
    talk.say("Cymraeg")
    assert "Ar ran pwy ydych chi'n ateb?" in talk.shown
    talk.say("/role")
    assert talk.session.aside is None
    talk.press("Busnes")
    assert given(talk) == [("business", "partner")]


def test_a_reminder_asks_it_again() -> None:
    talk = placing(waved=True)
    talk.remind()
    assert talk.session.status is Status.PLACING
    assert "You have begun" in talk.shown
    assert "Who do you answer as?" in talk.shown


@pytest.mark.parametrize("survey", [PLAIN, ANONYMOUS], ids=["confidential", "anonymous"])
def test_stopping_there_is_a_break_off(survey: Survey) -> None:
    talk = placing(survey)
    talk.say("stop")
    assert talk.session.status is Status.STOPPED
    [ended] = [one for one in talk.every if isinstance(one, DispositionSet)]
    assert ended.disposition == "break_off"
    dropped = any(isinstance(one, ResponseDropped) for one in talk.every)
    assert dropped is (survey is ANONYMOUS)
    talk.say("start")
    talk.say("yes")
    assert talk.session.status is Status.PLACING


def test_a_wave_that_closes_there_is_a_break_off() -> None:
    talk = placing(waved=True)
    talk.close_wave()
    assert talk.session.status is Status.CLOSED
    assert [one.disposition for one in talk.every if isinstance(one, DispositionSet)] == [
        "break_off"
    ]
    before = len(talk.every)
    talk.say("a business")
    assert not any(isinstance(one, SectorGiven) for one in talk.every[before:])


def test_a_second_yes_is_not_taken_for_it() -> None:
    """Pressed twice, or typed twice before the question could be seen."""
    talk = Told(PLAIN, ask_sector=True)
    consent = talk.prompt
    talk.press("I agree")
    talk.press("I agree", prompt=consent)
    talk.say("yes", seen=1)
    assert talk.session.status is Status.PLACING
    assert given(talk) == []


class TestChanging:
    def test_role_asks_it_at_any_time_and_goes_on_where_it_was(self) -> None:
        talk = placing()
        talk.press("A business")
        talk.say("role")
        assert talk.session.aside is Aside.SECTOR
        assert talk.shown == "Who do you answer as?"
        talk.press("A resident")
        assert given(talk) == [("business", "partner"), ("citizen", "citizen")]
        assert talk.shown.startswith("Noted: A resident ✓ To change it, type role.\n\n1 of 2")

    def test_another_answer_leaves_it_as_it_was(self) -> None:
        talk = placing()
        talk.press("A business")
        talk.say("role")
        talk.say("Partly")
        assert talk.answers == {"goals": "2"}
        assert given(talk) == [("business", "partner")]

    def test_its_number_is_taken_where_it_was_asked_last(self) -> None:
        talk = placing()
        talk.press("A business")
        talk.say("role")
        talk.say("1")
        assert talk.answers == {}
        assert given(talk)[-1] == ("state", "partner")

    def test_after_the_end_it_can_be_changed_too(self) -> None:
        talk = placing()
        for words in ("a business", "1", "Because."):
            talk.say(words)
        talk.say("sector")
        talk.press("A resident")
        assert given(talk)[-1] == ("citizen", "citizen")
        assert talk.shown == "Noted: A resident ✓ To change it, type role."
        assert talk.session.status is Status.COMPLETE

    def test_an_old_button_changes_it_and_the_same_one_changes_nothing(self) -> None:
        talk = placing()
        asked = talk.prompt
        talk.press("A business")
        before = talk.session
        talk.press("A business", prompt=asked)
        assert talk.session == before
        talk.press("A resident", prompt=asked)
        assert given(talk) == [("business", "partner"), ("citizen", "citizen")]

    def test_before_agreeing_nothing_is_taken(self) -> None:
        talk = Told(PLAIN, ask_sector=True)
        talk.say("role")
        assert "before you agree" in talk.shown
        talk.press_token(f"{talk.session.session_id}.{SECTOR}.business")
        talk.say("no")
        talk.say("role")
        assert "after you agree" in talk.shown
        talk.press_token(f"{talk.session.session_id}.{SECTOR}.business")
        assert given(talk) == []

    def test_what_an_anonymous_conversation_kept_of_it_goes_with_the_rest(self) -> None:
        talk = placing(ANONYMOUS)
        for words in ("a business", "1", "Because.", "send"):
            talk.say(words)
        assert talk.session.status is Status.COMPLETE
        assert talk.session.sector is None


class TestInTheLobby:
    AGREED = lobby.Visitor(language="en", slash=True, agreed=True)
    STRANGER = lobby.Visitor(language="en", slash=True)

    def test_who_agreed_once_can_change_it(self) -> None:
        (asked,) = lobby.answer(self.AGREED, "/role", BEGIN)
        assert isinstance(asked, PromptShown)
        assert len(asked.prompt.options) == 5
        given, said = lobby.press(self.AGREED, asked.prompt.options[2].token, BEGIN)
        assert given == SectorGiven(sector="business", role="partner")
        assert isinstance(said, PromptShown)
        assert said.prompt.text == "Noted: A business ✓ To change it, type /role."
        given, _ = lobby.answer(self.AGREED, "rather not say", BEGIN)
        assert given == SectorGiven(sector="undisclosed", role=None)

    def test_of_who_never_agreed_nothing_is_taken(self) -> None:
        (said,) = lobby.answer(self.STRANGER, "/role", BEGIN)
        assert isinstance(said, PromptShown)
        assert "after you agree" in said.prompt.text
        for effects in (
            lobby.press(self.STRANGER, "lobby.w.business", BEGIN),
            lobby.press(self.AGREED, "lobby.w.nonsense", BEGIN),
            lobby.answer(self.STRANGER, "A business", BEGIN),
        ):
            assert [type(effect) for effect in effects] == [PromptShown]


def test_a_survey_can_leave_it_out() -> None:
    document = {
        "survey": "s",
        "title": "S",
        "consent": {"text": "?"},
        "question": [{"id": "q", "kind": "text", "text": "Q?"}],
    }
    assert load_survey(document).ask_sector
    quiet = load_survey({**document, "ask_sector": False})
    assert not quiet.ask_sector
    assert quiet.revision != load_survey(document).revision
    assert load_survey({**document, "ask_sector": True}).revision == load_survey(document).revision


def test_of_the_shipped_surveys_only_the_one_that_asks_it_itself_leaves_it_out() -> None:
    for name in ("partnership-pulse", "citizen-pulse", "collaborative-citizen"):
        assert shipped(name).ask_sector
    assert not shipped("state-of-collaboration").ask_sector
    assert "sector" in shipped("state-of-collaboration").by_id
