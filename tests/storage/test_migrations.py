"""Migrations: forward only, whole or not at all, and every query fits the tables."""

from __future__ import annotations

import re
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

import storage.postgres_steps
import storage.sql
import storage.sqlite
from dialogues.errors import StoreError
from storage.clock import Rhythm
from storage.open import open_reader, open_store
from storage.sql import migrations, queries, statements
from storage.sqlite import SqliteDriver
from storage.store import SqlStore
from tests.contract.scenes import person


def with_migrations(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    more = {f"{number:04}_more": script for number, script in enumerate(scripts, start=2)}
    every = migrations() | more
    monkeypatch.setattr(storage.sqlite, "migrations", lambda: every)
    monkeypatch.setattr(storage.postgres_steps, "migrations", lambda: every)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that has no tables yet."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("new_postgres_url")
        return found
    return f"sqlite:///{tmp_path}/pulse.db"


def tables(store: SqlStore) -> set[str]:
    """The names of the tables that there are."""
    of = {"sqlite": "sqlite_master", "postgres": "pg_tables"}[store._driver.engine]
    column = {"sqlite": "name", "postgres": "tablename"}[store._driver.engine]
    return {row["name"] for row in store._driver.all(f"select {column} as name from {of}", {})}


def test_a_new_step_is_taken_once_and_keeps_what_is_there(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(url)
    ann = person(store)
    store.close()
    with_migrations(monkeypatch, "alter table waves add column note text; create table a (b text);")
    for _ in range(2):
        store = open_store(url)
        assert store.respondent("ann") == ann
        assert store._driver.all("select note from waves", {}) == []
        store.close()


def test_a_step_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(url).close()
    with monkeypatch.context() as patch:
        with_migrations(patch, "create table c (d text); nonsense;")
        with pytest.raises(StoreError, match="nonsense"):
            open_store(url)
    store = open_store(url)
    assert "c" not in tables(store)
    store.close()


def test_a_newer_database_is_refused_and_left_alone(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        with_migrations(patch, "create table a (b text);")
        open_store(url).close()
    for opening in [open_store, open_reader]:
        with pytest.raises(StoreError, match=r"newer version of Commonpulse \(0002_more\)"):
            opening(url)


def test_a_reader_does_not_change_an_older_one(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(url).close()
    with_migrations(monkeypatch, "create table a (b text);")
    with pytest.raises(StoreError, match="older version"):
        open_reader(url)


def test_a_database_of_another_program_is_refused_and_left_alone(url: str) -> None:
    store = open_store(url)
    [ours] = tables(store) & {"_sqlite_migrations", "_commonpulse_migrations"}
    store._driver.run(f"drop table {ours}", {})
    store.close()
    with pytest.raises(StoreError, match="another program"):
        open_store(url)


def test_tables_with_answers_have_no_hidden_row_number(tmp_path: Path) -> None:
    """It would tell in which order anonymous answers came."""
    store = open_store("sqlite://")
    numbered = {
        row["name"]
        for row in store._driver.all("select name, wr from pragma_table_list", {})
        if not row["wr"] and not row["name"].startswith(("sqlite_", "_sqlite_"))
    }
    assert numbered == {"outbox"}
    store.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_every_query_fits_the_tables(engine: str, request: pytest.FixtureRequest) -> None:
    """And the types of its parameters can be told, though nothing is known of them."""
    url = request.getfixturevalue("postgres_url") if engine == "postgres" else "sqlite://"
    store = open_store(url)
    misfits = {}
    for name, sql in queries(engine).items():
        names = dict.fromkeys(re.findall(r":([a-z_]+)", sql), None)
        try:
            assert store._driver.all(f"explain {sql}", names)
        except StoreError as trouble:
            misfits[name] = str(trouble)
        assert "::" not in sql, name
    assert misfits == {}
    store.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("untagged", "answers_unread"),
        ("count_untagged", "answers_unread"),
        ("forget_sent", "outbox_respondent"),
        ("claimable_replies", "outbox_replies"),
        ("claimable_broadcasts", "outbox_broadcasts"),
        ("waiting_waves", "outbox_broadcasts"),
        ("next_due", "outbox_replies"),
        ("outbox_depth", "outbox_unsent"),
        ("letters", "outbox_unsent"),
        ("drop_unread", "outbox_unsent"),
        ("reopen_expired", "outbox_claims"),
        ("release_claims_of", "outbox_claims"),
        ("old_dead", "outbox_dead"),
        ("empty_overtaken", "outbox_session"),
        ("latest_session", "sessions_respondent"),
        ("members", "memberships_cohort"),
        ("seen_turns", "outbox_session"),
        ("unfinished", "sessions_wave"),
        ("count_waiting", "outbox_waiting"),
        ("put_off", "outbox_quiet"),
        ("reminders_due", "invitations_reminding"),
        ("earlier_invitations", "invitations_due"),
        ("candidates", "memberships_cohort"),
        ("page_of_members", "memberships_cohort"),
        ("unsent_of", "unsent_respondent"),
    ],
)
def test_what_is_asked_often_has_an_index(query: str, index: str) -> None:
    driver = SqliteDriver(None)
    driver.migrate()
    sql = queries("sqlite")[query]
    names = dict.fromkeys(re.findall(r":([a-z_]+)", sql), None)
    plan = [row["detail"] for row in driver.all(f"explain query plan {sql}", names)]
    assert any(index in step for step in plan), plan
    driver.close()


def test_a_query_may_differ_by_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "queries" / "deeper"
    folder.mkdir(parents=True)
    (folder / "x.sql").write_text(
        "-- Of things.\n\n-- name: same\n-- As it says.\nselect 1, -- one\n  2\n\n"
        "-- name: other.sqlite\nselect 's'\n-- name: other.postgres\nselect 'p'\n"
    )
    monkeypatch.setattr(storage.sql, "_HERE", tmp_path)
    read = queries.__wrapped__
    assert read("sqlite") == {"same": "select 1, 2", "other": "select 's'"}
    assert read("postgres") == {"same": "select 1, 2", "other": "select 'p'"}
    (folder / "y.sql").write_text("-- name: same\nselect 3\n")
    with pytest.raises(ValueError, match="second name is same"):
        read("sqlite")


def test_a_rule_is_written_once_for_all_queries_that_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "a.sql").write_text("-- name: kept\nselect 1 where @whole and 3 = 3\n")
    (folder / "b.sql").write_text(
        "-- part: half\n-- Of it.\n1 = 1\n-- part: whole\n@half\nand 2 = 2\n"
    )
    monkeypatch.setattr(storage.sql, "_HERE", tmp_path)
    read = queries.__wrapped__
    assert read("sqlite") == {"kept": "select 1 where 1 = 1 and 2 = 2 and 3 = 3"}
    (folder / "b.sql").write_text("-- part: whole\n2 = 2\n-- part: whole\n3 = 3\n")
    with pytest.raises(ValueError, match="second part is whole"):
        read("sqlite")
    (folder / "b.sql").write_text("-- part: half\n1 = 1\n")
    with pytest.raises(ValueError, match="kept: there is no part 'whole'"):
        read("sqlite")


def test_a_script_is_run_statement_by_statement() -> None:
    assert statements("-- a; b\ncreate table a (\n  b text -- c\n);\n\ndrop table a;\n") == [
        "create table a ( b text )",
        "drop table a",
    ]
    for script in migrations().values():
        for statement in statements(script):
            assert sqlite3.complete_statement(statement + ";")


def test_invitations_from_before_there_were_states_stand_where_they_stood(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {name: script for name, script in migrations().items() if name.startswith("0001")}
    with monkeypatch.context() as patch:
        patch.setattr(storage.sqlite, "migrations", lambda: first)
        patch.setattr(storage.postgres_steps, "migrations", lambda: first)
        driver = open_store(url)._driver
        people = ["complete", "break_off", "non_contact", "unknown", "sent"]
        for person_id in people:
            outcome = "unknown" if person_id == "sent" else person_id
            driver.run(
                "insert into invitations (invitation_id, wave_id, respondent_id, disposition,"
                " invited_at) values (:id, 'w', :id, :outcome, '2026')",
                {"id": person_id, "outcome": outcome},
            )
            driver.run(
                "insert into addresses (channel, platform_id, chat, respondent_id)"
                " values ('slack', :id, 'c', :id)",
                {"id": person_id},
            )
        driver.run(
            "insert into sessions values ('s', 'sent', 'sent', 'w', 'c', 'x', 'r', 'consenting',"
            " 1, '{}', '2026')",
            {},
        )
        driver.run(
            "insert into outbox (respondent_id, channel, session_id, turn, lane, state, due_at)"
            " values ('sent', 'slack', 's', 1, 1, 'sent', '2026')",
            {},
        )
        driver.close()
    store = open_store(url)
    found = store._driver.all("select invitation_id, state, channel from invitations", {})
    assert {row["invitation_id"]: row["state"] for row in found} == {
        "complete": "completed",
        "break_off": "breakoff",
        "non_contact": "unresponsive",
        "unknown": "queued",
        "sent": "contacted",
    }
    assert {row["channel"] for row in found} == {"slack"}
    store.close()


def test_waves_of_before_everyones_own_time_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wave was under way, and one reminder sent, when the installation was upgraded."""
    url = f"sqlite:///{tmp_path}/pulse.db"
    first = next(iter(migrations()))
    before = {first: migrations()[first]}
    with monkeypatch.context() as patch:
        patch.setattr(storage.sqlite, "migrations", lambda: before)
        driver = SqliteDriver(tmp_path / "pulse.db")
        driver.migrate()
    for wave_id, state in [("now", "open"), ("past", "closed")]:
        driver.run(
            "insert into waves (wave_id, cohort, survey_id, revision, roles, timezone, state,"
            " opens_at, remind_at, reminded) values (:wave_id, 'york', 's', 'r', '[]',"
            " 'America/New_York', :state, '2026-12-01T03:30:00.000000+00:00', :remind_at, 1)",
            {
                "wave_id": wave_id,
                "state": state,
                "remind_at": '["2026-12-03T03:30:00.000000+00:00"]',
            },
        )
        driver.run(
            "insert into invitations (invitation_id, wave_id, respondent_id, disposition,"
            " invited_at, reminders) values (:wave_id, :wave_id, 'ann', 'unknown',"
            " '2026-12-01T03:30:00.000000+00:00', 1)",
            {"wave_id": wave_id},
        )
    driver.close()
    store = open_store(url)
    wave = store.wave("now")
    assert wave is not None
    assert wave.rhythm == Rhythm(
        opens_on=date(2026, 11, 30), minute=22 * 60 + 30, remind_after=(timedelta(days=2),)
    )
    assert store.reminders_due("past", now=wave.opens_at, limit=9) == []
    (looked_at,) = store.reminders_due("now", now=wave.opens_at, limit=9)
    assert (looked_at.base_at, looked_at.reminded) == (wave.opens_at, 1)
    store.close()


def test_tags_of_before_there_were_reviews_are_a_taggers(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: script for name, script in migrations().items() if name < "0015"}
    with monkeypatch.context() as patch:
        patch.setattr(storage.sqlite, "migrations", lambda: before)
        patch.setattr(storage.postgres_steps, "migrations", lambda: before)
        driver = open_store(url)._driver
        driver.run(
            "insert into responses (response_id, survey_id, revision, channel, role, language,"
            " started_at, disposition)"
            " values ('r', 's', 'v', 'slack', 'partner', 'en', '2026', '')",
            {},
        )
        driver.run(
            "insert into answers (response_id, question_id, place, kind, question, text, asked_at)"
            " values ('r', 'why', 0, 'text', 'Why?', 'Words.', '2026')",
            {},
        )
        driver.run(
            "insert into codings values ('c', 'r', 'why', 'risk', 'gap', 'Words', 0, 5, 0.5,"
            " 'm@1', '2026', 'suggested')",
            {},
        )
        driver.close()
    store = open_store(url)
    [(_, kept)] = store.codings_of("r")
    assert (kept.source, kept.coding.threshold, kept.coder) == ("tagger", None, "m@1")
    store.close()
