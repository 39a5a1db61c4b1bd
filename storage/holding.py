"""Holding what others must not touch meanwhile: people, and waves that somebody begins in.

What lives here: which keys and rows those are. Where only one can write at a time, as on
SQLite, there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from dialogues.errors import StoreConflict
from storage.base import Part
from storage.values import Address

__all__ = ["Holding"]


class Holding(Part):
    """The verbs that keep others away."""

    def hold_people(self, respondent_ids: Sequence[str]) -> None:
        """Hold the keys of people; see the contract."""
        self._hold_addresses("addresses_of", respondent_ids)

    def hold_sessions(self, session_ids: Sequence[str]) -> None:
        """Hold the keys of the people of conversations; see the contract."""
        self._hold_addresses("addresses_of_sessions", session_ids)

    def hold_fielding(self, pulse: str | None, cohort: str) -> None:
        """Keep others from opening waves of a pulse in a cohort; see the contract."""
        if self._driver.engine != "sqlite":
            self.hold(f"fielding {pulse or ''} {cohort}")

    def _hold_addresses(self, query: str, ids: Sequence[str]) -> None:
        if self._driver.engine == "sqlite" or not ids:
            return
        rows = self._all(query, ids=list(ids))
        addresses = (Address(**row, chat="") for row in map(dict, rows))
        self.hold(*(address.key for address in addresses))

    def _stay_in(self, wave_id: str) -> None:
        """See that a wave does not close while somebody begins in it.

        Raises:
            StoreConflict: It has closed since the caller looked.
        """
        if self._driver.engine == "sqlite":
            return
        row = self._one("wave_stays", wave_id=wave_id)
        if row is not None and row["state"] in {"closing", "closed"}:
            raise StoreConflict
