"""``pulse run``: holds up the configured channels, the schedule, delivery and tagging."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import settings
from bot.errors import UserError
from bot.sole import sole_use

if TYPE_CHECKING:
    from bot.config import Settings

__all__ = ["Role", "run"]

_SHARE = (
    "Stop it first, give this one a database of its own (storage.url), or share out the parts"
    " with --only."
)


class Role(StrEnum):
    """What a program can do of it all; the same words as in ``bot.sole.ROLES``."""

    WEB = "web"
    DELIVERY = "delivery"
    SCHEDULE = "schedule"
    TAGGING = "tagging"


def run(
    only: Annotated[
        list[Role] | None,
        typer.Option(
            "--only",
            help="Only this part; may be repeated. web: read what people do; delivery: send;"
            " schedule: open, remind, close; tagging: read answers.",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Run the configured channels, the schedule, delivery and tagging until stopped.

    On PostgreSQL any number may run at once, on one machine or many. On SQLite each part runs
    once, all in one program or each in its own.
    """
    known = settings()
    roles = frozenset(only or Role)
    _log_to_stderr(verbose=verbose)
    channels = (known.telegram.token, known.slack.bot_token)
    if roles != {Role.TAGGING} and not any(token.get_secret_value() for token in channels):
        raise UserError(
            "No channel is configured. Set telegram.token, or slack.bot_token and"
            ' slack.app_token (with mode = "http": slack.signing_secret), in config.toml (see'
            " config.example.toml); `pulse chat` works without."
        )
    with sole_use(known.database, roles, advice=_SHARE):
        asyncio.run(_hold(known, roles))


async def _hold(known: Settings, roles: Collection[str]) -> None:
    from bot.app import App, channels_of, house_of
    from nlp.codeframe import CODEFRAME_PATH, read_codeframe
    from storage.open import open_writer

    house = house_of(known)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    writer = open_writer(known.storage.url, connections=known.storage.connections)
    try:
        app = App(
            house=house,
            writer=writer,
            channels=channels_of(known, house),
            codeframe=read_codeframe(known.codeframe or CODEFRAME_PATH),
            model=known.model,
            slots=known.delivery.slots,
            broadcasts_per_second=known.delivery.broadcast_per_second,
            rates=known.delivery.rates,
            web=known.web,
            roles=roles,
        )
        await app.run(stop)
    finally:
        await asyncio.to_thread(writer.close)


def _log_to_stderr(*, verbose: bool) -> None:
    """Log to standard error: what happened and to how many, never to whom or what they said.

    The platforms' libraries log addresses, tokens in URLs and whole updates at lower levels,
    so they are only heard from warnings on.
    """
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("bot").setLevel(logging.DEBUG if verbose else logging.INFO)
    # It warns of every tick that falls out since the one before it is still at work, as it should.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
