"""Delivery of updates to a webhook, as Telegram does it: again until the answer is 2xx.

At most `max_connections` at once, one person's updates in order. Telegram insists on https;
the fake takes http, for loopback. Waits between tries are short (`retry_seconds`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.fakes.server import structure

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """The webhook as set, and what went wrong with it last."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.url = ""
        self.secret_token = ""
        self.max_connections = 40
        self.last_error = ""
        self.retry_seconds = 0.05
        self._busy: set[int] = set()
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def set(self, params: dict[str, Any]) -> bool:
        """Carry out setWebhook."""
        self.url = str(params.get("url") or "")
        self.secret_token = str(params.get("secret_token") or "")
        self.max_connections = int(params.get("max_connections") or 40)
        allowed = structure(params.get("allowed_updates"), None)
        if allowed:
            self.fake.allowed = frozenset(allowed)
        self._drop(params)
        self._stop()
        if self.url:
            self._task = self.fake.spawn(self._run())
        return True

    def delete(self, params: dict[str, Any]) -> bool:
        """Carry out deleteWebhook."""
        self.url = ""
        self._drop(params)
        self._stop()
        return True

    def info(self) -> dict[str, Any]:
        """Carry out getWebhookInfo."""
        info = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": self.fake.unconfirmed,
            "max_connections": self.max_connections,
        }
        return info | ({"last_error_message": self.last_error} if self.last_error else {})

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
                    if update.person.id not in self._busy:
                        self._busy.add(update.person.id)
                        tasks.create_task(self._deliver(session, update))
                await self._news.wait()

    async def _deliver(self, session: ClientSession, update: Any) -> None:
        headers = {"Content-Type": "application/json"}
        if self.secret_token:
            headers[SECRET_HEADER] = self.secret_token
        try:
            while True:
                body = self.fake.hand(update)
                try:
                    async with session.post(self.url, data=body, headers=headers) as answer:
                        if 200 <= answer.status <= 299:
                            break
                        self.last_error = f"Wrong response from the webhook: {answer.status}"
                except (ClientError, TimeoutError) as error:
                    self.last_error = f"Connection failed: {type(error).__name__}"
                await asyncio.sleep(self.retry_seconds)
            if update in self.fake.pending:
                self.fake.pending.remove(update)
            self.fake.confirm(update)
        finally:
            self._busy.discard(update.person.id)
            self._news.set()
