"""Backups amid writing, kills and full disks: whole, or not there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from dialogues.errors import StoreAway
from storage.backups.making import ENDINGS, Form, make_backup
from storage.moving import move_all
from storage.open import open_driver, open_store
from tests.backups.child import REFUSED
from tests.backups.conftest import AT, back_up, bring_back
from tests.backups.made_up import QUIET, holds
from tests.contract.scenes import person, rows
from tests.postgres import Server

DONE = (0, "")
KILLED = (-signal.SIGKILL, "")


Child = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Does a job in a process of its own; see ``child.py``. Gives how it ended, and its words."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.backups.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def do(*words: str | Path) -> tuple[int, str]:
            process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
            process.stdin.flush()
            code, said = json.loads(process.stdout.readline())
            return code, said

        yield do
        process.stdin.close()


def names(folder: Path) -> set[str]:
    """What lies in a folder, but for the log of a database that is in use."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


class Hammer(threading.Thread):
    """Writes one transaction after another, each of one person in three tables."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._ending = threading.Event()
        self.done = 0
        self.moved = threading.Condition()

    def run(self) -> None:
        store = open_store(self._url)
        while not self._ending.is_set():
            name = f"q{self.done:06}"
            with store.transaction():
                person(store, name)
                store.join(name, "hammered", on=AT.date())
            with self.moved:
                self.done += 1
                self.moved.notify_all()
        store.close()

    def wait_for_more(self) -> None:
        """Wait until something more is committed."""
        with self.moved:
            before = self.done
            assert self.moved.wait_for(lambda: self.done > before, timeout=30)

    def stop(self) -> None:
        self._ending.set()
        self.join()


def test_a_transaction_is_in_it_whole_or_not_at_all(url: str, form: Form, tmp_path: Path) -> None:
    with closing(open_store(url)) as store, store.transaction():
        # Enough pages that copying takes several steps.
        for number in range(3000):
            person(store, f"p{number:05}")
    hammer = Hammer(url)
    hammer.start()
    hammer.wait_for_more()
    counts: list[int] = []

    def progress(*_: object) -> None:
        counts.append(hammer.done)
        hammer.wait_for_more()

    try:
        before = hammer.done
        made = make_backup(
            url,
            tmp_path / f"b{ENDINGS[form]}",
            form=form,
            at=AT,
            program="0.1.0",
            progress=progress,
        )
    finally:
        hammer.stop()
    assert counts[-1] > counts[0] + 3
    bring_back(made.path, tmp_path / "new.db")
    with closing(open_store(f"sqlite:///{tmp_path}/new.db")) as store:
        people = {row["respondent_id"] for row in rows(store, "respondents")}
        members = {row["respondent_id"] for row in rows(store, "memberships")}
        addresses = {row["respondent_id"] for row in rows(store, "addresses")}
    hammered = {name for name in people if name.startswith("q")}
    assert hammered == {name for name in members if name.startswith("q")}
    assert people == addresses
    # It is the state of the beginning: nothing of what came during it, and no gap.
    assert before <= len(hammered) <= counts[0] + 1
    assert sorted(hammered) == [f"q{number:06}" for number in range(len(hammered))]


def at_moments(*always: int, more: Sequence[int]) -> pytest.MarkDecorator:
    """Kill at each of these moments; the further ones are for `make soak`."""
    later = [pytest.param(moment, marks=pytest.mark.soak) for moment in more]
    return pytest.mark.parametrize("moment", [*always, *later])


@at_moments(1, 25, 58, more=[7, 40, 50])
def test_killed_midway_there_is_no_backup_and_the_next_one_clears_up(
    child: Child, url: str, form: Form, tmp_path: Path, moment: int
) -> None:
    folder = tmp_path / "backups"
    file = folder / f"b{ENDINGS[form]}"
    assert child("backup", url, form, file, "kill", str(moment)) == KILLED
    assert [name for name in names(folder) if not name.startswith(".")] == []
    assert holds(url)
    back_up(url, file, form)
    assert names(folder) == {file.name}


@at_moments(1, 31, 60, more=[12, 29, 45])
def test_killed_while_it_is_brought_back_all_is_as_it_was(
    child: Child, url: str, backup: Path, tmp_path: Path, moment: int
) -> None:
    with closing(open_store(url)) as store:
        person(store, "cat")
    before = holds(url)
    assert child("restore", backup, url, "kill", str(moment)) == KILLED
    assert holds(url) == before
    restored = bring_back(backup, tmp_path / "pulse.db", replace=True)
    assert holds(url) == list(restored.tables)
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_killed_while_it_is_moved_there_is_always_a_database(
    child: Child, url: str, backup: Path, tmp_path: Path
) -> None:
    with closing(open_store(url)) as store:
        person(store, "cat")
    before = holds(url)
    ends = []
    for moment in range(1, 9):
        done = child("restore", backup, url, "kill-moving", str(moment))
        if done == DONE:
            break
        assert done == KILLED
        ends.append(holds(url) == before)
        for kept in tmp_path.glob("pulse.db.before*"):
            kept.unlink()
    assert done == DONE
    # The earlier one is linked to its other name, then the new one takes its place.
    assert ends == [True, True]
    assert holds(url) != before


def test_a_full_disk_leaves_no_backup(child: Child, url: str, form: Form, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    file = folder / f"b{ENDINGS[form]}"
    limits = {"sqlite": [0, 4096, 50_000, 150_000], "portable": [0, 1000, 5000]}
    for limit in limits[form]:
        # The index of the log is 32 kB, and reading needs it.
        before = holds(url)
        code, said = child("backup", url, form, file, "full", str(limit))
        assert code == REFUSED
        assert "writ" in said or "full" in said
        assert not folder.exists() or names(folder) == set()
        assert holds(url) == before
    assert child("backup", url, form, file, "full", "10000000") == DONE


def test_a_full_disk_changes_nothing_of_what_is_there(
    child: Child, url: str, backup: Path, tmp_path: Path
) -> None:
    with closing(open_store(url)) as store:
        person(store, "cat")
    before, beside = holds(url), names(tmp_path)
    for limit in [33_000, 80_000, 140_000]:
        code, _ = child("restore", backup, url, "full", str(limit))
        assert code == REFUSED
        assert holds(url) == before
        assert names(tmp_path) == beside


def test_it_is_on_the_disk_before_it_gets_its_name(
    url: str, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def noting(path: Path) -> None:
        seen.append(f"sync {path.name}")

    monkeypatch.setattr("storage.backups.place.sync", noting)
    rename = Path.rename

    def renaming(path: Path, target: Path) -> Path:
        seen.append(f"rename {path.name}")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renaming)
    file = back_up(url, tmp_path / "backups" / "b", form)
    assert seen == ["sync b", "sync b", "rename b", f"sync {file.parent.name}"]


@at_moments(1, 33, more=[20, 31, 45, 61])
def test_killed_while_everything_moves_nothing_is_there(
    child: Child, url: str, new_postgres_url: str, moment: int
) -> None:
    before = holds(url)
    assert child("move", url, new_postgres_url, "kill", str(moment)) == KILLED
    with closing(open_driver(new_postgres_url)) as driver:
        assert driver.all("select 1 from pg_tables where schemaname = 'public'", {}) == []
    assert child("move", url, new_postgres_url, "kill", "0") == DONE
    assert holds(new_postgres_url) == holds(url) == before


@at_moments(31, more=[5, 50])
def test_killed_while_it_is_brought_back_to_postgresql_all_is_as_it_was(
    child: Child, backup: Path, new_postgres_url: str, moment: int
) -> None:
    with closing(open_store(new_postgres_url)) as store:
        person(store, "cat")
    before = holds(new_postgres_url)
    assert child("restore", backup, new_postgres_url, "kill", str(moment)) == KILLED
    assert holds(new_postgres_url) == before
    assert child("restore", backup, new_postgres_url, "kill", "0") == DONE
    assert holds(new_postgres_url) != before


def test_a_connection_that_is_cut_midway_leaves_nothing(
    url: str, new_postgres_url: str, postgres: Server
) -> None:
    def cutting(what: str, done: int, total: int) -> None:
        if what == "comparing":
            postgres.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'fresh'"
            )

    before = holds(url)
    with pytest.raises(StoreAway):
        move_all(url, new_postgres_url, name="it", at=AT, progress=cutting)
    with closing(open_driver(new_postgres_url)) as driver:
        assert driver.applied() == []
    assert move_all(url, new_postgres_url, name="it", at=AT, progress=QUIET) == before
