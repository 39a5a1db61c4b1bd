"""What can happen to a conversation: the closed union ``Event``.

Every event brings its time and its id from the edge. Each docstring ends in a JSON
example, which a test decodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

__all__ = [
    "ChoicePressed",
    "Event",
    "Reminded",
    "ReplyEdited",
    "ReplyReceived",
    "ReplyUnreadable",
    "WaveClosed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReceived:
    """The person wrote something.

    Attributes:
        text: As received, not stripped.
        position: Where it stands in the chat; None where the channel cannot tell.
        seen_turn: Turn of the newest prompt that the person can have seen when they
            wrote; None where that is not known (then the newest prompt is meant).

    Example:
        ``{"type": "reply_received", "event_id": "e1", "at": "2026-12-01T10:00:00+00:00",
        "text": "4", "position": "17", "seen_turn": 2}``
    """

    event_id: str
    at: datetime
    text: str
    position: str | None = None
    seen_turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEdited:
    """The person changed a message of theirs.

    Example:
        ``{"type": "reply_edited", "event_id": "e2", "at": "2026-12-01T10:00:00+00:00",
        "text": "5", "position": "17"}``
    """

    event_id: str
    at: datetime
    text: str
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyUnreadable:
    """The person sent something that is not words: a photo, a voice message, a sticker.

    Example:
        ``{"type": "reply_unreadable", "event_id": "e3", "at": "2026-12-01T10:00:00+00:00"}``
    """

    event_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePressed:
    """The person pressed a button.

    Attributes:
        token: The pressed button's token, as the prompt gave it (``prompts.py``).

    Example:
        ``{"type": "choice_pressed", "event_id": "e4", "at": "2026-12-01T10:00:00+00:00",
        "token": "k3f9.0.3"}``
    """

    event_id: str
    at: datetime
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """The wave reminds those who have not finished.

    Attributes:
        until: Local day on which the wave closes; None when only a hand closes it.
        minute: Local time at which it closes then, in minutes after midnight, where that is
            the very day on which they are reminded; else None.

    Example:
        ``{"type": "reminded", "event_id": "e5", "at": "2026-12-03T10:00:00+00:00",
        "until": "2026-12-11"}``
    """

    event_id: str
    at: datetime
    until: date | None = None
    minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveClosed:
    """The wave that this conversation belongs to has closed.

    Example:
        ``{"type": "wave_closed", "event_id": "e6", "at": "2026-12-11T10:00:00+00:00"}``
    """

    event_id: str
    at: datetime


Event = ReplyReceived | ReplyEdited | ReplyUnreadable | ChoicePressed | Reminded | WaveClosed
