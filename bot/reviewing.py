"""Reviewing in a chat: a listed coder reads answers by buttons.

What lives here: whose press it is, and what follows from it, in the transaction of the inbound.
What must not: words and buttons (``dialogues/review_prompts.py``), or what a move does.
Answers of small groups are not shown here, nor a coder's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.coders import CoderPlan, coder_at
from bot.desk import Current, Desk, open_sample, own_pseudonyms
from bot.house import House
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.prompts import read_token
from dialogues.review_prompts import (
    NOTHING,
    Scene,
    Touched,
    asks_to_review,
    changed_by,
    finished_prompt,
    moved_prompt,
    read_touch,
    review_prompt,
)
from storage.protocol import Address, Respondent, Store

__all__ = ["Review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One inbound of a coder.

    Attributes:
        new_id: Gives a fresh id.
        now: Aware UTC.
    """

    store: Store
    respondent: Respondent
    plan: CoderPlan
    house: House
    codeframe: Codeframe
    new_id: Callable[[], str]
    now: datetime

    @classmethod
    def of(
        cls,
        store: Store,
        respondent: Respondent,
        address: Address,
        *,
        house: House,
        codeframe: Codeframe,
        new_id: Callable[[], str],
        now: datetime,
    ) -> Review | None:
        """Give what a listed coder can do; None for anybody else."""
        plan = coder_at(house.coders, address.channel, address.platform_id)
        if plan is None:
            return None
        return cls(
            store=store,
            respondent=respondent,
            plan=plan,
            house=house,
            codeframe=codeframe,
            new_id=new_id,
            now=now,
        )

    def take_words(self, text: str, *, slash: bool) -> bool:
        """Begin, or go on, where words ask for it; False where they do not."""
        if not asks_to_review(text, slash=slash):
            return False
        sample_id = open_sample(
            self.store, self.plan.coder_id, not_of=self._own(), least=self.house.min_group
        )
        self._show(None if sample_id is None else self._desk(sample_id), below=True)
        return True

    def take_press(self, pressed: str) -> bool:
        """Do what a button of a review says; False where it is another's."""
        touched = read_touch(read_token(pressed))
        if touched is None:
            return False
        if self.store.sample(touched.sample_id) is None:
            # Of a database that was there before this one.
            return False
        desk = self._desk(touched.sample_id)
        is_held = self.store.in_hand(desk.coder, desk.sample_id) is not None
        current = desk.current(self.store)
        if current is None or current.draft.draft_id != touched.draft_id:
            self._take_late_press(desk, touched, current, is_held=is_held)
        elif touched.what == "u" and touched.rest == "x":
            back = desk.step_back(self.store, current)
            self._show(desk, note="" if back else "review_no_undo")
        elif touched.what in ("d", "p"):
            desk.finish(
                self.store, current, "done" if touched.what == "d" else "skipped", at=self.now
            )
            self._show(desk)
        else:
            scene = self._scene(desk, current)
            desk.change(self.store, current, changed_by(touched, scene))
            self._show(desk, touched=touched)
        return True

    def _take_late_press(
        self, desk: Desk, touched: Touched, current: Current | None, *, is_held: bool
    ) -> None:
        """Answer a press on what is in hand no more: it changes nothing, and what stands now is
        shown. Undo where nothing is left takes the last answer back.
        """
        if current is None and touched.draft_id == NOTHING and touched.what == "u":
            desk.step_back(self.store, None)
        changed = current is not None and not is_held and touched.draft_id != NOTHING
        self._show(desk, note="review_changed" if changed else "")

    def _show(
        self,
        desk: Desk | None,
        *,
        below: bool = False,
        note: str = "",
        touched: Touched | None = None,
    ) -> None:
        """Show what is in hand where the last answer stands, or ``below``: then that one goes, so
        that nobody's words stand in the chat for longer than they are read.
        """
        current = None if desk is None else desk.current(self.store)
        if desk is None or current is None:
            prompt = finished_prompt("" if desk is None else desk.sample_id, self._language)
        else:
            said = messages.say(note, self._language) if note else ""
            prompt = review_prompt(replace(self._scene(desk, current), note=said), touched)
        moved = moved_prompt(self._language) if below else None
        self.store.show_review(
            self.respondent, self.plan.coder_id, prompt, at=self.now, moved=moved
        )

    def _scene(self, desk: Desk, current: Current) -> Scene:
        answer = current.answer
        return Scene(
            sample_id=desk.sample_id,
            question=answer.question,
            text=answer.text,
            blind=answer.blind,
            left=desk.count_left(self.store),
            draft=current.draft,
            codeframe=self.codeframe,
            language=self._language,
        )

    def _desk(self, sample_id: str) -> Desk:
        return Desk(
            coder=self.plan.coder_id,
            sample_id=sample_id,
            codeframe=self.codeframe,
            new_id=self.new_id,
            not_of=self._own(),
            least=self.house.min_group,
        )

    def _own(self) -> tuple[str, ...]:
        """Give the pseudonyms under which this coder takes part themselves."""
        return (self.respondent.respondent_id, *own_pseudonyms(self.store, self.plan))

    @property
    def _language(self) -> str:
        return self.respondent.language or messages.LANGUAGES[0]
