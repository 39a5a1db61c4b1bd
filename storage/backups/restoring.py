"""Bringing a backup back: verified first, then all or nothing, then proved.

What lives here: opening a backup of whatever form, and filling a database from it. What
must not: how an engine makes room (``storage/filling.py``), or words for the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dialogues.errors import StoreError, UserError
from storage.backups.carrying import Carried, carry_over, drop_waiting
from storage.backups.database import DatabaseBackup
from storage.backups.dump import DumpBackup
from storage.backups.manifest import Manifest, check_version
from storage.backups.portable import PortableBackup
from storage.copying import Progress, TableSum, copy_all
from storage.filling import Filling

__all__ = ["Backup", "Restored", "fill_from", "open_backup"]

Backup = DatabaseBackup | PortableBackup | DumpBackup

#: How files of each form begin.
_KINDS: dict[bytes, type[Backup]] = {
    b"SQLite format 3\0": DatabaseBackup,
    b"PK\x03\x04": PortableBackup,
    b"PGDMP": DumpBackup,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of bringing a backup back.

    Attributes:
        manifest: Of the backup; None where it was a mere copy of a database.
        tables: What was brought back, before anything was put right in it.
        carried: What was put right from the earlier database; None where there was none
            that could be read.
        unreadable: Whether there was an earlier one that could not be read.
        waiting: Messages that wait to be sent now.
        dropped: Messages that waited and were dropped, as asked.
        kept: Where the earlier database is now; empty where there was none.
    """

    manifest: Manifest | None
    tables: tuple[TableSum, ...]
    carried: Carried | None
    unreadable: bool
    waiting: int
    dropped: int
    kept: str


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup, whatever its form.

    Raises:
        UserError: There is no such file.
        StoreError: It is none, or damaged, or of a newer version.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(16)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    kind = next((kind for mark, kind in _KINDS.items() if begins.startswith(mark)), None)
    if kind is None:
        raise StoreError(
            f"{path} is damaged or no backup of Commonpulse. Nothing was changed; take another"
            " file."
        )
    backup = kind(path)
    try:
        check_version(backup.migrations, str(path))
        yield backup
    finally:
        backup.close()


def fill_from(
    backup: Backup,
    filling: Filling,
    *,
    at: datetime,
    new_id: Callable[[], str],
    drop: bool,
    progress: Progress,
) -> Restored:
    """Fill a database from a backup that was verified.

    Args:
        backup: Where the rows come from.
        filling: What is filled.
        at: Now, aware.
        new_id: Gives a fresh id.
        drop: Whether to drop the messages that waited when the backup was made.
        progress: Told how far it is.

    Raises:
        StoreError: It could not be done, and is to be undone.
    """
    driver = filling.driver
    driver.migrate(backup.migrations)
    manifest: Manifest | None = backup.manifest
    total = manifest.rows if manifest is not None else 0
    tables = copy_all(backup, driver, total=total, progress=progress)
    if manifest is not None and manifest.tables != tuple(tables):
        raise StoreError("What was read differs from what was verified; nothing of it was kept.")
    driver.migrate()
    carried = None
    if filling.earlier is not None:
        carried = carry_over(driver, filling.earlier, at=at, new_id=new_id)
        filling.erased = carried.erased > 0
    dropped = drop_waiting(driver) if drop else 0
    row = driver.one("select count(*) as n from outbox where state in ('pending', 'claimed')", {})
    return Restored(
        manifest=manifest,
        tables=tuple(tables),
        carried=carried,
        unreadable=filling.unreadable,
        waiting=0 if row is None else int(row["n"]),
        dropped=dropped,
        kept=filling.kept,
    )
