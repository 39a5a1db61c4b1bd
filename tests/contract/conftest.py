"""One ``store`` fixture over every engine: an engine joins by one more parameter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.open import open_store
from storage.store import SqlStore
from tests.contract.reading import answer, coding, tagged

ENGINES = ["sqlite file", "sqlite memory", "postgres"]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return "sqlite://" if request.param == "sqlite memory" else f"sqlite:///{tmp_path}/pulse.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """An empty store."""
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def few(store: SqlStore) -> SqlStore:
    """Ten people have answered ``why``, and a tagger has read it."""
    for number in range(10):
        answer(store, f"p{number}")
    tagged(store, coding("trust", confidence=0.8), coding("resources", confidence=0.45, start=7))
    return store
