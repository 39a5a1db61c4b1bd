"""What reading Slack has in common, by Socket Mode or by HTTP: slack-bolt, order, patience.

Nothing is acknowledged before what it holds is kept (``process_before_response``), and it is put
in its person's queue before anything is awaited.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.channels.base import CohortLeft, CohortSeen, Receive
from bot.channels.patience import seconds_to_wait
from bot.channels.slack_client import MUTE, TROUBLE, SlackClient, code_of, wait_of
from bot.channels.slack_members import Members
from bot.channels.slack_shapes import is_own_joining, to_inbound
from dialogues.errors import StoreError

__all__ = ["Reading"]

_log = logging.getLogger(__name__)


class Reading:
    """Events on their way in; ``SocketMode`` and ``HttpMode`` say how they come.

    Args:
        web: The client.
        places: Channels whose members are a cohort.
        now: The clock; aware UTC.
        sleep: How to wait.

    Attributes:
        up: Whether what people do reaches us, as far as we know.
        refused: What to do where Slack refuses a token; empty while it does not.
    """

    def __init__(
        self,
        web: SlackClient,
        places: Sequence[str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._web = web
        self._places = places
        self._members = Members(web, places, now=now, sleep=sleep)
        self._now = now
        self._sleep = sleep
        self._team = self._bot_user = ""
        self._ended = asyncio.Event()
        self._to_meet = asyncio.Event()
        self._everybody = True
        self._in_trouble = False
        self.up = False
        self.refused = ""

    async def run(self, receive: Receive) -> None:
        """Read until ``stop`` or ``refuse`` is called; what was read is kept by then."""
        meeting: asyncio.Task[None] | None = None
        try:
            me = await self._until_answered(self._web.auth_test)
            if me is not None:
                self._team, self._bot_user = str(me["team_id"]), str(me["user_id"])
                app = self._app(receive, me)
                meeting = asyncio.create_task(self._meet(receive))
                await self._read(app)
        finally:
            self.up = False
            if meeting is not None:
                meeting.cancel()
                await asyncio.gather(meeting, return_exceptions=True)

    async def _read(self, app: AsyncApp) -> None:
        """Hand what comes to ``app`` until reading is to end."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop reading."""
        self._ended.set()

    def refuse(self, what_to_do: str) -> None:
        """Note that Slack refuses a token."""
        self.refused = what_to_do
        self._ended.set()

    # -- patience ------------------------------------------------------------------------

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
                if not self.refused:
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

    def _be_well(self) -> None:
        self.up = True
        if self._in_trouble:
            self._in_trouble = False
            _log.info("Slack answers again.")

    # -- events --------------------------------------------------------------------------

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
            await self._hand_on(body, receive)
            await ack()

        app = AsyncApp(
            name="commonpulse",
            client=self._web,
            logger=MUTE,
            authorize=authorize,
            process_before_response=True,
            # HttpMode looks at signatures itself, before the body is read.
            request_verification_enabled=False,
            ssl_check_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        everything = re.compile("")
        app.event(everything)(listen)
        app.action(everything)(listen)
        app.command(everything)(listen)
        app.error(_note_failure)
        return app

    async def _hand_on(self, body: Mapping[str, Any], receive: Receive) -> None:
        """Hand on what an event, a press or a command means, if it means anything to us.

        Raises:
            StoreError: It could not be kept.
        """
        try:
            inbound = to_inbound(
                body,
                at=self._now(),
                places=self._places,
                bot_user=self._bot_user,
                names=self._members.names,
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
            _log.error("an event cannot be read and is passed over")
            inbound = None
        if is_own_joining(body, bot_user=self._bot_user, places=self._places):
            self._everybody = True
            self._to_meet.set()
        if isinstance(inbound, CohortSeen | CohortLeft):
            self._members.note(inbound)
        if inbound is not None:
            await receive(inbound)
        if isinstance(inbound, CohortSeen):
            self._to_meet.set()

    async def _meet(self, receive: Receive) -> None:
        """Read the places' members now, and again when the app is invited to one of them; who
        joins one in between is looked at alone.
        """
        while True:
            self._to_meet.clear()
            everybody, self._everybody = self._everybody, False
            try:
                if everybody:
                    await self._members.meet(receive, team=self._team, bot_user=self._bot_user)
                await self._members.meet_newcomers(receive, team=self._team)
            except Exception as error:
                await _note_failure(error)
            await self._to_meet.wait()


async def _note_failure(error: Exception) -> BoltResponse:
    """Say where our own code failed, and nothing of what somebody said."""
    if isinstance(error, StoreError):
        _log.warning("an event was not kept: %s", error)
        return BoltResponse(status=503)
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("an event failed with %s\n%s", type(error).__name__, frames)
    return BoltResponse(status=500)
