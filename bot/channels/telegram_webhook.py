"""Telegram's updates by webhook: each comes in a request of its own, and again until 200.

An update is answered 200 only once all that follows from it is committed. Telegram sends one
person's updates one after the other, and holds back the later ones until the earlier is taken.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from telegram.error import BadRequest, TelegramError

from bot.channels.base import Inbound, Receive
from bot.channels.hooks import Answer, Refused, json_object
from bot.channels.telegram_reading import Api, Reading
from bot.channels.telegram_shapes import ALLOWED_UPDATES, pressed_query

__all__ = ["PATH", "Webhook", "secret_of"]

_log = logging.getLogger(__name__)

PATH = "/telegram/webhook"

_HEADER = "X-Telegram-Bot-Api-Secret-Token"

#: Requests that Telegram may make at once; it allows 1 to 100.
_CONNECTIONS = 100

#: Seconds that a commit may take until Telegram is asked to come again.
_PATIENCE = 20.0

#: Seconds between two looks at whether the webhook still stands.
_WATCH = 60.0

#: Seconds that taking the webhook away may take: somebody waits for the end.
_FAREWELL = 5.0

#: Characters of what Telegram says that reach the log.
_SAID = 200

_Call = Callable[[str, dict[str, Any]], Awaitable[Any]]


def secret_of(token: str) -> str:
    """Give a secret that everybody with the token agrees on, and nobody else can know."""
    return hmac.new(token.encode(), b"commonpulse: telegram webhook", hashlib.sha256).hexdigest()


class Webhook(Reading):
    """Takes updates as they come; the hook at ``path``.

    Args:
        api: The bot.
        call: Makes a call.
        public_url: Where Telegram reaches our server, without ``PATH``.
        secret: What Telegram proves itself with; 1 to 256 of A-Z, a-z, 0-9, ``_`` and ``-``.
        now: The clock; aware UTC.
        sleep: How to wait.
    """

    path = PATH
    content_types = frozenset({"application/json"})

    def __init__(
        self,
        api: Api,
        call: _Call,
        public_url: str,
        secret: str,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(api, now=now, sleep=sleep)
        self._call = call
        self._url = public_url.rstrip("/") + PATH
        self._secret = secret
        self._receive: Receive | None = None
        self._set = False
        self._n_taking = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._noted = ""

    async def run(self, receive: Receive) -> None:
        """Set the webhook, and take what comes until ``stop`` is called.

        The webhook is looked after: one that somebody takes away is set again, and what
        Telegram says of its trouble with it is logged.
        """
        self._receive = receive
        failures = 0
        try:
            while not self.ended:
                try:
                    await self._unless_ended(self._look_after())
                except TelegramError as error:
                    failures += 1
                    await self._bear(error, failures)
                    continue
                if self.ended:
                    break
                failures = 0
                self._be_well()
                await self._unless_ended(self._sleep(_WATCH))
        finally:
            self.up = False
            await self._idle.wait()
            self._receive = None

    async def take_down(self) -> None:
        """Take the webhook away, so that what people do waits at Telegram; best effort."""
        if not self._set or self.refused:
            return
        self._set = False
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._call("deleteWebhook", {"drop_pending_updates": False})
        except (TelegramError, TimeoutError) as error:
            _log.warning("The webhook could not be taken away: %s", type(error).__name__)

    async def _look_after(self) -> None:
        """Set the webhook at the start and whenever it does not stand; note its trouble."""
        if self._set:
            info = await self._call("getWebhookInfo", {})
            if not isinstance(info, Mapping):
                return
            self._note(info)
            if info.get("url") == self._url:
                return
            _log.warning("Somebody took the webhook away or changed it; it is set again.")
        await self._call(
            "setWebhook",
            {
                "url": self._url,
                "secret_token": self._secret,
                "allowed_updates": list(ALLOWED_UPDATES),
                "max_connections": _CONNECTIONS,
                "drop_pending_updates": False,
            },
        )
        self._set = True

    def _note(self, info: Mapping[str, Any]) -> None:
        """Say what trouble Telegram has in reaching us, each time that it is news."""
        said, at = info.get("last_error_message"), info.get("last_error_date")
        news = f"{at} {said}"
        if isinstance(said, str) and said and news != self._noted:
            self._noted = news
            _log.warning("Telegram had trouble with the webhook: %s", _plain(said))

    def _said_of(self, error: BadRequest) -> str:
        return (
            f"Telegram does not take the webhook: {_plain(error.message)}. Compare [web]"
            " public_url with docs/howto/webhooks.md; trying again."
        )

    # -- the hook ------------------------------------------------------------------------

    def admit(self, headers: Mapping[str, str]) -> None:
        """Compare the secret, in constant time.

        Raises:
            Refused: It is missing or another.
        """
        given = headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret.encode()):
            raise Refused("forged", 403)

    async def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take an update; what could not be kept is answered 503, and so comes again.

        Raises:
            Refused: It is no update.
        """
        raw = json_object(body)
        update_id = raw.get("update_id")
        if not isinstance(update_id, int) or isinstance(update_id, bool):
            raise Refused("malformed", 400)
        receive = self._receive
        if receive is None or self.ended:
            return Answer(status=503)
        inbound = self._read(raw, self._now())
        if inbound is None:
            return Answer()
        self._n_taking += 1
        self._idle.clear()
        try:
            kept = await self._in_time(update_id, inbound, receive)
        finally:
            self._n_taking -= 1
            if not self._n_taking:
                self._idle.set()
        if not kept:
            return Answer(status=503)
        return Answer() if (query := pressed_query(raw)) is None else _stop_turning(query)

    async def _in_time(self, update_id: int, inbound: Inbound, receive: Receive) -> bool:
        """Hand on an update; False when it was not kept while Telegram may be let wait."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._keep(update_id, inbound, receive)
        except TimeoutError:
            _log.warning("update %d was not kept: it took too long", update_id)
            return False


def _stop_turning(query_id: str) -> Answer:
    """Answer a press within the answer to its request, which saves a call."""
    call = {"method": "answerCallbackQuery", "callback_query_id": query_id}
    return Answer(body=json.dumps(call).encode(), content_type="application/json")


def _plain(said: str) -> str:
    """Give what a platform says for the log: short, in one line."""
    return " ".join(said.split())[:_SAID].rstrip(".")
