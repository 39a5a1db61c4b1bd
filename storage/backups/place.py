"""The file of a backup: whole under its name, or not there; and which old ones go.

What lives here: names, rights and moving into place. What must not: what is in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dialogues.errors import UserError
from storage.private import private_folder, sync

__all__ = ["file_name", "forget_pages", "remove_older", "whole_file"]

_PREFIX = ".pulse-backup.partial-"


def file_name(stem: str, at: datetime, ending: str) -> str:
    """Name a backup: names of one database sort as their times do.

    Args:
        stem: Of the database.
        at: Aware.
        ending: Of the form, with its point.
    """
    return f"{stem}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{ending}"


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path to write to, for its owner's eyes only; it becomes ``target`` when the
    block ends well, and leaves nothing when it does not.

    What is at the path at the end of the block has to be closed.

    Raises:
        UserError: There is something at ``target`` already.
        OSError: It cannot be written.
    """
    if target.exists() or target.is_symlink():
        raise UserError(f"{target} is there already. Choose another name with --out.")
    if not target.parent.is_dir():
        # A folder of backups holds what the database holds.
        target.parent.mkdir(mode=0o700, parents=True)
    with private_folder(target.parent, _PREFIX) as private:
        path = private / target.name
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield path
        sync(path)
        if target.exists():
            raise UserError(f"{target} is there already. Choose another name with --out.")
        path.rename(target)
        sync(target.parent)


def forget_pages(path: Path) -> None:
    """See that a file is on the disk, and let the next reading come from there and not from
    memory, where the system can do that.
    """
    sync(path)
    if hasattr(os, "posix_fadvise"):
        file = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def remove_older(folder: Path, stem: str, *, keep: int) -> list[Path]:
    """Remove the oldest backups of a database.

    Args:
        folder: Where they are; files that are not named as ``file_name`` does are left alone.
        stem: Of the database.
        keep: How many stay, the newest.

    Returns:
        What was removed, oldest first.
    """
    named = re.compile(rf"{re.escape(stem)}-(\d{{8}}T\d{{6}}Z)\.[a-z]+")
    found = [(match[1], path) for path in folder.iterdir() if (match := named.fullmatch(path.name))]
    older = [path for _, path in sorted(found)[: max(0, len(found) - keep)]]
    for path in older:
        path.unlink()
    sync(folder)
    return older
