"""Somebody on the fake Telegram."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from tests.fakes.limits import Bucket
from tests.fakes.people import Button, Message, Person, Press
from tests.fakes.telegram_methods import MAX_TEXT


class TelegramPerson(Person):
    """Somebody on Telegram, in their private chat with the bot."""

    def __init__(self, fake: Any, user: dict[str, Any]) -> None:
        super().__init__(user["id"], user["first_name"])
        self.fake = fake
        self.user = user
        self.chat_fields = {
            "id": user["id"],
            "type": "private",
            **{k: user[k] for k in ("first_name", "last_name", "username") if k in user},
        }
        self.started = False
        self.blocked = False
        self.deactivated = False
        self.last_message_id = 0
        self.bucket = Bucket(fake.per_chat_per_second, fake.per_chat_burst)
        self.held: deque[tuple[str, dict[str, Any], Message | Press | None]] = deque()

    def new_message(self, *, from_bot: bool, text: str) -> Message:
        """Make the next message of this chat, not yet shown to anybody."""
        self.last_message_id += 1
        return Message(
            id=self.last_message_id,
            chat=self.id,
            from_bot=from_bot,
            text=text,
            rows=[],
            at=time.monotonic(),
            date=int(time.time()),
        )

    def say(self, text: str) -> Message:
        """Send words, at once; the app cuts what is too long into several messages.

        Gives the last of them.
        """
        for start in range(0, len(text), MAX_TEXT):
            message = self.new_message(from_bot=False, text=text[start : start + MAX_TEXT])
            self._post(message)
        return message

    def _post(self, message: Message) -> Message:
        self.started = True
        self.chat.append(message)
        self.acted(message)
        self.fake.offer("message", self.fake.wire(message, self), self, message)
        return message

    def click(self, button: Button, message: Message) -> Press:
        """Press a button, at once; a key of a reply keyboard says its label."""
        fake = self.fake
        fake.last_query_id += 1
        press = Press(
            id=str(fake.last_query_id), button=button, message=message, at=time.monotonic()
        )
        if button.kind == "key":
            self.say(button.label)
            return press
        self.presses.append(press)
        fake.queries[press.id] = (self, press)
        self.acted(press)
        body = {
            "id": press.id,
            "from": self.user,
            "message": fake.wire(message, self),
            "chat_instance": str(self.id),
            "data": button.data,
        }
        fake.offer("callback_query", body, self, press)
        return press

    async def start(self, payload: str = "") -> Message:
        """Press Start, or follow a deep link with `payload`."""
        return self.say(f"/start {payload}".rstrip())

    async def edit(self, message: Message, text: str) -> None:
        """Change the words of an own message."""
        message.text = text
        message.edits += 1
        body = self.fake.wire(message, self) | {"edit_date": int(time.time())}
        self.fake.offer("edited_message", body, self, message)

    async def photo(self, caption: str = "") -> Message:
        """Send a picture, where perhaps words were asked."""
        message = self.new_message(from_bot=False, text="")
        file_id = f"photo-{self.id}-{message.id}"
        self.fake.files[file_id] = b"\xff\xd8\xff\xe0 not really a picture"
        size = {"file_id": file_id, "file_unique_id": file_id, "width": 90, "height": 60}
        message.raw = {"photo": [size]}
        if caption:
            message.raw["caption"] = caption
        return self._post(message)

    async def block(self) -> None:
        """Block the bot."""
        self._membership("member", "kicked")
        self.blocked = True

    async def unblock(self) -> None:
        """Let the bot write again."""
        self._membership("kicked", "member")
        self.blocked = False

    async def deactivate(self) -> None:
        """Delete the account; the bot is not told."""
        self.deactivated = True

    async def poison(self) -> None:
        """Send what python-telegram-bot cannot parse."""
        self.fake.poison(self)

    def _membership(self, old: str, new: str) -> None:
        def member(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": self.fake.me, "status": status, **until}

        body = {
            "chat": self.chat_fields,
            "from": self.user,
            "date": int(time.time()),
            "old_chat_member": member(old),
            "new_chat_member": member(new),
        }
        self.fake.offer("my_chat_member", body, self, None)
