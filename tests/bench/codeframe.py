"""Somebody else's codes: how ``pulse train`` does beside TF-IDF and logistic regression.

Without ``--coded`` on a stand-in: our own answers that the shipped encoder has not learnt from,
each enabler with its stance a code of its own, those with at least thirty examples. It flatters
a little, since the encoder knows the enablers. ``python -m tests.bench.comments`` makes files of
a public table of comments, which knows nothing of us.

The other side is what a careful person would build: words, pairs and parts of words (three to
five characters), balanced weights, the strength and a threshold for each code chosen by
cross-validation.
"""

from __future__ import annotations

import json
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["codeframe", "stand_in"]

_UNSEEN = ("c", "i", "t")
_DATA = Path(__file__).parents[2] / "nlp" / "data"


def stand_in(folder: Path, *, answers: int | None, least: int = 30) -> tuple[Path, Path]:
    """Write coded answers and a codeframe that nothing of ours was trained for.

    Args:
        folder: Where.
        answers: How many; None for all.
        least: Examples that a code needs.
    """
    lines = [
        json.loads(line)
        for letter in _UNSEEN
        for line in (_DATA / f"answers-{letter}.jsonl").read_text(encoding="utf-8").splitlines()
    ][:answers]
    for line in lines:
        both = {f"{code['enabler']}_{code['stance']}" for code in line["codes"]}
        line["codes"] = [{"enabler": key} for key in sorted(both)]
    return write_coded(folder, lines, least=least)


def write_coded(folder: Path, lines: Sequence[dict[str, Any]], *, least: int) -> tuple[Path, Path]:
    """Write coded answers with the codes that are common enough, and their codeframe."""
    n = Counter(code["enabler"] for line in lines for code in line["codes"])
    keys = sorted(key for key, count in n.items() if count >= least)
    folder.mkdir(parents=True, exist_ok=True)
    coded, frame = folder / "coded.jsonl", folder / "codeframe.toml"
    with coded.open("w", encoding="utf-8") as out:
        for line in lines:
            codes = [code for code in line["codes"] if code["enabler"] in keys]
            out.write(json.dumps({**line, "codes": codes}, ensure_ascii=False) + "\n")
    entries = (f'[[code]]\nkey = "{key}"\nname = "{key.replace("_", " ")}"\n' for key in keys)
    frame.write_text('codeframe = "bench"\nversion = "1"\n\n' + "\n".join(entries))
    return coded, frame


def codeframe(
    folder: Path, *, coded: Path, frame: Path, folds: int, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """Train on all but one part and judge on that part, each part in turn."""
    from sklearn.model_selection import KFold  # type: ignore[import-untyped]

    from nlp.codeframe import read_codeframe

    lines = coded.read_text(encoding="utf-8").splitlines()
    keys = [code.key for code in read_codeframe(frame).codes]
    parts = KFold(n_splits=3, shuffle=True, random_state=seed).split(np.zeros(len(lines)))
    figures: list[dict[str, float]] = []
    for number, (train, test) in zip(range(folds), parts, strict=False):
        learnt, judged = folder / f"train-{number}.jsonl", folder / f"test-{number}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        learnt.write_text("\n".join(lines[i] for i in train), encoding="utf-8")
        judged.write_text("\n".join(lines[i] for i in test), encoding="utf-8")
        at = time.perf_counter()
        ours = _ours(learnt, judged, frame, folder / f"model-{number}", keys)
        seconds = ours.pop("seconds")
        figures.append(ours | _tf_idf(learnt, judged, keys))
        yield {
            "measure": "codeframe",
            "fold": number + 1,
            "answers": len(train),
            "codes": len(keys),
            "train_s": round(seconds),
            "total_s": round(time.perf_counter() - at),
            **{name: round(value, 3) for name, value in figures[-1].items()},
        }
    yield {
        "measure": "codeframe",
        "folds": folds,
        **{f"mean_{n}": round(float(np.mean([f[n] for f in figures])), 3) for n in figures[0]},
    }


def _ours(
    learnt: Path, judged: Path, frame: Path, out: Path, keys: Sequence[str]
) -> dict[str, float]:
    from nlp.answers import read_answers
    from nlp.evaluate import evaluate
    from nlp.load import load_tagger
    from nlp.tagger import ToTag
    from nlp.train import train_frozen

    at = time.perf_counter()
    train_frozen([learnt], codeframe=frame, out=out, name="bench", progress=lambda *_: None)
    seconds = time.perf_counter() - at
    answers = read_answers([judged], keys)
    tagged = load_tagger(out).tag(
        [ToTag(text=answer.text, question=answer.question, language="en") for answer in answers]
    )
    result = evaluate(answers, tagged, keys)
    return {
        "seconds": seconds,
        "ours_macro_f1": result.macro_f1 or 0.0,
        "ours_micro_f1": result.micro_f1 or 0.0,
    }


def _tf_idf(learnt: Path, judged: Path, keys: Sequence[str]) -> dict[str, float]:
    from sklearn.model_selection import KFold

    from nlp.answers import read_answers
    from nlp.training.choose import f1_scores
    from nlp.training.reading import gold_of

    train, test = read_answers([learnt], keys), read_answers([judged], keys)
    gold, truth = gold_of(train, keys) > 0.5, gold_of(test, keys) > 0.5
    words = [answer.text for answer in train]
    grid = np.linspace(-3, 3, 61)
    best: tuple[float, float, np.ndarray] | None = None
    for strength in (1.0, 10.0):
        unseen = np.zeros(gold.shape)
        for some, others in KFold(3, shuffle=True, random_state=2).split(words):
            unseen[others] = _fit_tf_idf(
                [words[i] for i in some], gold[some], [words[i] for i in others], strength
            )
        scores = np.stack([f1_scores(unseen >= level, gold) for level in grid])
        reached = float(scores.max(axis=0).mean())
        if best is None or reached > best[0]:
            best = reached, strength, grid[scores.argmax(axis=0)]
    if best is None:
        raise RuntimeError("nothing was tried")
    given = _fit_tf_idf(words, gold, [answer.text for answer in test], best[1]) >= best[2]
    right = (given & truth).sum()
    there = (given | truth).any(axis=0)
    return {
        "tf_idf_macro_f1": float(f1_scores(given, truth)[there].mean()),
        "tf_idf_micro_f1": float(2 * right / (given.sum() + truth.sum())),
    }


def _fit_tf_idf(
    words: Sequence[str], gold: np.ndarray, unseen: Sequence[str], strength: float
) -> np.ndarray:
    from scipy.sparse import hstack  # type: ignore[import-untyped]
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    parts = [
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True,
            max_features=60_000,
        ),
    ]  # fmt: skip
    known = hstack([part.fit_transform(words) for part in parts]).tocsr()
    asked = hstack([part.transform(unseen) for part in parts]).tocsr()
    logits = np.full((len(unseen), gold.shape[1]), -6.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for code in range(gold.shape[1]):
            if gold[:, code].any():
                model = LogisticRegression(
                    C=strength, class_weight="balanced", solver="liblinear", random_state=1
                )
                logits[:, code] = model.fit(known, gold[:, code]).decision_function(asked)
    return logits
