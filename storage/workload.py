"""How much there is to do, as whoever watches the house wants to know."""

from __future__ import annotations

from datetime import datetime

from storage.dead_letters import DeadLetters
from storage.records import write_instant
from storage.values import Workload

__all__ = ["Workloads"]


class Workloads(DeadLetters):
    """The verbs about the state of the house."""

    def workload(self) -> Workload:
        """Count what there is to do; see the contract."""
        return Workload(
            outbox=tuple(self.outbox_depth()),
            n_untagged=self._count("count_untagged"),
            n_open_waves=self._count("count_open_waves"),
        )

    def probe(self, *, at: datetime) -> bool:
        """Write something of no meaning and read it back; see the contract."""
        written = write_instant(at)
        self._run("set_meta", key="probed_at", value=written)
        row = self._one("meta", key="probed_at")
        return row is not None and row["value"] == written

    def _count(self, query: str) -> int:
        row = self._one(query)
        return int(row["n"]) if row is not None else 0
