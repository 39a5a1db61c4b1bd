"""Slack's shapes: an event, press or command to an inbound, a prompt to its messages.

Pure. ``slack.py`` does the reading and the sending.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.channels.base import (
    CohortLeft,
    CohortListed,
    CohortSeen,
    Edited,
    Inbound,
    MessageRefused,
    Pressed,
    Unread,
    Wrote,
)
from bot.channels.words import clean, label, pieces, spelled_out
from dialogues.prompts import Button, Prompt
from storage.protocol import Address

__all__ = ["as_seen", "is_own_joining", "listed_in", "render", "seen_in", "to_inbound"]

# Slack's limits (docs.slack.dev/reference/block-kit, and slack_sdk 3.47).
MAX_SECTION = 3000
MAX_BUTTON = 75
MAX_ELEMENTS = 25

#: Characters of the words for a picture (docs.slack.dev/reference/block-kit/blocks/image-block).
MAX_ALT = 2000

#: Sections in a message: Slack takes about 13,200 characters in the blocks of one.
MAX_SECTIONS = 3

#: Bytes of a token, as on every channel; Slack itself would take 2000 characters.
MAX_TOKEN = 64

_ENTITY = re.compile(r"<([^<>]*)>")
_SHORTCODE = re.compile(r":[^\s:]+(?:::skin-tone-[2-6])?:")

#: Kinds of message that a person writes; all others are Slack's own or a bot's.
_WRITTEN = frozenset({None, "file_share", "me_message", "thread_broadcast"})

Json = Mapping[str, Any]


def to_inbound(
    raw: Json,
    *,
    at: datetime,
    places: Collection[str] = (),
    bot_user: str = "",
    names: Mapping[str, str] | None = None,
) -> Inbound | None:
    """Translate what Slack sends: the body of an event, a press or a slash command.

    Args:
        raw: As it comes in Socket Mode's ``payload`` or in an HTTP request.
        at: When it was received; aware UTC.
        places: Channels whose members are a cohort.
        bot_user: The bot's own user id.
        names: What people are called, by user id, for mentions of them.

    Returns:
        None for what does not concern the bot.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: This is nothing that Slack sends.
    """
    names = names or {}
    if "event" in raw:
        event = raw["event"]
        if event["type"] == "message":
            return _from_message(event, str(raw["team_id"]), at, bot_user, names)
        return _from_move(event, str(raw["team_id"]), at, places, bot_user)
    if raw.get("type") == "block_actions":
        return _from_press(raw, at)
    if "command" in raw:
        return _from_command(raw, at, names)
    return None


def seen_in(
    place: str,
    user: str,
    *,
    team: str,
    at: datetime,
    language: str | None = None,
    timezone: str | None = None,
) -> CohortSeen:
    """Say that somebody was found in a place; found again later is news again, as they may
    have left and come back while nobody looked.
    """
    return CohortSeen(
        event_id=f"slack:seen:{place}:{user}:{at.isoformat()}",
        address=_address(team, user),
        at=at,
        place=place,
        language=language,
        timezone=timezone,
    )


def listed_in(place: str, users: Iterable[str], *, team: str, at: datetime) -> CohortListed:
    """Say who is in a place, all of them."""
    return CohortListed(
        event_id=f"slack:listed:{place}:{at.isoformat()}",
        channel="slack",
        at=at,
        place=place,
        platform_ids=frozenset(_address(team, user).platform_id for user in users),
    )


def _address(team: str, user: str, channel: str = "") -> Address:
    """Give a person's address; messages posted to a user id arrive as direct messages."""
    chat = channel if channel.startswith("D") else user
    return Address(channel="slack", platform_id=f"{team}:{user}", chat=chat)


def _from_message(
    event: Json, team: str, at: datetime, bot_user: str, names: Mapping[str, str]
) -> Wrote | Edited | Unread | None:
    if event.get("channel_type") != "im":
        return None
    channel, subtype = str(event["channel"]), event.get("subtype")
    message = event["message"] if subtype == "message_changed" else event
    if message.get("bot_id") or message.get("user") in {None, bot_user}:
        return None
    if message.get("subtype") not in _WRITTEN:
        return None
    user, ts = str(message["user"]), str(message["ts"])
    address = _address(team, user, channel)
    text = as_seen(message, names)
    event_id = f"slack:{team}:{channel}:{ts}"
    if subtype == "message_changed":
        edited = message.get("edited")
        if not edited or not text or message["text"] == event["previous_message"].get("text"):
            return None
        return Edited(
            event_id=f"{event_id}:{edited['ts']}", address=address, at=at, text=text, position=ts
        )
    if text:
        return Wrote(event_id=event_id, address=address, at=at, text=text, position=ts)
    return Unread(event_id=event_id, address=address, at=at)


def _from_move(
    event: Json, team: str, at: datetime, places: Collection[str], bot_user: str
) -> CohortSeen | CohortLeft | None:
    if event["type"] not in {"member_joined_channel", "member_left_channel"}:
        return None
    place, user = str(event["channel"]), str(event["user"])
    if place not in places or user == bot_user:
        return None
    event_id = f"slack:{team}:{place}:{user}:{event['event_ts']}"
    address = _address(team, user)
    if event["type"] == "member_left_channel":
        return CohortLeft(event_id=event_id, address=address, at=at, place=place)
    return CohortSeen(event_id=event_id, address=address, at=at, place=place)


def is_own_joining(raw: Json, *, bot_user: str, places: Collection[str]) -> bool:
    """Whether an event says that the app itself was invited to one of the places."""
    event = raw.get("event")
    return (
        isinstance(event, Mapping)
        and event.get("type") == "member_joined_channel"
        and event.get("user") == bot_user
        and event.get("channel") in places
    )


def _from_press(raw: Json, at: datetime) -> Pressed | None:
    action = raw["actions"][0]
    token = action.get("value")
    if not isinstance(token, str):
        return None
    user, container = str(raw["user"]["id"]), raw["container"]
    message_ts = container.get("message_ts", "")
    return Pressed(
        event_id=f"slack:{user}:{message_ts}:{action['action_id']}:{action['action_ts']}",
        address=_address(str(raw["team"]["id"]), user, str(container.get("channel_id", ""))),
        at=at,
        token=clean(token),
    )


def _from_command(raw: Json, at: datetime, names: Mapping[str, str]) -> Wrote:
    """Read a slash command as its words; alone it asks to begin.

    The chat is the person's own, wherever the command was given.
    """
    return Wrote(
        event_id=f"slack:command:{raw['trigger_id']}",
        address=_address(str(raw["team_id"]), str(raw["user_id"])),
        at=at,
        text=as_seen(raw, names).strip() or "start",
        position=None,
    )


# -- words --------------------------------------------------------------------------------


def as_seen(message: Json, names: Mapping[str, str]) -> str:
    """Give a message's words as its writer saw them: mentions, links, emoji and ``&`` plain."""
    text = message.get("text") or ""
    if "<" in text:
        text = _ENTITY.sub(lambda found: _entity(found[1], names), text)
    if ":" in text and (emoji := dict(_emoji(message.get("blocks") or ()))):
        text = _SHORTCODE.sub(lambda found: emoji.get(found[0], found[0]), text)
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return clean(text)


def _entity(inside: str, names: Mapping[str, str]) -> str:
    target, _, words = inside.partition("|")
    if target.startswith("@"):
        return "@" + (words or names.get(target[1:], "someone"))
    if target.startswith("#"):
        return "#" + (words or "channel")
    if target.startswith(("!subteam", "!date")):
        return words or "@group"
    if target.startswith("!"):
        return "@" + target[1:]
    return words or target.removeprefix("mailto:")


def _emoji(elements: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """Give each emoji in rich text, shortcode and character."""
    for element in elements:
        if element.get("type") == "emoji" and isinstance(element.get("unicode"), str):
            tone = f"::skin-tone-{element['skin_tone']}" if element.get("skin_tone") else ""
            points = element["unicode"].split("-")
            yield f":{element['name']}{tone}:", "".join(chr(int(point, 16)) for point in points)
        yield from _emoji(element.get("elements") or ())


# -- prompts ------------------------------------------------------------------------------


def render(prompt: Prompt, *, file_id: str | None = None) -> tuple[dict[str, Any], ...]:
    """Give the messages that show a prompt, in order; the last has the picture and the buttons.

    More than one only where the text is longer than a message may be. All text is plain, so
    that nothing which a person wrote is ever read as mark-up or as a mention.

    Args:
        prompt: What to show.
        file_id: Slack's name for its picture; None to leave the picture out.

    Raises:
        MessageRefused: A button carries more than channels take.
    """
    parts = pieces(spelled_out(prompt, longest=MAX_BUTTON), most=MAX_SECTION)
    groups = [parts[at : at + MAX_SECTIONS] for at in range(0, len(parts), MAX_SECTIONS)]
    payloads: list[dict[str, Any]] = [
        {
            "text": _escaped("\n".join(group)),
            "blocks": [{"type": "section", "text": _plain(part)} for part in group],
        }
        for group in groups
    ]
    if prompt.picture is not None and file_id is not None:
        payloads[-1]["blocks"].append(
            {
                "type": "image",
                "slack_file": {"id": file_id},
                "alt_text": prompt.picture.alt[:MAX_ALT],
            }
        )
    rows = [
        row[at : at + MAX_ELEMENTS]
        for row in (prompt.options, prompt.controls)
        for at in range(0, len(row), MAX_ELEMENTS)
    ]
    index = 0
    for row in rows:
        elements = [_button(button, index + place) for place, button in enumerate(row)]
        index += len(row)
        payloads[-1]["blocks"].append({"type": "actions", "elements": elements})
    return tuple(payloads)


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _button(button: Button, index: int) -> dict[str, Any]:
    if not 1 <= len(button.token.encode("utf-8", "replace")) <= MAX_TOKEN:
        raise MessageRefused("a button carries more than 64 bytes, or nothing")
    words = label(button)
    if len(words) > MAX_BUTTON:
        words = words[: MAX_BUTTON - 1] + "…"
    return {
        "type": "button",
        "action_id": f"p:{index}",
        "text": _plain(words),
        "value": button.token,
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
