"""The terminal as a channel: lines in, plain text out, and a full citizen otherwise.

A number picks the option shown beside it. Where output is not a terminal everything is
plain text, so that a conversation can be scripted through a pipe.
"""

from __future__ import annotations

import asyncio
import textwrap
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import IO

from bot.channels.base import Inbound, Pressed, Receive, Room, Wrote, any_room
from bot.channels.words import clean
from dialogues.errors import CannotError
from dialogues.lobby import LOBBY
from dialogues.prompts import Button, Layout, Prompt
from storage.protocol import Address

__all__ = ["TerminalChannel", "choices", "render", "to_inbound"]


def render(prompt: Prompt, *, width: int | None = None) -> str:
    """Write a prompt: its text, its picture in words, numbered options, and words for the rest.

    Args:
        prompt: What to show.
        width: Columns to break lines at; None leaves them as they are.
    """
    lines = [prompt.text if width is None else _wrapped(prompt.text, width)]
    if prompt.picture is not None:
        alt = f"[{prompt.picture.alt}]"
        lines += ["", alt if width is None else _wrapped(alt, width)]
    options = choices(prompt)
    if options:
        lines.append("")
        width = len(str(len(options)))
        lines += [
            f"  {number:>{width}}  {option.label}" for number, option in enumerate(options, start=1)
        ]
    if prompt.controls:
        lines.append("")
        lines.append("  " + " · ".join(control.label.lower() for control in prompt.controls))
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> str:
    """Break lines between words; a bullet's lines hang under its first word."""
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent="  " if line.startswith("• ") else "",
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def choices(prompt: Prompt) -> tuple[Button, ...]:
    """Give the options that have a number here; several are typed at once, with no "done"."""
    if prompt.layout is Layout.TICKS:
        return tuple(option for option in prompt.options if not option.token.endswith(".done"))
    return prompt.options


def to_inbound(
    line: str, prompt: Prompt | None, *, address: Address, event_id: str, at: datetime
) -> Inbound:
    """Read a line: the number or label of what is shown is a press, the rest is words."""
    text = clean(line)
    token = _pressed(text.strip(), prompt) if prompt is not None else None
    if token is not None:
        return Pressed(event_id=event_id, address=address, at=at, token=token)
    return Wrote(event_id=event_id, address=address, at=at, text=text, position=None)


def _pressed(text: str, prompt: Prompt) -> str | None:
    options = choices(prompt)
    single = prompt.layout in (Layout.OPTIONS, Layout.SCALE)
    if single and text.isdecimal() and 1 <= int(text[:6]) <= len(options):
        return options[int(text) - 1].token
    for control in prompt.controls:
        if text.casefold() == control.label.casefold():
            return control.token
    return None


class TerminalChannel:
    """One person at a terminal, or a pipe."""

    name = "terminal"
    slash = False
    account = ""
    one_reader = False

    def __init__(
        self,
        *,
        address: Address,
        lines: Callable[[], str],
        out: IO[str],
        now: Callable[[], datetime],
        drained: Callable[[], Awaitable[None]],
        over: Callable[[], bool],
        style: Callable[[str], str] = str,
        width: int | None = None,
        mark: str = "",
    ) -> None:
        """Make a terminal.

        Args:
            address: Of the person in front of it.
            lines: Gives the next line without its end; raises ``EOFError`` at the end.
            out: Where prompts go.
            now: Gives aware UTC.
            drained: Ends once everything that is due was shown.
            over: Whether the conversation has ended, so that no line is asked for.
            style: Dresses up what is shown.
            width: Columns to break lines at; None leaves them as they are.
            mark: Shown where a reply is waited for.
        """
        self._address = address
        self._lines = lines
        self._out = out
        self._now = now
        self._drained = drained
        self._over = over
        self._style = style
        self._width = width
        self._mark = mark
        self._prompt: Prompt | None = None
        self._beside: Prompt | None = None
        self._count = 0
        self._stopped = False
        self._trouble: OSError | None = None

    async def run(self, receive: Receive) -> None:
        """Hold the conversation until it is over or the input ends.

        Raises:
            CannotError: The output cannot be written.
            BrokenPipeError: Whoever read the output has gone.
        """
        await receive(self._event("/start"))
        await self.go_on(receive)

    async def go_on(self, receive: Receive) -> None:
        """As ``run``, of a conversation that has begun."""
        await self._shown()
        while not self._over() and not self._stopped:
            try:
                line = await self._line()
            except EOFError:
                return
            if not line.strip() and self._prompt is None:
                continue
            await receive(self._event(line))
            await self._shown()

    async def _shown(self) -> None:
        """Wait until all was shown."""
        await self._drained()
        if isinstance(self._trouble, BrokenPipeError):
            raise self._trouble
        if self._trouble is not None:
            raise CannotError(f"The output cannot be written: {self._trouble.strerror}.")

    async def _line(self) -> str:
        """Wait for a line in a thread that holds nothing up when the program is interrupted."""
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()

        def settle(text: str, trouble: Exception | None) -> None:
            if line.done():
                return
            if trouble is None:
                line.set_result(text)
            else:
                line.set_exception(trouble)

        def read() -> None:
            text, trouble = "", None
            try:
                text = self._ask()
            except Exception as raised:
                trouble = raised
            # A loop that has closed meanwhile waits for nothing.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, text, trouble)

        threading.Thread(target=read, name="terminal", daemon=True).start()
        return await line

    def _ask(self) -> str:
        if self._mark:
            self._out.write(self._mark)
            self._out.flush()
        return self._lines()

    def _event(self, line: str) -> Inbound:
        self._count += 1
        event_id = f"terminal:{self._address.platform_id}:{self._count}"
        # What is offered beside the survey holds for one line; then numbers answer the survey.
        prompt, self._beside = self._beside or self._prompt, None
        return to_inbound(line, prompt, address=self._address, event_id=event_id, at=self._now())

    async def send(
        self,
        chat: str,
        prompt: Prompt,
        *,
        replaces: str | None,
        picture: bytes | None = None,
        room: Room = any_room,
    ) -> str | None:
        """Show a prompt, and of its picture the words for it; positions mean nothing here,
        since nothing can overtake anything.
        """
        try:
            self._out.write(self._style(render(prompt, width=self._width)) + "\n\n")
            self._out.flush()
        except OSError as trouble:
            # Trying again helps nobody: the conversation ends instead.
            self._trouble = trouble
        if any(one.token.startswith(f"{LOBBY}.") for one in prompt.options):
            self._beside = prompt
        elif prompt.options or prompt.controls:
            self._prompt, self._beside = prompt, None
        return None

    async def stop(self) -> None:
        """Ask for no further line."""
        self._stopped = True
