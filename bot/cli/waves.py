"""``pulse wave``: waves by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
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
                    f"{wave.wave_id} was opened already: a pulse has one wave a cohort and day."
                )
            waiting = desk.run(
                methodcaller("uninvited", wave.wave_id, roles=plan.roles, limit=100_000)
            )
            typer.echo(
                f"Opened {wave.wave_id}: {len(waiting)} people to invite."
                " `pulse run` sends the invitations."
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
    """Send nothing of a wave until it is resumed; who has begun may go on. It closes in time."""
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
    as_json: AsJson = False,
) -> None:
    """Show how a wave stands: invited, agreed, and how invitations ended."""
    with _desk() as desk:
        if wave is not None:
            waves = [desk.wave(wave)]
        else:
            waves = [one for one in desk.run(lambda store: store.waves()) if one.state != "closed"]
        rows = [_counted(one, desk.run(methodcaller("counts", one.wave_id))) for one in waves]
    if as_json:
        typer.echo(json.dumps(rows if wave is None else rows[0], ensure_ascii=False))
    elif not rows:
        typer.echo("No wave is open.")
    else:
        for row in rows:
            typer.echo(_described(row))


def _counted(wave: Wave, counts: InvitationCounts) -> dict[str, object]:
    return {
        **_listed(wave),
        "invited": counts.invited,
        "agreed": counts.consented,
        "dispositions": dict(sorted(counts.by_disposition.items())),
        "messages_waiting": counts.waiting,
    }


def _described(row: dict[str, object]) -> str:
    dispositions = row["dispositions"]
    counted = dispositions.items() if isinstance(dispositions, dict) else ()
    ended = ", ".join(f"{name} {count}" for name, count in counted)
    until = f", closes {row['closes_at']}" if row["closes_at"] else ""
    return (
        f"{row['wave']} ({row['state']}, opened {row['opens_at']}{until})\n"
        f"  invited {row['invited']}, agreed {row['agreed']},"
        f" messages waiting {row['messages_waiting']}\n"
        f"  {ended or 'nobody was invited yet'}"
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
