"""Slack, through slack-bolt: messages by ``send``, events as ``SocketMode`` or ``HttpMode``
read them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    MessageRefused,
    Receive,
    Room,
    SlowDown,
    any_room,
)
from bot.channels.hooks import Hook
from bot.channels.sending import LongMessages, Uploads, Waits
from bot.channels.slack_client import (
    PASSING,
    TROUBLE,
    LinkFailed,
    SlackClient,
    code_of,
    wait_of,
)
from bot.channels.slack_http import HttpMode
from bot.channels.slack_shapes import render, to_inbound
from bot.channels.slack_socket import SocketMode
from bot.errors import CannotError
from dialogues.prompts import Picture, Prompt

__all__ = ["PictureRefused", "SlackChannel", "render", "to_inbound"]

_log = logging.getLogger(__name__)

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

#: Seconds before each try to show a picture that was just uploaded.
_READY_AFTER = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PictureRefused(Exception):
    """Slack does not take a picture; its word for why is the text."""


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
    account = ""
    one_reader = False

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
        self._sleep = sleep
        self._directs: dict[str, str] = {}
        self._stopped = False
        self._running: asyncio.Event | None = None
        self._long = LongMessages()
        self._waits = Waits()
        self._uploads = Uploads()

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

    async def send(
        self,
        chat: str,
        prompt: Prompt,
        *,
        replaces: str | None,
        picture: bytes | None = None,
        room: Room = any_room,
    ) -> str | None:
        """Send one message and give its position (its ``ts``) in the chat.

        A text too long for one message goes in several; where that stops halfway, sending the
        same again goes on from there. A picture is uploaded once; where Slack refuses it, the
        text goes alone.

        Raises:
            SlowDown: Wait as told, then try again.
            HeldBack: From ``room``.
            ChatGone: The person is no more in the workspace, or cannot be written to.
            MessageRefused: Slack will never take it.
            ChannelFailed: Try again later; the message may have arrived.
        """
        known = prompt.picture
        if (
            known is not None
            and picture is not None
            and not self._uploads.refused(known.picture_id)
        ):
            try:
                return await self._send_pictured(chat, prompt, known, picture, room)
            except PictureRefused as refused:
                self._note_refused_picture(known, refused)
        return await self._send(chat, prompt, room, replaces=replaces)

    async def _send(
        self,
        chat: str,
        prompt: Prompt,
        room: Room,
        *,
        replaces: str | None = None,
        file_id: str | None = None,
    ) -> str:
        return await self._long.send(
            (chat, prompt, replaces, file_id),
            render(prompt, file_id=file_id),
            lambda index, payload: self._show(chat, payload, None if index else replaces),
            room,
        )

    async def _send_pictured(
        self, chat: str, prompt: Prompt, known: Picture, picture: bytes, room: Room
    ) -> str:
        """Send a message with its picture, by the id that Slack gave it; upload it where it
        has none.

        Raises:
            PictureRefused: Slack does not take the picture, or does not find it any more.
        """
        for _ in range(2):
            async with self._uploads.turn(known.picture_id) as file_id:
                if self._uploads.refused(known.picture_id):
                    raise PictureRefused("refused just now")
                if file_id is None:
                    return await self._upload(chat, prompt, known, picture, room)
            try:
                return await self._send(chat, prompt, room, file_id=file_id)
            except MessageRefused:
                self._uploads.forget(known.picture_id, file_id)
        raise PictureRefused("invalid_blocks")

    async def _upload(
        self, chat: str, prompt: Prompt, known: Picture, picture: bytes, room: Room
    ) -> str:
        """Upload a picture, and send the first message with it."""
        try:
            file_id = await self._web.upload(picture, alt=known.alt)
        except TROUBLE as error:
            raise _picture_trouble(self._waits, chat, error) from None
        position = await self._once_ready(chat, prompt, file_id, room)
        # Noted only once a message showed it: Slack is a second or two at it first.
        self._uploads.note(known.picture_id, file_id)
        return position

    async def _once_ready(self, chat: str, prompt: Prompt, file_id: str, room: Room) -> str:
        """Send the first message with a picture; Slack refuses it until it has looked at it."""
        for seconds in _READY_AFTER:
            await self._sleep(seconds)
            with suppress(MessageRefused):
                return await self._send(chat, prompt, room, file_id=file_id)
        raise PictureRefused("invalid_blocks")

    def _note_refused_picture(self, known: Picture, refused: PictureRefused) -> None:
        """Say what is wrong, and what to do where one can; others need not try meanwhile."""
        if self._uploads.refuse(known.picture_id):
            hint = " (add the scope files:write and install the app anew)"
            _log.warning(
                "Slack does not take pictures, their text goes alone: %s%s",
                refused,
                hint if str(refused) == "missing_scope" else "",
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


def _picture_trouble(waits: Waits, chat: str, error: Exception) -> Exception:
    """Translate what went wrong with an upload: what passes is tried again, with its text."""
    if (wait := wait_of(error)) is not None:
        return waits.asked(chat, wait)
    code = code_of(error)
    if isinstance(error, LinkFailed) or (isinstance(error, SlackApiError) and code not in PASSING):
        return PictureRefused(code or "the upload failed")
    return ChannelFailed(f"Slack: {code or type(error).__name__}")
