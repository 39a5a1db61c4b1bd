"""Lets a new model read old answers.

What lives here: answer after answer to the tagger's process and back into the store. What must
not: the reading of new ones while people talk (``coding.py``), or figures. The store knows which
model read an answer last, so what was stopped goes on where it was. Earlier models' tags stay,
and so does what people said of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.tagger_process import Read, TaggerProcess
from nlp.languages import NOT_TAGGED
from nlp.tagger import provenance
from storage.protocol import Store, UntaggedAnswer
from storage.writer import Writer

__all__ = ["Retagged", "retag"]

_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Retagged:
    """What came of it.

    Attributes:
        version: The model's ``name@hash``.
        n_read: Answers that it has read now.
        n_tags: Tags that it gave them.
        n_foreign: Answers of these in a language that it does not know.
        n_broken: Answers that it could not read. What another model said of them holds on.
        n_gone: Answers whose words were changed or erased meanwhile.
    """

    version: str
    n_read: int = 0
    n_tags: int = 0
    n_foreign: int = 0
    n_broken: int = 0
    n_gone: int = 0


async def retag(
    writer: Writer,
    process: TaggerProcess,
    *,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    progress: Callable[[int, int], None],
) -> Retagged:
    """Let a model read every answer that another one, or none, read last.

    Args:
        writer: The store's own thread.
        process: The model, not started; ended when this is done.
        now: Gives aware UTC.
        new_id: Gives a fresh id for a coding.
        progress: Called with how many answers are done, and how many there are.

    Raises:
        TaggerError: The model does not start.
        StoreError: The store cannot be used; what was read is kept.
    """
    try:
        version = await process.start()
        total = await writer.run(lambda store: store.count_tagged_otherwise(version))
        done, after = Retagged(version=version), ("", "")
        n = 0
        progress(n, total)
        while answers := await writer.run(_page(version, after)):
            results = await process.read(answers)
            if results is None:
                break
            read = list(zip(answers, results, strict=True))
            done = await writer.run(_kept(read, done, now, new_id))
            after = (answers[-1].response_id, answers[-1].question_id)
            n += len(answers)
            progress(n, max(n, total))
        return done
    finally:
        await process.end()


def _page(version: str, after: tuple[str, str]) -> Callable[[Store], list[UntaggedAnswer]]:
    return lambda store: store.tagged_otherwise(version, after=after, limit=_BATCH)


def _kept(
    read: list[tuple[UntaggedAnswer, Read]],
    before: Retagged,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> Callable[[Store], Retagged]:
    def keep(store: Store) -> Retagged:
        n_read, n_tags = before.n_read, before.n_tags
        n_foreign, n_broken, n_gone = before.n_foreign, before.n_broken, before.n_gone
        for answer, (codings, error, pipeline) in read:
            broken = error is not None and error != NOT_TAGGED
            n_broken += broken
            if broken and answer.read_before:
                continue
            kept = store.save_codings(
                answer,
                codings,
                coding_ids=[new_id() for _ in codings],
                coder=provenance(before.version, pipeline),
                at=now(),
                error=error,
            )
            n_gone += not kept
            n_read += kept and not broken
            n_tags += len(codings) if kept else 0
            n_foreign += kept and error == NOT_TAGGED
        return Retagged(
            version=before.version, n_read=n_read, n_tags=n_tags, n_foreign=n_foreign,
            n_broken=n_broken, n_gone=n_gone,
        )  # fmt: skip

    return keep
