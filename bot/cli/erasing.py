"""``pulse erase``: somebody is forgotten who cannot, or will not, say so in the chat.

What lives here: whom it is about, asking back, and what is said of it. What must not: what
forgetting means (``bot/forgetting.py``). An address that was typed is never printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from storage.protocol import Holdings, Respondent, Store

__all__ = ["NOBODY", "erase"]

_T = TypeVar("_T")

_CHANNELS = {"telegram": "Telegram", "slack": "Slack", "terminal": "the terminal"}

#: Said where a code is nobody's.
NOBODY = "Nobody is known by this code. It is the one that `mydata` shows them."

#: Where nobody but ``pulse chat`` itself sends anything.
_NEVER_TOLD = "terminal"


def erase(
    person: Annotated[
        str,
        typer.Argument(
            metavar="PERSON",
            help="telegram:ID, slack:MEMBER_ID, or the code that `mydata` shows them; else it is"
            " asked for, or read from standard input, and stays out of your shell's history.",
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask back.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Do not tell them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Erase everything that is kept of a person, as `forget` in the chat does.

    Address, answers, tags, invitations and waiting messages go. What stays is that somebody was
    erased and when, and a keyed hash of the address, so that no schedule writes to them again.
    `pulse run` tells them; not who said stop, or cannot be reached.
    """
    from bot.app import new_id, now
    from bot.forgetting import forget
    from dialogues import messages
    from storage.open import open_writer

    known = settings()
    wanted = (person or _asked()).strip()
    if not (yes or sys.stdin.isatty()):
        raise UserError("Nothing was erased. It cannot be undone, so say --yes to confirm it.")
    writer = open_writer(known.storage.url, connections=1)

    def run(job: Callable[[Store], _T]) -> _T:
        return writer.submit(job).result()

    try:
        respondent_id, held = run(lambda store: _found(store, wanted))
        if not yes:
            typer.echo(_who(held), err=True)
            if not typer.confirm("Erase all of it? It cannot be undone.", err=True):
                raise CannotError("Nothing was erased.")

        def job(store: Store) -> tuple[_Erased, bool]:
            store.hold_people([respondent_id])
            respondent = store.respondent(respondent_id)
            if respondent is None:
                raise CannotError("They have been erased meanwhile.")
            erased, tell = _Erased.of(store.holdings(respondent_id)), _tell(respondent, silent)
            forget(
                store,
                respondent_id,
                actor="organiser",
                language=respondent.language or messages.LANGUAGES[0],
                slash=respondent.channel == "telegram",
                tell=tell,
                now=now(),
                new_id=new_id,
            )
            return erased, tell

        erased, told = run(job)
    finally:
        writer.close()
    if as_json:
        typer.echo(json.dumps({**asdict(erased), "told": told}))
    else:
        typer.echo(_done(erased, told=told))


def _asked() -> str:
    """Ask who it is about."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Whom (telegram:ID, slack:MEMBER_ID or their code)", err=True)
        return asked
    return sys.stdin.readline()


def _found(store: Store, wanted: str) -> tuple[str, Holdings]:
    """Find a person, with everything that is held of them.

    Raises:
        UserError: Nobody is meant by it, or several.
    """
    channel, colon, platform_id = wanted.partition(":")
    if not wanted or (colon and (channel not in _CHANNELS or not platform_id)):
        raise UserError(
            "Say whom: telegram:ID, slack:MEMBER_ID or the code that `mydata` shows them."
        )
    if not colon:
        respondent = store.respondent(wanted)
    else:
        respondent = store.respondent_at(channel, platform_id)
        if respondent is None and channel == "slack":
            respondent = _member(store, platform_id)
    if respondent is None:
        raise UserError(_nobody(store, channel, platform_id))
    return respondent.respondent_id, store.holdings(respondent.respondent_id)


def _member(store: Store, member_id: str) -> Respondent | None:
    """Find somebody in Slack by what a profile there shows, whatever the workspace."""
    rows = list(store.read("addresses_ending", channel="slack", ending=f":{member_id}"))
    found = [row for row in rows if str(row["platform_id"]).endswith(f":{member_id}")]
    if len(found) > 1:
        raise UserError(
            "Several workspaces have somebody with this member id; say slack:TEAM_ID:MEMBER_ID."
        )
    return store.respondent(str(found[0]["respondent_id"])) if found else None


def _nobody(store: Store, channel: str, platform_id: str) -> str:
    if not platform_id:
        return NOBODY
    if store.is_suppressed(channel, platform_id):
        return "Whoever was at this address is erased already."
    return f"Nobody is known at this address on {_CHANNELS[channel]}."


def _tell(respondent: Respondent, silent: bool) -> bool:
    """Whether somebody is told: not who was promised that we would write no more."""
    may = respondent.reachable and not respondent.opted_out
    return may and not silent and respondent.channel != _NEVER_TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Erased:
    """How much was kept of somebody."""

    responses: int
    answers: int
    tags: int
    conversations: int
    invitations: int
    consents: int
    cohorts: int

    @classmethod
    def of(cls, held: Holdings) -> _Erased:
        answers = [answer for response in held.responses for answer in response.answers]
        return cls(
            responses=len(held.responses),
            answers=sum(answer.value is not None for answer in answers),
            tags=sum(len(answer.codings) for answer in answers),
            conversations=len(held.sessions),
            invitations=len(held.invitations),
            consents=len(held.consents),
            cohorts=len(held.memberships),
        )

    def __str__(self) -> str:
        counts = {name.removesuffix("s"): count for name, count in asdict(self).items()}
        return ", ".join(
            f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()
        )


def _who(held: Holdings) -> str:
    respondent = held.respondent
    return (
        f"A {respondent.role} on {_CHANNELS[respondent.channel]}, known since {held.joined_on}:"
        f" {_Erased.of(held)}."
    )


def _done(erased: _Erased, *, told: bool) -> str:
    goodbye = (
        "`pulse run` tells them so, and their bare address goes with that message."
        if told
        else "They are not told."
    )
    return "\n".join(
        (
            f"Erased: {erased}, their address, and what waited to be sent.",
            goodbye,
            "A keyed hash of the address stays, so that no schedule writes to them again.",
            "Out of reach: what they handed in anonymously, exports, backups and results from"
            " before, and the platform's own copy.",
        )
    )
