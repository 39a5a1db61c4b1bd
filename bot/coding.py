"""Tags new answers, off the reply path.

What lives here: asking the store what was not read yet, handing it to the tagger's process,
saving what came of it. An answer that was left unread by a crash is read after the restart,
since the store knows. A text that breaks the tagger's process is set aside by its ids alone,
and the rest go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.observer import UNOBSERVED, Observer
from dialogues.coding import Coding, Stance
from dialogues.errors import StoreError, TaggerError
from nlp.tagger import provenance
from storage.protocol import Store, UntaggedAnswer
from storage.writer import Writer

__all__ = ["Coder"]

log = logging.getLogger(__name__)

_BATCH = 32
_IDLE_SECONDS = 2.0
_LONGEST_WAIT = 300.0

#: The longest that one batch may take before its process is taken for stuck.
_STUCK_SECONDS = 120.0

#: A batch of long answers is one long line.
_LINE_LIMIT = 64 * 1024 * 1024


#: What was made of one answer, what went wrong with it, and which pipeline beside the model's
#: read it.
_Read = tuple[tuple[Coding, ...], str | None, str | None]


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
        folder = [str(model)] if model is not None else []
        self._command = list(command or [sys.executable, "-m", "nlp.worker", *folder])
        self._process: asyncio.subprocess.Process | None = None
        self._version = ""
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
                await self._end_process()
            if not busy:
                await self._rest(wait)
        await self._end_process()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def stop(self) -> None:
        """End the tagger's process at once; what it was reading is read after the restart."""
        self._stopping.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _round(self) -> bool:
        if self._version:
            version = self._version
        else:
            # Nothing to read, no process: a quiet installation pays for no tagger.
            waiting = await self._writer.run(lambda store: store.untagged("", limit=1))
            if not waiting:
                return False
            version = await self._start_process()
        place, count = self._share()
        found = await self._writer.run(lambda store: store.untagged(version, limit=_BATCH * count))
        answers = [one for one in found if _whose(one, count) == place][:_BATCH]
        if not answers:
            return False
        await self._read(answers, version)
        return True

    async def _read(self, answers: list[UntaggedAnswer], version: str) -> None:
        """Read a batch; where it breaks the process, read its answers one by one."""
        clock = asyncio.get_running_loop().time
        began = clock()
        results = await self._ask(answers)
        seconds = clock() - began
        if results is None and self._stopping.is_set():
            return
        if results is None and len(answers) > 1:
            for answer in answers:
                await self._read([answer], version)
            return
        if results is None:
            log.error("An answer could not be tagged: %s", answers[0].response_id)
            results = [((), "the tagger broke on it", None)]
        read = list(zip(answers, results, strict=True))
        await self._writer.run(lambda store: self._save(store, read, version))
        n_failed = sum(error is not None for _, error, _ in results)
        self._observer.tagged(len(results) - n_failed, n_failed, seconds)

    def _save(self, store: Store, read: list[tuple[UntaggedAnswer, _Read]], version: str) -> None:
        for answer, (codings, error, pipeline) in read:
            store.save_codings(
                answer,
                codings,
                coding_ids=[self._new_id() for _ in codings],
                coder=provenance(version, pipeline),
                at=self._now(),
                error=error,
            )

    # The process ----------------------------------------------------------------------

    async def _ask(self, answers: list[UntaggedAnswer]) -> list[_Read] | None:
        """Give what the tagger makes of the answers; None when its process broke, or says
        what nobody can read.
        """
        if self._stopping.is_set():
            return None
        if self._process is None:
            await self._start_process()
        items = [
            {"text": answer.text, "question": answer.question, "language": answer.language}
            for answer in answers
        ]
        reply = await self._exchange(json.dumps(items))
        results = None if reply is None else _results(reply, len(answers))
        if results is None:
            await self._end_process()
        return results

    async def _exchange(self, line: str | None) -> str | None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            async with asyncio.timeout(_STUCK_SECONDS):
                if line is not None:
                    process.stdin.write(line.encode() + b"\n")
                    await process.stdin.drain()
                reply = await process.stdout.readline()
        except (OSError, TimeoutError, ValueError):
            return None
        return reply.decode() if reply.endswith(b"\n") else None

    async def _start_process(self) -> str:
        """Start the tagger's process and give its version.

        Raises:
            TaggerError: It does not start.
        """
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environ,
                limit=_LINE_LIMIT,
                cwd=Path(__file__).parents[1],
            )
        except OSError as trouble:
            raise TaggerError(f"{trouble.strerror or 'its process cannot be made'}.") from None
        version = _version(await self._exchange(None))
        if version is None:
            await self._end_process()
            raise TaggerError("run `pulse tag hello` to see why.")
        self._version = version
        return version

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 2)
        except TimeoutError:
            process.kill()
            await process.wait()


def _whose(answer: UntaggedAnswer, count: int) -> int:
    """Give which of so many programs reads an answer: the same one, whoever asks."""
    return zlib.crc32(f"{answer.response_id} {answer.question_id}".encode()) % count


def _version(line: str | None) -> str | None:
    """Read the first line of the tagger's process; None when it is none of its."""
    try:
        return str(json.loads(line or "")["version"])
    except (ValueError, LookupError, TypeError):
        return None


def _results(line: str, count: int) -> list[_Read] | None:
    """Read what the tagger makes of so many answers; None when it is nothing of the kind."""
    try:
        results = [
            (tuple(map(_coding, one["codings"])), one["error"], one.get("pipeline"))
            for one in json.loads(line)
        ]
    except (ValueError, LookupError, TypeError):
        return None
    return results if len(results) == count else None


def _coding(item: dict[str, Any]) -> Coding:
    stance = Stance(item["stance"]) if item["stance"] is not None else None
    return Coding(**{**item, "stance": stance})
