"""Backups by pg_dump: of the very state that was read, and read back row by row."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dialogues.errors import StoreError
from dialogues.prompts import Prompt
from storage.backups.making import make_backup
from storage.open import open_driver, open_store
from tests.backups.conftest import AT, back_up, bring_back
from tests.backups.made_up import Rows, content, databases, holds, put
from tests.contract.scenes import person, tell_all
from tests.postgres import Server


@pytest.fixture
def programs(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of PostgreSQL's own programs, first on the path."""
    folder = postgres.programs
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def by_program(programs: Path, file: Path, url: str) -> None:
    """Bring it back with PostgreSQL's own program."""
    subprocess.run(
        [
            programs / "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction",
            "--dbname", url, file,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


def test_it_comes_back_by_the_program_of_postgresql(
    programs: Path, postgres_url: str, new_postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_store(postgres_url)) as store, store.transaction():
        tell_all(store)
    file = back_up(postgres_url, tmp_path / "b.dump", "pg_dump")
    assert file.read_bytes().startswith(b"PGDMP")
    assert file.stat().st_mode & 0o777 == 0o600
    by_program(programs, file, new_postgres_url)
    assert holds(new_postgres_url) == holds(postgres_url)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_it_comes_back_by_ours_on_either_engine(
    programs: Path, postgres_url: str, new_postgres_url: str, tmp_path: Path, engine: str
) -> None:
    with closing(open_store(postgres_url)) as store, store.transaction():
        tell_all(store)
        store._driver.run("update outbox set error = :words", {"words": "a\tb\\c\nd"})
    file = back_up(postgres_url, tmp_path / "b.dump", "pg_dump")
    with closing(open_store(postgres_url)) as store:
        last = store._driver.one("select max(outbox_id) as n from outbox", {})["n"]
        before = holds(postgres_url)
    target = new_postgres_url if engine == "postgres" else f"sqlite:///{tmp_path}/new.db"
    restored = bring_back(file, target)
    assert restored.manifest is None
    assert holds(target) == before
    with closing(open_store(target)) as store:
        store._driver.run("delete from outbox", {})
        ann = store.respondent("ann")
        store.say(ann, [Prompt(text="Hello")], at=AT)
        assert store._driver.one("select max(outbox_id) as n from outbox", {})["n"] == last + 1


def test_one_that_was_cut_short_is_refused(
    programs: Path, postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_store(postgres_url)) as store, store.transaction():
        tell_all(store)
    file = back_up(postgres_url, tmp_path / "b.dump", "pg_dump")
    whole = file.read_bytes()
    for length in (6, 100, len(whole) // 2, len(whole) - 200):
        file.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"pg_restore could not|no backup|damaged"):
            bring_back(file, tmp_path / "new.db")
        assert not (tmp_path / "new.db").exists()


def test_one_of_another_program_is_refused(
    programs: Path, new_postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_driver(new_postgres_url)) as driver:
        driver.run("create table songs (title text)", {})
    file = tmp_path / "b.dump"
    subprocess.run(
        [programs / "pg_dump", "-Fc", f"--file={file}", "--dbname", new_postgres_url], check=True
    )
    with pytest.raises(StoreError, match="no backup of Commonpulse"):
        bring_back(file, tmp_path / "new.db")


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=databases())
def test_whatever_is_in_it_is_read_back(
    made: Rows, programs: Path, postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_store(postgres_url)) as store:
        for table in reversed(list(made)):
            store._driver.run(f"delete from {table} where 1 = 1", {})
        put(store._driver, made)
        assert content(store._driver)
    file = tmp_path / "b.dump"
    file.unlink(missing_ok=True)
    back_up(postgres_url, file, "pg_dump")


def test_one_state_is_dumped_while_others_write(
    programs: Path, postgres_url: str, tmp_path: Path
) -> None:
    with closing(open_store(postgres_url)) as store:
        person(store, "ann")

        def progress(what: str, *_: object) -> None:
            if what == "dumping":
                person(store, "bob")

        made = make_backup(
            postgres_url,
            tmp_path / "b.dump",
            form="pg_dump",
            at=AT,
            program="0.1.0",
            progress=progress,
        )
        assert store.respondent("bob") is not None
    rows = {table.name: table.rows for table in made.manifest.tables}
    assert rows["respondents"] == 1


def script(folder: Path, name: str, text: str) -> None:
    """A program that does another thing than it should."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o700)


def test_a_dump_that_lacks_something_is_no_backup(
    programs: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(postgres_url)) as store:
        person(store, "ann")
    wrong = tmp_path / "bin"
    wrong.mkdir()
    script(
        wrong,
        "pg_dump",
        f"import os, sys; program = {str(programs / 'pg_dump')!r}\n"
        "os.execv(program, [program, '--exclude-table-data=respondents', *sys.argv[1:]])",
    )
    monkeypatch.setenv("PATH", f"{wrong}:{programs}:/usr/bin:/bin")
    with pytest.raises(StoreError, match="holds something else than the database"):
        back_up(postgres_url, tmp_path / "b.dump", "pg_dump")
    assert not (tmp_path / "b.dump").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "print('pg_dump: error: aborting because of server version mismatch', file=E);"
            " sys.exit(1)",
            "older than the server",
        ),
        ("print('pg_dump: error: out of wits', file=E); sys.exit(1)", r"\(out of wits\)"),
    ],
)
def test_its_trouble_is_told(
    programs: Path,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    says: str,
) -> None:
    wrong = tmp_path / "bin"
    wrong.mkdir()
    script(wrong, "pg_dump", f"import sys; E = sys.stderr\n{text}")
    monkeypatch.setenv("PATH", f"{wrong}:{programs}:/usr/bin:/bin")
    with pytest.raises(StoreError, match=says):
        back_up(postgres_url, tmp_path / "b.dump", "pg_dump")
    assert not (tmp_path / "b.dump").exists()


def test_it_has_to_be_installed(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match=r"pg_dump is not installed here\. Install"):
        back_up(postgres_url, tmp_path / "b.dump", "pg_dump")


def test_no_password_is_on_the_command_line(
    programs: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "noted"
    wrong = tmp_path / "bin"
    wrong.mkdir()
    script(
        wrong,
        "pg_dump",
        f"import os, sys; program = {str(programs / 'pg_dump')!r}\n"
        f"open({str(noted)!r}, 'w').write(' '.join(sys.argv) + '|' + os.environ['PGPASSWORD'])\n"
        "os.execv(program, [program, *sys.argv[1:]])",
    )
    monkeypatch.setenv("PATH", f"{wrong}:{programs}:/usr/bin:/bin")
    url = postgres_url.replace("postgres@", "postgres:Quixotic%20secret@")
    back_up(url, tmp_path / "b.dump", "pg_dump")
    arguments, password = noted.read_text().split("|")
    assert password == "Quixotic secret"
    assert "Quixotic" not in arguments
