"""A damaged backup is refused with a sentence, and nothing changes."""

from __future__ import annotations

import json
import random
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dialogues.errors import CommonpulseError, StoreError, UserError
from storage.backups.making import Form
from storage.backups.restoring import open_backup
from storage.copying import TableSum, sum_of
from storage.open import open_store
from storage.tables import in_order
from tests.backups.conftest import back_up, bring_back
from tests.backups.made_up import QUIET


def read(file: Path) -> list[TableSum]:
    """Verify a backup, and give what its rows come to."""
    with open_backup(file) as backup:
        backup.verify(QUIET)
        return [
            sum_of(backup.rows(table.name), table.name, backup.columns[table.name], lambda: None)
            for table in in_order(backup.columns)
        ]


def refused(file: Path, says: str) -> None:
    """It is refused, in words that help, and nothing is written."""
    target = file.with_name("refused.db")
    beside = set(file.parent.iterdir())
    with pytest.raises(CommonpulseError, match=says) as caught:
        bring_back(file, target)
    assert str(file) in str(caught.value) or "Nothing was changed" in str(caught.value)
    assert not target.exists()
    new = {path.name for path in set(file.parent.iterdir()) - beside}
    assert not new - {f"{file.name}-wal", f"{file.name}-shm"}


def test_one_that_was_cut_short(backup: Path) -> None:
    whole = backup.read_bytes()
    chance = random.Random(7)
    for length in [0, 1, 15, 16, 100, len(whole) - 1, *chance.sample(range(len(whole)), 12)]:
        backup.write_bytes(whole[:length])
        refused(backup, "damaged|no backup|not a database|complete")


def test_one_with_a_flipped_bit_gives_the_same_rows_or_none(backup: Path) -> None:
    whole = backup.read_bytes()
    before = read(backup)
    chance = random.Random(11)
    stopped = 0
    # Where something stands: most of a small database is nothing.
    places = [place for place, byte in enumerate(whole) if byte]
    for place in chance.sample(places, 100):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        backup.write_bytes(damaged)
        try:
            after = read(backup)
        except (StoreError, UserError):
            stopped += 1
        else:
            assert after == before
    assert stopped > 8


def test_one_with_another_word_in_it(backup: Path, form: Form) -> None:
    """Neither SQLite's own check nor a zip's sees that: the digest does."""
    if form == "sqlite":
        content = backup.read_bytes()
        assert content.count(b"Quixotic") > 0
        backup.write_bytes(content.replace(b"Quixotic", b"Qvixotic"))
    else:
        rewrite(backup, {"tables/answers.jsonl": lambda text: text.replace("Quix", "Qvix")})
    refused(backup, "damaged")


def rewrite(file: Path, changes: dict[str, Callable[[str], str]]) -> None:
    """Write a portable backup anew, with other content but sound as a zip."""
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name).decode() for name in old.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in members.items():
            changed = changes.get(name, str)(text)
            if changed != "(gone)":
                new.writestr(name, changed)


def change_manifest(file: Path, form: Form, change: Callable[[Any], object]) -> None:
    """Let a backup say another thing of itself."""

    def changed(text: str) -> str:
        data = json.loads(text)
        instead = change(data)
        return json.dumps(data if instead is None else instead)

    if form == "portable":
        rewrite(file, {"manifest.json": changed})
        return
    with closing(sqlite3.connect(file)) as conn, conn:
        [text] = conn.execute("select manifest from _backup").fetchone()
        conn.execute("update _backup set manifest = ?", [changed(text)])


CHANGES: list[Callable[[Any], object]] = [
    lambda m: m["tables"][2].update(rows=m["tables"][2]["rows"] + 1),
    lambda m: m["tables"][2].update(rows=-1),
    lambda m: m["tables"][2].update(rows="2"),
    lambda m: m["tables"][2].update(digest="0" * 32),
    lambda m: m["tables"][2].update(digest="no digest"),
    lambda m: m["tables"][2].update(columns=["respondent_id"]),
    lambda m: m["tables"][2].update(columns=["x; drop table answers"]),
    lambda m: m["tables"][2].update(name="answers; drop table answers"),
    lambda m: m["tables"].append(m["tables"][2]),
    lambda m: m["tables"].clear(),
    lambda m: m.update(format="commonpulse-backup/2"),
    lambda m: m.update(made_at="yesterday"),
    lambda m: m.update(counters=[]),
    lambda m: {key: value for key, value in m.items() if key != "migrations"},
    lambda m: m.update(migrations=[]),
    lambda m: m.update(migrations=["nonsense"]),
    lambda m: m.update(tables=7),
    lambda _: [],
    lambda _: 7,
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_one_whose_manifest_is_wrong(backup: Path, form: Form, number: int) -> None:
    change_manifest(backup, form, CHANGES[number])
    refused(backup, "damaged|no backup|complete|cannot be copied")


def test_one_whose_table_is_missing(url: str, tmp_path: Path) -> None:
    file = back_up(url, tmp_path / "b.zip", "portable")
    rewrite(file, {"tables/answers.jsonl": lambda _: "(gone)"})
    refused(file, "damaged")


def test_one_without_a_manifest(url: str, tmp_path: Path) -> None:
    file = back_up(url, tmp_path / "b.zip", "portable")
    rewrite(file, {"manifest.json": lambda _: "(gone)"})
    refused(file, "damaged")


def test_one_whose_rows_break_a_reference(url: str, tmp_path: Path) -> None:
    """A sound file of rows that no database would have held."""
    with closing(open_store(url)) as store:
        store._driver.db.conn.execute("pragma foreign_keys = off")
        store._driver.run("delete from answers", {})
    copy = tmp_path / "copy.db"
    with closing(open_store(url)) as store:
        store._driver.run("vacuum into :path", {"path": str(copy)})
    refused(copy, "damaged")


def test_one_of_a_newer_version(backup: Path, form: Form) -> None:
    if form == "sqlite":
        with closing(sqlite3.connect(backup)) as conn, conn:
            conn.execute(
                "insert into _sqlite_migrations (migration_set, name, applied_at)"
                " values ('commonpulse', '9999_more', '')"
            )
    change_manifest(backup, form, lambda m: m["migrations"].append("9999_more"))
    refused(backup, r"newer version of Commonpulse \(9999_more\); install")


def test_what_is_no_backup(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("these are my notes, and they are quite long\n" * 100)
    refused(notes, "no backup")
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("manifest.json", '{"name": "an extension of a browser"}')
    refused(archive, "no backup")
    songs = tmp_path / "songs.db"
    with closing(sqlite3.connect(songs)) as conn, conn:
        conn.execute("create table songs (title)")
    refused(songs, "no backup")


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing\.db cannot be read \(No such file"):
        bring_back(tmp_path / "missing.db", tmp_path / "new.db")
    with pytest.raises(UserError, match="cannot be read"):
        bring_back(tmp_path, tmp_path / "new.db")


def test_one_by_pg_dump_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    dump = tmp_path / "backup.dump"
    dump.write_bytes(b"PGDMP\x01\x0f\x00 and so on")
    with pytest.raises(StoreError, match="pg_restore is not installed here"):
        bring_back(dump, tmp_path / "new.db")


def test_a_damaged_database_is_not_backed_up(url: str, tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    content = path.read_bytes()
    assert b"Quixotic" in content
    # A sign that is none, in the middle of somebody's words.
    path.write_bytes(content.replace(b"Quixotic", b"Quix\xfftic"))
    with pytest.raises(StoreError, match="damaged") as caught:
        back_up(url, tmp_path / "backup.db")
    assert "Quix" not in str(caught.value)
    assert not (tmp_path / "backup.db").exists()
