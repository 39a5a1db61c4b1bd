"""A balancer on loopback: hands each request to one of several ports, in turn.

Where nobody listens the next one gets it. Beyond that nothing is tried again: that is for the
platforms to do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from aiohttp import ClientConnectionError, ClientConnectorError, ClientSession, web

#: What concerns one connection only, and is not handed on.
_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


class Balancer:
    """Hands on requests.

    Attributes:
        ports: Of the workers.
        served: How many requests each has answered.
    """

    def __init__(self, ports: Sequence[int], session: ClientSession) -> None:
        self.ports = list(ports)
        self.served: Counter[int] = Counter()
        self._session = session
        self._turn = count()

    async def hand_on(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hand a request to whoever's turn it is."""
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        first = next(self._turn)
        for place in range(len(self.ports)):
            port = self.ports[(first + place) % len(self.ports)]
            url = f"http://127.0.0.1:{port}{request.path_qs}"
            try:
                async with self._session.request(
                    request.method, url, data=body, headers=headers
                ) as answer:
                    text = await answer.read()
            except ClientConnectorError:
                continue
            except ClientConnectionError:
                return web.Response(status=502)
            self.served[port] += 1
            response = web.Response(status=answer.status, body=text)
            response.content_type = answer.content_type
            return response
        return web.Response(status=502)

    async def ready(self, port: int) -> bool:
        """Whether a worker says that it can be sent requests."""
        try:
            async with self._session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except ClientConnectionError:
            return False

    async def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until every worker says that it can be sent requests."""
        async with asyncio.timeout(seconds):
            for port in self.ports:
                while not await self.ready(port):
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def balancing(port: int, ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """Listen on a port and hand on to others."""
    async with ClientSession() as session:
        balancer = Balancer(ports, session)
        server = web.Server(balancer.hand_on, access_log=None)
        runner = web.ServerRunner(server, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield balancer
        finally:
            await runner.cleanup()
