"""Forgetting somebody: all that is kept of them goes, and they are told so.

What lives here: what erasing somebody means to the shell, whoever asks for it. What must not:
asking for confirmation (``dialogues`` in a chat, ``cli/erasing.py`` at a desk), or what is
erased (``Store.erase``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dialogues import messages
from dialogues.prompts import Prompt
from storage.protocol import Store

__all__ = ["forget"]


def forget(
    store: Store,
    respondent_id: str,
    *,
    actor: str,
    language: str,
    slash: bool,
    tell: bool,
    now: datetime,
    new_id: Callable[[], str],
) -> None:
    """Erase somebody, in one transaction.

    Args:
        store: Where.
        respondent_id: Whom.
        actor: Who asked for it: ``respondent`` or ``organiser``.
        language: In which they are told.
        slash: Whether commands are written with a slash where they are.
        tell: Whether they are told; their bare address stays until that was sent.
        now: Aware UTC.
        new_id: Gives fresh ids.

    Raises:
        StoreError: Nobody is known by this pseudonym.
    """
    text = messages.say("forget_done", language, slash="/" if slash else "")
    store.erase(
        respondent_id,
        at=now,
        erasure_id=new_id(),
        actor=actor,
        farewell=Prompt(text=text) if tell else None,
        leaving_id=new_id(),
    )
