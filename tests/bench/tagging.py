"""How fast answers are tagged by either shipped model, one at a time and in batches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

__all__ = ["tagging"]

_SAID = (
    "We all want the same thing for this street, and it shows in how we plan.",
    "Nobody told us that the office had closed, so people came for nothing.",
    "The charity and the council share one list now, which saves us hours.",
    "There is no money for anyone to meet, so we stopped meeting.",
    "I trust Aled. When he says it will be done by Friday, it is.",
    "Decisions are taken in a room that we are not in.",
    "Mae pawb yn gwybod pwy sy'n gwneud beth erbyn hyn.",
    "It works.",
)


def tagging(*, answers: int) -> Iterator[dict[str, Any]]:
    """Measure the shipped models, in this process, on one thread as ``pulse run`` has it."""
    started = time.perf_counter()
    from nlp.load import load_tagger
    from nlp.tagger import ToTag

    imported = time.perf_counter()
    # No two alike, so that nothing remembered helps.
    said = [
        ToTag(text=f"{_SAID[number % len(_SAID)]} ({number})", language="en")
        for number in range(answers)
    ]
    for name in ("default", "fast"):
        opened = time.perf_counter()
        tagger = load_tagger(name)
        loaded = time.perf_counter()
        tagger.tag(said[:4])
        single = []
        for answer in said:
            at = time.perf_counter()
            tagger.tag([answer])
            single.append(time.perf_counter() - at)
        at = time.perf_counter()
        tagged = tagger.tag(said)
        batch = time.perf_counter() - at
        if any(result.error for result in tagged):
            raise RuntimeError("an answer could not be tagged")
        single.sort()
        yield {
            "measure": "tagging",
            "answers": answers,
            "model": name,
            "version": tagger.version,
            "import_s": round(imported - started, 3),
            "load_s": round(loaded - opened, 3),
            "single_p50_ms": round(1000 * single[len(single) // 2], 2),
            "single_per_second": round(answers / sum(single), 1),
            "batch_per_second": round(answers / batch, 1),
        }
