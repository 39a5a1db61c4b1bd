"""The writer: many jobs share a commit, and none suffers from another."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from dialogues.effects import Turn
from dialogues.errors import StaleSession, StoreBusy, StoreError, StoreFull
from dialogues.prompts import Prompt
from storage.open import open_store
from storage.sqlite import SqliteDriver
from storage.store import SqlStore
from storage.writer import Bounds, Writer
from tests.contract.scenes import AT, begin, claim, go_on, person, rows, stored, tell_all


class Held:
    """A writer whose first job waits, so that what is submitted next becomes one group."""

    def __init__(self, path: Path) -> None:
        self.statements: list[str] = []
        # However busy the machine is, what waits is one group.
        self.writer = Writer(lambda: self._open(path), bounds=Bounds(seconds=60.0))
        self._gate = threading.Event()
        self._entered = threading.Event()

    def _open(self, path: Path) -> SqlStore:
        self.store = open_store(f"sqlite:///{path}")
        connection(self.store).set_trace_callback(self.statements.append)
        return self.store

    def hold(self) -> Future[None]:
        """Keep the writer busy with one job until ``release``."""

        def wait(_: SqlStore) -> None:
            self._entered.set()
            assert self._gate.wait(10)

        future = self.writer.submit(wait)
        assert self._entered.wait(10)
        return future

    def release(self) -> None:
        self._gate.set()

    def count(self, statement: str) -> int:
        return sum(text.lower() == statement for text in self.statements)


def connection(store: SqlStore) -> sqlite3.Connection:
    driver = store._driver
    assert isinstance(driver, SqliteDriver)
    return driver._conn


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    held = Held(tmp_path / "pulse.db")
    yield held
    held.release()
    held.writer.close()


def keep(name: str) -> Callable[[SqlStore], str]:
    return lambda store: person(store, name).respondent_id


def fail(store: SqlStore) -> None:
    person(store, "lost")
    raise ValueError("on purpose")


def names(writer: Writer) -> list[object]:
    return writer.submit(
        lambda store: [row["respondent_id"] for row in rows(store, "respondents")]
    ).result(10)


def test_what_waits_shares_one_commit(held: Held) -> None:
    held.hold()
    futures = [held.writer.submit(keep(f"p{number:02}")) for number in range(20)]
    held.release()
    assert [future.result(10) for future in futures] == [f"p{number:02}" for number in range(20)]
    assert held.count("commit") == 1
    assert held.count("begin immediate") == 1


def test_a_group_has_bounds(tmp_path: Path) -> None:
    held = Held(tmp_path / "pulse.db")
    held.writer.bounds.jobs = 5
    held.hold()
    futures = [held.writer.submit(keep(f"p{number}")) for number in range(14)]
    held.release()
    for future in futures:
        future.result(10)
    assert held.count("commit") == 3
    held.writer.bounds.jobs, held.writer.bounds.seconds = 256, -1.0
    held._entered.clear()
    held._gate.clear()
    held.hold()
    futures = [held.writer.submit(keep(f"q{number}")) for number in range(4)]
    held.release()
    for future in futures:
        future.result(10)
    # Time is up after every job but the first of a group: two jobs a commit at most.
    assert held.count("commit") >= 3 + 2
    held.writer.close()


def test_a_result_comes_after_the_commit_only(held: Held) -> None:
    seen: list[int] = []
    future = held.writer.submit(keep("ann"))
    future.add_done_callback(lambda _: seen.append(held.count("commit")))
    future.result(10)
    held.writer.close()
    assert seen == [1]


def test_a_failing_job_takes_nothing_from_the_others(held: Held) -> None:
    held.hold()
    first, bad, last = (held.writer.submit(job) for job in (keep("a"), fail, keep("b")))
    held.release()
    assert (first.result(10), last.result(10)) == ("a", "b")
    with pytest.raises(ValueError, match="on purpose"):
        bad.result(10)
    assert held.count("commit") == 1
    assert names(held.writer) == ["a", "b"]


def test_jobs_run_in_the_order_in_which_they_came(held: Held) -> None:
    held.hold()
    order: list[int] = []
    futures = [
        held.writer.submit(lambda _, number=number: order.append(number)) for number in range(50)
    ]
    held.release()
    for future in futures:
        future.result(10)
    assert order == list(range(50))


async def test_a_last_job_finds_what_came_after_it_in_the_same_commit(held: Held) -> None:
    held.hold()
    seen = held.writer.run(
        lambda store: [row["respondent_id"] for row in rows(store, "respondents")], last=True
    )
    kept = held.writer.run(keep("ann"))
    held.release()
    async with asyncio.timeout(10):
        assert await kept == "ann"
        assert await seen == ["ann"]
    assert held.count("commit") == 1


def test_a_job_that_was_called_off_is_not_run(held: Held) -> None:
    held.hold()
    future = held.writer.submit(keep("ann"))
    assert future.cancel()
    held.release()
    assert names(held.writer) == []


class TestFullDisk:
    """SQLite is given no more pages, which is what a full disk looks like to it."""

    @staticmethod
    def limit(store: SqlStore, more: int | None) -> None:
        conn = connection(store)
        [now] = conn.execute("pragma page_count").fetchone()
        pages = 1_000_000 if more is None else now + more
        conn.execute(f"pragma max_page_count = {pages}").fetchone()

    @staticmethod
    def fill(store: SqlStore) -> None:
        # Swallowing the trouble must not help: what follows is not to be kept either.
        for number in range(10_000):
            store.take_event(f"e{number}", on=AT.date())

    def test_nothing_is_half_kept_and_the_writer_lives_on(self, held: Held) -> None:
        held.writer.submit(keep("before")).result(10)
        held.writer.submit(lambda store: self.limit(store, 4)).result(10)
        held.hold()
        jobs = [keep("a"), self.fill, keep("b")]
        futures = [held.writer.submit(job) for job in jobs]
        held.release()
        outcomes = [type(future.exception(10)) for future in futures]
        assert outcomes[1] is StoreFull
        kept = [
            name
            for name, outcome in zip(["a", "", "b"], outcomes, strict=True)
            if outcome is type(None)
        ]
        # Who was told that it is kept is kept, and nobody else.
        assert names(held.writer) == sorted([*kept, "before"])
        assert held.writer.submit(lambda store: rows(store, "inbound")).result(10) == []
        held.writer.submit(lambda store: self.limit(store, None)).result(10)
        assert held.writer.submit(keep("after")).result(10) == "after"
        assert "after" in names(held.writer)

    def test_a_commit_that_fails_fails_all_that_shared_it(
        self, held: Held, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = held.store._driver._execute  # type: ignore[attr-defined]

        def refuse(statement: str) -> None:
            if statement == "commit":
                raise StoreFull
            real(statement)

        monkeypatch.setattr(held.store._driver, "_execute", refuse)
        held.hold()
        futures = [held.writer.submit(job) for job in (keep("a"), fail, keep("b"))]
        held.release()
        troubles = [future.exception(10) for future in futures]
        assert [type(trouble) for trouble in troubles] == [StoreFull, ValueError, StoreFull]
        monkeypatch.undo()
        assert names(held.writer) == []
        assert held.writer.submit(keep("c")).result(10) == "c"

    def test_a_job_that_goes_on_after_everything_was_undone_is_stopped(self, held: Held) -> None:
        """A full disk can undo the whole transaction under a job's feet; what it writes
        then would be kept by itself.
        """

        def lose(store: SqlStore) -> None:
            person(store, "a")
            connection(store).execute("rollback")
            person(store, "b")

        assert isinstance(held.writer.submit(lose).exception(10), StoreFull)
        assert names(held.writer) == []


def test_a_database_that_another_program_holds_is_busy_for_all_who_wait(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pulse.db"
    open_store(f"sqlite:///{path}").close()

    def open_impatient() -> SqlStore:
        return SqlStore(SqliteDriver(path, busy_seconds=0.05), salt=b"")

    writer = Writer(open_impatient)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    futures = [writer.submit(keep(name)) for name in ["a", "b"]]
    assert [type(future.exception(10)) for future in futures] == [StoreBusy, StoreBusy]
    other.execute("rollback")
    other.close()
    assert writer.submit(keep("c")).result(10) == "c"
    assert names(writer) == ["c"]
    writer.close()


def test_two_writers_on_one_file_lose_no_turn(tmp_path: Path) -> None:
    """Both read the same session; one is told to read again, and does."""
    url = f"sqlite:///{tmp_path}/pulse.db"
    writers = [Writer(lambda: open_store(url)) for _ in range(2)]

    def set_up(store: SqlStore) -> None:
        begin(store, person(store))

    writers[0].submit(set_up).result(10)
    ann, before = writers[1].submit(lambda s: (s.respondent("ann"), stored(s))).result(10)
    assert ann is not None

    def turn(store: SqlStore, number: int) -> None:
        go_on(store, ann, session_id="s1", loose_id=str(number))

    futures = [writers[number % 2].submit(lambda s, n=number: turn(s, n)) for number in range(40)]
    for future in futures:
        future.result(10)
    after = writers[0].submit(stored).result(10)
    assert after.session.turn == before.session.turn + 40

    def stale(store: SqlStore) -> None:
        store.commit_turn(
            Turn(session=before.session, effects=()),
            before=before,
            respondent=ann,
            lane=0,
            at=AT,
            loose_id="x",
        )

    assert isinstance(writers[1].submit(stale).exception(10), StaleSession)
    for writer in writers:
        writer.close()


def test_two_writers_never_claim_the_same_message(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pulse.db"
    writers = [Writer(lambda: open_store(url)) for _ in range(2)]

    def fill(store: SqlStore) -> None:
        for number in range(60):
            store.say(person(store, f"p{number}"), [Prompt(text=f"{number}")], at=AT)

    writers[0].submit(fill).result(10)
    futures = [writers[n % 2].submit(lambda s: claim(s, limit=7)) for n in range(20)]
    claimed = [message.outbox_id for future in futures for message in future.result(10)]
    assert len(claimed) == len(set(claimed)) == 60
    for writer in writers:
        writer.close()


def test_closing_finishes_what_is_queued(held: Held) -> None:
    held.hold()
    futures = [held.writer.submit(keep(f"p{number}")) for number in range(5)]
    threading.Timer(0.05, held.release).start()
    held.writer.close()
    assert [future.result(0) for future in futures] == [f"p{number}" for number in range(5)]
    held.writer.close()
    with pytest.raises(StoreError, match="closed"):
        held.writer.submit(keep("late"))


def test_a_store_that_cannot_be_opened_says_so_where_the_writer_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        Writer(lambda: open_store(f"sqlite:///{tmp_path}/no/such/pulse.db"))


def test_what_was_erased_leaves_the_log_by_itself(tmp_path: Path) -> None:
    """Nobody has to ask for it, and a long reader only puts it off."""
    path = tmp_path / "pulse.db"
    writer = Writer(lambda: open_store(f"sqlite:///{path}"))
    writer.submit(tell_all).result(10)
    assert b"Quixotic" in raw(tmp_path)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from answers").fetchone()

    def erase(store: SqlStore) -> int:
        return store.erase(
            "ann", at=AT, erasure_id="e", actor="person", farewell=None, leaving_id="x"
        )

    assert writer.submit(erase).result(10) == 1
    assert writer.submit(lambda store: store.scrub_due).result(10)
    assert b"Quixotic" in raw(tmp_path)
    reader.execute("rollback")
    reader.close()
    # Idle now; the writer tries again by itself.
    for _ in range(600):
        if b"Quixotic" not in raw(tmp_path):
            break
        threading.Event().wait(0.05)
    assert b"Quixotic" not in raw(tmp_path)
    assert not writer.submit(lambda store: store.scrub_due).result(10)
    writer.close()


def test_what_was_erased_leaves_the_log_before_the_writer_ends(tmp_path: Path) -> None:
    """A command that erases while `pulse run` reads: nobody may come after it who would scrub."""
    path = tmp_path / "pulse.db"
    writer = Writer(lambda: open_store(f"sqlite:///{path}"))
    writer.submit(tell_all).result(10)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from answers").fetchone()
    writer.submit(
        lambda store: store.erase(
            "ann", at=AT, erasure_id="e", actor="person", farewell=None, leaving_id="x"
        )
    )
    closing = threading.Thread(target=writer.close)
    closing.start()
    closing.join(0.1)
    assert b"Quixotic" in raw(tmp_path)
    reader.execute("rollback")
    closing.join(60)
    assert b"Quixotic" not in raw(tmp_path)
    reader.close()


def test_a_new_database_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    writer = Writer(lambda: open_store(f"sqlite:///{path}"))
    writer.submit(keep("ann")).result(10)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, file.name
    writer.close()


class TestInALoop:
    """``run`` is for event loops: results come to the loop, many with one wake-up."""

    async def test_results_and_troubles_are_awaited(self, held: Held) -> None:
        held.hold()
        waiting = [held.writer.run(job) for job in (keep("a"), fail, keep("b"))]
        held.release()
        a, trouble, b = await asyncio.gather(*waiting, return_exceptions=True)
        assert (a, b) == ("a", "b")
        assert isinstance(trouble, ValueError)

    async def test_a_group_wakes_the_loop_once(
        self, held: Held, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held.hold()
        waiting = [held.writer.run(keep(f"p{number}")) for number in range(30)]
        loop = asyncio.get_running_loop()
        woken: list[object] = []
        real = loop.call_soon_threadsafe
        monkeypatch.setattr(
            loop,
            "call_soon_threadsafe",
            lambda *args, **kwargs: (woken.append(args), real(*args, **kwargs))[1],
        )
        held.release()
        assert len(await asyncio.gather(*waiting)) == 30
        assert len(woken) == 1

    async def test_who_waits_no_longer_is_not_run_before_and_not_told_after(
        self, held: Held
    ) -> None:
        held.hold()
        waiting = held.writer.run(keep("ann"))
        waiting.cancel()
        late = held.writer.run(lambda store: late_started.append(person(store, "bob")))
        late_started: list[object] = []
        held.release()
        await held.writer.run(lambda _: None)
        assert late.done()
        assert await held.writer.run(
            lambda s: [r["respondent_id"] for r in rows(s, "respondents")]
        ) == ["bob"]

    def test_a_loop_that_has_ended_does_no_harm(self, held: Held) -> None:
        async def leave() -> None:
            held.hold()
            held.writer.run(keep("ann"))

        asyncio.run(leave())
        held.release()
        assert names(held.writer) == ["ann"]


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
