"""Delivery of updates to a webhook, as Telegram does it: again until the answer is 2xx.

At most `max_connections` at once, one person's updates in order (`in_order`; without it all
at once, as nothing promises). Telegram insists on https; the fake takes http, for loopback.
Waits between tries are short (`retry_seconds`). A 2xx answer may hold one call of a method,
which is made (`called` counts them).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from tests.fakes.server import structure
from tests.fakes.telegram_methods import ApiError, bad

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Webhook:
    """The webhook as set, and what went wrong with it last."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.url = ""
        self.secret_token = ""
        self.max_connections = 40
        self.last_error = ""
        self.last_error_at = 0
        self.retry_seconds = 0.05
        self.in_order = True
        self.called = 0
        self.times_set = 0
        self._busy: set[int] = set()
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def set(self, params: dict[str, Any]) -> bool:
        """Carry out setWebhook."""
        url = str(params.get("url") or "")
        secret = str(params.get("secret_token") or "")
        at_once = int(params.get("max_connections") or 40)
        if url and not url.startswith(("http://", "https://")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        if not 1 <= at_once <= 100:
            at_once = 40
        self.url, self.secret_token, self.max_connections = url, secret, at_once
        self.times_set += 1
        allowed = structure(params.get("allowed_updates"), None)
        if allowed:
            self.fake.allowed = frozenset({*allowed, "poison"})
        self._drop(params)
        self._stop()
        self.resume()
        self.fake.changed()
        return True

    def resume(self) -> None:
        """Deliver, if there is somewhere to deliver to."""
        if self.url:
            self._busy.clear()
            self._task = self.fake.spawn(self._run())

    def delete(self, params: dict[str, Any]) -> bool:
        """Carry out deleteWebhook."""
        self.url = ""
        self._drop(params)
        self._stop()
        self.fake.changed()
        return True

    def info(self) -> dict[str, Any]:
        """Carry out getWebhookInfo."""
        info = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": self.fake.unconfirmed,
            "max_connections": self.max_connections,
        }
        if self.last_error:
            info |= {
                "last_error_message": self.last_error,
                "last_error_date": self.last_error_at,
            }
        return info

    def wake(self) -> None:
        """Say that there is something to deliver."""
        self._news.set()

    def _drop(self, params: dict[str, Any]) -> None:
        if str(params.get("drop_pending_updates", "")).lower() == "true":
            self.fake.pending.clear()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        timeout = ClientTimeout(total=30)
        async with ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                for update in list(self.fake.pending):
                    if len(self._busy) >= self.max_connections:
                        break
                    key = update.person.id if self.in_order else update.id
                    if key not in self._busy:
                        self._busy.add(key)
                        tasks.create_task(self._deliver(session, update, key))
                await self._news.wait()

    async def _deliver(self, session: ClientSession, update: Any, key: int) -> None:
        headers = {"Content-Type": "application/json"}
        if self.secret_token:
            headers[SECRET_HEADER] = self.secret_token
        try:
            while True:
                body = self.fake.hand(update)
                try:
                    async with session.post(self.url, data=body, headers=headers) as answer:
                        if 200 <= answer.status <= 299:
                            await self._call(answer)
                            break
                        self._failed(f"Wrong response from the webhook: {answer.status}")
                except (ClientError, TimeoutError) as error:
                    self._failed(f"Connection failed: {type(error).__name__}")
                await asyncio.sleep(self.retry_seconds)
            if update in self.fake.pending:
                self.fake.pending.remove(update)
            self.fake.confirm(update)
        finally:
            self._busy.discard(key)
            self._news.set()

    async def _call(self, answer: ClientResponse) -> None:
        """Make the call that an answer holds, if it holds one; nobody learns what came of it."""
        if answer.content_type != "application/json":
            return
        params = json.loads(await answer.read() or b"{}")
        method = str(params.pop("method", ""))
        if (call := self.fake.methods.get(method.lower())) is None:
            return
        self.called += 1
        try:
            call(params)
        except ApiError as error:
            self._failed(error.description)

    def _failed(self, what: str) -> None:
        self.last_error, self.last_error_at = what, int(time.time())
