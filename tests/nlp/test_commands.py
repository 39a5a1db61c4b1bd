"""pulse tag, pulse train and pulse evaluate, as a person or a program calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import CannotError, UserError
from nlp.load import SpacyTagger
from tests.nlp.conftest import DATA, Pulse, error_of
from tests.nlp.test_train import FRAME, lines

KEYS = ["enabler", "stance", "evidence", "start", "end", "confidence"]


def test_tag_shows_the_answer_and_its_codes(pulse: Pulse) -> None:
    result = pulse("tag", "They never asked us before they closed it")
    assert result.exit_code == 0
    assert "They never asked us before they closed it" in result.output
    assert "Engagement" in result.output
    assert "gap" in result.output


def test_tag_says_when_there_is_no_code(pulse: Pulse) -> None:
    assert "No code." in pulse("tag", "hi").output


def test_tag_reads_an_answer_from_standard_input(pulse: Pulse) -> None:
    result = pulse("tag", "--json", "--question", "What got in the way?", stdin="money\n")
    record = json.loads(result.output)
    assert [(code["enabler"], code["stance"]) for code in record["codes"]] == [("resources", "gap")]


def test_jsonl_keeps_order_and_goes_on_after_a_broken_line(
    pulse: Pulse, tagger: SpacyTagger
) -> None:
    answer = {"id": 1, "text": "é👍 Nobody asked us. Not once.", "question": "And?"}
    stdin = b"\n".join([
        json.dumps(answer).encode(),
        b"{broken",
        b"",
        b'{"id": "three"}',
        b'{"id": 4, "text": "hi", "language": "en"}',
        b'{"id": 5, "text": "\xff"}',
        b'{"id": 6, "text": "half \\ud800"}',
        b"[1]",
        b'{"id": 1e999, "text": "hi"}',
        b'{"id": NaN, "text": "hi"}',
    ])  # fmt: skip
    result = pulse("tag", "--jsonl", stdin=stdin)
    assert str(error_of(result)) == ("7 of 9 answers could not be tagged; their lines say why.")
    assert isinstance(result.exception, CannotError)
    records = [json.loads(line) for line in result.output.splitlines()]
    assert [record["id"] for record in records] == [1, None, "three", 4, None, 6, *[None] * 3]
    assert {record["model"] for record in records} == {tagger.version}
    assert [list(record) for record in records] == [
        ["id", "model", "codes"] if record["id"] in {1, 4} else ["id", "model", "codes", "error"]
        for record in records
    ]
    assert all(record["codes"] == [] for record in records if "error" in record)
    assert records[7]["error"] == "a number in the line is too large"
    assert records[2]["error"] == '"text" is missing'
    for code in records[0]["codes"]:
        assert list(code) == KEYS
        assert code["evidence"] == answer["text"][code["start"] : code["end"]]  # type: ignore[index]
    assert "engagement" in [code["enabler"] for code in records[0]["codes"]]


def test_jsonl_from_a_file(pulse: Pulse, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(f'{{"id": {n}, "text": "money"}}\n' for n in range(70)))
    result = pulse("tag", "--jsonl", path)
    assert result.exit_code == 0
    assert [json.loads(line)["id"] for line in result.output.splitlines()] == list(range(70))


def test_wrong_input_is_said_plainly(pulse: Pulse, tmp_path: Path) -> None:
    for arguments, says in [
        (["tag", "--jsonl", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["tag", "hello", "--model", tmp_path], "give default, fast, or a directory"),
        (["tag", "hello", "--language", "xx"], "There is no language 'xx'"),
        (["evaluate", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["train", "a", "--out", tmp_path, "--encoder", "minilm"], "--encoder needs --hold-out"),
        (
            ["train", "a", "--out", tmp_path, "--encoder", "huge", "--hold-out", "b"],
            "there is no encoder 'huge'; choose minilm, mpnet, or the model to go on",
        ),
        (["train", "a.jsonl", "--out", tmp_path, "--hold-out", "b"], "--hold-out goes with"),
        (
            ["train", "a", "--out", tmp_path, "--hold-out", "a", "--encoder", "minilm"],
            "cannot be learnt from and held out at once",
        ),
        (["train", "a.jsonl", "--out", Path(__file__)], "is a file; give a directory"),
        (["train", "a.jsonl", "--out", tmp_path, "--codeframe", "b.toml"], "b.toml: cannot be"),
    ]:
        error = error_of(pulse(*arguments))
        assert isinstance(error, UserError), arguments
        assert says in str(error)


def test_a_text_too_long_ends_in_an_error(pulse: Pulse) -> None:
    result = pulse("tag", stdin="a" * 1_000_001)
    assert isinstance(error_of(result), CannotError)
    assert "longer than 1,000,000 characters" in str(result.exception)


def test_train_then_evaluate_another_codeframe(pulse: Pulse, tmp_path: Path) -> None:
    frame, data, test = (tmp_path / name for name in ("frame.toml", "a.jsonl", "b.jsonl"))
    frame.write_text(FRAME)
    data.write_text(lines(60, 1, rich=False))
    test.write_text(lines(40, 2, rich=False))
    out = tmp_path / "model"
    made = pulse("train", data, "--codeframe", frame, "--out", out, "--name", "tea")
    assert made.exit_code == 0, made.output
    assert "learnt from 60 answers" in made.output
    figures = json.loads(pulse("evaluate", test, "--model", out, "--json").stdout)
    assert figures["n"] == 40
    assert figures["model"].startswith("tea@")
    assert set(figures["codes"]) == {"macro_f1", "micro_f1", "per_code"}
    assert list(figures["codes"]["per_code"]) == ["drinks", "seats", "music"]
    assert figures["codes"]["macro_f1"] > 0.7
    assert figures["stance"]["accuracy"] is None
    assert figures["evidence"]["iou50"] is None
    assert 0 <= figures["ece"] <= 1
    known = {json.loads(line)["text"] for line in data.read_text().splitlines()}
    again = [json.loads(line)["text"] in known for line in test.read_text().splitlines()]
    assert figures["trained_on"] == sum(again) > 0


def test_evaluate_warns_when_the_data_were_trained_on(pulse: Pulse, tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    known = (DATA / "answers-a.jsonl").read_text().splitlines()[:8]
    new = '{"text": "the ferry clerk phoned the bus clerk", "codes": []}'
    path.write_text("\n".join([*known, new]))
    result = pulse("evaluate", path)
    warned = result.stderr.splitlines()[0]
    assert warned.startswith("Warning: commonpulse@")
    assert "learnt from, or was tuned on, 8 of these 9 answers; its figures flatter." in warned
    assert "macro F1" in result.stdout
    assert "transparency" in result.stdout


def test_evaluate_sets_both_shipped_models_side_by_side(pulse: Pulse, tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    said = {"text": "The ferry clerk never asked us, in all those years", "question": "And?"}
    path.write_text(json.dumps(said | {"codes": [{"enabler": "engagement", "stance": "gap"}]}))
    both = json.loads(pulse("evaluate", path, "--json").stdout)
    (fast,) = both["beside"]
    alone = json.loads(pulse("evaluate", path, "--model", "fast", "--json").stdout)
    assert alone.pop("cost")["mb"] == fast.pop("cost")["mb"] <= 25
    assert alone == fast
    assert both["model"] != fast["model"]
    assert both["cost"]["mb"] <= 64
    assert both["cost"]["ms"] * both["cost"]["per_second"] == pytest.approx(1000, rel=0.01)
    shown = pulse("evaluate", path).stdout
    for expected in (
        f"default, {both['model']}",
        f"fast, {fast['model']}",
        "macro F1",
        "answers a second",
        "megabytes",
    ):
        assert expected in shown


def test_evaluate_names_a_code_that_the_model_does_not_have(pulse: Pulse, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text('{"text": "a", "codes": [{"enabler": "drinks"}]}')
    assert "the codeframe has no code 'drinks'" in str(error_of(pulse("evaluate", path)))


@pytest.mark.parametrize("module", ["spacy", "sklearn", "onnxruntime", "torch", "rich.progress"])
def test_the_commands_load_nothing_heavy_until_they_run(module: str) -> None:
    code = f"import sys, bot.cli.tagging; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
