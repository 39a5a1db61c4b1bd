"""Moving to another database: all that one holds into an empty one, of whatever engines.

What lives here: the order of it. What must not: reading, copying and comparing rows
(``copying.py``), or making room (``filling.py``).
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from dialogues.errors import StoreBusy
from storage.backups.manifest import check_version
from storage.copying import DatabaseSource, Progress, TableSum, copy_all, count_rows
from storage.filling import filling_at
from storage.open import open_driver
from storage.uptime import is_somebody_up

__all__ = ["move_all"]


def move_all(
    source_url: str, target_url: str, *, name: str, at: datetime, progress: Progress
) -> list[TableSum]:
    """Copy everything, and compare; the source is left as it is.

    Args:
        source_url: Where it is.
        target_url: An empty database.
        name: Of the source, for people to read.
        at: Now, aware UTC.
        progress: Told how far it is.

    Returns:
        What each table holds, on both alike.

    Raises:
        UserError: The target is not empty.
        StoreError: It could not be done; nothing was left on the target.
    """
    with closing(open_driver(source_url, readonly=True)) as driver:
        if is_somebody_up(driver, now=at):
            raise StoreBusy(f"`pulse run` is up on {name}. Stop it first, everywhere.")
        with driver.transaction():
            source = DatabaseSource(driver)
            check_version(source.migrations, name)
            total = sum(count_rows(driver, source.columns).values())
            with filling_at(target_url, replace=False, at=at, may_replace=False) as filling:
                filling.driver.migrate(source.migrations)
                tables = copy_all(source, filling.driver, total=total, progress=progress)
                filling.driver.migrate()
    return tables
