"""The web server: one door for the platforms' hooks, and for ``/healthz``, ``/readyz`` and
``/metrics``.

What lives here: reading requests within bounds, and refusing what is not worth reading. What
must not: what a request means (a hook's matter). Nothing of a request reaches a log, and what
is refused is told by kind and number alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.web_protocol import RequestHandler

from bot.channels.hooks import Answer, Hook, Refusal, Refused
from bot.errors import CannotError
from bot.observer import Observer

__all__ = ["MAX_BODY", "WebServer"]

log = logging.getLogger(__name__)

#: Bytes of a body: far more than any platform sends.
MAX_BODY = 1024 * 1024

#: Seconds that a body may take to come, and the line and headers before the first one.
_BODY_SECONDS = 10.0
_HEAD_SECONDS = 15.0

#: Seconds that a connection may be idle: longer than the usual proxies keep theirs, so that
#: none sends a request into a connection that closes.
_IDLE_SECONDS = 130.0

#: Connections at once. What comes beyond is closed, so that files and sockets are left for
#: the database and for sending.
_MOST_CONNECTIONS = 512

#: Bytes of all bodies that are being read: most of who sends them has proven nothing yet.
_MOST_BYTES = 64 * 1024 * 1024

#: Seconds that requests under way may take at the end.
_FINISH_SECONDS = 20.0

#: Seconds between two lines in the log on the same kind of refusal.
_SAY_SECONDS = 60.0

#: In the place of the name and version of the library.
_OWN = {hdrs.SERVER: "commonpulse"}

_MUTE = logging.Logger("muted", level=logging.CRITICAL + 1)
_MUTE.disabled = True

#: Gives whether each part of the house can do its work, by name.
Checks = Callable[[], Awaitable[Mapping[str, bool]]]

#: Gives what ``/metrics`` shows, and its content type.
Exposition = Callable[[], Awaitable[tuple[bytes, str]]]

_Page = Callable[[], Awaitable[web.Response]]


class WebServer:
    """Listens, and brings each request to whom it is for.

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.
        hooks: What takes the platforms' requests.
        checks: Asked for ``/readyz``.
        metrics: Asked for ``/metrics``.
        observer: Told of what is refused.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        hooks: Sequence[Hook],
        checks: Checks,
        metrics: Exposition,
        observer: Observer,
    ) -> None:
        self._host = host
        self._asked_port = port
        self._hooks = {hook.path: hook for hook in hooks}
        self._checks = checks
        self._metrics = metrics
        self._refusals = _Refusals(observer)
        self._pages: dict[str, _Page] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._show_metrics,
        }
        self._closing = False
        self._n_bytes = 0
        self._runner: web.ServerRunner | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        return int(self._runner.addresses[0][1]) if self._runner is not None else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            CannotError: The address cannot be listened on.
        """
        server = _Server(
            self._handle,
            self._refusals,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=_IDLE_SECONDS,
            lingering_time=1.0,
            logger=_MUTE,
        )
        runner = web.ServerRunner(server, access_log=None, shutdown_timeout=_FINISH_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._asked_port).start()
        except OSError as trouble:
            await runner.cleanup()
            raise CannotError(
                f"Nothing can listen on {self._host}, port {self._asked_port}"
                f" ({_reason(trouble)}). Set web.host and web.port to an address of this machine"
                " and a port that is free."
            ) from None
        self._runner = runner
        log.info("Listening on %s, port %d", self._host, self.port)

    def close(self) -> None:
        """Say on ``/readyz`` that the end is near; requests are taken as before."""
        self._closing = True

    async def stop(self) -> None:
        """Listen no more; requests under way are finished first."""
        self._closing = True
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    # -- requests ------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            response = await self._answer(request)
        except Refused as refusal:
            response = self._refuse(refusal)
            if refusal.kind == "method":
                response.headers[hdrs.ALLOW] = (
                    "GET, HEAD" if request.path in self._pages else "POST"
                )
        except (ConnectionError, ClientPayloadError, web.RequestPayloadError):
            # Broken off, or a body that is not framed as it says.
            response = self._refuse(Refused("malformed", 400))
        except Exception as defect:
            # Its text could hold somebody's words.
            frames = "".join(traceback.format_tb(defect.__traceback__))
            log.error("A web request failed with %s\n%s", type(defect).__name__, frames)
            response = web.Response(status=500)
        response.headers.update(_OWN)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = request.path
        if (page := self._pages.get(path)) is not None:
            if request.method not in {"GET", "HEAD"}:
                raise Refused("method", 405)
            response = await page()
            response.headers[hdrs.CACHE_CONTROL] = "no-store"
            return response
        hook = self._hooks.get(path)
        if hook is None:
            raise Refused("unknown", 404)
        if request.method != "POST":
            raise Refused("method", 405)
        return _response(await hook.take(request.headers, await self._body(request, hook)))

    async def _body(self, request: web.BaseRequest, hook: Hook) -> bytes:
        """Read a body that is worth it.

        Raises:
            Refused: It is not.
        """
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            # No platform packs what it sends, and a small packet can unfold without end.
            raise Refused("malformed", 415)
        if request.content_type not in hook.content_types:
            raise Refused("malformed", 415)
        if (request.content_length or 0) > MAX_BODY:
            raise Refused("oversized", 413)
        hook.admit(request.headers)
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self._n_bytes += len(chunk)
                    if len(body) > MAX_BODY:
                        raise Refused("oversized", 413)
                    if self._n_bytes > _MOST_BYTES:
                        raise Refused("crowded", 503)
        except TimeoutError:
            raise Refused("slow", 408) from None
        finally:
            self._n_bytes -= len(body)
        return bytes(body)

    def _refuse(self, refusal: Refused) -> web.Response:
        self._refusals.note(refusal.kind)
        response = web.Response(status=refusal.status)
        if refusal.kind in {"crowded", "oversized", "slow"}:
            # What is left of it is not worth waiting for.
            response.force_close()
        return response

    # -- pages ---------------------------------------------------------------------------

    async def _healthz(self) -> web.Response:
        return web.json_response({"alive": True})

    async def _readyz(self) -> web.Response:
        checks = dict(await self._checks())
        ready = not self._closing and all(checks.values())
        state = "ending" if self._closing else "ready" if ready else "not ready"
        told = {name: "up" if well else "down" for name, well in checks.items()}
        body = json.dumps({"state": state, "checks": told}) + "\n"
        return web.Response(
            status=200 if ready else 503, text=body, content_type="application/json"
        )

    async def _show_metrics(self) -> web.Response:
        body, content_type = await self._metrics()
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})


class _Refusals:
    """Counts what is refused, and says so now and then."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._unsaid: Counter[Refusal] = Counter()
        self._say_at: dict[Refusal, float] = {}

    def note(self, kind: Refusal) -> None:
        """Count a refusal."""
        self._observer.refused(kind)
        self._unsaid[kind] += 1
        now = asyncio.get_running_loop().time()
        if now >= self._say_at.get(kind, 0.0):
            self._say_at[kind] = now + _SAY_SECONDS
            count = self._unsaid.pop(kind)
            log.warning("Refused %d web request%s: %s", count, "" if count == 1 else "s", kind)


class _Server(web.Server):
    """Makes a door for each connection, and closes those that are too many or say nothing."""

    def __init__(self, handler: Any, refusals: _Refusals, **options: Any) -> None:
        super().__init__(handler, **options)
        self._refusals = refusals
        self._options = options

    def __call__(self) -> RequestHandler:
        return _Door(self, self._refusals, loop=self._loop, **self._options)


class _Door(RequestHandler):
    """One connection."""

    __slots__ = ("_head_timer", "_refusals")

    def __init__(self, server: _Server, refusals: _Refusals, **options: Any) -> None:
        super().__init__(server, **options)
        self._refusals = refusals
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let somebody in, if there is room."""
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > _MOST_CONNECTIONS:
            self._refusals.note("crowded")
            self.force_close()
            return
        self._head_timer = self._loop.call_later(_HEAD_SECONDS, self._close_unheard)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let somebody go."""
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def _close_unheard(self) -> None:
        """Close where nothing that is a request has come since it was opened."""
        if not self._request_count:
            self._refusals.note("slow")
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP without repeating it, in the answer or in the log."""
        self._refusals.note("malformed")
        response = web.Response(status=status, headers=_OWN)
        response.force_close()
        return response


def _response(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body)
    if answer.body:
        response.content_type = answer.content_type
    return response


def _reason(trouble: OSError) -> str:
    if trouble.errno is not None and trouble.errno > 0:
        return os.strerror(trouble.errno).lower()
    return trouble.strerror or type(trouble).__name__
