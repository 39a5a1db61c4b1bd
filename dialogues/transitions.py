"""Which status may follow which: the whole table.

Theory: an event moves a conversation from one status to another or leaves it. Every move that
``engine.step`` makes is in this table, and a test walks every pair of status and event. The
documentation draws its picture from here.
"""

from __future__ import annotations

from dialogues.events import (
    ChoicePressed,
    Event,
    Reminded,
    ReplyEdited,
    ReplyReceived,
    ReplyUnreadable,
    WaveClosed,
)
from dialogues.session import Status

__all__ = ["TRANSITIONS", "diagram"]

_S = Status
_TALKING = frozenset({_S.ASKING, _S.SUBMITTING, _S.COMPLETE, _S.STOPPED})

#: Status and kind of event to the statuses that may follow.
TRANSITIONS: dict[Status, dict[type[Event], frozenset[Status]]] = {
    _S.CONSENTING: {
        ReplyReceived: frozenset(
            {
                *(_S.CONSENTING, _S.PLACING, _S.ASKING, _S.SUBMITTING, _S.COMPLETE),
                *(_S.REFUSED, _S.STOPPED),
            }
        ),
        ChoicePressed: frozenset(
            {_S.CONSENTING, _S.PLACING, _S.ASKING, _S.SUBMITTING, _S.COMPLETE, _S.REFUSED}
        ),
        ReplyEdited: frozenset({_S.CONSENTING}),
        ReplyUnreadable: frozenset({_S.CONSENTING}),
        Reminded: frozenset({_S.CONSENTING}),
        WaveClosed: frozenset({_S.CLOSED}),
    },
    _S.PLACING: {
        ReplyReceived: _TALKING | {_S.PLACING},
        ChoicePressed: _TALKING | {_S.PLACING},
        ReplyEdited: frozenset({_S.PLACING}),
        ReplyUnreadable: frozenset({_S.PLACING}),
        Reminded: frozenset({_S.PLACING}),
        WaveClosed: frozenset({_S.CLOSED}),
    },
    _S.ASKING: {
        ReplyReceived: _TALKING,
        ChoicePressed: _TALKING,
        ReplyEdited: frozenset({_S.ASKING, _S.SUBMITTING, _S.COMPLETE}),
        ReplyUnreadable: frozenset({_S.ASKING}),
        Reminded: frozenset({_S.ASKING}),
        WaveClosed: frozenset({_S.CLOSED}),
    },
    _S.SUBMITTING: {
        ReplyReceived: _TALKING,
        ChoicePressed: _TALKING,
        ReplyEdited: frozenset({_S.SUBMITTING, _S.ASKING}),
        ReplyUnreadable: frozenset({_S.SUBMITTING}),
        Reminded: frozenset({_S.SUBMITTING}),
        WaveClosed: frozenset({_S.CLOSED}),
    },
    _S.COMPLETE: {
        ReplyReceived: frozenset({_S.COMPLETE}),
        ChoicePressed: frozenset({_S.COMPLETE}),
        ReplyEdited: frozenset({_S.COMPLETE}),
        ReplyUnreadable: frozenset({_S.COMPLETE}),
        Reminded: frozenset({_S.COMPLETE}),
        WaveClosed: frozenset({_S.COMPLETE}),
    },
    _S.STOPPED: {
        ReplyReceived: frozenset({_S.STOPPED, _S.ASKING, _S.CONSENTING}),
        ChoicePressed: frozenset({_S.STOPPED}),
        ReplyEdited: frozenset({_S.STOPPED}),
        ReplyUnreadable: frozenset({_S.STOPPED}),
        Reminded: frozenset({_S.STOPPED}),
        WaveClosed: frozenset({_S.STOPPED}),
    },
    _S.REFUSED: {
        ReplyReceived: frozenset({_S.REFUSED, _S.CONSENTING, _S.STOPPED}),
        ChoicePressed: frozenset({_S.REFUSED, _S.PLACING, _S.ASKING, _S.SUBMITTING, _S.COMPLETE}),
        ReplyEdited: frozenset({_S.REFUSED}),
        ReplyUnreadable: frozenset({_S.REFUSED}),
        Reminded: frozenset({_S.REFUSED}),
        WaveClosed: frozenset({_S.REFUSED}),
    },
    _S.CLOSED: {
        ReplyReceived: frozenset({_S.CLOSED}),
        ChoicePressed: frozenset({_S.CLOSED}),
        ReplyEdited: frozenset({_S.CLOSED}),
        ReplyUnreadable: frozenset({_S.CLOSED}),
        Reminded: frozenset({_S.CLOSED}),
        WaveClosed: frozenset({_S.CLOSED}),
    },
}


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, an arrow a pair of statuses."""
    lines = ["stateDiagram-v2", f"    [*] --> {Status.CONSENTING}"]
    for status, by_event in TRANSITIONS.items():
        arrows: dict[Status, list[str]] = {}
        for kind, following in by_event.items():
            for after in following - {status}:
                arrows.setdefault(after, []).append(kind.__name__)
        for after in sorted(arrows):
            lines.append(f"    {status} --> {after}: {', '.join(arrows[after])}")
        if status.final:
            lines.append(f"    {status} --> [*]")
    return "\n".join(lines)
