"""The command: what it says, its exit status, and one moment in all files."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.__main__ import main
from storage.exports import export as exporting
from tests.exports.conftest import Seeds, make_survey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pulse.db"
    seeds = Seeds(f"sqlite:///{path}")
    survey = seeds.survey(make_survey())
    for at in range(3):
        seeds.response(survey, f"r{at}")
        seeds.answer(survey, f"r{at}", "goals_why", "words")
        seeds.coding(f"r{at}", "goals_why", "words")
    seeds.store.close()
    monkeypatch.chdir(tmp_path)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def run(database: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def run_export(*arguments: str) -> Ended:
        # A context of its own: the command remembers its --config there.
        status = copy_context().run(main, ["export", *arguments])
        said = capsys.readouterr()
        return Ended(status=status, out=said.out, err=said.err)

    return run_export


def test_it_says_what_it_wrote(database: Path, run: Callable[..., Ended]) -> None:
    result = run("--out", "study/files")
    assert result.status == 0, result.err
    assert f"Written to {database.parent / 'study/files'}:" in result.out
    assert "answers.csv               3 rows" in result.out
    assert (database.parent / "study/files/answers.csv").is_file()


def test_a_program_can_read_it(database: Path, run: Callable[..., Ended]) -> None:
    printed = json.loads(run("--out", "files", "--format", "jsonl", "--json").out)
    assert printed["folder"] == str(database.parent / "files")
    rows = {one["file"]: one["rows"] for one in printed["files"]}
    assert rows["answers.jsonl"] == rows["codes.jsonl"] == rows["responses.jsonl"] == 3
    assert rows["README.md"] is None
    assert all(len(one["sha256"]) == 64 for one in printed["files"])


def test_the_enablers_have_the_strands_of_our_codeframe(
    database: Path, run: Callable[..., Ended]
) -> None:
    run("--out", "files", "--format", "jsonl")
    rows = (database.parent / "files/codes.jsonl").read_text().splitlines()
    assert {json.loads(row)["strand"] for row in rows} == {"alignment"}


def test_the_configuration_names_the_database(database: Path, run: Callable[..., Ended]) -> None:
    shutil.move(database, database.with_name("other.db"))
    config = database.with_name("study.toml")
    config.write_text('[storage]\nurl = "sqlite:///other.db"\n')
    assert run("--out", "files", "--config", str(config)).status == 0


def test_filters_pass_through(database: Path, run: Callable[..., Ended]) -> None:
    assert run("--out", "files", "--survey", "pulse").status == 0
    result = run("--out", "others", "--wave", "never")
    assert (result.status, result.out) == (2, "")
    assert "There is no wave never here" in result.err


@pytest.mark.parametrize("name", ["xlsx", "sav", "CSV", ""])
def test_a_format_that_is_not_offered_is_wrong_input(
    database: Path, run: Callable[..., Ended], name: str
) -> None:
    result = run("--out", "files", "--format", name)
    assert result.status == 2
    assert "choose csv or jsonl" in result.err
    assert not (database.parent / "files").exists()


def test_no_database_is_said_and_not_made(database: Path, run: Callable[..., Ended]) -> None:
    database.unlink()
    result = run("--out", "files")
    assert (result.status, "There is no database" in result.err) == (1, True)
    assert not database.exists()
    assert not (database.parent / "files").exists()


def test_a_folder_that_cannot_be_made_is_said(database: Path, run: Callable[..., Ended]) -> None:
    (database.parent / "letter").write_text("a file")
    result = run("--out", "letter/files")
    assert result.status == 1
    assert "letter/files cannot be written" in result.err


def test_all_files_are_of_one_moment_while_answers_come_in(
    database: Path, run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = exporting.FORMATS["csv"]

    def slow(path: Path, columns: object, rows: object) -> int:
        n_rows = written(path, columns, rows)  # type: ignore[arg-type]
        with sqlite3.connect(database, timeout=0) as beside:
            beside.execute("delete from answers where response_id = 'r0'")
            beside.execute("delete from codings where response_id = 'r0'")
            beside.execute("delete from responses where response_id = 'r0'")
        beside.close()
        return n_rows

    monkeypatch.setattr(exporting, "FORMATS", {"csv": slow})
    printed = json.loads(run("--out", "files", "--json").out)
    assert [one["rows"] for one in printed["files"]][:3] == [3, 3, 3]
    monkeypatch.undo()
    monkeypatch.chdir(database.parent)
    printed = json.loads(run("--out", "files", "--json").out)
    assert [one["rows"] for one in printed["files"]][:3] == [2, 2, 2]


def test_it_costs_no_import_of_the_tagger(database: Path) -> None:
    program = (
        "import sys; from bot.__main__ import main; status = main(sys.argv[1:]);"
        "heavy = {'spacy', 'telegram', 'slack_bolt', 'sklearn', 'onnxruntime'} & set(sys.modules);"
        "sys.exit(status or ', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "export", "--out", "files"],
        cwd=database.parent, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
