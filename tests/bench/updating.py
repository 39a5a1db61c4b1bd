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


def updating(folder: Path, *, answers: int | None) -> Iterator[dict[str, Any]]:
    """Update the fast model with the two files that it has not learnt from.

    Once as they are coded, once as coders with a habit of their own would, once with the codes
    of half of what is learnt mixed up.

    Args:
        folder: Where models go.
        answers: How many answers were reviewed; None for all.
    """
    from dialogues.coding import Coding
    from nlp.answers import CodedAnswer, read_answers
    from nlp.model import read_model
    from nlp.shipped import FAST_PATH
    from nlp.train import TrainError
    from nlp.update import ReviewedAnswer, WorseError, is_kept_out, update_model

    codes = [code.key for code in read_model(FAST_PATH).codeframe.codes]
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

    others = iter(random.Random(3).sample(read, len(read)))

    def mixed_up(answer: CodedAnswer) -> CodedAnswer:
        other = next(others)
        return answer if is_kept_out(answer) else replace(answer, codings=other.codings)

    readings: dict[str, Callable[[CodedAnswer], CodedAnswer]] = {
        "as coded": lambda answer: answer,
        "with a habit": by_habit,
        "mixed up": mixed_up,
    }
    for number, (name, reading) in enumerate(readings.items()):
        reviewed = [ReviewedAnswer(answer=reading(each), is_random=True) for each in read]
        at = time.perf_counter()
        said: dict[str, Any] = {}
        try:
            update = update_model(
                reviewed, base=FAST_PATH, out=folder / str(number), progress=lambda *_: None
            )
            said = _figures(update)
        except WorseError as worse:
            said = {"refused": "worse"} | _figures(worse.update)
        except TrainError as refused:
            said = {"refused": str(refused).partition(",")[0]}
        seconds = round(time.perf_counter() - at, 1)
        yield {"measure": "updating", "reviewed": name, "seconds": seconds, **said}


def _figures(update: Update) -> dict[str, Any]:
    return {
        "learnt": update.n_learnt,
        "kept_out": update.n_kept_out,
        "macro_f1_before": round(update.before, 3),
        "macro_f1_after": round(update.after, 3),
        "difference_low": round(update.low, 3),
        "difference_high": round(update.high, 3),
    }
