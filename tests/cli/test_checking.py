"""``pulse check``: every mistake of every file, one a line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import bot.cli
from bot.__main__ import main
from bot.config import SHIPPED_SURVEYS


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a configuration and a folder of two good surveys."""
    monkeypatch.chdir(tmp_path)
    token = bot.cli._config_path.set(None)
    Path("mine").mkdir()
    for name in ("citizen-pulse", "partnership-pulse"):
        shutil.copy(SHIPPED_SURVEYS / f"{name}.toml", Path("mine"))
    Path("config.toml").write_text('surveys = "mine"\n')
    yield tmp_path
    bot.cli._config_path.reset(token)


def test_nothing_wrong_is_status_0(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "3 files: no errors, no warnings\n"


def test_a_bad_file_hides_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine/a.toml").write_bytes(b"\xff\xfe")
    Path("mine/b.toml").write_text('survey = "b"\ntitle = B\n[consent]\ntxt = "x"\n')
    Path("mine/z.toml").mkdir()
    Path("config.toml").write_text(
        'surveys = "mine"\n[web]\nprt = 1\n[[cohort]]\nname = "r"\nsurvey = "citizen"\n'
    )
    assert main(["check"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "config.toml:3: web.prt: expected a known key; did you mean port?",
        "config.toml:6: cohort.r.survey: expected the id of a survey in the folder; did you mean "
        "citizen-pulse?",
    ]
    assert lines[2] == "mine/a.toml:1: expected text in UTF-8"
    assert [line.partition(" ")[0] for line in lines[3:7]] == [
        "mine/b.toml:1:",
        "mine/b.toml:2:",
        "mine/b.toml:3:",
        "mine/b.toml:4:",
    ]
    assert lines[7] == "mine/z.toml: expected a file; this is a folder"
    assert lines[8] == "6 files: 8 errors, no warnings"


@pytest.mark.parametrize(
    ("survey", "count", "expected"),
    [
        ("partnership-pulse", 12, None),
        ("partnership-pulse", 13, "expected 12 or fewer: partnership-pulse has no more questions"),
        ("plain", 1, "expected questions with an enabler in plain; it has none to draw from"),
    ],
)
def test_more_questions_for_each_than_there_are_to_draw_from_are_warned_of(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    survey: str,
    count: int,
    expected: str | None,
) -> None:
    Path("mine/plain.toml").write_text(
        'survey = "plain"\ntitle = "Plain"\nconsent.text = "May we?"\n'
        '[[question]]\nid = "one"\nkind = "yesno"\ntext = "Well?"\n'
    )
    Path("config.toml").write_text(
        'surveys = "mine"\n[[cohort]]\nname = "r"\ntelegram_code = "r"\n'
        '[[pulse]]\nname = "p"\ncohorts = ["r"]\n'
        f'cron = "0 10 1 * *"\nsurvey = "{survey}"\nquestions_per_person = {count}\n'
    )
    assert main(["check"]) == 0
    *warned, total = capsys.readouterr().out.splitlines()
    assert total.endswith("no errors, no warnings" if expected is None else "1 warning")
    place_of = "config.toml:10: warning: pulse.p.questions_per_person: "
    assert [one.startswith(f"{place_of}{expected}") for one in warned] == [True] * len(warned)
    assert len(warned) == (0 if expected is None else 1)


def test_named_files_only(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine/bad.toml").write_text("")
    good = str(SHIPPED_SURVEYS / "citizen-pulse.toml")
    assert main(["check", good]) == 0
    assert capsys.readouterr().out == "2 files: no errors, no warnings\n"
    assert main(["check", good, "nowhere.toml"]) == 2
    assert "nowhere.toml: expected a file; there is none" in capsys.readouterr().out


def test_a_named_configuration_is_checked_as_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.toml").write_text('surveys = "mine"\n[web]\nport = "x"\n')
    assert main(["check", "other.toml"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "other.toml:3: web.port: expected a whole number",
        "3 files: 1 error, no warnings",
    ]


def test_a_missing_configuration(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", "none.toml"]) == 2
    assert "none.toml: expected a file; there is none" in capsys.readouterr().out


def test_a_missing_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.toml").write_text('surveys = "theirs"\n')
    assert main(["check"]) == 2
    assert "theirs: expected the folder of survey files" in capsys.readouterr().out


def test_a_codeframe_that_cannot_be_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.toml").write_text('surveys = "mine"\n[tagger]\nmodel = "model"\n')
    assert main(["check"]) == 2
    assert "model/codeframe.toml: expected a codeframe" in capsys.readouterr().out


def test_shipped_surveys_beside_other_codes_are_one_error(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model").mkdir()
    Path("model/codeframe.toml").write_text(
        'codeframe = "ours"\nversion = "1"\n[[code]]\nkey = "books"\nname = "Books"\n'
    )
    Path("config.toml").write_text('[tagger]\nmodel = "model"\n')
    assert main(["check"]) == 2
    out = capsys.readouterr().out
    assert out.count("expected") == 1
    assert "surveys: expected a folder of your own surveys" in out
    assert main(["chat"]) == 2
    assert "expected a folder of your own surveys" in capsys.readouterr().err


def test_warnings_are_status_0(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("mine/citizen-pulse.toml").read_text()
    Path("mine/citizen-pulse.toml").write_text(
        text.replace('kind = "text"', 'kind = "text"\ndont_know = true', 1)
    )
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "warning: question." in shown
    assert shown.endswith("3 files: no errors, 1 warning\n")


def test_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine/b.toml").write_text('survey = "b"\n')
    assert main(["check", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["errors"] == len(report["findings"]) == 3
    assert report["warnings"] == 0
    assert report["checked"][0] == "config.toml"
    assert report["findings"][0] == {
        "file": "mine/b.toml",
        "line": 1,
        "key": "title",
        "expected": "expected this key; it is missing",
        "severity": "error",
    }
