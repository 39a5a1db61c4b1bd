"""``pulse tag --retag``: a new model reads old answers.

What lives here: which model, and what is said of what it did. What must not: the reading
(``bot/retagging.py``).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli import settings
from bot.cli.progress import bar
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.retagging import Retagged

__all__ = ["retag_answers"]


def retag_answers(model: str | None, *, as_json: bool) -> None:
    """Let a model read every answer in words that it has not read yet.

    Args:
        model: ``default``, ``fast`` or a folder; None for the configured one.
        as_json: Whether a program reads what is said.
    """
    from nlp.model import ModelError, read_model
    from nlp.shipped import is_shipped, model_folder

    known = settings()
    folder = known.model if model is None else model_folder(model)
    try:
        read_model(folder)
    except ModelError as error:
        theirs = model is not None and not is_shipped(model)
        raise (UserError if theirs else CannotError)(str(error)) from error
    done = asyncio.run(_retag(known, folder.resolve()))
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    for line in _in_words(done):
        typer.echo(line)
    if folder.resolve() != known.model.resolve():
        named = model if is_shipped(model or "") else folder
        typer.echo(
            f'New answers go to another model, until the configuration says model = "{named}" '
            "under [tagger] and `pulse run` is started again."
        )


async def _retag(known: Settings, folder: Path) -> Retagged:
    from bot.app import new_id, now
    from bot.retagging import retag
    from bot.tagger_process import TaggerProcess
    from storage.open import open_writer

    writer = open_writer(known.storage.url, connections=1)
    try:
        with bar() as progress:
            return await retag(
                writer,
                TaggerProcess(folder),
                now=now,
                new_id=new_id,
                progress=lambda done, total: progress("reading", done, total),
            )
    finally:
        writer.close()


def _in_words(done: Retagged) -> list[str]:
    if not (done.n_read or done.n_broken or done.n_gone):
        return [f"{done.version} has read every answer already."]
    lines = [
        f"{done.version} read {_answers(done.n_read)} and gave {done.n_tags:,} tags. Earlier "
        "tags, and what people said of them, are as they were."
    ]
    if done.n_foreign:
        lines.append(f"{_answers(done.n_foreign)} in a language that it does not know: no tags.")
    if done.n_broken:
        lines.append(
            f"{_answers(done.n_broken)} could not be read; what is known of them stays. "
            "`pulse tag --untagged` lists those that no model has read."
        )
    if done.n_gone:
        lines.append(f"{_answers(done.n_gone)} changed meanwhile, and the next run reads them.")
    return lines


def _answers(n: int) -> str:
    return "1 answer" if n == 1 else f"{n:,} answers"
