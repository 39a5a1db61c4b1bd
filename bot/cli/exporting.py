"""The command that gives researchers their files: export.

What lives here: options in, a folder and a few lines out. What must not: rows, columns and
formats (``storage.exports``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from bot.config import Settings
    from dialogues.coding import Codeframe
    from storage.exports import Exported, Progress

__all__ = ["export"]


def _codeframe(configured: Settings) -> Codeframe:
    from nlp.codeframe import CODEFRAME_PATH, read_codeframe

    return read_codeframe(configured.codeframe or CODEFRAME_PATH)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show a bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("exporting", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


def export(
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Folder for the files; an earlier export is replaced."
        ),
    ],
    format_name: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="csv or jsonl.")
    ] = "csv",
    survey: Annotated[
        str | None, typer.Option("--survey", metavar="ID", help="Only this survey.")
    ] = None,
    wave: Annotated[
        str | None, typer.Option("--wave", metavar="ID", help="Only this wave.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write answers, tags, responses and invitations to files, with a codebook."""
    from storage.exports import FORMATS, write_export
    from storage.open import open_reader

    if format_name not in FORMATS:
        raise UserError(
            f"There is no format {format_name} in this version; choose {' or '.join(FORMATS)}."
        )
    configured = settings()
    codeframe = _codeframe(configured)
    store = open_reader(configured.storage.url)
    try:
        with store.transaction(), _bar() as progress:
            exported = write_export(
                store,
                out,
                format_name=format_name,
                codeframe=codeframe,
                at=datetime.now(UTC),
                version=version("commonpulse"),
                survey_id=survey,
                wave_id=wave,
                progress=progress,
            )
    except OSError as error:
        raise CannotError(
            f"{out} cannot be written ({error.strerror}); what was there is as it was."
        ) from error
    finally:
        store.close()
    typer.echo(_as_json(exported) if as_json else _in_words(exported))


def _as_json(exported: Exported) -> str:
    return json.dumps(
        {
            "folder": str(exported.folder),
            "files": [
                {"file": file.name, "rows": file.rows, "sha256": file.sha256}
                for file in exported.files
            ],
        },
        ensure_ascii=False,
    )


def _in_words(exported: Exported) -> str:
    width = max(len(file.name) for file in exported.files)
    lines = [
        f"  {file.name}" if file.rows is None else f"  {file.name:<{width}}  {file.rows:>9,} rows"
        for file in exported.files
    ]
    return "\n".join((f"Written to {exported.folder}:", *lines))
