"""What goes into a backup comes out of it, whatever it is."""

from __future__ import annotations

import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.errors import UserError
from storage.backups.making import ENDINGS, Form
from storage.backups.restoring import open_backup
from storage.open import open_store
from storage.sqlite import SqliteDriver
from tests.backups.conftest import AT, back_up, bring_back
from tests.backups.made_up import QUIET, Rows, content, databases, holds, put


@settings(max_examples=15, deadline=None)
@given(rows=databases(), form=st.sampled_from(["sqlite", "portable"]))
def test_any_database_comes_back_as_it_was(rows: Rows, form: Form) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/pulse.db"
        with closing(open_store(url)) as store:
            put(store._driver, rows)
            before = content(store._driver)
        file = back_up(url, folder / f"backup{ENDINGS[form]}", form)
        restored = bring_back(file, folder / "new.db")
        with closing(open_store(f"sqlite:///{folder}/new.db")) as store:
            assert content(store._driver) == before
        assert {table.name: table.rows for table in restored.tables} == {
            name: len(of) for name, of in before.items()
        }
        assert holds(f"sqlite:///{folder}/new.db") == holds(url)


def test_the_program_goes_on_from_there(backup: Path, tmp_path: Path) -> None:
    bring_back(backup, tmp_path / "new.db")
    with closing(open_store(f"sqlite:///{tmp_path}/new.db")) as store:
        # The same event is known, so the salt is the same.
        assert not store.take_event("event-of-ann", on=AT.date())
        assert store.respondent("ann") is not None


def test_a_number_is_not_given_twice(url: str, form: Form, tmp_path: Path) -> None:
    with closing(open_store(url)) as store:
        last = store._driver.one("select max(outbox_id) as n from outbox", {})["n"]
        store._driver.run("delete from outbox where outbox_id > 1", {})
    file = back_up(url, tmp_path / f"late{ENDINGS[form]}", form)
    bring_back(file, tmp_path / "new.db")
    with closing(open_store(f"sqlite:///{tmp_path}/new.db")) as store:
        ann = store.respondent("ann")
        store.say(ann, [], at=AT)
        store._driver.run(
            "insert into outbox (respondent_id, channel, turn, lane, state, due_at)"
            " values ('ann', 'telegram', 0, 0, 'pending', '')",
            {},
        )
        assert store._driver.one("select max(outbox_id) as n from outbox", {})["n"] == last + 1


def test_a_backup_is_for_its_owners_eyes_and_one_file(
    backup: Path, url: str, tmp_path: Path, form: Form
) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    beside = {path.name for path in tmp_path.iterdir()}
    assert not {name for name in beside if name.startswith((".", f"{backup.name}-"))}
    if form == "sqlite":
        assert backup.read_bytes()[18:20] == b"\1\1", "it would need a log beside it"
    with open_backup(backup) as opened:
        assert opened.manifest.made_at == AT
        assert opened.manifest.program == "0.1.0"
        assert opened.manifest.engine == "sqlite"
        assert opened.manifest.rows == sum(table.rows for table in holds(url))


def test_a_folder_for_backups_is_closed_to_others(url: str, tmp_path: Path) -> None:
    file = back_up(url, tmp_path / "a" / "b" / "backup.db")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_nothing_is_written_over(backup: Path, url: str, form: Form) -> None:
    before = backup.read_bytes()
    with pytest.raises(UserError, match="is there already"):
        back_up(url, backup, form)
    assert backup.read_bytes() == before


def test_a_mere_copy_of_the_file_will_do(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(open_store(url)) as store:
        store._driver.run("vacuum into :path", {"path": str(copy)})
    restored = bring_back(copy, tmp_path / "new.db")
    assert restored.manifest is None
    assert holds(f"sqlite:///{tmp_path}/new.db") == holds(url)


def test_a_backup_by_sqlite_can_be_put_in_place_by_hand(url: str, tmp_path: Path) -> None:
    file = back_up(url, tmp_path / "backup.db")
    assert holds(f"sqlite:///{file}") == holds(url)


def test_rows_lie_in_the_order_of_their_keys(url: str, tmp_path: Path) -> None:
    """The order in which rows came would join an anonymous response to its person."""
    with closing(open_store(url)) as store:
        for key in ("zz", "aa", "mm"):
            store._driver.run(
                "insert into responses (response_id, survey_id, revision, channel, role,"
                " language, started_at, disposition) values (:key, '', '', '', '', '', '', '')",
                {"key": key},
            )
    file = back_up(url, tmp_path / "backup.zip", "portable")
    with open_backup(file) as backup:
        place = backup.columns["responses"].index("response_id")
        keys = [row[place] for row in backup.rows("responses")]
    assert keys == sorted(keys)
    assert {"zz", "aa", "mm"} < set(keys)


def test_bringing_back_gives_one_more_state_to_compare(backup: Path) -> None:
    """Verifying twice reads the same twice."""
    with open_backup(backup) as opened:
        opened.verify(QUIET)
        opened.verify(QUIET)


def test_a_reader_leaves_a_backup_as_it_is(url: str, tmp_path: Path) -> None:
    file = back_up(url, tmp_path / "backup.db")
    before = file.read_bytes()
    with open_backup(file) as opened:
        opened.verify(QUIET)
    assert file.read_bytes() == before
    with closing(SqliteDriver(file, readonly=True)) as driver:
        assert driver.applied()
