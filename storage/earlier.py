"""The database that a restored one takes the place of, to look things up in.

What lives here: reading it, wherever it lies now. What must not: what follows from it
(``backups/carrying.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storage.driver import Driver, Record
from storage.schema import counter
from storage.tables import TABLES

__all__ = ["Earlier", "pages"]

#: Rows that are looked at in one go.
_PAGE = 500


class Earlier:
    """A database as it was before.

    Args:
        driver: That reads it.
        schema: Where its tables are by now; empty where they are where they were.
        counters: Of its counted columns, where asking the driver would tell another's.
    """

    def __init__(
        self, driver: Driver, *, schema: str = "", counters: dict[str, int] | None = None
    ) -> None:
        self._driver = driver
        self._prefix = f"{schema}." if schema else ""
        self._counters = counters

    def salt(self) -> str | None:
        """Give the salt of its keyed hashes; None when it has none."""
        row = self._driver.one(
            f"select value from {self._prefix}meta where key = 'salt'",  # noqa: S608
            {},
        )
        return None if row is None else row["value"]

    def counted(self, table: str, column: str) -> int:
        """Give the highest number that a counted column ever had."""
        if self._counters is not None:
            return self._counters.get(table, 0)
        return counter(self._driver, table, column)

    def rows(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Record]:
        """Give columns of all rows, or of those that a condition holds for, by their key."""
        return pages(self._driver, table, columns, prefix=self._prefix, where=where)

    def one(self, table: str, columns: Sequence[str], **key: object) -> Record | None:
        """Give columns of the one row with this key; None when there is none."""
        condition = " and ".join(f"{name} = :{name}" for name in key)
        return self._driver.one(
            f"select {', '.join(columns)} from {self._prefix}{table}"  # noqa: S608
            f" where {condition}",
            key,
        )


def pages(
    driver: Driver, table: str, columns: Sequence[str], *, prefix: str = "", where: str = ""
) -> Iterator[Record]:
    """Give columns of a table by its key, some at a time.

    Unlike one long query it leaves the connection free between two rows, and sees what is
    changed meanwhile in rows that it has not come to.

    Args:
        driver: That reads it.
        table: One of the list.
        columns: What to give; the key's own columns come with them.
        prefix: Of the table's name: a schema and a point.
        where: A condition without parameters; empty for all.
    """
    [key] = [known.key for known in TABLES if known.name == table]
    asked = ", ".join(dict.fromkeys((*key, *columns)))
    after = f"({', '.join(key)}) > ({', '.join(f':{name}' for name in key)})"
    condition, params = where or "1 = 1", dict[str, object]()
    while True:
        found = driver.all(
            f"select {asked} from {prefix}{table} where {condition}"  # noqa: S608
            f" order by {', '.join(key)} limit {_PAGE}",
            params,
        )
        yield from found
        if len(found) < _PAGE:
            return
        condition = f"{where or '1 = 1'} and {after}"
        params = {name: found[-1][name] for name in key}
