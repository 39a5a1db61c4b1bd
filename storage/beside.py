"""The store's contract, the part about others who use the same database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["BesideOthers"]


class BesideOthers(Protocol):
    """What keeps programs that share a database out of each other's way."""

    def hold(self, *keys: str) -> None:
        """Keep everybody else, in any program, from these keys until the transaction ends;
        waits for whoever has one. Where only one can write at a time there is nothing to do.

        Raises:
            StoreConflict: Not now: the writer runs the job again by itself.
        """
        ...

    def hold_people(self, respondent_ids: Sequence[str]) -> None:
        """Hold the keys of people (``Address.key``): what is read of them from here on stays
        so. Some hundreds at most in one transaction.
        """
        ...

    def hold_sessions(self, session_ids: Sequence[str]) -> None:
        """As ``hold_people``, of the people of these conversations."""
        ...

    def hold_fielding(self, pulse: str | None, cohort: str) -> None:
        """Let nobody else open or end waves of a pulse in a cohort before this transaction ends."""
        ...

    def notify(self, topic: str) -> None:
        """Leave word, to be heard soon after the commit by every other program that listens
        (``Writer.listen``). Once a topic and transaction, however often it is called. It may
        get lost. The store itself tells of ``outbox:CHANNEL``, where it put a message, of
        ``waves``, where one was opened or changed its state, and of ``notes``, where one came.
        """
        ...
