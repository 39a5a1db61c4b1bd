"""Which conversation a person means when they write.

What lives here: choosing among the conversations of one person by what stood last in their
chat. What must not: saving or saying anything (``visit.py``).

A person may be in several conversations: two waves, an open check-in begun before. What they
write answers the newest prompt that they can have seen, whatever moved since in the store: a
reminder that is still on its way, or a wave that closed meanwhile, takes nobody's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialogues.moves import BEGUN
from dialogues.session import Status
from dialogues.words import Command, command_in, means
from storage.protocol import Store, StoredSession

__all__ = ["Chosen", "choose", "holder_of"]

#: How many of a person's conversations are looked at.
_RECENT = 8

#: Who was answering this shortly before an invitation may still be typing the answer.
_JUST_NOW = timedelta(hours=1)

_AGREEING = ("yes", "agree", "no", "decline", "not_now", "more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The conversation that is meant.

    Attributes:
        stored: None when this person is in none, or handed in what was cut loose.
        seen: Whether a prompt of it can have been seen.
        cut: Whether the newest thing seen was the end of an anonymous response.
    """

    stored: StoredSession | None
    seen: bool = True
    cut: bool = False


def choose(
    store: Store, respondent_id: str, text: str | None, position: str | None, now: datetime
) -> Chosen:
    """Choose the conversation that a message belongs to.

    Args:
        store: Read only.
        respondent_id: Who wrote.
        text: What they wrote; None for something that is not words.
        position: Where it stands in the chat; None where the channel cannot tell.
        now: Aware UTC.
    """
    seen_id = store.seen_session(respondent_id, position)
    meant = store.session(seen_id) if seen_id is not None else None
    if meant is not None and not meant.session.status.final:
        if not _strays(meant, text):
            return Chosen(stored=meant)
        asking = _others(store, respondent_id, meant, now, *BEGUN)
        just_now = [one for one in asking if meant.updated_at - one.updated_at < _JUST_NOW]
        return Chosen(stored=just_now[0] if just_now else meant)
    others = _others(store, respondent_id, meant, now)
    if not others:
        recent = _recent(store, respondent_id, now)
        newest = meant or (recent[0] if recent else None)
        cut = seen_id is not None and meant is None
        return Chosen(stored=None if cut else newest, cut=cut)
    return _after_the_end(store, meant, others, text, position, any_seen=seen_id is not None)


def _strays(meant: StoredSession, text: str | None) -> bool:
    """Whether words do not answer the invitation that came last.

    Somebody who was typing an answer when an invitation arrived goes on typing it.
    """
    session = meant.session
    if session.status is not Status.CONSENTING or text is None or session.aside is not None:
        return False
    return command_in(text, at_open_question=False) is None and not means(text, *_AGREEING)


def _recent(store: Store, respondent_id: str, now: datetime) -> list[StoredSession]:
    """Give a person's conversations, the one that moved last first."""
    recent = store.recent_sessions(respondent_id, limit=_RECENT)
    return [stored for stored in recent if not _is_ahead(store, stored, now)]


def _is_ahead(store: Store, stored: StoredSession, now: datetime) -> bool:
    """Whether a conversation is of a wave that has not come to this person yet: it opened
    earlier for members further east.
    """
    if stored.wave_id is None or stored.session.status is not Status.CONSENTING:
        return False
    due_at = store.waits_until(stored.session.session_id)
    if due_at is None or due_at <= now:
        return False
    wave = store.wave(stored.wave_id)
    return wave is not None and wave.opens_at > now


def _others(
    store: Store,
    respondent_id: str,
    meant: StoredSession | None,
    now: datetime,
    *statuses: Status,
) -> list[StoredSession]:
    """Give the other conversations that are not over, the one that moved last first."""
    meant_id = meant.session.session_id if meant is not None else None
    return [
        stored
        for stored in _recent(store, respondent_id, now)
        if stored.session.session_id != meant_id
        and not stored.session.status.final
        and (not statuses or stored.session.status in statuses)
    ]


def _after_the_end(
    store: Store,
    meant: StoredSession | None,
    others: list[StoredSession],
    text: str | None,
    position: str | None,
    *,
    any_seen: bool,
) -> Chosen:
    """Choose where the newest conversation that was seen is over and another is not."""
    unseen = [one for one in others if store.seen_turn(one.session.session_id, position) is None]
    known = [one for one in others if one not in unseen]
    if meant is not None and meant.session.status is Status.CLOSED and known:
        # It was not this person who ended it: they go on with the other.
        return Chosen(stored=known[0])
    if text is not None:
        if command_in(text, at_open_question=False) is Command.START:
            return Chosen(stored=(known or others)[0], seen=bool(known))
        consenting = [one for one in known if one.session.status is Status.CONSENTING]
        if consenting and means(text, *_AGREEING):
            return Chosen(stored=consenting[0])
    if unseen:
        return Chosen(stored=unseen[0], seen=False)
    return Chosen(stored=meant, cut=any_seen and meant is None)


def holder_of(store: Store, respondent_id: str, position: str) -> StoredSession | None:
    """Give the conversation in which the message at a position was taken as an answer."""
    for stored in store.recent_sessions(respondent_id, limit=_RECENT):
        for given in stored.session.given:
            if any(part.position == position for part in given.parts):
                return stored
    return None
