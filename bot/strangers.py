"""Answering somebody of whom nothing is kept, so that looking makes no record.

What lives here: which words only look, and what is answered to them. What must not: making
anybody known (``runner.py``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bot.channels.base import Inbound, Wrote
from dialogues import messages
from dialogues.prompts import Prompt
from dialogues.words import Command, command_in
from storage.protocol import Store

if TYPE_CHECKING:
    from bot.runner import Runner

__all__ = ["answer_stranger"]


def answer_stranger(runner: Runner, store: Store, inbound: Inbound, now: datetime) -> bool:
    """Answer who is not known and asks what is kept of them, or has it erased; False for
    anything else.

    Args:
        runner: That took it.
        store: Of the transaction.
        inbound: Of an address that nobody is known at.
        now: Aware UTC.
    """
    if not isinstance(inbound, Wrote):
        return False
    spoken = (inbound.language or "").partition("-")[0]
    language = spoken if spoken in messages.LANGUAGES else messages.LANGUAGES[0]
    slash = runner.slash(inbound.address.channel)
    match command_in(inbound.text, at_open_question=False):
        case Command.MYDATA | Command.FORGET:
            text = messages.say("nothing_kept", language, slash="/" if slash else "")
        case Command.PRIVACY:
            text = runner.house.privacy(language, slash=slash)
        case _:
            return False
    store.say_farewell(inbound.address, Prompt(text=text), leaving_id=runner.new_id(), at=now)
    return True
