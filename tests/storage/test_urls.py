"""Addresses of databases: which engine, and never a word of a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.errors import StoreError
from storage.urls import PostgresPlace, SqlitePlace, read_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///pulse.db", Path("pulse.db")),
        ("sqlite:////var/lib/pulse.db", Path("/var/lib/pulse.db")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
    ],
)
def test_a_file(url: str, path: Path | None) -> None:
    assert read_url(url) == SqlitePlace(path=path)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://me@host/pulse", "postgresql://host/pulse"),
        ("postgres://me:secret@host:5433/pulse", "postgresql://host:5433/pulse"),
        ("postgresql://me:se%40cret@[::1]:5433/pulse", "postgresql://[::1]:5433/pulse"),
        ("postgresql://one:1,two:2/pulse?sslmode=require", "postgresql://one:1,two:2/pulse"),
        ("postgresql:///pulse?host=%2Frun%2Fpg&user=me", "postgresql:///run/pg/pulse"),
        ("postgresql://", "postgresql:"),
    ],
)
def test_a_server(url: str, name: str) -> None:
    assert read_url(url) == PostgresPlace(url=url, name=name)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:se@cret@host/pulse",
        "postgresql://me:se/cret@host/pulse",
        "postgresql://me:se?cret@host/pulse",
        "postgresql://me:se:cret/@host/pulse",
        "postgresql://me:se%cret@host/pulse",
        "postgresql://me:12/cret@host/pulse",
        "postgresql://host/pulse?password",
        "postgresql+psycopg://me:secret@host/pulse",
    ],
)
def test_a_password_that_spoils_the_address_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match=r"^expected ") as caught:
        read_url(url)
    assert not any(part in str(caught.value) for part in ("cret", "12/", "psycopg"))
