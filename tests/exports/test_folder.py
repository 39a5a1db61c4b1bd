"""The folder: whole, or as it was."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from dialogues.errors import UserError
from storage.exports import export as exporting
from tests.exports.conftest import Export, Seeds, make_survey

TABLES = [
    "answers",
    "codes",
    "responses",
    "invitations",
    "dispositions",
    "samples",
    "reviews",
]
OTHERS = ["README.md", "codebook.json", "codebook.md"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(seeds: Seeds) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", "words")


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_an_empty_database_gives_whole_empty_files(
    export: Export, tmp_path: Path, format_name: str
) -> None:
    exported = export(format_name)
    assert names(export.folder) == sorted([f"{one}.{format_name}" for one in TABLES] + OTHERS)
    assert [one.rows for one in exported.files] == [*(0 for _ in TABLES), None, None, None]
    lines = 1 if format_name == "csv" else 0
    for table in TABLES:
        assert len(export.page(f"{table}.{format_name}").splitlines()) == lines
    assert names(tmp_path) == ["out"]


def test_missing_parents_are_made(seeds: Seeds, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    Export(seeds, folder)()
    assert (folder / "answers.csv").is_file()


def test_checksums_are_those_of_the_files(seeds: Seeds, export: Export) -> None:
    fill(seeds)
    exported = export()
    for file in exported.files:
        digest = hashlib.sha256((export.folder / file.name).read_bytes()).hexdigest()
        assert digest == file.sha256
        if file.name != "README.md":
            assert f"| `{file.name}` | `{digest}` |" in export.page("README.md")
    assert {one["file"]: one["sha256"] for one in export.book()["files"]} == {
        file.name: file.sha256 for file in exported.files if file.rows is not None
    }


def test_an_earlier_export_is_replaced(seeds: Seeds, export: Export, tmp_path: Path) -> None:
    export("jsonl")
    fill(seeds)
    export("csv")
    assert names(export.folder) == sorted([f"{one}.csv" for one in TABLES] + OTHERS)
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_may_be_used(export: Export) -> None:
    export.folder.mkdir()
    export()
    assert "answers.csv" in names(export.folder)


def test_files_of_somebody_else_are_not_written_over(export: Export) -> None:
    export()
    (export.folder / "analysis.R").write_text("my work")
    with pytest.raises(UserError, match=r"analysis\.R"):
        export()
    assert (export.folder / "analysis.R").read_text() == "my work"
    (export.folder / "codebook.json").write_text("[]")
    with pytest.raises(UserError, match="not an earlier export"):
        export()


def test_a_file_is_no_folder(export: Export) -> None:
    export.folder.write_text("a letter")
    with pytest.raises(UserError, match="is a file"):
        export()
    assert export.folder.read_text() == "a letter"


@pytest.mark.parametrize("before", [False, True])
def test_a_full_disk_leaves_nothing_half(
    seeds: Seeds, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    if before:
        export()
    old = {path.name: path.read_bytes() for path in export.folder.glob("*")}
    fill(seeds)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(exporting, "readme_page", full)
    with pytest.raises(OSError, match="No space"):
        export()
    assert {path.name: path.read_bytes() for path in export.folder.glob("*")} == old
    assert names(tmp_path) == (["out"] if before else [])


# A connection to a server cannot be shared with a child.
@pytest.mark.parametrize("seeds", ["sqlite"], indirect=True)
def test_a_killed_export_leaves_the_old_one_and_the_next_clears_up(
    seeds: Seeds, export: Export, tmp_path: Path
) -> None:
    export()
    fill(seeds)
    child = os.fork()
    if child == 0:
        export("jsonl", progress=lambda _done, _total: os._exit(9))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert export.csv("answers") == []
    assert len(names(tmp_path)) == 2
    export()
    assert len(export.csv("answers")) == 1
    assert names(tmp_path) == ["out"]


def test_one_that_is_still_at_work_is_left_alone(export: Export, tmp_path: Path) -> None:
    seen = []

    def progress(_done: int, _total: int) -> None:
        if not seen:
            seen.append(True)
            export("jsonl")
            assert len(names(tmp_path)) == 2

    export("csv", progress=progress)
    assert names(tmp_path) == ["out"]
    assert "answers.csv" in names(export.folder)


def test_the_working_folder_stays_itself(
    seeds: Seeds, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    export.folder.mkdir()
    monkeypatch.chdir(export.folder)
    inode = export.folder.stat().st_ino
    export("jsonl")
    fill(seeds)
    export("csv")
    assert names(Path()) == sorted([f"{one}.csv" for one in TABLES] + OTHERS)
    assert export.folder.stat().st_ino == inode
    assert len(export.csv("answers")) == 1


def test_a_crooked_manifest_removes_nothing_elsewhere(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = tmp_path / "letter"
    letter.write_text("mine")
    export()
    book = export.book()
    book["commonpulse_export"]["files"].append("../letter")
    (export.folder / "codebook.json").write_text(json.dumps(book))
    monkeypatch.chdir(export.folder)
    export()
    assert letter.read_text() == "mine"


def test_progress_is_heard_to_the_end(seeds: Seeds, export: Export) -> None:
    fill(seeds)
    heard: list[tuple[int, int]] = []
    export(progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (2, 2)
