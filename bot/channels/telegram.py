"""Telegram, through python-telegram-bot: messages by ``send``, updates as ``Polling`` or
``Webhook`` reads them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from telegram import InputFile
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.channels.base import ChannelFailed, ChatGone, MessageRefused, Receive, Room, any_room
from bot.channels.hooks import Hook
from bot.channels.sending import LongMessages, Uploads, Waits
from bot.channels.telegram_polling import Polling
from bot.channels.telegram_reading import Api
from bot.channels.telegram_shapes import render, to_inbound
from bot.channels.telegram_transport import AiohttpRequest, Flooded
from bot.channels.telegram_webhook import Webhook, secret_of
from bot.errors import CannotError
from dialogues.prompts import Prompt

__all__ = ["TelegramChannel", "render", "to_inbound"]

_log = logging.getLogger(__name__)

_GONE = ("chat not found", "peer_id_invalid", "user_id_invalid", "user is deactivated")
_UNKNOWN_FILE = "file identifier"
_NOT_EDITABLE = ("to edit not found", "can't be edited", "message_id_invalid")

_REFUSED = (
    "Telegram refuses the bot's token. Ask @BotFather for the current one (/mybots, API Token), "
    "put it in [telegram] token or PULSE_TELEGRAM__TOKEN, and start again."
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TelegramChannel:
    """One bot on Telegram.

    Args:
        token: As @BotFather gave it.
        api_base_url: Where the Bot API is.
        now: The clock; aware UTC.
        sleep: How to wait.
        poll_seconds: How long Telegram may keep a question for updates open.
        public_url: Where Telegram reaches our server; empty: updates are asked for.
        webhook_secret: What Telegram proves itself with there; empty: made of the token.
    """

    name = "telegram"
    slash = True

    def __init__(
        self,
        token: str,
        api_base_url: str = "https://api.telegram.org",
        *,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        poll_seconds: int = 30,
        public_url: str = "",
        webhook_secret: str = "",
    ) -> None:
        if not token:
            raise CannotError("There is no token for Telegram: set [telegram] token.")
        number = token.partition(":")[0]
        self.account = number if number.isdigit() else ""
        base = api_base_url.rstrip("/")
        self._request = AiohttpRequest()
        self._poll_request = AiohttpRequest(connections=1)
        self._api = Api(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._request,
            get_updates_request=self._poll_request,
        )
        self._reading: Polling | Webhook
        if public_url:
            secret = webhook_secret or secret_of(token)
            self._reading = Webhook(self._api, self._call, public_url, secret, now=now, sleep=sleep)
        else:
            self._reading = Polling(
                self._api, self._call, now=now, sleep=sleep, poll_seconds=poll_seconds
            )
        self._stopped = False
        self._running: asyncio.Event | None = None
        self._n_calls = 0
        self._long = LongMessages()
        self._waits = Waits()
        self._uploads = Uploads()

    # -- reading -------------------------------------------------------------------------

    @property
    def one_reader(self) -> bool:
        """Whether only one program may read: who asks for updates ends whoever asked before."""
        return isinstance(self._reading, Polling)

    @property
    def up(self) -> bool:
        """Whether what people do reaches us, as far as we know."""
        return self._reading.up

    @property
    def hook(self) -> Hook | None:
        """Takes the requests of Telegram; None where updates are asked for."""
        return self._reading if isinstance(self._reading, Webhook) else None

    async def run(self, receive: Receive) -> None:
        """Read updates and hand them on until cancelled or ``stop`` is called.

        What could not be kept comes again, and what the same person did after it waits for it.

        Raises:
            CannotError: Telegram refuses the token.
        """
        self._running = asyncio.Event()
        try:
            await self._reading.run(receive)
        finally:
            self._running.set()
            await self._poll_request.shutdown()
        if self._reading.refused:
            raise CannotError(_REFUSED)

    async def take_down(self) -> None:
        """Let what people do wait at Telegram from now on, where it would come by itself."""
        if isinstance(self._reading, Webhook):
            await self._reading.take_down()

    async def stop(self) -> None:
        """Stop reading, once what was read is kept; what was not acknowledged comes again.

        Messages can still be sent; the connections close behind the last of them.
        """
        self._stopped = True
        self._reading.stop()
        if self._running is not None:
            await self._running.wait()
        if isinstance(self._reading, Polling):
            await self._reading.answered()
        await self._close_when_done()

    # -- sending -------------------------------------------------------------------------

    async def announce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Show the commands in people's menus; best effort.

        Args:
            commands: By language, the default one first: command and description.
        """
        languages: list[str | None] = [None, *commands]
        for language in languages:
            pairs = next(iter(commands.values())) if language is None else commands[language]
            params: dict[str, Any] = {
                "commands": [{"command": name, "description": says} for name, says in pairs]
            }
            if language is not None:
                params["language_code"] = language
            try:
                await self._call("setMyCommands", params)
            except TelegramError as error:
                _log.warning("the menu of commands could not be set: %s", type(error).__name__)
                return

    async def send(
        self,
        chat: str,
        prompt: Prompt,
        *,
        replaces: str | None,
        picture: bytes | None = None,
        room: Room = any_room,
    ) -> str | None:
        """Send one message and give its position in the chat.

        A text too long for one message goes in several; where that stops halfway, sending the
        same again goes on from there. A picture is uploaded once and never changes a message
        that is there; where Telegram refuses it, the text goes alone.

        Raises:
            SlowDown: Wait as told, then try again.
            HeldBack: From ``room``.
            ChatGone: The person has blocked the bot, or is no more.
            MessageRefused: Telegram will never take it.
            ChannelFailed: Try again later; the message may have arrived.
        """
        known = prompt.picture
        if (
            known is not None
            and picture is not None
            and not self._uploads.refused(known.picture_id)
        ):
            try:
                return await self._send_pictured(chat, prompt, known.picture_id, picture, room)
            except MessageRefused:
                if self._uploads.refuse(known.picture_id):
                    _log.warning("Telegram does not take a picture; its text goes alone")
        return await self._long.send(
            (chat, prompt, replaces),
            render(prompt),
            lambda index, payload: self._show(chat, payload, None if index else replaces),
            room,
        )

    async def _show(self, chat: str, payload: dict[str, Any], replaces: str | None) -> str:
        with self._translating(chat):
            if replaces is not None and await self._edit(chat, payload, replaces):
                return replaces
            message = await self._call_in(chat, "sendMessage", payload)
            return str(int(message["message_id"]))

    async def _send_pictured(
        self, chat: str, prompt: Prompt, picture_id: str, picture: bytes, room: Room
    ) -> str:
        def show(index: int, payload: dict[str, Any]) -> Awaitable[str]:
            if index:
                return self._show(chat, payload, None)
            return self._show_picture(chat, payload, picture_id, picture)

        return await self._long.send((chat, prompt), render(prompt, pictured=True), show, room)

    async def _show_picture(
        self, chat: str, payload: dict[str, Any], picture_id: str, picture: bytes
    ) -> str:
        """Send a picture by the name that Telegram gave it; upload it where it has none."""
        with self._translating(chat):
            async with self._uploads.turn(picture_id) as name:
                if self._uploads.refused(picture_id):
                    raise MessageRefused("Telegram did not take this picture a while ago")
                if name is None:
                    return await self._upload(chat, payload, picture_id, picture)
            try:
                message = await self._call_in(chat, "sendPhoto", {**payload, "photo": name})
            except BadRequest as error:
                if _UNKNOWN_FILE not in error.message.lower():
                    raise
                self._uploads.forget(picture_id, name)
                return await self._upload(chat, payload, picture_id, picture)
            return str(int(message["message_id"]))

    async def _upload(
        self, chat: str, payload: dict[str, Any], picture_id: str, picture: bytes
    ) -> str:
        file = InputFile(picture, filename="results.png")
        message = await self._call_in(chat, "sendPhoto", {**payload, "photo": file})
        self._uploads.note(picture_id, str(message["photo"][-1]["file_id"]))
        return str(int(message["message_id"]))

    @contextmanager
    def _translating(self, chat: str) -> Iterator[None]:
        """Say of a failure what it means for the message."""
        try:
            yield
        except TelegramError as error:
            raise self._failure(chat, error) from None
        except (KeyError, TypeError, ValueError, IndexError):
            raise ChannelFailed("Telegram answered nonsense") from None

    async def _call_in(self, chat: str, method: str, params: dict[str, Any]) -> Any:
        """Call a method in a chat, wherever that has moved to."""
        try:
            return await self._call(method, {"chat_id": chat, **params})
        except ChatMigrated as moved:
            return await self._call(method, {"chat_id": moved.new_chat_id, **params})

    async def _edit(self, chat: str, payload: dict[str, Any], position: str) -> bool:
        """Change a message where it stands; False when that message can't be changed."""
        try:
            params = {"chat_id": chat, "message_id": position, **payload}
            await self._call("editMessageText", params)
        except BadRequest as error:
            said = error.message.lower()
            if "not modified" in said:
                return True
            if any(words in said for words in _NOT_EDITABLE):
                return False
            raise
        return True

    def _failure(self, chat: str, error: TelegramError) -> ChannelFailed:
        """Translate what went wrong; with a class of trouble only, as the rest may be private."""
        if isinstance(error, Flooded):
            return self._waits.asked(chat, error.seconds)
        if isinstance(error, Forbidden):
            return ChatGone("Telegram does not let the bot write to this person")
        if isinstance(error, BadRequest):
            if any(words in error.message.lower() for words in _GONE):
                return ChatGone("Telegram does not know this chat")
            return MessageRefused("Telegram refuses this message")
        if isinstance(error, InvalidToken):
            self._reading.refuse()
        return ChannelFailed(f"Telegram: {type(error).__name__}")

    async def _call(self, method: str, params: dict[str, Any]) -> Any:
        self._n_calls += 1
        try:
            return await self._api.call(method, params)
        finally:
            self._n_calls -= 1
            if self._stopped:
                await self._close_when_done()

    async def _close_when_done(self) -> None:
        if not self._n_calls:
            await self._request.shutdown()
