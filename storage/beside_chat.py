"""Messages that change in place and stand beside every conversation: reviews, member checks."""

from __future__ import annotations

from dialogues.prompts import Prompt
from storage.base import Part
from storage.clock import Window
from storage.values import Respondent

__all__ = ["BesideChat"]


class BesideChat(Part):
    """What the parts of the store share that show something beside a conversation."""

    def _show_beside(
        self,
        respondent: Respondent,
        chat_id: str,
        prompt: Prompt,
        *,
        window: Window,
        lane: int = 0,
        in_place: bool,
        moved: Prompt | None = None,
    ) -> None:
        """Put a message out that overtakes those before it.

        Args:
            respondent: To whom.
            chat_id: Stands for it where a session's id does.
            prompt: What is shown.
            window: When it may leave.
            lane: 0 answers the person, 1 comes of our own accord.
            in_place: Whether it replaces the newest before it.
            moved: Where it does not, what then takes the place of that one; None leaves it.
        """
        row = self._one("next_turn", session_id=chat_id)
        turn = 1 if row is None else row["turn"]
        for query in ("drop_overtaken", "give_up_overtaken", "empty_overtaken"):
            self._run(query, session_id=chat_id, turn=turn)
        shown = [(prompt, in_place)]
        if moved is not None and self._one(
            "shown_beside", session_id=chat_id, respondent_id=respondent.respondent_id
        ):
            shown.insert(0, (moved, True))
        for one, replaces in shown:
            self._put_out(
                one,
                respondent_id=respondent.respondent_id,
                channel=respondent.channel,
                window=window,
                lane=lane,
                session_id=chat_id,
                turn=turn,
                in_place=replaces,
                lasting=False,
            )
