"""A private folder beside a target, to make something in that is moved into place whole.

What lives here: the folder, its lock, and clearing away what a killed program left. What
must not: what is made in it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["private_folder", "sync"]


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a fresh folder for its owner's eyes only; at the end it goes, and all that is in it.

    What killed programs left under the same prefix is cleared away first.

    Args:
        parent: Where it lies: beside the target, so that moving is renaming.
        prefix: Of its name.

    Raises:
        OSError: It cannot be written.
    """
    _clear(parent, prefix)
    private = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    lock = os.open(private, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield private
    finally:
        os.close(lock)
        shutil.rmtree(private, ignore_errors=True)


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _clear(parent: Path, prefix: str) -> None:
    """Remove what killed programs left; one that is still at work holds its lock."""
    for left in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            lock = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
