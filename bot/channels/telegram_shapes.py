"""Telegram's shapes: an update of the Bot API to an inbound, a prompt to its messages.

Pure. ``telegram.py`` does the reading and the sending.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.channels.base import (
    BroughtBack,
    Edited,
    Inbound,
    MessageRefused,
    Pressed,
    Unread,
    WentAway,
    Wrote,
)
from bot.channels.words import clean, label, pieces, spelled_out
from dialogues.prompts import Button, Layout, Prompt
from storage.protocol import Address

__all__ = ["ALLOWED_UPDATES", "pressed_query", "render", "to_inbound"]

#: What the bot asks Telegram for.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

#: UTF-16 units of one message (core.telegram.org/bots/api#sendmessage).
MAX_TEXT = 4096

#: UTF-16 units under a picture (core.telegram.org/bots/api#sendphoto).
MAX_CAPTION = 1024

#: Bytes of what a button carries (core.telegram.org/bots/api#inlinekeyboardbutton).
MAX_CALLBACK_DATA = 64

#: Buttons in a row (core.telegram.org/bots/api#inlinekeyboardmarkup: eight fit).
MAX_ROW = 8

# Characters of a label that a phone shows in full, by buttons in the row.
_WHOLE_ROW, _HALF_ROW, _TINY = 40, 16, 3

# Characters of all labels together in a row of controls.
_CONTROLS_ROW = 36

#: The first part of an IETF language tag.
_LANGUAGE = re.compile("[a-z]{2,8}")

_NOT_WORDS = (
    "animation", "audio", "checklist", "contact", "dice", "document", "game", "location",
    "paid_media", "photo", "poll", "sticker", "story", "venue", "video", "video_note", "voice",
)  # fmt: skip

Json = Mapping[str, Any]


def to_inbound(raw: Json, *, bot_id: str, at: datetime) -> Inbound | None:
    """Translate one update.

    Args:
        raw: As ``getUpdates`` gives it.
        bot_id: The number before the colon in the token: update ids count for each bot.
        at: When it was received; aware UTC.

    Returns:
        None for what does not concern the bot: groups, service messages, other kinds.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: This is no update of the Bot API.
    """
    event_id = f"tg:{bot_id}:{int(raw['update_id'])}"
    if (message := raw.get("message")) is not None:
        return _from_message(message, event_id, at)
    if (message := raw.get("edited_message")) is not None:
        return _from_edit(message, event_id, at)
    if (query := raw.get("callback_query")) is not None:
        return _from_press(query, event_id, at)
    if (change := raw.get("my_chat_member")) is not None:
        return _from_membership(change, event_id, at)
    return None


def pressed_query(raw: Json) -> str | None:
    """Give the id by which a press is answered; None when the update is no press."""
    query = raw.get("callback_query")
    return str(query["id"]) if isinstance(query, Mapping) and "id" in query else None


def _address(user: Json, chat: Json) -> Address | None:
    """Give a person's address; None in a group, where nobody is asked anything."""
    if chat["type"] != "private":
        return None
    return Address(channel="telegram", platform_id=str(int(user["id"])), chat=str(int(chat["id"])))


def _language(user: Json) -> str | None:
    code = user.get("language_code")
    if not isinstance(code, str):
        return None
    language = code.partition("-")[0].lower()
    return language if _LANGUAGE.fullmatch(language) else None


def _words(message: Json) -> str | None:
    words = message.get("text") or message.get("caption")
    if words is None or isinstance(words, str):
        return words
    raise TypeError("the text of a message is not a string")


def _from_message(message: Json, event_id: str, at: datetime) -> Wrote | Unread | None:
    address = _address(message["from"], message["chat"])
    if address is None:
        return None
    position = str(int(message["message_id"]))
    language = _language(message["from"])
    words = _words(message)
    if words is not None:
        return Wrote(
            event_id=event_id,
            address=address,
            at=at,
            text=clean(words),
            position=position,
            language=language,
        )
    if any(kind in message for kind in _NOT_WORDS):
        return Unread(event_id=event_id, address=address, at=at, language=language)
    return None


def _from_edit(message: Json, event_id: str, at: datetime) -> Edited | None:
    address = _address(message["from"], message["chat"])
    words = _words(message)
    if address is None or words is None:
        return None
    position = str(int(message["message_id"]))
    return Edited(event_id=event_id, address=address, at=at, text=clean(words), position=position)


def _from_press(query: Json, event_id: str, at: datetime) -> Pressed | None:
    token, message = query.get("data"), query.get("message")
    if not isinstance(token, str) or message is None:
        return None
    address = _address(query["from"], message["chat"])
    if address is None:
        return None
    return Pressed(event_id=event_id, address=address, at=at, token=clean(token))


def _from_membership(change: Json, event_id: str, at: datetime) -> WentAway | BroughtBack | None:
    address = _address(change["from"], change["chat"])
    status = change["new_chat_member"]["status"]
    if address is None:
        return None
    if status == "kicked":
        return WentAway(event_id=event_id, address=address, at=at)
    if status == "member":
        return BroughtBack(event_id=event_id, address=address, at=at)
    return None


def render(prompt: Prompt, *, pictured: bool = False) -> tuple[dict[str, Any], ...]:
    """Give the messages that show a prompt, in order; the last has the buttons.

    More than one only where the text is longer than a message may be. Without mark-up, so
    that nothing which a person wrote is ever read as such.

    Args:
        prompt: What to show.
        pictured: With its picture. The text is its caption where that can hold it, else it
            follows. The message with the picture has no ``text``; its ``photo`` is put in
            when it is sent.

    Raises:
        MessageRefused: A button carries more than Telegram takes.
    """
    text = spelled_out(prompt, longest=_WHOLE_ROW)
    payloads: list[dict[str, Any]] = []
    if pictured and pieces(text, most=MAX_CAPTION) == [text]:
        payloads.append({"caption": text})
    else:
        if pictured:
            payloads.append({"caption": ""})
        payloads += (
            {"text": part, "link_preview_options": {"is_disabled": True}}
            for part in pieces(text, most=MAX_TEXT)
        )
    rows = [*_option_rows(prompt), *_control_rows(prompt.controls)]
    if rows:
        payloads[-1]["reply_markup"] = {
            "inline_keyboard": [[_button(button) for button in row] for row in rows]
        }
    return tuple(payloads)


def _button(button: Button) -> dict[str, str]:
    if not 1 <= len(button.token.encode("utf-8", "replace")) <= MAX_CALLBACK_DATA:
        raise MessageRefused("a button carries more than 64 bytes, or nothing")
    return {"text": label(button), "callback_data": button.token}


def _option_rows(prompt: Prompt) -> list[Sequence[Button]]:
    """Lay the options out so that none is cut and a scale reads from one end to the other."""
    options = prompt.options
    if not options:
        return []
    longest = max(len(label(option)) for option in options)
    if longest <= _TINY:
        width = MAX_ROW
    elif longest <= _HALF_ROW and prompt.layout is not Layout.SCALE:
        width = 2
    else:
        width = 1
    n_rows = -(-len(options) // width)
    even = -(-len(options) // n_rows)
    return [options[start : start + even] for start in range(0, len(options), even)]


def _control_rows(controls: Sequence[Button]) -> list[Sequence[Button]]:
    """Put the controls in one row, or in more where their labels need the room."""
    rows: list[list[Button]] = []
    room = 0
    for control in controls:
        room -= len(label(control)) + 2
        if not rows or room < 0 or len(rows[-1]) == MAX_ROW:
            rows.append([])
            room = _CONTROLS_ROW - len(label(control))
        rows[-1].append(control)
    return list(rows)
