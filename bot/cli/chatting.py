"""``pulse chat``: holds a survey in the terminal, with no account and no token."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import settings
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.channels.base import CohortListed, Inbound
    from bot.config import Settings
    from bot.runner import Runner
    from dialogues.session import Session
    from dialogues.survey import Survey
    from storage.protocol import Store
    from storage.writer import Writer

__all__ = ["chat"]

#: What is held when nobody chooses, and how many of its statements.
_DEFAULT, _STATEMENTS = "partnership-pulse", 4


def chat(
    survey: Annotated[
        str | None, typer.Argument(help="Id of a survey; else a list to choose from.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Language to begin in, such as cy.")
    ] = None,
    ask_sector: Annotated[
        bool, typer.Option("--ask-sector", help="Ask first who you answer as, as `pulse run` does.")
    ] = False,
) -> None:
    """Hold a survey here, in the terminal, and say at the end what was heard."""
    known = settings()
    surveys = known.load_surveys()
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    chosen = survey or (_choose(list(surveys.values())) if tty else _first(surveys))
    if chosen not in surveys:
        raise UserError(f"There is no survey {chosen!r}. There are: {', '.join(sorted(surveys))}.")
    languages = surveys[chosen].languages
    if language is not None and language not in languages:
        raise UserError(f"{chosen} does not speak {language!r}; it has: {', '.join(languages)}.")
    few = survey is None and chosen == _DEFAULT
    try:
        talk = _Chat(
            known, surveys[chosen], few=few, language=language, tty=tty, ask_sector=ask_sector
        )
        asyncio.run(talk.hold())
    except KeyboardInterrupt:
        typer.echo("")


def _first(surveys: dict[str, Survey]) -> str:
    return _DEFAULT if _DEFAULT in surveys else next(iter(surveys))


def _choose(surveys: list[Survey]) -> str:
    """Offer the surveys; Enter takes the default."""
    ids = [survey.survey_id for survey in surveys]
    default = _first(dict(zip(ids, surveys, strict=True)))
    typer.echo("Which survey would you like to try?\n")
    for number, survey in enumerate(surveys, start=1):
        title = survey.say(survey.title, survey.default_language)
        mark = "  (Enter)" if survey.survey_id == default else ""
        typer.echo(f"  {number}  {title}{mark}")
    while True:
        try:
            words = input("\n> ").strip()
        except EOFError:
            return default
        if not words:
            return default
        if words in ids:
            return words
        if words.isdecimal() and 1 <= int(words) <= len(ids):
            return ids[int(words) - 1]
        typer.echo(f"Please type a number from 1 to {len(ids)}, or press Enter.")


class _Chat:
    """One conversation at the terminal, from the first word to what was heard."""

    def __init__(
        self,
        settings: Settings,
        survey: Survey,
        *,
        few: bool,
        language: str | None,
        tty: bool,
        ask_sector: bool,
    ) -> None:
        self.settings = settings
        self.survey = survey
        self.few = few
        self.language = language
        self.tty = tty
        self.ask_sector = ask_sector
        self.session: Session | None = None
        self.is_known = False
        self.is_over = False
        self.is_asked = False

    async def hold(self) -> None:
        from storage.open import open_writer

        writer = open_writer(
            self.settings.storage.url, connections=self.settings.storage.connections
        )
        try:
            runner = await self._open(writer)
            await self._hold(writer, self.channel.run(runner.receive))
            await self._tell(writer, runner)
        finally:
            await asyncio.to_thread(writer.close)

    async def _open(self, writer: Writer) -> Runner:
        from bot.app import new_id, now
        from bot.channels.terminal import TerminalChannel
        from bot.delivery import LEASE
        from bot.house import House
        from bot.runner import Runner
        from nlp.codeframe import read_codeframe
        from storage.protocol import Address

        person = new_id()
        self.address = address = Address(channel="terminal", platform_id=person, chat=person)
        self.channel = TerminalChannel(
            address=address,
            lines=_Lines(),
            out=sys.stdout,
            now=now,
            drained=lambda: self._drained(writer),
            over=lambda: self.is_over,
            style=_dress if self.tty else str,
            width=min(shutil.get_terminal_size().columns, 100) if self.tty else None,
            mark="> " if self.tty else "",
        )
        runner = Runner(
            writer,
            House(
                surveys={self.survey.survey_id: self.survey},
                contact=self.settings.privacy.contact,
                kept=self.settings.privacy.kept,
                min_group=self.settings.results.min_group,
            ),
            now=now,
            new_id=new_id,
            slashes={"terminal": False},
            codeframe=read_codeframe(),
            wake=lambda _: self.delivery.wake(),
            chat_draw=_STATEMENTS if self.few else None,
            ask_sector=self.ask_sector,
        )
        await writer.run(lambda store: store.keep_survey(self.survey, at=now()))
        # What an earlier terminal was not shown in its time, it never will be.
        await writer.run(lambda store: store.drop_unread("terminal", before=now() - LEASE))
        if self.language is not None:
            language = self.language
            await writer.run(
                lambda store: store.welcome(
                    address,
                    respondent_id=new_id(),
                    role="citizen",
                    language=language,
                    on=now().date(),
                )
            )
        return runner

    async def _hold(self, writer: Writer, talk: Awaitable[None]) -> None:
        """Show what is said for as long as somebody talks."""
        from bot.app import now
        from bot.delivery import Delivery

        self.delivery = Delivery(writer, self.channel, now=now, slots=1, chat=self.address.chat)
        sending = asyncio.create_task(self.delivery.run())
        try:
            await talk
        finally:
            await self.delivery.stop()
            await sending

    async def _drained(self, writer: Writer) -> None:
        """Wait until all was shown, then see where the conversation stands."""
        await self.delivery.drained()
        address = self.address

        def look(store: Store) -> tuple[bool, Session | None, bool]:
            respondent = store.respondent_at(address.channel, address.platform_id)
            stored = store.latest_session(respondent.respondent_id) if respondent else None
            asking = store.asking(stored.session.session_id) if stored else None
            is_asked = asking is not None and asking.state == "asked"
            return respondent is not None, stored.session if stored else None, is_asked

        self.is_known, self.session, is_asked = await writer.run(look)
        if self.is_asked:
            self.is_over = self.is_over or not is_asked
        else:
            self.is_over = self.session is None or self.session.status.final

    async def _check(self, writer: Writer, runner: Runner) -> None:
        """Ask whether what was heard is right; any words of one's own end it."""
        from bot.app import now
        from bot.channels.base import Wrote
        from bot.member_checks import Check
        from storage.protocol import Window

        session, address = self.session, self.address

        def ask(store: Store) -> bool:
            respondent = store.respondent_at(address.channel, address.platform_id)
            if respondent is None or session is None:
                return False
            check = Check(
                store=store,
                respondent=respondent,
                codeframe=runner.codeframe,
                new_id=runner.new_id,
                now=now(),
            )
            window = Window(due_at=now())
            return check.ask(session.session_id, self.survey, window=window, lane=0)

        async def receive(inbound: Inbound | CohortListed) -> None:
            if isinstance(inbound, Wrote):
                self.is_over = True
            if not isinstance(inbound, Wrote) or inbound.text.strip():
                await runner.receive(inbound)

        self.is_asked = await writer.run(ask)
        if self.is_asked:
            self.is_over = False
            typer.echo("")
            await self._hold(writer, self.channel.go_on(receive))

    async def _tell(self, writer: Writer, runner: Runner) -> None:
        """Say what was heard, where it is kept and how to get it out."""
        from bot.hearing import hear
        from dialogues.session import Status

        session = self.session
        if session is None or session.status is not Status.COMPLETE:
            typer.echo("This conversation ends here; `pulse chat` begins a new one.")
        if not self.is_known or (session is not None and not session.asked):
            return
        if session is not None:
            complete = session.status is Status.COMPLETE
            for line in await hear(
                writer,
                session.session_id,
                model=self.settings.model,
                language=session.language,
                asked=self.survey.checked if complete else (),
            ):
                typer.echo(line)
            if complete:
                await self._check(writer, runner)
        typer.echo(f"\nKept in {self.settings.database or 'memory only, so nothing stays'}")
        typer.echo(f"To export it: {_command()} export --out export --format csv")


def _command() -> str:
    """Give how this program was called, so that the next command can be pasted."""
    called = Path(sys.argv[0])
    if called.name != "pulse" or shutil.which("pulse"):
        return "pulse"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called.absolute())


class _Lines:
    """Standard input line by line, whatever bytes it has.

    Read without Python's buffer: a thread that waits in it would keep the program from ending.
    """

    def __init__(self) -> None:
        self._left = bytearray()

    def __call__(self) -> str:
        end = self._left.find(b"\n")
        while end < 0:
            searched = len(self._left)
            piece = self._more()
            if not piece and not self._left:
                raise EOFError
            self._left += piece or b"\n"
            end = self._left.find(b"\n", searched)
        line = self._left[:end]
        del self._left[: end + 1]
        return line.decode("utf-8", "replace").rstrip("\r")

    def _more(self) -> bytes:
        try:
            return os.read(sys.stdin.fileno(), 65_536)
        except OSError:
            return b""  # The terminal has gone away.


def _dress(text: str) -> str:
    """Set what the bot says apart from what the person types."""
    return typer.style(text, fg=typer.colors.CYAN)
