"""A coder's desk: what they have in hand of a sample, and what happens to it.

What lives here: taking up answers, keeping every move, saving what is done, taking it back,
whatever shows it. What must not: how it is shown (``screen.py``, ``reviewing.py``), or the
clock. Everything here runs inside one transaction of the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.coders import CoderPlan
from dialogues.codec import Unreadable, decode_draft, encode_draft
from dialogues.coding import Codeframe, Coding
from dialogues.reviewing import Draft, begin, go_on_from, said, undo
from storage.protocol import Store
from storage.reviewing import ReviewState, ToReview

__all__ = ["Current", "Desk", "Standing", "open_sample", "own_pseudonyms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """An answer in hand, and what the coder makes of it so far."""

    answer: ToReview
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a coder is with a sample.

    Attributes:
        left: Answers that are still to come, the one in hand too.
        all_done: Answers that as many coders have read as are wanted.
        n: Answers of the sample.
    """

    done: int
    skipped: int
    left: int
    all_done: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One coder at one sample.

    Attributes:
        coder: As ``dialogues.coding.coder_id`` writes their name.
        not_of: Pseudonyms under which they take part themselves.
        least: Only of groups in which so many people answered.
        skipped_until: What they skipped up to this review comes again.
        new_id: Gives a fresh id.
    """

    coder: str
    sample_id: str
    codeframe: Codeframe
    new_id: Callable[[], str]
    not_of: tuple[str, ...] = ()
    least: int = 0
    skipped_until: int = 0

    def current(self, store: Store) -> Current | None:
        """Give what is in hand, else take up the next answer; None when there is none."""
        held = store.in_hand(self.coder, self.sample_id, not_of=self.not_of, least=self.least)
        if held is not None:
            try:
                return Current(answer=held.answer, draft=decode_draft(held.body))
            except Unreadable:
                return self._take_up(store, held.answer, begin(self.new_id(), _seen(held.answer)))
        answer = store.next_to_review(
            self.coder,
            self.sample_id,
            not_of=self.not_of,
            least=self.least,
            skipped_until=self.skipped_until,
        )
        if answer is None:
            return None
        return self._take_up(store, answer, begin(self.new_id(), _seen(answer)))

    def _take_up(self, store: Store, answer: ToReview, draft: Draft) -> Current:
        store.keep_draft(answer, self.coder, encode_draft(draft))
        return Current(answer=answer, draft=draft)

    def change(self, store: Store, current: Current, draft: Draft) -> Current | None:
        """Keep a move; None when the answer's words have changed since, or it is gone."""
        if draft == current.draft:
            return current
        if not store.keep_draft(current.answer, self.coder, encode_draft(draft)):
            return None
        return Current(answer=current.answer, draft=draft)

    def finish(self, store: Store, current: Current, state: ReviewState, *, at: datetime) -> bool:
        """Save what is made of the answer in hand, or that it was skipped; False when its words
        have changed since, or it is gone.
        """
        codings = said(current.draft, current.answer.text) if state == "done" else []
        return store.save_review(
            current.answer,
            codings,
            coder=self.coder,
            state=state,
            coding_ids=[self.new_id() for _ in codings],
            codeframe_version=f"{self.codeframe.codeframe_id} {self.codeframe.version}",
            at=at,
        )

    def step_back(self, store: Store, current: Current | None) -> Current | None:
        """Take back the last move, else the last answer that was done or skipped; None when
        there is nothing to take back.
        """
        if current is not None and current.draft.before:
            return self.change(store, current, undo(current.draft))
        turned = store.undo_review(self.coder, self.sample_id, not_of=self.not_of, least=self.least)
        if turned is None:
            return None
        seen = _seen(turned.answer)
        draft = (
            go_on_from(self.new_id(), seen, turned.codings)
            if turned.state == "done"
            else begin(self.new_id(), seen)
        )
        return self._take_up(store, turned.answer, draft)

    def standing(self, store: Store) -> Standing:
        """Say how far the coder is."""
        progress = store.review_progress(self.sample_id)
        return Standing(
            done=progress.done.get(self.coder, 0),
            skipped=progress.skipped.get(self.coder, 0),
            left=self.count_left(store),
            all_done=progress.n_done,
            n=progress.n,
        )

    def count_left(self, store: Store) -> int:
        """Count the answers that are still to come, the one in hand too."""
        return store.count_to_review(
            self.coder,
            self.sample_id,
            not_of=self.not_of,
            least=self.least,
            skipped_until=self.skipped_until,
        )


def _seen(answer: ToReview) -> list[Coding]:
    return [one.coding for one in answer.suggested]


def own_pseudonyms(store: Store, plan: CoderPlan) -> tuple[str, ...]:
    """Give the pseudonyms under which a coder takes part themselves."""
    return tuple(
        one
        for channel, account in plan.accounts.items()
        for one in store.known_as(channel, account)
    )


def open_sample(
    store: Store, coder: str, *, not_of: tuple[str, ...] = (), least: int = 0
) -> str | None:
    """Give the newest sample in which there is something for a coder to read; None when there
    is none.
    """
    for sample in store.samples():
        held = store.in_hand(coder, sample.sample_id, not_of=not_of, least=least)
        left = store.count_to_review(coder, sample.sample_id, not_of=not_of, least=least)
        if held is not None or left:
            return sample.sample_id
    return None
