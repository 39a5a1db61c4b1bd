"""The web server: what it shows, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Mapping

import pytest

from bot import web
from bot.channels.hooks import Answer, Refused, json_object
from bot.errors import CannotError
from tests.web.serving import Served, free_port, served

MARK = "marked-words"


class Box:
    """A hook that keeps what it is brought."""

    path = "/box"
    content_types = frozenset({"application/json"})

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()

    def admit(self, headers: Mapping[str, str]) -> None:
        if headers.get("X-Secret") == "wrong":
            raise Refused("forged", 403)

    async def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self.began.set()
        await self.gate.wait()
        if body == b"break":
            raise RuntimeError(MARK)
        self.kept.append(body)
        return Answer(body=b'{"ok": true}', content_type="application/json")


JSON = {"Content-Type": "application/json"}


async def raw(served_: Served, sent: bytes, *, wait: float = 5.0) -> bytes:
    """Send bytes as they are; give all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served_.server.port)
    writer.write(sent)
    try:
        async with asyncio.timeout(wait):
            return await reader.read()
    finally:
        writer.close()


async def test_a_request_is_brought_to_its_hook() -> None:
    box = Box()
    async with served(box) as house:
        answer = await house.ask("POST", "/box", b'{"a": 1}', JSON)
        assert (answer.status, answer.text) == (200, '{"ok": true}')
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Server"] == "commonpulse"
    assert box.kept == [b'{"a": 1}']
    assert house.noting.kinds == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "kind"),
    [
        ("GET", f"/{MARK}", b"", {}, 404, "unknown"),
        ("POST", "/", b"{}", JSON, 404, "unknown"),
        ("POST", "/box/", b"{}", JSON, 404, "unknown"),
        ("GET", "/box", b"", {}, 405, "method"),
        ("PUT", "/box", b"{}", JSON, 405, "method"),
        ("POST", "/metrics", b"{}", JSON, 405, "method"),
        ("DELETE", "/healthz", b"", {}, 405, "method"),
        ("POST", "/box", b"{}", {"Content-Type": "text/plain"}, 415, "malformed"),
        ("POST", "/box", b"{}", {}, 415, "malformed"),
        ("POST", "/box", b"{}", JSON | {"X-Secret": "wrong"}, 403, "forged"),
        ("POST", "/box", b"x" * (web.MAX_BODY + 1), JSON, 413, "oversized"),
    ],
)
async def test_what_is_not_worth_reading_is_refused(
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    status: int,
    kind: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    box = Box()
    async with served(box) as house:
        answer = await house.ask(method, path, body, headers)
        assert (answer.status, answer.text) == (status, "")
        if status == 405:
            assert answer.headers["Allow"] == ("POST" if path == "/box" else "GET, HEAD")
    assert box.kept == []
    assert house.noting.kinds == {kind: 1}
    assert f"Refused 1 web request: {kind}" in caplog.text
    assert MARK not in caplog.text
    assert "127.0.0.1, port" in caplog.text
    assert "127.0.0.1:" not in caplog.text


async def test_a_body_of_the_greatest_size_is_taken() -> None:
    box = Box()
    async with served(box) as house:
        assert (await house.ask("POST", "/box", b"x" * web.MAX_BODY, JSON)).status == 200
    assert [len(body) for body in box.kept] == [web.MAX_BODY]


async def test_a_body_that_does_not_say_its_size_is_bounded_too() -> None:
    box = Box()
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = (
        b"POST /box HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    async with served(box) as house:
        said = await raw(house, head + piece * 17)
        assert said.startswith(b"HTTP/1.1 413 ")
    assert box.kept == []
    assert house.noting.kinds == {"oversized": 1}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
async def test_packed_bodies_are_never_unfolded(encoding: str) -> None:
    box = Box()
    bomb = gzip.compress(b"0" * 50_000_000)
    async with served(box) as house:
        answer = await house.ask("POST", "/box", bomb, JSON | {"Content-Encoding": encoding})
        assert answer.status == 415
    assert box.kept == []
    assert house.noting.kinds == {"malformed": 1}


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /healthz HTTP/9.9 " + MARK.encode() + b"\r\n\r\n",
        b"POST /box HTTP/1.1\r\nContent-Length: " + MARK.encode() + b"\r\n\r\n",
        b"GET /" + b"a" * 10_000 + MARK.encode() + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 10_000 + MARK.encode() + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_without_a_word_of_it(
    caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(Box()) as house:
        said = await raw(house, sent)
        assert said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
        assert MARK.encode() not in said
        assert (await house.ask("GET", "/healthz")).status == 200
    assert house.noting.kinds == {"malformed": 1}
    assert MARK not in caplog.text


async def test_a_body_that_is_wrongly_framed_or_broken_off_is_refused() -> None:
    box = Box()
    head = b"POST /box HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with served(box) as house:
        said = await raw(house, head + b"Transfer-Encoding: chunked\r\n\r\nnot a size\r\n")
        assert said.startswith(b"HTTP/1.0 400 ")
        _, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(head + b"Content-Length: 100\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        async with asyncio.timeout(5):
            while house.noting.kinds["malformed"] < 2:
                await asyncio.sleep(0.01)
        assert (await house.ask("GET", "/healthz")).status == 200
    assert box.kept == []


async def test_who_sends_too_slowly_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_BODY_SECONDS", 0.1)
    monkeypatch.setattr(web, "_HEAD_SECONDS", 0.1)
    box = Box()
    head = b"POST /box HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with served(box) as house:
        assert await raw(house, b"") == b""
        assert await raw(house, head) == b""
        said = await raw(house, head + b"Content-Length: 100\r\n\r\nabc")
        assert said.startswith(b"HTTP/1.1 408 ")
    assert box.kept == []
    assert house.noting.kinds == {"slow": 3}


async def test_a_connection_stays_open_for_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "_HEAD_SECONDS", 0.1)
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    async with served() as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        for _ in range(2):
            writer.write(request)
            assert b" 200 " in await reader.readline()
            await reader.readuntil(b"}")
            await asyncio.sleep(0.15)
        writer.close()
    assert house.noting.kinds == {}


async def test_there_are_never_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_MOST_CONNECTIONS", 2)
    async with served() as house:
        held = [await asyncio.open_connection("127.0.0.1", house.server.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await raw(house, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        held[0][1].close()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert (await house.ask("GET", "/healthz")).status == 200
                    break
                except (ConnectionError, OSError):
                    await asyncio.sleep(0.01)
        held[1][1].close()
    assert house.noting.kinds["crowded"] >= 1


async def test_there_are_never_too_many_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_MOST_BYTES", 1000)
    box = Box()
    head = b"POST /box HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with served(box) as house:
        _, slow = await asyncio.open_connection("127.0.0.1", house.server.port)
        slow.write(head + b"Content-Length: 801\r\n\r\n" + b"x" * 800)
        await slow.drain()
        await asyncio.sleep(0.05)
        assert (await house.ask("POST", "/box", b"y" * 100, JSON)).status == 200
        assert (await house.ask("POST", "/box", b"y" * 300, JSON)).status == 503
        slow.write(b"x")
        async with asyncio.timeout(5):
            while len(box.kept) < 2:
                await asyncio.sleep(0.01)
        assert (await house.ask("POST", "/box", b"y" * 300, JSON)).status == 200
        slow.close()
    assert [len(body) for body in box.kept] == [100, 801, 300]
    assert house.noting.kinds == {"crowded": 1}


async def test_refusals_are_told_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    async with served() as house:
        for _ in range(5):
            await house.ask("GET", "/nothing")
        assert caplog.text.count("Refused") == 1
        house.server._refusals._say_at.clear()
        await house.ask("GET", "/nothing")
        assert "Refused 5 web requests: unknown" in caplog.text
    assert house.noting.kinds == {"unknown": 6}


async def test_a_defect_is_told_by_its_place(caplog: pytest.LogCaptureFixture) -> None:
    async with served(Box()) as house:
        answer = await house.ask("POST", "/box", b"break", JSON)
        assert (answer.status, answer.text) == (500, "")
    assert "failed with RuntimeError" in caplog.text
    assert "in take" in caplog.text
    assert MARK not in caplog.text


async def test_the_pages() -> None:
    async with served() as house:
        alive = await house.ask("GET", "/healthz")
        assert (alive.status, json.loads(alive.text)) == (200, {"alive": True})
        ready = await house.ask("GET", "/readyz")
        assert (ready.status, json.loads(ready.text)) == (
            200, {"state": "ready", "checks": {"store": "up"}},
        )  # fmt: skip
        house.up["telegram"] = False
        ready = await house.ask("GET", "/readyz")
        assert (ready.status, json.loads(ready.text)) == (
            503, {"state": "not ready", "checks": {"store": "up", "telegram": "down"}},
        )  # fmt: skip
        assert ready.headers["Cache-Control"] == "no-store"
        metrics = await house.ask("GET", "/metrics")
        assert metrics.text == "pulse_up 1\n"
        assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        head = await house.ask("HEAD", "/metrics")
        assert (head.status, head.text) == (200, "")


async def test_the_end_is_told_first_and_finishes_what_has_begun() -> None:
    box = Box()
    box.gate.clear()
    async with served(box) as house:
        under_way = asyncio.create_task(house.ask("POST", "/box", b"{}", JSON))
        await box.began.wait()
        house.server.close()
        ready = await house.ask("GET", "/readyz")
        assert (ready.status, json.loads(ready.text)["state"]) == (503, "ending")
        url = house.url
        ending = asyncio.create_task(house.server.stop())
        await asyncio.sleep(0.05)
        assert not ending.done()
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        box.gate.set()
        await ending
        assert (await under_way).status == 200
    assert box.kept == [b"{}"]


async def test_a_port_that_is_taken_is_said() -> None:
    async with served() as house:
        port = house.server.port
        with pytest.raises(CannotError, match=rf"port {port} \(address already in use\)"):
            async with served(port=port):
                pass


async def test_an_address_that_is_nobodys_is_said() -> None:
    house = Served((), free_port())
    house.server._host = "192.0.2.1"
    with pytest.raises(CannotError, match=r"web\.host and web\.port"):
        await house.server.start()


@pytest.mark.parametrize(
    "text",
    [
        "", "nothing", "[]", '"x"', "1", "{", '{"a": 1}x', b"\xff{}", b"[" * 500_000,
        b'{"a":' * 200_000, '{"n": ' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(Refused) as refused:
        json_object(text)
    assert (refused.value.kind, refused.value.status) == ("malformed", 400)


def test_a_json_object_is_read() -> None:
    assert json_object(b'{"a": [1, "\\ud83d\\udc4b"]}') == {"a": [1, "👋"]}
