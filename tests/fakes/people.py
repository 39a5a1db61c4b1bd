"""The person's side of a chat, the same on both platforms.

    person = fake.person(7, first_name="Ann")
    await person.send("hello")
    question = await person.next_message()           # the bot's next one, each once
    await person.press("I agree")                    # label, callback data, index or Button
    await person.wait_for(lambda m: "Thank" in m.text)

`person.chat` holds both sides in order of arrival, as shown now (edits applied);
`person.shown` the bot's messages. A *showing* is a new message of the bot, or an edit of
its newest message that leaves buttons to press (a ticked choice).

`person.latencies` are seconds from a person's action to the next showing, and
`person.handed_latencies` from the moment when the platform handed that action to the bot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press: `data` is Telegram's callback data or Slack's value."""

    label: str
    data: str = ""
    url: str = ""
    raw: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    action_id: str = ""
    block_id: str = ""
    kind: str = "button"


@dataclass(slots=True, eq=False)
class Message:
    """One message as the chat shows it now.

    Attributes:
        id: Telegram's message id, or Slack's ts.
        chat: Telegram's chat id, or Slack's channel.
        rows: the buttons, by row (Telegram) or block (Slack).
        at: monotonic seconds of arrival.
        edits: how often it was edited.
        deleted: it is no longer shown.
        lost: (a person's, Slack) the platform has given up handing it to the bot.
        handed_at: (a person's) monotonic seconds when it was first handed to the bot.
        raw: the platform's own fields that are not above (blocks, photo, file id).
    """

    id: Any
    chat: Any
    from_bot: bool
    text: str
    rows: list[list[Button]]
    at: float
    date: int
    edits: int = 0
    deleted: bool = False
    ephemeral: bool = False
    lost: bool = False
    handed_at: float | None = None
    filename: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def from_file(self) -> bool:
        """Whether it is a picture or another file (Telegram), whose text is its caption."""
        return "photo" in self.raw or "document" in self.raw

    @property
    def buttons(self) -> list[Button]:
        """The buttons in reading order."""
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        """What the buttons say, in reading order."""
        return [button.label for row in self.rows for button in row]


@dataclass(slots=True, eq=False)
class Press:
    """One press of a button, and what became of it.

    Attributes:
        answered: Telegram's callback query was answered, or Slack's envelope acknowledged.
        lost: the platform could not hand it to the bot, and will not try again (Slack).
        toast: the text of answerCallbackQuery.
    """

    id: str
    button: Button
    message: Message
    at: float
    answered: bool = False
    lost: bool = False
    handed_at: float | None = None
    toast: str = ""
    alert: bool = False


class Person:
    """Somebody who talks with the bot; each platform adds what its people can do."""

    def __init__(self, person_id: Any, name: str) -> None:
        self.id = person_id
        self.name = name
        self.chat: list[Message] = []
        self.shown: list[Message] = []
        self.presses: list[Press] = []
        self.latencies: list[float] = []
        self.handed_latencies: list[float] = []
        self.on_showing: Callable[[Any, Message], None] | None = None
        self._read = 0
        self._acted_at: float | None = None
        self._act: Message | Press | None = None
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    # -- what a person does: each platform says how ---------------------------------------

    def say(self, text: str) -> Message:
        """Send words, at once."""
        raise NotImplementedError

    def click(self, button: Button, message: Message) -> Press:
        """Press a button, at once."""
        raise NotImplementedError

    async def send(self, text: str) -> Message:
        """Send words."""
        return self.say(text)

    async def press(
        self, which: str | int | Button | None = None, message: Message | None = None
    ) -> Press:
        """Press a button of `message` (default: the newest that has any).

        `which` is its label, its data, its index, the beginning of its label if only one
        begins so, or a `Button` kept from before (pressed even if it is no longer shown: a
        phone that lags behind). Without `which` the first one.
        """
        if message is None:
            message = self.newest_with_buttons()
        return self.click(self.find_button(which, message), message)

    def newest_with_buttons(self) -> Message:
        """Give the newest bot's message that can be pressed."""
        for message in reversed(self.shown):
            if message.rows and not message.deleted:
                return message
        raise LookupError(f"nothing to press:\n{self.transcript()}")

    @staticmethod
    def find_button(which: str | int | Button | None, message: Message) -> Button:
        """Find one button of a message by label, data, index or beginning."""
        if isinstance(which, Button):
            return which
        buttons = message.buttons
        if which is None:
            which = 0
        if isinstance(which, int):
            if 0 <= which < len(buttons):
                return buttons[which]
        else:
            for button in buttons:
                if which in {button.label, button.data}:
                    return button
            near = [b for b in buttons if b.label.casefold().startswith(which.casefold())]
            if len(near) == 1:
                return near[0]
        raise LookupError(f"no button {which!r} among {message.labels} of {message.text!r}")

    # -- what a person sees --------------------------------------------------------------

    @property
    def newest(self) -> Message | None:
        """The bot's newest message that is still there."""
        for message in reversed(self.shown):
            if not message.deleted:
                return message
        return None

    def transcript(self) -> str:
        """Give the whole chat as text, for people and failed tests."""
        lines = []
        for message in self.chat:
            if not message.deleted:
                who = "bot" if message.from_bot else self.name
                buttons = f"  {message.labels}" if message.rows else ""
                lines.append(f"{who}: {message.text}{buttons}")
        return "\n".join(lines)

    def acts(self) -> str:
        """Give all that this person did, with what the platform made of it, as text."""
        said = [message for message in self.chat if not message.from_bot]
        lines = []
        for act in sorted([*said, *self.presses], key=lambda one: one.at):
            if isinstance(act, Message):
                fate = "given up" if act.lost else "kept or on its way"
                lines.append(f"{act.at:.1f} typed {act.text!r}: {fate}")
            else:
                fate = "lost" if act.lost else "answered" if act.answered else "on its way"
                lines.append(f"{act.at:.1f} pressed {act.button.label!r}: {fate}")
        return "\n".join(lines)

    async def next_message(self, timeout: float = 5.0) -> Message:  # noqa: ASYNC109
        """Give the bot's next message that was not read yet, waiting for it."""
        return await self.wait_for(lambda _message: True, timeout)

    async def wait_for(
        self,
        predicate: Callable[[Message], bool],
        timeout: float = 5.0,  # noqa: ASYNC109
    ) -> Message:
        """Read on to the bot's next message that fits, waiting for it."""

        def look() -> Message | None:
            while self._read < len(self.shown):
                message = self.shown[self._read]
                self._read += 1
                if predicate(message):
                    return message
            return None

        return await self._wait(look, timeout)

    async def wait_until(self, condition: Callable[[], Any], timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Wait for something to be true of this chat (an edit, an answered press)."""
        await self._wait(condition, timeout)

    async def _wait(self, look: Callable[[], Any], timeout: float) -> Any:  # noqa: ASYNC109
        found = look()
        if found:
            return found
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        entry = (look, future)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise TimeoutError(
                f"{self.name} waited {timeout} s in vain:\n{self.transcript()}"
            ) from None
        finally:
            self._waiting.remove(entry)

    # -- called by the platform ----------------------------------------------------------

    def acted(self, act: Message | Press) -> None:
        """Note an action: the clock of the reply starts with the first unanswered one."""
        if self._acted_at is None:
            self._acted_at = act.at
            self._act = act

    def receive(self, message: Message) -> None:
        """Show a new message of the bot."""
        self.chat.append(message)
        self.shown.append(message)
        self._showing(message)

    def edited(self, message: Message) -> None:
        """Show what the bot changed in an earlier message."""
        message.edits += 1
        if message.rows and not message.deleted and message is self.newest:
            self._showing(message)
        elif self._waiting:
            self.changed()

    def _showing(self, message: Message) -> None:
        if self._acted_at is not None:
            now = time.monotonic()
            self.latencies.append(now - self._acted_at)
            handed_at = self._act.handed_at if self._act is not None else None
            if handed_at is not None:
                self.handed_latencies.append(now - handed_at)
            self._acted_at = self._act = None
        if self._waiting:
            self.changed()
        if self.on_showing is not None:
            self.on_showing(self, message)

    def changed(self) -> None:
        """Let waiters look again."""
        for look, future in list(self._waiting):
            if not future.done():
                found = look()
                if found:
                    future.set_result(found)
