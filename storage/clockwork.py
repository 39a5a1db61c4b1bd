"""Time: everyone's own, and what is sent or not sent by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dialogues.codec import encode_session
from dialogues.effects import PromptShown
from dialogues.states import FAMILIES, Cause, State
from storage.base import put_out
from storage.clock import (
    Candidate,
    Earlier,
    Invited,
    PassedOver,
    Reminding,
    Timing,
    Unsent,
    Waiting,
    Window,
)
from storage.dispositions import Dispositions
from storage.driver import Record
from storage.holding import Holding
from storage.records import (
    listed,
    read_instant,
    read_maybe,
    read_rhythm,
    read_timing,
    write_day,
    write_instant,
    write_maybe,
)

__all__ = ["Clockwork"]


class Clockwork(Dispositions, Holding):
    """The verbs about time."""

    def timing(self, respondent_id: str) -> Timing:
        """Give when a person wants to be written to; see the contract."""
        row = self._one("timing", respondent_id=respondent_id)
        return read_timing(row)

    def set_timing(self, respondent_id: str, timing: Timing) -> None:
        """Keep what a person wants. Safe to repeat."""
        until = timing.paused_until
        self._run(
            "set_timing",
            respondent_id=respondent_id,
            timezone=timing.timezone,
            told_timezone=timing.told_timezone,
            minute=timing.minute,
            quiet=None if timing.quiet is None else json.dumps(timing.quiet),
            days_off=None if timing.days_off is None else json.dumps(timing.days_off),
            paused_until=None if until is None else write_day(until),
        )

    def tell_timezone(self, respondent_id: str, timezone: str) -> bool:
        """Keep what a platform says of a person's time zone; see the contract."""
        return bool(self._run("tell_timezone", respondent_id=respondent_id, timezone=timezone))

    def moments(self, cohort: str) -> list[tuple[str | None, int | None]]:
        """Give every pair of (time zone, minute) that members of a cohort have of their own."""
        return [(row["zone"], row["minute"]) for row in self._all("moments", cohort=cohort)]

    # Inviting -------------------------------------------------------------------------

    def candidates(
        self,
        wave_id: str,
        *,
        consent_revision: str,
        roles: Sequence[str],
        since: datetime,
        after: str = "",
        limit: int = 500,
    ) -> tuple[list[Candidate], str | None]:
        """Give who may be invited to a wave, a page of its cohort; see the contract."""
        wave = self._one("wave", wave_id=wave_id)
        if wave is None:
            return [], None
        page = self._page(wave["cohort"], after, limit)
        if page is None:
            return [], None
        asked = {
            **page,
            "wave_id": wave_id,
            "survey_id": wave["survey_id"],
            "consent_revision": consent_revision,
            "roles": listed(roles),
        }
        rows = self._all("candidates", **asked)
        if self._driver.engine != "sqlite":
            # Held, they stay as they are read now.
            self.hold_people([row["respondent_id"] for row in rows])
            rows = self._all("candidates", **asked)
        earlier = self._earlier(wave_id, rows, page, since=since)
        return [_candidate(row, earlier.get(row["respondent_id"], ())) for row in rows], page[
            "last"
        ]

    def members_with_hours(
        self, cohort: str, *, since: datetime, after: str = "", limit: int = 500
    ) -> tuple[list[Candidate], str | None]:
        """Give who may be written to, a page of a cohort; see the contract."""
        page = self._page(cohort, after, limit)
        if page is None:
            return [], None
        # In no wave, and agreed to nothing: nobody has such an invitation or consent.
        nothing = {"wave_id": "", "survey_id": "", "consent_revision": "", "roles": ""}
        rows = self._all("candidates", **page, **nothing)
        earlier = self._earlier("", rows, page, since=since)
        return [_candidate(row, earlier.get(row["respondent_id"], ())) for row in rows], page[
            "last"
        ]

    def _page(self, cohort: str, after: str, limit: int) -> dict[str, Any] | None:
        """Say which members of a cohort are the next page; None when none is left."""
        row = self._one("page_of_members", cohort=cohort, after=after, limit=limit)
        last = None if row is None else row["last"]
        if last is None:
            return None
        # Twice as many: some may join meanwhile.
        return {"cohort": cohort, "after": after, "last": last, "few": 2 * limit}

    def _earlier(
        self, wave_id: str, rows: list[Record], page: dict[str, Any], *, since: datetime
    ) -> dict[str, tuple[Earlier, ...]]:
        if not rows:
            return {}
        asked = {row["respondent_id"] for row in rows}
        found: dict[str, tuple[Earlier, ...]] = {}
        for row in self._all(
            "earlier_invitations", wave_id=wave_id, since=write_instant(since), **page
        ):
            name = row["respondent_id"]
            if name in asked:
                found[name] = (*found.get(name, ()), _earlier(row))
        return found

    def earlier(self, respondent_id: str, *, since: datetime) -> tuple[Earlier, ...]:
        """Give a person's invitations that do not wait any more; see the contract."""
        rows = self._all("earlier_of", respondent_id=respondent_id, since=write_instant(since))
        return tuple(map(_earlier, rows))

    def invite(self, wave_id: str, invited: Sequence[Invited], *, at: datetime) -> list[str]:
        """Save the first turns of many conversations; see the contract."""
        self._stay_in(wave_id)
        wave = self._one("wave", wave_id=wave_id)
        if not invited or wave is None:
            return []
        written_at = write_instant(at)
        ordered = sorted(invited, key=lambda one: one.candidate.respondent_id)
        self._many("invite_at", [_invitation(one, wave_id, written_at) for one in ordered])
        kept = self._kept_of(ordered)
        ours = [one for one in ordered if one.invitation_id in kept]
        cohort = wave["cohort"]
        self._many("add_first_state", [_invitation(one, wave_id, written_at) for one in ours])
        self._many("add_session", [_session(one, wave_id, cohort, written_at) for one in ours])
        messages = [row for one in ours for row in _messages(one, wave_id)]
        self._many("put_out", messages)
        for channel in {row["channel"] for row in messages}:
            self.notify(f"outbox:{channel}")
        return [one.invitation_id for one in invited if one.invitation_id in kept]

    def pass_over(self, wave_id: str, passed: Sequence[PassedOver], *, at: datetime) -> None:
        """Note who is not invited to a wave, and why; see the contract."""
        if not passed:
            return
        ordered = sorted(passed, key=lambda one: one.candidate.respondent_id)
        rows = [_passed_over(one, wave_id, write_instant(at)) for one in ordered]
        self._many("pass_over", rows)
        kept = self._kept_of(ordered)
        rows = [row for row in rows if row["invitation_id"] in kept]
        self._many("add_first_state", rows)
        self._many("note_unsent", rows)

    def _kept_of(self, made: Sequence[Invited] | Sequence[PassedOver]) -> set[str]:
        """Give the ids of those that were written, and perhaps some that lie between them."""
        ids = [one.invitation_id for one in made]
        rows = self._all("invited_between", first=min(ids), last=max(ids))
        return {row["invitation_id"] for row in rows}

    def note_unsent(self, wave_id: str, unsent: Sequence[Unsent], *, at: datetime) -> None:
        """Note what is not sent, and why."""
        self._many(
            "note_unsent",
            [
                {
                    "wave_id": wave_id,
                    "respondent_id": one.respondent_id,
                    "number": one.number,
                    "reason": one.reason,
                    "at": write_instant(at),
                }
                for one in unsent
            ],
        )

    def forget_unsent(self, respondent_id: str) -> None:
        """Forget what was not sent to a person for reasons of their own time."""
        for row in self._all("passed_over_by", respondent_id=respondent_id):
            self._drop_invitation(row["invitation_id"])
        self._run("forget_unsent", respondent_id=respondent_id)

    def _drop_invitation(self, invitation_id: str) -> None:
        self._run("drop_states", invitation_id=invitation_id)
        self._run("drop_invitation", invitation_id=invitation_id)

    def was_passed_over(self, respondent_id: str, wave_id: str) -> bool:
        """Whether this person was not invited to a wave, and has not come by themselves."""
        row = self._one("invitation_in", respondent_id=respondent_id, wave_id=wave_id)
        return row is not None and row["state"] == State.REJECTED

    def unsent(self, wave_id: str) -> dict[str, int]:
        """Give reason to how many people were not invited to a wave for it."""
        return {row["reason"]: row["n"] for row in self._all("count_unsent", wave_id=wave_id)}

    # Reminding ------------------------------------------------------------------------

    def reminders_due(self, wave_id: str, *, now: datetime, limit: int) -> list[Reminding]:
        """Give the invitations whose reminders are to be looked at; see the contract."""
        rows = self._all("reminders_due", wave_id=wave_id, now=write_instant(now), limit=limit)
        return [
            Reminding(
                invitation_id=row["invitation_id"],
                respondent_id=row["respondent_id"],
                session_id=row["session_id"],
                base_at=read_instant(row["base_at"]),
                reminded=row["reminded"],
                look_at=read_instant(row["look_at"]),
                waiting=bool(row["waiting"]),
            )
            for row in rows
        ]

    def set_reminder(
        self, reminding: Reminding, *, look_at: datetime | None, reminded: int
    ) -> bool:
        """Note how a look at somebody's reminders ended; see the contract."""
        noted = self._run(
            "set_reminder",
            invitation_id=reminding.invitation_id,
            look_at=write_maybe(look_at),
            reminded=reminded,
            reminded_before=reminding.reminded,
            look_at_before=write_instant(reminding.look_at),
        )
        return bool(noted)

    def look_again(self, respondent_id: str, *, at: datetime) -> None:
        """Have all reminders of a person in open waves looked at by ``at``."""
        self._run("look_again", respondent_id=respondent_id, at=write_instant(at))

    # Waiting --------------------------------------------------------------------------

    def waiting(self, respondent_id: str) -> list[Waiting]:
        """Give the broadcasts that wait for a person and never left, oldest first."""
        return [_waiting(row) for row in self._all("waiting_for", respondent_id=respondent_id)]

    def put_off(self, *, now: datetime, limit: int) -> list[Waiting]:
        """Give broadcasts that are in somebody's quiet time; see the contract."""
        rows = self._all("put_off", now=write_instant(now), limit=limit)
        return [_waiting(row) for row in rows]

    def move(self, outbox_id: int, window: Window) -> bool:
        """Give a waiting broadcast another time; see the contract."""
        row = self._one("message_of", outbox_id=outbox_id)
        if row is None:
            return False
        due_at = write_instant(window.due_at)
        self._run(
            "move_message",
            outbox_id=outbox_id,
            due_at=due_at,
            quiet_at=write_maybe(window.quiet_at),
            expires_at=write_maybe(window.expires_at),
        )
        if row["number"] == 0 and row["invitation_id"] is not None and not row["seen"]:
            self._run("move_invitation", invitation_id=row["invitation_id"], due_at=due_at)
        return True

    def take_back(self, waiting: Waiting) -> None:
        """Take back a broadcast that waits; see the contract."""
        row = self._one("message_of", outbox_id=waiting.outbox_id)
        if row is None:
            return
        self._run("drop_message", outbox_id=waiting.outbox_id)
        if row["number"] == 0 and row["invitation_id"] is not None and not row["seen"]:
            self._run("drop_outbox_of_session", session_id=row["session_id"])
            self._run("drop_session", session_id=row["session_id"])
            self._drop_invitation(row["invitation_id"])

    def give_up(self, waiting: Waiting, *, reason: str, at: datetime) -> None:
        """Drop a broadcast that waits and for which no time is left, and note why."""
        row = self._one("message_of", outbox_id=waiting.outbox_id)
        if row is not None:
            self._run("drop_message", outbox_id=waiting.outbox_id)
            self._note_dropped(row, reason, write_instant(at))

    def drop_late(self, wave_id: str, *, reason: str, at: datetime, limit: int) -> int:
        """Drop invitations and reminders of a wave that still wait; see the contract."""
        late = self._all("late_of_wave", wave_id=wave_id, limit=limit)
        for row in late:
            self._run("drop_message", outbox_id=row["outbox_id"])
            self._note_dropped(row, reason, write_instant(at))
        return len(late)

    def waits_until(self, session_id: str) -> datetime | None:
        """Give when the message of a conversation of which nothing was seen is due."""
        row = self._one("waits_until", session_id=session_id)
        return None if row is None or row["seen"] else read_instant(row["due_at"])


def _candidate(row: Record, earlier: tuple[Earlier, ...]) -> Candidate:
    return Candidate(
        respondent_id=row["respondent_id"],
        channel=row["channel"],
        role=row["role"],
        sector=row["sector"],
        language=row["language"],
        timing=read_timing(row),
        agreed=bool(row["agreed"]),
        earlier=earlier,
    )


def _earlier(row: Record) -> Earlier:
    rhythm = read_rhythm(row)
    return Earlier(
        pulse=row["pulse"],
        opens_on=rhythm.opens_on,
        minute=rhythm.minute,
        due_at=read_instant(row["due_at"]),
    )


def _invitation(one: Invited, wave_id: str, at: str) -> dict[str, object]:
    return {
        "invitation_id": one.invitation_id,
        "wave_id": wave_id,
        "respondent_id": one.candidate.respondent_id,
        "at": at,
        "state": State.QUEUED.value,
        "channel": one.candidate.channel,
        "due_at": write_instant(one.window.due_at),
        "remind_at": write_maybe(one.remind_at),
        "reason": None,
    }


def _passed_over(one: PassedOver, wave_id: str, at: str) -> dict[str, object]:
    state = State.FAILED if one.reason == Cause.STALE else State.REJECTED
    return {
        "invitation_id": one.invitation_id,
        "wave_id": wave_id,
        "respondent_id": one.candidate.respondent_id,
        "disposition": FAMILIES[state].value,
        "at": at,
        "state": state.value,
        "channel": one.candidate.channel,
        "number": 0,
        "reason": one.reason,
    }


def _session(one: Invited, wave_id: str, cohort: str, at: str) -> dict[str, object]:
    session = one.turn.session
    return {
        "session_id": session.session_id,
        "respondent_id": one.candidate.respondent_id,
        "invitation_id": one.invitation_id,
        "wave_id": wave_id,
        "cohort": cohort,
        "survey_id": session.survey_id,
        "revision": session.revision,
        "status": session.status.value,
        "turn": session.turn,
        "body": encode_session(session),
        "at": at,
    }


def _messages(one: Invited, wave_id: str) -> list[dict[str, object]]:
    session, candidate = one.turn.session, one.candidate
    return [
        put_out(
            effect.prompt,
            respondent_id=candidate.respondent_id,
            channel=candidate.channel,
            window=one.window,
            lane=1,
            session_id=session.session_id,
            wave_id=wave_id,
            turn=session.turn,
            lasting=effect.lasting,
            number=0,
        )
        for effect in one.turn.effects
        if isinstance(effect, PromptShown)
    ]


def _waiting(row: Record) -> Waiting:
    return Waiting(
        outbox_id=row["outbox_id"],
        respondent_id=row["respondent_id"],
        wave_id=row["wave_id"],
        invitation_id=row["invitation_id"],
        number=row["number"],
        due_at=read_instant(row["due_at"]),
        expires_at=read_maybe(row["expires_at"]),
        seen=bool(row["seen"]),
    )
