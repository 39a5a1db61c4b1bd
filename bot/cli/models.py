"""What the commands around the tagger share: options, a model, a bar, a line of JSON.

What lives here: options and how a model is opened. spaCy is imported only once one is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import CannotError, UserError
from dialogues.errors import TaggerError

if TYPE_CHECKING:
    from nlp.answers import CodedAnswer
    from nlp.load import SpacyTagger
    from nlp.tagger import Tagged
    from nlp.train import Progress

__all__ = [
    "JsonOption",
    "ModelOption",
    "bar",
    "load",
    "read_again",
    "tagger_errors",
    "warn_of_known",
    "write_line",
]

_BATCH = 64

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="A model made by pulse train. [default: ours]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def tagger_errors(*, given: bool) -> Iterator[None]:
    """Turn the tagger's errors into the shell's; ``given``: a person named the files."""
    try:
        yield
    except TaggerError as error:
        raise (UserError if given else CannotError)(str(error)) from error


def load(model: Path | None) -> SpacyTagger:
    """Open a model; ours where none is named."""
    from nlp.load import load_tagger

    with tagger_errors(given=model is not None):
        return load_tagger(model)


@contextmanager
def bar() -> Iterator[Progress]:
    """Show a bar for each step on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def show(step: str, share: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=share)

        yield show


def warn_of_known(model: Path | None, answers: Sequence[CodedAnswer]) -> int:
    """Warn where the model learnt from some of the answers; gives how many.

    Raises:
        TaggerError: The model cannot be used.
    """
    from nlp.model import MODEL_PATH, read_model, seen

    known = seen(read_model(model or MODEL_PATH), answers)
    if known:
        typer.echo(
            f"Warning: {known} of {len(answers)} answers were used in training this model; "
            "the figures flatter.",
            err=True,
        )
    return known


def read_again(tagger: SpacyTagger, answers: Sequence[CodedAnswer]) -> list[Tagged]:
    """Let the tagger read answers that people coded, in the same order, under a bar."""
    from nlp.tagger import ToTag

    tagged: list[Tagged] = []
    with bar() as progress:
        for at in range(0, len(answers), _BATCH):
            part = answers[at : at + _BATCH]
            tagged += tagger.tag([ToTag(text=a.text, question=a.question) for a in part])
            progress("tagging", len(tagged) / len(answers))
    return tagged


def write_line(record: Mapping[str, Any]) -> None:
    """Print a line of JSON."""
    try:
        line = json.dumps(record, ensure_ascii=False)
        line.encode()
    except UnicodeEncodeError:  # half a character in somebody's id
        line = json.dumps(record)
    typer.echo(line)
