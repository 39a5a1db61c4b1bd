"""Slack, through slack-bolt: events by Socket Mode, messages by ``send``.

An envelope is acknowledged only once what it holds is kept (``process_before_response``), and
is put in its person's queue before anything is awaited.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    CohortSeen,
    MessageRefused,
    Receive,
    SlowDown,
)
from bot.channels.patience import seconds_to_wait
from bot.channels.sending import LongMessages, Waits
from bot.channels.slack_client import MUTE, TROUBLE, SlackClient, code_of, wait_of
from bot.channels.slack_members import Members
from bot.channels.slack_shapes import is_own_joining, render, to_inbound
from bot.errors import CannotError
from dialogues.errors import StoreError
from dialogues.prompts import Prompt

__all__ = ["SlackChannel", "render", "to_inbound"]

_log = logging.getLogger(__name__)

_GONE = frozenset({
    "cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled", "user_disabled",
    "user_not_found", "user_not_visible",
})  # fmt: skip

_REFUSED = frozenset({
    "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long",
    "msg_too_long", "no_text", "too_many_attachments",
})  # fmt: skip

_NOT_EDITABLE = frozenset({
    "cant_update_message", "edit_window_closed", "message_not_found",
})  # fmt: skip

#: Seconds between two looks at whether the socket still stands.
_WATCH = 0.5

#: Seconds that a connection may take; a link that is not used in time is worth nothing.
_CONNECT = 15.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SlackChannel:
    """One workspace on Slack.

    Args:
        bot_token: ``xoxb-...``.
        app_token: ``xapp-...``, for Socket Mode.
        api_base_url: Where the Web API is.
        places: Channels whose members are a cohort.
        now: The clock; aware UTC.
        sleep: How to wait.
    """

    name = "slack"
    slash = False

    def __init__(
        self,
        bot_token: str,
        app_token: str,
        api_base_url: str = "https://slack.com/api/",
        places: Collection[str] = (),
        *,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not bot_token or not app_token:
            raise CannotError("Slack needs two tokens: set [slack] bot_token and app_token.")
        self._app_token = app_token
        self._web = SlackClient(token=bot_token, base_url=api_base_url, refused=self._say_refused)
        self._places = tuple(dict.fromkeys(places))
        self._members = Members(self._web, self._places, now=now, sleep=sleep)
        self._now = now
        self._sleep = sleep
        self._team = self._bot_user = ""
        self._directs: dict[str, str] = {}
        self._ended = asyncio.Event()
        self._invited = asyncio.Event()
        self._stopped = False
        self._refused = ""
        self._in_trouble = False
        self._running: asyncio.Event | None = None
        self._n_receiving = 0
        self._idle = asyncio.Event()
        self._long = LongMessages()
        self._waits = Waits()

    # -- reading -------------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """Read events and hand them on until cancelled or ``stop`` is called.

        What could not be kept is not acknowledged: Slack sends an event again, a few times,
        and after a press the person finds the question still open.

        Raises:
            CannotError: Slack refuses a token.
        """
        self._running = asyncio.Event()
        meeting: asyncio.Task[None] | None = None
        try:
            me = await self._until_answered(self._web.auth_test)
            if me is not None:
                self._team, self._bot_user = str(me["team_id"]), str(me["user_id"])
                app = self._app(receive, me)
                meeting = asyncio.create_task(self._meet(receive))
                while not self._ended.is_set():
                    await self._hold_connection(app)
        finally:
            if meeting is not None:
                meeting.cancel()
                await asyncio.gather(meeting, return_exceptions=True)
            self._running.set()
            if self._stopped or self._refused:
                await self._web.close()
        if self._refused:
            raise CannotError(self._refused)

    async def stop(self) -> None:
        """Stop reading, once what was read is kept; what was not acknowledged comes again.

        Messages can still be sent; the connections close behind the last of them.
        """
        self._stopped = True
        self._ended.set()
        if self._running is not None:
            await self._running.wait()
        await self._web.close()

    def _say_refused(self, method: str) -> None:
        which, where = "bot token (xoxb-)", "bot_token, from OAuth & Permissions"
        if method == "apps.connections.open":
            which, where = "app-level token (xapp-)", "app_token, from Basic Information"
        self._refused = (
            f"Slack refuses the {which}. Copy it anew from api.slack.com/apps into [slack] "
            f"{where}, and start again."
        )
        self._ended.set()

    async def _unless_ended(self, work: Awaitable[Any]) -> Any:
        """Await something that ``stop`` and a refused token cut short; then give None."""
        task = asyncio.ensure_future(work)
        end = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            end.cancel()
            await asyncio.gather(task, end, return_exceptions=True)

    async def _until_answered(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> Any:
        """Call until there is an answer; give None when reading has ended before."""
        failures = 0
        while not self._ended.is_set():
            try:
                answer = await self._unless_ended(call())
            except TROUBLE as error:
                failures += 1
                if not self._refused:
                    self._say_trouble(error)
                    seconds = wait_of(error) or seconds_to_wait(failures)
                    await self._unless_ended(self._sleep(seconds))
            else:
                return answer
        return None

    def _say_trouble(self, error: Exception) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            _log.warning(
                "Slack does not answer (%s); trying again.", code_of(error) or type(error).__name__
            )

    def _app(self, receive: Receive, me: Mapping[str, Any]) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None,
                team_id=self._team,
                bot_user_id=self._bot_user,
                bot_id=me.get("bot_id"),
                bot_token=self._web.token,
            )

        async def listen(body: dict[str, Any], ack: Callable[[], Awaitable[Any]]) -> None:
            try:
                inbound = to_inbound(
                    body,
                    at=self._now(),
                    places=self._places,
                    bot_user=self._bot_user,
                    names=self._members.names,
                )
            except (KeyError, TypeError, ValueError, AttributeError, IndexError):
                _log.error("an event cannot be read and is passed over")
                inbound = None
            if isinstance(inbound, CohortSeen):
                self._members.note(inbound)
            if is_own_joining(body, bot_user=self._bot_user, places=self._places):
                self._invited.set()
            if inbound is not None:
                await receive(inbound)
            await ack()

        app = AsyncApp(
            name="commonpulse",
            client=self._web,
            logger=MUTE,
            authorize=authorize,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        everything = re.compile("")
        app.event(everything)(listen)
        app.action(everything)(listen)
        app.command(everything)(listen)
        app.error(_note_failure)
        return app

    async def _hold_connection(self, app: AsyncApp) -> None:
        """Connect, and watch until the connection is lost or reading has ended."""
        link = await self._until_answered(
            lambda: self._web.apps_connections_open(app_token=self._app_token)
        )
        if link is None:
            return
        handler = AsyncSocketModeHandler(app, self._app_token, logger=MUTE)
        client = handler.client

        async def take(_client: Any, request: SocketModeRequest) -> None:
            if self._ended.is_set():
                return
            self._n_receiving += 1
            self._idle.clear()
            try:
                await handler.handle(client, request)
            finally:
                self._n_receiving -= 1
                if not self._n_receiving:
                    self._idle.set()

        client.socket_mode_request_listeners[:] = [take]
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        client.wss_uri = str(link["url"])
        try:
            if await self._connect(client):
                await self._watch(client)
            if self._ended.is_set() and self._n_receiving:
                await self._idle.wait()
        finally:
            await _close(client)

    async def _connect(self, client: SocketModeClient) -> bool:
        try:
            async with asyncio.timeout(_CONNECT):
                await self._unless_ended(_connected(client))
        except TimeoutError as error:
            self._say_trouble(error)
            return False
        if self._in_trouble:
            self._in_trouble = False
            _log.info("Slack answers again.")
        return True

    async def _watch(self, client: SocketModeClient) -> None:
        """Return when the connection is lost; while Slack has it renewed it is not."""
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._ended.is_set():
            if await client.is_connected():
                last = clock()
            elif not client.connect_operation_lock.locked() or clock() - last > _CONNECT:
                return
            try:
                async with asyncio.timeout(_WATCH):
                    await self._ended.wait()
            except TimeoutError:
                continue

    async def _meet(self, receive: Receive) -> None:
        """Read the places' members now, and again when the app is invited to one of them."""
        while True:
            self._invited.clear()
            try:
                await self._members.meet(receive, team=self._team, bot_user=self._bot_user)
            except Exception as error:
                await _note_failure(error)
            await self._invited.wait()

    # -- sending -------------------------------------------------------------------------

    async def send(self, chat: str, prompt: Prompt, *, replaces: str | None) -> str | None:
        """Send one message and give its position (its ``ts``) in the chat.

        A text too long for one message goes in several; where that stops halfway, sending the
        same again goes on from there.

        Raises:
            SlowDown: Wait as told, then try again.
            ChatGone: The person is no more in the workspace, or cannot be written to.
            MessageRefused: Slack will never take it.
            ChannelFailed: Try again later; the message may have arrived.
        """
        return await self._long.send(
            (chat, prompt, replaces),
            render(prompt),
            lambda index, payload: self._show(chat, payload, None if index else replaces),
        )

    async def _show(self, chat: str, payload: dict[str, Any], replaces: str | None) -> str:
        try:
            if replaces is not None and await self._edit(chat, payload, replaces):
                return replaces
            answer = await self._web.chat_postMessage(
                channel=chat, unfurl_links=False, unfurl_media=False, **payload
            )
            if isinstance(direct := answer.get("channel"), str):
                self._directs[chat] = direct
            return str(answer["ts"])
        except TROUBLE as error:
            raise await self._failure(chat, error) from None
        except (KeyError, TypeError):
            raise ChannelFailed("Slack answered nonsense") from None

    async def _edit(self, chat: str, payload: dict[str, Any], ts: str) -> bool:
        """Change a message where it stands; False when that message can't be changed."""
        try:
            channel = await self._direct(chat)
            await self._web.chat_update(channel=channel, ts=ts, **payload)
        except SlackApiError as error:
            if (wait := wait_of(error)) is not None:
                raise SlowDown(wait, whole=False) from None
            if code_of(error) in _NOT_EDITABLE:
                return False
            raise
        return True

    async def _direct(self, chat: str) -> str:
        """Give the id of the direct messages with somebody, which a change needs."""
        if not chat.startswith(("U", "W")):
            return chat
        if chat not in self._directs:
            answer = await self._web.conversations_open(users=chat)
            self._directs[chat] = str(answer["channel"]["id"])
        return self._directs[chat]

    async def _failure(self, chat: str, error: Exception) -> ChannelFailed:
        """Translate what went wrong; with Slack's word only, as the rest may be private."""
        if (wait := wait_of(error)) is not None:
            return self._waits.asked(chat, wait)
        code = code_of(error)
        if code == "account_inactive":
            # Slack says so of the person and of the bot alike; only of the bot here:
            try:
                await self._web.auth_test()
            except TROUBLE:
                return ChannelFailed(f"Slack: {code}")
            return ChatGone(f"Slack: {code}")
        if code in _GONE:
            return ChatGone(f"Slack: {code}")
        if code in _REFUSED:
            return MessageRefused(f"Slack: {code}")
        return ChannelFailed(f"Slack: {code or type(error).__name__}")


async def _note_failure(error: Exception) -> None:
    """Say where our own code failed, and nothing of what somebody said."""
    if isinstance(error, StoreError):
        _log.warning("an event was not kept: %s", type(error).__name__)
        return
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("an event failed with %s\n%s", type(error).__name__, frames)


async def _connected(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
