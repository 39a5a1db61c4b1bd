"""An upgrade marks the words that no tagger has read yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.driver import Driver
from storage.open import open_store
from storage.sql import migrations
from storage.sqlite import SqliteDriver
from tests.storage.rows import add

ANSWERS = {
    "new": ("text", "words", None, None, None),
    "read": ("text", "words", None, "m@1", None),
    "broken": ("text", "words", None, "m@1", "it broke"),
    "empty": ("text", "", "not_answered", None, None),
    "skipped": ("text", "skip", "skipped", None, None),
    "chosen": ("choice", "Housing", None, None, None),
}


def before(request: pytest.FixtureRequest, engine: str, path: Path) -> tuple[Driver, str]:
    """Give a database as it was before, and its address."""
    if engine == "sqlite":
        driver: Driver = SqliteDriver(path)
        url = f"sqlite:///{path}"
    else:
        from storage.pool import open_pool
        from storage.postgres import PostgresDriver
        from storage.urls import PostgresPlace, read_url

        url = request.getfixturevalue("new_postgres_url")
        place = read_url(url)
        assert isinstance(place, PostgresPlace)
        driver = PostgresDriver(open_pool(place, connections=1), name="it")
    driver.migrate(only=[name for name in migrations() if name < "0008"])
    return driver, url


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_words_that_no_tagger_has_read_are_marked(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    driver, url = before(request, engine, tmp_path / "pulse.db")
    response = {
        "response_id": "r", "survey_id": "s", "revision": "1", "channel": "c", "role": "x",
        "language": "en", "started_at": "2026", "disposition": "unknown",
    }  # fmt: skip
    add(driver, "responses", response)
    for name, (kind, text, missing, tagged_by, tag_error) in ANSWERS.items():
        answer = {
            "response_id": "r", "question_id": name, "place": 1, "kind": kind, "question": "?",
            "text": text, "missing": missing, "asked_at": "2026", "tagged_by": tagged_by,
            "tag_error": tag_error,
        }  # fmt: skip
        add(driver, "answers", answer)
    driver.close()
    store = open_store(url)
    rows = store._driver.all("select question_id from answers where unread = 1", {})
    assert {row["question_id"] for row in rows} == {"new", "broken"}
    store.close()
