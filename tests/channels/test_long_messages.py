"""Texts that take several messages: each waits for room, and the same again goes on."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.base import HeldBack
from bot.channels.sending import LongMessages

PARTS: list[dict[str, Any]] = [{"text": "one"}, {"text": "two"}, {"text": "three"}]


async def test_what_is_held_back_goes_on_where_it_stopped() -> None:
    long, shown = LongMessages(), []
    room = iter([True, False])

    async def show(index: int, payload: dict[str, Any]) -> str:
        shown.append(payload["text"])
        return str(index)

    async def wait() -> None:
        shown.append("waits")
        if not next(room):
            raise HeldBack

    with pytest.raises(HeldBack):
        await long.send("ann", PARTS, show, wait)
    assert shown == ["one", "waits", "two", "waits"]
    # Whoever sends it again has waited already.
    assert await long.send("ann", PARTS, show, wait) == "2"
    assert shown[4:] == ["three"]
