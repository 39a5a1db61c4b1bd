"""How fast answers are tagged by either shipped model, one at a time and in batches, and what
that costs the process that replies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

__all__ = ["beside", "tagging"]

_LONGEST = 25_000
"""Characters of the longest answer that is read to its end."""

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


def beside(*, answers: int, longest: int = _LONGEST) -> Iterator[dict[str, Any]]:
    """Measure what reading in the tagger's own process costs the loop that replies.

    ``loop_held_ms`` is the longest that one callback held it, by the processor's clock of its
    thread: whatever else the machine does is not in it.
    """
    from nlp.shipped import model_folder

    for name in ("default", "fast"):
        short = [f"{_SAID[number % len(_SAID)]} ({number})" for number in range(answers)]
        long = (f"{_SAID[1]} " * longest)[:longest]
        for texts in (short, [long]):
            seconds, held = asyncio.run(_beside(model_folder(name), texts))
            yield {
                "measure": "tagging beside",
                "model": name,
                "answers": len(texts),
                "characters": sum(map(len, texts)),
                "seconds": round(seconds, 2),
                "loop_held_ms": round(1000 * held, 2),
            }


async def _beside(model: Path, texts: list[str]) -> tuple[float, float]:
    """Give how long reading took, and how long it held the loop at most, in seconds."""
    from bot.tagger_process import TaggerProcess
    from storage.protocol import UntaggedAnswer

    answers = [
        UntaggedAnswer(
            response_id=str(number), question_id="q", question="How are things?", language="en",
            text=text,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    process = TaggerProcess(model)
    await process.start()
    held = [0.0]
    run: Callable[[asyncio.Handle], None] = asyncio.Handle._run

    def clocked(handle: asyncio.Handle) -> None:
        at = time.thread_time()
        run(handle)
        held.append(time.thread_time() - at)

    try:
        with patch.object(asyncio.Handle, "_run", clocked):
            at = time.perf_counter()
            read = await process.read(answers)
            seconds = time.perf_counter() - at
    finally:
        await process.end()
    if read is None or any(error for _, error, _ in read):
        raise RuntimeError("an answer could not be tagged")
    return seconds, max(held)
