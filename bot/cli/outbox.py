"""``pulse outbox``: what has not been sent, and what becomes of what was given up.

What lives here: options in, a few lines out. What is never shown: what a message says, or
where it goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from storage.protocol import Letter, OutboxDepth, Store
    from storage.writer import Writer

__all__ = ["app", "drop", "list_messages", "retry", "show", "status"]

_T = TypeVar("_T")

#: All that are given up at once by hand; far more than anybody reads.
_MOST = 100_000


class _Channel(StrEnum):
    """Where a message goes."""

    TELEGRAM = "telegram"
    SLACK = "slack"
    TERMINAL = "terminal"


class _State(StrEnum):
    """What became of a message so far."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DEAD = "dead"


_LANES = {0: "reply", 1: "broadcast"}

#: What each class of trouble means, and what can be done.
_TROUBLES = {
    "refused": "The platform will not take this message as it is; trying again helps only where"
    " the reason has gone.",
    "unreadable": "This version cannot read it; a newer one may.",
    "defect": "Our own code broke on it, several times; please report it.",
    "slow_down": "The platform asked to wait, and it goes when that is over.",
    "ChannelFailed": "The platform failed, or could not be reached, at every try.",
    "TimeoutError": "The platform did not answer in time; it may have arrived.",
    "no_picture": "Its picture could not be read from the database.",
}

#: The largest number that a message can have.
_LARGEST = 2**63 - 1

Ids = Annotated[list[int] | None, typer.Argument(metavar="ID", help="Of messages.", max=_LARGEST)]
AsJson = Annotated[bool, typer.Option("--json", help="For a program to read.")]
OfChannel = Annotated[_Channel | None, typer.Option("--channel", help="Only of this channel.")]
OfWave = Annotated[str, typer.Option("--wave", metavar="ID", help="Only of this wave.")]

app = typer.Typer(help="What has not been sent.", no_args_is_help=True)


class _Desk:
    """The store of an installation, for one command."""

    def __init__(self, writer: Writer, now: datetime) -> None:
        self.writer = writer
        self.now = now

    def run(self, job: Callable[[Store], _T]) -> _T:
        return self.writer.submit(job).result()

    def dead(self, channel: _Channel | None, wave: str) -> list[int]:
        found = self.run(
            lambda store: store.letters(
                channel=channel or "", state=_State.DEAD, wave_id=wave, limit=_MOST
            )
        )
        return [letter.outbox_id for letter in found]

    def letter(self, outbox_id: int) -> Letter:
        letter = self.run(lambda store: store.letter(outbox_id))
        if letter is None:
            raise UserError(
                f"There is no message {outbox_id} that waits or was given up; `pulse outbox list`"
                " shows them."
            )
        return letter


@contextmanager
def _desk() -> Iterator[_Desk]:
    from bot.app import now
    from storage.open import open_writer

    known = settings()
    writer = open_writer(known.storage.url, connections=known.storage.connections)
    try:
        yield _Desk(writer, now())
    finally:
        writer.close()


@app.command()
def status(as_json: AsJson = False) -> None:
    """Count what has not been sent: by channel, replies and broadcasts, and state."""
    with _desk() as desk:
        depth = desk.run(lambda store: store.outbox_depth())
        rows = [_counted(one, desk.now) for one in depth]
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("Everything has been sent.")
    for row in [] if as_json else rows:
        typer.echo(
            f"{row['channel']:8}  {row['lane']:9}  {row['state']:7}  {row['count']:>7}"
            f"  {_age(row['oldest_seconds'])}"
        )


@app.command("list")
def list_messages(
    channel: OfChannel = None,
    state: Annotated[
        _State | None, typer.Option("--state", help="Only in this state; dead: given up.")
    ] = None,
    wave: OfWave = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List messages that have not been sent: when, to whom by pseudonym, and why not."""
    with _desk() as desk:
        found = desk.run(
            lambda store: store.letters(
                channel=channel or "", state=state or "", wave_id=wave, limit=limit + 1
            )
        )
    rows = [_described(letter) for letter in found[:limit]]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(_line(row))
    if not rows:
        typer.echo("There is no such message." if channel or state or wave else "Nothing waits.")
    if len(found) > limit:
        typer.echo(f"These are the first {limit}; --limit shows more.")


@app.command()
def show(
    message: Annotated[int, typer.Argument(metavar="ID", help="Of a message.", max=_LARGEST)],
    as_json: AsJson = False,
) -> None:
    """Show one message, without its words and its address, and what its trouble means."""
    with _desk() as desk:
        letter = desk.letter(message)
    row = _described(letter)
    if as_json:
        typer.echo(json.dumps(row))
        return
    typer.echo(_line(row))
    if letter.error is not None:
        typer.echo(_TROUBLES.get(letter.error, "The last try failed."))
    if letter.in_doubt:
        typer.echo("It may have arrived already: the end of a try is not known.")
    if letter.retryable:
        typer.echo(f"`pulse outbox retry {message}` tries it again, `drop` drops it.")


@app.command()
def retry(
    messages: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    channel: OfChannel = None,
    wave: OfWave = "",
) -> None:
    """Try messages that were given up again, as if they were new; `pulse run` sends them."""
    with _desk() as desk:
        ids = _chosen(desk, messages, channel, wave, every=every)
        left = desk.run(lambda store: [one for one in ids if not store.revive(one, now=desk.now)])
        if messages and left:
            raise CannotError(_why_not_again(desk.letter(left[0])))
    typer.echo(f"{_messages(len(ids) - len(left))} will be tried again.")
    if left:
        typer.echo(f"{_messages(len(left))} cannot be: newer ones took their place.")


@app.command()
def drop(
    messages: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    channel: OfChannel = None,
    wave: OfWave = "",
) -> None:
    """Drop messages for good: any that wait, or that were given up."""
    with _desk() as desk:
        ids = _chosen(desk, messages, channel, wave, every=every)
        left = desk.run(lambda store: [one for one in ids if not store.drop_letter(one)])
        if left:
            desk.letter(left[0])
            raise CannotError(f"Message {left[0]} is on its way just now.")
    typer.echo(f"{_messages(len(ids))} dropped.")


def _chosen(
    desk: _Desk, messages: Sequence[int] | None, channel: _Channel | None, wave: str, *, every: bool
) -> list[int]:
    """Give the messages that are meant, by number or all that were given up."""
    if messages and (every or channel or wave):
        raise UserError("Give the ids of messages, or --all with --channel or --wave; not both.")
    if messages:
        return [desk.letter(outbox_id).outbox_id for outbox_id in dict.fromkeys(messages)]
    if not every:
        raise UserError("Give the ids of messages, or --all for all that were given up.")
    return desk.dead(channel, wave)


def _why_not_again(letter: Letter) -> str:
    if letter.state == _State.DEAD:
        return f"The words of message {letter.outbox_id} are gone: a newer one took its place."
    where = "waits" if letter.state == _State.PENDING else "is on its way"
    return f"Message {letter.outbox_id} was not given up: it {where}."


def _counted(depth: OutboxDepth, now: datetime) -> dict[str, object]:
    return {
        "channel": depth.channel,
        "lane": _LANES[depth.lane],
        "state": depth.state,
        "count": depth.count,
        "oldest_at": depth.oldest_at.isoformat(timespec="seconds"),
        "oldest_seconds": int((now - depth.oldest_at).total_seconds()),
    }


def _age(seconds: object) -> str:
    if not isinstance(seconds, int):
        return ""
    if seconds < 0:
        return f"first due in {timedelta(seconds=-seconds)}"
    return f"due for {timedelta(seconds=seconds)}"


def _described(letter: Letter) -> dict[str, object]:
    place = letter.respondent_id.startswith("place:")
    return {
        "id": letter.outbox_id,
        "channel": letter.channel,
        "lane": _LANES[letter.lane],
        "state": letter.state,
        "wave": letter.wave_id,
        "person": None if place else letter.respondent_id,
        "due_at": letter.due_at.isoformat(timespec="seconds"),
        "given_up_at": letter.dead_at.isoformat(timespec="seconds") if letter.dead_at else None,
        "tries": letter.attempts,
        "in_doubt": letter.in_doubt,
        "trouble": letter.error,
        "retryable": letter.retryable,
    }


def _line(row: dict[str, object]) -> str:
    when = f"given up {row['given_up_at']}" if row["given_up_at"] else f"due {row['due_at']}"
    parts = [
        f"{row['id']:>6}",
        f"{row['channel']:8}",
        f"{row['lane']:9}",
        f"{row['state']:7}",
        when,
        f"person {row['person']}" if row["person"] else "to a channel",
        f"wave {row['wave']}" if row["wave"] else "",
        f"tries {row['tries']}" if row["tries"] else "",
        str(row["trouble"] or ""),
        "may have arrived" if row["in_doubt"] else "",
    ]
    return "  ".join(part for part in parts if part)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
