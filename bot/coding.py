"""Tags new answers, off the reply path.

What lives here: asking the store what was not read yet, handing it to the tagger's process,
saving what came of it. An answer that was left unread by a crash is read after the restart,
since the store knows. A text that breaks the tagger's process is set aside by its ids alone,
and the rest go on. What must not: reading old answers anew (``retagging.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bot.observer import UNOBSERVED, Observer
from bot.tagger_process import Read, TaggerProcess
from dialogues.errors import StoreError, TaggerError
from nlp.tagger import provenance
from storage.protocol import Store, UntaggedAnswer
from storage.writer import Writer

__all__ = ["Coder"]

log = logging.getLogger(__name__)

_BATCH = 32
_AT_ONCE = 4_000
"""Characters that are handed to the tagger at once, where more than one answer is: with the
larger model a second or two, so that no answer waits for many long ones.
"""
_IDLE_SECONDS = 2.0
_LONGEST_WAIT = 300.0


class Coder:
    """Keeps the tagger's process and feeds it."""

    def __init__(
        self,
        writer: Writer,
        *,
        model: Path | None,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        command: Sequence[str] | None = None,
        observer: Observer = UNOBSERVED,
        share: Callable[[], tuple[int, int]] = lambda: (0, 1),
        able: Callable[[bool], None] = lambda _able: None,
    ) -> None:
        """Make a coder.

        Args:
            writer: The store's own thread.
            model: A model's folder; None for the shipped one.
            now: Gives aware UTC.
            new_id: Gives a fresh id for a coding.
            command: Starts the tagger's process; by default ``nlp.worker``.
            observer: Told of what was read.
            share: Our place, from 0, among the programs that tag, and how many they are: each
                reads its part of the answers.
            able: Told whether the tagger works here; where it does not, the others read ours.
        """
        self._writer = writer
        self._now = now
        self._new_id = new_id
        self._observer = observer
        self._share = share
        self._able = able
        self._process = TaggerProcess(model, command)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Read what is unread until ``stop`` is called."""
        wait = _IDLE_SECONDS
        while not self._stopping.is_set():
            try:
                busy = await self._round()
                wait = _IDLE_SECONDS
                self._able(True)
            except StoreError as trouble:
                log.warning("Answers cannot be read from the store: %s", trouble)
                busy = False
            except TaggerError as trouble:
                if not self._stopping.is_set():
                    log.error("The tagger does not start, answers wait: %s", trouble)
                    self._able(False)
                busy, wait = False, min(wait * 2, _LONGEST_WAIT)
            except Exception as defect:
                # Its text could hold somebody's words.
                log.error("Tagging broke, answers wait: %s", type(defect).__name__)
                busy, wait = False, min(wait * 2, _LONGEST_WAIT)
                await self._process.end()
            if not busy:
                await self._rest(wait)
        await self._process.end()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def stop(self) -> None:
        """End the tagger's process at once; what it was reading is read after the restart."""
        self._stopping.set()
        self._process.kill()

    async def _round(self) -> bool:
        version = self._process.version
        if not version:
            # Nothing to read, no process: a quiet installation pays for no tagger.
            waiting = await self._writer.run(lambda store: store.untagged("", limit=1))
            if not waiting:
                return False
            version = await self._process.start()
        place, count = self._share()
        found = await self._writer.run(lambda store: store.untagged(version, limit=_BATCH * count))
        answers = [one for one in found if _whose(one, count) == place][:_BATCH]
        for batch in _batches(answers):
            if not await self._read(batch, version):
                return False
        return bool(answers)

    async def _read(self, answers: list[UntaggedAnswer], version: str) -> bool:
        """Read a batch, and keep what came of it; False once the process was killed."""
        clock = asyncio.get_running_loop().time
        began = clock()
        results = await self._process.read(answers)
        seconds = clock() - began
        if results is None:
            return False
        read = list(zip(answers, results, strict=True))
        await self._writer.run(lambda store: self._save(store, read, version))
        n_failed = sum(error is not None for _, error, _ in results)
        self._observer.tagged(len(results) - n_failed, n_failed, seconds)
        return True

    def _save(self, store: Store, read: list[tuple[UntaggedAnswer, Read]], version: str) -> None:
        for answer, (codings, error, pipeline) in read:
            store.save_codings(
                answer,
                codings,
                coding_ids=[self._new_id() for _ in codings],
                coder=provenance(version, pipeline),
                at=self._now(),
                error=error,
            )


def _batches(answers: Sequence[UntaggedAnswer]) -> Iterator[list[UntaggedAnswer]]:
    """Give all of the answers, the short ones first, a few thousand characters at a time."""
    batch: list[UntaggedAnswer] = []
    n = 0
    for answer in sorted(answers, key=lambda one: len(one.text)):
        if batch and n + len(answer.text) > _AT_ONCE:
            yield batch
            batch, n = [], 0
        batch.append(answer)
        n += len(answer.text)
    if batch:
        yield batch


def _whose(answer: UntaggedAnswer, count: int) -> int:
    """Give which of so many programs reads an answer: the same one, whoever asks."""
    return zlib.crc32(f"{answer.response_id} {answer.question_id}".encode()) % count
