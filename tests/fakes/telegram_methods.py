"""The Bot API methods of the fake Telegram, but for getUpdates."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from tests.fakes.people import Button, Message
from tests.fakes.pictures import size_of
from tests.fakes.server import Upload, structure

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CALLBACK_DATA = 64
MAX_BUTTONS = 100
MAX_ROW = 8
MAX_FILE = 50_000_000
MAX_PHOTO = 10_000_000
MAX_PHOTO_SIDES = 10_000
MAX_PHOTO_RATIO = 20
TAGS = frozenset({
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "code",
    "pre", "blockquote",
})  # fmt: skip
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LOOKS_LIKE_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(@\w+)?")


class ApiError(Exception):
    """A refusal in Telegram's form."""

    def __init__(self, code: int, description: str, retry_after: int = 0) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad(description: str) -> ApiError:
    """Give a 400."""
    return ApiError(400, f"Bad Request: {description}")


class _Entities(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        if tag not in TAGS:
            raise bad(f'can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise bad(f'can\'t parse entities: Unexpected end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_entityref(self, name: str) -> None:
        self.text.append(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.text.append(html.unescape(f"&#{name};"))


def plain(text: str, parse_mode: str | None) -> str:
    """Give a text as it is shown: entities parsed, ends trimmed.

    HTML is read; MarkdownV2 and Markdown are taken as plain text.
    """
    if parse_mode and parse_mode.upper() == "HTML":
        parser = _Entities()
        parser.feed(text)
        parser.close()
        if parser.open:
            raise bad(f"can't parse entities: Can't find end tag for {parser.open[-1]}")
        text = "".join(parser.text)
    return text.strip()


def read_keyboard(value: Any) -> list[list[Button]]:
    """Read a reply_markup into rows of buttons, or refuse it."""
    try:
        markup = structure(value, {})
    except ValueError:
        raise bad("can't parse reply keyboard markup JSON object") from None
    if "keyboard" in markup:
        return [
            [Button(label=k if isinstance(k, str) else k["text"], kind="key") for k in row]
            for row in markup["keyboard"]
        ]
    rows: list[list[Button]] = []
    count = 0
    for row in markup.get("inline_keyboard", []):
        count += len(row)
        if len(row) > MAX_ROW or count > MAX_BUTTONS:
            raise bad("reply markup is too long")
        buttons = []
        for raw in row:
            if not raw.get("text"):
                raise bad("inline keyboard button text is empty")
            data, url = raw.get("callback_data"), raw.get("url", "")
            if data is None and not url:
                raise bad("text buttons are unallowed in the inline keyboard")
            if data is not None and not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA:
                raise bad("BUTTON_DATA_INVALID")
            buttons.append(Button(label=raw["text"], data=data or "", url=url, raw=raw))
        if buttons:
            rows.append(buttons)
    return rows


class Methods:
    """What the bot may call: `methods` holds each, but for getUpdates, by lower-case name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "getme": lambda _params: self.me,
            "close": lambda _params: True,
            "logout": lambda _params: True,
            "sendmessage": self._send_message,
            "senddocument": lambda params: self._send_file(params, "document"),
            "sendphoto": lambda params: self._send_file(params, "photo"),
            "sendchataction": self._send_chat_action,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete,
            "answercallbackquery": self._answer_query,
            "getchat": lambda params: self._recipient(params).chat_fields,
            "getfile": self._get_file,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "setmydescription": self._set_description,
            "setmyshortdescription": self._set_short_description,
            "setchatmenubutton": lambda _params: True,
            "setwebhook": lambda params: self.webhook.set(params),
            "deletewebhook": lambda params: self.webhook.delete(params),
            "getwebhookinfo": lambda _params: self.webhook.info(),
        }

    def wire(self, message: Message, person: Any) -> dict[str, Any]:
        """Give a message as Telegram sends it."""
        body: dict[str, Any] = {
            "message_id": message.id,
            "from": self.me if message.from_bot else person.user,
            "chat": person.chat_fields,
            "date": message.date,
        }
        if message.text and not message.from_file:
            body["text"] = message.text
            if message.text[0] == "/" and (command := LOOKS_LIKE_COMMAND.match(message.text)):
                entity = {"type": "bot_command", "offset": 0, "length": command.end()}
                body["entities"] = [entity]
        if message.raw:
            body.update(message.raw)
        if message.rows and message.rows[0][0].kind != "key":
            body["reply_markup"] = {"inline_keyboard": [[b.raw for b in r] for r in message.rows]}
        return body

    def _recipient(self, params: dict[str, Any]) -> Any:
        chat_id = params.get("chat_id")
        if chat_id is None or chat_id == "":
            raise bad("chat_id is empty")
        try:
            person = self.people.get(int(chat_id))
        except ValueError:
            person = None
        if person is None:
            raise bad("chat not found")
        if person.deactivated:
            raise ApiError(403, "Forbidden: user is deactivated")
        if person.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if not person.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return person

    def _pace(self, person: Any) -> None:
        if not self.limits:
            return
        now = self.clock()
        seconds = person.bucket.wait(now) or self.window.wait(now)
        if seconds:
            raise ApiError(429, "Too Many Requests", retry_after=seconds)
        person.bucket.take(now)
        self.window.take(now)

    def _send_message(self, params: dict[str, Any]) -> dict[str, Any]:
        person = self._recipient(params)
        text = self._text(params)
        rows = read_keyboard(params["reply_markup"]) if params.get("reply_markup") else []
        self._pace(person)
        message = person.new_message(from_bot=True, text=text)
        message.rows = rows
        wire = self.wire(message, person)
        self.record(person, message)
        return wire

    @staticmethod
    def _text(params: dict[str, Any]) -> str:
        text = plain(str(params.get("text", "")), params.get("parse_mode"))
        if not text:
            raise bad("message text is empty")
        if len(text) > MAX_TEXT:
            raise bad("message is too long")
        return text

    def _send_file(self, params: dict[str, Any], kind: str) -> dict[str, Any]:
        person = self._recipient(params)
        value = params.get(kind)
        if isinstance(value, str) and value.startswith("attach://"):
            value = params.get(value.removeprefix("attach://"))
        known = isinstance(value, str) and value in self.files
        if known:
            value = Upload(filename=value, content=self.files[value])
        elif isinstance(value, str) and value:
            raise bad("wrong file identifier/HTTP URL specified")
        if not isinstance(value, Upload):
            raise bad(f"there is no {kind} in the request")
        width, height = self._looked_at(value.content, kind)
        caption = plain(str(params.get("caption", "")), params.get("parse_mode"))
        if len(caption.encode("utf-16-le")) // 2 > MAX_CAPTION:
            raise bad("message caption is too long")
        rows = read_keyboard(params.get("reply_markup"))
        self._pace(person)
        message = person.new_message(from_bot=True, text=caption)
        file_id = value.filename if known else f"{kind}-{person.id}-{message.id}"
        self.uploads += not known
        self.files[file_id] = value.content
        file = {"file_id": file_id, "file_unique_id": file_id, "file_size": len(value.content)}
        if kind == "document":
            message.raw = {"document": file | {"file_name": value.filename}}
        else:
            small = file | {"file_id": f"{file_id}-s", "file_unique_id": f"{file_id}-s"}
            message.raw = {
                "photo": [
                    small | {"width": 90, "height": 90},
                    file | {"width": width, "height": height},
                ]
            }
        if caption:
            message.raw["caption"] = caption
        message.rows = rows
        message.filename = value.filename
        wire = self.wire(message, person)
        self.record(person, message)
        return wire

    @staticmethod
    def _looked_at(content: bytes, kind: str) -> tuple[int, int]:
        """Refuse what Telegram refuses of a file; gives the sides of a photo."""
        if not content:
            raise bad("file must be non-empty")
        if len(content) > (MAX_PHOTO if kind == "photo" else MAX_FILE):
            raise ApiError(413, "Request Entity Too Large")
        if kind != "photo":
            return 0, 0
        size = size_of(content)
        if size is None:
            raise bad("IMAGE_PROCESS_FAILED")
        if sum(size) > MAX_PHOTO_SIDES or max(size) > MAX_PHOTO_RATIO * min(size):
            raise bad("PHOTO_INVALID_DIMENSIONS")
        return size

    def _send_chat_action(self, params: dict[str, Any]) -> bool:
        self._recipient(params)
        return True

    def _own_message(self, params: dict[str, Any], purpose: str) -> tuple[Any, Message]:
        person = self._recipient(params)
        message_id = int(params.get("message_id") or 0)
        for message in reversed(person.chat):
            if message.id == message_id and not message.deleted:
                return person, message
        raise bad(f"message to {purpose} not found")

    def _edit_text(self, params: dict[str, Any]) -> dict[str, Any]:
        text = self._text(params)
        return self._edit(params, text)

    def _edit_markup(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._edit(params, None)

    def _edit(self, params: dict[str, Any], text: str | None) -> dict[str, Any]:
        person, message = self._own_message(params, "edit")
        if not message.from_bot:
            raise bad("message can't be edited")
        rows = read_keyboard(params.get("reply_markup"))
        if message.from_file:
            raise bad("there is no text in the message to edit")
        if text is None:
            text = message.text
        if text == message.text and rows == message.rows:
            raise bad(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        message.text = text
        message.rows = rows
        person.edited(message)
        return self.wire(message, person) | {"edit_date": int(time.time())}

    def _delete(self, params: dict[str, Any]) -> bool:
        person, message = self._own_message(params, "delete")
        message.deleted = True
        person.changed()
        return True

    def _answer_query(self, params: dict[str, Any]) -> bool:
        text = str(params.get("text") or "")
        if len(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        known = self.queries.pop(str(params.get("callback_query_id")), None)
        if known is None:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        person, press = known
        press.answered = True
        press.toast = text
        press.alert = str(params.get("show_alert", "")).lower() == "true"
        person.changed()
        return True

    def _get_file(self, params: dict[str, Any]) -> dict[str, Any]:
        file_id = str(params.get("file_id"))
        if file_id not in self.files:
            raise bad("invalid file_id")
        return {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_size": len(self.files[file_id]),
            "file_path": file_id,
        }

    @staticmethod
    def _commands_key(params: dict[str, Any]) -> tuple[str, str]:
        scope = structure(params.get("scope"), {"type": "default"})
        return scope["type"], str(params.get("language_code") or "")

    def _set_commands(self, params: dict[str, Any]) -> bool:
        commands = structure(params.get("commands"), [])
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not COMMAND.fullmatch(command["command"].removeprefix("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._commands_key(params)] = commands
        return True

    def _get_commands(self, params: dict[str, Any]) -> list[dict[str, str]]:
        return self.commands.get(self._commands_key(params), [])

    def _delete_commands(self, params: dict[str, Any]) -> bool:
        self.commands.pop(self._commands_key(params), None)
        return True

    def _set_description(self, params: dict[str, Any]) -> bool:
        text = str(params.get("description", ""))
        if len(text) > 512:
            raise bad("BOT_DESCRIPTION_TOO_LONG")
        if not params.get("language_code"):
            self.description = text
        return True

    def _set_short_description(self, params: dict[str, Any]) -> bool:
        text = str(params.get("short_description", ""))
        if len(text) > 120:
            raise bad("BOT_SHORT_DESCRIPTION_TOO_LONG")
        if not params.get("language_code"):
            self.short_description = text
        return True
