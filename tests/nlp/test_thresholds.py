"""What is chosen on held-out answers holds on others: one file chooses, the other judges."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.answers import read_answers
from nlp.encoder import Encoder, Floats
from nlp.model import read_model
from nlp.shipped import model_folder
from nlp.training.choose import choose_decision, choose_floor, f1_scores
from nlp.training.reading import gold_of, read_states
from nlp.wordpieces import WordPieces
from tests.nlp.conftest import DATA

Logits = tuple[Floats, Floats, Floats]


def held_out(name: str) -> dict[str, Logits]:
    model = read_model(model_folder(name))
    codes = [code.key for code in model.codeframe.codes]
    pieces = WordPieces(model.path / "tokenizer.json")
    encoder = Encoder(model.path / "encoder.onnx")
    found = {}
    for name in model.provenance.chosen_on:
        answers = read_answers([DATA / name], codes)
        read = read_states(answers, pieces, encoder, lambda share: None)
        assert choose_floor(read, model.heads, codes) >= 0.3
        found[name] = (
            np.stack([model.heads.read(each.windows).codes for each in read]),
            np.stack([model.wording.logits(a.text, a.question) for a in answers]),
            gold_of(answers, codes),
        )
    return found


@pytest.mark.parametrize(
    ("name", "worst", "best"),
    [
        pytest.param("default", 0.70, 0.75, marks=pytest.mark.soak),
        pytest.param("fast", 0.66, 0.70),
    ],
)
def test_one_file_is_judged_by_what_the_others_chose(name: str, worst: float, best: float) -> None:
    found = held_out(name)
    scores = {}
    for file, judged in found.items():
        others = [each for other, each in found.items() if other != file]
        chosen = [np.concatenate([each[part] for each in others]) for part in range(3)]
        decision = choose_decision(chosen[0], chosen[1], chosen[2], evidence_floor=0.4)
        given = decision.probabilities(judged[0], judged[1]) >= np.array(decision.thresholds)
        scores[file] = float(f1_scores(given, judged[2] > 0.5).mean())
    print({file: round(score, 3) for file, score in scores.items()})
    assert min(scores.values()) > worst
    assert max(scores.values()) > best


def test_what_is_chosen_is_calibrated_and_where_the_score_is_best() -> None:
    draw = np.random.default_rng(1)
    gold = (draw.random((4000, 2)) < [0.5, 0.05]).astype(float)
    logits = 3.0 * (draw.normal(size=gold.shape) + 2.0 * gold - [1.0, 2.5])
    decision = choose_decision(logits, np.zeros_like(logits), gold, evidence_floor=0.4)
    given = decision.probabilities(logits, np.zeros_like(logits))
    assert decision.wording_weight == 0.0
    for low in (0.2, 0.4, 0.6):
        inside = (given >= low) & (given < low + 0.2)
        assert gold[inside].mean() == pytest.approx(given[inside].mean(), abs=0.08)
    for code, threshold in enumerate(decision.thresholds):
        best = max(
            f1_scores(given >= level, gold > 0.5)[code] for level in np.arange(0.1, 0.9, 0.1)
        )
        assert f1_scores(given >= threshold, gold > 0.5)[code] > best - 0.02


def test_a_code_with_few_answers_has_the_common_threshold() -> None:
    gold = np.zeros((300, 3))
    gold[:40, 0] = gold[40:100, 1] = 1
    gold[:150, 2] = 1
    logits = 8 * gold - 4 + np.random.default_rng(2).normal(size=gold.shape)
    decision = choose_decision(logits, np.zeros_like(logits), gold, evidence_floor=0.4)
    assert decision.thresholds[0] == decision.thresholds[1]
