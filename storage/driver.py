"""What the store asks of a database engine: some seven methods.

What lives here: the protocol, and nothing of any engine. The SQL that passes through is
written once for all of them (``queries/``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Driver", "Params", "Record"]

Params = Mapping[str, Any]


class Record(Protocol):
    """A row as an engine gives it: values by name of the column."""

    def __getitem__(self, column: str, /) -> Any:
        """Give the value of a column."""
        ...

    def keys(self) -> Any:
        """Give the names of the columns, in order."""
        ...


class Driver(Protocol):
    """One connection to one database, for one thread.

    Every method raises ``StoreBusy`` when somebody else holds the database too long,
    ``StoreFull`` when it cannot be written, and ``StoreError`` for all other trouble.

    Attributes:
        engine: ``sqlite`` or ``postgres``: which variant of a query to take.
    """

    engine: str

    def one(self, sql: str, params: Params) -> Record | None:
        """Run a statement and give its first row; None when it gave none."""
        ...

    def all(self, sql: str, params: Params) -> list[Record]:
        """Run a statement and give its rows."""
        ...

    def each(self, sql: str, params: Params) -> Iterator[Record]:
        """Run a query and give its rows one by one, without holding them all."""
        ...

    def run(self, sql: str, params: Params) -> int:
        """Run a statement and give how many rows it touched."""
        ...

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run a statement once for each set of parameters."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Inside another one it is a part that can fail by itself."""
        ...

    def lock(self, numbers: Sequence[int], *, wait: bool) -> frozenset[int]:
        """Keep other programs from these numbers until the end of the transaction.

        Args:
            numbers: In ascending order; whoever takes several takes them so.
            wait: For whoever holds one; else only those that are free are taken.

        Returns:
            Those that were taken. Where only one can write at a time, all.
        """
        ...

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put many rows into a table, as they come, by the engine's fastest way.

        Args:
            table: Its name.
            columns: Names of the columns that are given.
            rows: Values in the order of ``columns``.
        """
        ...

    def migrate(self, only: Collection[str] | None = None) -> None:
        """Bring the tables up to this version. Safe to repeat.

        Args:
            only: The migrations to make, for rows of an older version; None makes all.

        Raises:
            StoreError: They are of a newer version, or of another program.
        """
        ...

    def applied(self) -> list[str]:
        """Give the names of the migrations that were made, in order. Changes nothing."""
        ...

    def scrub(self) -> bool:
        """Remove what was erased from every file of the database; False: not possible now,
        try again later.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
