"""A small app on the real slack-bolt, for the tests of the fake Slack."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack


class NotingApp:
    """A small app on slack-bolt that notes whatever reaches it."""

    def __init__(self, fake: FakeSlack) -> None:
        self.client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_base_url)
        self.app = AsyncApp(
            client=self.client,
            signing_secret=fake.signing_secret,
            process_before_response=True,
            ignoring_self_events_enabled=False,
        )
        self.handler = AsyncSocketModeHandler(self.app, fake.app_token, ping_interval=1)
        self.fake = fake
        self.bodies: list[dict[str, Any]] = []
        self.retries: list[str] = []
        self.before_ack: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self.answer: dict[str, Any] = {}
        for kind in (
            "message", "app_home_opened", "member_joined_channel", "member_left_channel",
            "user_change",
        ):  # fmt: skip
            self.app.event(kind)(self._event)
        self.app.action(re.compile(".*"))(self._acted)
        self.app.command("/pulse")(self._acted)
        self.app.view("why")(self._acted)

    async def _note(self, body: dict[str, Any]) -> None:
        self.bodies.append(body)
        if self.before_ack is not None:
            await self.before_ack(body)
        self.fake.changed()

    async def _event(self, body: dict[str, Any], request: AsyncBoltRequest) -> None:
        self.retries += request.headers.get("x-slack-retry-num", [])
        await self._note(body)

    async def _acted(self, ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        await self._note(body)
        await ack(**self.answer)

    def events(self, kind: str = "message") -> list[dict[str, Any]]:
        return [
            body["event"]
            for body in self.bodies
            if body.get("type") == "event_callback" and body["event"]["type"] == kind
        ]

    async def got(self, n: int) -> list[dict[str, Any]]:
        await self.fake.wait_until(lambda: len(self.bodies) >= n)
        return self.bodies


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(label: str, value: str = "v", action_id: str = "a") -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "value": value, "action_id": action_id}


def question(text: str, *labels: str, block_id: str = "q1") -> list[dict[str, Any]]:
    elements = [button(label, label.lower(), f"a{n}") for n, label in enumerate(labels)]
    return [section(text), {"type": "actions", "block_id": block_id, "elements": elements}]


async def refused(call: Awaitable[Any]) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value.response.data
