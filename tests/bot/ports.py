"""Fakes of our own protocols: a channel that notes and fails on demand, and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.channels.base import Receive, Room, any_room
from dialogues.prompts import Prompt

BEGIN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


class FakeClock:
    """Time that moves only when told."""

    def __init__(self, at: datetime = BEGIN) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **length: float) -> datetime:
        """Let time go by."""
        self.at += timedelta(**length)
        return self.at


def ids() -> Callable[[], str]:
    """Give fresh ids in order: a0001, a0002, ..."""
    count = 0

    def new_id() -> str:
        nonlocal count
        count += 1
        return f"a{count:04}"

    return new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message that the channel took."""

    chat: str
    text: str
    replaces: str | None
    prompt: Prompt
    picture: bytes | None


class FakeChannel:
    """A channel whose sends are noted, and can fail or wait.

    Attributes:
        troubles: Raised by the next sends, by chat, one each; None lets one pass.
        gate: While it is not set, sends wait.
        tries: Chats of every attempt, in order.
        under_way: Sends that have begun and not ended; ``most`` at once so far.
    """

    name = "telegram"
    slash = True
    account = ""
    one_reader = False

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.tries: list[str] = []
        self.troubles: dict[str, list[Exception | None]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most = 0

    async def run(self, receive: Receive) -> None:
        raise NotImplementedError

    async def send(
        self,
        chat: str,
        prompt: Prompt,
        *,
        replaces: str | None,
        picture: bytes | None = None,
        room: Room = any_room,
    ) -> str | None:
        self.tries.append(chat)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            troubles = self.troubles.get(chat)
            trouble = troubles.pop(0) if troubles else None
            if trouble is not None:
                raise trouble
            self.sent.append(
                Sent(
                    chat=chat,
                    text=prompt.text,
                    replaces=replaces,
                    prompt=prompt,
                    picture=picture,
                )
            )
            return str(len(self.sent))
        finally:
            self.under_way -= 1

    async def stop(self) -> None:
        raise NotImplementedError

    def texts(self, chat: str | None = None) -> list[str]:
        """Give what was sent, to one chat or to all."""
        return [one.text for one in self.sent if chat in (None, one.chat)]
