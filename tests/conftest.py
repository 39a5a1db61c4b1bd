"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bot.cli


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="write the golden transcripts anew (tests/transcripts); read the difference",
    )


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
