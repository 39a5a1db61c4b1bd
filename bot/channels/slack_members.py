"""Who is in the Slack channels that are cohorts: read once after the start, slowly."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.channels.base import CohortLeft, CohortListed, CohortSeen, Receive
from bot.channels.patience import seconds_to_wait
from bot.channels.slack_client import SlackClient, patiently
from bot.channels.slack_shapes import listed_in, seen_in
from dialogues.errors import StoreError

__all__ = ["Members"]

_log = logging.getLogger(__name__)

#: Seconds after each users.info, of which Slack allows a hundred a minute.
_PACE = 0.6

_SLACKBOT = "USLACKBOT"


class Members:
    """Reads the members of places, and what they are called.

    Attributes:
        names: What people are called, by user id; filled while reading.
    """

    def __init__(
        self,
        client: SlackClient,
        places: Sequence[str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.names: dict[str, str] = {}
        self._joined: set[tuple[str, str]] = set()
        self._left: set[tuple[str, str]] = set()
        self._newcomers: list[tuple[str, str]] = []
        self._client = client
        self._places = places
        self._now = now
        self._sleep = sleep

    async def meet(self, receive: Receive, *, team: str, bot_user: str) -> None:
        """Tell ``receive`` of every person in each place, bots and those who left apart.

        First, where the whole list could be read, of who is in it at all: who left while
        nobody looked is not.
        """
        met: dict[str, Mapping[str, Any] | None] = {bot_user: None, _SLACKBOT: None}
        for place in self._places:
            self._joined.clear()
            self._left = {one for one in self._left if one[0] != place}
            users, whole = await self._read(place)
            if whole:
                await self._keep(receive, partial(self._list, place, users, team))
            for user in users:
                if user not in met:
                    met[user] = await self._look_at(user)
                profile = met[user]
                if profile is not None:
                    await self._keep(receive, partial(self._seen, place, user, team, profile))

    async def meet_newcomers(self, receive: Receive, *, team: str) -> None:
        """Tell ``receive`` what their profiles say of those who joined a place since."""
        while self._newcomers:
            place, user = self._newcomers.pop(0)
            profile = await self._look_at(user)
            if profile is not None:
                await self._keep(receive, partial(self._seen, place, user, team, profile))

    def note(self, moved: CohortSeen | CohortLeft) -> None:
        """Note who joins or leaves a place: what was read of it may be older than that, and the
        event of joining says nothing else of them.
        """
        who = (moved.place, moved.address.platform_id)
        if isinstance(moved, CohortLeft):
            self._joined.discard(who)
            self._left.add(who)
        else:
            self._joined.add(who)
            self._left.discard(who)
            self._newcomers.append((moved.place, moved.address.platform_id.rpartition(":")[2]))

    async def _read(self, place: str) -> tuple[list[str], bool]:
        """Give who is in a place, and whether that is everybody."""
        users: list[str] = []
        cursor: str | None = None
        while cursor != "":
            page = await self._page(place, cursor)
            listed = page.get("members")
            if not isinstance(listed, list):
                return users, False
            users += listed
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        return users, bool(users)

    def _list(self, place: str, users: Sequence[str], team: str) -> CohortListed:
        listed = listed_in(place, users, team=team, at=self._now())
        joined = {platform_id for joined, platform_id in self._joined if joined == place}
        return replace(listed, platform_ids=listed.platform_ids | joined)

    async def _page(self, place: str, cursor: str | None) -> Mapping[str, Any]:
        answer = await patiently(
            lambda: self._client.conversations_members(channel=place, limit=200, cursor=cursor),
            self._sleep,
        )
        if answer is None or not isinstance(answer.data, Mapping):
            _log.warning(
                "The members of Slack channel %s cannot be read. Invite the app to the channel, "
                "and compare its scopes with the manifest.",
                place,
            )
            return {}
        return answer.data

    async def _look_at(self, user: str) -> Mapping[str, Any] | None:
        """Give somebody's profile; None for bots and those who left."""
        answer = await patiently(
            lambda: self._client.users_info(user=user, include_locale=True), self._sleep
        )
        await self._sleep(_PACE)
        profile: Mapping[str, Any] | None = None if answer is None else answer.get("user")
        if profile is None or profile.get("is_bot") or profile.get("deleted"):
            return None
        shown = profile.get("profile") or {}
        name = shown.get("display_name") or shown.get("real_name")
        if isinstance(name, str) and name:
            self.names[user] = name
        return profile

    def _seen(
        self, place: str, user: str, team: str, profile: Mapping[str, Any]
    ) -> CohortSeen | None:
        """Say that somebody is in a place; None where they left it since that was read."""
        language = str(profile.get("locale") or "").partition("-")[0].lower() or None
        timezone = profile.get("tz")
        seen = seen_in(
            place,
            user,
            team=team,
            at=self._now(),
            language=language,
            timezone=timezone if isinstance(timezone, str) and timezone else None,
        )
        return None if (place, seen.address.platform_id) in self._left else seen

    async def _keep(
        self, receive: Receive, tell: Callable[[], CohortListed | CohortSeen | None]
    ) -> None:
        """Tell something until it is kept, each time as it is by then, or till it is no more."""
        failures = 0
        while (news := tell()) is not None:
            try:
                await receive(news)
            except StoreError as error:
                failures += 1
                _log.warning("a member was not kept: %s", error)
                await self._sleep(seconds_to_wait(failures))
            else:
                return
