"""The writer on PostgreSQL: several threads, one person's jobs in order, nothing doubled."""

from __future__ import annotations

import re
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import psycopg
import pytest

from dialogues.effects import Turn
from dialogues.errors import StaleSession, StoreAway, StoreError, StoreRefused, StoreUnsure
from storage.open import open_store, open_writer
from storage.postgres import PostgresDriver
from storage.store import SqlStore
from storage.writer import Writer
from tests.contract.scenes import AT, begin, go_on, person, rows, stored
from tests.fakes.cutting import COMMIT, Line
from tests.postgres import Server


@pytest.fixture
def writer(postgres_url: str) -> Iterator[Writer]:
    writer = open_writer(postgres_url, connections=3)
    yield writer
    writer.close()


@pytest.fixture
def line(postgres: Server, postgres_url: str) -> Iterator[Line]:
    line = Line(postgres.folder)
    yield line
    line.close()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for every commit."""
    seen: list[str] = []
    real = PostgresDriver._commit

    def commit(self: PostgresDriver, connection: psycopg.Connection[dict[str, object]]) -> None:
        seen.append("commit")
        real(self, connection)

    monkeypatch.setattr(PostgresDriver, "_commit", commit)
    return seen


class Gate:
    """A job that waits until it may go on."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._open = threading.Event()

    def __call__(self, _: SqlStore) -> None:
        self._entered.set()
        assert self._open.wait(20)

    def entered(self) -> None:
        assert self._entered.wait(20)

    def release(self) -> None:
        self._open.set()


def keep(name: str) -> Callable[[SqlStore], str]:
    return lambda store: person(store, name).respondent_id


def names(url: str) -> list[object]:
    store = open_store(url)
    found = [row["respondent_id"] for row in rows(store, "respondents")]
    store.close()
    return found


def test_different_people_are_served_side_by_side(writer: Writer) -> None:
    together = threading.Barrier(3)

    def meet(_: SqlStore) -> int:
        return together.wait(20)

    # Keys of three threads; more of them would wait for one another here for ever.
    keys: dict[int, str] = {}
    for number in range(1000):
        keys.setdefault(hash(f"k{number}") % 3, f"k{number}")
    futures = [writer.submit(meet, key=key) for key in keys.values()]
    assert sorted(future.result(20) for future in futures) == [0, 1, 2]


def test_what_waits_shares_one_commit(writer: Writer, commits: list[str]) -> None:
    gate = Gate()
    held = writer.submit(gate, key="ann")
    gate.entered()
    futures = [writer.submit(keep(f"p{number:02}"), key="ann") for number in range(20)]
    commits.clear()
    gate.release()
    held.result(20)
    assert [future.result(20) for future in futures] == [f"p{number:02}" for number in range(20)]
    assert len(commits) <= 4


def test_jobs_of_one_key_run_in_the_order_in_which_they_came(writer: Writer) -> None:
    order: dict[str, list[int]] = {name: [] for name in ("ann", "bob", "cat", "dan")}
    futures = [
        writer.submit(lambda _, name=name, number=number: order[name].append(number), key=name)
        for number in range(50)
        for name in order
    ]
    for future in futures:
        future.result(20)
    assert set(map(tuple, order.values())) == {tuple(range(50))}


def test_a_key_that_another_program_holds_is_waited_for_and_order_is_kept(
    writer: Writer, postgres_url: str
) -> None:
    other = open_store(postgres_url)
    order: list[int] = []
    free = writer.submit(lambda store: store._salt).result(20)
    assert other._salt == free
    with other.transaction():
        other.hold("ann")
        gate = Gate()
        first = writer.submit(gate, key="bob")
        gate.entered()
        # With a single thread's worth of keys these and Ann's share a group.
        futures = [
            writer.submit(lambda _, number=number: order.append(number), key="ann")
            for number in range(5)
        ]
        others = [writer.submit(keep(f"p{number}"), key=f"p{number}") for number in range(5)]
        gate.release()
        first.result(20)
        for number, future in enumerate(others):
            if hash(f"p{number}") % 3 != hash("ann") % 3:
                future.result(20)
        assert order == []
    for future in futures + others:
        future.result(20)
    assert order == list(range(5))
    other.close()


def test_a_failing_job_takes_nothing_from_the_others(writer: Writer, postgres_url: str) -> None:
    def fail(store: SqlStore) -> None:
        person(store, "lost")
        raise ValueError("on purpose")

    def break_off(store: SqlStore) -> None:
        person(store, "lost too")
        store._driver.run("select 1 / 0", {})

    gate = Gate()
    held = writer.submit(gate, key="k")
    gate.entered()
    jobs = (keep("a"), fail, keep("b"), break_off, keep("c"))
    futures: list[Future[object]] = [writer.submit(job, key="k") for job in jobs]
    gate.release()
    held.result(20)
    outcomes = [type(future.exception(20)) for future in futures]
    assert outcomes == [type(None), ValueError, type(None), StoreRefused, type(None)]
    assert names(postgres_url) == ["a", "b", "c"]


def test_jobs_that_lock_each_other_out_are_run_again(writer: Writer, postgres_url: str) -> None:
    """The database ends one of them; nobody is told of it."""
    for name in ("ann", "bob"):
        writer.submit(keep(name)).result(20)
    met = threading.Barrier(2)
    tries: list[str] = []

    def cross(first: str, second: str) -> Callable[[SqlStore], str]:
        def job(store: SqlStore) -> str:
            tries.append(first)
            store.set_language(first, first[:2])
            if tries.count(first) == 1:
                met.wait(20)
            store.set_language(second, first[:2])
            return first

        return job

    keys: dict[int, str] = {}
    for number in range(1000):
        keys.setdefault(hash(f"k{number}") % 3, f"k{number}")
    one = writer.submit(cross("ann", "bob"), key=keys[0])
    two = writer.submit(cross("bob", "ann"), key=keys[1])
    assert (one.result(30), two.result(30)) == ("ann", "bob")
    assert len(tries) == 3


def test_a_lost_race_is_run_again(postgres_url: str) -> None:
    """Both read the same session; one is told to read again, and does."""
    writers = [open_writer(postgres_url, connections=2) for _ in range(2)]
    writers[0].submit(lambda store: begin(store, person(store))).result(20)
    ann, before = writers[1].submit(lambda s: (s.respondent("ann"), stored(s))).result(20)
    assert ann is not None

    def turn(store: SqlStore, number: int) -> None:
        go_on(store, ann, session_id="s1", loose_id=str(number))

    futures = [writers[n % 2].submit(lambda s, n=n: turn(s, n)) for n in range(40)]
    for future in futures:
        future.result(30)
    after = writers[0].submit(stored).result(20)
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

    # One that would never come right is given up.
    assert isinstance(writers[1].submit(stale).exception(20), StaleSession)
    for writer in writers:
        writer.close()


class TestCutOff:
    """The line to the server is cut; what was kept is told as kept, and nothing twice."""

    def test_before_the_commit_arrives(
        self, line: Line, postgres_url: str, commits: list[str]
    ) -> None:
        writer = open_writer(line.url("pulse"), connections=1)
        line.cut_at(COMMIT, after=False)
        assert writer.submit(keep("ann"), key="ann").result(30) == "ann"
        assert line.n_cut == 1
        assert commits.count("commit") >= 2
        assert names(postgres_url) == ["ann"]
        writer.close()

    def test_after_the_commit_arrived(self, line: Line) -> None:
        writer = open_writer(line.url("pulse"), connections=1)
        runs: list[int] = []

        def count(store: SqlStore) -> int:
            runs.append(1)
            store._driver.run(
                "insert into inbound (event_key, received_on) values (:key, 'today')",
                {"key": f"run-{len(runs)}"},
            )
            return len(runs)

        line.cut_at(COMMIT, after=True)
        assert writer.submit(count).result(30) == 1
        assert line.n_cut == 1
        kept = writer.submit(lambda store: rows(store, "inbound")).result(30)
        assert [row["event_key"] for row in kept] == ["run-1"]
        writer.close()

    @pytest.mark.parametrize("after", [False, True])
    def test_a_group_is_kept_once_and_whole(
        self, line: Line, postgres_url: str, after: bool
    ) -> None:
        writer = open_writer(line.url("pulse"), connections=1)
        gate = Gate()
        held = writer.submit(gate)
        gate.entered()
        futures = [writer.submit(keep(f"p{number}"), key=f"p{number}") for number in range(8)]
        # The gate's own transaction wrote nothing: what becomes of it is all the same.
        line.cut_at(COMMIT, after=after)
        gate.release()
        held.result(30)
        line.cut_at(COMMIT, after=after)
        assert [future.result(30) for future in futures] == [f"p{n}" for n in range(8)]
        assert names(postgres_url) == [f"p{n}" for n in range(8)]
        writer.close()

    def test_in_the_middle_of_a_job(self, line: Line, postgres_url: str) -> None:
        writer = open_writer(line.url("pulse"), connections=1)
        line.cut_at(re.compile(b"insert into respondents"), after=True)
        assert writer.submit(keep("ann"), key="ann").result(30) == "ann"
        assert names(postgres_url) == ["ann"]
        writer.close()

    def test_where_nobody_can_say_what_became_of_it(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.postgres._STATUS_SECONDS", 0.0)
        writer = open_writer(line.url("pulse"), connections=1)
        line.cut_at(COMMIT, after=True)
        assert isinstance(writer.submit(keep("ann")).exception(30), StoreUnsure)
        assert writer.submit(keep("bob")).result(30) == "bob"
        writer.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may stop."""
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")))
    yield server
    server.remove()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_is_restarted_is_found_again(own_server: Server, how: signal.Signals) -> None:
    url = own_server.database("pulse")
    writer = open_writer(url, connections=2)
    assert writer.submit(keep("before")).result(20) == "before"
    own_server.stop(how)
    assert isinstance(writer.submit(keep("meanwhile")).exception(60), StoreAway)
    own_server.start()
    # It takes as long as the pool waits between two tries.
    assert writer.submit(keep("after")).result(60) == "after"
    writer.close()
    assert names(url) == ["after", "before"]


def test_closing_finishes_what_is_queued(writer: Writer) -> None:
    futures = [writer.submit(keep(f"p{number}")) for number in range(20)]
    writer.close()
    assert [future.result(0) for future in futures] == [f"p{number}" for number in range(20)]
    writer.close()
    with pytest.raises(StoreError, match="closed"):
        writer.submit(keep("late"))


def test_a_store_that_cannot_be_opened_says_so(postgres: Server) -> None:
    before = set(threading.enumerate())
    with pytest.raises(StoreAway, match="does not exist"):
        open_writer(postgres.url("nowhere"))
    assert set(threading.enumerate()) <= before
