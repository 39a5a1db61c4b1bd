"""``pulse wave``: waves by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from bot.standing import WaveStanding
    from bot.waves import Waves
    from storage.protocol import InvitationCounts, Store, Wave
    from storage.writer import Writer

__all__ = ["app", "close", "list_waves", "open_wave", "pause", "resume", "status"]

_T = TypeVar("_T")

WaveId = Annotated[str, typer.Argument(help="Id of a wave.")]
AsJson = Annotated[bool, typer.Option("--json", help="For a program to read.")]

app = typer.Typer(help="Waves by hand.", no_args_is_help=True)


class _Desk:
    """The store and the waves of an installation, for one command."""

    def __init__(self, writer: Writer, waves: Waves) -> None:
        self.writer = writer
        self.waves = waves

    def run(self, job: Callable[[Store], _T]) -> _T:
        return self.writer.submit(job).result()

    def wave(self, wave_id: str) -> Wave:
        wave = self.run(lambda store: store.wave(wave_id))
        if wave is None:
            raise UserError(f"There is no wave {wave_id!r}; `pulse wave list` shows them.")
        return wave


@contextmanager
def _desk() -> Iterator[_Desk]:
    from bot.app import house_of, new_id, now
    from bot.runner import Runner
    from bot.waves import Waves
    from nlp.codeframe import read_codeframe
    from storage.open import open_writer

    known = settings()
    house = house_of(known)
    writer = open_writer(known.storage.url, connections=known.storage.connections)
    try:
        runner = Runner(
            writer,
            house,
            now=now,
            new_id=new_id,
            slashes={"telegram": True, "slack": False, "terminal": False},
            codeframe=read_codeframe(),
            wake=lambda _: None,
        )
        yield _Desk(writer, Waves(runner, now=now))
    finally:
        writer.close()


@app.command("open")
def open_wave(
    pulse: Annotated[str, typer.Argument(help="Name of a pulse in the configuration.")],
    cohort: Annotated[
        list[str] | None, typer.Option("--cohort", help="Only this cohort; may be repeated.")
    ] = None,
) -> None:
    """Open a wave of a pulse now; `pulse run` sends the invitations."""
    from bot.app import now
    from bot.standing import people, why_not

    with _desk() as desk:
        plan = desk.waves.house.pulse(pulse)
        if plan is None:
            names = ", ".join(one.name for one in desk.waves.house.pulses) or "none"
            raise UserError(
                f"There is no pulse {pulse!r} in the configuration; there are: {names}."
            )
        for name in cohort or plan.cohorts:
            known = desk.waves.house.cohort(name)
            if known is None or name not in plan.cohorts:
                raise UserError(
                    f"{name!r} is no cohort of {pulse!r}; it has: {', '.join(plan.cohorts)}."
                )
            wave = desk.waves.plan(plan, known, now())
            if not desk.waves.open(wave, desk.run):
                raise CannotError(
                    f"{wave.wave_id} or a later one was opened already: a pulse has one wave"
                    " a cohort and day."
                )
            desk.waves.invite(wave, desk.run)
            # `pulse run` has heard of it by now, and may have invited some of them.
            not_invited = desk.run(methodcaller("unsent", wave.wave_id))
            counts = desk.run(partial(_counts, wave_id=wave.wave_id))
            missed = why_not(not_invited)
            typer.echo(
                f"Opened {wave.wave_id}: {people(counts.invited)} to invite"
                f"{f'; not invited: {missed}' if missed else ''}."
                " `pulse run` sends the invitations, each at a fit hour."
            )


@app.command()
def close(wave: WaveId) -> None:
    """Close a wave now: conversations under way end, every invitation is settled.

    Those in the middle are told; of a paused wave nothing is said.
    """
    with _desk() as desk:
        if desk.wave(wave).state == "closed":
            raise CannotError(f"{wave} is closed already.")
        desk.waves.close(wave, desk.run)
        typer.echo(f"Closed {wave}.")


@app.command()
def pause(wave: WaveId) -> None:
    """Invite and remind nobody until a wave is resumed; who is invited may answer.

    It closes in time.
    """
    _set_state(wave, "paused", "open")


@app.command()
def resume(wave: WaveId) -> None:
    """Go on with a paused wave."""
    _set_state(wave, "open", "paused")


def _set_state(wave: str, state: str, before: str) -> None:
    def change(store: Store) -> str | None:
        known = store.wave(wave)
        if known is not None and known.state == before:
            store.set_wave(wave, state=state)
        return None if known is None else known.state

    with _desk() as desk:
        desk.wave(wave)
        found = desk.run(change)
        if found != before:
            raise CannotError(f"{wave} is {found}, not {before}.")
        typer.echo(f"{wave} is {state} now.")


@app.command()
def status(
    wave: Annotated[
        str | None, typer.Argument(help="Id of a wave; else all that are not closed.")
    ] = None,
    watch_it: Annotated[
        bool, typer.Option("--watch", help="Look again every second, until it is closed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a wave stands: sending, invitations, rates, and who came again.

    Rates are those of AAPOR: of all who were invited, RR1 counts complete responses, RR2 partial
    ones too; contact, who said anything at all; refusal, who said no or broke off. Completion and
    break-off are of those who agreed. While a wave is open, who may still answer counts as not
    having answered. Where people came by a link of their own accord it is called participation.
    """
    from bot.cli.standing import lines, watch

    if watch_it and as_json:
        raise UserError("--watch is for people and --json for programs: take one of them.")
    with _desk() as desk:
        if wave is not None:
            ids = [desk.wave(wave).wave_id]
        else:
            known = desk.run(lambda store: store.waves())
            ids = [one.wave_id for one in known if one.state != "closed"]

        rates = settings().delivery.rates

        def look() -> list[WaveStanding]:
            return desk.run(lambda store: [_stands(store, one, rates) for one in ids])

        if not ids:
            typer.echo("[]" if as_json else "No wave is open.")
        elif watch_it:
            watch(look)
        elif as_json:
            rows = [{**_listed(one.wave), **one.as_json()} for one in look()]
            typer.echo(json.dumps(rows if wave is None else rows[0], ensure_ascii=False))
        else:
            typer.echo("\n".join(line for one in look() for line in lines(one)))


def _counts(store: Store, *, wave_id: str) -> InvitationCounts:
    from bot.app import now

    return store.counts(wave_id, now=now())


def _stands(store: Store, wave_id: str, rates: Mapping[str, float]) -> WaveStanding:
    from bot.app import now
    from bot.standing import WaveStanding

    at, wave = now(), store.wave(wave_id)
    if wave is None:
        raise UserError(f"There is no wave {wave_id!r} any more.")
    counts = store.counts(wave_id, now=at)
    return WaveStanding(
        wave=wave, counts=counts, now=at, rates=rates, not_invited=store.unsent(wave_id)
    )


@app.command("list")
def list_waves(as_json: AsJson = False) -> None:
    """List every wave, newest first."""
    with _desk() as desk:
        waves = desk.run(lambda store: store.waves())
    if as_json:
        typer.echo(json.dumps([_listed(wave) for wave in waves], ensure_ascii=False))
    elif not waves:
        typer.echo("There has been no wave yet.")
    else:
        for wave in waves:
            typer.echo(f"{wave.wave_id}  {wave.state}  {wave.opens_at.isoformat(' ', 'minutes')}")


def _listed(wave: Wave) -> dict[str, object]:
    return {
        "wave": wave.wave_id,
        "pulse": wave.pulse,
        "cohort": wave.cohort,
        "survey": wave.survey_id,
        "revision": wave.revision,
        "state": wave.state,
        "opens_at": wave.opens_at.isoformat(timespec="seconds"),
        "closes_at": wave.closes_at.isoformat(timespec="seconds") if wave.closes_at else None,
    }
