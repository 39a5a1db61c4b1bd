"""The command that holds a tagger against people: evaluate.

What lives here: the figures of each model, side by side. What must not: how they are worked
out (``nlp.evaluate``). spaCy is imported only once the command runs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.tagging import JsonOption, bar, load, tagger_errors, write

if TYPE_CHECKING:
    from nlp.evaluate import Cost, Evaluation
    from nlp.tagger import Tagged
    from nlp.train import Progress

__all__ = ["evaluate"]

_BATCH = 64


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Coded answers, JSONL.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="MODEL",
            help="default, fast, or a folder made by pulse train. [default: both of ours]",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Hold the tagger against answers that people coded."""
    with bar() as progress:
        measured = [
            _measure(files, name, progress)
            for name in (["default", "fast"] if model is None else [model])
        ]
    for one in measured:
        if one.known:
            typer.echo(
                f"Warning: {one.version} learnt from, or was tuned on, {one.known} of these "
                f"{one.result.n} answers; its figures flatter.",
                err=True,
            )
    if as_json:
        first, *beside = [_evaluation_record(one) for one in measured]
        write(first | {"beside": beside} if beside else first)
    else:
        _show_evaluation(measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """A model's figures; ``known``: answers that it learnt from or was tuned on."""

    name: str
    version: str
    result: Evaluation
    cost: Cost
    known: int


def _measure(files: list[Path], name: str, progress: Progress) -> _Measured:
    from nlp import evaluate as figures
    from nlp.answers import read_answers
    from nlp.model import read_model, seen
    from nlp.shipped import model_folder
    from nlp.tagger import ToTag

    tagger = load(name)
    codes = [code.key for code in tagger.codeframe.codes]
    with tagger_errors(given=True):
        answers = read_answers(files, codes)
        known = seen(read_model(model_folder(name)), answers)
    tagged: list[Tagged] = []
    spent = 0.0
    for at in range(0, len(answers), _BATCH):
        part = answers[at : at + _BATCH]
        started = time.thread_time()
        tagged += tagger.tag([ToTag(text=a.text, question=a.question) for a in part])
        spent += time.thread_time() - started
        progress(f"tagging, {name}", len(tagged) / len(answers))
    return _Measured(
        name=name,
        version=tagger.version,
        result=figures.evaluate(answers, tagged, codes),
        cost=figures.cost(spent, len(answers), model_folder(name)),
        known=known,
    )


def _evaluation_record(one: _Measured) -> dict[str, Any]:
    result = one.result
    return {
        "model": one.version,
        "n": result.n,
        "errors": result.errors,
        "trained_on": one.known,
        "codes": {
            "macro_f1": _rounded(result.macro_f1),
            "micro_f1": _rounded(result.micro_f1),
            "per_code": {
                key: {
                    "n": score.n,
                    "given": score.given,
                    "precision": _rounded(score.precision),
                    "recall": _rounded(score.recall),
                    "f1": _rounded(score.f1),
                }
                for key, score in result.per_code.items()
            },
        },
        "stance": {"n": result.stance_n, "accuracy": _rounded(result.stance_accuracy)},
        "evidence": {"n": result.evidence_n, "iou50": _rounded(result.iou50)},
        "ece": _rounded(result.ece),
        "cost": {
            "ms": _rounded(one.cost.ms),
            "per_second": _rounded(one.cost.per_second),
            "mb": _rounded(one.cost.mb),
        },
    }


def _shown(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _figures(one: _Measured) -> list[tuple[str, str]]:
    result, cost = one.result, one.cost
    return [
        ("macro F1", _shown(result.macro_f1)),
        ("micro F1", _shown(result.micro_f1)),
        ("stance right", f"{_shown(result.stance_accuracy)} of {result.stance_n}"),
        ("evidence shared by half or more", f"{_shown(result.iou50)} of {result.evidence_n}"),
        ("calibration error of the tags given", _shown(result.ece)),
        ("milliseconds an answer, on one core", _shown(cost.ms, 1)),
        ("answers a second", _shown(cost.per_second, 0)),
        ("megabytes", _shown(cost.mb, 0)),
    ]


def _titled(one: _Measured, between: str) -> str:
    """Name a model as it is chosen, where that is short, and by its version."""
    from nlp.shipped import is_shipped

    return f"{one.name}{between}{one.version}" if is_shipped(one.name) else one.version


def _show_evaluation(measured: list[_Measured]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for one in measured:
        result = one.result
        table = Table(title=f"{_titled(one, ', ')} on {result.n} answers", title_justify="left")
        table.add_column("code")
        for heading in ("people", "tagger", "precision", "recall", "F1"):
            table.add_column(heading, justify="right")
        for key, score in result.per_code.items():
            table.add_row(key, str(score.n), str(score.given),
                          *map(_shown, (score.precision, score.recall, score.f1)))  # fmt: skip
        console.print(table)
    table = Table("", *(_titled(one, "\n") for one in measured))
    for rows in zip(*map(_figures, measured), strict=True):
        table.add_row(rows[0][0], *(value for _, value in rows))
    console.print(table)
