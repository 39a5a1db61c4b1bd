"""What reading Telegram's updates has in common, however they come: order, patience, defects.

Updates are read as the Bot API gives them (``telegram_shapes.py``), each alone: the library's
own reading fails a whole batch for one update that it cannot parse.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from telegram import Bot
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, TelegramError

from bot.channels.base import Inbound, Receive
from bot.channels.patience import CAP, seconds_to_wait
from bot.channels.telegram_shapes import to_inbound
from bot.channels.telegram_transport import Flooded
from dialogues.errors import StoreError

__all__ = ["Api", "Reading"]

_log = logging.getLogger(__name__)

#: How often an update is tried that makes our own code fail, before it is passed over.
_TRIES = 3


def _silence_library() -> None:
    """Keep out of the logs what python-telegram-bot writes there: tokens, words, addresses."""
    for name in ("telegram", "telegram.Bot", "telegram.BaseRequest"):
        logging.getLogger(name).addFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


_silence_library()


class Api(Bot):
    """The library's bot, with one call for any method, as the Bot API answers it.

    The library would build objects from answers of which one number is wanted: that takes
    twice the time of the call.
    """

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


class Reading:
    """Updates on their way in; ``Polling`` and ``Webhook`` say how they come.

    Args:
        api: The bot.
        now: The clock; aware UTC.
        sleep: How to wait.

    Attributes:
        up: Whether what people do reaches us, as far as we know.
        refused: Whether Telegram refuses the token.
    """

    def __init__(
        self,
        api: Api,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._api = api
        number = api.token.partition(":")[0]
        self._bot_id = number if number.isdigit() else "0"
        self._now = now
        self._sleep = sleep
        self.up = False
        self.refused = False
        self._stopped = False
        self._in_trouble = False
        self._waiting: asyncio.Task[Any] | None = None
        self._tries: Counter[int] = Counter()

    async def run(self, receive: Receive) -> None:
        """Read until ``stop`` or ``refuse`` is called; what was read is kept by then."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop reading."""
        self._stopped = True
        self._wake()

    def refuse(self) -> None:
        """Note that Telegram refuses the token."""
        self.refused = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether reading is to end."""
        return self._stopped or self.refused

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
            if not self.ended or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._waiting = None

    # -- one update ----------------------------------------------------------------------

    def _read(self, raw: Mapping[str, Any], at: datetime) -> Inbound | None:
        """Read an update; None for one that does not concern us or that nobody can read."""
        try:
            return to_inbound(raw, bot_id=self._bot_id, at=at)
        except (KeyError, TypeError, ValueError, AttributeError):
            _log.error("update %d cannot be read and is passed over", raw["update_id"])
            return None

    async def _keep(self, update_id: int, inbound: Inbound, receive: Receive) -> bool:
        """Hand on an update; False when it was not kept and has to come again."""
        try:
            await receive(inbound)
        except StoreError as error:
            _log.warning("update %d was not kept: %s", update_id, error)
            return False
        except Exception as error:
            return self._pass_over(update_id, error)
        self._tries.pop(update_id, None)
        return True

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

    # -- patience ------------------------------------------------------------------------

    async def _bear(self, error: TelegramError, failures: int) -> None:
        """Say once what is wrong, and wait."""
        seconds = seconds_to_wait(failures)
        said = f"Telegram does not answer ({type(error).__name__}); trying again."
        if isinstance(error, InvalidToken):
            self.refused = True
            return
        if isinstance(error, Conflict):
            seconds = CAP / 2
            said = (
                "Another program reads this bot's updates. Stop it, or give it a bot of its own; "
                "trying again."
            )
        elif isinstance(error, Flooded):
            seconds = error.seconds
        elif isinstance(error, BadRequest):
            said = self._said_of(error) or said
        if not self._in_trouble:
            self._in_trouble = True
            _log.warning(said)
        await self._unless_ended(self._sleep(seconds))

    def _said_of(self, error: BadRequest) -> str:
        """Say what a refused call means; empty for nothing in particular."""
        return ""

    def _be_well(self) -> None:
        self.up = True
        if self._in_trouble:
            self._in_trouble = False
            _log.info("Telegram answers again.")
