"""What holds in every conversation, whatever the survey and whatever happens."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogues.codec import decode_prompt, decode_session, encode_prompt, encode_session
from dialogues.effects import (
    AnswerRecorded,
    ConsentRecorded,
    EventRejected,
    PromptShown,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
    SectorGiven,
    Turn,
)
from dialogues.engine import Opening, start, step
from dialogues.events import (
    ChoicePressed,
    Event,
    Reminded,
    ReplyEdited,
    ReplyReceived,
    ReplyUnreadable,
    WaveClosed,
)
from dialogues.prompts import token
from dialogues.routing import applies
from dialogues.session import Missing, Session, Status
from dialogues.survey import MultichoiceQuestion, NumberQuestion, ScaleQuestion, Survey
from dialogues.transitions import TRANSITIONS
from tests.talk import BEGIN, survey_of

fixed = settings(
    max_examples=400,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TYPED = st.one_of(
    st.sampled_from(
        [
            "yes",
            "no",
            "agree",
            "stop",
            "skip",
            "back",
            "help",
            "forget",
            "mydata",
            "privacy",
            "language",
            "results",
            "role",
            "times",
            "times paris",
            "pause 2 weeks",
            "resume",
            "start",
            "done",
            "keep",
            "more",
            "gorffen",
            "1",
            "2",
            "3",
            "7",
            "-1",
            "2,5",
            "one",
            "two",
            "a",
            "b",
            "c",
            "welsh",
            "cymraeg",
            "send",
            "anfon",
            "next",
        ]
    ),
    st.sampled_from(
        [
            *("/start", "/stop", "/skip@bot", "/nonsense", "/start code", "don't know", "1, 2"),
            *("a and b", "forget me", "yes please", "no thanks", "👍", "4️⃣", "", "   ", "\u200b"),
            *("{q0}", "x" * 10_001, "Stop. Thank you", "my words", "more words of mine"),
        ]
    ),
    st.text(max_size=12),
)
SMALL = st.integers(min_value=0, max_value=10_000)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), TYPED, st.booleans()),
        st.tuples(st.just("press"), SMALL),
        st.tuples(st.just("press"), SMALL),
        st.tuples(st.just("press_newest"), SMALL),
        st.tuples(st.just("press_newest"), SMALL),
        st.tuples(
            st.just("forge"),
            st.sampled_from(["0.9", "9.0", "c.x", "0.dk", "x", "f.keep", "w.state", "w.x"]),
        ),
        st.tuples(st.just("edit"), SMALL, TYPED),
        st.tuples(st.just("photo")),
        st.tuples(st.just("remind"), st.booleans()),
        st.tuples(st.just("close")),
        st.tuples(st.just("repeat")),
    ),
    max_size=25,
)
#: Most conversations begin with a yes, so that most of what follows is about questions.
TALKS = st.one_of(
    ACTIONS,
    ACTIONS.map(lambda actions: [("say", "yes", True), *actions]),
    ACTIONS.map(lambda actions: [("say", "yes", True), *actions]),
)


def _conditions(draw: st.DrawFn, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    if not earlier or not draw(st.booleans()):
        return {}
    other = draw(st.sampled_from(earlier))
    choices: list[dict[str, Any]] = [{"answered": True}, {"answered": False}]
    match other["kind"]:
        case "scale":
            choices += [{"is": 1}, {"in": [1, 3]}, {"at_most": 2}, {"at_least": 2}]
        case "number":
            choices += [{"at_least": 2}, {"at_most": 1.5}, {"not_in": [3]}]
        case "yesno":
            choices += [{"is": True}, {"is": "no"}]
        case "choice" | "multichoice":
            choices += [{"is": "a"}, {"in": ["a", "b"]}, {"not_in": ["c"]}]
        case _:
            choices += [{"is": "yes"}]
    return {other["id"]: draw(st.sampled_from(choices))}


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    questions: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["text", "choice", "multichoice", "scale", "number", "yesno"]))
        quoted = draw(st.sampled_from([*(q["id"] for q in questions), None]))
        question: dict[str, Any] = {
            "id": f"q{number}",
            "kind": kind,
            "text": f"Question {number}? " + (f"You said {{{quoted}}}." if quoted else ""),
            "required": draw(st.sampled_from([False, False, True])),
            "dont_know": draw(st.booleans()),
            "show_if": _conditions(draw, questions),
        }
        if draw(st.booleans()):
            question["enabler"] = "insight"
        match kind:
            case "choice":
                question["choices"] = ["A", "B", "C"]
            case "multichoice":
                question["choices"] = ["A", "B", "C"]
                question["min_choices"] = draw(st.integers(1, 2))
                question["max_choices"] = draw(st.sampled_from([None, 2]))
            case "scale":
                question["labels"] = ["One", "Two", "Three"]
            case "number":
                question |= draw(st.sampled_from([{}, {"min": 0, "max": 3}, {"unit": "hours"}]))
            case _:
                pass
        questions.append(question)
    return survey_of(
        *questions,
        languages=draw(st.sampled_from([["en", "cy"], ["en"]])),
        anonymity=draw(st.sampled_from(["confidential", "anonymous"])),
        thanks=draw(st.sampled_from(["Thank you.", None])),
        intro=draw(st.sampled_from(["An intro.", None])),
    )


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    return Opening(
        session_id="s" * 24,
        event_id="e0",
        language=draw(st.sampled_from(["en", "cy", "en-GB", "xx"])),
        slash=draw(st.booleans()),
        waved=draw(st.booleans()),
        invited=draw(st.booleans()),
        agreed_before=draw(st.booleans()),
        draw=draw(st.sampled_from([None, None, ("q0",), ("q1", "q3"), ()])),
        ask_sector=draw(st.booleans()),
    )


@dataclasses.dataclass
class Story:
    """A conversation as it went: every event with the turn that it gave."""

    survey: Survey
    turns: list[Turn]
    events: list[Event]

    @property
    def session(self) -> Session:
        return self.turns[-1].session

    def effects(self) -> list[Any]:
        return [effect for turn in self.turns for effect in turn.effects]


def play(survey: Survey, opening: Opening, actions: list[tuple[Any, ...]]) -> Story:
    story = Story(survey=survey, turns=[start(survey, opening, BEGIN)], events=[])
    for action in actions:
        event = _event(story, action)
        before = decode_session(encode_session(story.session))
        turn = step(survey, before, event)
        assert turn.session.status in {
            *TRANSITIONS[before.status][type(event)],
            before.status,
        }
        story.events.append(event)
        story.turns.append(turn)
    return story


def _event(story: Story, action: tuple[Any, ...]) -> Event:
    count = len(story.events) + 1
    common: dict[str, Any] = {"event_id": f"e{count}", "at": BEGIN + timedelta(seconds=count)}
    shown = [
        [*effect.prompt.options, *effect.prompt.controls]
        for effect in story.effects()
        if isinstance(effect, PromptShown) and (effect.prompt.options or effect.prompt.controls)
    ]
    match action:
        case ("say", text, seen):
            turn = story.session.turn if seen else max(0, story.session.turn - 1)
            return ReplyReceived(text=text, position=str(count), seen_turn=turn, **common)
        case ("press", number):
            tokens = [button.token for buttons in shown for button in buttons]
            chosen = tokens[number % len(tokens)] if tokens else "x.y.z"
            return ChoicePressed(token=chosen, **common)
        case ("press_newest", number):
            newest = shown[-1] if shown else []
            chosen = newest[number % len(newest)].token if newest else "x.y.z"
            return ChoicePressed(token=chosen, **common)
        case ("forge", tail):
            return ChoicePressed(token=f"{story.session.session_id}.{tail}", **common)
        case ("edit", number, text):
            return ReplyEdited(text=text, position=str(number % count), **common)
        case ("photo",):
            return ReplyUnreadable(**common)
        case ("remind", with_date):
            return Reminded(until=date(2026, 12, 11) if with_date else None, **common)
        case ("close",):
            return WaveClosed(**common)
        case _:
            return story.events[-1] if story.events else WaveClosed(**common)


@fixed
@given(surveys(), openings(), TALKS)
def test_a_conversation_keeps_its_promises(
    survey: Survey, opening: Opening, actions: list[tuple[Any, ...]]
) -> None:
    story = play(survey, opening, actions)
    consented = False
    offered: set[str] = set()
    stored: dict[str, tuple[str | None, Missing | None]] = {}
    for number, turn in enumerate(story.turns):
        for effect in turn.effects:
            match effect:
                case ConsentRecorded():
                    consented = True
                case QuestionOffered():
                    assert consented
                    assert not turn.session.status.final
                    assert effect.question_id not in offered
                    offered.add(effect.question_id)
                case AnswerRecorded():
                    assert consented
                    assert effect.question_id in offered
                    assert (effect.value is None) == (effect.missing is not None)
                    stored[effect.question_id] = (effect.value, effect.missing)
                    if effect.value is not None:
                        _fits(survey, effect.question_id, effect.value)
                case SectorGiven():
                    # Words of a person's own are kept only after they agreed.
                    assert consented
                    assert (effect.role is None) == (effect.sector == "undisclosed")
                case ResponseDropped():
                    assert survey.anonymous
                    offered.clear()
                    stored.clear()
                case PromptShown():
                    _is_sound(effect)
                case EventRejected():
                    assert turn.effects == (effect,)
                    assert turn.session == story.turns[number - 1].session
                case _:
                    pass
        assert sum(isinstance(effect, PromptShown) for effect in turn.effects) <= 1
        _agrees(survey, turn.session, stored)


def _fits(survey: Survey, question_id: str, value: str) -> None:
    question = survey.by_id[question_id]
    values = [option.value for option in question.options]
    if isinstance(question, MultichoiceQuestion):
        picked = value.split("|")
        assert [one for one in values if one in picked] == picked
        assert question.min_choices <= len(picked) <= question.most
    elif isinstance(question, NumberQuestion):
        assert question.min is None or float(value) >= question.min
        assert question.max is None or float(value) <= question.max
    elif values:
        assert value in values
        assert not isinstance(question, ScaleQuestion) or 1 <= int(value) <= len(values)
    else:
        assert value.strip()


def _is_sound(effect: PromptShown) -> None:
    prompt = effect.prompt
    assert prompt.text.strip()
    assert decode_prompt(encode_prompt(prompt)) == prompt
    tokens = [button.token for button in (*prompt.options, *prompt.controls)]
    assert len(set(tokens)) == len(tokens)
    for one in tokens:
        assert one.isascii()
        assert len(one) <= 64


def _agrees(
    survey: Survey, session: Session, stored: dict[str, tuple[str | None, Missing | None]]
) -> None:
    """The session says what the store was told, and waits for something it can take."""
    if session.status is Status.COMPLETE and survey.anonymous:
        assert not session.given
        return
    kept = {given.question_id: (given.value, given.missing) for given in session.given}
    gone = (None, Missing.NOT_APPLICABLE)
    assert kept == {key: value for key, value in stored.items() if value != gone}
    if session.status is Status.ASKING:
        assert session.at is not None
        assert applies(survey, session, survey.by_id[session.at])
    else:
        assert session.at is None


@fixed
@given(surveys(), openings(), TALKS)
def test_the_same_again_gives_the_same_bytes(
    survey: Survey, opening: Opening, actions: list[tuple[Any, ...]]
) -> None:
    story = play(survey, opening, actions)
    session = encode_session(start(survey, opening, BEGIN).session)
    for event, turn in zip(story.events, story.turns[1:], strict=True):
        again = step(survey, decode_session(session), event)
        assert again.effects == turn.effects
        session = encode_session(again.session)
        assert session == encode_session(turn.session)
        if again.session.last_event_id == event.event_id:
            repeated = step(survey, decode_session(session), event)
            assert repeated.effects == (EventRejected(reason="repeated"),)
            assert encode_session(repeated.session) == session


SECRET = "my words"


@fixed
@given(surveys(), openings(), TALKS)
def test_nothing_is_kept_before_consent_or_after_an_anonymous_end(
    survey: Survey, opening: Opening, actions: list[tuple[Any, ...]]
) -> None:
    words = [
        ("say", f"{SECRET} {action[1]}", action[2]) if action[0] == "say" else action
        for action in actions
        if action != ("say", "yes", True)
    ]
    story = play(survey, opening, words)
    consented = sent = False
    for turn in story.turns:
        consented |= any(isinstance(effect, ConsentRecorded) for effect in turn.effects)
        assert consented or SECRET not in encode_session(turn.session)
        if sent:
            assert not any(isinstance(effect, AnswerRecorded) for effect in turn.effects)
            assert SECRET not in encode_session(turn.session)
        sent |= survey.anonymous and any(
            isinstance(effect, ResponseSubmitted) for effect in turn.effects
        )


@fixed
@given(surveys(), st.lists(st.tuples(st.just("press_newest"), SMALL), max_size=60))
def test_whoever_answers_gets_to_the_end(survey: Survey, presses: list[tuple[Any, ...]]) -> None:
    """Every question can be answered with what its own words say."""
    opening = Opening(session_id="s", event_id="e0", language="en", slash=True, waved=True)
    story = play(survey, opening, [("say", "yes", True)])
    for press in presses[: len(presses) // 4]:
        story = _more(story, press)
    for _ in range(3 * len(survey.questions) + 4):
        session = story.session
        if session.status is Status.REFUSED or session.status is Status.STOPPED:
            story = _more(story, ("say", "/start", True))
        elif session.status is Status.CONSENTING:
            story = _more(story, ("say", "yes", True))
        elif session.status is Status.SUBMITTING:
            story = _more(story, ("say", "send", True))
        elif session.at is not None:
            story = _more(story, ("say", _good_answer(survey, session.at), True))
    assert story.session.status is Status.COMPLETE


def _more(story: Story, action: tuple[Any, ...]) -> Story:
    event = _event(story, action)
    turn = step(story.survey, story.session, event)
    return Story(survey=story.survey, turns=[*story.turns, turn], events=[*story.events, event])


def _good_answer(survey: Survey, question_id: str) -> str:
    question = survey.by_id[question_id]
    if isinstance(question, MultichoiceQuestion):
        return "1, 2"
    return "1" if question.options or isinstance(question, NumberQuestion) else "Our words"


def test_forged_tokens_are_never_taken() -> None:
    survey = survey_of({"id": "q", "kind": "yesno", "text": "?"})
    opening = Opening(session_id="s", event_id="e0", language="en", slash=True, waved=True)
    session = play(survey, opening, [("say", "yes", True)]).session
    forged = [
        *("", ".", "..", "...", "s.0", "s.0.2", "s.0.-1", "s.0.99999", "s.1.0", "s.q.0", "s.٠.٩"),
        *(token("other", 0, 0), "s.0.0.0", "s.c.", "s.l.xx", "s.f.erase", "s.s.send", "x" * 9_999),
    ]
    for number, one in enumerate(forged):
        turn = step(survey, session, ChoicePressed(event_id=f"f{number}", at=BEGIN, token=one))
        assert turn.session.given == ()
        assert turn.session.status is Status.ASKING
