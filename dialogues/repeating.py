"""Words that are said once more, since nobody seemed to hear them the first time.

What lives here: telling whether a message repeats what was already taken. What must not: what
follows from it (``engine.py``), or what somebody can have seen (the shell).
"""

from __future__ import annotations

from dialogues.sector import Sector
from dialogues.session import Missing, Session
from dialogues.words import Command, command_in, means

__all__ = ["may_repeat", "repeats"]


def may_repeat(session: Session, text: str) -> bool:
    """Whether a message can be a repeat at all, whatever was seen."""
    return (
        any(given.holds(text) for given in session.given)
        or means(text, "yes", "agree")
        or command_in(text, at_open_question=False) in (Command.SKIP, Command.BACK)
    )


def repeats(session: Session, text: str, *, seen_turn: int) -> bool:
    """Whether a message says what led to the newest prompt.

    Args:
        session: As it stands.
        text: As received.
        seen_turn: Of the newest prompt that was surely seen; 0 where none was.
    """
    bound = session.asked_by(seen_turn)
    before = None if bound is None else session.answer_to(bound)
    match command_in(text, at_open_question=False):
        case Command.SKIP if bound is None:
            return session.sector == Sector.UNDISCLOSED
        case Command.SKIP:
            return before is not None and before.missing is Missing.SKIPPED
        case Command.BACK:
            return session.went_back(seen_turn)
    if bound is None:
        return means(text, "yes", "agree")
    return before is not None and before.holds(text)
