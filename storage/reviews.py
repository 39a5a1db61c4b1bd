"""Reviews: what people make of answers and their tags.

What lives here: what a coder is given, has in hand, and says. What must not: drawing
(``samples.py``), or how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialogues.coding import Coding, KeptCoding, Said, Source
from dialogues.prompts import Prompt
from storage.beside_chat import BesideChat
from storage.clock import Window
from storage.loose import WITHHELD
from storage.records import listed, read_kept_coding, write_instant
from storage.reviewing import (
    InHand,
    ReviewProgress,
    ReviewState,
    SampleMode,
    ToReview,
    TurnedBack,
)
from storage.samples import Samples
from storage.values import Respondent

__all__ = ["Reviews"]


class Reviews(Samples, BesideChat):
    """The verbs about reviews."""

    def known_as(self, channel: str, account: str) -> list[str]:
        """Give the pseudonyms under which somebody's account is known; see the contract."""
        query = "known_within" if channel == "slack" and ":" not in account else "known_as"
        rows = self._all(query, channel=channel, account=account)
        return [row["respondent_id"] for row in rows]

    def next_to_review(
        self,
        coder: str,
        sample_id: str,
        *,
        not_of: Sequence[str] = (),
        least: int = 0,
        skipped_until: int = 0,
    ) -> ToReview | None:
        """Give the next answer of a sample for a coder; see the contract."""
        # Two who look at once would be given the same. The key is that of what follows: of two
        # keys, taken in either order, each might wait for the other.
        self.hold("stir")
        row = self._one(
            "next_to_review",
            coder=coder,
            sample_id=sample_id,
            not_of=listed(not_of),
            least=least,
            skipped_until=skipped_until,
        )
        if row is None:
            return None
        return self._to_review(sample_id, row["response_id"], row["question_id"])

    def count_to_review(
        self,
        coder: str,
        sample_id: str,
        *,
        not_of: Sequence[str] = (),
        least: int = 0,
        skipped_until: int = 0,
    ) -> int:
        """Count what ``next_to_review`` could give."""
        row = self._one(
            "count_to_review",
            coder=coder,
            sample_id=sample_id,
            not_of=listed(not_of),
            least=least,
            skipped_until=skipped_until,
        )
        return 0 if row is None else row["n"]

    def in_hand(
        self, coder: str, sample_id: str, *, not_of: Sequence[str] = (), least: int = 0
    ) -> InHand | None:
        """Give what a coder has begun; see the contract."""
        row = self._one("in_hand", coder=coder, sample_id=sample_id)
        if row is None or not self._may_show(row["response_id"], not_of, least):
            return None
        answer = self._to_review(sample_id, row["response_id"], row["question_id"])
        return None if answer is None else InHand(answer=answer, body=row["body"])

    def keep_draft(self, answer: ToReview, coder: str, body: str) -> bool:
        """Keep what a coder has begun; see the contract."""
        if not self._hold_words(answer):
            return False
        self._run(
            "keep_draft",
            coder=coder,
            sample_id=answer.sample_id,
            response_id=answer.response_id,
            question_id=answer.question_id,
            body=body,
        )
        self._ruffle(answer.response_id)
        return True

    def drop_draft(self, coder: str, sample_id: str) -> None:
        """Put away what a coder has in hand."""
        self._run("drop_draft", coder=coder, sample_id=sample_id)

    def save_review(
        self,
        answer: ToReview,
        codings: Sequence[tuple[Coding, Said]],
        *,
        coder: str,
        state: ReviewState,
        coding_ids: Sequence[str],
        codeframe_version: str,
        at: datetime,
    ) -> bool:
        """Save what a coder makes of an answer; see the contract."""
        if not self._hold_words(answer):
            return False
        self._take_back(answer, coder)
        self._run(
            "add_review",
            response_id=answer.response_id,
            question_id=answer.question_id,
            coder=coder,
            sample_id=answer.sample_id,
            number=self.last_number(coder) + 1,
            blind=int(answer.blind),
            state=state,
            at=write_instant(at),
            codeframe_version=codeframe_version,
        )
        for coding_id, (coding, status) in zip(coding_ids, codings, strict=True):
            self._add_coding(
                coding,
                status,
                response_id=answer.response_id,
                question_id=answer.question_id,
                coding_id=coding_id,
                coder=coder,
                source=Source.CODER,
                at=at,
            )
        self._run(
            "drop_draft_on",
            coder=coder,
            response_id=answer.response_id,
            question_id=answer.question_id,
        )
        return True

    def undo_review(
        self, coder: str, sample_id: str, *, not_of: Sequence[str] = (), least: int = 0
    ) -> TurnedBack | None:
        """Take back the newest review of a coder in a sample; see the contract."""
        self.hold("stir")
        row = self._one("newest_review", coder=coder, sample_id=sample_id)
        if row is None or not self._may_show(row["response_id"], not_of, least):
            return None
        answer = self._to_review(sample_id, row["response_id"], row["question_id"])
        if answer is None:
            return None
        said = tuple(
            (one.coding, one.status)
            for one in self._codings_on(answer.response_id, answer.question_id)
            if one.coder == coder
        )
        self._take_back(answer, coder)
        return TurnedBack(answer=answer, state=row["state"], codings=said)

    def last_number(self, coder: str) -> int:
        """Give the number of a coder's newest review; 0 when there is none."""
        row = self._one("last_number", coder=coder)
        return 0 if row is None else row["n"]

    def review_progress(self, sample_id: str) -> ReviewProgress:
        """Say how far a sample is."""
        row = self._one("review_progress", sample_id=sample_id)
        counts = self._all("review_counts", sample_id=sample_id)
        return ReviewProgress(
            n=0 if row is None else row["n"],
            n_done=0 if row is None else int(row["n_done"]),
            done={one["coder"]: one["n"] for one in counts if one["state"] == "done"},
            skipped={one["coder"]: one["n"] for one in counts if one["state"] == "skipped"},
        )

    def show_review(
        self,
        respondent: Respondent,
        coder: str,
        prompt: Prompt,
        *,
        at: datetime,
        moved: Prompt | None = None,
    ) -> None:
        """Put what a coder is shown in a chat into the outbox; see the contract."""
        self._show_beside(
            respondent,
            f"review:{coder}",
            prompt,
            window=Window(due_at=at),
            in_place=moved is None,
            moved=moved,
        )

    def _hold_words(self, answer: ToReview) -> bool:
        """Whether the words of an answer still stand; then they do until the transaction ends."""
        # What is stirred meanwhile would be gone for a moment.
        self.hold("stir")
        held = self._one(
            "hold_words",
            response_id=answer.response_id,
            question_id=answer.question_id,
            text=answer.text,
        )
        return held is not None

    def _may_show(self, response_id: str, not_of: Sequence[str], least: int) -> bool:
        query = {"response_id": response_id, "not_of": listed(not_of), "least": least}
        return self._one("may_show", **query) is not None

    def _take_back(self, answer: ToReview, coder: str) -> None:
        ids = {"response_id": answer.response_id, "question_id": answer.question_id}
        self._run("drop_review_codings", coder=coder, **ids)
        self._run("drop_review", coder=coder, **ids)
        self._ruffle(answer.response_id)

    def _to_review(self, sample_id: str, response_id: str, question_id: str) -> ToReview | None:
        row = self._one(
            "to_review", sample_id=sample_id, response_id=response_id, question_id=question_id
        )
        if row is None:
            return None
        disputed = row["mode"] == SampleMode.DISAGREEMENT
        blind = not disputed and bool(row["blind"])

        def is_shown(one: KeptCoding) -> bool:
            if one.source is Source.CODER:
                return disputed and one.status is Said.CONFIRMED
            return one.source is Source.TAGGER and one.coder == row["tagged_by"]

        shown = () if blind else filter(is_shown, self._codings_on(response_id, question_id))
        return ToReview(
            sample_id=sample_id,
            response_id=response_id,
            question_id=question_id,
            question=row["question"],
            text=row["text"],
            language=None if row["language"] == WITHHELD else row["language"],
            blind=blind,
            suggested=tuple(shown),
        )

    def _codings_on(self, response_id: str, question_id: str) -> list[KeptCoding]:
        rows = self._all("codings_on", response_id=response_id, question_id=question_id)
        return [read_kept_coding(row) for row in rows]
