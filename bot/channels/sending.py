"""What channels remember of their own sending: how far a long message got, who has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from bot.channels.base import ChannelFailed, SlowDown

__all__ = ["LongMessages", "Waits"]

#: Long messages that are half sent, remembered at most.
_MOST = 256


class LongMessages:
    """Sends what takes several messages; the same again goes on where it stopped."""

    def __init__(self) -> None:
        self._reached: dict[Hashable, int] = {}

    async def send(
        self,
        key: Hashable,
        payloads: Sequence[dict[str, Any]],
        show: Callable[[int, dict[str, Any]], Awaitable[str]],
    ) -> str:
        """Send every payload in order and give the position of the last.

        Args:
            key: By which the same message is known again.
            payloads: One or more.
            show: Sends one, given its number from 0.

        Raises:
            ChannelFailed: From ``show``; those before it are not sent again.
        """
        if len(payloads) == 1:
            return await show(0, payloads[0])
        index = self._reached.pop(key, 0)
        while True:
            try:
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
