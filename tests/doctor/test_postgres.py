"""What is wrong with a server of PostgreSQL is found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.config import Settings
from bot.doctor import postgres, rounds
from bot.doctor.finding import Finding
from storage.open import open_driver, open_store
from tests.contract.scenes import AT, tell_all
from tests.doctor.conftest import Configure, found, now
from tests.postgres import Server

CARELESS = """
fsync = on
synchronous_commit = off
track_commit_timestamp = on
max_connections = 8
log_min_duration_statement = 100
superuser_reserved_connections = 2
"""


@pytest.fixture(scope="module")
def careless() -> Iterator[str]:
    """A database on a server that is set otherwise than it should be."""
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")), settings=CARELESS)
    yield server.database("careless")
    server.remove()


def at(configure: Configure, url: str) -> Settings:
    return configure(f'[storage]\nurl = "{url}"\n')


def look(known: Settings) -> list[Finding]:
    """Look at the database."""
    findings = list(rounds._database(known, now=now, deep=False, clocks={}))
    assert "id-of-ann" not in str(findings)
    return findings


def test_all_but_the_tests_own_haste_is_well(configure: Configure, postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store, store.transaction():
        tell_all(store)
    findings = look(at(configure, postgres_url))
    found(findings, "postgresql", "ok", "It is 18")
    found(findings, "database safety", "trouble", "fsync is off")
    found(findings, "anonymity", "ok")
    found(findings, "server log", "ok")
    found(findings, "connections", "ok")
    found(findings, "database version", "ok")
    found(findings, "database size", "ok", "4 answers")
    found(findings, "pulse run", "warning")


def test_a_careless_server(configure: Configure, careless: str) -> None:
    with psycopg.connect(careless):
        findings = look(at(configure, careless))
    found(findings, "database safety", "warning", "synchronous_commit is off")
    found(findings, "anonymity", "trouble", "track_commit_timestamp is on")
    found(findings, "server log", "trouble", "log_parameter_max_length = 0")
    found(findings, "connections", "warning", "of 6 are left")
    found(findings, "database version", "warning", "still to be made")


def test_a_careful_server() -> None:
    [finding] = postgres._safety("on", "on", "on")
    assert finding.state == "ok"
    [finding] = postgres._safety("on", "off", "on")
    assert "full_page_writes is off" in finding.found
    assert postgres._log("mod", "-1", "-1").state == "trouble"
    assert postgres._log("ddl", "-1", "-1").state == "ok"
    assert postgres._log("all", "0", "0").state == "ok"


def test_a_transaction_that_does_not_end(
    configure: Configure, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = at(configure, postgres_url)
    checks = {finding.check for finding in look(known)}
    assert "long transaction" not in checks
    monkeypatch.setattr(postgres, "_LONG", timedelta())
    with psycopg.connect(postgres_url) as other:
        other.execute("select 1")
        found(look(known), "long transaction", "warning", "pg_stat_activity")


def test_an_old_server(
    configure: Configure, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_OLDEST", 990_000)
    found(look(at(configure, postgres_url)), "postgresql", "trouble", "14 or later")


def test_rows_that_are_gone_and_old_ones(
    configure: Configure, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_WORN", 0)
    found(look(at(configure, postgres_url)), "vacuum", "warning", "Very old rows")


def test_its_clock_is_compared(configure: Configure, postgres_url: str) -> None:
    clocks: dict[str, timedelta] = {}
    list(
        rounds._database(
            at(configure, postgres_url),
            now=lambda: now() - timedelta(hours=1),
            deep=False,
            clocks=clocks,
        )
    )
    assert timedelta(minutes=59) < clocks["PostgreSQL"] < timedelta(minutes=61)
    with closing(open_driver(postgres_url)) as driver:
        assert abs(postgres.its_clock(driver) - now()) < timedelta(minutes=1)


def test_a_worker_that_was_seen(configure: Configure, postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store:
        store.beat("w", roles=["web"], machine="m", process="1", now=store.clock(AT))
    found(look(at(configure, postgres_url)), "pulse run", "ok")


def test_one_that_is_away_shows_no_password(configure: Configure, tmp_path: Path) -> None:
    url = f"postgresql://me:Quixotic-secret@/pulse?host={tmp_path}"
    findings = look(at(configure, url))
    found(findings, "database", "trouble", "cannot be reached")
    assert "Quixotic" not in str(findings)
