"""The store's contract about what people are told of what they said.

A part of ``protocol.py``, where all that holds for every verb stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from storage.reports.figures import WaveFigures
from storage.values import KeptResults, Note, Respondent

__all__ = ["TELLING", "Telling"]

#: The key that is held by who tells people one after another, before looking whom, and by who
#: erases somebody: how far it went is kept by pseudonym, and names nobody who is gone.
TELLING = "telling"


class Telling(Protocol):
    """The verbs about results and notes."""

    def keep_picture(self, content: bytes, *, at: datetime) -> str:
        """Keep a picture and give its id, which is made of its content: safe to repeat."""
        ...

    def picture(self, picture_id: str) -> bytes | None:
        """Give a picture; None when there is none of this id."""
        ...

    # Results --------------------------------------------------------------------------

    def hush(self, wave_id: str) -> None:
        """Note that nothing is said of a wave by itself: it was paused when it closed."""
        ...

    def hushed(self, wave_id: str) -> bool:
        """Whether nothing is said of a wave by itself."""
        ...

    def results_due(self, *, before: datetime, limit: int) -> list[str]:
        """Give closed waves that have no results yet, the one that closed first first: those
        whose words were all read, and those that closed before an instant.
        """
        ...

    def keep_results(
        self,
        wave_id: str,
        figures: WaveFigures,
        *,
        pictures: Mapping[str, str],
        telling: bool,
        at: datetime,
    ) -> bool:
        """Keep the results of a wave for good; False, and nothing kept, when there are some.

        Args:
            wave_id: Of a closed wave.
            figures: As they are told from now on.
            pictures: Language to id of the picture; empty where there is none.
            telling: Whether people are told of them (``untold_results``).
            at: Aware UTC.
        """
        ...

    def results(self, wave_id: str) -> KeptResults | None:
        """Give the results of a wave; None when there are none (yet)."""
        ...

    def results_for(self, respondent_id: str, *, limit: int) -> list[KeptResults]:
        """Give results of closed waves of this person's cohorts, the one that closed last first."""
        ...

    def untold_results(self) -> list[KeptResults]:
        """Give results of which people are still to be told, the oldest first."""
        ...

    def tell_on(self, wave_id: str, *, before: str, after: str | None) -> bool:
        """Note that everybody up to ``after`` is told of results (None: everybody there is);
        False when somebody else has told those after ``before``. To be called before the
        messages are put out, in one transaction with them, which holds ``TELLING``.

        Where ``after`` is erased, telling goes on from their neighbour before.
        """
        ...

    def audience(self, wave_id: str, *, after: str, limit: int) -> list[Respondent]:
        """Give who was invited in a wave (and not screened out), is still a member of its cohort
        and may be written to (reachable, not opted out), by respondent_id, those after ``after``.
        """
        ...

    # Notes ----------------------------------------------------------------------------

    def keep_note(self, note: Note) -> None:
        """Keep a note of the organisers, of which people are to be told (``untold_notes``)."""
        ...

    def notes(self) -> list[Note]:
        """Give every note, the newest first."""
        ...

    def untold_notes(self) -> list[Note]:
        """Give notes of which people are still to be told, the oldest first."""
        ...

    def note_told(self, note_id: str, *, before: str, after: str | None) -> bool:
        """Note that everybody up to ``after`` is told of a note; as ``tell_on``."""
        ...

    def carriers(
        self, wave_id: str, enabler: str, *, stance: str | None, after: str, limit: int
    ) -> list[Respondent]:
        """Give whose words in a wave carry a code (as people say, or the model that read them
        last; never one that a person rejected), as ``audience``. Nobody of a response that
        was cut loose.
        """
        ...

    def count_carriers(self, wave_id: str, enabler: str, *, stance: str | None) -> int:
        """Give how many responses of a wave carry a code, anonymous ones included."""
        ...
