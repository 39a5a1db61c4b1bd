"""The tagger in a process of its own: started, asked, ended.

What lives here: the lines that go in and come out (``nlp/worker.py`` is at the other end), and
finding the one answer on which it breaks. What must not: the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialogues.coding import Coding, Stance
from dialogues.errors import TaggerError
from storage.protocol import UntaggedAnswer

__all__ = ["Read", "TaggerProcess"]

log = logging.getLogger(__name__)

#: The longest that one batch may take before its process is taken for stuck. The longest answer
#: takes some ten seconds with the larger model, and the process gives way to all others.
_STUCK_SECONDS = 300.0

#: A batch of long answers is one long line.
_LINE_LIMIT = 64 * 1024 * 1024

#: What was made of one answer, what went wrong with it, and which pipeline beside the model's
#: read it.
Read = tuple[tuple[Coding, ...], str | None, str | None]


class TaggerProcess:
    """A tagger that may break, and is started anew where it does."""

    def __init__(self, model: Path | None, command: Sequence[str] | None = None) -> None:
        """Start nothing yet.

        Args:
            model: A model's folder; None for the shipped one.
            command: Starts the process; by default ``nlp.worker``.
        """
        folder = [str(model)] if model is not None else []
        self._command = list(command or [sys.executable, "-m", "nlp.worker", *folder])
        self._process: asyncio.subprocess.Process | None = None
        self._version = ""
        self._killed = False

    @property
    def version(self) -> str:
        """The model's ``name@hash``; empty before it was started."""
        return self._version

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    async def start(self) -> str:
        """Start the process and give its version.

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
            await self.end()
            raise TaggerError("run `pulse tag hello` to see why.")
        self._version = version
        return version

    async def read(self, answers: Sequence[UntaggedAnswer]) -> list[Read] | None:
        """Read answers; where they break the process, one by one.

        Returns:
            One each, in order; an answer that breaks the process has an error. None once the
            process was killed.

        Raises:
            TaggerError: It does not start again.
        """
        results = await self._ask(answers)
        if results is not None or self._killed:
            return results
        if len(answers) == 1:
            log.error("An answer could not be tagged: %s", answers[0].response_id)
            return [((), "the tagger broke on it", None)]
        singly: list[Read] = []
        for answer in answers:
            read = await self.read([answer])
            if read is None:
                return None
            singly += read
        return singly

    def kill(self) -> None:
        """End it at once, whatever it is reading, and start it no more."""
        self._killed = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> None:
        """End it in good order; it may be started again."""
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

    async def _ask(self, answers: Sequence[UntaggedAnswer]) -> list[Read] | None:
        """Give what the tagger makes of the answers; None when its process broke, or says
        what nobody can read.
        """
        if self._killed:
            return None
        if self._process is None:
            await self.start()
        items = [
            {"text": answer.text, "question": answer.question, "language": answer.language}
            for answer in answers
        ]
        reply = await self._exchange(json.dumps(items))
        results = None if reply is None else _results(reply, len(answers))
        if results is None:
            await self.end()
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


def _version(line: str | None) -> str | None:
    """Read the first line of the tagger's process; None when it is none of its."""
    try:
        return str(json.loads(line or "")["version"])
    except (ValueError, LookupError, TypeError):
        return None


def _results(line: str, count: int) -> list[Read] | None:
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
