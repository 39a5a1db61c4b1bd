"""What all tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import bot.cli
from tests.postgres import Database, Server

# How fast the machine is, or how busy, is nothing that a test could fail for.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="write the golden transcripts anew (tests/transcripts); read the difference",
    )
    parser.addoption(
        "--postgres",
        action="store_true",
        help="run the tests of runner and waves on PostgreSQL instead of SQLite",
    )


#: Where programs are started and waited for.
_SLOW = ("tests/e2e/", "tests/bench/", "tests/backups/", "tests/fakes/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what takes long first: at the end it would run alone, on one of several cores."""
    items.sort(key=lambda item: not item.nodeid.startswith(_SLOW))


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(autouse=True)
def _no_config_is_remembered() -> Iterator[None]:
    """A command that is run in this process names its configuration for itself alone."""
    token = bot.cli._config_path.set(None)
    yield
    bot.cli._config_path.reset(token)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server that is started by the first test that wants it."""
    server = Server(Path(tempfile.mkdtemp(prefix="pulse-pg-")))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def _database(postgres: Server) -> Iterator[Database]:
    database = Database(postgres, "pulse")
    yield database
    database.close()


@pytest.fixture
def postgres_url(_database: Database) -> str:
    """The address of an empty database on PostgreSQL."""
    _database.empty()
    return _database.url


@pytest.fixture
def new_postgres_url(postgres: Server) -> Iterator[str]:
    """The address of a database on PostgreSQL that has no tables yet."""
    yield postgres.database("fresh")
    postgres.execute("drop database fresh with (force)")
