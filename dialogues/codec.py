"""Values to JSON text and back, for whoever keeps or carries them.

The text is compact and always the same for the same value, and says its version (``v``), so
that what an older release wrote can be read for ever. Fields that stand at their default
are left out. A field that is added later needs a default; a field that changes its
meaning needs a new version and a step in ``_read``.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from dialogues.errors import CommonpulseError
from dialogues.events import Event
from dialogues.prompts import Prompt
from dialogues.reviewing import Draft
from dialogues.session import Session
from dialogues.survey import Survey

__all__ = [
    "Unreadable",
    "decode_draft",
    "decode_event",
    "decode_prompt",
    "decode_session",
    "decode_survey",
    "encode_draft",
    "encode_event",
    "encode_prompt",
    "encode_session",
    "encode_survey",
]

_T = TypeVar("_T")

VERSION = 1
_HEAD = f'{{"v":{VERSION},'


class Unreadable(CommonpulseError):
    """Something that was kept cannot be read: it is damaged, or of a newer version."""


_SESSION = TypeAdapter(Session)
_PROMPT = TypeAdapter(Prompt)
_DRAFT = TypeAdapter(Draft)
_EVENTS: dict[str, TypeAdapter[Event]] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): TypeAdapter(kind)
    for kind in get_args(Event)
}
_TYPES: dict[type, str] = {kind: name for name, kind in zip(_EVENTS, get_args(Event), strict=True)}


def encode_session(session: Session) -> str:
    """Give a session as JSON text."""
    return _HEAD + _SESSION.dump_json(session, exclude_defaults=True)[1:].decode()


def decode_session(text: str) -> Session:
    """Read a session.

    Raises:
        Unreadable: The text is no session, or was written by a newer version.
    """
    return _read(_SESSION, text, "session")


def encode_prompt(prompt: Prompt) -> str:
    """Give a prompt as JSON text."""
    return _HEAD + _PROMPT.dump_json(prompt, exclude_defaults=True)[1:].decode()


def decode_prompt(text: str) -> Prompt:
    """Read a prompt.

    Raises:
        Unreadable: The text is no prompt, or was written by a newer version.
    """
    return _read(_PROMPT, text, "message")


def encode_draft(draft: Draft) -> str:
    """Give a review that was begun as JSON text."""
    return _HEAD + _DRAFT.dump_json(draft, exclude_defaults=True)[1:].decode()


def decode_draft(text: str) -> Draft:
    """Read a review that was begun.

    Raises:
        Unreadable: The text is no such review, or was written by a newer version.
    """
    return _read(_DRAFT, text, "review")


def encode_survey(survey: Survey) -> str:
    """Give a survey as JSON text, which reads back to the same revision."""
    document = survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps({"v": VERSION, **document}, ensure_ascii=False, separators=(",", ":"))


def decode_survey(text: str) -> Survey:
    """Read a survey.

    Raises:
        Unreadable: The text is no survey, or was written by a newer version.
    """
    document = _document(text, "survey")
    try:
        return Survey.model_validate(document)
    except ValidationError:
        raise Unreadable("A survey that was kept cannot be read: it is damaged.") from None


def encode_event(event: Event) -> str:
    """Give an event as JSON text, its class under ``type``."""
    kind = _TYPES[type(event)]
    body = _EVENTS[kind].dump_json(event, exclude_defaults=True)[1:].decode()
    return f'{_HEAD}"type":"{kind}",{body}'


def decode_event(text: str) -> Event:
    """Read an event; its time is turned to UTC.

    Raises:
        Unreadable: The text is no event, its time has no zone, or a newer version wrote it.
    """
    document = _document(text, "event")
    adapter = _EVENTS.get(str(document.pop("type", None)))
    if adapter is None:
        raise Unreadable("An event that was kept cannot be read: its type is unknown.")
    try:
        event = adapter.validate_python(document)
    except ValidationError:
        raise Unreadable("An event that was kept cannot be read: it is damaged.") from None
    if event.at.tzinfo is None:
        raise Unreadable("An event that was kept cannot be read: its time has no zone.")
    return replace(event, at=event.at.astimezone(UTC))


def _read(adapter: TypeAdapter[_T], text: str, what: str) -> _T:
    if not text.startswith(_HEAD):
        _document(text, what)
    try:
        return adapter.validate_json(text)
    except ValidationError:
        # The words of the complaint would quote a person's own.
        raise Unreadable(f"A {what} that was kept cannot be read: it is damaged.") from None


def _document(text: str, what: str) -> dict[str, Any]:
    """Give the fields without ``v``; of a version that this one knows."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unreadable(f"A {what} that was kept cannot be read: it is damaged.")
    version = document.pop("v", VERSION)
    if version != VERSION:
        raise Unreadable(
            f"A {what} was written by a newer version of Commonpulse; install that version again."
        )
    return document
