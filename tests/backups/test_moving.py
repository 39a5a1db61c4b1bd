"""Moving to another database, and bringing backups back on another engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogues.errors import CommonpulseError, StoreBusy, StoreError, UserError
from storage.backups.making import ENDINGS, Form, make_backup
from storage.copying import sums_of
from storage.filling import filling_at
from storage.open import open_driver, open_store
from storage.tables import TABLES
from tests.backups.conftest import AT, back_up, bring_back, move
from tests.backups.made_up import QUIET, Rows, content, databases, holds, put
from tests.contract.scenes import MUCH_LATER, person, rows, tell_all
from tests.postgres import Server

WAYS = [
    ("sqlite", "postgres"),
    ("postgres", "sqlite"),
    ("postgres", "postgres"),
    ("sqlite", "sqlite"),
]


def wipe(url: str) -> None:
    """Take every table of ours out of a database."""
    with closing(open_driver(url)) as driver:
        for row in driver.all("select nspname as name from pg_namespace", {}):
            if row["name"] == "public" or row["name"].startswith("before_"):
                driver.run(f"drop schema {row['name']} cascade", {})
        driver.run("create schema public", {})


@pytest.fixture(scope="module")
def _two(postgres: Server) -> Iterator[list[str]]:
    names = ["moving_from", "moving_to"]
    yield [postgres.database(name) for name in names]
    for name in names:
        postgres.execute(f"drop database {name} with (force)")


@pytest.fixture
def two(_two: list[str]) -> list[str]:
    """The addresses of two databases on PostgreSQL without any tables."""
    for url in _two:
        wipe(url)
    return _two


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]} to {way[1]}")
def way(request: pytest.FixtureRequest, tmp_path: Path, two: list[str]) -> tuple[str, str]:
    """Addresses of two databases without any tables, of every pair of engines."""
    files = [f"sqlite:///{tmp_path}/from.db", f"sqlite:///{tmp_path}/to.db"]
    source, target = (
        (two if engine == "postgres" else files)[place]
        for place, engine in enumerate(request.param)
    )
    return source, target


@pytest.fixture
def told(way: tuple[str, str]) -> tuple[str, str]:
    """The same, with something in the first of them."""
    with closing(open_store(way[0])) as store, store.transaction():
        tell_all(store)
    return way


def empty(url: str) -> bool:
    """Whether there is nothing in a database, not even a table."""
    if url.startswith("sqlite"):
        return not Path(url.removeprefix("sqlite:///")).exists()
    with closing(open_driver(url)) as driver:
        found = driver.all("select 1 from pg_tables where schemaname = 'public'", {})
        return not found and driver.applied() == []


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=databases(), way=st.sampled_from(WAYS))
def test_any_database_arrives_as_it_was(made: Rows, way: tuple[str, str], two: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for url in two:
            wipe(url)
        files = [f"sqlite:///{folder}/from.db", f"sqlite:///{folder}/to.db"]
        source, target = (
            (two if engine == "postgres" else files)[place] for place, engine in enumerate(way)
        )
        with closing(open_store(source)) as store:
            put(store._driver, made)
            before = content(store._driver)
        tables = move(source, target)
        assert [table.rows for table in tables] == [len(before[table.name]) for table in TABLES]
        with closing(open_store(target)) as store:
            assert content(store._driver) == before
        assert holds(source) == holds(target) == tables


class TestMoving:
    """`pulse migrate`."""

    def test_the_program_goes_on_there(self, told: tuple[str, str]) -> None:
        source, target = told
        with closing(open_store(source)) as store:
            numbers = [row["outbox_id"] for row in rows(store, "outbox")]
            store._driver.run("delete from outbox where outbox_id = :n", {"n": max(numbers)})
        move(source, target)
        with closing(open_store(target)) as store:
            assert not store.take_event("event-of-ann", on=AT.date())
            ann = store.respondent("ann")
            assert ann is not None
            store._driver.run(
                "insert into outbox (respondent_id, channel, turn, lane, state, due_at)"
                " values ('ann', 'telegram', 0, 0, 'pending', '')",
                {},
            )
            # The number of the message that was deleted is not given again.
            assert max(row["outbox_id"] for row in rows(store, "outbox")) == max(numbers) + 1

    def test_the_source_is_left_as_it_is(self, told: tuple[str, str]) -> None:
        source, target = told
        before = holds(source)
        move(source, target)
        assert holds(source) == before

    def test_a_target_that_was_only_opened_will_do(self, told: tuple[str, str]) -> None:
        source, target = told
        with closing(open_store(target)) as store:
            store.beat(
                "w",
                roles=["web"],
                machine="m",
                process="1",
                now=store.clock(AT) - timedelta(days=1),
            )
        assert move(source, target) == holds(target) == holds(source)

    def test_a_target_with_something_in_it_is_left_alone(self, told: tuple[str, str]) -> None:
        source, target = told
        with closing(open_store(target)) as store:
            person(store, "cat")
        before = holds(target)
        with pytest.raises(UserError, match=r"holds something already\. Name another"):
            move(source, target)
        assert holds(target) == before

    def test_a_source_without_tables_is_said(self, way: tuple[str, str]) -> None:
        source, target = way
        with pytest.raises(StoreError, match=r"no backup of Commonpulse|no database at|nothing in"):
            move(source, target)
        assert empty(target)

    def test_nothing_is_copied_while_somebody_is_up(self, told: tuple[str, str]) -> None:
        source, target = told
        with closing(open_store(source)) as store:
            store.beat("w", roles=["web"], machine="m", process="1", now=store.clock(AT))
        with pytest.raises(StoreBusy, match="`pulse run` is up on the source"):
            move(source, target)
        assert empty(target)

    def test_what_arrives_otherwise_is_not_kept(
        self, told: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, target = told

        def dropping(driver: object, *_: object, **more: str) -> object:
            driver.run("update answers set text = 'other words'", {})  # type: ignore[attr-defined]
            return sums_of(driver, QUIET)  # type: ignore[arg-type]

        monkeypatch.setattr("storage.copying.sums_of", dropping)
        with pytest.raises(StoreError, match=r"arrived differs.*\(answers\)"):
            move(source, target)
        assert empty(target)

    def test_what_fails_midway_leaves_nothing(self, told: tuple[str, str]) -> None:
        source, target = told

        def failing(what: str, done: int, total: int) -> None:
            if what == "comparing":
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            move_with(source, target, failing)
        assert empty(target)
        assert move(source, target) == holds(target)

    def test_an_older_source_is_brought_up_to_date_on_the_way(self, way: tuple[str, str]) -> None:
        source, target = way
        with closing(open_driver(source)) as driver:
            driver.migrate(["0001_first"])
            driver.run("insert into meta (key, value) values ('salt', '00')", {})
            driver.run(
                "insert into respondents (respondent_id, role, joined_on) values ('ann', 'x', 'y')",
                {},
            )
        move(source, target)
        with closing(open_driver(source)) as driver:
            assert driver.applied() == ["0001_first"]
        with closing(open_store(target)) as store:
            assert [row["respondent_id"] for row in rows(store, "respondents")] == ["ann"]


def move_with(source: str, target: str, progress: object) -> None:
    from storage.moving import move_all

    move_all(source, target, name="it", at=AT, progress=progress)  # type: ignore[arg-type]


class TestBackups:
    """A backup of one engine comes back on another."""

    def forms(self, url: str) -> list[Form]:
        return ["sqlite", "portable"] if url.startswith("sqlite") else ["portable"]

    def test_it_comes_back(self, told: tuple[str, str], tmp_path: Path) -> None:
        source, target = told
        for form in self.forms(source):
            file = back_up(source, tmp_path / f"backup{ENDINGS[form]}", form)
            restored = bring_back(file, target, replace=True)
            assert list(restored.tables) == holds(target) == holds(source)

    def test_both_engines_write_the_same_lines(self, told: tuple[str, str], tmp_path: Path) -> None:
        import zipfile

        source, target = told
        move(source, target)
        texts = []
        for number, url in enumerate(told):
            file = back_up(url, tmp_path / f"{number}.zip", "portable")
            with zipfile.ZipFile(file) as packed:
                texts.append({name: packed.read(name) for name in packed.namelist() if "/" in name})
        assert texts[0] == texts[1]

    def test_what_is_there_is_put_aside(self, told: tuple[str, str], tmp_path: Path) -> None:
        source, target = told
        file = back_up(source, tmp_path / "backup.zip", "portable")
        with closing(open_store(target)) as store:
            person(store, "cat")
        before = holds(target)
        with pytest.raises(UserError, match=r"holds something already.*--replace"):
            bring_back(file, target)
        assert holds(target) == before
        restored = bring_back(file, target, replace=True)
        assert holds(target) == holds(source)
        if target.startswith("postgres"):
            assert restored.kept.startswith("schema before_20261202t030405z of postgresql://")
            with closing(open_driver(target)) as driver:
                driver.run("set search_path = before_20261202t030405z", {})
                with driver.transaction():
                    driver.run("set local search_path = before_20261202t030405z", {})
                    assert sums_of(driver, QUIET) == before
        else:
            assert holds(f"sqlite:///{restored.kept}") == before

    def test_what_the_earlier_one_knows_better_is_put_right(
        self, told: tuple[str, str], tmp_path: Path
    ) -> None:
        source, target = told
        move(source, target)
        file = back_up(source, tmp_path / "backup.zip", "portable")
        with closing(open_store(target)) as store, store.transaction():
            store.erase("ann", at=AT, erasure_id="e", actor="chat", farewell=None, leaving_id="")
            store.opt_out("bob", at=MUCH_LATER)
            store._driver.run("delete from outbox", {})
        restored = bring_back(file, target, replace=True)
        assert restored.carried is not None
        assert restored.carried.related
        assert (restored.carried.erased, restored.carried.stopped) == (1, 1)
        assert restored.waiting == 0
        with closing(open_store(target)) as store:
            assert store.respondent("ann") is None
            bob = store.respondent("bob")
            assert bob is not None
            assert bob.opted_out
            assert "Quixotic" not in str(content(store._driver))

    def test_nothing_is_brought_back_while_somebody_is_up(
        self, told: tuple[str, str], tmp_path: Path
    ) -> None:
        source, target = told
        file = back_up(source, tmp_path / "backup.zip", "portable")
        if not target.startswith("postgres"):
            # On SQLite a lock beside the file tells; see test_commands.py.
            return
        with closing(open_store(target)) as store:
            store.beat("w", roles=["web"], machine="m", process="1", now=store.clock(AT))
        before = holds(target)
        with pytest.raises(StoreBusy, match="`pulse run` is up on postgresql://"):
            bring_back(file, target, replace=True)
        assert holds(target) == before

    def test_what_fails_leaves_all_as_it_was(self, told: tuple[str, str], tmp_path: Path) -> None:
        source, target = told
        file = back_up(source, tmp_path / "backup.zip", "portable")
        with closing(open_store(target)) as store:
            person(store, "cat")
        before = holds(target)

        def failing() -> None:
            with filling_at(target, replace=True, at=AT) as filling:
                filling.driver.migrate()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            failing()
        assert holds(target) == before
        bring_back(file, target, replace=True)


def test_a_database_of_another_program_is_left_alone(
    two: list[str], url: str, tmp_path: Path
) -> None:
    with closing(open_driver(two[0])) as driver:
        driver.run("create table songs (title text)", {})
    file = back_up(url, tmp_path / "backup.zip", "portable")
    for replace in (False, True):
        with pytest.raises(UserError, match="cannot be filled: it is a database of another"):
            bring_back(file, two[0], replace=replace)
    with pytest.raises(UserError, match="another program"):
        move(url, two[0])


def test_a_wrong_password_is_not_shown(two: list[str], url: str) -> None:
    wrong = two[0].replace("postgres@", "nobody:Quixotic-secret@")
    assert wrong != two[0]
    with pytest.raises(CommonpulseError) as caught:
        move(url, wrong)
    assert "Quixotic" not in str(caught.value)


def test_one_state_is_backed_up_while_others_write(two: list[str], tmp_path: Path) -> None:
    with closing(open_store(two[0])) as store:
        with store.transaction():
            for number in range(1500):
                person(store, f"p{number:04}")
        before = len(rows(store, "respondents"))
        steps = 0

        def progress(*_: object) -> None:
            nonlocal steps
            steps += 1
            with store.transaction():
                person(store, f"q{steps}")
                store.join(f"q{steps}", "riverside", on=AT.date())

        file = make_backup(
            two[0],
            tmp_path / "b.zip",
            form="portable",
            at=AT,
            program="0.1.0",
            progress=progress,
        ).path
    assert steps > 3
    bring_back(file, tmp_path / "new.db")
    with closing(open_store(f"sqlite:///{tmp_path}/new.db")) as store:
        assert len(rows(store, "respondents")) == before
        assert rows(store, "memberships") == []
