"""What is worth counting, told where it happens.

What lives here: the list of such moments, and one who cares for none of them. What must not:
how they are counted (``metrics.py``). No argument is ever a person, an address, the id of
anything or anybody's words.
"""

from __future__ import annotations

from typing import Literal

from storage.protocol import Receipt

__all__ = ["UNOBSERVED", "Observer", "SendOutcome", "TurnOutcome", "outcome_of"]

#: What became of an inbound. ``repeated``: it had come before, and changed nothing;
#: ``not_kept``: it has to come again; ``broke``: our own code failed at it.
TurnOutcome = Literal["broke", "not_kept", "repeated", "taken"]

#: What became of a message at one try. ``slowed``: the platform asks to wait; ``failed``: it is
#: tried again; ``given_up``: it is not; ``refused``: the platform will never take it; ``gone``:
#: nobody is there.
SendOutcome = Literal["failed", "given_up", "gone", "refused", "sent", "slowed"]


def outcome_of(receipt: Receipt) -> SendOutcome:
    """Give what became of a try."""
    if receipt.outcome == "sent":
        return "sent"
    if receipt.outcome == "gone":
        return "gone"
    if receipt.outcome == "dead":
        return "refused" if receipt.error == "refused" else "given_up"
    waits = receipt.outcome == "put_back" or receipt.error == "slow_down"
    return "slowed" if waits else "failed"


class Observer:
    """Told of what happens; does nothing. Called in the event loop unless it says otherwise."""

    def turned(self, channel: str, kind: str, outcome: TurnOutcome, seconds: float) -> None:
        """An inbound was taken, or not.

        Args:
            channel: Where it came from.
            kind: The name of its class.
            outcome: What became of it.
            seconds: Until all that follows from it was committed.
        """

    def committed(self, seconds: float, n_jobs: int, kept: bool) -> None:
        """A group of jobs was committed, or nothing of it was. Called in a writer's thread."""

    def sent(self, channel: str, lane: int, outcome: SendOutcome, seconds: float) -> None:
        """A message was tried to be sent."""

    def tagged(self, n_read: int, n_failed: int, seconds: float) -> None:
        """The tagger read some answers, and broke on others."""

    def refused(self, kind: str) -> None:
        """A web request was refused."""


#: One who does not care.
UNOBSERVED = Observer()
