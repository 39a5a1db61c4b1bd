"""An empty database to fill, on PostgreSQL: everything happens in one transaction.

What lives here: making room in a database, and putting earlier tables aside in a schema of
their own. What must not: where the rows come from, or psycopg (``pool.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime

from dialogues.errors import StoreBusy, StoreError, UserError
from storage.driver import Driver
from storage.earlier import Earlier
from storage.filling import Filling, holds_nothing
from storage.open import open_driver
from storage.postgres_steps import LOCK, TAKEN
from storage.schema import be_patient, counter, table_names
from storage.tables import in_order
from storage.uptime import is_somebody_up
from storage.urls import PostgresPlace

__all__ = ["fill_postgres"]


@contextmanager
def fill_postgres(
    place: PostgresPlace, *, replace: bool, at: datetime, may_replace: bool
) -> Iterator[Filling]:
    """Give a database on PostgreSQL to fill; nothing is seen of it before the end.

    Args:
        place: Where. No `pulse run` may be using it.
        replace: Whether tables that are there may be put aside, into a schema of their own.
        at: Now, aware UTC; the name of that schema has it.
        may_replace: As in ``filling_at``.

    Raises:
        UserError: There is something in it, and ``replace`` was not given.
        StoreError: It cannot be written, or somebody is using its tables.
    """
    with closing(open_driver(place.url)) as driver:
        with driver.transaction():
            be_patient(driver)
            # Whoever else makes tables, or fills them, waits till we are done.
            driver.run(f"select pg_advisory_xact_lock({LOCK})", {})
            filling = _with_room(driver, place, replace=replace, at=at, may_replace=may_replace)
            yield filling
        # It is done by now; the server makes up for what fails here by itself, later.
        with suppress(StoreError):
            driver.run("analyze", {})
        with suppress(StoreError):
            if filling.erased:
                driver.scrub()


def _with_room(
    driver: Driver, place: PostgresPlace, *, replace: bool, at: datetime, may_replace: bool
) -> Filling:
    names = sorted(table_names(driver))
    if not names:
        return Filling(driver=driver)
    if is_somebody_up(driver, now=at):
        raise StoreBusy(f"`pulse run` is up on {place.name}. Stop it first, everywhere.")
    try:
        empty = holds_nothing(driver)
    except StoreError as error:
        raise UserError(
            f"{place.name} cannot be filled: {error}. Choose another database."
        ) from None
    if empty:
        driver.run(f"drop table {', '.join([*names, TAKEN])}", {})
        return Filling(driver=driver)
    if not replace:
        aside = ", or give --replace to put its tables aside into a schema of their own"
        raise UserError(
            f"{place.name} holds something already. Name another database with"
            f" --to{aside if may_replace else ''}."
        )
    counters = {
        table.name: counter(driver, table.name, table.serial)
        for table in in_order(names)
        if table.serial is not None
    }
    schema = f"before_{at:%Y%m%dt%H%M%Sz}"
    driver.run(f"create schema {schema}", {})
    for name in (*names, TAKEN):
        driver.run(f"alter table {name} set schema {schema}", {})
    return Filling(
        driver=driver,
        earlier=Earlier(driver, schema=schema, counters=counters),
        kept=f"schema {schema} of {place.name}",
    )
