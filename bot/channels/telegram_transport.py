"""python-telegram-bot's HTTP on aiohttp, which costs a third of the time of its own.

Only requests and their failures live here. Nothing is logged, and no error carries an address:
the addresses of the Bot API hold the token.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.request import getproxies

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

__all__ = ["AiohttpRequest", "Flooded"]

#: A number, None for no limit, or the library's own value for "not given".
_Seconds = Any

_TOO_MANY_REQUESTS = 429

#: Seconds, where a 429 does not say how long.
_LONG_WAIT = 5.0


class Flooded(TelegramError):
    """Telegram asks to wait.

    In the place of ``telegram.error.RetryAfter``, which warns of its own deprecation whenever
    one is made (22.8).

    Attributes:
        seconds: How long.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait {seconds} s")
        self.seconds = seconds


class AiohttpRequest(BaseRequest):
    """Requests to the Bot API over one aiohttp session, opened by the first of them.

    Args:
        connections: How many at once; further requests wait for one to become free.
        timeout: Seconds to wait for an answer, and for a connection.
    """

    __slots__ = ("_connections", "_default", "_session", "_timeout", "_urls")

    def __init__(self, *, connections: int = 64, timeout: float = 15.0) -> None:
        self._connections = connections
        self._timeout = timeout
        self._default = self._timeouts(timeout, timeout)
        self._session: ClientSession | None = None
        self._urls: dict[str, URL] = {}

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer."""
        return self._timeout

    async def initialize(self) -> None:
        """Do nothing: the first request opens the session."""

    async def shutdown(self) -> None:
        """Close the session; a later request opens another."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: _Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: _Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: _Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: _Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one request and give the status and body of the answer.

        Raises:
            Flooded: The answer was 429 with a time to wait.
            TimedOut: No connection or no answer in time.
            NetworkError: Anything else that went wrong on the way.
        """
        timeout = self._default
        if read_timeout is not self.DEFAULT_NONE or connect_timeout is not self.DEFAULT_NONE:
            timeout = self._timeouts(self._given(read_timeout), self._given(connect_timeout))
        try:
            session = self._session
            if session is None:
                session = self._session = self._open()
            target = self._urls.get(url)
            if target is None:
                target = self._urls[url] = URL(url)
            async with session.request(
                method,
                target,
                data=None if request_data is None else _body(request_data),
                headers=None if request_data is None or request_data.contains_files else _JSON,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                payload = await answer.read()
        except TimeoutError:
            raise TimedOut from None
        except (ClientError, OSError, ValueError) as error:
            raise NetworkError(type(error).__name__) from None
        if answer.status == _TOO_MANY_REQUESTS:
            raise Flooded(_seconds_to_wait(payload))
        return answer.status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer; what is none is not logged, as it may hold somebody's words.

        Raises:
            NetworkError: This is not an answer of the Bot API.
        """
        try:
            answer = json.loads(payload)
        except ValueError:
            raise NetworkError("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise NetworkError("the answer is not an object")
        return answer

    def _open(self) -> ClientSession:
        # Looking for a proxy costs more than the rest of a request, so it is done once.
        return ClientSession(
            connector=TCPConnector(limit=self._connections),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": self.USER_AGENT},
            trust_env=bool(getproxies()),
        )

    def _given(self, seconds: _Seconds) -> float | None:
        return self._timeout if seconds is self.DEFAULT_NONE else seconds

    @staticmethod
    def _timeouts(read: float | None, connect: float | None) -> ClientTimeout:
        return ClientTimeout(total=None, sock_read=read, connect=connect)


_JSON = {"Content-Type": "application/json"}


def _body(request_data: RequestData) -> bytes | FormData:
    if not request_data.contains_files:
        return json.dumps(request_data.parameters).encode()
    form = FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, kind) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return form


def _seconds_to_wait(payload: bytes) -> float:
    try:
        return max(0.0, float(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, TypeError, KeyError):
        return _LONG_WAIT
