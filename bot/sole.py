"""Who uses a SQLite database: each part of ``pulse run`` holds a lock beside the file.

What lives here: the locks' names, taking them, and asking after them. What must not: what
several programs share on PostgreSQL, which has ``bot.worker``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.errors import CannotError

__all__ = ["ROLES", "is_in_use", "sole_use"]

#: What a program can do of it all: read what people do and serve pages, send, open and remind
#: and close, read answers.
ROLES = ("web", "delivery", "schedule", "tagging")


@contextmanager
def sole_use(
    database: Path | None, roles: Collection[str] = ROLES, *, advice: str = "Stop it first."
) -> Iterator[None]:
    """Hold the database for parts of ``pulse run``: two of one would send everything twice.

    Args:
        database: The file; None where others may use it too.
        roles: The parts, of ``ROLES``.
        advice: What to do where another program does one of them.

    Raises:
        CannotError: Another program does one of them.
    """
    if database is None:
        yield
        return
    with ExitStack() as held:
        for role in sorted(roles):
            held.enter_context(_locked(database, role, advice))
        yield


def is_in_use(database: Path) -> bool:
    """Whether a program does any part of ``pulse run`` on a SQLite database."""
    return any(_is_locked(_lock_of(database, role)) for role in ROLES)


def _lock_of(database: Path, role: str) -> Path:
    return database.with_name(f"{database.name}.{role}.lock")


@contextmanager
def _locked(database: Path, role: str, advice: str) -> Iterator[None]:
    lock = _lock_of(database, role)
    try:
        handle = lock.open("w")
    except OSError as trouble:
        raise CannotError(
            f"{lock.parent} cannot be written to ({trouble.strerror}): change storage.url or"
            " the folder's rights."
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotError(f"Another `pulse run` uses {database} ({role}). {advice}") from None
        yield


def _is_locked(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
