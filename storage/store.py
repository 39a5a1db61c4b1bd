"""The one implementation of the store's contract, over any engine's driver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dialogues.codec import decode_survey, encode_survey
from dialogues.errors import StoreError
from dialogues.survey import Survey
from storage.clockwork import Clockwork
from storage.outbox import Outbox
from storage.paces import Paces
from storage.protocol import Row, Store
from storage.records import write_instant
from storage.results import Results
from storage.reviews import Reviews
from storage.standing import Standing
from storage.stirring import Stirring
from storage.sweeps import Sweeps
from storage.turns import Turns
from storage.workers import Workers
from storage.workload import Workloads

__all__ = ["SqlStore"]


class SqlStore(
    Results,
    Turns,
    Outbox,
    Clockwork,
    Reviews,
    Standing,
    Workers,
    Paces,
    Workloads,
    Sweeps,
    Stirring,
):
    """What the house keeps, in SQL. It belongs to the thread that made it."""

    def keep_survey(self, survey: Survey, *, at: datetime) -> None:
        """Keep a revision for ever. Safe to repeat."""
        self._run(
            "keep_survey",
            survey_id=survey.survey_id,
            revision=survey.revision,
            anonymous=int(survey.anonymous),
            document=encode_survey(survey),
            at=write_instant(at),
        )

    def kept_surveys(self) -> list[Survey]:
        """Give every kept revision, by survey_id, oldest first."""
        return [decode_survey(row["document"]) for row in self._all("kept_surveys")]

    def read(self, query: str, **params: Any) -> Iterator[Row]:
        """Run a named read-only query of ``queries/`` and give its rows, streaming.

        Raises:
            StoreError: No query has this name, or it is not one that only reads.
        """
        sql = self._sql.get(query, "")
        if not sql.lower().startswith(("select ", "with ")):
            raise StoreError(f"There is no query named {query} that only reads.")
        return map(dict, self._driver.each(sql, params))

    def scrub(self) -> bool:
        """Remove what was erased from every file of the database, where something was;
        False when that is not possible now. Not inside a transaction.
        """
        if self.scrub_due and self._driver.scrub():
            self.scrub_due = False
        return not self.scrub_due

    def tidy(self) -> bool:
        """Stir what was cut loose, and scrub; False when something is left to do. Not inside a
        transaction.
        """
        stirred = self.stir()
        return self.scrub() and stirred

    def close(self) -> None:
        """Close the database. The store is of no use afterwards."""
        self._driver.close()


if TYPE_CHECKING:

    def _keeps_the_contract(store: SqlStore) -> Store:
        return store
