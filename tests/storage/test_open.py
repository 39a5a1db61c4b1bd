"""Opening a database: what is wrong is said in a sentence that helps."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dialogues.errors import StoreBusy, StoreError, StoreFull
from storage.open import open_reader, open_store
from storage.sqlite import SqliteDriver
from tests.contract.scenes import AT, consented, person, rows


def pragma(driver: object, name: str) -> object:
    assert isinstance(driver, SqliteDriver)
    row = driver.one(f"pragma {name}", {})
    assert row is not None
    return row[row.keys()[0]]


def test_it_is_set_to_be_durable_and_forgetful(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/pulse.db")
    settings = ["journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout"]
    assert [pragma(store._driver, name) for name in settings] == ["wal", 2, 1, 1, 5000]
    store.close()


def test_a_path_may_be_relative_absolute_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///here.db").close()
    open_store(f"sqlite:///{tmp_path / 'there.db'}").close()
    for url in ["sqlite://", "sqlite:///:memory:"]:
        open_store(url).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.db", "there.db"]


def test_what_is_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pulse.db"
    store = open_store(url)
    ann = person(store)
    store.take_event("e", on=AT.date())
    store.close()
    again = open_store(url)
    assert again.respondent("ann") == ann
    # The salt too is the same one.
    assert not again.take_event("e", on=AT.date())
    again.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me@host/pulse", "postgresql://USER@HOST/NAME"),
        ("pulse.db", "sqlite:///FILE"),
        ("", "sqlite:///FILE"),
        ("sqlite://pulse.db", "sqlite:///pulse.db"),
    ],
)
def test_an_address_that_is_none(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        open_store(url)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing; make it"):
        open_store(f"sqlite:///{tmp_path}/no/pulse.db")


def test_a_folder_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, and they are quite long\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"notes\.txt is not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("create table songs (title)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:///{path}")


def test_a_database_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pulse.db"
    open_store(f"sqlite:///{path}").close()
    # Rights do not bind the root user, whom tests may run as.
    monkeypatch.setattr("storage.sqlite.os.access", lambda *_: False)
    with pytest.raises(StoreFull, match="may not be written"):
        open_store(f"sqlite:///{path}")


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    store = open_store(f"sqlite:///{path}")
    for number in range(300):
        person(store, f"p{number}")
    store.scrub_due = True
    store.scrub()
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        open_store(f"sqlite:///{path}").respondent("p1")


class TestReader:
    """A second connection, for long reading beside a running bot."""

    def test_it_reads_one_state_while_the_writer_goes_on(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/pulse.db"
        store = open_store(url)
        for number in range(300):
            person(store, f"p{number:03}")
        reader = open_reader(url)
        found = reader.read("members", cohort="riverside", after="", limit=9, roles="")
        assert list(found) == []
        for number in range(300):
            store.join(f"p{number:03}", "riverside", on=AT.date())
        with reader.transaction():
            found = reader.read("members", cohort="riverside", after="", limit=999, roles="")
            first = next(found)
            # The writer does not wait, though the reader is in the middle of its rows.
            store.leave("p299", "riverside", at=AT)
            person(store, "bob")
            assert [first, *found][-1]["respondent_id"] == "p299"
        assert len(reader.members("riverside", roles=[], limit=999)) == 299
        reader.close()
        store.close()

    def test_it_writes_nothing(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/pulse.db"
        store = open_store(url)
        ann = person(store)
        reader = open_reader(url)
        with pytest.raises(StoreFull):
            consented(reader, ann)
        assert rows(store, "sessions") == []
        reader.close()
        store.close()

    def test_there_has_to_be_something_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="no database"):
            open_reader(f"sqlite:///{tmp_path}/pulse.db")
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(StoreError, match="memory"):
            open_reader("sqlite://")


def test_a_lock_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    open_store(f"sqlite:///{path}").close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    driver = SqliteDriver(path, busy_seconds=0.01)
    with pytest.raises(StoreBusy, match="locked"):
        driver.run("delete from waves", {})
    with pytest.raises(StoreBusy), driver.transaction():
        pytest.fail("it has no right to write")
    other.close()
    driver.run("delete from waves", {})
    driver.close()
