"""Bringing a backup back in place of a database: all or nothing, and undoing no erasure."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dialogues.errors import StoreBusy, StoreError, UserError
from dialogues.prompts import Prompt
from storage.backups.making import Form
from storage.backups.restoring import Backup, open_backup
from storage.copying import TableSum
from storage.filling import fill_sqlite
from storage.open import open_reader, open_store
from storage.protocol import Address, Receipt
from tests.backups.conftest import AT, back_up, bring_back
from tests.backups.made_up import QUIET, content, holds
from tests.contract.scenes import MUCH_LATER, claim, person, rows

KEPT = "pulse.db.before-20261202T030405Z"


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


class TestMakingRoom:
    """What stands where the backup is to go."""

    def test_what_holds_something_is_left_alone(self, backup: Path, url: str) -> None:
        path = backup.with_name("pulse.db")
        before, beside = holds(url), names(path.parent)
        with pytest.raises(UserError, match=r"holds something already.*--replace"):
            bring_back(backup, path)
        assert holds(url) == before
        assert names(path.parent) == beside

    def test_it_is_put_aside_when_that_is_asked(self, backup: Path, url: str) -> None:
        path = backup.with_name("pulse.db")
        in_backup = holds(url)
        with closing(open_store(url)) as store:
            person(store, "cat")
        before = holds(url)
        restored = bring_back(backup, path, replace=True)
        assert restored.kept == str(path.with_name(KEPT))
        assert holds(url) == in_backup
        assert holds(f"sqlite:///{restored.kept}") == before

    def test_one_that_nobody_used_yet_is_room(self, backup: Path, tmp_path: Path) -> None:
        new = tmp_path / "new.db"
        open_store(f"sqlite:///{new}").close()
        restored = bring_back(backup, new)
        assert restored.kept == ""
        assert holds(f"sqlite:///{new}") == list(restored.tables)

    def test_an_empty_file_is_room(self, backup: Path, tmp_path: Path) -> None:
        new = tmp_path / "new.db"
        new.touch()
        assert bring_back(backup, new).kept == ""

    def test_a_database_of_another_program_is_left_alone(
        self, backup: Path, tmp_path: Path
    ) -> None:
        songs = tmp_path / "songs.db"
        with closing(sqlite3.connect(songs)) as conn, conn:
            conn.execute("create table songs (title)")
        before = songs.read_bytes()
        for replace in (False, True):
            with pytest.raises(UserError, match="database of another program"):
                bring_back(backup, songs, replace=replace)
        assert songs.read_bytes() == before

    def test_a_folder_that_is_missing_is_said(self, backup: Path, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="is missing; make it"):
            bring_back(backup, tmp_path / "no" / "new.db")
        with pytest.raises(StoreError, match="is a folder"):
            bring_back(backup, tmp_path)

    def test_a_log_without_its_database_is_not_taken_for_ours(
        self, backup: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "new.db-wal").write_bytes(b"pages of another time")
        with pytest.raises(UserError, match=r"new\.db-wal is the log"):
            bring_back(backup, tmp_path / "new.db")

    def test_one_that_somebody_reads_is_left_alone(self, backup: Path, url: str) -> None:
        path = backup.with_name("pulse.db")
        before = holds(url)
        with closing(open_reader(url)) as reader:
            list(reader.read("kept_surveys"))
            with pytest.raises(StoreBusy, match="open in another program"):
                bring_back(backup, path, replace=True)
        assert holds(url) == before
        assert not path.with_name(KEPT).exists()

    @pytest.mark.parametrize("how", ["cut", "nonsense"])
    def test_a_damaged_one_makes_room_and_is_kept(self, backup: Path, url: str, how: str) -> None:
        path = backup.with_name("pulse.db")
        whole = path.read_bytes()
        damaged = whole[:5000] if how == "cut" else b"\xa5" * len(whole)
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"cannot be read.*--replace"):
            bring_back(backup, path)
        restored = bring_back(backup, path, replace=True)
        assert restored.unreadable
        assert restored.carried is None
        assert Path(restored.kept).read_bytes() == damaged
        assert holds(url) == list(restored.tables)

    def test_what_fails_leaves_all_as_it_was(self, backup: Path, url: str) -> None:
        path = backup.with_name("pulse.db")
        before, beside = holds(url), names(path.parent)

        def failing(opened: Backup) -> None:
            with fill_sqlite(path, replace=True, at=AT) as filling:
                filling.driver.migrate(opened.migrations)
                raise ZeroDivisionError

        with open_backup(backup) as opened, pytest.raises(ZeroDivisionError):
            failing(opened)
        assert holds(url) == before
        assert names(path.parent) == beside


class TestCarryingOver:
    """What the earlier database knows better."""

    @pytest.fixture
    def later(self, backup: Path, url: str) -> Path:
        """The backup; since it was made Ann asked to be forgotten and Bob said stop."""
        with closing(open_store(url)) as store, store.transaction():
            store.erase(
                "ann",
                at=MUCH_LATER,
                erasure_id="e-of-ann",
                actor="chat",
                farewell=Prompt(text="Gone."),
                leaving_id="leaving",
            )
            store.opt_out("bob", at=MUCH_LATER)
        return backup

    def test_who_was_erased_since_is_erased_again(self, later: Path, url: str) -> None:
        restored = bring_back(later, later.with_name("pulse.db"), replace=True)
        assert restored.carried.related
        assert restored.carried.erased == 1
        with closing(open_store(url)) as store:
            assert store.respondent("ann") is None
            assert store.is_suppressed("telegram", "id-of-ann")
            assert {row["respondent_id"] for row in rows(store, "responses")} == {"bob"}
            actors = {row["actor"]: row["n_responses"] for row in rows(store, "erasures")}
            assert actors == {"chat": 1, "restore": 1}
            held = str(content(store._driver))
        assert "Quixotic" not in held
        assert "id-of-ann" not in held
        assert b"Quixotic" not in later.with_name("pulse.db").read_bytes()

    def test_who_said_stop_since_is_not_written_to(self, later: Path, url: str) -> None:
        restored = bring_back(later, later.with_name("pulse.db"), replace=True)
        assert restored.carried.stopped == 1
        with closing(open_store(url)) as store:
            assert store.respondent("bob").opted_out
            [bob] = [row for row in rows(store, "respondents") if row["respondent_id"] == "bob"]
            assert bob["opted_out_at"].startswith("2026-12-01T11:30")

    def test_who_came_back_since_is_a_new_person(self, later: Path, url: str) -> None:
        with closing(open_store(url)) as store:
            store.welcome(
                Address(channel="telegram", platform_id="id-of-ann", chat="chat-of-ann"),
                respondent_id="ann-again",
                role="citizen",
                language=None,
                on=AT.date(),
            )
        restored = bring_back(later, later.with_name("pulse.db"), replace=True)
        assert restored.carried.erased == 1
        with closing(open_store(url)) as store:
            assert store.respondent("ann") is None
            assert not store.is_suppressed("telegram", "id-of-ann")

    def test_who_is_on_the_way_out_is_out(self, url: str, form: Form, tmp_path: Path) -> None:
        """The backup was made when only the last word was still to be said."""
        with closing(open_store(url)) as store, store.transaction():
            store.erase(
                "ann",
                at=MUCH_LATER,
                erasure_id="e",
                actor="chat",
                farewell=Prompt(text="Gone."),
                leaving_id="leaving",
            )
        file = back_up(url, tmp_path / "b", form)
        with closing(open_store(url)) as store, store.transaction():
            said = [one for one in claim(store) if one.respondent_id == "leaving"]
            store.settle(
                [Receipt(outbox_id=one.outbox_id, outcome="sent", position="9") for one in said],
                now=MUCH_LATER,
            )
        bring_back(file, tmp_path / "pulse.db", replace=True)
        with closing(open_store(url)) as store:
            assert {row["respondent_id"] for row in rows(store, "addresses")} == {"bob"}
            assert "leaving" not in {row["respondent_id"] for row in rows(store, "outbox")}

    def test_what_was_sent_since_is_not_sent_again(self, backup: Path, url: str) -> None:
        with closing(open_store(url)) as store, store.transaction():
            [first, second] = claim(store)
            store.settle(
                [
                    Receipt(outbox_id=first.outbox_id, outcome="sent", position="77"),
                    Receipt(outbox_id=second.outbox_id, outcome="dead", error="forbidden"),
                ],
                now=MUCH_LATER,
            )
            waiting = {one["outbox_id"] for one in rows(store, "outbox")} - {
                first.outbox_id,
                second.outbox_id,
            }
        restored = bring_back(backup, backup.with_name("pulse.db"), replace=True)
        assert restored.waiting == len(waiting)
        with closing(open_store(url)) as store:
            left = {row["outbox_id"]: row for row in rows(store, "outbox")}
            assert {i for i, row in left.items() if row["state"] == "pending"} == waiting
            assert left[first.outbox_id]["position"] == "77"
            assert left[first.outbox_id]["body"] is None
            assert left[second.outbox_id]["state"] == "dead"
        assert restored.carried.settled == 4 - len(waiting)

    def test_a_stranger_tells_nothing(self, backup: Path, tmp_path: Path) -> None:
        other = f"sqlite:///{tmp_path}/other.db"
        with closing(open_store(other)) as store:
            person(store, "cat")
            store.opt_out("cat", at=AT)
        restored = bring_back(backup, tmp_path / "other.db", replace=True)
        assert not restored.carried.related
        assert holds(other) == list(restored.tables)

    def test_nothing_to_put_right_changes_nothing(self, backup: Path, url: str) -> None:
        before = holds(url)
        restored = bring_back(backup, backup.with_name("pulse.db"), replace=True)
        assert (restored.carried.erased, restored.carried.stopped) == (0, 0)
        assert restored.carried.settled == 0
        assert holds(url) == before

    def test_many_people_are_gone_through(self, url: str, form: Form, tmp_path: Path) -> None:
        everybody = [f"p{number:04}" for number in range(1203)]
        with closing(open_store(url)) as store, store.transaction():
            for name in everybody:
                person(store, name)
        file = back_up(url, tmp_path / "b", form)
        with closing(open_store(url)) as store, store.transaction():
            for name in everybody[::3]:
                store.erase(name, at=AT, erasure_id=name, actor="x", farewell=None, leaving_id="")
            for name in everybody[1::3]:
                store.opt_out(name, at=AT)
        restored = bring_back(file, tmp_path / "pulse.db", replace=True)
        assert (restored.carried.erased, restored.carried.stopped) == (401, 401)
        with closing(open_store(url)) as store:
            left = {row["respondent_id"] for row in rows(store, "respondents")}
        assert left == {"ann", "bob", *everybody[1::3], *everybody[2::3]}


def test_what_waited_can_be_dropped(backup: Path, tmp_path: Path) -> None:
    assert bring_back(backup, tmp_path / "a.db").waiting == 4
    restored = bring_back(backup, tmp_path / "b.db", drop=True)
    assert (restored.waiting, restored.dropped) == (0, 4)
    with closing(open_store(f"sqlite:///{tmp_path}/b.db")) as store:
        assert claim(store) == []


def test_tables_are_compared_one_by_one(backup: Path, tmp_path: Path) -> None:
    restored = bring_back(backup, tmp_path / "new.db")
    with open_backup(backup) as opened:
        opened.verify(QUIET)
        expected: tuple[TableSum, ...] = opened.manifest.tables
    assert restored.tables == expected
