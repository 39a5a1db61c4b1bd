"""Where exports read from, and which part of it.

What lives here: the little that an export asks of a store, and its filter. What must not:
SQL (``queries/exports.sql``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from dialogues.errors import StoreError, UserError
from dialogues.survey import Survey
from storage.protocol import Row

__all__ = ["Selection", "Source"]


class Source(Protocol):
    """What an export reads; ``storage.protocol.Store`` is one.

    Every call has to see the same moment, also while answers come in: give a store inside
    one read transaction.
    """

    def read(self, query: str, **params: Any) -> Iterator[Row]:
        """Run a named query of ``queries/exports.sql`` and give its rows, streaming."""
        ...

    def kept_surveys(self) -> list[Survey]:
        """Give every kept revision, by survey_id, oldest first."""
        ...


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The part of a store that is exported.

    Attributes:
        survey_id: Only this survey; None for all.
        wave_id: Only this wave; None for all, and for answers outside any wave.
    """

    source: Source
    survey_id: str | None = None
    wave_id: str | None = None

    def read(self, query: str) -> Iterator[Row]:
        """Run a query on this part."""
        return self.source.read(query, survey_id=self.survey_id, wave_id=self.wave_id)

    def check(self) -> None:
        """See that what is asked for is there.

        Raises:
            UserError: No such survey or wave; the message names those that are there.
        """
        if self.survey_id is not None:
            self._among("survey", self.survey_id, [one.survey_id for one in self._kept])
        if self.wave_id is not None:
            waves = [str(row["wave_id"]) for row in self.source.read("export_waves")]
            self._among("wave", self.wave_id, waves)

    @staticmethod
    def _among(noun: str, wanted: str, known: list[str]) -> None:
        if wanted not in known:
            there = ", ".join(dict.fromkeys(known)) or "none yet"
            raise UserError(f"There is no {noun} {wanted} here. There are: {there}.")

    @cached_property
    def _kept(self) -> list[Survey]:
        return self.source.kept_surveys()

    @cached_property
    def surveys(self) -> tuple[Survey, ...]:
        """Every revision of this part, by survey_id, oldest first."""
        kept = [one for one in self._kept if self.survey_id in (None, one.survey_id)]
        if self.wave_id is None:
            return tuple(kept)
        fielded = {(row["survey_id"], row["revision"]) for row in self.read("export_revisions")}
        return tuple(one for one in kept if (one.survey_id, one.revision) in fielded)

    @cached_property
    def _by_revision(self) -> dict[tuple[str, str], Survey]:
        return {(one.survey_id, one.revision): one for one in self._kept}

    def survey_of(self, row: Row) -> Survey:
        """Give the revision that a row belongs to.

        Raises:
            StoreError: The database does not hold it.
        """
        survey = self._by_revision.get((row["survey"], row["revision"]))
        if survey is None:
            raise StoreError(
                f"The database has answers to revision {row['revision']} of the survey"
                f" {row['survey']}, and not the survey itself. Restore it from a backup."
            )
        return survey

    def released(self, row: Row) -> Survey | None:
        """Give the revision that a row about a response belongs to; None where the row stays.

        A response of an anonymous survey that still has its link was not handed in, and
        nothing of it leaves the house. What was handed in leaves it once its wave has closed:
        until then it still holds what too few people may share.
        """
        survey = self.survey_of(row)
        stays = row["respondent"] is not None or row["wave_state"] != "closed"
        return None if survey.anonymous and stays else survey
