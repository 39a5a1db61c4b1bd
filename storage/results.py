"""What a closed wave said, as it was shown: pictures, figures, and whom we still have to tell."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from dialogues.errors import StoreError
from storage.driver import Record
from storage.people import People
from storage.records import read_instant, write_instant
from storage.reports.figures import WaveFigures, decode_figures, encode_figures
from storage.values import KeptResults, Note, Respondent
from storage.waves import Waves

__all__ = ["Results"]


class Results(People, Waves):
    """The verbs about results and notes."""

    def keep_picture(self, content: bytes, *, at: datetime) -> str:
        """Keep a picture and give the id under which it is kept; see the contract."""
        picture_id = hashlib.blake2b(content, digest_size=12).hexdigest()
        self._run(
            "keep_picture",
            picture_id=picture_id,
            content=base64.b64encode(content).decode("ascii"),
            at=write_instant(at),
        )
        return picture_id

    def picture(self, picture_id: str) -> bytes | None:
        """Give a picture; None when there is none of this id."""
        row = self._one("picture", picture_id=picture_id)
        return None if row is None else base64.b64decode(row["content"])

    def hush(self, wave_id: str) -> None:
        """Note that nothing is said of a wave by itself: it was paused when it closed."""
        self._run("hush", wave_id=wave_id)

    def hushed(self, wave_id: str) -> bool:
        """Whether nothing is said of a wave by itself."""
        row = self._one("hushed", wave_id=wave_id)
        return row is not None and bool(row["silent"])

    def results_due(self, *, before: datetime, limit: int) -> list[str]:
        """Give closed waves that have no results yet; see the contract."""
        rows = self._all("results_due", before=write_instant(before), limit=limit)
        return [row["wave_id"] for row in rows]

    def keep_results(
        self,
        wave_id: str,
        figures: WaveFigures,
        *,
        pictures: Mapping[str, str],
        telling: bool,
        at: datetime,
    ) -> bool:
        """Keep the results of a wave for good; see the contract."""
        kept = self._run(
            "keep_results",
            wave_id=wave_id,
            figures=encode_figures(figures),
            pictures=json.dumps(pictures),
            at=write_instant(at),
            told_after="" if telling else None,
        )
        return bool(kept)

    def results(self, wave_id: str) -> KeptResults | None:
        """Give the results of a wave; None when there are none (yet)."""
        row = self._one("results", wave_id=wave_id)
        return None if row is None else self._kept_results(row)

    def results_for(self, respondent_id: str, *, limit: int) -> list[KeptResults]:
        """Give results of closed waves of this person's cohorts; see the contract."""
        rows = self._all("results_for", respondent_id=respondent_id, limit=limit)
        return [self._kept_results(row) for row in rows]

    def untold_results(self) -> list[KeptResults]:
        """Give results of which people are still to be told, the oldest first."""
        return [self._kept_results(row) for row in self._all("untold_results")]

    def tell_on(self, wave_id: str, *, before: str, after: str | None) -> bool:
        """Note that everybody up to somebody is told of results; see the contract."""
        return bool(self._run("tell_on", wave_id=wave_id, before=before, after=after))

    def audience(self, wave_id: str, *, after: str, limit: int) -> list[Respondent]:
        """Give who was invited in a wave and may be written to; see the contract."""
        return self._people("audience", wave_id=wave_id, after=after, limit=limit)

    def keep_note(self, note: Note) -> None:
        """Keep a note of the organisers; see the contract."""
        self._run(
            "keep_reply",
            reply_id=note.note_id,
            cohort=note.cohort,
            enabler=note.enabler,
            stance=note.stance,
            waves=json.dumps(note.waves),
            words=json.dumps(note.words, ensure_ascii=False),
            author=note.author,
            people=note.people,
            at=write_instant(note.made_at),
        )
        self.notify("notes")

    def notes(self) -> list[Note]:
        """Give every note, the newest first."""
        return [_note_of(row) for row in self._all("replies")]

    def untold_notes(self) -> list[Note]:
        """Give notes of which people are still to be told, the oldest first."""
        return [_note_of(row) for row in self._all("untold_replies")]

    def note_told(self, note_id: str, *, before: str, after: str | None) -> bool:
        """Note that everybody up to somebody is told of a note; see the contract."""
        return bool(self._run("reply_on", reply_id=note_id, before=before, after=after))

    def carriers(
        self, wave_id: str, enabler: str, *, stance: str | None, after: str, limit: int
    ) -> list[Respondent]:
        """Give whose words in a wave carry a code; see the contract."""
        return self._people(
            "carriers",
            wave_id=wave_id,
            enabler=enabler,
            stance=stance or "",
            after=after,
            limit=limit,
        )

    def count_carriers(self, wave_id: str, enabler: str, *, stance: str | None) -> int:
        """Give how many responses of a wave carry a code, anonymous ones included."""
        row = self._one("count_carriers", wave_id=wave_id, enabler=enabler, stance=stance or "")
        return 0 if row is None else int(row["n"])

    def _kept_results(self, row: Record) -> KeptResults:
        wave = self.wave(row["wave_id"])
        if wave is None:
            raise StoreError("There are results of a wave that is not kept.")
        return KeptResults(
            wave=wave,
            figures=decode_figures(row["figures"]),
            pictures=json.loads(row["pictures"]),
            made_at=read_instant(row["made_at"]),
            told_after=row["told_after"],
        )


def _note_of(row: Record) -> Note:
    return Note(
        note_id=row["reply_id"],
        cohort=row["cohort"],
        enabler=row["enabler"],
        stance=row["stance"],
        waves=tuple(json.loads(row["waves"])),
        words=json.loads(row["words"]),
        author=row["author"],
        people=row["people"],
        made_at=read_instant(row["made_at"]),
        told_after=row["told_after"],
    )
