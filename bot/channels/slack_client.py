"""slack_sdk's Web API client with one session, and what its failures mean.

slack_sdk and slack-bolt write words, addresses and links with tickets to their logs: ``MUTE``
is the logger to give them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.channels.patience import seconds_to_wait

__all__ = [
    "MUTE",
    "PASSING",
    "TROUBLE",
    "LinkFailed",
    "SlackClient",
    "code_of",
    "patiently",
    "wait_of",
]

MUTE = logging.Logger("muted", level=logging.CRITICAL + 1)
MUTE.disabled = True

#: What a call may raise.
TROUBLE = (SlackClientError, ClientError, OSError, TimeoutError, ValueError)

_TOKEN_REFUSED = frozenset({
    "invalid_auth", "not_allowed_token_type", "not_authed", "token_expired", "token_revoked",
})  # fmt: skip

#: Said of the bot by the methods that are about nobody else, elsewhere of the person too.
_INACTIVE = "account_inactive"
_OWN = frozenset({"auth.test", "apps.connections.open"})

#: What passes by itself; empty where it is not Slack that speaks.
PASSING = frozenset({
    "", "fatal_error", "internal_error", "request_timeout", "service_unavailable",
})  # fmt: skip

_CODE = re.compile(r"[a-z0-9_]{1,64}")

_OK = 200
_TOO_MANY_REQUESTS = 429

#: Characters of the words for a picture, of files.getUploadURLExternal (alt_txt_too_large).
MAX_ALT = 1000

#: Tries of a link to which a picture is uploaded.
_UPLOADS = 2

#: Seconds to wait where Slack does not say how long.
_LONG_WAIT = 5.0

_CONNECTIONS = 32


def code_of(error: Exception) -> str:
    """Give Slack's word for what went wrong; empty where it is not Slack that speaks."""
    data = getattr(getattr(error, "response", None), "data", None)
    code = data.get("error") if isinstance(data, Mapping) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def wait_of(error: Exception) -> float | None:
    """Give the seconds that Slack asks to wait; None when it does not ask."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status != _TOO_MANY_REQUESTS and code_of(error) not in {"ratelimited", "rate_limited"}:
        return None
    try:
        return max(0.0, float(getattr(response, "headers", {})["Retry-After"]))
    except (KeyError, TypeError, ValueError):
        return _LONG_WAIT


class LinkFailed(SlackClientError):
    """The link for an upload could not be used. It holds a ticket, so it is not repeated."""


class SlackClient(AsyncWebClient):
    """The library's client: one session for all calls, opened by the first of them.

    Args:
        token: The bot's.
        base_url: Where the Web API is.
        refused: Told the method that failed because of its token.
    """

    def __init__(self, *, token: str, base_url: str, refused: Callable[[str], None]) -> None:
        super().__init__(token=token, base_url=base_url, logger=MUTE, retry_handlers=[])
        self._say_refused = refused
        self._n_calls = 0
        self._closing = False

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """Call a method; see the library's."""
        self._session()
        self._n_calls += 1
        try:
            return await super().api_call(api_method, **options)
        except SlackApiError as error:
            code = code_of(error)
            if code in _TOKEN_REFUSED or (code == _INACTIVE and api_method in _OWN):
                self._say_refused(api_method)
            raise
        except (AttributeError, TypeError):
            # The library stumbles over an answer that is not JSON.
            raise SlackClientError("the answer is not JSON") from None
        finally:
            self._n_calls -= 1
            if self._closing:
                await self.close()

    async def upload(self, picture: bytes, *, alt: str) -> str:
        """Upload a picture that is shared nowhere yet, and give Slack's id for it.

        Raises:
            LinkFailed: Only the upload failed, while Slack answers.
            SlackClientError: Or another of ``TROUBLE``.
        """
        answer = await self.files_getUploadURLExternal(
            filename="results.png", length=len(picture), alt_txt=alt[:MAX_ALT]
        )
        url, file_id = str(answer["upload_url"]), str(answer["file_id"])
        for _ in range(_UPLOADS):
            if await self._put(picture, url):
                break
        else:
            raise LinkFailed
        await self.files_completeUploadExternal(files=[{"id": file_id, "title": "results"}])
        return file_id

    async def _put(self, picture: bytes, url: str) -> bool:
        """Send a picture to its link; False when it was not taken."""
        self._n_calls += 1
        try:
            async with self._session().post(url, data=picture) as taken:
                return taken.status == _OK
        except (ClientError, OSError, TimeoutError, ValueError):
            return False
        finally:
            self._n_calls -= 1
            if self._closing:
                await self.close()

    def _session(self) -> ClientSession:
        if self.session is None:
            self.session = ClientSession(
                connector=TCPConnector(limit=_CONNECTIONS),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=30),
            )
        return self.session

    async def close(self) -> None:
        """Close the session behind the last call; a later call opens one for itself."""
        self._closing = True
        session = self.session
        if not self._n_calls and session is not None:
            self.session = None
            await session.close()


async def patiently(
    call: Callable[[], Awaitable[AsyncSlackResponse]], sleep: Callable[[float], Awaitable[None]]
) -> AsyncSlackResponse | None:
    """Call until there is an answer; None when Slack says that there will be none."""
    failures = 0
    while True:
        try:
            return await call()
        except TROUBLE as error:
            failures += 1
            wait = wait_of(error)
            if wait is None and code_of(error) not in PASSING:
                return None
            await sleep(seconds_to_wait(failures) if wait is None else wait)
