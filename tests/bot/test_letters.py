"""What a person sees of their own data: all of it, in their language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.letters import my_data
from dialogues.coding import Coding, Said, Stance
from nlp.codeframe import read_codeframe
from storage.protocol import Store
from storage.reviewing import Drawing, SampleMode
from tests.bot.place import ANONYMOUS, MONTHLY, RIVERSIDE, SURVEY, Place
from tests.talk import survey_of


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def letter(place: Place, name: str = "ann") -> str:
    return "\n".join(place.answer(name, "/mydata"))


def tag(place: Place) -> None:
    """Tag every answer by its first word."""

    def job(store: Store) -> None:
        for number, answer in enumerate(store.untagged("m@1", limit=9)):
            first = answer.text.split()[0]
            coding = Coding(
                enabler="shared_goals",
                stance=Stance.STRENGTH,
                span_text=first,
                span_start=0,
                span_end=len(first),
                confidence=0.875,
            )
            store.save_codings(
                answer,
                [coding],
                coding_ids=[f"c{number}"],
                coder="m@1",
                at=place.clock(),
                error=None,
            )

    place.run(job)


def test_everything_that_is_held_is_shown(place: Place) -> None:
    place.clock.at = at(1, 8)
    place.join("ann")
    place.tick(at(1, 10))
    place.deliver()
    place.tick(at(3, 10))
    place.deliver()
    place.clock.at = at(3, 10, 5)
    place.answer("ann", "yes", "yes")
    place.clock.at = at(4, 9, 30)
    place.answer("ann", "Neighbours meet every month.")
    tag(place)
    place.clock.at = at(5, 9)
    place.answer("ann", "/stop")
    (pseudonym,) = [row["respondent_id"] for row in place.rows("select * from respondents")]
    assert letter(place) == "\n".join(
        [
            "This is everything we keep about you:",
            "Your account: Telegram id-ann (kept apart from your answers)",
            f"The code that stands for you beside your answers: {pseudonym}",
            "First contact: 1 December",
            "Taking part as: a resident",
            "Language: en",
            "You are part of: Riverside, since 1 December",
            "You stopped on 5 December.",
            "",
            "We asked you to answer “Small survey” on 1 December"
            " (reminders: 1; outcome: finished, 4 December).",
            "  Step by step (times are UTC): ready to be sent 10:00, delivered 10:00,"
            " begun 3 December 10:05, first answer 10:05, finished 4 December 09:30",
            "You agreed to “Small survey” on 3 December.",
            "Your answers to “Small survey”, begun on 3 December"
            " (outcome: finished; times are UTC):",
            "• Same goal? [goals]",
            "  Yes (asked 10:05, answered 10:05)",
            "• Why? [why]",
            "  Neighbours meet every month. (asked 10:05, answered 4 December 09:30)",
            "  We read this as: Shared goals (a strength), from “Neighbours”, 88% sure",
            "",
            "To erase it, type /forget.",
        ]
    )


def test_what_people_made_of_it_is_shown_too(place: Place) -> None:
    place.answer("ann", "/start", "yes", "skip", "Neighbours meet.")
    tag(place)

    def job(store: Store) -> None:
        drawing = Drawing(mode=SampleMode.RANDOM, n=9, seed="x")
        store.draw_sample(drawing, sample_id="x", at=place.clock())
        one = store.next_to_review("coder:mair", "x")
        assert one is not None
        coding = one.suggested[0].coding
        said = [(coding, Said.REJECTED), (replace(coding, stance=Stance.GAP), Said.CONFIRMED)]
        assert store.save_review(
            one, said, coder="coder:mair", state="done", coding_ids=["a", "b"],
            codeframe_version="1", at=place.clock(),
        )  # fmt: skip

    place.run(job)
    shown = letter(place)
    assert (
        "  Somebody who read it says: Shared goals (something missing), from “Neighbours”" in shown
    )
    assert "says it is not: Shared goals (a strength), from “Neighbours”" in shown
    assert "  Somebody read this on 1 December, to see what it says." in shown
    assert "mair" not in shown


def test_an_answer_that_was_changed_says_so(place: Place) -> None:
    place.answer("ann", "/start", "yes", "yes", "back", "no")
    assert "times changed: 1" in letter(place)


def test_ticks_that_are_not_an_answer_yet_are_shown(place: Place) -> None:
    multi = survey_of(
        {"id": "m", "kind": "multichoice", "text": "Which?", "choices": ["Alpha", "Beta", "Gamma"]}
    )
    object.__setattr__(place.runner.house, "surveys", {"small": multi})
    place.run(lambda store: store.keep_survey(multi, at=place.clock()))
    place.answer("ann", "hi")
    place.write("ann", "yes")
    (_, question) = place.deliver()[-1]
    for option in question.options[:2]:
        place.press("ann", option.token)
        place.deliver()
    shown = letter(place)
    assert "Which?\n  (no answer) (asked 10:00)\n  Ticked so far: Alpha, Beta" in shown


def test_a_refusal_and_what_was_never_agreed_to_are_shown(place: Place) -> None:
    place.answer("ann", "/start", "no thanks")
    place.answer("bob", "/start")
    assert "You said no to “Small survey” on 1 December." in letter(place)
    put = "“Small survey” was put to you on 1 December, and you have not agreed to it."
    assert put in letter(place, "bob")
    assert "reminders" not in letter(place)


def test_of_an_anonymous_survey_that_nobody_can_tell(place: Place) -> None:
    place.set_up(MONTHLY, cohorts=(replace(RIVERSIDE, survey_id=ANONYMOUS.survey_id),))
    place.join("ann")
    place.clock.at = at(2, 9)
    place.answer("ann", "hi", "yes", "yes", "send")
    shown = letter(place)
    assert "You agreed to “Small survey” on 2 December.\nAnswers that you sent to it" in shown
    assert "Your answers to" not in shown


def test_in_welsh(place: Place) -> None:
    place.join("ann")
    place.tick(at(1, 10))
    place.deliver()
    place.answer("ann", "yes", "yes", "back", "skip", "We meet.")
    tag(place)
    prompts = my_data(
        place.run(lambda store: store.holdings("ann")),
        house=place.runner.house,
        survey_of=lambda *_: SURVEY,
        codeframe=read_codeframe(),
        language="cy",
        slash=True,
        today=place.clock().date(),
    )
    shown = "\n".join(prompt.text for prompt in prompts)
    assert "Cyswllt cyntaf: 1 Rhagfyr" in shown
    assert "(nodiadau atgoffa: 0; canlyniad: wedi gorffen, 1 Rhagfyr)" in shown
    assert "(gofynnwyd 10:00, atebwyd 10:00, sawl gwaith y newidiwyd: 1)" in shown
    assert "Nodau cyffredin (cryfder), o “We”, 88% yn siŵr" in shown


def test_a_label_that_was_typed_is_shown_once(place: Place) -> None:
    place.answer("ann", "/start", "I agree", "YES")
    shown = letter(place)
    assert "\n  Yes (asked" in shown
    assert "(YES)" not in shown
