"""The Web API methods of the fake Slack."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.fakes.limits import Bucket
from tests.fakes.people import Message
from tests.fakes.slack_blocks import (
    SlackError,
    buttons_of,
    check_blocks,
    check_view,
    shown,
    text_of,
)

MAX_TEXT = 40_000
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
TIER_OF = {
    "chat.update": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "conversations.open": 3,
    "conversations.info": 3,
    "conversations.members": 4,
    "users.info": 4,
    "users.list": 2,
    "reactions.add": 3,
    "views.open": 4,
    "views.publish": 4,
    "views.update": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
}

#: What the bot token may do; told in a header of every answer.
SCOPES = (
    "channels:read,chat:write,commands,files:write,groups:read,"
    "im:history,im:read,im:write,users:read"
)


def page(items: list[Any], params: dict[str, Any], default: int) -> tuple[list[Any], str]:
    """Cut one page out of a list; gives it with the next cursor, empty at the end."""
    limit = int(params.get("limit") or default)
    if not 1 <= limit <= 1000:
        raise SlackError("invalid_limit")
    cursor = str(params.get("cursor") or "0")
    if not cursor.isdigit() or int(cursor) > len(items):
        raise SlackError("invalid_cursor")
    end = int(cursor) + limit
    return items[int(cursor) : end], str(end) if end < len(items) else ""


class Methods:
    """What the app may call: `methods` by name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "api.test": lambda _params: {},
            "auth.test": self._auth_test,
            "apps.connections.open": lambda _params: {"url": self.delivery.new_link()},
            "conversations.open": self._conversations_open,
            "conversations.info": self._conversations_info,
            "conversations.members": self._conversations_members,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "users.info": self._users_info,
            "users.list": self._users_list,
            "reactions.add": self._add_reaction,
            "views.open": self._open_view,
            "views.publish": self._publish_view,
            "views.update": self._update_view,
        }
        self._tiers: dict[str, Bucket] = {}

    # -- limits --------------------------------------------------------------------------

    def pace(self, method: str, params: dict[str, Any]) -> None:
        """Refuse a call that comes too soon."""
        if not self.limits:
            return
        now = self.clock()
        if method == "chat.postMessage":
            channel = str(params.get("channel"))
            bucket = self._channel_buckets.get(channel)
            if bucket is None:
                bucket = Bucket(self.per_channel_per_second, self.per_channel_burst)
                self._channel_buckets[channel] = bucket
            buckets = [bucket, self.workspace_bucket]
        elif method in TIER_OF:
            bucket = self._tiers.get(method)
            if bucket is None:
                per_minute = TIERS[TIER_OF[method]]
                bucket = self._tiers[method] = Bucket(per_minute / 60, per_minute)
            buckets = [bucket]
        else:
            return
        for bucket in buckets:
            seconds = bucket.wait(now)
            if seconds:
                raise SlackError("ratelimited", retry_after=seconds)
        for bucket in buckets:
            bucket.take(now)

    # -- who and where -------------------------------------------------------------------

    def _auth_test(self, _params: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": "https://riverside.slack.com/",
            "team": "Riverside",
            "user": "commonpulse",
            "team_id": self.team_id,
            "user_id": self.bot_user_id,
            "bot_id": self.bot_id,
            "is_enterprise_install": False,
        }

    def _user(self, user_id: Any) -> Any:
        person = self.people.get(user_id)
        if person is None:
            raise SlackError("user_not_found")
        return person

    def _conversations_open(self, params: dict[str, Any]) -> dict[str, Any]:
        users = str(params.get("users") or "")
        if not users:
            raise SlackError("users_list_not_supplied")
        if "," in users:
            raise SlackError("method_not_supported_for_channel_type")
        person = self._user(users)
        if person.deactivated:
            raise SlackError("user_disabled")
        if person.is_bot:
            raise SlackError("cannot_dm_bot")
        channel = {"id": person.channel}
        if str(params.get("return_im", "")).lower() in {"true", "1"}:
            channel |= {"is_im": True, "user": person.id}
        return {"channel": channel}

    def _place(self, params: dict[str, Any]) -> Any:
        """Give the person (direct message) or channel that `channel` names."""
        channel = str(params.get("channel") or "")
        person = self.people.get(channel) or self.directs.get(channel)
        if person is not None:
            if person.deactivated:
                raise SlackError("channel_not_found")
            return person
        place = self.channels.get(channel)
        if place is None:
            raise SlackError("channel_not_found")
        return place

    def _conversations_info(self, params: dict[str, Any]) -> dict[str, Any]:
        place = self._place(params)
        if place.id in self.people:
            return {"channel": {"id": place.channel, "is_im": True, "user": place.id}}
        return {
            "channel": {
                "id": place.id,
                "name": place.name,
                "is_channel": True,
                "is_im": False,
                "is_member": self.bot_user_id in place.members,
                "num_members": len(place.members),
            }
        }

    def _conversations_members(self, params: dict[str, Any]) -> dict[str, Any]:
        place = self._place(params)
        members = [place.id, self.bot_user_id] if place.id in self.people else list(place.members)
        part, cursor = page(members, params, 100)
        return {"members": part, "response_metadata": {"next_cursor": cursor}}

    def _users_info(self, params: dict[str, Any]) -> dict[str, Any]:
        person = self._user(params.get("user"))
        locale = str(params.get("include_locale", "")).lower() in {"true", "1"}
        return {"user": person.profile(locale=locale)}

    def _users_list(self, params: dict[str, Any]) -> dict[str, Any]:
        locale = str(params.get("include_locale", "")).lower() in {"true", "1"}
        part, cursor = page(list(self.people.values()), params, 1000)
        members = [person.profile(locale=locale) for person in part]
        return {"members": members, "response_metadata": {"next_cursor": cursor}}

    # -- messages ------------------------------------------------------------------------

    def content(self, params: dict[str, Any]) -> tuple[str, dict[str, Any], list[Any]]:
        """Read text and blocks; gives what is seen, the raw fields and the buttons."""
        text = str(params.get("text") or "")[:MAX_TEXT]
        blocks = check_blocks(params["blocks"]) if params.get("blocks") else []
        if not text.strip() and not blocks:
            raise SlackError("no_text")
        seen = text_of(blocks) if blocks else shown(text)
        return seen or shown(text), {"text": text, "blocks": blocks}, buttons_of(blocks)

    def _post_message(self, params: dict[str, Any]) -> dict[str, Any]:
        place = self._place(params)
        if place.id in self.channels and self.bot_user_id not in place.members:
            raise SlackError("not_in_channel")
        seen, raw, rows = self.content(params)
        self.show_files(raw["blocks"], place.channel)
        message = self.new_message(place.channel, seen, from_bot=True)
        message.raw, message.rows = raw, rows
        if params.get("thread_ts"):
            message.raw["thread_ts"] = str(params["thread_ts"])
        if place.id in self.people:
            self.record(place, message)
        else:
            place.messages.append(message)
            self.sent.append(message)
            self.changed()
        self.echo(message)
        return {"channel": place.channel, "ts": message.id, "message": self.wire(message)}

    def _post_ephemeral(self, params: dict[str, Any]) -> dict[str, Any]:
        place = self._place(params)
        person = self._user(params.get("user"))
        if place.id in self.channels and person.id not in place.members:
            raise SlackError("user_not_in_channel")
        seen, raw, rows = self.content(params)
        message = self.new_message(place.channel, seen, from_bot=True)
        message.raw, message.rows, message.ephemeral = raw, rows, True
        self.record(person, message)
        return {"message_ts": message.id}

    def _own(self, params: dict[str, Any], refusal: str) -> tuple[Any, Message]:
        place = self._place(params)
        ts = str(params.get("ts"))
        messages = place.chat if place.id in self.people else place.messages
        for message in reversed(messages):
            if message.id == ts and not message.deleted and not message.ephemeral:
                if not message.from_bot:
                    raise SlackError(refusal)
                return place, message
        raise SlackError("message_not_found")

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        place, message = self._own(params, "cant_update_message")
        before = self.wire(message)
        if "blocks" not in params and message.raw["blocks"] and "text" in params:
            params = {**params, "blocks": []}
        self.replace(place, message, params)
        self.echo_change(message, before)
        return {
            "channel": message.chat,
            "ts": message.id,
            "text": message.raw["text"],
            "message": self.wire(message),
        }

    def replace(self, place: Any, message: Message, params: dict[str, Any]) -> None:
        """Put other content into a message, where it stands."""
        message.text, raw, message.rows = self.content(params)
        message.raw = message.raw | raw | {"edited": self.new_ts(message.chat)}
        if place.id in self.people:
            place.edited(message)
        else:
            message.edits += 1
            self.changed()

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        place, message = self._own(params, "cant_delete_message")
        self.remove(place, message)
        return {"channel": message.chat, "ts": message.id}

    def remove(self, place: Any, message: Message) -> None:
        """Take a message out of sight."""
        message.deleted = True
        if place.id in self.people:
            place.changed()
        self.changed()

    def _add_reaction(self, params: dict[str, Any]) -> dict[str, Any]:
        if not params.get("name"):
            raise SlackError("no_reaction")
        place = self._place(params)
        messages = place.chat if place.id in self.people else place.messages
        for message in messages:
            if message.id == params.get("timestamp"):
                names = message.raw.setdefault("reactions", [])
                if params["name"] in names:
                    raise SlackError("already_reacted")
                names.append(params["name"])
                return {}
        raise SlackError("message_not_found")

    # -- views ---------------------------------------------------------------------------

    def _from_trigger(self, params: dict[str, Any]) -> Any:
        trigger_id = str(params.get("trigger_id") or "")
        if trigger_id not in self.triggers:
            raise SlackError("invalid_trigger_id")
        person, at, used = self.triggers[trigger_id]
        if used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - at > self.trigger_seconds:
            raise SlackError("expired_trigger_id")
        self.triggers[trigger_id] = (person, at, True)
        return person

    def keep_view(self, person: Any, view: dict[str, Any]) -> dict[str, Any]:
        """Note a view that somebody sees now."""
        self.views += 1
        view.setdefault("id", f"V{self.views:08d}")
        view["hash"] = f"{self.views}.{view['id']}"
        view.setdefault("state", {"values": {}})
        view |= {"team_id": self.team_id, "app_id": self.app_id, "bot_id": self.bot_id}
        if view["type"] == "home":
            person.home = view
        else:
            person.view = view
        person.changed()
        self.changed()
        return view

    def _open_view(self, params: dict[str, Any]) -> dict[str, Any]:
        view = check_view(params.get("view"))
        return {"view": self.keep_view(self._from_trigger(params), view)}

    def _publish_view(self, params: dict[str, Any]) -> dict[str, Any]:
        person = self._user(params.get("user_id"))
        return {"view": self.keep_view(person, check_view(params.get("view")))}

    def _update_view(self, params: dict[str, Any]) -> dict[str, Any]:
        view = check_view(params.get("view"))
        for person in self.people.values():
            for old in (person.view, person.home):
                if old is not None and old["id"] == params.get("view_id"):
                    if params.get("hash") not in {None, "", old["hash"]}:
                        raise SlackError("hash_conflict")
                    view["id"] = old["id"]
                    return {"view": self.keep_view(person, view)}
        raise SlackError("not_found")


def as_json(body: dict[str, Any]) -> bytes:
    """Give an answer's body."""
    return json.dumps(body).encode()
