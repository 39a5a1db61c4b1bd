"""What ``/metrics`` shows, in the text format of Prometheus.

What lives here: every figure with its meaning and labels (docs/reference/metrics.md is made of
them). What must not: a label that tells who, what was said, or which wave, survey or cohort.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Literal

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

__all__ = ["FIGURES", "Figure", "Metrics"]

_LANES = {0: "reply", 1: "broadcast"}
_STATES = ("pending", "claimed", "dead")

_CHANNEL = "`telegram` or `slack`"
_LANE = "`reply` or `broadcast` (what we send of our own accord)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is counted.

    Attributes:
        labels: What its values are told apart by, and what they may be.
        buckets: Upper bounds, rising; of a histogram.
        shared: Whether every process of one installation gives the same.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    shared: bool = False


#: In the order in which they are read about.
FIGURES = (
    Figure(
        name="pulse_up",
        kind="gauge",
        meaning="1 where a part can do its work, else 0: as `/readyz` says",
        labels={"part": "`store`, and each channel that is read here"},
    ),
    Figure(
        name="pulse_turns_total",
        kind="counter",
        meaning="what people did, and what became of it",
        labels={
            "channel": _CHANNEL,
            "kind": "`wrote`, `pressed`, `edited` and so on",
            "outcome": "`taken`; `repeated` (had come before); `not_kept` (has to come again);"
            " `broke` (our own code failed)",
        },
    ),
    Figure(
        name="pulse_turn_seconds",
        kind="histogram",
        meaning="from what a person did until all that follows from it was committed",
        labels={"channel": _CHANNEL},
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    Figure(
        name="pulse_commit_seconds",
        kind="histogram",
        meaning="one transaction with all its jobs",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    ),
    Figure(
        name="pulse_commit_jobs",
        kind="histogram",
        meaning="jobs that shared one transaction",
        buckets=(1, 2, 5, 10, 25, 50, 100, 250),
    ),
    Figure(
        name="pulse_commits_failed_total",
        kind="counter",
        meaning="transactions of which nothing was kept",
    ),
    Figure(
        name="pulse_outbox_messages",
        kind="gauge",
        meaning="messages that were not sent",
        labels={
            "channel": _CHANNEL,
            "lane": _LANE,
            "state": "`pending`, those of a later hour or a paused wave too; `claimed` (under"
            " way); `dead` (given up: `pulse outbox`)",
        },
        shared=True,
    ),
    Figure(
        name="pulse_outbox_oldest_due_seconds",
        kind="gauge",
        meaning="for how long the oldest pending message has been due; 0 where none is",
        labels={"channel": _CHANNEL, "lane": _LANE},
        shared=True,
    ),
    Figure(
        name="pulse_sends_total",
        kind="counter",
        meaning="tries to send a message",
        labels={
            "channel": _CHANNEL,
            "lane": _LANE,
            "outcome": "`sent`; `slowed` (the platform asks to wait); `failed` (is tried again);"
            " `given_up`; `refused` (the platform will never take it); `gone` (nobody is there)",
        },
    ),
    Figure(
        name="pulse_send_seconds",
        kind="histogram",
        meaning="one try to send a message",
        labels={"channel": _CHANNEL},
        buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0),
    ),
    Figure(
        name="pulse_rate_limited_total",
        kind="counter",
        meaning="times that a platform asked to wait (429)",
        labels={"channel": _CHANNEL},
    ),
    Figure(
        name="pulse_tagging_seconds",
        kind="histogram",
        meaning="the tagger's time for one batch of answers",
        buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0),
    ),
    Figure(
        name="pulse_tagged_answers_total",
        kind="counter",
        meaning="answers that the tagger read, or broke on",
        labels={"outcome": "`tagged` or `failed`"},
    ),
    Figure(
        name="pulse_untagged_answers",
        kind="gauge",
        meaning="answers that wait for the tagger",
        shared=True,
    ),
    Figure(name="pulse_waves_open", kind="gauge", meaning="waves that are open", shared=True),
    Figure(
        name="pulse_refused_requests_total",
        kind="counter",
        meaning="web requests that were refused",
        labels={
            "kind": "`forged`, `stale`, `malformed`, `oversized`, `slow`, `crowded` (too many at"
            " once), `method` or `unknown`"
        },
    ),
)

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


class Metrics(Observer):
    """Counts what happens in this process, in a registry of its own."""

    def __init__(self) -> None:
        # A second series beside each counter, with the time of its birth, is of no use here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for one in FIGURES:
            labels = tuple(one.labels)
            meaning = one.meaning.replace("`", "")
            if one.kind == "counter":
                self._counters[one.name] = Counter(one.name, meaning, labels, registry=registry)
            elif one.kind == "gauge":
                self._gauges[one.name] = Gauge(one.name, meaning, labels, registry=registry)
            else:
                self._histograms[one.name] = Histogram(
                    one.name, meaning, labels, buckets=one.buckets, registry=registry
                )

    # -- what happens --------------------------------------------------------------------

    def turned(self, channel: str, kind: str, outcome: TurnOutcome, seconds: float) -> None:
        """Count an inbound."""
        self._count("pulse_turns_total", channel, _WORDS.sub("_", kind).lower(), outcome)
        if outcome == "taken":
            self._observe("pulse_turn_seconds", seconds, channel)

    def committed(self, seconds: float, n_jobs: int, kept: bool) -> None:
        """Count a transaction."""
        if not kept:
            self._count("pulse_commits_failed_total")
            return
        self._observe("pulse_commit_seconds", seconds)
        self._observe("pulse_commit_jobs", n_jobs)

    def sent(self, channel: str, lane: int, outcome: SendOutcome, seconds: float) -> None:
        """Count a try of a message."""
        self._count("pulse_sends_total", channel, _lane(lane), outcome)
        self._observe("pulse_send_seconds", seconds, channel)
        if outcome == "slowed":
            self._count("pulse_rate_limited_total", channel)

    def tagged(self, n_read: int, n_failed: int, seconds: float) -> None:
        """Count what the tagger read."""
        self._observe("pulse_tagging_seconds", seconds)
        self._count("pulse_tagged_answers_total", "tagged", by=n_read)
        self._count("pulse_tagged_answers_total", "failed", by=n_failed)

    def refused(self, kind: str) -> None:
        """Count a refused request."""
        self._count("pulse_refused_requests_total", kind)

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
        self._gauges["pulse_up"].clear()
        for part, well in up.items():
            self._set("pulse_up", int(well), part)
        for name in ("pulse_outbox_messages", "pulse_outbox_oldest_due_seconds"):
            self._gauges[name].clear()
        if workload is None:
            self._set("pulse_untagged_answers", float("nan"))
            self._set("pulse_waves_open", float("nan"))
        else:
            self._set("pulse_untagged_answers", workload.n_untagged)
            self._set("pulse_waves_open", workload.n_open_waves)
            self._show_outbox(workload, channels, now)
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def _show_outbox(self, workload: Workload, channels: Sequence[str], now: datetime) -> None:
        for channel, lane in product(channels, _LANES.values()):
            self._set("pulse_outbox_oldest_due_seconds", 0, channel, lane)
            for state in _STATES:
                self._set("pulse_outbox_messages", 0, channel, lane, state)
        for one in workload.outbox:
            labels = (one.channel, _lane(one.lane))
            self._set("pulse_outbox_messages", one.count, *labels, one.state)
            if one.state == "pending":
                age = max(0.0, (now - one.oldest_at).total_seconds())
                self._set("pulse_outbox_oldest_due_seconds", age, *labels)

    # -- one figure ----------------------------------------------------------------------

    def _count(self, name: str, *labels: str, by: float = 1) -> None:
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def _observe(self, name: str, value: float, *labels: str) -> None:
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(value)

    def _set(self, name: str, value: float, *labels: str) -> None:
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)


def _lane(lane: int) -> str:
    return _LANES.get(lane, str(lane))
