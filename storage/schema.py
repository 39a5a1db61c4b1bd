"""What a database says of itself: its tables, columns, migrations and counters.

What lives here: questions to the engines' own catalogues, which differ. What must not: rows.
"""

from __future__ import annotations

from storage.driver import Driver

__all__ = ["be_patient", "columns_of", "counter", "set_counter", "table_names"]

#: One row a column; a table's columns by name. Tables that begin with ``_`` are the engine's
#: or a backup's own notes.
_COLUMNS = {
    "sqlite": (
        "select t.name as table_name, c.name as column_name"
        " from pragma_table_list t join pragma_table_info(t.name) c"
        " where t.schema = 'main' and t.type = 'table'"
        " order by t.name, c.name"
    ),
    "postgres": (
        "select c.table_name, c.column_name"
        " from information_schema.columns c"
        " join information_schema.tables t"
        " on t.table_schema = c.table_schema and t.table_name = c.table_name"
        " where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'"
        ' order by c.table_name collate "C", c.column_name collate "C"'
    ),
}

_COUNTER = {
    "sqlite": "select seq as n from sqlite_sequence where name = :table",
    "postgres": (
        "select s.last_value as n from pg_sequences s"
        " where format('%I.%I', s.schemaname, s.sequencename)"
        " = pg_get_serial_sequence(cast(:table as text), cast(:column as text))"
    ),
}


def columns_of(driver: Driver) -> dict[str, tuple[str, ...]]:
    """Give the columns of every table, in the order of their names."""
    found: dict[str, list[str]] = {}
    for row in driver.all(_COLUMNS[driver.engine], {}):
        name = row["table_name"]
        if not name.startswith(("_", "sqlite_")):
            found.setdefault(name, []).append(row["column_name"])
    return {name: tuple(columns) for name, columns in found.items()}


def table_names(driver: Driver) -> set[str]:
    """Give the names of the tables."""
    return set(columns_of(driver))


def counter(driver: Driver, table: str, column: str) -> int:
    """Give the highest number that a counted column ever had; 0 when none was given out."""
    params = {"table": table, "column": column}
    if driver.engine == "sqlite":
        params.pop("column")
    row = driver.one(_COUNTER[driver.engine], params)
    return 0 if row is None or row["n"] is None else int(row["n"])


def be_patient(driver: Driver) -> None:
    """Let no timeout of the engine end the transaction of this driver, however long it takes."""
    if driver.engine == "postgres":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            driver.run(f"set local {name} = 0", {})


def set_counter(driver: Driver, table: str, column: str, number: int) -> None:
    """Let a counted column go on after a number; never back.

    Args:
        driver: In a transaction.
        table: Its name.
        column: The counted one.
        number: The next one given out will be greater.
    """
    if number <= counter(driver, table, column):
        return
    if driver.engine == "sqlite":
        driver.run("delete from sqlite_sequence where name = :table", {"table": table})
        driver.run(
            "insert into sqlite_sequence (name, seq) values (:table, :number)",
            {"table": table, "number": number},
        )
    else:
        driver.one(
            "select setval(pg_get_serial_sequence(cast(:table as text), cast(:column as text)),"
            " cast(:number as bigint))",
            {"table": table, "column": column, "number": number},
        )
