"""``pulse run``: holds up the configured channels, the schedule, delivery and tagging."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from bot.config import Settings

__all__ = ["run", "sole_use"]


def run(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Run the configured channels, the schedule, delivery and tagging until stopped."""
    known = settings()
    _log_to_stderr(verbose=verbose)
    if not known.telegram.token.get_secret_value() and not (
        known.slack.bot_token.get_secret_value()
    ):
        raise UserError(
            "No channel is configured. Set telegram.token, or slack.bot_token and"
            ' slack.app_token (with mode = "http": slack.signing_secret), in config.toml (see'
            " config.example.toml); `pulse chat` works without."
        )
    with sole_use(known.database):
        asyncio.run(_hold(known))


async def _hold(known: Settings) -> None:
    from bot.app import App, channels_of, house_of
    from nlp.codeframe import read_codeframe
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
            codeframe=read_codeframe(),
            model=Path(known.tagger.model) if known.tagger.model else None,
            slots=known.delivery.slots,
            broadcasts_per_second=known.delivery.broadcast_per_second,
            rates=known.delivery.rates,
            web=known.web,
        )
        await app.run(stop)
    finally:
        await asyncio.to_thread(writer.close)


@contextmanager
def sole_use(database: Path | None) -> Iterator[None]:
    """Hold the database for one ``pulse run``: two would send everything twice.

    Raises:
        CannotError: Another one holds it.
    """
    if database is None:
        yield
        return
    lock = database.with_name(database.name + ".lock")
    try:
        handle = lock.open("w")
    except OSError as trouble:
        raise CannotError(
            f"{lock.parent} cannot be written to ({trouble.strerror}): change storage.url or"
            " the folder's rights."
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotError(
                f"Another `pulse run` uses {database}. Stop it first, or give this one a"
                " database of its own (storage.url)."
            ) from None
        yield


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
