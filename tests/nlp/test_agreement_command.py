"""pulse agreement, as a person or a program calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli.texts import plain
from bot.errors import UserError
from tests.nlp.conftest import Pulse, error_of

RISK = {"enabler": "risk", "stance": "gap", "evidence": "blame"}
OPEN = {"enabler": "transparency", "stance": "gap", "evidence": "told us"}


def line(answer_id: str, text: str, *codes: dict[str, str]) -> dict[str, Any]:
    return {"id": answer_id, "question": "And?", "text": text, "codes": list(codes)}


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two coders who gave `risk` to 2 of 3 and 1 of 3 answers, and one answer of one alone."""
    ada = [
        line("1", "They fear blame", RISK),
        line("2", "blame all round, nobody told us", RISK, OPEN),
        line("3", "hi\x1b[2J there"),
        line("4", "only Ada"),
    ]
    ben = [
        line("3", "hi\x1b[2J there", {"enabler": "agility"}),
        line("2", "blame all round, nobody told us", OPEN | {"stance": "neutral"}),
        line("1", "They fear blame", RISK),
    ]
    return written(tmp_path / "ada.jsonl", ada), written(tmp_path / "ben.jsonl", ben)


def test_a_table_that_says_how_to_read_it(pulse: Pulse, files: tuple[Path, Path]) -> None:
    result = pulse("agreement", *files)
    assert result.exit_code == 0, result.output
    rows = [row.split() for row in result.stdout.splitlines()]
    assert "3 answers that both coded (1 only the 1st coded)." in result.stdout
    assert ["risk", "2", "1", "1", "50%", "0.67", "0.40", "0.44", "0.33"] in rows
    for word in ("kappa", "alpha", "AC1", "same", "MASI", "0.80"):
        assert word in result.stdout
    assert "They differ on 2 answers" in result.stdout
    assert "  1st: risk gap (“blame”), transparency gap (“told us”)" in result.stdout
    assert "  2nd: transparency neutral (“told us”)" in result.stdout
    assert "\x1b[2J" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_as_many_differences_as_wanted(pulse: Pulse, files: tuple[Path, Path]) -> None:
    few = pulse("agreement", *files, "--differences", "1").stdout
    assert few.count("1st: ") == 2
    assert "1 more: --differences 2" in few
    assert pulse("agreement", *files, "--differences", "0").stdout.count("1st: ") == 1
    assert "They differ on no answer." in pulse("agreement", files[0], files[0]).stdout


def test_json_has_every_figure_and_difference(pulse: Pulse, files: tuple[Path, Path]) -> None:
    record = json.loads(pulse("agreement", *files, "--json").stdout)
    assert (record["n"], record["first_only"], record["second_only"]) == (3, 1, 0)
    risk = record["per_code"]["risk"]
    assert (risk["n_first"], risk["n_second"], risk["n_both"]) == (2, 1, 1)
    assert risk["prevalence"] == 0.5
    assert [risk[key]["value"] for key in ("same", "kappa", "alpha", "ac1")] == [
        0.6667, 0.4, 0.4444, 0.3333,
    ]  # fmt: skip
    assert set(risk["ac1"]) == {"value", "low", "high"}
    assert record["per_code"]["design"]["kappa"] == {"value": None, "low": None, "high": None}
    assert set(record["sets"]) == {"same", "masi_alpha"}
    assert record["stance"] == {"n": 2, "same": 0.5}
    assert record["evidence"] == {"n": 2, "iou50": 1.0}
    assert [each["id"] for each in record["differences"]] == ["2", "3"]
    assert record["differences"][0]["first"] == [RISK, OPEN]
    assert record["differences"][1]["second"] == [
        {"enabler": "agility", "stance": None, "evidence": ""}
    ]
    again = json.loads(pulse("agreement", *files, "--json").stdout)
    assert again == record


def test_a_coder_against_the_tagger(pulse: Pulse, tmp_path: Path) -> None:
    said = "They never asked us before they closed the library"
    code = {"enabler": "engagement", "stance": "gap", "evidence": said}
    path = written(
        tmp_path / "ada.jsonl", [line("1", said, code), line("2", "hi", RISK | {"evidence": ""})]
    )
    record = json.loads(pulse("agreement", path, "--tagger", "--json").stdout)
    assert record["second"].startswith("commonpulse@")
    assert record["per_code"]["engagement"]["n_both"] == 1
    assert record["per_code"]["risk"]["n_first"] == 1
    assert record["per_code"]["risk"]["n_second"] == 0
    assert "2" in [each["id"] for each in record["differences"]]


def test_another_codeframe(pulse: Pulse, tmp_path: Path) -> None:
    frame = tmp_path / "frame.toml"
    frame.write_text(
        'codeframe = "tea"\nversion = "1"\n[[code]]\nkey = "drinks"\nname = "Drinks"\n'
    )
    path = written(tmp_path / "a.jsonl", [line("1", "tea", {"enabler": "drinks"}), line("2", "hm")])
    record = json.loads(pulse("agreement", path, path, "--codeframe", frame, "--json").stdout)
    assert list(record["per_code"]) == ["drinks"]
    assert record["per_code"]["drinks"]["kappa"]["value"] == 1


def test_wrong_input_is_said_plainly(
    pulse: Pulse, files: tuple[Path, Path], tmp_path: Path
) -> None:
    other = written(tmp_path / "other.jsonl", [line("9", "something else")])
    for arguments, says in [
        ([files[0]], "Give two files of the same answers"),
        ([*files, "--tagger"], "--tagger is held against one file"),
        ([files[0], "--tagger", "--codeframe", "a.toml"], "the tagger has its model's own"),
        ([files[0], "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        ([files[0], other], "have coded no answer in common"),
        ([*files, "--codeframe", "nowhere.toml"], "nowhere.toml: cannot be read"),
    ]:
        error = error_of(pulse("agreement", *arguments))
        assert isinstance(error, UserError), arguments
        assert says in str(error)


def test_words_cannot_move_the_cursor() -> None:
    assert plain("a\x1b[2J\r\u202eb\x00\x9b") == "a\ufffd[2J\ufffd\ufffdb\ufffd\ufffd"
    wales = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    joined = f"👩‍👧 ŵy\nneu’r café {wales}"
    assert plain(joined) == joined
    assert len(plain("\ud800\t")) == 2
