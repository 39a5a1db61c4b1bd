"""Waves: fieldings, and how their invitations end."""

from __future__ import annotations

import json
from datetime import datetime

from dialogues.states import Cause
from storage.dispositions import Dispositions
from storage.draws import Draws
from storage.loose import Loose
from storage.protocol import Wave, WaveState
from storage.records import read_wave, write_instant, write_rhythm

__all__ = ["Waves"]


class Waves(Loose, Dispositions, Draws):
    """The verbs about waves and invitations."""

    def open_wave(self, wave: Wave) -> bool:
        """Keep a new wave; False when this wave_id is known, whatever its state."""
        opened = self._run(
            "open_wave",
            wave_id=wave.wave_id,
            pulse=wave.pulse,
            cohort=wave.cohort,
            survey_id=wave.survey_id,
            revision=wave.revision,
            roles=json.dumps(wave.roles),
            questions_per_person=wave.questions_per_person,
            timezone=wave.timezone,
            quiet_hours=None if wave.quiet_hours is None else json.dumps(wave.quiet_hours),
            state=wave.state,
            opens_at=write_instant(wave.opens_at),
            closes_at=None if wave.closes_at is None else write_instant(wave.closes_at),
            seed=wave.seed,
            timing=write_rhythm(wave.rhythm),
        )
        if opened:
            self.notify("waves")
        return bool(opened)

    def wave(self, wave_id: str) -> Wave | None:
        """Give a wave; None when there is none."""
        row = self._one("wave", wave_id=wave_id)
        return None if row is None else read_wave(row)

    def waves(self, *, state: WaveState | None = None) -> list[Wave]:
        """Give waves, newest first, ties by wave_id."""
        return [read_wave(row) for row in self._all("waves", state=state or "")]

    def open_waves_for(self, respondent_id: str) -> list[Wave]:
        """Give open waves of this person's cohorts, whoever they ask, newest first."""
        rows = self._all("open_waves_for", respondent_id=respondent_id)
        return [read_wave(row) for row in rows]

    def set_wave(
        self,
        wave_id: str,
        *,
        state: WaveState | None = None,
        closes_at: datetime | None = None,
    ) -> None:
        """Change what is given."""
        self._run(
            "set_wave",
            wave_id=wave_id,
            state=state,
            closes_at=None if closes_at is None else write_instant(closes_at),
        )
        if state is not None:
            self.notify("waves")

    def note_reminder(self, invitation_id: str) -> None:
        """Count a reminder that went into the outbox."""
        self._run("note_reminder", invitation_id=invitation_id)

    def settle_wave(self, wave_id: str, *, at: datetime, min_group: int) -> None:
        """Write what is still unknown when a wave closes; see the contract."""
        written_at = write_instant(at)
        kept = self._one("is_anonymous", wave_id=wave_id)
        anonymous = kept is not None and bool(kept["anonymous"])
        if anonymous:
            self._run("settle_loose", wave_id=wave_id, at=written_at)
        self._run("settle_rest", wave_id=wave_id, at=written_at)
        wave = self.wave(wave_id)
        paused = wave is not None and wave.state == "paused"
        reason = Cause.PAUSED if paused else Cause.CLOSED
        self._run("settle_history", wave_id=wave_id, at=written_at, reason=reason.value)
        self._run("settle_states", wave_id=wave_id)
        if anonymous:
            self._drop_unsubmitted(wave_id)
            self._withhold_rare(wave_id, min_group=min_group)

    def drop_broadcasts(self, wave_id: str) -> None:
        """Drop what a wave has still to send of our own accord."""
        self._run("drop_broadcasts_of_wave", wave_id=wave_id)

    def _drop_unsubmitted(self, wave_id: str) -> None:
        self._run("drop_unsubmitted_responses", wave_id=wave_id)
        for row in self._all("sessions_of_wave", wave_id=wave_id):
            self._run("loosen_outbox", session_id=row["session_id"])
            self._run("drop_outbox_of_session", session_id=row["session_id"])
        self._run("drop_sessions_of_wave", wave_id=wave_id)
        self.scrub_due = True
