"""The database, where that is a SQLite file: rights, room, size, damage.

What lives here: looking at the file and asking SQLite, for reading only. What must not: what
the rows mean (``work.py``).
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.finding import Finding, grown, how_much, ok, trouble, warning
from storage.driver import Driver

__all__ = ["damage", "file_and_folder", "room", "size"]

#: Below this a disk is as good as full, in bytes.
_SCANT = 100_000_000

#: A log beyond this is not cut by anybody, in bytes.
_LONG_LOG = 200_000_000


def file_and_folder(path: Path) -> Iterator[Finding]:
    """Look at the rights of the database and of its folder."""
    check = "database rights"
    folder = path.parent
    if not os.access(folder, os.W_OK):
        yield trouble(
            check,
            f"{folder} may not be written, and SQLite keeps its log in it.",
            "Give the account that runs `pulse` the right to write in that folder.",
        )
    elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield trouble(
            check,
            f"{path} may not be read and written.",
            "Give it to the account that runs `pulse`: chown, and chmod 600.",
        )
    elif path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        yield warning(
            check,
            f"Other accounts of this computer may open it (mode {mode:o}): people's answers"
            " and addresses are in it.",
            f"chmod 600 {path}",
        )
    elif path.exists():
        yield ok(check, "Only its owner may open it.")


def room(path: Path) -> Iterator[Finding]:
    """Look at how large the database is, and how much room is left."""
    size = path.stat().st_size
    log = path.with_name(f"{path.name}-wal")
    log_size = log.stat().st_size if log.exists() else 0
    free = shutil.disk_usage(path.parent).free
    if free < _SCANT:
        yield trouble(
            "disk",
            f"Only {how_much(free)} are free beside the database.",
            "Make room: when the disk is full, no answer can be kept.",
        )
    elif free < 2 * (size + log_size):
        yield warning(
            "disk",
            f"{how_much(free)} are free; the database has {how_much(size + log_size)}.",
            "Make room, or put backups elsewhere (--out): one needs as much as the database.",
        )
    else:
        yield ok("disk", f"{how_much(free)} are free beside the database.")
    if log_size > _LONG_LOG:
        yield warning(
            "database log",
            f"{log.name} has grown to {how_much(log_size)}.",
            "Something reads for very long (an export, a tool that shows the database): end it.",
        )


def size(path: Path, driver: Driver, *, answers: int, recent: int) -> Finding:
    """Tell how large the database is, and how it grows.

    Args:
        path: Of the file.
        driver: For reading.
        answers: How many there are.
        recent: How many of them are of the last seven days.
    """
    whole = path.stat().st_size
    row = driver.one("select * from pragma_freelist_count(), pragma_page_size()", {})
    free = 0 if row is None else int(row["freelist_count"]) * int(row["page_size"])
    unused = f" {how_much(free)} of it are free for what comes." if free > whole / 10 else ""
    return ok("database size", grown(whole - free, whole, answers, recent) + unused)


def damage(driver: Driver, *, deep: bool) -> Finding:
    """Let SQLite look for damage.

    Args:
        driver: For reading.
        deep: Whether indexes are compared with their tables too, which takes longer.
    """
    check = "database integrity"
    pragma = "integrity_check" if deep else "quick_check"
    row = driver.one(f"pragma {pragma}(1)", {})
    if row is None or row[pragma] != "ok":
        return trouble(
            check,
            "SQLite finds damage in the file.",
            "Stop `pulse run` and bring back the last backup: `pulse restore FILE --replace`"
            " keeps the damaged file beside it.",
        )
    if deep and driver.all("pragma foreign_key_check", {}):
        return trouble(
            check,
            "There are rows whose owner is missing.",
            "Stop `pulse run` and bring back the last backup: `pulse restore FILE --replace`.",
        )
    return ok(check, "SQLite finds no damage." if deep else "A quick look finds no damage.")
