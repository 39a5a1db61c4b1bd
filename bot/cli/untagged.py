"""The answers that could not be tagged, listed for people: ``pulse tag --untagged``.

What lives here: reading them out of the store and showing them. What must not: tagging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from bot.cli import settings
from bot.cli.tagging import write
from bot.cli.texts import plain

__all__ = ["list_untagged"]


def list_untagged(*, as_json: bool) -> None:
    """Print the kept answers that a tagger gave up on, the oldest response first."""
    n = 0
    for record in _records():
        n += 1
        if as_json:
            write(record)
            continue
        typer.echo(f"{record['id']}: {_reason(record)}")
        if record["question"]:
            typer.echo(f"  {plain(record['question'])}")
        typer.echo(f"  “{plain(record['text'])}”\n")
    if not as_json:
        typer.echo(_sum(n))


def _records() -> Iterator[dict[str, Any]]:
    from nlp.languages import NOT_TAGGED, language_of
    from storage.open import open_reader

    store = open_reader(settings().storage.url)
    try:
        for row in store.read("not_tagged"):
            foreign = row["tag_error"] == NOT_TAGGED
            yield {
                "id": f"{row['response_id']}/{row['question_id']}",
                "question": row["question"],
                "text": row["text"],
                "error": row["tag_error"],
                "language": language_of(row["text"], row["language"]) if foreign else None,
                "model": row["tagged_by"],
            }
    finally:
        store.close()


def _reason(record: dict[str, Any]) -> str:
    language = record["language"]
    return f"{record['error']} ({language})" if language else record["error"]


def _sum(n: int) -> str:
    if not n:
        return "Every answer could be tagged that a model has looked at."
    if n == 1:
        return "1 answer could not be tagged, and is for people to read."
    return f"{n:,} answers could not be tagged, and are for people to read."
