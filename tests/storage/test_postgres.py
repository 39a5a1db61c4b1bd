"""PostgreSQL: what is its own, beside what all engines have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext

import psycopg
import pytest

from dialogues.errors import (
    StoreAway,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreFull,
    StoreRefused,
)
from storage.open import open_reader, open_store
from storage.postgres import PostgresDriver, adapted
from storage.store import SqlStore
from tests.contract.scenes import AT, consented, person, rows
from tests.postgres import Server


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    store = open_store(postgres_url)
    yield store
    store.close()


@pytest.fixture
def driver(store: SqlStore) -> PostgresDriver:
    driver = store._driver
    assert isinstance(driver, PostgresDriver)
    return driver


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("select :a, :b_2, :a", "select %(a)s, %(b_2)s, %(a)s"),
        ("x like '%|' || :a", "x like '%%|' || %(a)s"),
        ("x = ':a' and y = :a", "x = ':a' and y = %(a)s"),
        ("x = 'it''s :a' or x % 2 = :a", "x = 'it''s :a' or x %% 2 = %(a)s"),
    ],
)
def test_parameters_are_written_as_psycopg_wants_them(ours: str, theirs: str) -> None:
    assert adapted(ours) == theirs


def test_rows_have_names_and_values_come_back_as_they_went_in(driver: PostgresDriver) -> None:
    row = driver.one(
        "select cast(:words as text) as words, cast(:whole as bigint) as whole,"
        " cast(:real as double precision) as fraction, cast(:nothing as text) as nothing,"
        " sum(n) as sum from (select cast(2147483647 as bigint) as n union all select 9) as two",
        {"words": "it's 100% ün:true", "whole": 2**40, "real": 0.1 + 0.2, "nothing": None},
    )
    assert row is not None
    assert list(row.keys()) == ["words", "whole", "fraction", "nothing", "sum"]
    assert dict(row) == {  # type: ignore[call-overload]
        "words": "it's 100% ün:true",
        "whole": 2**40,
        "fraction": 0.1 + 0.2,
        "nothing": None,
        "sum": 2147483656,
    }
    assert driver.one("select 1 as yes where 1 = 0", {}) is None


def test_a_connection_is_set_to_be_durable_and_patient(driver: PostgresDriver) -> None:
    for name, value in {
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "lock_timeout": "5s",
        "statement_timeout": "2min",
        "application_name": "commonpulse",
        "client_encoding": "UTF8",
    }.items():
        row = driver.one("select current_setting(:name) as value", {"name": name})
        assert row is not None
        assert row["value"] == value, name


def test_text_is_compared_by_its_bytes(driver: PostgresDriver) -> None:
    """Else one server would put ids in another order than the next one, and than SQLite."""
    columns = driver.all(
        "select table_name, column_name, collation_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'text'"
        " and table_name <> '_commonpulse_migrations'",
        {},
    )
    assert len(columns) > 50
    assert [row for row in columns if row["collation_name"] != "C"] == []


def test_rows_are_handed_over_a_few_at_a_time_and_side_by_side(driver: PostgresDriver) -> None:
    many = "select n from generate_series(1, 1200) as n"
    for surroundings in (nullcontext(), driver.transaction()):
        with surroundings:
            pairs = list(zip(driver.each(many, {}), driver.each(many, {}), strict=True))
            assert [(one["n"], two["n"]) for one, two in pairs] == [(n, n) for n in range(1, 1201)]
            assert driver.one("select 1 as still", {}) == {"still": 1}
    endless = driver.each("select generate_series(1, 1000000000000) as n", {})
    assert next(endless)["n"] == 1
    endless.close()  # type: ignore[attr-defined]


class TestTrouble:
    """What the engine says can repeat what somebody wrote; we never do."""

    def test_no_value_is_ever_repeated(self, store: SqlStore, driver: PostgresDriver) -> None:
        person(store, "ann")
        bad = [
            (
                "insert into respondents (respondent_id, role, joined_on) values (:w, 'x', 'y')",
                "ann",
            ),
            ("insert into inbound (event_key, received_on) values (:w, null)", "quixotic"),
            ("select cast(:w as integer)", "quixotic"),
            ("insert into answers select :w, 'q', 0, 'k', 'q', null, 't', null, 'a'", "quixotic"),
            ("select * from quixotic_table where a = :w", "words"),
            ("insert into inbound (event_key, received_on) values (:w, 'x')", "nul\0quixotic"),
        ]
        for sql, words in bad:
            with pytest.raises((StoreError, StoreRefused)) as caught:
                driver.run(sql, {"w": words})
            assert words not in str(caught.value)
            assert "quixotic" not in str(caught.value).replace("quixotic_table", "")
            assert caught.value.__cause__ is None
        assert store.respondent("ann") is not None

    @pytest.mark.parametrize(
        ("sql", "value"),
        [
            ("select cast(:w as integer)", "quixotic"),
            ("insert into inbound (event_key, received_on) values (:w, 'x')", "nul\0"),
            ("update respondents set language = :w", "nul\0"),
        ],
    )
    def test_a_value_that_it_takes_from_nobody_is_no_matter_of_trying_again(
        self, driver: PostgresDriver, sql: str, value: str
    ) -> None:
        with pytest.raises(StoreRefused):
            driver.run(sql, {"w": value})

    @staticmethod
    def break_off(store: SqlStore) -> None:
        with store.transaction():
            person(store, "bob")
            store._driver.run("select 1 / 0", {})

    def test_a_failed_part_leaves_the_rest_of_the_transaction(self, store: SqlStore) -> None:
        with store.transaction():
            person(store, "ann")
            with pytest.raises(StoreRefused):
                self.break_off(store)
            with store.transaction():
                person(store, "cat")
        assert {row["respondent_id"] for row in rows(store, "respondents")} == {"ann", "cat"}

    def test_a_deadlock_is_a_conflict(self, postgres_url: str) -> None:
        stores = [open_store(postgres_url) for _ in range(2)]
        for name in ("ann", "bob"):
            person(stores[0], name)
        ready = threading.Barrier(2)
        ended: list[str] = []

        def take(store: SqlStore, first: str, second: str) -> None:
            try:
                with store.transaction():
                    store.set_language(first, "cy")
                    ready.wait(10)
                    store.set_language(second, "cy")
                ended.append("kept")
            except StoreConflict:
                ended.append("conflict")

        threads = [
            threading.Thread(target=take, args=(stores[0], "ann", "bob")),
            threading.Thread(target=take, args=(stores[1], "bob", "ann")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(ended) == ["conflict", "kept"]
        for store in stores:
            store.close()

    def test_a_lock_is_waited_for_and_then_named(self, postgres_url: str, store: SqlStore) -> None:
        with psycopg.connect(postgres_url) as other:
            other.execute("lock table waves in exclusive mode")
            store._driver.run("set lock_timeout = '10ms'", {})
            with pytest.raises(StoreBusy, match="locked"):
                store._driver.run("delete from waves", {})
        store._driver.run("delete from waves", {})

    def test_a_cut_connection_is_replaced(self, postgres: Server, store: SqlStore) -> None:
        person(store, "ann")
        cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = "

        def be_cut() -> None:
            with store.transaction():
                person(store, "bob")
                postgres.execute(f"{cut}'commonpulse'")
                store.respondent("ann")

        with pytest.raises(StoreAway):
            be_cut()
        postgres.execute(f"{cut}'commonpulse'")
        # One that was cut while it lay idle is not even noticed.
        with store.transaction():
            assert store.respondent("ann") is not None
            assert store.respondent("bob") is None


class TestOpening:
    """What is wrong is said in a sentence that helps, and without the password."""

    def test_nobody_listens(self) -> None:
        url = "postgresql://me:secret@127.0.0.1:1/pulse"
        with pytest.raises(StoreAway, match=r"127\.0\.0\.1:1/pulse cannot be reached") as caught:
            open_store(url)
        assert "refused" in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_no_such_database_or_user(self, postgres: Server) -> None:
        with pytest.raises(StoreAway, match='database "nowhere" does not exist'):
            open_store(postgres.url("nowhere"))
        with pytest.raises(StoreAway, match='role "nobody" does not exist'):
            open_store(postgres.url("postgres", user="nobody"))

    def test_an_option_that_is_none(self, postgres_url: str) -> None:
        with pytest.raises(StoreError, match=r"storage\.url cannot be read"):
            open_store(f"{postgres_url}&secret=word")
        with pytest.raises(StoreError, match="cannot be used"):
            open_store("postgresql://me:a@b@host/pulse")

    def test_a_user_who_may_make_no_tables(self, postgres: Server, new_postgres_url: str) -> None:
        postgres.execute("create role guest login")
        try:
            with pytest.raises(StoreError, match="permission denied for schema public"):
                open_store(new_postgres_url.replace("postgres@", "guest@"))
        finally:
            postgres.execute("drop role guest")

    def test_another_encoding(self, postgres: Server) -> None:
        url = postgres.database("old", "encoding 'LATIN1' locale 'C' template template0")
        with pytest.raises(StoreError, match="kept in LATIN1"):
            open_store(url)
        postgres.execute("drop database old")

    def test_an_old_server(self, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.postgres_steps.OLDEST_SERVER", 99_00_00)
        with pytest.raises(StoreError, match="too old"):
            open_store(postgres_url)

    def test_two_that_start_at_once_share_the_work(self, new_postgres_url: str) -> None:
        troubles: list[BaseException] = []

        def start() -> None:
            try:
                open_store(new_postgres_url).close()
            except BaseException as trouble:
                troubles.append(trouble)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert troubles == []


class TestReader:
    """A second connection, for long reading beside a running bot."""

    def test_it_reads_one_state_while_others_write(
        self, store: SqlStore, postgres_url: str
    ) -> None:
        person(store, "ann")
        store.join("ann", "riverside", on=AT.date())
        reader = open_reader(postgres_url)
        with reader.transaction():
            assert len(reader.members("riverside", roles=[])) == 1
            store.leave("ann", "riverside", at=AT)
            assert len(reader.members("riverside", roles=[])) == 1
        assert reader.members("riverside", roles=[]) == []
        reader.close()

    def test_it_writes_nothing(self, store: SqlStore, postgres_url: str) -> None:
        ann = person(store)
        reader = open_reader(postgres_url)
        with pytest.raises(StoreFull):
            consented(reader, ann)
        reader.close()
        assert rows(store, "sessions") == []

    def test_there_has_to_be_something_to_read(self, new_postgres_url: str) -> None:
        with pytest.raises(StoreError, match="There is nothing in"):
            open_reader(new_postgres_url)
