"""How the engines go about queries whose plan hangs on what they know of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.open import open_store
from storage.sql import queries
from storage.store import SqlStore
from storage.tables import in_order
from tests.storage.rows import columns, plain_row

#: So many that going through all of them is not the quickest.
MANY = 5000


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_store(url)
    yield store
    store.close()


def fill(store: SqlStore, table: str, **changes: object) -> None:
    """Put many rows into a table, each somebody else's."""
    [known] = in_order([table])
    of = columns(store._driver)[table]
    plain = [plain_row(known, of, f"p{number}") | changes for number in range(MANY)]
    names = list(plain[0])
    store._driver.load(table, names, [[row[name] for name in names] for row in plain])


def plan(store: SqlStore, query: str, **params: object) -> str:
    engine = store._driver.engine
    words, column = {
        "sqlite": ("explain query plan", "detail"),
        "postgres": ("explain", "QUERY PLAN"),
    }[engine]
    rows = store._driver.all(f"{words} {queries(engine)[query]}", params)
    return "\n".join(row[column] for row in rows)


@pytest.mark.parametrize("query", ["untagged", "count_untagged"])
def test_few_words_that_nobody_has_read_are_found_first(store: SqlStore, query: str) -> None:
    fill(store, "responses")
    fill(store, "answers", kind="text", missing=None, tag_error=None, unread=0)
    store._driver.run("analyze", {})
    params = {"coder": "m@1", "limit": 32} if query == "untagged" else {}
    said = plan(store, query, **params)
    assert "answers_unread" in said, said
    assert "Seq Scan on responses" not in said, said
    assert "SCAN r " not in said, said


def test_old_messages_are_looked_for_among_their_persons(store: SqlStore) -> None:
    fill(store, "outbox", state="sent", session_id="cut", lasting=1, position="100")
    store._driver.run("analyze", {})
    said = plan(store, "forget_sent", after=10, last=1010, before="2026")
    assert "outbox_respondent" in said, said
    assert "outbox_session on outbox n" not in said, said
    assert "SEARCH n USING INDEX outbox_session" not in said, said


def test_a_person_is_found_by_their_address(store: SqlStore) -> None:
    fill(store, "respondents")
    fill(store, "addresses", channel="telegram", leaving=0)
    store._driver.run("analyze", {})
    said = plan(store, "respondent_at", channel="telegram", platform_id="p7")
    assert "Seq Scan" not in said, said
    assert "SCAN r" not in said, said
