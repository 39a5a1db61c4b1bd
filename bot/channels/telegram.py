"""Telegram, through python-telegram-bot: updates by long polling, messages by ``send``.

Updates are read as the Bot API gives them (``telegram_shapes.py``), because the library's own
reading fails a whole batch for one update that it cannot parse; and a batch is acknowledged,
by asking for what follows it, only once all of it is kept. Calls go through ``telegram.Bot``
without its building objects from answers of which one number is wanted: that takes twice the
time of the call.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    Inbound,
    MessageRefused,
    Receive,
)
from bot.channels.patience import CAP, seconds_to_wait
from bot.channels.sending import LongMessages, Waits
from bot.channels.telegram_shapes import ALLOWED_UPDATES, pressed_query, render, to_inbound
from bot.channels.telegram_transport import AiohttpRequest, Flooded
from bot.errors import CannotError
from dialogues.errors import StoreError
from dialogues.prompts import Prompt

__all__ = ["TelegramChannel", "render", "to_inbound"]

_log = logging.getLogger(__name__)

#: Presses that are answered at once. An answer only stops a button's turning: most of the way
#: to Telegram is for what people wait to read.
_ANSWERS_AT_ONCE = 8

#: How often an update is tried that makes our own code fail, before it is passed over.
_TRIES = 3

#: Seconds, the longest wait for our own store: everybody waits with the one it fails for.
_STORE_CAP = 5.0

_GONE = ("chat not found", "peer_id_invalid", "user_id_invalid", "user is deactivated")
_NOT_EDITABLE = ("to edit not found", "can't be edited", "message_id_invalid")

_REFUSED = (
    "Telegram refuses the bot's token. Ask @BotFather for the current one (/mybots, API Token), "
    "put it in [telegram] token or PULSE_TELEGRAM__TOKEN, and start again."
)


def _silence_library() -> None:
    """Keep out of the logs what python-telegram-bot writes there: tokens, words, addresses."""
    for name in ("telegram", "telegram.Bot", "telegram.BaseRequest"):
        logging.getLogger(name).addFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


_silence_library()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Bot(Bot):
    """The library's bot, with one call for any method, as the Bot API answers it."""

    async def call(
        self, method: str, params: dict[str, Any], *, read_timeout: float | None = None
    ) -> Any:
        """Call a method and give its ``result``."""
        try:
            if read_timeout is None:
                return await self._post(method, params)
            return await self._post(method, params, read_timeout=read_timeout)
        except KeyError:
            raise NetworkError("the answer has no result") from None


class TelegramChannel:
    """One bot on Telegram.

    Args:
        token: As @BotFather gave it.
        api_base_url: Where the Bot API is.
        now: The clock; aware UTC.
        sleep: How to wait.
        poll_seconds: How long Telegram may keep a question for updates open.
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
    ) -> None:
        if not token:
            raise CannotError("There is no token for Telegram: set [telegram] token.")
        base = api_base_url.rstrip("/")
        self._request = AiohttpRequest()
        self._poll_request = AiohttpRequest(connections=1)
        self._bot = _Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._request,
            get_updates_request=self._poll_request,
        )
        number = token.partition(":")[0]
        self._bot_id = number if number.isdigit() else "0"
        self._now = now
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._stopped = False
        self._refused = False
        self._in_trouble = False
        self._running: asyncio.Event | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._answers = asyncio.Semaphore(_ANSWERS_AT_ONCE)
        self._n_calls = 0
        self._tries: Counter[int] = Counter()
        self._long = LongMessages()
        self._waits = Waits()

    # -- reading -------------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """Read updates and hand them on until cancelled or ``stop`` is called.

        One barrier a batch: what follows a batch is asked for, which acknowledges it, once
        all of it is kept. What could not be kept comes again, and what the same person did
        after it waits for it.

        Raises:
            CannotError: Telegram refuses the token.
        """
        self._running = asyncio.Event()
        try:
            await self._read(receive)
        finally:
            self._running.set()
            await self._poll_request.shutdown()
        if self._refused:
            raise CannotError(_REFUSED)

    async def stop(self) -> None:
        """Stop reading, once what was read is kept; what was not acknowledged comes again.

        Messages can still be sent; the connections close behind the last of them.
        """
        self._stopped = True
        self._wake()
        if self._running is not None:
            await self._running.wait()
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=2.0)
            for task in late:
                task.cancel()
        await self._close_when_done()

    async def _read(self, receive: Receive) -> None:
        ready = False
        offset: int | None = None
        failures = 0
        while not self._ended:
            try:
                if not ready:
                    await self._prepare()
                    ready = True
                batch = await self._ask(offset)
            except TelegramError as error:
                failures += 1
                ready = ready and not isinstance(error, Conflict)
                await self._bear(error, failures)
                continue
            if batch is None:
                break
            self._be_well()
            if not batch:
                # Everything is acknowledged. Ids may start anew after a quiet week, and an
                # offset above them would throw them away.
                offset, failures = None, 0
                continue
            offset, all_kept = await self._hand_on(batch, receive)
            failures = 0 if all_kept else failures + 1
            if failures:
                seconds = min(_STORE_CAP, seconds_to_wait(failures))
                await self._unless_ended(self._sleep(seconds))
        if offset is not None and not self._refused:
            await self._acknowledge(offset)

    @property
    def _ended(self) -> bool:
        return self._stopped or self._refused

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    async def _unless_ended(self, work: Awaitable[Any]) -> Any:
        """Await something that ``stop`` and a refused token cut short; then give None."""
        task = asyncio.ensure_future(work)
        self._waiting = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._ended or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._waiting = None

    async def _prepare(self) -> None:
        """Take away a webhook, beside which Telegram allows no polling; updates stay."""
        await self._unless_ended(self._call("deleteWebhook", {"drop_pending_updates": False}))

    async def _ask(self, offset: int | None) -> list[Mapping[str, Any]] | None:
        """Ask for updates; None when reading has ended meanwhile."""
        params = {
            "timeout": self._poll_seconds,
            "limit": 100,
            "allowed_updates": list(ALLOWED_UPDATES),
            **({} if offset is None else {"offset": offset}),
        }
        work = self._bot.call("getUpdates", params, read_timeout=self._poll_seconds + 10.0)
        started = asyncio.get_running_loop().time()
        batch = await self._unless_ended(work)
        if self._ended and batch is None:
            return None
        if not isinstance(batch, list):
            raise NetworkError("the answer is not a list")
        updates = [
            raw
            for raw in batch
            if isinstance(raw, Mapping) and isinstance(raw.get("update_id"), int)
        ]
        hasty = asyncio.get_running_loop().time() - started < min(1.0, self._poll_seconds / 2)
        if not updates and (batch or hasty):
            raise NetworkError("the answer came at once and without an update")
        return updates

    async def _hand_on(
        self, batch: Sequence[Mapping[str, Any]], receive: Receive
    ) -> tuple[int, bool]:
        """Hand a batch on; give the offset that acknowledges what may be, and if all was kept.

        Tasks start in the order of arrival, one a person.
        """
        at = self._now()
        by_person: dict[str, list[tuple[Mapping[str, Any], Inbound]]] = {}
        for raw in batch:
            try:
                inbound = to_inbound(raw, bot_id=self._bot_id, at=at)
            except (KeyError, TypeError, ValueError, AttributeError):
                _log.error("update %d cannot be read and is passed over", raw["update_id"])
                continue
            if inbound is not None:
                by_person.setdefault(inbound.address.platform_id, []).append((raw, inbound))
        left = await asyncio.gather(
            *(self._in_turn(updates, receive) for updates in by_person.values())
        )
        lost = [update_id for update_id in left if update_id is not None]
        if lost:
            return min(lost), False
        return max(raw["update_id"] for raw in batch) + 1, True

    async def _in_turn(
        self, updates: Sequence[tuple[Mapping[str, Any], Inbound]], receive: Receive
    ) -> int | None:
        """Hand on one person's updates; give the id of the first that was not kept."""
        for raw, inbound in updates:
            update_id: int = raw["update_id"]
            try:
                await receive(inbound)
            except StoreError as error:
                _log.warning("update %d was not kept: %s", update_id, type(error).__name__)
                return update_id
            except Exception as error:
                if not self._pass_over(update_id, error):
                    return update_id
            if (query_id := pressed_query(raw)) is not None:
                task = asyncio.create_task(self._answer(query_id))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
        return None

    def _pass_over(self, update_id: int, error: Exception) -> bool:
        """Whether to give up on an update that made our own code fail; its words stay unsaid."""
        self._tries[update_id] += 1
        given_up = self._tries[update_id] >= _TRIES
        _log.error(
            "update %d failed with %s%s\n%s",
            update_id,
            type(error).__name__,
            " again and is passed over" if given_up else "",
            "".join(traceback.format_tb(error.__traceback__)),
        )
        if given_up:
            del self._tries[update_id]
        return given_up

    async def _answer(self, query_id: str) -> None:
        """Let the pressed button stop turning; best effort."""
        try:
            async with self._answers:
                await self._call("answerCallbackQuery", {"callback_query_id": query_id})
        except TelegramError as error:
            _log.debug("a press could not be answered: %s", type(error).__name__)

    async def _acknowledge(self, offset: int) -> None:
        """Tell Telegram what was kept last; best effort, as a repeated update changes nothing."""
        params = {"offset": offset, "limit": 1, "timeout": 0}
        try:
            await self._bot.call("getUpdates", params, read_timeout=2.0)
        except TelegramError as error:
            _log.debug("the last updates will come again: %s", type(error).__name__)

    async def _bear(self, error: TelegramError, failures: int) -> None:
        """Say once what is wrong, and wait."""
        seconds = seconds_to_wait(failures)
        said = f"Telegram does not answer ({type(error).__name__}); trying again."
        if isinstance(error, InvalidToken):
            self._refused = True
            return
        if isinstance(error, Conflict):
            seconds = CAP / 2
            said = (
                "Another program reads this bot's updates. Stop it, or give it a bot of its own; "
                "trying again."
            )
        elif isinstance(error, Flooded):
            seconds = error.seconds
        if not self._in_trouble:
            self._in_trouble = True
            _log.warning(said)
        await self._unless_ended(self._sleep(seconds))

    def _be_well(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            _log.info("Telegram answers again.")

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

    async def send(self, chat: str, prompt: Prompt, *, replaces: str | None) -> str | None:
        """Send one message and give its position in the chat.

        A text too long for one message goes in several; where that stops halfway, sending the
        same again goes on from there.

        Raises:
            SlowDown: Wait as told, then try again.
            ChatGone: The person has blocked the bot, or is no more.
            MessageRefused: Telegram will never take it.
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
            try:
                message = await self._call("sendMessage", {"chat_id": chat, **payload})
            except ChatMigrated as moved:
                params = {"chat_id": moved.new_chat_id, **payload}
                message = await self._call("sendMessage", params)
            return str(int(message["message_id"]))
        except TelegramError as error:
            raise self._failure(chat, error) from None
        except (KeyError, TypeError, ValueError):
            raise ChannelFailed("Telegram answered nonsense") from None

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
            self._refused = True
            self._wake()
        return ChannelFailed(f"Telegram: {type(error).__name__}")

    async def _call(self, method: str, params: dict[str, Any]) -> Any:
        self._n_calls += 1
        try:
            return await self._bot.call(method, params)
        finally:
            self._n_calls -= 1
            if self._stopped:
                await self._close_when_done()

    async def _close_when_done(self) -> None:
        if not self._n_calls:
            await self._request.shutdown()
