"""Kept means on the disk: the sync comes before anybody is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import psycopg
import pytest

from storage.open import open_store, open_writer
from tests.contract.scenes import person, rows
from tests.postgres import Server
from tests.storage.durable_child import NO_SQLITE


def test_the_log_is_synced_before_a_result_is_given_out(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.durable_child", str(tmp_path / "pulse.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == NO_SQLITE:
        pytest.skip("this Python does not show SQLite's file layer")
    assert done.returncode == 0, done.stderr
    events = done.stdout.split("\n")[:-1]
    assert [event for event, _ in groupby(events)] == [
        "write pulse.db-wal",
        "sync pulse.db-wal",
        "kept",
    ] * 3


@pytest.fixture
def careless() -> Iterator[Server]:
    """A server that really syncs, and that is set to answer before it has."""
    settings = "fsync = on\nsynchronous_commit = off\nwal_writer_delay = 10s"
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")), settings=settings)
    yield server
    server.remove()


#: How far the log is on the disk, and how far it has been written.
LOG = "select pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()"


def test_on_postgresql_the_log_is_synced_before_a_result_is_given_out(careless: Server) -> None:
    url = careless.database("pulse")
    writer = open_writer(url, connections=2)
    synced: list[bool] = []
    # One connection for all looks: a fresh one reads catalogues, and notes in them, which is
    # logged, that it has found them settled.
    with psycopg.connect(url, autocommit=True) as looking:
        looking.execute(LOG)

        def look(_: object) -> None:
            row = looking.execute(LOG).fetchone()
            synced.append(row is not None and row[0])

        for name in ["ann", "bob", "cat"]:
            future = writer.submit(lambda store, name=name: person(store, name), key=name)
            # In the writer's thread, before whoever waits is told; nobody else writes meanwhile.
            future.add_done_callback(look)
            future.result(30)
    writer.close()
    assert synced == [True] * 3
    # So would nobody else's be, on this server.
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("create table t (n integer)")
        other.execute("insert into t values (1)")
        row = other.execute(LOG).fetchone()
        assert row == (False,)


def test_on_postgresql_what_was_given_out_outlives_a_crash(careless: Server) -> None:
    url = careless.database("pulse")
    writer = open_writer(url, connections=2)
    for number in range(20):
        name = f"p{number:02}"
        writer.submit(lambda store, name=name: person(store, name), key=name).result(30)
    careless.stop(signal.SIGQUIT)
    careless.start()
    writer.close()
    store = open_store(url)
    assert [row["respondent_id"] for row in rows(store, "respondents")] == [
        f"p{number:02}" for number in range(20)
    ]
    store.close()
