"""The commands of the tagger: tag, train, evaluate.

What lives here: options in, lines and tables out. What must not: figures and models
(``nlp``). spaCy and scikit-learn are imported only once a command runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.models import (
    JsonOption,
    ModelOption,
    bar,
    load,
    read_again,
    tagger_errors,
    warn_of_known,
    write_line,
)
from bot.cli.untagged import list_untagged
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from nlp.evaluate import Evaluation
    from nlp.load import SpacyTagger
    from nlp.tagger import Tagged, ToTag

__all__ = ["evaluate", "tag", "train"]


def _record(answer_id: object, version: str, tagged: Tagged) -> dict[str, Any]:
    from nlp.tagger import provenance

    record: dict[str, Any] = {
        "id": answer_id,
        "model": provenance(version, tagged.pipeline),
        "codes": [
            {
                "enabler": coding.enabler,
                "stance": coding.stance,
                "evidence": coding.span_text,
                "start": coding.span_start,
                "end": coding.span_end,
                "confidence": round(coding.confidence, 4),
            }
            for coding in tagged.codings
        ],
    }
    return record if tagged.error is None else record | {"error": tagged.error}


def _parsed(line: bytes) -> tuple[object, ToTag | str]:
    """Read a line: its id, and the answer or what is wrong with it."""
    from nlp.tagger import ToTag

    try:
        raw = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start} of the line"
    except (ValueError, RecursionError):
        return None, "not a line of JSON"
    if not isinstance(raw, dict):
        return None, 'expected an object with "id" and "text"'
    answer_id = raw.get("id")
    for key, needed in (("text", True), ("question", False), ("language", False)):
        value = raw.get(key)
        if not isinstance(value, str) and (needed or value is not None):
            return answer_id, f'"{key}" has to be text' if key in raw else f'"{key}" is missing'
    return answer_id, ToTag(
        text=raw["text"], question=raw.get("question"), language=raw.get("language")
    )


def _opened(name: str | None) -> AbstractContextManager[IO[bytes]]:
    if name is None or name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror})") from error


def _tag_lines(tagger: SpacyTagger, lines: Iterable[bytes]) -> tuple[int, int]:
    """Tag JSONL as it comes; gives how many answers there were and how many failed."""
    from nlp.tagger import Tagged, ToTag

    n = failed = 0
    for line in lines:
        if not line.strip():
            continue
        answer_id, answer = _parsed(line)
        if isinstance(answer, ToTag):
            (tagged,) = tagger.tag([answer])
        else:
            tagged = Tagged(codings=(), error=answer)
        write_line(_record(answer_id, tagger.version, tagged))
        n += 1
        failed += tagged.error is not None
    return n, failed


def _show(tagger: SpacyTagger, answer: ToTag, tagged: Tagged, html: Path | None) -> None:
    from bot.cli.showing import show
    from nlp.explain import explain
    from nlp.page import page

    explained = explain(tagger, answer, tagged)
    if html is None:
        show(explained, tagger.codeframe.names("en"))
        return
    try:
        html.write_text(page(explained, tagger.codeframe), encoding="utf-8")
    except OSError as error:
        raise CannotError(f"{html}: cannot be written ({error.strerror})") from error
    typer.echo(f"Written to {html}.")


def _why_not(tagger: SpacyTagger, answer: ToTag, error: str) -> str:
    from nlp.languages import NOT_TAGGED

    if error != NOT_TAGGED:
        return f"The answer could not be tagged: {error}."
    return (
        f"The answer was not tagged: it seems to be in another language "
        f"({tagger.language_of(answer)}) than the model knows ({', '.join(tagger.languages)})."
    )


def tag(
    text: Annotated[
        str | None,
        typer.Argument(help="The answer. With --jsonl: a file, or - for standard input."),
    ] = None,
    question: Annotated[
        str | None, typer.Option("--question", "-q", help="The question that it answers.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="TAG", help="What the person chose, such as cy."),
    ] = None,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Read lines with id, text, question, language; write lines."),
    ] = False,
    untagged: Annotated[
        bool,
        typer.Option("--untagged", help="List the kept answers that could not be tagged, and why."),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the tagged answer as a web page."),
    ] = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
) -> None:
    """Tag an answer, or a file of answers, with the enablers it speaks of, and say why."""
    from nlp.tagger import ToTag

    if untagged:
        if text is not None or jsonl or question is not None or model is not None:
            raise UserError("--untagged lists what is kept; it takes nothing but --json")
        list_untagged(as_json=as_json)
        return
    if html is not None and (jsonl or as_json):
        raise UserError("--html shows one answer; leave out --jsonl and --json")
    if jsonl:
        with _opened(text) as lines:
            counts = _tag_lines(load(model), lines)
        if counts[1]:
            raise CannotError(
                f"{counts[1]} of {counts[0]} answers could not be tagged; their lines say why."
            )
        return
    if text is None:
        if sys.stdin.isatty():
            raise UserError('Give an answer to tag: pulse tag "They never asked us"')
        text = sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n")
    tagger = load(model)
    answer = ToTag(text=text, question=question, language=language)
    (tagged,) = tagger.tag([answer])
    if as_json:
        write_line(_record(None, tagger.version, tagged))
    elif tagged.error is None:
        _show(tagger, answer, tagged, html)
    if tagged.error is not None:
        raise CannotError(_why_not(tagger, answer, tagged.error))


def train(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Coded answers, JSONL.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the model goes.")],
    codeframe: Annotated[
        Path | None,
        typer.Option("--codeframe", metavar="FILE", help="The codes. [default: ours]"),
    ] = None,
    encoder: Annotated[
        bool,
        typer.Option("--encoder", help="Fine-tune the encoder too; needs commonpulse[train]."),
    ] = False,
    hold_out: Annotated[
        list[Path] | None,
        typer.Option(
            "--hold-out", metavar="FILE",
            help="With --encoder: coded answers on which thresholds are chosen.",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, max=50, help="With --encoder.")] = 5,
    layers: Annotated[int, typer.Option(min=1, max=6, help="With --encoder.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 20261122,
    name: Annotated[str, typer.Option(help="Of the model.")] = "commonpulse",
) -> None:  # fmt: skip
    """Learn to tag from coded answers, for any codeframe."""
    from nlp.codeframe import CODEFRAME_PATH
    from nlp.train import train_encoder, train_frozen

    frame = codeframe or CODEFRAME_PATH
    held = hold_out or []
    if encoder and not held:
        raise UserError("--encoder needs --hold-out FILE: answers to choose thresholds on")
    if held and not encoder:
        raise UserError("--hold-out goes with --encoder; without it, thresholds are "
                        "chosen by cross-validation")  # fmt: skip
    if twice := {path.resolve() for path in files} & {path.resolve() for path in held}:
        raise UserError(f"{min(twice)}: cannot be learnt from and held out at once")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; give a directory for --out")
    with tagger_errors(given=True), bar() as progress:
        try:
            if encoder:
                made = train_encoder(
                    files, hold_out=held, codeframe=frame, out=out, name=name,
                    progress=progress, seed=seed, epochs=epochs, layers=layers,
                )  # fmt: skip
            else:
                made = train_frozen(
                    files, codeframe=frame, out=out, name=name, progress=progress, seed=seed
                )
        except OSError as error:
            raise CannotError(f"{out}: cannot be written ({error.strerror})") from error
    typer.echo(f"{made.version}: learnt from {made.provenance.n_answers} answers, in {out}")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Coded answers, JSONL.")],
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the tagger against answers that people coded."""
    from nlp import evaluate as figures
    from nlp.answers import read_answers

    tagger = load(model)
    codes = [code.key for code in tagger.codeframe.codes]
    with tagger_errors(given=True):
        answers = read_answers(files, codes)
        known = warn_of_known(model, answers)
    tagged = read_again(tagger, answers)
    result = figures.evaluate(answers, tagged, codes)
    if as_json:
        write_line(_evaluation_record(result, tagger.version, known))
    else:
        _show_evaluation(result, tagger.version)


def _evaluation_record(result: Evaluation, version: str, known: int) -> dict[str, Any]:
    return {
        "model": version,
        "n": result.n,
        "errors": result.errors,
        "trained_on": known,
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
    }


def _show_evaluation(result: Evaluation, version: str) -> None:
    from rich.console import Console
    from rich.table import Table

    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    table = Table(title=f"{version} on {result.n} answers", title_justify="left")
    table.add_column("code")
    for heading in ("people", "tagger", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for key, score in result.per_code.items():
        table.add_row(key, str(score.n), str(score.given),
                      *map(shown, (score.precision, score.recall, score.f1)))  # fmt: skip
    console = Console(highlight=False)
    console.print(table)
    console.print(f"Codes: macro F1 {shown(result.macro_f1)}, micro F1 {shown(result.micro_f1)}")
    console.print(f"Stance right: {shown(result.stance_accuracy)} of {result.stance_n}")
    console.print(f"Evidence shared by half or more: {shown(result.iou50)} of {result.evidence_n}")
    console.print(f"Calibration error of the tags given: {shown(result.ece)}")
