"""Training for somebody else's codeframe: another domain, with much or little given."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import pytest

from nlp.answers import read_answers
from nlp.codeframe import CODEFRAME_PATH
from nlp.evaluate import Evaluation, evaluate
from nlp.fourbits import MATRICES
from nlp.load import load_tagger
from nlp.model import ModelError, read_model, seen
from nlp.shipped import FAST_PATH, MODEL_PATH
from nlp.tagger import ToTag
from nlp.train import TrainError, train_encoder, train_frozen
from tests.nlp.conftest import DATA

FRAME = """
codeframe = "tea-room"
version = "2"
[[code]]
key = "drinks"
name = "Drinks"
[[code]]
key = "seats"
name = "Seats"
[[code]]
key = "music"
name = "Music"
"""
THINGS = {
    "drinks": ["the coffee", "my tea", "the hot chocolate", "the juice"],
    "seats": ["the chairs", "our table", "the sofa", "the bench by the window"],
    "music": ["the singer", "the piano", "the songs", "the loud band"],
}
GOOD = ["was lovely", "made my day", "is better than ever", "was just right"]
BAD = ["was awful", "was a letdown", "gets worse every week", "was broken again"]
NONE = ["see you on Friday", "no idea", "it rained all week", "I parked by the church"]


def lines(n: int, seed: int, *, rich: bool) -> str:
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        keys = draw.sample(sorted(THINGS), draw.choice([0, 1, 1, 2]))
        parts, codes = [], []
        for key in keys:
            good = draw.random() < 0.5
            parts.append(f"{draw.choice(THINGS[key])} {draw.choice(GOOD if good else BAD)}")
            code = {"enabler": key}
            if rich:
                code |= {"stance": "strength" if good else "gap", "evidence": parts[-1]}
            codes.append(code)
        parts.insert(draw.randrange(len(parts) + 1), draw.choice(NONE))
        line = {"text": ", ".join(parts), "codes": codes}
        made.append(json.dumps(line | ({"question": "How was it?"} if rich else {})))
    return "\n".join(made)


def trained(folder: Path, *, rich: bool, n: int = 120, base: Path = FAST_PATH) -> Evaluation:
    (folder / "frame.toml").write_text(FRAME)
    (folder / "train.jsonl").write_text(lines(n, 1, rich=rich))
    (folder / "test.jsonl").write_text(lines(60, 2, rich=True))
    steps: set[str] = set()
    model = train_frozen(
        [folder / "train.jsonl"], codeframe=folder / "frame.toml", out=folder / "model",
        name="tea", progress=lambda step, share: steps.add(step) if share == 1 else None,
        base=base,
    )  # fmt: skip
    assert steps == {"reading answers", "cross-validating", "fitting"}
    assert model.provenance.n_answers == n
    assert model.provenance.files == ("train.jsonl",)
    tagger = load_tagger(folder / "model")
    assert tagger.version == model.version
    codes = [code.key for code in tagger.codeframe.codes]
    assert codes == ["drinks", "seats", "music"]
    answers = read_answers([folder / "test.jsonl"], codes)
    assert seen(model, read_answers([folder / "train.jsonl"], codes)) == n
    tagged = tagger.tag([ToTag(text=each.text, question=each.question) for each in answers])
    return evaluate(answers, tagged, codes)


def test_with_stance_and_evidence(tmp_path: Path) -> None:
    result = trained(tmp_path, rich=True)
    assert result.macro_f1 is not None
    assert result.macro_f1 > 0.85
    assert result.stance_accuracy is not None
    assert result.stance_accuracy > 0.8
    assert result.iou50 is not None
    assert result.iou50 > 0.8


def test_with_codes_alone(tmp_path: Path) -> None:
    result = trained(tmp_path, rich=False)
    assert result.macro_f1 is not None
    assert result.macro_f1 > 0.85
    assert result.stance_accuracy is None  # nothing taught it a stance, so it gives none
    assert result.iou50 is not None
    assert result.iou50 > 0.4


def test_a_code_with_one_example_and_one_with_none(tmp_path: Path) -> None:
    (tmp_path / "frame.toml").write_text(FRAME + '[[code]]\nkey = "pets"\nname = "Pets"\n')
    rare = '{"text": "the cat slept on my lap", "codes": [{"enabler": "music"}]}\n'
    usual = [line for line in lines(90, 1, rich=True).splitlines() if '"music"' not in line]
    (tmp_path / "train.jsonl").write_text("\ufeff" + rare + "\n".join(usual))
    train_frozen(
        [tmp_path / "train.jsonl"], codeframe=tmp_path / "frame.toml", out=tmp_path / "model",
        name="tea", progress=lambda *_: None, base=FAST_PATH,
    )  # fmt: skip
    answers = [ToTag(text="the hot chocolate was lovely"), ToTag(text="see you on Friday")]
    drinks, nothing = load_tagger(tmp_path / "model").tag(answers)
    assert [coding.enabler for coding in drinks.codings] == ["drinks"]
    assert not nothing.codings


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    versions = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        trained(folder, rich=False, n=40)
        versions.add(read_model(folder / "model").version)
    assert len(versions) == 1


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    trained(tmp_path, rich=False, n=40)
    words = tmp_path / "model" / "words.txt"
    words.write_text(words.read_text().replace("coffee", "toffee"))
    with pytest.raises(ModelError, match="not the ones that were written together"):
        read_model(tmp_path / "model")


def test_an_encoders_matrices_belong_to_it(tmp_path: Path) -> None:
    trained(tmp_path, rich=False, n=40, base=MODEL_PATH)
    matrices = tmp_path / "model" / MATRICES
    assert matrices.read_bytes() == (MODEL_PATH / MATRICES).read_bytes()
    matrices.unlink()
    with pytest.raises(ModelError, match="not the ones that were written together"):
        read_model(tmp_path / "model")
    # Of a model that stood here before, none is left.
    matrices.write_bytes(b"old")
    train_frozen(
        [tmp_path / "train.jsonl"], codeframe=tmp_path / "frame.toml", out=tmp_path / "model",
        name="tea", progress=lambda *_: None, base=FAST_PATH,
    )  # fmt: skip
    assert not matrices.exists()
    assert load_tagger(tmp_path / "model").tag([ToTag(text="hot coffee")])[0].error is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"text": "a", "codes": []}', "1 coded answers are too few"),
        ('{"text": "a b", "codes": []}\n' * 30, "no answer carries a code"),
        (
            '{"text": "a b", "codes": ["drinks", "seats", "music"]}\n' * 30,
            "every answer carries every code",
        ),
        ('{"text": " ", "codes": [{"enabler": "music"}]}\n' * 30, "no answer holds a word"),
    ],
)
def test_too_little_to_learn_from(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "frame.toml").write_text(FRAME)
    (tmp_path / "train.jsonl").write_text(text)
    with pytest.raises(TrainError, match=says):
        train_frozen(
            [tmp_path / "train.jsonl"], codeframe=tmp_path / "frame.toml", out=tmp_path / "out",
            name="tea", progress=lambda *_: None,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_fine_tuning_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"pip install 'commonpulse\[train\]'"):
        train_encoder(
            [], hold_out=[], codeframe=tmp_path, out=tmp_path, name="x", progress=lambda *_: None
        )


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs commonpulse[train]")
def test_fine_tuning_makes_a_model_that_beats_chance(tmp_path: Path) -> None:
    (tmp_path / "frame.toml").write_text(FRAME)
    for name, n, seed in (("train", 160, 1), ("held", 60, 2), ("test", 60, 3)):
        (tmp_path / f"{name}.jsonl").write_text(lines(n, seed, rich=True))
    train_encoder(
        [tmp_path / "train.jsonl"], hold_out=[tmp_path / "held.jsonl"],
        codeframe=tmp_path / "frame.toml", out=tmp_path / "model", name="tea",
        progress=lambda *_: None, epochs=2, layers=1,
    )  # fmt: skip
    tagger = load_tagger(tmp_path / "model")
    answers = read_answers([tmp_path / "test.jsonl"], ["drinks", "seats", "music"])
    tagged = tagger.tag([ToTag(text=each.text, question=each.question) for each in answers])
    result = evaluate(answers, tagged, ["drinks", "seats", "music"])
    assert result.macro_f1 is not None
    assert result.macro_f1 > 0.8


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs commonpulse[train]")
def test_training_goes_on_from_a_shipped_model(tmp_path: Path) -> None:
    coded = (DATA / "answers-c.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, some in (("train", coded[:48]), ("held", coded[48:80])):
        (tmp_path / f"{name}.jsonl").write_text("".join(some), encoding="utf-8")
    before = read_model(FAST_PATH)
    after = train_encoder(
        [tmp_path / "train.jsonl"], hold_out=[tmp_path / "held.jsonl"],
        codeframe=CODEFRAME_PATH, out=tmp_path / "model", name="tea",
        progress=lambda *_: None, encoder="fast", epochs=1,
    )  # fmt: skip
    assert after.provenance.begun_from == before.version
    assert set(before.trained_on) <= set(after.trained_on)
    apart = np.abs(after.heads.mean_weight - before.heads.mean_weight).max()
    assert 0 < apart < 0.1
