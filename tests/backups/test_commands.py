"""`pulse backup`, `pulse restore` and `pulse migrate`: what is asked, said and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.sole import sole_use
from storage.open import open_driver, open_store
from tests.backups.made_up import holds
from tests.contract.scenes import AT, person, tell_all

Pulse = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pulse(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Pulse:
    """Run a command on the database; gives status, output and errors."""
    (tmp_path / "config.toml").write_text('[storage]\nurl = "sqlite:///pulse.db"\n')
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Quixotic" not in said.out + said.err
        assert "id-of-ann" not in said.out + said.err
        return status, said.out, said.err

    return run


class TestBackup:
    """`pulse backup`."""

    def test_it_goes_beside_the_database_and_is_guarded(self, pulse: Pulse, tmp_path: Path) -> None:
        status, out, err = pulse("backup")
        assert (status, err) == (0, "")
        [file] = (tmp_path / "backups").iterdir()
        assert file.name.startswith("pulse-20")
        assert file.suffix == ".db"
        assert str(file.relative_to(tmp_path)) in out
        assert "guard it" in out
        assert "forgotten" in out

    def test_it_goes_on_while_the_program_runs(self, pulse: Pulse, tmp_path: Path) -> None:
        with sole_use(tmp_path / "pulse.db", ["web"]):
            assert pulse("backup", "--out", tmp_path / "b.db")[0] == 0

    def test_it_says_it_in_json_too(self, pulse: Pulse, tmp_path: Path) -> None:
        status, out, _ = pulse(
            "backup", "--json", "--format", "portable", "--out", tmp_path / "b.zip"
        )
        assert status == 0
        said = json.loads(out)
        assert said["file"] == str(tmp_path / "b.zip")
        assert said["format"] == "portable"
        assert said["bytes"] == (tmp_path / "b.zip").stat().st_size
        tables = {table["table"]: table["rows"] for table in said["tables"]}
        assert tables["respondents"] == 2

    def test_only_the_newest_are_kept(self, pulse: Pulse, tmp_path: Path) -> None:
        folder = tmp_path / "kept"
        folder.mkdir()
        names = ["pulse-20250101T000000Z.db", "pulse-20250102T000000Z.zip", "other-20250103.db"]
        for name in [*names, "pulse-2025.db", "notes.txt"]:
            (folder / name).touch()
        status, out, _ = pulse("backup", "--out", folder, "--keep", "2")
        assert status == 0
        assert "Removed 1 older backup." in out
        left = {path.name for path in folder.iterdir()}
        assert names[0] not in left
        assert {*names[1:], "pulse-2025.db", "notes.txt"} < left
        assert len(left) == 5

    def test_keeping_is_for_folders(self, pulse: Pulse, tmp_path: Path) -> None:
        status, _, err = pulse("backup", "--out", tmp_path / "b.db", "--keep", "2")
        assert status == 2
        assert "--keep goes with a folder" in err

    def test_a_folder_may_be_one_that_is_to_be_made(self, pulse: Pulse, tmp_path: Path) -> None:
        assert pulse("backup", "--out", f"{tmp_path}/new/")[0] == 0
        assert len(list((tmp_path / "new").iterdir())) == 1

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--format", "tar"], "choose sqlite or portable"),
            (["--pg-dump"], "is for PostgreSQL"),
        ],
    )
    def test_what_there_is_not(self, pulse: Pulse, words: list[str], says: str) -> None:
        status, _, err = pulse("backup", *words)
        assert status == 2
        assert says in err

    def test_there_is_nothing_yet(self, pulse: Pulse, tmp_path: Path) -> None:
        (tmp_path / "pulse.db").unlink()
        status, _, err = pulse("backup")
        assert status == 1
        assert "There is no database at" in err
        assert not (tmp_path / "backups").exists()

    def test_nothing_is_written_over(self, pulse: Pulse, tmp_path: Path) -> None:
        (tmp_path / "b.db").write_text("mine")
        status, _, err = pulse("backup", "--out", tmp_path / "b.db")
        assert status == 2
        assert "is there already" in err
        assert (tmp_path / "b.db").read_text() == "mine"


class TestRestore:
    """`pulse restore`."""

    def test_into_an_empty_place(self, pulse: Pulse, url: str, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        before = holds(url)
        status, out, err = pulse(
            "restore", tmp_path / "b.db", "--to", f"sqlite:///{tmp_path}/new.db"
        )
        assert (status, err) == (0, "")
        assert holds(f"sqlite:///{tmp_path}/new.db") == before
        assert "each compared" in out
        assert "Who asked to be forgotten, or said stop, after the backup was made" in out
        assert "4 messages wait to be sent" in out
        assert "--drop-waiting" in out

    def test_in_place_of_the_configured_one(self, pulse: Pulse, url: str, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        with closing(open_store(url)) as store:
            store.erase("ann", at=AT, erasure_id="e", actor="chat", farewell=None, leaving_id="")
        status, _, err = pulse("restore", tmp_path / "b.db")
        assert status == 2
        assert "--replace" in err
        status, out, _ = pulse("restore", tmp_path / "b.db", "--replace")
        assert status == 0
        assert "1 person who asked to be forgotten since were erased again" in out
        assert "pulse.db.before-" in out
        with closing(open_store(url)) as store:
            assert store.respondent("ann") is None

    def test_it_says_it_in_json_too(self, pulse: Pulse, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        status, out, _ = pulse("restore", tmp_path / "b.db", "--replace", "--json")
        said = json.loads(out)
        assert status == 0
        assert said["carried"] == {"related": True, "erased": 0, "stopped": 0, "settled": 0}
        assert said["kept"].startswith("pulse.db.before-")
        assert said["waiting"] == 4

    def test_not_while_the_program_runs(self, pulse: Pulse, url: str, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        before = holds(url)
        with sole_use(tmp_path / "pulse.db", ["web"]):
            status, _, err = pulse("restore", tmp_path / "b.db", "--replace")
        assert status == 1
        assert err == "pulse: Another `pulse run` uses pulse.db (web). Stop it first.\n"
        assert holds(url) == before

    def test_a_damaged_one_is_refused_first(self, pulse: Pulse, url: str, tmp_path: Path) -> None:
        (tmp_path / "b.db").write_bytes(b"SQLite format 3\0" + b"x" * 9000)
        before = holds(url)
        status, _, err = pulse("restore", tmp_path / "b.db", "--replace")
        assert status == 1
        assert err.count("\n") == 1
        assert holds(url) == before
        assert not list(tmp_path.glob("pulse.db.before*"))

    @pytest.mark.parametrize(
        ("to", "status", "says"),
        [
            ("sqlite:///", 2, "in memory is gone"),
            ("mysql://me@host/db", 2, "cannot be used"),
            ("sqlite:///no/such/new.db", 1, "is missing; make it"),
            ("postgresql://me:Quixotic-secret@/db?host=/nowhere", 1, "cannot be reached"),
        ],
    )
    def test_places_that_are_none(
        self, pulse: Pulse, tmp_path: Path, to: str, status: int, says: str
    ) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        ended, _, err = pulse("restore", tmp_path / "b.db", "--to", to)
        assert ended == status, err
        assert says in err

    def test_what_was_there_is_another_ones(self, pulse: Pulse, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        with closing(open_store(f"sqlite:///{tmp_path}/other.db")) as store:
            person(store, "cat")
        to = f"sqlite:///{tmp_path}/other.db"
        status, out, _ = pulse("restore", tmp_path / "b.db", "--to", to, "--replace")
        assert status == 0
        assert "another installation's" in out

    def test_what_was_there_cannot_be_read(self, pulse: Pulse, tmp_path: Path) -> None:
        pulse("backup", "--out", tmp_path / "b.db")
        (tmp_path / "pulse.db").write_bytes(b"\xa5" * 9000)
        status, out, _ = pulse("restore", tmp_path / "b.db", "--replace", "--drop-waiting")
        assert status == 0
        assert "cannot be read any more" in out
        assert "Left out: 4 messages" in out


class TestMigrate:
    """`pulse migrate`."""

    def test_to_postgresql_and_back(
        self, pulse: Pulse, url: str, new_postgres_url: str, tmp_path: Path
    ) -> None:
        before = holds(url)
        status, out, err = pulse("migrate", "--to", new_postgres_url)
        assert (status, err) == (0, "")
        assert "counts and checksums of every table are equal on both" in out
        assert "set storage.url to the new address" in out
        for table in before:
            assert table.digest in out
        assert holds(new_postgres_url) == before
        (tmp_path / "config.toml").write_text(f'[storage]\nurl = "{new_postgres_url}"\n')
        status, out, _ = pulse("migrate", "--to", "sqlite:///back.db", "--json")
        assert status == 0
        said = json.loads(out)
        assert said["equal"] is True
        assert [table["digest"] for table in said["tables"]] == [one.digest for one in before]
        assert holds(f"sqlite:///{tmp_path}/back.db") == before

    def test_a_backup_of_postgresql_is_portable(
        self, pulse: Pulse, postgres_url: str, tmp_path: Path
    ) -> None:
        with closing(open_store(postgres_url)) as store, store.transaction():
            tell_all(store)
        (tmp_path / "config.toml").write_text(f'[storage]\nurl = "{postgres_url}"\n')
        status, _, _ = pulse("backup")
        assert status == 0
        [file] = (tmp_path / "backups").iterdir()
        assert file.suffix == ".zip"
        assert pulse("backup", "--format", "sqlite")[0] == 2

    def test_not_while_the_program_runs(
        self, pulse: Pulse, new_postgres_url: str, tmp_path: Path
    ) -> None:
        with sole_use(tmp_path / "pulse.db", ["web"]):
            status, _, err = pulse("migrate", "--to", new_postgres_url)
        assert status == 1
        assert "Another `pulse run`" in err
        with closing(open_driver(new_postgres_url)) as driver:
            assert driver.applied() == []

    def test_only_into_an_empty_one(self, pulse: Pulse, postgres_url: str, tmp_path: Path) -> None:
        for to in (f"sqlite:///{tmp_path}/other.db", postgres_url):
            with closing(open_store(to)) as store:
                person(store, "cat")
            status, _, err = pulse("migrate", "--to", to)
            assert status == 2
            assert "holds something already. Name another " in err
            assert err.endswith("with --to.\n")

    def test_to_a_server_that_is_not_there(self, pulse: Pulse, tmp_path: Path) -> None:
        status, _, err = pulse("migrate", "--to", "postgresql:///none?host=/nowhere")
        assert status == 1
        assert "its address (storage.url, or what --to names) is right" in err

    def test_not_to_itself(self, pulse: Pulse) -> None:
        status, _, err = pulse("migrate", "--to", "sqlite:///pulse.db")
        assert status == 2
        assert "names the database that storage.url names" in err

    def test_a_password_is_not_shown(self, pulse: Pulse, new_postgres_url: str) -> None:
        wrong = new_postgres_url.replace("postgres@", "nobody:Quixotic-secret@")
        status, _, err = pulse("migrate", "--to", wrong)
        assert status == 1
        assert "cannot be reached" in err
