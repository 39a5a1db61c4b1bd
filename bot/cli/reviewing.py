"""``pulse review``: people read answers and their tags, one at a time.

What lives here: options in, which sample and whose, and what is said at the end. What must not:
keys and lines (``review_screen.py``, ``review_lines.py``), or drawing (``storage``).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli import settings
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.coders import CoderPlan
    from bot.config import Settings
    from bot.desk import Desk, Standing
    from bot.jobs import RunJob
    from dialogues.coding import Codeframe
    from storage.protocol import Store
    from storage.reviewing import Drawing, ReviewProgress, Sample

__all__ = ["review"]

_T = TypeVar("_T")

#: What people may call the modes, and what they are.
_MODES = {
    "random": "random",
    "uncertain": "uncertain",
    "code": "code",
    "disagreement": "disagreement",
    "disagreements": "disagreement",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was asked for on the command line."""

    coder: str
    sample: str
    n: int
    seed: str
    double: float
    blind: bool
    code: str
    survey: str | None
    wave: str | None
    cohort: str | None
    resume: bool
    sample_id: str
    skipped: bool


def review(
    coder: Annotated[
        str, typer.Option("--coder", metavar="NAME", help="Who reads; stands beside what they say.")
    ] = "",
    sample: Annotated[
        str,
        typer.Option(
            "--sample",
            metavar="MODE",
            help="Draw answers first: random, uncertain, code or disagreements.",
        ),
    ] = "",
    n: Annotated[int, typer.Option("--n", min=1, help="How many to draw.")] = 100,
    seed: Annotated[
        str, typer.Option("--seed", help="Of the draw, to write down beforehand; else by chance.")
    ] = "",
    double: Annotated[
        float,
        typer.Option(
            "--double", min=0.0, max=1.0, help="Share that two coders read, seeing no tags."
        ),
    ] = 0.0,
    blind: Annotated[bool, typer.Option("--blind", help="Show nobody any tags.")] = False,
    code: Annotated[
        str, typer.Option("--code", metavar="KEY", help="With --sample code: which code.")
    ] = "",
    survey: Annotated[
        str | None, typer.Option("--survey", metavar="ID", help="Draw from this survey only.")
    ] = None,
    wave: Annotated[
        str | None, typer.Option("--wave", metavar="ID", help="Draw from this wave only.")
    ] = None,
    cohort: Annotated[
        str | None, typer.Option("--cohort", metavar="NAME", help="Draw from this cohort only.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest sample that is not done.")
    ] = False,
    sample_id: Annotated[
        str, typer.Option("--id", metavar="SAMPLE", help="With --resume: which sample.")
    ] = "",
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Give what you skipped before again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the samples as JSON.")] = False,
) -> None:
    """Read answers and their tags, one at a time: confirm, remove, add, change.

    With --sample answers are drawn first; without --coder they are drawn for others to read, in
    the chat or here. Without either, the samples are listed. Every move is kept as it is made:
    quit at any time, and go on with --resume. Where input is no terminal it is read line by
    line; the line `help` lists what it may say.
    """
    from storage.open import open_writer

    asked = _Asked(
        coder=coder, sample=sample, n=n, seed=seed, double=double, blind=blind, code=code,
        survey=survey, wave=wave, cohort=cohort, resume=resume, sample_id=sample_id,
        skipped=skipped,
    )  # fmt: skip
    known = settings()
    room = _Room(known, asked)
    writer = open_writer(known.storage.url, connections=1)

    def run(job: Callable[[Store], _T]) -> _T:
        return writer.submit(job).result()

    try:
        if not sample and not coder:
            typer.echo(_listed(run, as_json=as_json))
            return
        drawn = room.draw(run) if sample else None
        if coder:
            room.sit_down(run, drawn)
    finally:
        writer.close()


class _Room:
    """Where coders sit down: checks what was asked for, and sees to it."""

    def __init__(self, known: Settings, asked: _Asked) -> None:
        from bot.coders import coders_of
        from nlp.codeframe import CODEFRAME_PATH, read_codeframe

        self.asked = asked
        self.coders = coders_of(known.coders)
        self.codeframe: Codeframe = read_codeframe(known.codeframe or CODEFRAME_PATH)
        self.plan = self._plan(asked.coder) if asked.coder else None
        self.drawing = self._drawing() if asked.sample else None
        if asked.sample and (asked.resume or asked.sample_id):
            raise UserError("--sample draws a new one and --resume goes on with one: give either.")

    def _plan(self, name: str) -> CoderPlan:
        from bot.coders import CoderPlan

        names = [one.name for one in self.coders]
        if self.coders and name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            raise UserError(f"There is no [[coder]] {name!r} in the configuration; {hint}")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
            raise UserError(f"{name!r} cannot be a coder's name; use a-z, 0-9 and -.")
        listed = [one for one in self.coders if one.name == name]
        return listed[0] if listed else CoderPlan(name=name, accounts={})

    def _drawing(self) -> Drawing:
        from bot.app import new_id
        from storage.reviewing import Drawing, SampleMode

        asked = self.asked
        if asked.sample not in _MODES:
            modes = "random, uncertain, code or disagreements"
            raise UserError(f"There is no sample {asked.sample!r}; choose {modes}.")
        mode = SampleMode(_MODES[asked.sample])
        codes = [code.key for code in self.codeframe.codes]
        if mode is SampleMode.CODE and asked.code not in codes:
            raise UserError(f"--sample code needs --code, one of: {', '.join(codes)}.")
        if mode is not SampleMode.CODE and asked.code:
            raise UserError("--code goes with --sample code.")
        if mode is SampleMode.DISAGREEMENT and (asked.double or asked.blind):
            raise UserError(
                "Who settles a disagreement has to see it: leave out --double, --blind."
            )
        return Drawing(
            mode=mode,
            n=asked.n,
            seed=asked.seed or new_id(),
            double_share=asked.double,
            blind=asked.blind,
            survey_id=asked.survey,
            wave_id=asked.wave,
            cohort=asked.cohort,
            enabler=asked.code or None,
        )

    def draw(self, run: RunJob) -> str | None:
        """Draw a sample and say so; None when there was nothing to draw."""
        from bot.app import new_id, now
        from dialogues.errors import CannotError

        drawing = self.drawing
        if drawing is None:
            return None

        def job(store: Store) -> Sample:
            sample = store.draw_sample(drawing, sample_id=new_id(), at=now())
            if not sample.n_drawn:
                # Raised in here, so that nothing of it is kept.
                new = " that nobody has read yet" if drawing.all_blind else ""
                raise CannotError(
                    f"There are no answers of this kind{new} to draw. Nothing was drawn."
                )
            return sample

        sample = run(job)
        typer.echo(_drawn(sample))
        return sample.sample_id

    def sit_down(self, run: RunJob, drawn: str | None) -> None:
        """Let the coder work, and say in the end how far they are."""
        from bot.app import now

        desk = self._desk(run, drawn)
        if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            _at_screen(desk, run)
        else:
            from bot.cli.review_lines import Lines

            Lines(desk, run, out=typer.echo, now=now).hold(iter(sys.stdin.readline, ""))
        typer.echo(f"\n{_standing(run(desk.standing))}")

    def _desk(self, run: RunJob, drawn: str | None) -> Desk:
        from bot.app import new_id
        from bot.desk import Desk, open_sample, own_pseudonyms

        plan = self.plan
        if plan is None:
            raise UserError("Say who reads: --coder NAME.")
        own = run(lambda store: own_pseudonyms(store, plan))
        sample_id = drawn or self.asked.sample_id
        if sample_id and run(lambda store: store.sample(sample_id)) is None:
            raise UserError(f"There is no sample {sample_id}; `pulse review` lists them.")
        if not sample_id:
            sample_id = run(lambda store: open_sample(store, plan.coder_id, not_of=own)) or (
                run(_newest) if self.asked.skipped else ""
            )
        if not sample_id:
            raise UserError(
                f"There is nothing for {plan.name} to read. Draw answers first:"
                " --sample random --n 100."
            )
        until = run(lambda store: store.last_number(plan.coder_id)) if self.asked.skipped else 0
        return Desk(
            coder=plan.coder_id,
            sample_id=sample_id,
            codeframe=self.codeframe,
            new_id=new_id,
            not_of=own,
            skipped_until=until,
        )


def _newest(store: Store) -> str:
    samples = store.samples()
    return samples[0].sample_id if samples else ""


def _at_screen(desk: Desk, run: RunJob) -> None:
    from rich.console import Console

    from bot.app import now
    from bot.cli.review_keys import Keys, raw_terminal
    from bot.cli.review_screen import Screen

    console = Console(highlight=False)
    screen = Screen(desk, run, console=console, now=now)
    fd = sys.stdin.fileno()
    try:
        with raw_terminal(fd) as terminal, console.screen() as showing:

            def pause() -> None:
                console.set_alt_screen(False)
                console.show_cursor(True)
                terminal.pause()
                console.set_alt_screen(True)
                console.show_cursor(False)
                screen.draw(showing)

            keys = Keys(fd, idle=lambda: screen.redraw_if_resized(showing), pause=pause)
            screen.hold(keys, showing)
    except KeyboardInterrupt:
        pass  # As q: every move is kept already.


def _drawn(sample: Sample) -> str:
    drawing = sample.drawing
    n_twice = round(drawing.double_share * sample.n_drawn)
    twice = f", {sample.n_shared} of them for two" if drawing.double_share else ""
    new = " that nobody had read" if drawing.all_blind else ""
    said = (
        f"Sample {sample.sample_id}: {sample.n_drawn} of {sample.n_population} answers{new}, by"
        f" {drawing.mode}{twice}, seed {drawing.seed}."
    )
    if drawing.mode == "random":
        share = sample.n_drawn / sample.n_population
        said += f" Each was to be drawn with probability {share:.4g}."
    if drawing.double_share and sample.n_shared < n_twice:
        said += (
            f" {n_twice} were to be for two, but somebody has seen the others already: draw more,"
            " or with --double 1 only what is new to everybody."
        )
    return said


def _standing(standing: Standing) -> str:
    skipped = f", {standing.skipped} skipped (--skipped gives again)" if standing.skipped else ""
    done = f"You have done {standing.done} of this sample{skipped}."
    if standing.left:
        return f"{done} {standing.left} to go for you: go on with --resume."
    return f"{done} Nothing is left for you; {standing.all_done} of {standing.n} are done in all."


def _listed(run: RunJob, *, as_json: bool) -> str:
    def job(store: Store) -> list[tuple[Sample, ReviewProgress]]:
        return [(one, store.review_progress(one.sample_id)) for one in store.samples()]

    found = run(job)
    if as_json:
        return json.dumps([_record(*one) for one in found], ensure_ascii=False)
    if not found:
        return "No answers have been drawn yet. Draw some: pulse review --sample random --n 100."
    return "\n".join(_line(*one) for one in found)


def _line(sample: Sample, progress: ReviewProgress) -> str:
    drawing = sample.drawing
    limits = [one for one in (drawing.survey_id, drawing.wave_id, drawing.cohort) if one]
    of = f" of {', '.join(limits)}" if limits else ""
    code = f" {drawing.enabler}" if drawing.enabler else ""
    by = ", ".join(f"{coder.partition(':')[2]} {n}" for coder, n in progress.done.items())
    return (
        f"{sample.sample_id}  {sample.drawn_at:%Y-%m-%d}  {drawing.mode}{code}{of}:"
        f" {progress.n_done} of {progress.n} done{f' ({by})' if by else ''}, seed {drawing.seed}"
    )


def _record(sample: Sample, progress: ReviewProgress) -> dict[str, Any]:
    drawing = sample.drawing
    return {
        "sample": sample.sample_id,
        "mode": drawing.mode,
        "drawn_at": sample.drawn_at.isoformat(timespec="seconds"),
        "seed": drawing.seed,
        "blind": drawing.blind,
        "double": drawing.double_share,
        "survey": drawing.survey_id,
        "wave": drawing.wave_id,
        "cohort": drawing.cohort,
        "code": drawing.enabler,
        "population": sample.n_population,
        "drawn": sample.n_drawn,
        "left_in_it": progress.n,
        "done": progress.n_done,
        "by_coder": {coder.partition(":")[2]: n for coder, n in progress.done.items()},
    }
