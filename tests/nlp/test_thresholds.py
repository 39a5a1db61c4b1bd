"""What is chosen on held-out answers holds on others: one file chooses, the other judges."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.answers import read_answers
from nlp.encoder import Encoder, Floats
from nlp.model import MODEL_PATH, read_model
from nlp.training.choose import choose_decision, choose_floor, f1_scores
from nlp.training.reading import gold_of, read_states
from nlp.wordpieces import WordPieces
from tests.nlp.conftest import DATA

Logits = tuple[Floats, Floats, Floats]


@pytest.fixture(scope="module")
def held_out() -> dict[str, Logits]:
    model = read_model()
    codes = [code.key for code in model.codeframe.codes]
    pieces, encoder = (
        WordPieces(MODEL_PATH / "tokenizer.json"),
        Encoder(MODEL_PATH / "encoder.onnx"),
    )
    found = {}
    for name in model.provenance.chosen_on:
        answers = read_answers([DATA / name], codes)
        read = read_states(answers, pieces, encoder, lambda share: None)
        assert choose_floor(read, model.heads, codes) in {0.3, 0.35, 0.4}
        found[name] = (
            np.stack([model.heads.read(each.windows).codes for each in read]),
            np.stack([model.wording.logits(a.text, a.question) for a in answers]),
            gold_of(answers, codes),
        )
    return found


def test_one_file_chooses_and_the_other_judges(held_out: dict[str, Logits]) -> None:
    first, second = held_out.values()
    scores = []
    for chosen, judged in ((first, second), (second, first)):
        decision = choose_decision(*chosen, evidence_floor=0.4)
        given = decision.probabilities(judged[0], judged[1]) >= np.array(decision.thresholds)
        scores.append(float(f1_scores(given, judged[2] > 0.5).mean()))
    print({name: round(score, 3) for name, score in zip([*held_out][::-1], scores, strict=True)})
    assert min(scores) > 0.66
    assert max(scores) > 0.70


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
