"""The line to PostgreSQL: what is cut is cut, and what the server has heard it has done."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.fakes.cutting import COMMIT, Line
from tests.postgres import Server


@pytest.fixture
def line(postgres: Server) -> Iterator[Line]:
    line = Line(postgres.folder)
    yield line
    line.close()


@pytest.fixture
def table(postgres: Server) -> Iterator[str]:
    """A database with an empty table of numbers."""
    postgres.database("cutting")
    postgres.execute("create table numbers (n integer)", "cutting")
    yield "cutting"
    postgres.execute("drop database cutting with (force)")


def said(connection: psycopg.Connection[tuple[int]], *statements: str) -> None:
    for statement in statements:
        connection.execute(statement.encode())


def kept(postgres: Server) -> list[int]:
    return [n for (n,) in postgres.execute("select n from numbers", "cutting")]


def test_it_passes_everything_on_until_it_is_closed(line: Line, table: str) -> None:
    with psycopg.connect(line.url(table)) as connection:
        said(connection, "insert into numbers values (1)")
        # More than fits into one piece.
        long = connection.execute("select repeat('x', 1000000)").fetchone()
        assert long == ("x" * 1_000_000,)
        assert line.n_open == 1
    until = time.monotonic() + 20
    while line.n_open:
        assert time.monotonic() < until
    line.close()
    assert line.n_cut == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(line.url(table))


@pytest.mark.parametrize(("after", "there"), [(False, []), (True, [1])])
def test_a_commit_that_is_cut_was_heard_or_not(
    line: Line, table: str, postgres: Server, *, after: bool, there: list[int]
) -> None:
    cut, other = (psycopg.connect(line.url(table), autocommit=True) for _ in range(2))
    said(cut, "begin", "insert into numbers values (1)")
    line.cut_at(COMMIT, after=after)
    with pytest.raises(psycopg.OperationalError):
        said(cut, "commit")
    until = time.monotonic() + 20
    while kept(postgres) != there:
        assert time.monotonic() < until
    # Once, and nobody else.
    said(other, "begin", "insert into numbers values (2)", "commit")
    assert kept(postgres) == [*there, 2]
    assert line.n_cut == 1
    for one in (cut, other):
        one.close()


def test_all_are_cut_at_once_and_new_ones_pass(line: Line, table: str) -> None:
    some = [psycopg.connect(line.url(table), autocommit=True) for _ in range(3)]
    assert line.cut_all() == 3
    for one in some:
        with pytest.raises(psycopg.OperationalError):
            said(one, "select 1")
        one.close()
    assert line.n_cut == 3
    with psycopg.connect(line.url(table)) as connection:
        said(connection, "select 1")


def test_while_the_server_is_down_nobody_gets_through_and_afterwards_they_do() -> None:
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")))
    line = Line(server.folder)
    try:
        server.stop(signal.SIGQUIT)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(line.url("postgres"))
        server.start()
        psycopg.connect(line.url("postgres")).close()
    finally:
        line.close()
        server.remove()
