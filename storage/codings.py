"""Codings: what taggers make of the words of an answer.

What lives here: a tagger's own. What must not: what people make of them (``reviews.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialogues.coding import Coding, Said, Source
from storage.loose import WITHHELD, Loose
from storage.protocol import UntaggedAnswer
from storage.records import write_instant

__all__ = ["Codings"]


class Codings(Loose):
    """The verbs about codings."""

    def untagged(self, coder: str, *, limit: int) -> list[UntaggedAnswer]:
        """Give text answers that this coder has to read; see the contract."""
        return [
            UntaggedAnswer(
                response_id=row["response_id"],
                question_id=row["question_id"],
                question=row["question"],
                language=None if row["language"] == WITHHELD else row["language"],
                text=row["text"],
            )
            for row in self._all("untagged", coder=coder, limit=limit)
        ]

    def tagged_otherwise(
        self, coder: str, *, after: tuple[str, str], limit: int
    ) -> list[UntaggedAnswer]:
        """Give answers that this coder has not read; see the contract."""
        return [
            UntaggedAnswer(
                response_id=row["response_id"],
                question_id=row["question_id"],
                question=row["question"],
                language=None if row["language"] == WITHHELD else row["language"],
                text=row["text"],
                read_before=bool(row["read_before"]),
            )
            for row in self._all(
                "tagged_otherwise",
                coder=coder,
                response_id=after[0],
                question_id=after[1],
                limit=limit,
            )
        ]

    def count_tagged_otherwise(self, coder: str) -> int:
        """Count what ``tagged_otherwise`` could give."""
        row = self._one("count_tagged_otherwise", coder=coder)
        return 0 if row is None else row["n"]

    def save_codings(
        self,
        answer: UntaggedAnswer,
        codings: Sequence[Coding],
        *,
        coding_ids: Sequence[str],
        coder: str,
        at: datetime,
        error: str | None,
    ) -> bool:
        """Save what a tagger made of an answer; see the contract."""
        marked = self._run(
            "mark_tagged",
            response_id=answer.response_id,
            question_id=answer.question_id,
            text=answer.text,
            coder=coder,
            error=error,
        )
        if not marked:
            return False
        self._ruffle(answer.response_id)
        for coding_id, coding in zip(coding_ids, codings, strict=True):
            self._add_coding(
                coding,
                Said.SUGGESTED,
                response_id=answer.response_id,
                question_id=answer.question_id,
                coding_id=coding_id,
                coder=coder,
                source=Source.TAGGER,
                at=at,
            )
        return True

    def _add_coding(
        self,
        coding: Coding,
        status: Said,
        *,
        response_id: str,
        question_id: str,
        coding_id: str,
        coder: str,
        source: Source,
        at: datetime,
    ) -> None:
        self._run(
            "add_coding",
            coding_id=coding_id,
            response_id=response_id,
            question_id=question_id,
            enabler=coding.enabler,
            stance=None if coding.stance is None else coding.stance.value,
            span_text=coding.span_text,
            span_start=coding.span_start,
            span_end=coding.span_end,
            confidence=coding.confidence,
            threshold=coding.threshold,
            coder=coder,
            source=source.value,
            status=status.value,
            at=write_instant(at),
        )
