"""What is wrong with the database, its file and its disk is found, and nothing is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from bot.config import Settings
from bot.doctor import rounds, sqlite
from bot.doctor.finding import Finding
from bot.sole import ROLES, sole_use
from dialogues.errors import StoreError
from storage.open import open_driver, open_store
from tests.contract.scenes import AT, person, tell_all
from tests.doctor.conftest import Configure, found, now

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database in which two people did everything."""
    path = tmp_path / "pulse.db"
    with closing(open_store(f"sqlite:///{path}")) as store, store.transaction():
        tell_all(store)
    return path


@pytest.fixture
def known(configure: Configure, database: Path) -> Settings:
    return configure()


def look(known: Settings, *, deep: bool = False) -> list[Finding]:
    """Look at the database."""
    findings = list(rounds._database(known, now=now, deep=deep, clocks={}))
    assert "Quixotic" not in str(findings)
    assert "id-of-ann" not in str(findings)
    return findings


def test_all_is_well(known: Settings, database: Path) -> None:
    before = database.read_bytes()
    findings = look(known)
    found(findings, "database rights", "ok")
    found(findings, "disk", "ok")
    found(findings, "database integrity", "ok", "quick")
    found(findings, "database version", "ok")
    found(findings, "database size", "ok", "4 answers")
    found(findings, "pulse run", "warning", "nobody is answered")
    assert database.read_bytes() == before
    found(look(known, deep=True), "database integrity", "ok", "no damage")


def test_there_is_none_yet(configure: Configure, tmp_path: Path) -> None:
    found(look(configure()), "database", "ok", "none at")
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_one_in_memory(configure: Configure) -> None:
    found(look(configure('[storage]\nurl = "sqlite:///:memory:"')), "database", "warning", "gone")


def test_others_may_open_it(known: Settings, database: Path) -> None:
    database.chmod(0o644)
    found(look(known), "database rights", "warning", f"chmod 600 {database}")


@pytest.mark.parametrize(("closed", "says"), [("folder", "keeps its log"), ("file", "chown")])
def test_it_may_not_be_written(
    known: Settings, database: Path, monkeypatch: pytest.MonkeyPatch, closed: str, says: str
) -> None:
    # Rights do not bind the root user, whom tests may run as.
    which = database.parent if closed == "folder" else database
    monkeypatch.setattr("bot.doctor.sqlite.os.access", lambda path, _: path != which)
    found(look(known), "database rights", "trouble", says)


def test_the_disk_is_as_good_as_full(known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9, 9, 2_000_000))
    found(look(known), "disk", "trouble", "Only 2.0 MB")


def test_the_disk_has_no_room_for_a_backup(
    known: Settings, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9, 9, 200_000_000))
    with database.open("r+b") as file:
        file.truncate(300_000_000)
    found([next(sqlite.room(database))], "disk", "warning", "Make room")


def test_a_log_that_nobody_cuts(known: Settings, database: Path) -> None:
    log = database.with_name("pulse.db-wal")
    log.touch()
    os.truncate(log, 300_000_000)
    found(list(sqlite.room(database)), "database log", "warning", "300.0 MB")


def test_it_is_damaged(known: Settings, database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    database.write_bytes(content)
    [finding] = [one for one in look(known) if one.state == "trouble"]
    assert "pulse restore FILE --replace" in finding.do or "damaged" in finding.found


def test_only_deep_looking_finds_an_index_that_lacks_a_row(known: Settings, database: Path) -> None:
    def change(*statements: str) -> None:
        with closing(sqlite3.connect(database)) as conn, conn:
            conn.execute("pragma writable_schema = on")
            for statement in statements:
                conn.execute(statement)

    change(
        "create table _aside as select * from sqlite_master where name = 'memberships_cohort'",
        "delete from sqlite_master where name = 'memberships_cohort'",
    )
    change("insert into memberships values ('ann', 'unheard', '2026-12-01')")
    change("insert into sqlite_master select * from _aside")
    found(look(known), "database integrity", "ok")
    found(look(known, deep=True), "database integrity", "trouble", "pulse restore")


def test_rows_without_their_owner(known: Settings, database: Path) -> None:
    with closing(open_driver(f"sqlite:///{database}")) as driver:
        driver.db.conn.execute("pragma foreign_keys = off")
        driver.run("delete from answers", {})
    found(look(known, deep=True), "database integrity", "trouble", "owner is missing")


def test_it_is_no_database(known: Settings, database: Path) -> None:
    database.write_text("these are my notes\n" * 100)
    found(look(known), "database", "trouble", "is not a database")


def test_it_is_of_an_older_version(known: Settings, database: Path) -> None:
    database.unlink()
    with closing(open_driver(f"sqlite:///{database}")) as driver:
        driver.migrate(["0001_first"])
    findings = look(known)
    finding = found(findings, "database version", "warning", "pulse backup")
    assert "still to be made" in finding.found
    with closing(open_driver(f"sqlite:///{database}")) as driver:
        assert driver.applied() == ["0001_first"]


def test_it_is_of_a_newer_version(known: Settings, database: Path) -> None:
    with closing(open_driver(f"sqlite:///{database}")) as driver:
        driver.run(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('commonpulse', '9999_more', '')",
            {},
        )
    found(look(known), "database version", "trouble", "9999_more")


def test_growth_is_told_once_there_is_something(known: Settings, database: Path) -> None:
    with closing(open_store(f"sqlite:///{database}")) as store, store.transaction():
        store._driver.run("update answers set asked_at = '2020'", {})
        for number in range(1000):
            store._driver.run(
                "insert into answers (response_id, question_id, place, kind, question, text,"
                " asked_at) select response_id, :id, 9, 'text', '', '', :at from responses",
                {"id": f"q{number}", "at": "2020" if number else now().isoformat()},
            )
    finding = found(look(known), "database size", "ok", "2,004 answers")
    assert "each; last week's 2 came to some" in finding.found


class TestPulseRun:
    """Whether it is up."""

    def test_it_holds_the_lock(self, known: Settings, database: Path) -> None:
        for role in ROLES:
            with sole_use(database, [role]):
                found(look(known), "pulse run", "ok")
        found(look(known), "pulse run", "warning")

    def test_it_was_seen_lately(self, known: Settings, database: Path) -> None:
        with closing(open_store(f"sqlite:///{database}")) as store:
            store.beat("w", roles=["web"], machine="m", process="1", now=now())
        found(look(known), "pulse run", "ok")
        with closing(open_store(f"sqlite:///{database}")) as store:
            store.beat("w", roles=["web"], machine="m", process="1", now=AT.replace(year=2020))
        found(look(known), "pulse run", "warning")


def test_one_that_cannot_be_opened_is_a_finding(
    known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object, **__: object) -> None:
        raise StoreError("It is away.")

    monkeypatch.setattr(rounds, "open_driver", refusing)
    found(look(known), "database", "trouble", "It is away.")


def test_a_person_more_changes_nothing_said(known: Settings, database: Path) -> None:
    with closing(open_store(f"sqlite:///{database}")) as store:
        person(store, "cat")
    found(look(known), "database version", "ok")
