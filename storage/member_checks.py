"""Member checks: what people say of what was made of their own words.

What lives here: who waits to be asked, what they make of it, and that it is kept as their own
codings. What must not: when somebody is asked (the shell), or what coders make of answers
(``reviews.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialogues.coding import Coding, Said, Source
from dialogues.prompts import Prompt
from dialogues.session import Session, Status
from dialogues.survey import Survey
from storage.beside_chat import BesideChat
from storage.checking import Asking, CheckState, Heard, ToCheck
from storage.clock import Window
from storage.codings import Codings
from storage.driver import Record
from storage.protocol import Respondent
from storage.records import read_instant, read_kept_coding, write_instant

__all__ = ["MemberChecks"]

#: Stands for whoever wrote an answer, beside taggers and coders.
_THEMSELVES = "respondent"


class MemberChecks(Codings, BesideChat):
    """The verbs about member checks."""

    def waiting_checks(self, *, overdue: datetime, after: str, limit: int) -> list[ToCheck]:
        """Give responses whose person may be asked; see the contract."""
        rows = self._all("waiting_checks", overdue=write_instant(overdue), after=after, limit=limit)
        return [
            ToCheck(
                response_id=row["response_id"],
                respondent_id=row["respondent_id"],
                survey_id=row["survey_id"],
                revision=row["revision"],
                wave_id=row["wave_id"],
                since=read_instant(row["waits_from"]),
            )
            for row in rows
        ]

    def answers_to_check(self, response_id: str) -> list[Heard]:
        """Give the answers of a response that a tagger has read, by place."""
        return [
            _heard(row, suggested=self._suggested(response_id, row))
            for row in self._all("answers_to_check", response_id=response_id)
        ]

    def _suggested(self, response_id: str, answer: Record) -> tuple[Coding, ...]:
        rows = self._all("codings_on", response_id=response_id, question_id=answer["question_id"])
        return tuple(
            kept.coding
            for kept in map(read_kept_coding, rows)
            if kept.source is Source.TAGGER and kept.coder == answer["tagged_by"]
        )

    def move_check(
        self, response_id: str, state: CheckState, *, at: datetime, before: CheckState | None = None
    ) -> bool:
        """Note how a check stands; see the contract."""
        moved = self._run(
            "move_check",
            response_id=response_id,
            state=state,
            before=before or "",
            at=write_instant(at),
        )
        if moved and state == "off":
            self._run("drop_member_drafts", response_id=response_id)
            self._run("unsend_check", session_id=_chat(response_id))
        return bool(moved)

    def asking(self, response_id: str) -> Asking | None:
        """Give a check; None when there is none."""
        row = self._one("member_check", response_id=response_id)
        if row is None:
            return None
        return Asking(
            response_id=response_id,
            respondent_id=row["respondent_id"],
            state=row["state"],
            heard=tuple(
                _heard(one, body=one["body"])
                for one in self._all("member_drafts", response_id=response_id)
            ),
        )

    def was_asked(self, respondent_id: str) -> bool:
        """Whether a person was ever asked."""
        return self._one("checks_shown", respondent_id=respondent_id) is not None

    def keep_heard(self, response_id: str, heard: Heard, body: str) -> bool:
        """Keep what a person makes of an answer; see the contract."""
        ids = {"response_id": response_id, "question_id": heard.question_id}
        if self._one("hold_words", text=heard.text, **ids) is None:
            return False
        self._run("keep_member_draft", body=body, **ids)
        return True

    def save_heard(
        self,
        response_id: str,
        heard: Heard,
        codings: Sequence[tuple[Coding, Said]],
        *,
        coding_ids: Sequence[str],
        at: datetime,
    ) -> bool:
        """Save what a person says of an answer; see the contract."""
        ids = {"response_id": response_id, "question_id": heard.question_id}
        if self._one("hold_words", text=heard.text, **ids) is None:
            return False
        before = {
            (one.coding, one.status)
            for one in map(read_kept_coding, self._all("codings_on", **ids))
            if one.source is Source.RESPONDENT
        }
        if before == set(codings):
            return True
        self._run("drop_own_codings", **ids)
        for coding_id, (coding, status) in zip(coding_ids, codings, strict=True):
            self._add_coding(
                coding,
                status,
                coding_id=coding_id,
                coder=_THEMSELVES,
                source=Source.RESPONDENT,
                at=at,
                **ids,
            )
        return True

    def show_check(
        self,
        respondent: Respondent,
        response_id: str,
        prompt: Prompt,
        *,
        window: Window,
        lane: int,
        in_place: bool,
    ) -> None:
        """Put what a person is shown of a check into the outbox; see the contract."""
        self._show_beside(
            respondent, _chat(response_id), prompt, window=window, lane=lane, in_place=in_place
        )

    def set_checks(self, respondent_id: str, wanted: bool) -> None:
        """Note whether a person may be asked."""
        self._run("set_unchecked", respondent_id=respondent_id, unchecked=int(not wanted))

    def wants_checks(self, respondent_id: str) -> bool:
        """Whether a person may be asked, as far as they said."""
        row = self._one("unchecked", respondent_id=respondent_id)
        return row is not None and not row["unchecked"]

    def _await_check(self, before: Session, session: Session, survey: Survey, *, at: str) -> None:
        """Note that a response which is complete now may be asked about, where it can be."""
        ended = session.status is Status.COMPLETE and before.status is not Status.COMPLETE
        said = {given.question_id for given in session.given if given.text and given.value}
        if ended and not said.isdisjoint(survey.checked):
            self._run("await_check", response_id=session.session_id, at=at)


def _chat(response_id: str) -> str:
    """Give what stands for the message of a check where a session's id does."""
    return f"check:{response_id}"


def _heard(row: Record, *, suggested: tuple[Coding, ...] = (), body: str = "") -> Heard:
    return Heard(
        question_id=row["question_id"],
        place=row["place"],
        question=row["question"],
        text=row["text"],
        suggested=suggested,
        body=body,
    )
