"""How invitations stand: every change of state, with its time and channel.

What lives here: noting a state, and what it makes of the outcome. What must not: which state
may follow which (``dialogues/states.py``), or when a wave is settled (``waves.py``).
"""

from __future__ import annotations

from datetime import datetime

from dialogues.disposition import Disposition
from dialogues.states import BEFORE_CLOSING, FAMILIES, Cause, State, may_follow, state_of
from storage.base import Part
from storage.driver import Record
from storage.records import write_instant

__all__ = ["Dispositions"]


class Dispositions(Part):
    """The verbs about the state of an invitation."""

    def note_state(
        self, invitation_id: str, state: State, *, at: datetime, reason: Cause | None = None
    ) -> bool:
        """Note that an invitation has come to a state; see the contract."""
        return self._note(invitation_id, state, write_instant(at), reason)

    def _note(self, invitation_id: str, state: State, at: str, reason: Cause | None = None) -> bool:
        while True:
            row = self._one("invitation_state", invitation_id=invitation_id)
            if row is None or not _is_news(row, state):
                return False
            settled = FAMILIES[state] is not Disposition.UNKNOWN
            if self._run(
                "move_state",
                invitation_id=invitation_id,
                before=row["state"],
                state=state.value,
                disposition=FAMILIES[state].value,
                settled_at=at if settled else None,
            ):
                break
            # Another worker moved it in between, so what is news has to be asked again.
        self._run(
            "add_state",
            invitation_id=invitation_id,
            state=state.value,
            at=at,
            channel=row["channel"],
            reason=reason.value if reason else None,
        )
        return True

    def _note_outcome(self, invitation_id: str, disposition: Disposition, at: str) -> None:
        """Note how an invitation ended. Of an anonymous survey only the family is written:
        the history follows at closing.
        """
        row = self._one("invitation_state", invitation_id=invitation_id)
        if row is None:
            return
        if row["anonymous"]:
            self._run(
                "set_disposition", invitation_id=invitation_id, disposition=disposition.value, at=at
            )
            return
        state = state_of(disposition, State(row["state"]))
        if state is not None:
            self._note(invitation_id, state, at)

    def _note_unsent(
        self, respondent_id: str, at: str, reason: Cause, *, cohort: str | None = None
    ) -> None:
        """Note of every invitation that was not sent to a person yet that it will not be."""
        for row in self._all("unsent_invitations", respondent_id=respondent_id, cohort=cohort):
            self._note(row["invitation_id"], State.FAILED, at, reason)

    def _note_dropped(self, row: Record, reason: str, at: str) -> None:
        """Note of an invitation or reminder why it was not sent.

        Args:
            row: With ``wave_id``, ``respondent_id`` and ``number`` of the message.
            reason: A ``Cause``.
            at: As it is written.
        """
        if row["wave_id"] is None or row["number"] is None:
            return
        whose = {"wave_id": row["wave_id"], "respondent_id": row["respondent_id"]}
        self._run("note_unsent", **whose, number=row["number"], reason=reason, at=at)
        if row["number"] == 0:
            self._run("uninvite", **whose)
            invitation = self._one("invitation_in", **whose)
            if invitation is not None:
                self._note(invitation["invitation_id"], State.FAILED, at, Cause(reason))


def _is_news(row: Record, state: State) -> bool:
    if row["anonymous"] and state not in BEFORE_CLOSING:
        return False
    return may_follow(State(row["state"]), state)
