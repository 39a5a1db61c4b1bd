"""Workers on one PostgreSQL: who is up, who is gone, who leads, who tags what."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import processes
from bot import worker as module
from bot.processes import is_gone, this_machine, this_process
from bot.sole import ROLES
from bot.worker import Worker
from dialogues.errors import StoreAway
from dialogues.prompts import Prompt
from storage.open import open_store
from storage.protocol import Address, Store, WorkerSeen
from storage.writer import Writer
from tests.bot.deliveries import until


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT", 0.05)
    monkeypatch.setattr(module, "_SURE", 30.0)
    monkeypatch.setattr(module, "_LEAD", timedelta(seconds=40))
    monkeypatch.setattr(module, "_DEAD", timedelta(seconds=60))
    monkeypatch.setattr(module, "_GONE", timedelta(seconds=0.2))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is silent for long is not waited for."""
    monkeypatch.setattr(module, "_SURE", 1.0)
    monkeypatch.setattr(module, "_LEAD", timedelta(seconds=1.5))
    monkeypatch.setattr(module, "_DEAD", timedelta(seconds=6))


@pytest.fixture
def writer(postgres_url: str) -> Iterator[Writer]:
    writer = Writer(lambda: open_store(postgres_url))
    yield writer
    writer.close()


class Crew:
    """Workers of this process, each with its own life."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.running: dict[str, tuple[Worker, asyncio.Task[None]]] = {}

    async def join(self, worker_id: str, *roles: str) -> Worker:
        worker = Worker(self.writer, worker_id=worker_id, roles=roles or ROLES, now=now)
        await worker.start()
        self.running[worker_id] = (worker, asyncio.create_task(worker.run()))
        return worker

    async def leave(self, worker_id: str) -> None:
        worker, task = self.running.pop(worker_id)
        await worker.stop()
        await asyncio.wait_for(task, 10)

    async def die(self, worker_id: str) -> None:
        """End it as a crash would: nothing is let go of."""
        _, task = self.running.pop(worker_id)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def up(self) -> list[str]:
        return [one.worker_id for one in await self.writer.run(lambda store: store.workers())]


@pytest.fixture
async def crew(writer: Writer) -> AsyncIterator[Crew]:
    crew = Crew(writer)
    yield crew
    for worker_id in list(crew.running):
        await crew.leave(worker_id)


async def test_on_sqlite_nobody_else_is_there_and_nothing_is_written(tmp_path: Path) -> None:
    writer = Writer(lambda: open_store(f"sqlite:///{tmp_path}/pulse.db"))
    worker = Worker(writer, worker_id="a", roles=ROLES, now=now)
    await worker.start()
    await worker.run()
    assert worker.alone
    assert worker.leads("schedule")
    assert worker.sure()
    assert worker.place("tagging") == (0, 1)
    assert await writer.run(lambda store: store.workers()) == []
    await worker.stop()
    await asyncio.to_thread(writer.close)


async def test_who_is_up_is_known_to_all_and_leaves_at_once(crew: Crew) -> None:
    a = await crew.join("a", "web", "tagging")
    b = await crew.join("b", "tagging")
    await until(lambda: a.place("tagging") == (0, 2) and b.place("tagging") == (1, 2))
    assert b.place("web") == (1, 2)  # With itself, were it to ask.
    assert a.sure()
    await crew.leave("a")
    assert await crew.up() == ["b"]
    await until(lambda: b.place("tagging") == (0, 1))


async def test_who_cannot_do_what_a_role_is_about_leaves_it_to_the_others(crew: Crew) -> None:
    a, b = await crew.join("a"), await crew.join("b")
    await until(lambda: b.place("tagging") == (1, 2))
    a.able("tagging", False)
    await until(lambda: b.place("tagging") == (0, 1))
    a.able("tagging", True)
    await until(lambda: b.place("tagging") == (1, 2))


async def test_one_leads_and_the_next_takes_over_when_it_leaves(crew: Crew) -> None:
    a = await crew.join("a")
    b = await crew.join("b")
    await asyncio.wait_for(a.until("schedule", leads=True), 10)
    waiting = asyncio.create_task(b.until("schedule", leads=True))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert not b.leads("schedule")
    await crew.leave("a")
    await asyncio.wait_for(waiting, 10)
    assert b.leads("schedule")
    assert not a.leads("schedule")


@pytest.mark.usefixtures("hasty")
async def test_the_next_takes_over_from_one_that_has_died(crew: Crew) -> None:
    a = await crew.join("a")
    await asyncio.wait_for(a.until("schedule", leads=True), 10)
    b = await crew.join("b")
    await crew.die("a")
    # Its process is this one, so nobody can see that it is gone; only its silence tells.
    await asyncio.wait_for(b.until("schedule", leads=True), 10)
    await until(lambda: not a.leads("schedule"))


def claim_for(worker_id: str) -> Callable[[Store], int]:
    def job(store: Store) -> int:
        address = Address(channel="telegram", platform_id="7", chat="7")
        ann = store.welcome(
            address, respondent_id="ann", role="citizen", language="en", on=now().date()
        )
        store.say(ann, [Prompt(text="hello")], at=now())
        at = store.clock(now())
        claimed = store.claim_outbox(
            "telegram", lane=0, limit=9, now=at, until=at + timedelta(minutes=2),
            worker_id=worker_id,
        )  # fmt: skip
        return len(claimed)

    return job


async def states(writer: Writer) -> list[str]:
    return [one.state for one in await writer.run(lambda store: store.letters())]


@pytest.mark.usefixtures("hasty")
async def test_what_a_dead_worker_had_claimed_is_opened_once(
    crew: Crew, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    await crew.join("a")
    await crew.join("b")
    await crew.join("c")
    assert await writer.run(claim_for("a")) == 1
    await crew.die("a")
    assert await states(writer) == ["claimed"]
    async with asyncio.timeout(30):
        while await states(writer) != ["pending"]:
            await asyncio.sleep(0.05)
    assert await crew.up() == ["b", "c"]
    assert caplog.text.count("1 messages on telegram were in doubt and are sent again") == 1


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Another process of this machine, which waits."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


async def test_one_that_was_killed_beside_us_is_seen_at_once(
    crew: Crew,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    process: subprocess.Popen[bytes],
) -> None:
    monkeypatch.setattr(module, "_DEAD", timedelta(hours=1))
    name = processes._named(process.pid)
    await writer.run(
        lambda store: store.beat(
            "killed", roles=ROLES, machine=this_machine(), process=name, now=store.clock(now())
        )
    )
    await crew.join("a")
    await asyncio.sleep(0.5)
    assert await crew.up() == ["a", "killed"]
    process.kill()
    async with asyncio.timeout(10):
        while await crew.up() != ["a"]:
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("hasty")
async def test_who_cannot_reach_the_store_is_sure_of_nothing_and_leads_in_nothing(
    crew: Crew, writer: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a = await crew.join("a")
    await asyncio.wait_for(a.until("schedule", leads=True), 10)
    lost = asyncio.create_task(a.until("schedule", leads=False))

    async def away(_self: Worker) -> None:
        raise StoreAway

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_beat", away)
        await asyncio.wait_for(lost, 10)
        assert not a.sure()
        assert caplog.text.count("cannot be told that we are up") == 1
    await asyncio.wait_for(a.until("schedule", leads=True), 10)


def test_what_a_killed_worker_sent_at_last_is_counted_before_others_take_over() -> None:
    # No process ever began then.
    killed = WorkerSeen(
        worker_id="killed",
        roles=frozenset(ROLES),
        machine=this_machine(),
        process="1:999999999999",
        seen_at=now(),
    )
    assert is_gone(killed.machine, killed.process)
    assert not module._is_dead(killed, killed.seen_at + module._GONE / 2)
    assert module._is_dead(killed, killed.seen_at + module._GONE)


def test_a_process_is_known_again_and_missed_when_it_has_gone() -> None:
    machine, process = this_machine(), this_process()
    assert machine == this_machine()
    assert not is_gone(machine, process)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert is_gone(machine, f"{child.pid}:1")
    # The number was given out again: it is another one.
    assert is_gone(machine, f"{process.partition(':')[0]}:1")
    assert not is_gone("another machine", f"{child.pid}:1")
    assert not is_gone("", "1:1")
    assert not is_gone(machine, "nonsense")


def test_a_system_that_does_not_tell_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = this_process()
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert this_machine() == ""
    assert not is_gone(this_machine(), process)
