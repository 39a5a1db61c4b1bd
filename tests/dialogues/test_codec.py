"""Values survive the way to JSON and back, and always give the same bytes."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dialogues.surveys
from dialogues.codec import (
    Unreadable,
    decode_event,
    decode_prompt,
    decode_session,
    decode_survey,
    encode_event,
    encode_prompt,
    encode_session,
    encode_survey,
)
from dialogues.events import Event, ReplyReceived
from dialogues.prompts import Prompt
from dialogues.session import Session, Status
from dialogues.survey import Survey

INSTANTS = st.datetimes(
    min_value=datetime(2020, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.just(UTC),
)
st.register_type_strategy(datetime, INSTANTS)

SESSION = Session(
    session_id="k3f9",
    survey_id="pulse",
    revision="0123456789ab",
    language="cy",
    slash=True,
    waved=False,
    status=Status.ASKING,
    turn=3,
)


def examples() -> list[tuple[str, type[Any]]]:
    found = []
    for kind in get_args(Event):
        example = re.search(r"``(\{.*?\})``", inspect.getdoc(kind) or "", re.DOTALL)
        assert example, f"{kind.__name__} has no example"
        found.append((example[1], kind))
    return found


@given(st.from_type(Session))
def test_a_session_survives(session: Session) -> None:
    text = encode_session(session)
    again = decode_session(text)
    assert again == session
    assert encode_session(again) == text


@given(st.from_type(Prompt))
def test_a_prompt_survives(prompt: Prompt) -> None:
    text = encode_prompt(prompt)
    assert decode_prompt(text) == prompt
    assert encode_prompt(decode_prompt(text)) == text


@given(st.one_of(*(st.from_type(kind) for kind in get_args(Event))))
def test_an_event_survives(event: Event) -> None:
    text = encode_event(event)
    assert decode_event(text) == event
    assert encode_event(decode_event(text)) == text


@pytest.mark.parametrize(
    "path",
    sorted(Path(dialogues.surveys.__path__[0]).glob("*.toml")),
    ids=lambda path: path.stem,
)
def test_a_shipped_survey_survives_with_its_revision(path: Path) -> None:
    survey = Survey.model_validate(tomllib.loads(path.read_text()))
    again = decode_survey(encode_survey(survey))
    assert again == survey
    assert again.revision == survey.revision
    assert again.consent_revision == survey.consent_revision


@pytest.mark.parametrize(("example", "kind"), examples())
def test_the_examples_of_the_events_are_events(example: str, kind: type[Any]) -> None:
    event = decode_event(example)
    assert type(event) is kind
    # Nothing that the example says is left out.
    assert json.loads(example).items() - {("at", json.loads(example)["at"])} <= (
        json.loads(encode_event(event)).items()
    )


def test_the_text_is_compact_and_says_its_version() -> None:
    assert encode_session(SESSION) == (
        '{"v":1,"session_id":"k3f9","survey_id":"pulse","revision":"0123456789ab",'
        '"language":"cy","slash":true,"waved":false,"status":"asking","turn":3}'
    )
    assert encode_prompt(Prompt(text="Shwmae 👋")) == '{"v":1,"text":"Shwmae 👋"}'


def test_what_the_first_release_wrote_is_read() -> None:
    """The text of an old row, as it is: fails when a field loses its name or default."""
    text = (
        '{"v":1,"session_id":"k3f9","survey_id":"pulse","revision":"0123456789ab",'
        '"language":"en","slash":true,"waved":true,"status":"asking","turn":5,"at":"why",'
        '"asked":[{"question_id":"goals","turn":2,"at":"2026-12-01T10:00:00Z"}],'
        '"given":[{"question_id":"goals","value":"2"},{"question_id":"why","value":"Time",'
        '"parts":[{"position":"17","text":"Time"}]},{"question_id":"x","value":null,'
        '"missing":"skipped"}],"selected":["a"],"attempts":1,"aside":"forget",'
        '"draw":["goals"],"last_event_id":"e1"}'
    )
    session = decode_session(text)
    assert session.given[1].parts[0].text == "Time"
    assert session.asked[0].at == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert encode_session(session) == text


def test_an_event_of_another_zone_is_told_in_utc() -> None:
    event = decode_event(
        '{"type":"reply_received","event_id":"e","at":"2026-12-01T10:00:00+01:00","text":"4"}'
    )
    assert isinstance(event, ReplyReceived)
    assert event.at.utcoffset() == timedelta(0)
    assert event.at == datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("decode", [decode_event, decode_prompt, decode_session, decode_survey])
@pytest.mark.parametrize(
    "text",
    ["", "words", "[]", "{}", '{"v":1}', '{"v":1,"text":4', '{"v":1,"type":"reply_received"}'],
)
def test_damage_is_said_without_quoting(decode: Any, text: str) -> None:
    with pytest.raises(Unreadable, match=r"damaged|unknown") as caught:
        decode(text)
    assert caught.value.__cause__ is None
    assert "words" not in str(caught.value)


@pytest.mark.parametrize("decode", [decode_event, decode_prompt, decode_session, decode_survey])
def test_a_newer_version_is_refused(decode: Any) -> None:
    with pytest.raises(Unreadable, match="newer version"):
        decode('{"v":2,"text":"x"}')


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Unreadable, match="zone"):
        decode_event('{"type":"wave_closed","event_id":"e","at":"2026-12-01T10:00:00"}')
