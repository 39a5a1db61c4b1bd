"""The programs that share a database: who is up, and who does what only one may do.

Every instant here comes from one clock (``clock``): on PostgreSQL the database's own, so that
workers on machines whose clocks differ agree on when a lease has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from storage.base import Part
from storage.protocol import WorkerSeen
from storage.records import read_instant, write_instant

__all__ = ["Workers"]


class Workers(Part):
    """The verbs about workers."""

    def is_shared(self) -> bool:
        """Whether several programs may write at once; see the contract."""
        return self._driver.engine != "sqlite"

    def clock(self, now: datetime) -> datetime:
        """Give the time by which all workers go; see the contract."""
        row = self._one("clock", now=write_instant(now))
        return now if row is None else read_instant(row["now"])

    def beat(
        self,
        worker_id: str,
        *,
        roles: Collection[str],
        machine: str,
        process: str,
        now: datetime,
    ) -> None:
        """Say that a worker is up. Safe to repeat."""
        self._run(
            "beat",
            worker_id=worker_id,
            roles=" ".join(sorted(roles)),
            machine=machine,
            process=process,
            now=write_instant(now),
        )

    def workers(self) -> list[WorkerSeen]:
        """Give every worker that has not been dismissed, by worker_id."""
        return [
            WorkerSeen(
                worker_id=row["worker_id"],
                roles=frozenset(row["roles"].split()),
                machine=row["machine"],
                process=row["process"],
                seen_at=read_instant(row["seen_at"]),
            )
            for row in self._all("workers")
        ]

    def is_alone(self, worker_id: str, *, role: str, within: timedelta, now: datetime) -> bool:
        """Whether no other worker of a role was seen within a time."""
        at = self.clock(now)
        return not any(
            role in one.roles and at - one.seen_at < within
            for one in self.workers()
            if one.worker_id != worker_id
        )

    def dismiss(self, worker_id: str, *, seen_at: datetime, now: datetime) -> dict[str, int] | None:
        """Let go of all that a worker holds; see the contract."""
        if not self._run("drop_worker", worker_id=worker_id, seen_at=write_instant(seen_at)):
            return None
        self._run("leave_leases", worker_id=worker_id)
        self._run("leave_shares", worker_id=worker_id, now=write_instant(now))
        held = {row["channel"]: row["n"] for row in self._all("claims_of", worker_id=worker_id)}
        self._run("release_claims_of", worker_id=worker_id)
        return held

    def lead(self, name: str, worker_id: str, *, now: datetime, until: datetime) -> bool:
        """Take or keep the lead in something; see the contract."""
        written_now, written_until = write_instant(now), write_instant(until)
        return bool(
            self._run("lead", name=name, worker_id=worker_id, now=written_now, until=written_until)
        )
