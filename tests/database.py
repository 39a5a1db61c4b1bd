"""Looking into a database past the store, and meddling with it, on any engine."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg
from psycopg.rows import dict_row

__all__ = ["change_rows", "read_rows"]


def read_rows(url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """Give what a query finds; ``?`` stands for a value."""
    if url.startswith("postgresql:"):
        with psycopg.connect(url, row_factory=dict_row) as server:
            return server.execute(query.replace("?", "%s"), values or None).fetchall()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10.0)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def change_rows(url: str, statement: str, *values: object) -> int:
    """Change rows, and give how many; ``?`` stands for a value."""
    if url.startswith("postgresql:"):
        with psycopg.connect(url) as server:
            return server.execute(statement.replace("?", "%s"), values or None).rowcount
    file = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=10.0, isolation_level=None)) as connection:
        return connection.execute(statement, values).rowcount
