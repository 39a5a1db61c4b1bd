"""Slack, through slack-bolt: messages by ``send``, events as ``SocketMode`` or ``HttpMode``
read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.channels.base import ChannelFailed, ChatGone, MessageRefused, Receive, SlowDown
from bot.channels.hooks import Hook
from bot.channels.sending import LongMessages, Waits
from bot.channels.slack_client import TROUBLE, SlackClient, code_of, wait_of
from bot.channels.slack_http import HttpMode
from bot.channels.slack_shapes import render, to_inbound
from bot.channels.slack_socket import SocketMode
from bot.errors import CannotError
from dialogues.prompts import Prompt

__all__ = ["SlackChannel", "render", "to_inbound"]

_GONE = frozenset({
    "cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled", "user_disabled",
    "user_not_found", "user_not_visible",
})  # fmt: skip

_REFUSED = frozenset({
    "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long",
    "msg_too_long", "no_text", "too_many_attachments",
})  # fmt: skip

_NOT_EDITABLE = frozenset({
    "cant_update_message", "edit_window_closed", "message_not_found",
})  # fmt: skip


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SlackChannel:
    """One workspace on Slack.

    Args:
        bot_token: ``xoxb-...``.
        app_token: ``xapp-...``, for Socket Mode; empty with HTTP.
        api_base_url: Where the Web API is.
        places: Channels whose members are a cohort.
        now: The clock; aware UTC.
        sleep: How to wait.
        signing_secret: What Slack signs its requests with; empty: events come by Socket Mode.
    """

    name = "slack"
    slash = False

    def __init__(
        self,
        bot_token: str,
        app_token: str,
        api_base_url: str = "https://slack.com/api/",
        places: Collection[str] = (),
        *,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        signing_secret: str = "",
    ) -> None:
        if not bot_token or not (app_token or signing_secret):
            raise CannotError(
                "Slack needs two tokens: set [slack] bot_token and app_token (or signing_secret,"
                ' with mode = "http").'
            )
        self._web = SlackClient(token=bot_token, base_url=api_base_url, refused=self._say_refused)
        places = tuple(dict.fromkeys(places))
        self._reading: SocketMode | HttpMode
        if signing_secret:
            self._reading = HttpMode(self._web, signing_secret, places, now=now, sleep=sleep)
        else:
            self._reading = SocketMode(self._web, app_token, places, now=now, sleep=sleep)
        self._directs: dict[str, str] = {}
        self._stopped = False
        self._running: asyncio.Event | None = None
        self._long = LongMessages()
        self._waits = Waits()

    # -- reading -------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether what people do reaches us, as far as we know."""
        return self._reading.up

    @property
    def hook(self) -> Hook | None:
        """Takes the requests of Slack; None in Socket Mode."""
        return self._reading if isinstance(self._reading, HttpMode) else None

    async def run(self, receive: Receive) -> None:
        """Read events and hand them on until cancelled or ``stop`` is called.

        What could not be kept is not acknowledged: Slack sends an event again, a few times,
        and after a press the person finds the question still open.

        Raises:
            CannotError: Slack refuses a token.
        """
        self._running = asyncio.Event()
        try:
            await self._reading.run(receive)
        finally:
            self._running.set()
            if self._stopped or self._reading.refused:
                await self._web.close()
        if self._reading.refused:
            raise CannotError(self._reading.refused)

    async def stop(self) -> None:
        """Stop reading, once what was read is kept; what was not acknowledged comes again.

        Messages can still be sent; the connections close behind the last of them.
        """
        self._stopped = True
        self._reading.stop()
        if self._running is not None:
            await self._running.wait()
        await self._web.close()

    def _say_refused(self, method: str) -> None:
        which, where = "bot token (xoxb-)", "bot_token, from OAuth & Permissions"
        if method == "apps.connections.open":
            which, where = "app-level token (xapp-)", "app_token, from Basic Information"
        self._reading.refuse(
            f"Slack refuses the {which}. Copy it anew from api.slack.com/apps into [slack] "
            f"{where}, and start again."
        )

    # -- sending -------------------------------------------------------------------------

    async def send(self, chat: str, prompt: Prompt, *, replaces: str | None) -> str | None:
        """Send one message and give its position (its ``ts``) in the chat.

        A text too long for one message goes in several; where that stops halfway, sending the
        same again goes on from there.

        Raises:
            SlowDown: Wait as told, then try again.
            ChatGone: The person is no more in the workspace, or cannot be written to.
            MessageRefused: Slack will never take it.
            ChannelFailed: Try again later; the message may have arrived.
        """
        return await self._long.send(
            (chat, prompt, replaces),
            render(prompt),
            lambda index, payload: self._show(chat, payload, None if index else replaces),
        )

    async def _show(self, chat: str, payload: dict[str, Any], replaces: str | None) -> str:
        try:
            if replaces is not None and await self._edit(chat, payload, replaces):
                return replaces
            answer = await self._web.chat_postMessage(
                channel=chat, unfurl_links=False, unfurl_media=False, **payload
            )
            if isinstance(direct := answer.get("channel"), str):
                self._directs[chat] = direct
            return str(answer["ts"])
        except TROUBLE as error:
            raise await self._failure(chat, error) from None
        except (KeyError, TypeError):
            raise ChannelFailed("Slack answered nonsense") from None

    async def _edit(self, chat: str, payload: dict[str, Any], ts: str) -> bool:
        """Change a message where it stands; False when that message can't be changed."""
        try:
            channel = await self._direct(chat)
            await self._web.chat_update(channel=channel, ts=ts, **payload)
        except SlackApiError as error:
            if (wait := wait_of(error)) is not None:
                raise SlowDown(wait, whole=False) from None
            if code_of(error) in _NOT_EDITABLE:
                return False
            raise
        return True

    async def _direct(self, chat: str) -> str:
        """Give the id of the direct messages with somebody, which a change needs."""
        if not chat.startswith(("U", "W")):
            return chat
        if chat not in self._directs:
            answer = await self._web.conversations_open(users=chat)
            self._directs[chat] = str(answer["channel"]["id"])
        return self._directs[chat]

    async def _failure(self, chat: str, error: Exception) -> ChannelFailed:
        """Translate what went wrong; with Slack's word only, as the rest may be private."""
        if (wait := wait_of(error)) is not None:
            return self._waits.asked(chat, wait)
        code = code_of(error)
        if code == "account_inactive":
            # Slack says so of the person and of the bot alike; only of the bot here:
            try:
                await self._web.auth_test()
            except TROUBLE:
                return ChannelFailed(f"Slack: {code}")
            return ChatGone(f"Slack: {code}")
        if code in _GONE:
            return ChatGone(f"Slack: {code}")
        if code in _REFUSED:
            return MessageRefused(f"Slack: {code}")
        return ChannelFailed(f"Slack: {code or type(error).__name__}")
