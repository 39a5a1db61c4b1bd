"""The commands of the tagger: tag and train.

What lives here: options in, lines and tables out. What must not: figures and models
(``nlp``). spaCy and scikit-learn are imported only once a command runs.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError
from dialogues.errors import TaggerError

if TYPE_CHECKING:
    from nlp.load import SpacyTagger
    from nlp.tagger import Tagged, ToTag
    from nlp.train import Progress

__all__ = [
    "JsonOption",
    "ModelOption",
    "bar",
    "chosen",
    "load",
    "tag",
    "tagger_errors",
    "train",
    "write",
]

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="default, fast, or a folder made by pulse train. [default: the configured one]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def tagger_errors(*, given: bool) -> Iterator[None]:
    """Turn the tagger's errors into the shell's; ``given``: a person named the files."""
    try:
        yield
    except TaggerError as error:
        raise (UserError if given else CannotError)(str(error)) from error


def chosen(model: str) -> str:
    """Give the name or folder of a model; of an empty one, of the configured one."""
    return model or settings().tagger.model


def load(model: str) -> SpacyTagger:
    """Load a tagger by name or folder."""
    from nlp.load import load_tagger
    from nlp.shipped import is_shipped

    with tagger_errors(given=not is_shipped(model)):
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


def write(record: Mapping[str, Any]) -> None:
    """Print a record as a line of JSON."""
    try:
        line = json.dumps(record, ensure_ascii=False)
        line.encode()
    except UnicodeEncodeError:  # half a character in somebody's id
        line = json.dumps(record)
    typer.echo(line)


def _finite(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise OverflowError
    return number


def _no_number(written: str) -> float:
    raise ValueError(f"{written} is no JSON")


def _parsed(line: bytes) -> tuple[object, ToTag | str]:
    """Read a line: its id, and the answer or what is wrong with it."""
    from nlp.tagger import ToTag

    try:
        raw = json.loads(line.decode("utf-8-sig"), parse_float=_finite, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start} of the line"
    except OverflowError:
        return None, "a number in the line is too large"
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
        write(_record(answer_id, tagger.version, tagged))
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


def _check_language(tagger: SpacyTagger, language: str | None) -> None:
    from nlp.languages import LANGUAGES

    known = {*LANGUAGES, *tagger.languages}
    if language is not None and language.lower().partition("-")[0] not in known:
        raise UserError(
            f"There is no language {language!r} that can be told apart; there are "
            f"{', '.join(sorted(known))}."
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
    retag: Annotated[
        bool,
        typer.Option(
            "--retag",
            help="Let the model read every kept answer that it has not read yet, beside "
            "`pulse run` or alone. Earlier tags stay. [model: the configured one]",
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the tagged answer as a web page."),
    ] = None,
    as_json: JsonOption = False,
    model: ModelOption = "",
) -> None:
    """Tag an answer, or a file of answers, with the enablers it speaks of, and say why."""
    from nlp.tagger import ToTag

    if retag:
        from bot.cli.retagging import retag_answers

        if text is not None or jsonl or question is not None or untagged or html is not None:
            raise UserError("--retag reads what is kept; it takes nothing but --model and --json")
        retag_answers(model or None, as_json=as_json)
        return
    if untagged:
        from bot.cli.untagged import list_untagged

        if text is not None or jsonl or question is not None or model or html is not None:
            raise UserError("--untagged lists what is kept; it takes nothing but --json")
        list_untagged(as_json=as_json)
        return
    if html is not None and (jsonl or as_json):
        raise UserError("--html shows one answer; leave out --jsonl and --json")
    if jsonl:
        with _opened(text) as lines:
            counts = _tag_lines(load(chosen(model)), lines)
        if counts[1]:
            raise CannotError(
                f"{counts[1]} of {counts[0]} answers could not be tagged; their lines say why."
            )
        return
    if text is None:
        if sys.stdin.isatty():
            raise UserError('Give an answer to tag: pulse tag "They never asked us"')
        text = sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n")
    tagger = load(chosen(model))
    _check_language(tagger, language)
    answer = ToTag(text=text, question=question, language=language)
    (tagged,) = tagger.tag([answer])
    if as_json:
        write(_record(None, tagger.version, tagged))
    elif tagged.error is None:
        _show(tagger, answer, tagged, html)
    if tagged.error is not None:
        raise CannotError(_why_not(tagger, answer, tagged.error))


def train(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Coded answers, JSONL.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the model goes.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Fold the reviewed answers of the store into a model, without FILE."
        ),
    ] = False,
    with_respondents: Annotated[
        bool,
        typer.Option(
            "--with-respondents", help="With --update: what people said of their own words too."
        ),
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model", metavar="MODEL",
            help="Whose encoder is kept, or with --update which is updated: default, fast, or a "
            "folder. [default: ours; with --update the configured one]",
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="With --update: print JSON.")
    ] = False,
    codeframe: Annotated[
        Path | None,
        typer.Option("--codeframe", metavar="FILE", help="The codes. [default: ours]"),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder", metavar="NAME",
            help="Fine-tune the encoder too: minilm, mpnet, or the model to go on from (default, "
            "fast or a folder); needs commonpulse[train].",
        ),
    ] = None,
    hold_out: Annotated[
        list[Path] | None,
        typer.Option(
            "--hold-out", metavar="FILE",
            help="With --encoder: coded answers on which thresholds are chosen.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=50, help="With --encoder.")] = None,
    layers: Annotated[int | None, typer.Option(min=1, max=12, help="With --encoder.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 20261122,
    name: Annotated[str, typer.Option(help="Of the model.")] = "commonpulse",
) -> None:  # fmt: skip
    """Learn to tag from coded answers, for any codeframe; or from what was reviewed.

    With --update a third of the randomly drawn reviewed answers is kept out, always the same,
    and judges the new model beside the old: one that is worse is not written.
    """
    if update:
        from bot.cli.updating import update_from_store

        if files or codeframe or encoder or hold_out:
            raise UserError("--update learns from what was reviewed; leave out FILE, --codeframe, "
                            "--encoder and --hold-out")  # fmt: skip
        update_from_store(
            model or None, out, with_respondents=with_respondents, seed=seed, as_json=as_json
        )
        return
    if with_respondents or as_json:
        raise UserError("--with-respondents and --json go with --update")
    if not files:
        raise UserError("Give files of coded answers, or --update to learn from reviewed ones")
    if out is None:
        raise UserError("Say where the model goes: --out DIR")
    if model and encoder:
        raise UserError("--encoder trains an encoder of its own; leave out --model")
    from nlp.codeframe import CODEFRAME_PATH
    from nlp.shipped import model_folder
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
                    progress=progress, seed=seed, encoder=encoder, epochs=epochs,
                    layers=layers,
                )  # fmt: skip
            else:
                made = train_frozen(
                    files, codeframe=frame, out=out, name=name, progress=progress, seed=seed,
                    base=model_folder(model),
                )  # fmt: skip
        except OSError as error:
            raise CannotError(f"{out}: cannot be written ({error.strerror})") from error
    typer.echo(f"{made.version}: learnt from {made.provenance.n_answers} answers, in {out}")
