"""Copying everything that is kept from one place into an empty database, and proving it.

What lives here: where rows can come from, reading tables in the order of their keys, copying
them and comparing what arrived. What must not: files and their formats (``backups/``), or
anything of one engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from dialogues.errors import StoreError
from storage.digest import Digest, line_writer
from storage.driver import Driver
from storage.schema import be_patient, columns_of, counter, set_counter
from storage.tables import KeptTable, in_order

__all__ = [
    "DatabaseSource",
    "Progress",
    "Source",
    "TableSum",
    "copy_all",
    "count_rows",
    "rows_of",
    "stepping",
    "sum_of",
    "sums_of",
]

#: Called with what is being done, how many rows are done and how many there are.
Progress = Callable[[str, int, int], None]

#: How often progress is told, in rows.
_EVERY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSum:
    """What a table holds, in short.

    Attributes:
        columns: In the order of their names.
        digest: 32 digits, the same on every engine.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    digest: str


class Source(Protocol):
    """Where rows come from.

    Attributes:
        migrations: Names of those that made its tables, in order.
        columns: Of each table, in the order of their names.
        counters: Of each table with a counted column, the highest number ever given out.
    """

    migrations: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    counters: Mapping[str, int]

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Give the rows of a table, values in the order of ``columns``."""
        ...


class DatabaseSource:
    """A database, read within one transaction of its driver so that it is one state.

    Args:
        driver: In a transaction.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        be_patient(driver)
        self.migrations: tuple[str, ...] = tuple(driver.applied())
        self.columns: Mapping[str, tuple[str, ...]] = columns_of(driver)
        self.counters: Mapping[str, int] = {
            table.name: counter(driver, table.name, table.serial)
            for table in in_order(self.columns)
            if table.serial is not None
        }

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Give the rows of a table, by its key, values in the order of ``columns``."""
        [known] = in_order([table])
        return rows_of(self._driver, known, self.columns[table])


def rows_of(driver: Driver, table: KeptTable, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Give the rows of a table, by its key, streaming."""
    names = ", ".join(columns)
    order = ", ".join(table.key or columns)
    # The names are those that the database gave of itself.
    sql = f"select {names} from {table.name} order by {order}"  # noqa: S608
    if driver.engine == "sqlite":
        yield from map(tuple, cast(Iterator[Sequence[Any]], driver.each(sql, {})))
    else:
        for row in driver.each(sql, {}):
            yield tuple(row[column] for column in columns)


def count_rows(driver: Driver, names: Iterable[str]) -> dict[str, int]:
    """Count the rows of tables."""
    counts = {}
    for name in names:
        row = driver.one(f"select count(*) as n from {name}", {})  # noqa: S608
        counts[name] = int(row["n"]) if row is not None else 0
    return counts


def sum_of(
    rows: Iterable[Sequence[Any]], table: str, columns: Sequence[str], step: Callable[[], None]
) -> TableSum:
    """Read rows and give what they come to.

    Args:
        rows: Values in the order of ``columns``.
        table: Their table's name.
        columns: In the order of their names.
        step: Called with each row.
    """
    digest, write = Digest(), line_writer(columns)
    for values in rows:
        digest.add(write(values))
        step()
    return TableSum(name=table, columns=tuple(columns), rows=digest.rows, digest=digest.hex)


def sums_of(driver: Driver, progress: Progress, *, what: str = "reading back") -> list[TableSum]:
    """Read a whole database and give what each table holds, in the order of the list.

    Args:
        driver: In a transaction.
        progress: Told how far it is.
        what: How it is called there.
    """
    source = DatabaseSource(driver)
    counts = count_rows(driver, source.columns)
    step = stepping(progress, what, sum(counts.values()))
    return [
        sum_of(source.rows(table.name), table.name, source.columns[table.name], step)
        for table in in_order(source.columns)
    ]


def copy_all(source: Source, target: Driver, *, total: int, progress: Progress) -> list[TableSum]:
    """Copy every row into a database without any, and read back that it is all there.

    Args:
        source: One state of it.
        target: In a transaction. Its tables are made by the source's migrations, and hold
            nothing.
        total: How many rows there are, for ``progress`` only.
        progress: Told how far it is.

    Returns:
        What each table holds, in the order of the list.

    Raises:
        StoreError: The tables are not those of the source, or what arrived differs.
    """
    there = columns_of(target)
    if there != dict(source.columns):
        strange = sorted(
            name
            for name in {*there, *source.columns}
            if there.get(name) != source.columns.get(name)
        )
        raise StoreError(
            f"The tables are not as their version of Commonpulse makes them ({strange[0]}), so"
            " they cannot be copied. Nothing was changed."
        )
    step = stepping(progress, "copying", total)
    copied = []
    for table in in_order(source.columns):
        taking = _Taking(source, table, step)
        target.load(table.name, taking.columns, taking)
        copied.append(taking.sum)
        if table.serial is not None:
            set_counter(target, table.name, table.serial, source.counters.get(table.name, 0))
    arrived = sums_of(target, progress, what="comparing")
    if different := [one.name for one, other in zip(copied, arrived, strict=True) if one != other]:
        raise StoreError(
            f"What arrived differs from what was sent ({', '.join(different)});"
            " nothing of it was kept."
        )
    return copied


class _Taking:
    """The rows of a table on their way, summed as they pass."""

    def __init__(self, source: Source, table: KeptTable, step: Callable[[], None]) -> None:
        self.columns = tuple(source.columns[table.name])
        self._name = table.name
        self._rows = source.rows(table.name)
        self._step = step
        self._digest = Digest()

    def __iter__(self) -> Iterator[Sequence[Any]]:
        write, digest, step = line_writer(self.columns), self._digest, self._step
        for values in self._rows:
            digest.add(write(values))
            step()
            yield values

    @property
    def sum(self) -> TableSum:
        """What passed."""
        return TableSum(
            name=self._name,
            columns=self.columns,
            rows=self._digest.rows,
            digest=self._digest.hex,
        )


def stepping(progress: Progress, what: str, total: int) -> Callable[[], None]:
    """Give what counts rows and tells of them now and then."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done % _EVERY == 0:
            progress(what, done, total)

    progress(what, 0, total)
    return step
