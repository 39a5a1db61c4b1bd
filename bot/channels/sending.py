"""What channels remember of their own sending: how far a long message got, who has to wait,
and by what name the platform knows a picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot.channels.base import ChannelFailed, Room, SlowDown

__all__ = ["LongMessages", "Uploads", "Waits"]

#: Long messages that are half sent, and pictures, remembered at most.
_MOST = 256

#: Seconds until a picture is tried again that the platform did not take.
_REFUSED_SECONDS = 600.0


class LongMessages:
    """Sends what takes several messages; the same again goes on where it stopped."""

    def __init__(self) -> None:
        self._reached: dict[Hashable, int] = {}

    async def send(
        self,
        key: Hashable,
        payloads: Sequence[dict[str, Any]],
        show: Callable[[int, dict[str, Any]], Awaitable[str]],
        room: Room,
    ) -> str:
        """Send every payload in order and give the position of the last.

        Args:
            key: By which the same message is known again.
            payloads: One or more.
            show: Sends one, given its number from 0.
            room: Awaited before each but the first that is sent now.

        Raises:
            ChannelFailed: From ``show`` or ``room``; those before it are not sent again.
        """
        if len(payloads) == 1:
            return await show(0, payloads[0])
        index = first = self._reached.pop(key, 0)
        while True:
            try:
                if index > first:
                    await room()
                position = await show(index, payloads[index])
            except ChannelFailed:
                self._remember(key, index)
                raise
            index += 1
            if index == len(payloads):
                return position

    def _remember(self, key: Hashable, index: int) -> None:
        while len(self._reached) >= _MOST:
            del self._reached[next(iter(self._reached))]
        self._reached[key] = index


class Uploads:
    """Lets a picture be uploaded once: the next thousand sends take the platform's name for it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._refused_until: dict[str, float] = {}

    def refuse(self, picture_id: str) -> bool:
        """Note that the platform does not take a picture: for a while nobody tries again.

        Returns:
            False when that was known.
        """
        if self.refused(picture_id):
            return False
        now = asyncio.get_running_loop().time()
        self._refused_until[picture_id] = now + _REFUSED_SECONDS
        return True

    def refused(self, picture_id: str) -> bool:
        """Whether the platform has not taken a picture a while ago."""
        until = self._refused_until.get(picture_id, 0.0)
        return asyncio.get_running_loop().time() < until

    @asynccontextmanager
    async def turn(self, picture_id: str) -> AsyncIterator[str | None]:
        """Give the platform's name for a picture, to be used inside.

        None to whoever is the first, who uploads it and notes its name; the others wait for
        that. Where it fails, the next one is the first.
        """
        if picture_id in self._names:
            yield self._names[picture_id]
            return
        lock = self._locks.setdefault(picture_id, asyncio.Lock())
        await lock.acquire()
        try:
            name = self._names.get(picture_id)
            if name is not None:
                lock.release()
            yield name
        finally:
            if name is None:
                lock.release()

    def note(self, picture_id: str, name: str) -> None:
        """Note the platform's name for a picture."""
        while len(self._names) >= _MOST:
            oldest = next(iter(self._names))
            del self._names[oldest]
            self._locks.pop(oldest, None)
        self._names[picture_id] = name

    def forget(self, picture_id: str, name: str) -> None:
        """Forget a name that the platform does not know any more."""
        if self._names.get(picture_id) == name:
            del self._names[picture_id]


class Waits:
    """Tells a wait that is asked of one chat from a wait that is asked of all.

    Platforms don't say which. It counts as all when a second chat is told to wait while the
    first still does: to halt everybody for one busy chat would be worse.
    """

    def __init__(self) -> None:
        self._last = ("", 0.0)

    def asked(self, chat: str, seconds: float) -> SlowDown:
        """Note that a message to this chat was told to wait."""
        now = asyncio.get_running_loop().time()
        other, until = self._last
        self._last = (chat, now + seconds)
        return SlowDown(seconds, whole=other not in {"", chat} and now < until)
