"""Which machine this is, which process, and whether another one of it still lives.

So that a worker that was killed is found out at once by those beside it. Where the system does
not tell (it is Linux that does), nothing is known, and its silence tells in time.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

__all__ = ["is_gone", "this_machine", "this_process"]

_PROC = Path("/proc")


def this_machine() -> str:
    """Give what tells this machine, since it was started, from every other, and its containers
    from each other; empty where that cannot be told.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        numbers = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""
    return hashlib.blake2b(f"{boot} {numbers}".encode(), digest_size=16).hexdigest()


def this_process() -> str:
    """Give what tells this process from every other of its machine."""
    return _named(os.getpid())


def is_gone(machine: str, process: str) -> bool:
    """Whether a process is known to have ended; False where that cannot be told."""
    pid, _, began = process.partition(":")
    if not machine or machine != this_machine() or not pid.isdigit() or not began:
        return False
    return _named(int(pid)) != process


def _named(pid: int) -> str:
    """Give a process's number and when it began, as numbers are given out again."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return f"{pid}:"
    # Its name stands in brackets, and may hold anything.
    state, *fields = stat.rpartition(")")[2].split()
    return f"{pid}:" if state == "Z" else f"{pid}:{fields[18]}"
