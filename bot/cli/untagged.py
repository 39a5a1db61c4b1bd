"""The answers that could not be tagged, listed for people: ``pulse tag --untagged``.

What lives here: reading them out of the store and showing them. What must not: tagging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from bot.cli import settings
from bot.cli.tagging import write
from bot.cli.texts import plain

if TYPE_CHECKING:
    from storage.store import SqlStore

__all__ = ["list_untagged"]


def list_untagged(*, as_json: bool) -> None:
    """Print the kept answers that a tagger gave up on, the oldest response first."""
    from storage.open import open_reader

    store = open_reader(settings().storage.url)
    try:
        n = 0
        for record in _records(store):
            n += 1
            if as_json:
                write(record)
                continue
            typer.echo(f"{record['id']}: {_reason(record)}")
            if record["question"]:
                typer.echo(f"  {plain(record['question'])}")
            typer.echo(f"  “{plain(record['text'])}”\n")
        if not as_json:
            [waiting] = store.read("count_untagged")
            typer.echo(_sum(n, waiting["n"]))
    finally:
        store.close()


def _records(store: SqlStore) -> Iterator[dict[str, Any]]:
    from nlp.languages import NOT_TAGGED, language_of

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


def _reason(record: dict[str, Any]) -> str:
    language = record["language"]
    return f"{record['error']} ({language})" if language else record["error"]


def _sum(n: int, n_waiting: int) -> str:
    if n == 1:
        said = "1 answer could not be tagged, and is for people to read."
    elif n:
        said = f"{n:,} answers could not be tagged, and are for people to read."
    else:
        said = "Every answer could be tagged that a model has looked at."
    if not n_waiting:
        return said
    one = n_waiting == 1
    waits = "1 waits" if one else f"{n_waiting:,} wait"
    return f"{said} {waits} for the tagger: `pulse run` reads {'it' if one else 'them'}."
