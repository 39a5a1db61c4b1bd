"""Does things to a database, each in a process of its own that meets with an accident.

``python -m tests.backups.child`` reads one job a line (a list of words in JSON), does it in a
fork of itself, and answers with how that ended and what it said: forking is far quicker than
starting anew, and this process has no other threads that it could hurt.

A job: its words, then an accident. Jobs: ``backup URL FORM FILE``, ``restore FILE URL``,
``move URL URL``.
Accidents: ``kill N`` at the Nth word on how far it is; ``kill-moving N`` at the Nth renaming or
linking; ``full N`` when a file would grow beyond N bytes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import storage.copying
from dialogues.errors import CommonpulseError
from storage.backups.making import make_backup
from storage.backups.restoring import fill_from, open_backup
from storage.filling import filling_at
from storage.moving import move_all
from tests.backups.conftest import AT, ids

#: What a job that was refused ends with.
REFUSED = 3

#: What one ends with that should not have ended so.
CRASHED = 4


class Accident:
    """Something that happens at a certain moment."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def do(job: str, *words: str) -> tuple[int, str]:
    """Do a job; gives what to end with and what to say."""
    *arguments, accident, number = words
    progress = Accident(int(number) if accident == "kill" else 0)
    storage.copying._EVERY = 1
    if accident == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(number), int(number)))
    if accident == "kill-moving":
        sys.addaudithook(_at_moving(Accident(int(number))))
    try:
        if job == "backup":
            url, form, file = arguments
            make_backup(url, Path(file), form=form, at=AT, program="0.1.0", progress=progress)
        elif job == "move":
            source, target = arguments
            move_all(source, target, name="it", at=AT, progress=progress)
        else:
            file, url = arguments
            with open_backup(Path(file)) as backup:
                backup.verify(lambda *_: None)
                with filling_at(url, replace=True, at=AT) as filling:
                    fill_from(backup, filling, at=AT, new_id=ids(), drop=False, progress=progress)
    except CommonpulseError as trouble:
        return REFUSED, str(trouble)
    return 0, ""


def _at_moving(accident: Accident) -> Any:
    def hook(event: str, _: Any) -> None:
        if event in {"os.rename", "os.link"}:
            accident()

    return hook


def main() -> None:
    """Do what is asked, until nothing is."""
    for line in sys.stdin:
        hears, says = os.pipe()
        child = os.fork()
        if child == 0:
            code = CRASHED
            try:
                code, words = do(*json.loads(line))
                os.write(says, words.encode())
            finally:
                os._exit(code)
        os.close(says)
        with open(hears) as file:
            words = file.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([code, words]), flush=True)


if __name__ == "__main__":
    main()
