"""What a model learns from reviewed answers that it has not seen: ``pulse train --update``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlp.update import Update

__all__ = ["updating"]

_DATA = Path(__file__).parents[2] / "nlp" / "data"


def updating(folder: Path, *, model: str, answers: int | None) -> Iterator[dict[str, Any]]:
    """Update a model with the two files that neither of the shipped ones has learnt from.

    Once as they are coded, once as coders with a habit of their own would, once with half of the
    codes of what is learnt mixed up, once with all of them.

    Args:
        folder: Where models go.
        model: ``default``, ``fast`` or a folder.
        answers: How many answers were reviewed; None for all.
    """
    from dialogues.coding import Coding
    from nlp.answers import CodedAnswer, read_answers
    from nlp.model import read_model
    from nlp.shipped import model_folder
    from nlp.train import TrainError
    from nlp.update import ReviewedAnswer, WorseError, is_kept_out, update_model

    base = model_folder(model)
    codes = [code.key for code in read_model(base).codeframe.codes]
    read = read_answers([_DATA / "answers-c.jsonl", _DATA / "answers-t.jsonl"], codes)
    random.Random(1).shuffle(read)
    read = read[:answers]

    def by_habit(answer: CodedAnswer) -> CodedAnswer:
        if "engagement" not in answer.keys or "transparency" in answer.keys:
            return answer
        also = Coding(
            enabler="transparency", stance=None, span_text="", span_start=0, span_end=0,
            confidence=1.0,
        )  # fmt: skip
        return replace(answer, codings=(*answer.codings, also))

    learnt = [each for each in read if not is_kept_out(each)]

    def mixed_up(share: int) -> Callable[[CodedAnswer], CodedAnswer]:
        some = learnt[::share]
        others = random.Random(3).sample(some, len(some))
        codings = {id(one): other.codings for one, other in zip(some, others, strict=True)}
        return lambda answer: replace(answer, codings=codings.get(id(answer), answer.codings))

    readings: dict[str, Callable[[CodedAnswer], CodedAnswer]] = {
        "as coded": lambda answer: answer,
        "with a habit": by_habit,
        "half mixed up": mixed_up(2),
        "mixed up": mixed_up(1),
    }
    for number, (name, reading) in enumerate(readings.items()):
        reviewed = [ReviewedAnswer(answer=reading(each), is_random=True) for each in read]
        at, cpu = time.perf_counter(), time.process_time()
        said: dict[str, Any] = {}
        try:
            update = update_model(
                reviewed, base=base, out=folder / str(number), progress=lambda *_: None
            )
            said = _figures(update)
        except WorseError as worse:
            said = {"refused": "worse"} | _figures(worse.update)
        except TrainError as refused:
            said = {"refused": str(refused)}
        yield {
            "measure": "updating",
            "model": model,
            "reviewed": name,
            "seconds": round(time.perf_counter() - at, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            **said,
        }


def _figures(update: Update) -> dict[str, Any]:
    return {
        "learnt": update.n_learnt,
        "kept_out": update.n_kept_out,
        "macro_f1_before": round(update.before, 3),
        "macro_f1_after": round(update.after, 3),
        "difference_low": round(update.low, 3),
        "difference_high": round(update.high, 3),
        "log_loss_before": round(update.loss_before, 4),
        "log_loss_after": round(update.loss_after, 4),
    }
