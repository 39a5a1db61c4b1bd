"""People: where they are reached, what is held of them, and how they are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from dialogues.coding import KeptCoding
from dialogues.disposition import Disposition
from dialogues.errors import StoreError
from dialogues.prompts import Prompt
from dialogues.states import Cause, State
from storage.clock import Window
from storage.dispositions import Dispositions
from storage.driver import Record
from storage.holding import Holding
from storage.protocol import (
    Address,
    AnswerHeld,
    ConsentHeld,
    Holdings,
    InvitationHeld,
    Respondent,
    ResponseHeld,
    StateHeld,
    UnsentHeld,
)
from storage.records import (
    listed,
    read_instant,
    read_kept_coding,
    read_respondent,
    read_session,
    read_timing,
    write_day,
    write_instant,
)
from storage.telling import TELLING

__all__ = ["People"]

#: In this order what refers to something goes before it; what coders are shown of somebody's
#: words, before it is not known any more whose those are.
_ERASED = (
    "unshow_reviews",
    "blank_reviews",
    "erase_responses",
    "erase_sessions",
    "erase_dispositions",
    "erase_invitations",
    "erase_consents",
    "erase_drawn",
    "erase_memberships",
    "erase_timing",
    "erase_unsent",
    "erase_outbox",
    "erase_told_results",
    "erase_told_replies",
    "erase_address",
    "erase_respondent",
)


class People(Dispositions, Holding):
    """The verbs about people."""

    def respondent_at(self, channel: str, platform_id: str) -> Respondent | None:
        """Give the person at this address; None when nobody is known there."""
        return self._person(self._one("respondent_at", channel=channel, platform_id=platform_id))

    def respondent(self, respondent_id: str) -> Respondent | None:
        """Give a person; None when there is none."""
        return self._person(self._one("respondent", respondent_id=respondent_id))

    def welcome(
        self, address: Address, *, respondent_id: str, role: str, language: str | None, on: date
    ) -> Respondent:
        """Keep a new person, or give the one who is known there; see the contract."""
        channel, platform_id, chat = address.channel, address.platform_id, address.chat
        self.lift_suppression(channel, platform_id)
        at = self._one("address_at", channel=channel, platform_id=platform_id)
        if at is not None and not at["leaving"]:
            respondent_id = at["respondent_id"]
            self._run("set_chat", respondent_id=respondent_id, chat=chat)
        else:
            self._run(
                "add_respondent",
                respondent_id=respondent_id,
                role=role,
                language=language,
                joined_on=write_day(on),
            )
            if at is None:
                self._run(
                    "add_address",
                    channel=channel,
                    platform_id=platform_id,
                    chat=chat,
                    respondent_id=respondent_id,
                    leaving=0,
                )
            else:
                leaving_id = at["respondent_id"]
                self._run(
                    "come_back", respondent_id=respondent_id, chat=chat, leaving_id=leaving_id
                )
                self._run("keep_farewell", respondent_id=respondent_id, leaving_id=leaving_id)
        return self._known(respondent_id)

    def is_suppressed(self, channel: str, platform_id: str) -> bool:
        """Whether this address asked to be forgotten and has not come back."""
        key = self._hashed("address", channel, platform_id)
        return self._one("is_suppressed", address_key=key) is not None

    def lift_suppression(self, channel: str, platform_id: str) -> None:
        """Let lists enrol this address again."""
        self._run("unsuppress", address_key=self._hashed("address", channel, platform_id))

    def set_reachable(self, respondent_id: str, reachable: bool, *, at: datetime) -> None:
        """Note what the platform says of delivery. Unreachable drops their pending rows."""
        self._run("set_reachable", respondent_id=respondent_id, reachable=int(reachable))
        if not reachable:
            self._note_unsent(respondent_id, write_instant(at), Cause.UNREACHABLE)
            self._run("drop_unsent", respondent_id=respondent_id)

    def opt_in(self, respondent_id: str) -> None:
        """Write to this person again."""
        self._run("opt_in", respondent_id=respondent_id)

    def opt_out(self, respondent_id: str, *, at: datetime) -> None:
        """Write no more to this person of our own accord; drops their pending broadcasts."""
        self._run("opt_out", respondent_id=respondent_id, at=write_instant(at))
        self._run("drop_broadcasts", respondent_id=respondent_id)

    def set_language(self, respondent_id: str, language: str) -> None:
        """Note in which language this person wants to be spoken to."""
        self._run("set_language", respondent_id=respondent_id, language=language)

    def set_sector(self, respondent_id: str, sector: str, role: str | None) -> None:
        """Note who this person answers as; see the contract."""
        self._run("set_sector", respondent_id=respondent_id, sector=sector, role=role)

    def has_agreed(self, respondent_id: str) -> bool:
        """Whether this person ever agreed to a consent, so that words of theirs may be kept."""
        return self._one("has_agreed", respondent_id=respondent_id) is not None

    def join(self, respondent_id: str, cohort: str, *, on: date) -> bool:
        """Enrol a person in a cohort; False when they were in it already."""
        joined = self._run(
            "join_cohort", respondent_id=respondent_id, cohort=cohort, since=write_day(on)
        )
        return bool(joined)

    def leave(self, respondent_id: str, cohort: str, *, at: datetime) -> None:
        """End a membership, and drop pending broadcasts of it; past responses stay."""
        self._run("leave_cohort", respondent_id=respondent_id, cohort=cohort)
        self._note_unsent(respondent_id, write_instant(at), Cause.LEFT, cohort=cohort)
        self._run("drop_broadcasts_of_cohort", respondent_id=respondent_id, cohort=cohort)

    def members(
        self, cohort: str, *, roles: Sequence[str], after: str = "", limit: int = 500
    ) -> list[Respondent]:
        """Give members who may be written to; see the contract."""
        rows = self._all(
            "members",
            cohort=cohort,
            roles=listed(roles),
            after=after,
            limit=limit,
        )
        return [read_respondent(row, self._cohorts(row["respondent_id"])) for row in rows]

    def members_on(self, cohort: str, channel: str) -> list[tuple[str, str]]:
        """Give (platform_id, respondent_id) of every member who is reached on a channel."""
        rows = self._all("members_on", cohort=cohort, channel=channel)
        return [(row["platform_id"], row["respondent_id"]) for row in rows]

    def uninvited(
        self, wave_id: str, *, roles: Sequence[str], limit: int = 500
    ) -> list[Respondent]:
        """Give members of a wave's cohort who are still to be invited; see the contract."""
        rows = self._all("uninvited", wave_id=wave_id, roles=listed(roles), limit=limit)
        return [read_respondent(row, self._cohorts(row["respondent_id"])) for row in rows]

    def has_consented(self, respondent_id: str, survey_id: str, consent_revision: str) -> bool:
        """Whether this person agreed to these very words before."""
        row = self._one(
            "has_consented",
            respondent_id=respondent_id,
            survey_id=survey_id,
            consent_revision=consent_revision,
        )
        return row is not None

    def holdings(self, respondent_id: str) -> Holdings:
        """Give everything that is held of a person."""
        respondent = self._known(respondent_id)
        mine = {"respondent_id": respondent_id}
        held = self._one("respondent_held", **mine) or {}
        opted_out_at = held["opted_out_at"]
        return Holdings(
            respondent=respondent,
            address=self._address(respondent_id),
            joined_on=date.fromisoformat(held["joined_on"]),
            opted_out_at=None if opted_out_at is None else read_instant(opted_out_at),
            unchecked=bool(held["unchecked"]),
            memberships=tuple(
                (row["cohort"], date.fromisoformat(row["since"]))
                for row in self._all("memberships_of", **mine)
            ),
            consents=tuple(
                ConsentHeld(
                    survey_id=row["survey_id"],
                    revision=row["revision"],
                    agreed_at=read_instant(row["consented_at"]),
                )
                for row in self._all("consents_of", **mine)
            ),
            invitations=tuple(map(self._invitation_held, self._all("invitations_of", **mine))),
            sessions=tuple(map(read_session, self._all("sessions_of", **mine))),
            responses=tuple(map(self._response_held, self._all("responses_of", **mine))),
            timing=read_timing(self._one("timing", **mine)),
            unsent=tuple(map(_unsent_held, self._all("unsent_of", **mine))),
        )

    def codings_of(self, response_id: str) -> list[tuple[str, KeptCoding]]:
        """Give (question_id, coding) of a response, by place of the question, then offset."""
        rows = self._all("codings_of", response_id=response_id)
        return [(row["question_id"], read_kept_coding(row)) for row in rows]

    def erase(
        self,
        respondent_id: str,
        *,
        at: datetime,
        erasure_id: str,
        actor: str,
        farewell: Prompt | None,
        leaving_id: str,
    ) -> int:
        """Erase everything of a person; see the contract."""
        self.hold(TELLING)
        address = self._address(respondent_id)
        n_responses = len(self._all("responses_of", respondent_id=respondent_id))
        for query in _ERASED:
            self._run(query, respondent_id=respondent_id)
        self._run(
            "suppress",
            address_key=self._hashed("address", address.channel, address.platform_id),
            since=write_day(at.astimezone(UTC)),
        )
        self._run(
            "note_erasure",
            erasure_id=erasure_id,
            at=write_instant(at),
            actor=actor,
            n_responses=n_responses,
        )
        if farewell is not None:
            self.say_farewell(address, farewell, leaving_id=leaving_id, at=at)
        self.scrub_due = True
        return n_responses

    def say_farewell(
        self, address: Address, prompt: Prompt, *, leaving_id: str, at: datetime
    ) -> None:
        """Put out a message to an address that nobody is known at; see the contract."""
        there = self._one("address_at", channel=address.channel, platform_id=address.platform_id)
        if there is None:
            self._run(
                "add_address",
                channel=address.channel,
                platform_id=address.platform_id,
                chat=address.chat,
                respondent_id=leaving_id,
                leaving=1,
            )
        self._put_out(
            prompt,
            respondent_id=leaving_id if there is None else there["respondent_id"],
            channel=address.channel,
            window=Window(due_at=at),
            lane=0,
            farewell=True,
        )

    def _response_held(self, row: Record) -> ResponseHeld:
        codings = self.codings_of(row["response_id"])
        reviews = self._all("reviews_of", response_id=row["response_id"])
        return ResponseHeld(
            response_id=row["response_id"],
            survey_id=row["survey_id"],
            revision=row["revision"],
            wave_id=row["wave_id"],
            started_at=read_instant(row["started_at"]),
            disposition=Disposition(row["disposition"]),
            check=row["check_state"],
            check_at=None if row["check_at"] is None else read_instant(row["check_at"]),
            answers=tuple(
                AnswerHeld(
                    question_id=answer["question_id"],
                    question=answer["question"],
                    value=answer["value"],
                    text=answer["text"],
                    missing=answer["missing"],
                    asked_at=read_instant(answer["asked_at"]),
                    answered_at=(
                        None
                        if answer["answered_at"] is None
                        else read_instant(answer["answered_at"])
                    ),
                    n_edits=answer["n_edits"],
                    codings=tuple(
                        coding for place, coding in codings if place == answer["question_id"]
                    ),
                    read_at=tuple(
                        read_instant(one["reviewed_at"])
                        for one in reviews
                        if one["question_id"] == answer["question_id"]
                    ),
                )
                for answer in self._all("answers_of", response_id=row["response_id"])
            ),
        )

    def _invitation_held(self, row: Record) -> InvitationHeld:
        settled_at = row["disposition_at"]
        return InvitationHeld(
            survey_id=row["survey_id"],
            revision=row["revision"],
            wave_id=row["wave_id"],
            invited_at=read_instant(row["invited_at"]),
            reminders=row["reminders"],
            disposition=Disposition(row["disposition"]),
            disposition_at=None if settled_at is None else read_instant(settled_at),
            history=tuple(
                StateHeld(
                    state=State(step["state"]),
                    at=read_instant(step["at"]),
                    channel=step["channel"],
                    reason=None if step["reason"] is None else Cause(step["reason"]),
                )
                for step in self._all("states_of", invitation_id=row["invitation_id"])
            ),
        )

    def _address(self, respondent_id: str) -> Address:
        row = self._one("address_of", respondent_id=respondent_id)
        if row is None:
            raise StoreError("Nobody is known by this pseudonym.")
        return Address(channel=row["channel"], platform_id=row["platform_id"], chat=row["chat"])

    def _known(self, respondent_id: str) -> Respondent:
        respondent = self.respondent(respondent_id)
        if respondent is None:
            raise StoreError("Nobody is known by this pseudonym.")
        return respondent

    def _people(self, query: str, **params: Any) -> list[Respondent]:
        rows = self._all(query, **params)
        return [read_respondent(row, self._cohorts(row["respondent_id"])) for row in rows]

    def _person(self, row: Record | None) -> Respondent | None:
        return None if row is None else read_respondent(row, self._cohorts(row["respondent_id"]))

    def _cohorts(self, respondent_id: str) -> list[str]:
        return [row["cohort"] for row in self._all("cohorts_of", respondent_id=respondent_id)]


def _unsent_held(row: Record) -> UnsentHeld:
    return UnsentHeld(
        survey_id=row["survey_id"],
        revision=row["revision"],
        wave_id=row["wave_id"],
        number=row["number"],
        reason=Cause(row["reason"]),
        noted_at=read_instant(row["noted_at"]),
    )
