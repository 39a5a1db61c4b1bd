"""The command ``pulse agreement``: how far two coders agree, and where they do not.

What lives here: options in, tables and JSON out, and how each figure is read. What must
not: the figures (``nlp/agreement.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import settings
from bot.cli.tagging import JsonOption, ModelOption, bar, chosen, load, tagger_errors, write
from bot.errors import UserError
from dialogues.coding import Coding

if TYPE_CHECKING:
    from rich.text import Text

    from nlp.agreement import Agreement, Figure, Pair
    from nlp.pairing import Paired
    from nlp.tagger import Tagged

__all__ = ["agreement"]

_BATCH = 64

#: How each figure is read, below the table.
_READING = {
    "%": "How many of all answers carry the code: the mean of what the two gave it to.",
    "same": "The share of answers on which both say the same, given or not. High for a rare "
    "code whatever coders do.",
    "kappa": "Cohen's kappa: 1 is always the same, 0 what chance gives. It falls where a code "
    "is rare, however well coders agree.",
    "alpha": "Krippendorff's alpha: as kappa, as if either coder could be replaced. From 0.80 "
    "on codes can be relied on; below 0.67 they are no ground for a conclusion.",
    "AC1": "Gwet's AC1: as kappa, but steady where a code is rare. Look at it where fewer "
    "than 5% carry the code.",
    "–": "Below a figure: from where to where it would lie with 95 of 100 other samples of as "
    "many answers; of coders who never differed it says too little. Instead of a figure: "
    "nothing to compare.",
}


def _files(files: Sequence[Path], codes: Sequence[str]) -> Paired:
    from nlp.answers import read_answers
    from nlp.pairing import pair_files

    with tagger_errors(given=True):
        first, second = (read_answers([path], codes) for path in files)
        return pair_files(first, second)


def _file_and_tagger(path: Path, model: str) -> tuple[Paired, list[str], str]:
    from nlp.answers import read_answers
    from nlp.model import read_model, seen
    from nlp.pairing import pair_tagger
    from nlp.shipped import model_folder
    from nlp.tagger import ToTag

    model = chosen(model)
    tagger = load(model)
    codes = [code.key for code in tagger.codeframe.codes]
    with tagger_errors(given=True):
        answers = read_answers([path], codes)
        known = seen(read_model(model_folder(model)), answers)
    if known:
        typer.echo(
            f"Warning: {tagger.version} learnt from, or was tuned on, {known} of these "
            f"{len(answers)} answers; the figures flatter.",
            err=True,
        )
    tagged: list[Tagged] = []
    with bar() as progress:
        for at in range(0, len(answers), _BATCH):
            part = answers[at : at + _BATCH]
            tagged += tagger.tag([ToTag(text=a.text, question=a.question) for a in part])
            progress("tagging", len(tagged) / len(answers))
    return pair_tagger(answers, tagged), codes, tagger.version


def _codes(codeframe: Path | None) -> list[str]:
    from nlp.codeframe import CODEFRAME_PATH, read_codeframe

    with tagger_errors(given=True):
        return [code.key for code in read_codeframe(codeframe or CODEFRAME_PATH).codes]


def agreement(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE FILE",
            help="Coded answers, JSONL: one file a coder; with --tagger one; without any file, "
            "what coders reviewed here.",
        ),
    ] = None,
    coder: Annotated[
        list[str] | None,
        typer.Option(
            "--coder", metavar="NAME", help="Who reviewed here: two, or one and --tagger."
        ),
    ] = None,
    tagger: Annotated[
        bool, typer.Option("--tagger", help="Hold the tagger against the coder or the file.")
    ] = False,
    respondents: Annotated[
        bool,
        typer.Option("--respondents", help="Hold the tagger against what people said of its tags."),
    ] = False,
    sample: Annotated[
        str | None, typer.Option("--sample", metavar="ID", help="Only answers of this sample.")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Only reviews that were made without seeing tags.")
    ] = False,
    model: ModelOption = "",
    codeframe: Annotated[
        Path | None,
        typer.Option("--codeframe", metavar="FILE", help="The codes. [default: ours]"),
    ] = None,
    differences: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="List so many answers on which they differ; JSON has all."
        ),
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 20261122,
    as_json: JsonOption = False,
) -> None:
    """Say how far two coders agree, code for code, and on which answers they differ.

    Answers of files belong together by their id, or else by question and text.
    """
    from nlp.agreement import agree

    files, coders = files or [], coder or []
    if not files:
        if model or codeframe is not None:
            raise UserError("--model and --codeframe go with files; what is kept has its own")
        paired, codes, names = _of_store(
            coders, tagger=tagger, respondents=respondents, sample=sample, blind=blind
        )
    elif coders or respondents or sample is not None or blind:
        raise UserError("Files hold what their coders say: leave out either them or the options")
    else:
        paired, codes, names = _of_files(files, tagger=tagger, model=model, codeframe=codeframe)
    if not paired.pairs:
        raise UserError(f"{names[0]} and {names[1]} have coded no answer in common")
    result = agree(paired.pairs, codes, seed=seed)
    if as_json:
        write(_record(result, paired, names, seed))
    else:
        _show(result, paired, names, differences)


_Kept = tuple["Paired", list[str], tuple[str, str]]
"""The pairs, the codes, and who the two are."""


def _of_files(files: Sequence[Path], *, tagger: bool, model: str, codeframe: Path | None) -> _Kept:
    if len(files) != (1 if tagger else 2):
        raise UserError(
            "--tagger is held against one file" if tagger
            else "Give two files of the same answers, one a coder; or one file and --tagger"
        )  # fmt: skip
    if tagger:
        if codeframe is not None:
            raise UserError("--codeframe goes with two files; the tagger has its model's own")
        paired, codes, second = _file_and_tagger(files[0], model)
    else:
        codes = _codes(codeframe)
        paired, second = _files(files, codes), str(files[1])
    return paired, codes, (str(files[0]), second)


def _of_store(
    coders: Sequence[str], *, tagger: bool, respondents: bool, sample: str | None, blind: bool
) -> _Kept:
    from bot.cli.reviewed import TAGGER_NAME, checked_pairs, reviewed_pairs

    if len(coders) + tagger + 2 * respondents != 2 or not (coders or respondents):
        raise UserError(
            "Say who is held against whom: two files, a file and --tagger, --coder twice, "
            "--coder and --tagger, or --respondents"
        )
    known = settings()
    if respondents:
        if sample is not None or blind:
            raise UserError(
                "--sample and --blind are about coders: nobody drew what people said of their own "
                "words, so leave them out"
            )
        names = "respondents", TAGGER_NAME
        return checked_pairs(known.storage.url), _codes(known.codeframe), names
    paired, seen = reviewed_pairs(known.storage.url, coders, sample=sample, blind=blind)
    if seen:
        typer.echo(
            f"Warning: {seen} of the reviews were made with the tags in view, and agree more than "
            "they would; --blind leaves them out.",
            err=True,
        )
    second = coders[1] if len(coders) == 2 else TAGGER_NAME
    return paired, _codes(known.codeframe), (coders[0], second)


# JSON -------------------------------------------------------------------------------------


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _figure(figure: Figure) -> dict[str, float | None]:
    return {
        "value": _rounded(figure.value),
        "low": _rounded(figure.low),
        "high": _rounded(figure.high),
    }


def _codings(codings: Sequence[Coding]) -> list[dict[str, object]]:
    return [{"enabler": c.enabler, "stance": c.stance, "evidence": c.span_text} for c in codings]


def _difference(pair: Pair) -> dict[str, object]:
    return {
        "id": pair.answer_id,
        "question": pair.question,
        "text": pair.text,
        "first": _codings(pair.first),
        "second": _codings(pair.second),
    }


def _record(result: Agreement, paired: Paired, names: tuple[str, str], seed: int) -> dict[str, Any]:
    return {
        "first": names[0],
        "second": names[1],
        "n": result.n,
        "first_only": paired.first_only,
        "second_only": paired.second_only,
        "seed": seed,
        "per_code": {
            key: {
                "n_first": code.n_first,
                "n_second": code.n_second,
                "n_both": code.n_both,
                "prevalence": _rounded(code.prevalence),
                "same": _figure(code.same),
                "kappa": _figure(code.kappa),
                "alpha": _figure(code.alpha),
                "ac1": _figure(code.ac1),
            }
            for key, code in result.per_code.items()
        },
        "sets": {
            "same": _figure(result.same_codes),
            "masi_alpha": _figure(result.masi_alpha),
        },
        "stance": {"n": result.stance_n, "same": _rounded(result.stance_same)},
        "evidence": {"n": result.span_n, "iou50": _rounded(result.span_half)},
        "differences": [_difference(pair) for pair in result.differing],
    }


# For people -------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _cell(figure: Figure) -> Text:
    from rich.text import Text

    cell = Text(_number(figure.value))
    if figure.low is not None:
        cell.append(f"\n{_number(figure.low)}–{_number(figure.high)}", style="dim")
    return cell


def _show(result: Agreement, paired: Paired, names: tuple[str, str], differences: int) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("code", no_wrap=True)
    for heading in ("1st", "2nd", "both", "%"):
        table.add_column(heading, justify="right")
    for heading in ("same", "kappa", "alpha", "AC1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for key, code in result.per_code.items():
        table.add_row(
            key, str(code.n_first), str(code.n_second), str(code.n_both),
            f"{code.prevalence:.0%}", *map(_cell, (code.same, code.kappa, code.alpha, code.ac1)),
        )  # fmt: skip
    _say(console, f"1st: {names[0]}. 2nd: {names[1]}.")
    _say(console, _counted(result, paired))
    console.print(table)
    _say(console, f"The very same codes on {_spoken(result.same_codes)} of the answers.")
    _say(
        console,
        f"Whole sets of codes: alpha {_spoken(result.masi_alpha)}, where a set that is partly "
        "the same counts in part (MASI).",
    )
    _say(console, f"Of {result.stance_n} codes that both gave, "
                  f"{_number(result.stance_same)} have the same stance.")  # fmt: skip
    _say(console, f"Of {result.span_n} with evidence, {_number(result.span_half)} share half of "
                  "its words or more.")  # fmt: skip
    console.print()
    for name, reading in _READING.items():
        _say(console, f"{name:6}{reading}", indent=6)
    _show_differences(console, result.differing, differences)


def _counted(result: Agreement, paired: Paired) -> str:
    alone = [
        f"{n} only the {which} coded"
        for n, which in ((paired.first_only, "1st"), (paired.second_only, "2nd"))
        if n
    ]
    both = f"{_answers(result.n)} that both coded"
    return f"{both} ({'; '.join(alone)})." if alone else f"{both}."


def _answers(n: int) -> str:
    return "1 answer" if n == 1 else f"{n} answers"


def _spoken(figure: Figure) -> str:
    if figure.low is None:
        return _number(figure.value)
    return f"{_number(figure.value)} ({_number(figure.low)}–{_number(figure.high)})"


def _say(console: Any, words: str, *, indent: int = 0) -> None:
    """Print words as they are, broken at the edge, the later lines set in."""
    import textwrap

    lines = textwrap.wrap(words, console.width, subsequent_indent=" " * indent) or [""]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _show_differences(console: Any, differing: Sequence[Pair], most: int) -> None:
    from bot.cli.texts import plain

    if not differing:
        _say(console, "\nThey differ on no answer.")
        return
    shown = differing[:most]
    _say(console, "")
    _say(console, f"They differ on {_answers(len(differing))}"
                  f"{':' if shown else '; --differences N lists them.'}")  # fmt: skip
    for pair in shown:
        _say(console, "")
        _say(console, plain(f"{pair.answer_id}  {pair.question or ''}".rstrip()), indent=2)
        _say(console, f"  “{plain(pair.text)}”", indent=3)
        _say(console, f"  1st: {_listed(pair.first, pair.second)}", indent=7)
        _say(console, f"  2nd: {_listed(pair.second, pair.first)}", indent=7)
    if shown and len(shown) < len(differing):
        _say(console, "")
        _say(console, f"{len(differing) - len(shown)} more: --differences {len(differing)}")


def _listed(codings: Sequence[Coding], others: Sequence[Coding]) -> str:
    """Name codes, with the words for what the other does not have."""
    from bot.cli.texts import plain

    theirs = {(coding.enabler, coding.stance) for coding in others}
    parts = []
    for coding in sorted(codings, key=lambda c: (c.enabler, c.stance or "")):
        part = f"{coding.enabler} {coding.stance}" if coding.stance else coding.enabler
        if (coding.enabler, coding.stance) not in theirs and coding.span_text:
            part += f" (“{plain(coding.span_text)}”)"
        parts.append(part)
    return ", ".join(parts) or "no code"
