"""What ``/metrics`` shows, in the text format of Prometheus.

What lives here: names, meanings and labels of every figure (docs/howto/watch.md lists them).
What must not: a label that tells who, what was said, or which wave, survey or cohort. A
registry of its own, so that two in one process do not mix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.observer import Observer, SendOutcome, TurnOutcome
from storage.values import Workload

__all__ = ["Metrics"]

_LANES = {0: "reply", 1: "broadcast"}
_STATES = ("pending", "claimed", "dead")

#: Seconds: around what people notice, and what Slack waits.
_TURN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SEND = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_TAGGING = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
_JOBS = (1, 2, 5, 10, 25, 50, 100, 250)

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


class Metrics(Observer):
    """Counts what happens in this process, and what waits in the store."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._turns = Counter(
            "pulse_turns",
            "What people did, by what became of it",
            ("channel", "kind", "outcome"),
            registry=registry,
        )
        self._turn_seconds = Histogram(
            "pulse_turn_seconds",
            "From what a person did until all that follows from it was committed",
            ("channel",),
            buckets=_TURN,
            registry=registry,
        )
        self._commit_seconds = Histogram(
            "pulse_commit_seconds",
            "What one transaction took, its jobs included",
            buckets=_COMMIT,
            registry=registry,
        )
        self._commit_jobs = Histogram(
            "pulse_commit_jobs",
            "Jobs that shared one transaction",
            buckets=_JOBS,
            registry=registry,
        )
        self._commits_failed = Counter(
            "pulse_commits_failed", "Transactions of which nothing was kept", registry=registry
        )
        self._sends = Counter(
            "pulse_sends",
            "Messages that were tried to be sent, by what became of the try",
            ("channel", "lane", "outcome"),
            registry=registry,
        )
        self._send_seconds = Histogram(
            "pulse_send_seconds",
            "What the platform took for one try",
            ("channel",),
            buckets=_SEND,
            registry=registry,
        )
        self._rate_limited = Counter(
            "pulse_rate_limited",
            "Times that a platform asked to wait (429)",
            ("channel",),
            registry=registry,
        )
        self._tagging_seconds = Histogram(
            "pulse_tagging_seconds",
            "What the tagger took for one batch of answers",
            buckets=_TAGGING,
            registry=registry,
        )
        self._tagged = Counter(
            "pulse_tagged_answers",
            "Answers that the tagger read, or broke on",
            ("outcome",),
            registry=registry,
        )
        self._refused = Counter(
            "pulse_refused_requests", "Web requests refused, by why", ("kind",), registry=registry
        )
        self._outbox = Gauge(
            "pulse_outbox_messages",
            "Messages that were not sent",
            ("channel", "lane", "state"),
            registry=registry,
        )
        self._oldest = Gauge(
            "pulse_outbox_oldest_due_seconds",
            "For how long the oldest message that is due has been so; 0 where none is",
            ("channel", "lane"),
            registry=registry,
        )
        self._untagged = Gauge(
            "pulse_untagged_answers", "Answers that wait for the tagger", (), registry=registry
        )
        self._waves = Gauge("pulse_waves_open", "Waves that are open", (), registry=registry)
        self._up = Gauge(
            "pulse_up", "1 where this part can do its work", ("part",), registry=registry
        )

    # -- what happens --------------------------------------------------------------------

    def turned(self, channel: str, kind: str, outcome: TurnOutcome, seconds: float) -> None:
        """Count an inbound."""
        self._turns.labels(channel, _WORDS.sub("_", kind).lower(), outcome).inc()
        if outcome == "taken":
            self._turn_seconds.labels(channel).observe(seconds)

    def committed(self, seconds: float, n_jobs: int, kept: bool) -> None:
        """Count a transaction."""
        if kept:
            self._commit_seconds.observe(seconds)
            self._commit_jobs.observe(n_jobs)
        else:
            self._commits_failed.inc()

    def sent(self, channel: str, lane: int, outcome: SendOutcome, seconds: float) -> None:
        """Count a try of a message."""
        self._sends.labels(channel, _lane(lane), outcome).inc()
        self._send_seconds.labels(channel).observe(seconds)
        if outcome == "slowed":
            self._rate_limited.labels(channel).inc()

    def tagged(self, n_read: int, n_failed: int, seconds: float) -> None:
        """Count what the tagger read."""
        self._tagging_seconds.observe(seconds)
        self._tagged.labels("tagged").inc(n_read)
        self._tagged.labels("failed").inc(n_failed)

    def refused(self, kind: str) -> None:
        """Count a refused request."""
        self._refused.labels(kind).inc()

    # -- what is shown -------------------------------------------------------------------

    def show(
        self,
        *,
        workload: Workload | None,
        channels: Sequence[str],
        up: Mapping[str, bool],
        now: datetime,
    ) -> tuple[bytes, str]:
        """Give everything, and its content type.

        Args:
            workload: What there is to do; None where the store cannot be read: then nothing
                is said of it.
            channels: Those of which nothing may wait, which is said, too.
            up: Whether each part can do its work.
            now: Aware UTC.
        """
        for gauge in (self._outbox, self._oldest, self._up):
            gauge.clear()
        for part, well in up.items():
            self._up.labels(part).set(int(well))
        if workload is None:
            self._untagged.set(float("nan"))
            self._waves.set(float("nan"))
        else:
            self._untagged.set(workload.n_untagged)
            self._waves.set(workload.n_open_waves)
            for channel, lane in product(channels, _LANES.values()):
                self._oldest.labels(channel, lane).set(0)
                for state in _STATES:
                    self._outbox.labels(channel, lane, state).set(0)
            for one in workload.outbox:
                self._outbox.labels(one.channel, _lane(one.lane), one.state).set(one.count)
                if one.state == "pending":
                    age = (now - one.oldest_at).total_seconds()
                    self._oldest.labels(one.channel, _lane(one.lane)).set(max(0.0, age))
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


def _lane(lane: int) -> str:
    return _LANES.get(lane, str(lane))
