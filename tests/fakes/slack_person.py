"""Somebody in the fake Slack workspace."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.fakes.people import Button, Message, Person, Press

LINK = re.compile(r"https?://[^\s<>]+")
MANY = frozenset({"checkboxes", "multi_static_select"})


def as_slack(text: str) -> str:
    """Give typed words as Slack hands them on: three escapes, links in angle brackets."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return LINK.sub(lambda match: f"<{match.group()}>", escaped)


class SlackPerson(Person):
    """One member, with their direct messages to the app."""

    def __init__(
        self, fake: Any, person_id: str, name: str, tz: str, locale: str, *, is_bot: bool
    ) -> None:
        super().__init__(person_id, name)
        self.fake = fake
        self.channel = f"D{person_id}"
        self.tz = tz
        self.locale = locale
        self.is_bot = is_bot
        self.deactivated = False
        self.slash_failed = 0
        self.home: dict[str, Any] | None = None
        self.view: dict[str, Any] | None = None
        self.view_errors: dict[str, str] = {}
        self.held: deque[Any] = deque()
        self._state: dict[Any, dict[str, dict[str, Any]]] = {}

    def profile(self, *, locale: bool) -> dict[str, Any]:
        """Give users.info's `user`."""
        offset = datetime.now(ZoneInfo(self.tz)).utcoffset()
        user = {
            "id": self.id,
            "team_id": self.fake.team_id,
            "name": self.name.lower().replace(" ", "."),
            "real_name": self.name,
            "deleted": self.deactivated,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "profile": {"real_name": self.name, "display_name": self.name},
        }
        if not self.deactivated:
            seconds = int(offset.total_seconds()) if offset is not None else 0
            user |= {"tz": self.tz, "tz_label": self.tz, "tz_offset": seconds}
        return user | ({"locale": self.locale} if locale else {})

    # -- messages ------------------------------------------------------------------------

    def say(self, text: str) -> Message:
        """Send words in the direct message, at once."""
        return self._post(self.channel, text, {})

    async def send_in(self, channel: Any, text: str) -> Message:
        """Send words in a channel (its id, or the object)."""
        return self._post(getattr(channel, "id", channel), text, {})

    async def upload(self, filename: str, text: str = "") -> Message:
        """Send a file, where perhaps words were asked."""
        file = {"id": f"F{len(self.chat)}", "name": filename, "user": self.id}
        return self._post(self.channel, text, {"subtype": "file_share", "files": [file]})

    async def photo(self) -> Message:
        """Send a picture."""
        return await self.upload("photo.jpg")

    def _post(self, channel: str, text: str, more: dict[str, Any]) -> Message:
        message = self.fake.new_message(channel, text, from_bot=False)
        message.raw = more | {"client_msg_id": str(uuid4())}
        if channel == self.channel:
            self.chat.append(message)
            self.acted(message)
        else:
            self.fake.channels[channel].messages.append(message)
        event = self._wire(message) | {
            "channel": channel,
            "channel_type": self.fake.channel_type(channel),
            "event_ts": message.id,
        }
        self.fake.later(self, self._deliver(event, message))
        return message

    def _wire(self, message: Message) -> dict[str, Any]:
        text = as_slack(message.text)
        words = {"type": "text", "text": message.text}
        rich = {"type": "rich_text_section", "elements": [words]}
        return {
            "type": "message",
            "user": self.id,
            "team": self.fake.team_id,
            "ts": message.id,
            "text": text,
            "blocks": [{"type": "rich_text", "block_id": "b", "elements": [rich]}],
            **message.raw,
        }

    async def _deliver(self, event: dict[str, Any], act: Message) -> None:
        if not await self.fake.emit(event, _handed(act)):
            act.lost = True
            self.changed()

    async def edit(self, message: Message, text: str) -> None:
        """Change the words of an own message."""
        before = self._wire(message)
        message.text = text
        message.edits += 1
        edited = {"user": self.id, "ts": self.fake.new_ts(message.chat)}
        message.raw = message.raw | {"edited": edited}
        self._hidden(message, "message_changed", {
            "message": self._wire(message),
            "previous_message": before,
        })  # fmt: skip

    async def delete(self, message: Message) -> None:
        """Delete an own message."""
        message.deleted = True
        self._hidden(message, "message_deleted", {
            "deleted_ts": message.id,
            "previous_message": self._wire(message),
        })  # fmt: skip

    def _hidden(self, message: Message, subtype: str, more: dict[str, Any]) -> None:
        ts = self.fake.new_ts(message.chat)
        event = {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            "channel": message.chat,
            "channel_type": self.fake.channel_type(message.chat),
            "ts": ts,
            "event_ts": ts,
            **more,
        }
        self.fake.later(self, self.fake.emit(event))

    # -- presses, commands, views --------------------------------------------------------

    def click(self, button: Button, message: Message) -> Press:
        """Press a button or choose an option, at once."""
        press = Press(id=str(uuid4()), button=button, message=message, at=time.monotonic())
        self.presses.append(press)
        self.acted(press)
        fake = self.fake
        in_direct = message.chat == self.channel
        name = "directmessage" if in_direct else fake.channels[message.chat].name
        payload = self._who() | {
            "type": "block_actions",
            "container": {
                "type": "message",
                "message_ts": message.id,
                "channel_id": message.chat,
                "is_ephemeral": message.ephemeral,
            },
            "trigger_id": fake.new_trigger(self),
            "channel": {"id": message.chat, "name": name},
            "message": fake.wire(message),
            "actions": [self._action(button, message)],
            "state": {"values": self._state.get(message.id, {})},
            "response_url": fake.new_response_url(self, message),
        }
        fake.later(self, self._hand_press(payload, press))
        return press

    def _who(self) -> dict[str, Any]:
        username = self.name.lower().replace(" ", ".")
        team = self.fake.team_id
        return {
            "user": {"id": self.id, "username": username, "name": username, "team_id": team},
            "api_app_id": self.fake.app_id,
            "token": "verification",
            "team": {"id": team, "domain": "riverside"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, button: Button, message: Message) -> dict[str, Any]:
        action = {
            "type": button.kind,
            "action_id": button.action_id,
            "block_id": button.block_id,
            "action_ts": f"{time.time():.6f}",
        }
        if button.kind == "button":
            return action | {"text": button.raw["text"], "value": button.data}
        state = self._state.setdefault(message.id, {}).setdefault(button.block_id, {})
        if button.kind in MANY:
            old = state.get(button.action_id, {}).get("selected_options", [])
            chosen = [option for option in old if option["value"] != button.data]
            if len(chosen) == len(old):
                chosen.append(button.raw)
            value: dict[str, Any] = {"selected_options": chosen}
        else:
            value = {"selected_option": button.raw}
        state[button.action_id] = {"type": button.kind, **value}
        return action | value

    async def _hand_press(self, payload: dict[str, Any], press: Press) -> None:
        answer = await self.fake.interact("interactive", payload, _handed(press), answer=False)
        press.answered = answer is not None
        press.lost = answer is None
        self.changed()

    async def slash(self, command: str, text: str = "", channel: str = "") -> bool:
        """Give a slash command; false when the app did not acknowledge it in time."""
        act = self.fake.new_message(self.channel, f"{command} {text}".rstrip(), from_bot=False)
        self.acted(act)
        channel = channel or self.channel
        payload = {
            "token": "verification",
            "team_id": self.fake.team_id,
            "team_domain": "riverside",
            "channel_id": channel,
            "channel_name": "directmessage" if channel == self.channel else channel,
            "user_id": self.id,
            "user_name": self.name.lower().replace(" ", "."),
            "command": command,
            "text": text,
            "api_app_id": self.fake.app_id,
            "is_enterprise_install": "false",
            "response_url": self.fake.new_response_url(self, None),
            "trigger_id": self.fake.new_trigger(self),
        }
        answer = await self.fake.interact("slash_commands", payload, _handed(act), answer=True)
        if answer is None:
            self.slash_failed += 1
            return False
        if answer.get("text") or answer.get("blocks"):
            self.fake.show(self, answer)
        return True

    async def submit(
        self, values: dict[str, str] | None = None, *, close: bool = False
    ) -> dict[str, Any] | None:
        """Submit the open modal with typed values by action id, or close it.

        Gives the app's answer, None when it did not acknowledge. Errors that it found are in
        `view_errors`; without any the modal is closed, or shows what the answer says.
        """
        view = self.view
        if view is None:
            raise LookupError("no modal is open")
        state: dict[str, dict[str, Any]] = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                typed = (values or {}).get(element["action_id"])
                entry = {element["action_id"]: {"type": element["type"], "value": typed}}
                state[block["block_id"]] = entry
        payload = self._who() | {
            "type": "view_closed" if close else "view_submission",
            "trigger_id": self.fake.new_trigger(self),
            "view": view | {"state": {"values": state}},
        }
        answer = await self.fake.interact("interactive", payload, lambda: None, answer=True)
        if answer is None:
            return None
        self.view_errors = answer.get("errors", {})
        if answer.get("response_action") == "update":
            self.fake.keep_view(self, answer["view"])
        elif not self.view_errors:
            self.view = None
        self.changed()
        return answer

    # -- coming and going ----------------------------------------------------------------

    async def join(self, channel: Any) -> None:
        """Join a channel."""
        place = self.fake.channel(getattr(channel, "id", channel))
        place.members.append(self.id)
        self._moved("member_joined_channel", place)

    async def leave(self, channel: Any) -> None:
        """Leave a channel."""
        place = self.fake.channel(getattr(channel, "id", channel))
        place.members.remove(self.id)
        self._moved("member_left_channel", place)

    def _moved(self, kind: str, place: Any) -> None:
        event = {
            "type": kind,
            "user": self.id,
            "channel": place.id,
            "channel_type": "C",
            "team": self.fake.team_id,
            "event_ts": self.fake.new_ts(place.id),
        }
        self.fake.later(self, self.fake.emit(event))

    async def open_home(self, tab: str = "home") -> None:
        """Open the app's home (or its `messages` tab)."""
        event = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.channel,
            "tab": tab,
            "event_ts": self.fake.new_ts(self.channel),
        }
        if tab == "home" and self.home is not None:
            event["view"] = self.home
        self.fake.later(self, self.fake.emit(event))

    async def deactivate(self) -> None:
        """Lose the account; the app is told by `user_change`."""
        self.deactivated = True
        profile = self.profile(locale=False)
        ts = self.fake.new_ts(self.channel)
        event = {"type": "user_change", "user": profile, "event_ts": ts}
        self.fake.later(self, self.fake.emit(event))


def _handed(act: Message | Press) -> Callable[[], None]:
    def note() -> None:
        if act.handed_at is None:
            act.handed_at = time.monotonic()

    return note
