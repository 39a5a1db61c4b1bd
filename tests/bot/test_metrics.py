"""What is counted, and how it is shown."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    MessageRefused,
    SlowDown,
    WentAway,
    Wrote,
)
from bot.coding import Coder
from bot.delivery import Delivery
from bot.metrics import FIGURES, Metrics
from bot.observer import Observer
from dialogues.errors import StoreBusy
from dialogues.prompts import Prompt
from storage.protocol import OutboxDepth, Store, UntaggedAnswer, Workload
from storage.store import SqlStore
from storage.writer import Writer
from tests.bot.place import Place
from tests.bot.ports import FakeChannel, FakeClock

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NOTHING = Workload(outbox=(), n_untagged=0, n_open_waves=0)

Values = dict[tuple[str, ...], float]


def values(metrics: Metrics, workload: Workload | None = NOTHING) -> Values:
    """Every value that is shown, by name and the values of its labels."""
    body, kind = metrics.show(
        workload=workload, channels=["telegram"], up={"store": True, "slack": False}, now=NOW
    )
    assert kind.startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_names_are_as_prometheus_wants_them() -> None:
    for figure in FIGURES:
        assert figure.name.startswith("pulse_")
        assert (figure.kind == "counter") == figure.name.endswith("_total")
        assert bool(figure.buckets) == (figure.kind == "histogram")
        assert list(figure.buckets) == sorted(figure.buckets)


def test_what_happens_is_counted() -> None:
    metrics = Metrics()
    metrics.turned("telegram", "Wrote", "taken", 0.02)
    metrics.turned("telegram", "Wrote", "repeated", 0.02)
    metrics.turned("slack", "CohortSeen", "not_kept", 3.0)
    metrics.committed(0.004, 7, True)
    metrics.committed(9.0, 9, False)
    metrics.sent("slack", 1, "slowed", 0.2)
    metrics.sent("slack", 0, "sent", 0.2)
    metrics.tagged(5, 1, 0.3)
    metrics.refused("forged")
    shown = values(metrics)
    assert shown["pulse_turns_total", "telegram", "wrote", "taken"] == 1
    assert shown["pulse_turns_total", "telegram", "wrote", "repeated"] == 1
    assert shown["pulse_turns_total", "slack", "cohort_seen", "not_kept"] == 1
    assert shown["pulse_turn_seconds_count", "telegram"] == 1
    assert shown["pulse_turn_seconds_sum", "telegram"] == 0.02
    assert ("pulse_turn_seconds_count", "slack") not in shown
    assert shown[("pulse_commit_seconds_sum",)] == 0.004
    assert shown[("pulse_commit_jobs_sum",)] == 7
    assert shown[("pulse_commits_failed_total",)] == 1
    assert shown["pulse_sends_total", "slack", "broadcast", "slowed"] == 1
    assert shown["pulse_sends_total", "slack", "reply", "sent"] == 1
    assert shown["pulse_send_seconds_count", "slack"] == 2
    assert shown["pulse_rate_limited_total", "slack"] == 1
    assert shown["pulse_tagged_answers_total", "tagged"] == 5
    assert shown["pulse_tagged_answers_total", "failed"] == 1
    assert shown[("pulse_tagging_seconds_count",)] == 1
    assert shown["pulse_refused_requests_total", "forged"] == 1
    assert shown["pulse_up", "store"] == 1
    assert shown["pulse_up", "slack"] == 0
    assert not any("_created" in name for name, *_ in shown)


def test_two_in_one_process_do_not_mix() -> None:
    first, second = Metrics(), Metrics()
    first.refused("stale")
    assert ("pulse_refused_requests_total", "stale") not in values(second)


def test_what_waits_is_shown_and_what_nobody_can_read_is_not() -> None:
    metrics = Metrics()

    def depth(lane: int, state: str, count: int, *, minutes: int) -> OutboxDepth:
        at = NOW - timedelta(minutes=minutes)
        return OutboxDepth(channel="telegram", lane=lane, state=state, count=count, oldest_at=at)

    load = Workload(
        outbox=(
            depth(0, "pending", 3, minutes=2),
            depth(0, "dead", 1, minutes=99),
            depth(1, "pending", 40, minutes=-5),
        ),
        n_untagged=8,
        n_open_waves=2,
    )
    shown = values(metrics, load)
    assert shown["pulse_outbox_messages", "telegram", "reply", "pending"] == 3
    assert shown["pulse_outbox_messages", "telegram", "reply", "dead"] == 1
    assert shown["pulse_outbox_messages", "telegram", "reply", "claimed"] == 0
    assert shown["pulse_outbox_messages", "telegram", "broadcast", "pending"] == 40
    assert shown["pulse_outbox_oldest_due_seconds", "telegram", "reply"] == 120
    assert shown["pulse_outbox_oldest_due_seconds", "telegram", "broadcast"] == 0
    assert shown[("pulse_untagged_answers",)] == 8
    assert shown[("pulse_waves_open",)] == 2
    nothing = values(metrics, None)
    assert not any(name.startswith("pulse_outbox") for name, *_ in nothing)
    assert nothing[("pulse_waves_open",)] != nothing[("pulse_waves_open",)]
    emptied = values(metrics)
    assert emptied["pulse_outbox_messages", "telegram", "reply", "pending"] == 0


# -- told where it happens -----------------------------------------------------------------


class Hearing(Observer):
    """Notes what it is told, but for the seconds."""

    def __init__(self) -> None:
        self.turns: list[tuple[str, str, str]] = []
        self.sends: list[tuple[str, int, str]] = []
        self.read: list[tuple[int, int]] = []

    def turned(self, channel: str, kind: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.turns.append((channel, kind, outcome))

    def sent(self, channel: str, lane: int, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.sends.append((channel, lane, outcome))

    def tagged(self, n_read: int, n_failed: int, seconds: float) -> None:
        assert seconds >= 0
        self.read.append((n_read, n_failed))


async def test_every_inbound_is_told_with_what_became_of_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing = Hearing()
    place.runner._observer = hearing
    wrote = Wrote(event_id="e1", address=place.address("ann"), at=NOW, text="/start", position="1")
    await place.runner.receive(wrote)
    await place.runner.receive(wrote)
    take_event = SqlStore.take_event

    def busy(store: SqlStore, event_id: str, *, on: date) -> bool:
        if event_id == "e2":
            raise StoreBusy
        if event_id == "e3":
            raise RuntimeError
        return take_event(store, event_id, on=on)

    monkeypatch.setattr(SqlStore, "take_event", busy)
    with pytest.raises(StoreBusy):
        await place.runner.receive(replace(wrote, event_id="e2"))
    with pytest.raises(RuntimeError):
        await place.runner.receive(replace(wrote, event_id="e3"))
    gone = WentAway(event_id="e4", address=place.address("ann", "slack"), at=NOW)
    await place.runner.receive(gone)
    assert hearing.turns == [
        ("telegram", "Wrote", "taken"),
        ("telegram", "Wrote", "repeated"),
        ("telegram", "Wrote", "not_kept"),
        ("telegram", "Wrote", "broke"),
        ("slack", "WentAway", "taken"),
    ]


async def test_every_try_of_a_message_is_told(
    place: Place, writer: Writer, clock: FakeClock, channel: FakeChannel
) -> None:
    troubles: dict[str, list[Exception | None]] = {
        "chat-slow": [SlowDown(0.0, whole=False)],
        "chat-failed": [ChannelFailed()],
        "chat-gone": [ChatGone()],
        "chat-refused": [MessageRefused()],
    }
    channel.troubles = troubles
    names = ["slow", "failed", "gone", "refused", "well"]
    place.join(*names)

    def say(store: Store) -> None:
        for name in names:
            respondent = store.respondent(name)
            assert respondent is not None
            store.say(respondent, [Prompt(text="x")], at=clock())

    place.run(say)
    hearing = Hearing()
    delivery = Delivery(writer, channel, now=clock, observer=hearing)
    sending = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        while len(hearing.sends) < 6:
            await asyncio.sleep(0.01)
    await delivery.stop()
    await sending
    assert sorted(hearing.sends) == [
        ("telegram", 0, "failed"),
        ("telegram", 0, "gone"),
        ("telegram", 0, "refused"),
        ("telegram", 0, "sent"),
        ("telegram", 0, "sent"),
        ("telegram", 0, "slowed"),
    ]


def test_every_transaction_is_told(writer: Writer) -> None:
    told: list[tuple[int, bool]] = []
    writer.on_group = lambda seconds, n_jobs, kept: told.append((n_jobs, kept and seconds >= 0))
    for _ in range(3):
        writer.submit(lambda store: store.workload()).result()
    writer.close()
    assert told == [(1, True)] * 3


async def test_what_the_tagger_read_is_told(place: Place) -> None:
    hearing = Hearing()
    script = (
        "import json, sys\nprint(json.dumps({'version': 'stub@1'}), flush=True)\n"
        "for line in sys.stdin:\n    print(json.dumps([{'codings': [],"
        " 'error': 'x' if 'odd' in one['text'] else None} for one in json.loads(line)]),"
        " flush=True)\n"
    )
    coder = Coder(
        place.writer,
        model=None,
        now=place.clock,
        new_id=place.new_id,
        command=[sys.executable, "-c", script],
        observer=hearing,
    )
    answer = UntaggedAnswer(
        response_id="r", question_id="q", question="?", language="en", text="odd"
    )
    await coder._process.start()
    await coder._read([answer, replace(answer, text="even")], "stub@1")
    await coder.stop()
    await coder._process.end()
    assert hearing.read == [(1, 1)]
