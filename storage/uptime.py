"""Whether a `pulse run` is up on a database, by what its workers note there.

What lives here: that question, which care of a database asks. What must not: noting it
(``workers.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.driver import Driver
from storage.records import write_instant
from storage.schema import table_names
from storage.sql import queries

__all__ = ["LATELY", "is_somebody_up"]

#: A worker that was seen this short a time ago is up.
LATELY = timedelta(seconds=60)


def is_somebody_up(driver: Driver, *, now: datetime) -> bool:
    """Whether a worker was seen lately, by the clock that they go by.

    Args:
        driver: Of a database of whatever version.
        now: Aware.
    """
    if "workers" not in table_names(driver):
        return False
    clock = driver.one(queries(driver.engine)["clock"], {"now": write_instant(now)})
    theirs = now if clock is None else datetime.fromisoformat(clock["now"])
    found = driver.one(
        "select 1 as yes from workers where seen_at > :since limit 1",
        {"since": write_instant(theirs - LATELY)},
    )
    return found is not None
