"""Slack by HTTP: every event, press and command comes in a signed request of its own.

A request is acknowledged only once all that follows from it is committed, and Slack waits no
longer than three seconds. It then sends an event again, a few times; a press or a command it
does not. What comes again is known by the message or press that it carries, whatever its
headers say.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.channels.hooks import Answer, Refused, json_object
from bot.channels.slack_client import SlackClient
from bot.channels.slack_reading import Reading

__all__ = ["PATH", "HttpMode"]

_log = logging.getLogger(__name__)

PATH = "/slack/events"

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

#: Seconds that the time of a request may be away from ours, before or after
#: (docs.slack.dev/authentication/verifying-requests-from-slack).
_FRESH = 300.0

#: Seconds until Slack is asked to come again, of the three that it waits: the rest is the way.
_PATIENCE = 2.5

_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

#: Fields of a form: Slack's have a dozen and a half.
_MOST_FIELDS = 100


class HttpMode(Reading):
    """Takes requests as they come; the hook at ``path``.

    Args:
        web: The client.
        signing_secret: What Slack signs its requests with.
        places: Channels whose members are a cohort.
        now: The clock; aware UTC.
        sleep: How to wait.
    """

    path = PATH
    content_types = frozenset({_JSON, _FORM})

    def __init__(
        self,
        web: SlackClient,
        signing_secret: str,
        places: Sequence[str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(web, places, now=now, sleep=sleep)
        self._secret = signing_secret.encode()
        self._bolt: AsyncApp | None = None
        self._taking: set[asyncio.Task[BoltResponse]] = set()

    async def _read(self, app: AsyncApp) -> None:
        self._bolt = app
        self._be_well()
        try:
            await self._ended.wait()
        finally:
            self._bolt = None
            if self._taking:
                await asyncio.wait(self._taking)

    # -- the hook ------------------------------------------------------------------------

    def admit(self, headers: Mapping[str, str]) -> None:
        """Look at the time of a request, and whether it is signed at all.

        Raises:
            Refused: It is unsigned, or older or newer than five minutes.
        """
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        if not _SIGNATURE.fullmatch(headers.get("X-Slack-Signature", "")):
            raise Refused("forged", 403)
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Refused("forged", 403)
        if abs(self._now().timestamp() - int(timestamp)) > _FRESH:
            raise Refused("stale", 403)

    async def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take an event, a press or a command, and acknowledge it once it is kept.

        Raises:
            Refused: The signature is another's, or this is nothing that Slack sends.
        """
        self._compare(headers, body)
        content = _content(headers, body)
        if content.get("ssl_check") == "1":
            return Answer()
        if not _of_known_shape(content):
            raise Refused("malformed", 400)
        if content.get("type") == "app_rate_limited":
            _log.warning("Slack leaves out events: there were more than 30,000 in an hour.")
            return Answer()
        bolt = self._bolt
        if bolt is None or self._ended.is_set():
            return Answer(status=503)
        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
        except Exception as error:
            _note_odd(error)
            raise Refused("malformed", 400) from None
        task = asyncio.create_task(bolt.async_dispatch(request))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done():
            # It goes on, and is known as the same when it comes again.
            _log.warning("an event was not kept in the time that Slack waits")
            return Answer(status=503)
        try:
            response = task.result()
        except Exception as error:
            _note_odd(error)
            raise Refused("malformed", 400) from None
        return _answer(response)

    def _compare(self, headers: Mapping[str, str], body: bytes) -> None:
        base = b"v0:" + headers["X-Slack-Request-Timestamp"].encode() + b":" + body
        signature = "v0=" + hmac.new(self._secret, base, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, headers["X-Slack-Signature"]):
            raise Refused("forged", 403)


def _content(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Give what a request holds: an event, an interaction or the fields of a command.

    Raises:
        Refused: It holds none of them.
    """
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() == _JSON:
        return json_object(body)
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise Refused("malformed", 400) from None
    fields = dict(pairs)
    if "payload" in fields:
        return json_object(fields["payload"])
    if "command" not in fields and "ssl_check" not in fields:
        raise Refused("malformed", 400)
    return fields


def _of_known_shape(content: Mapping[str, Any]) -> bool:
    """Whether the library can make out what this is; the rest is for ``to_inbound``."""
    if "event" in content:
        event = content["event"]
        return isinstance(event, dict) and isinstance(event.get("type"), str)
    if content.get("type") == "block_actions":
        actions = content.get("actions")
        return (
            isinstance(actions, list)
            and bool(actions)
            and isinstance(actions[0], dict)
            and isinstance(actions[0].get("action_id"), str)
        )
    return True


def _answer(response: BoltResponse) -> Answer:
    if response.status == 404:
        # Nothing that the app asks for: another kind of interaction, or no event.
        raise Refused("unknown", 404)
    body = response.body.encode()
    kind = _JSON if body.startswith(b"{") else "text/plain"
    return Answer(status=response.status, body=body, content_type=kind)


def _note_odd(error: Exception) -> None:
    """Say where the library stumbled, and nothing of what somebody said."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.warning("a request made the library fail with %s\n%s", type(error).__name__, frames)
