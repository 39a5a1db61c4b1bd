"""Somebody before a message that changes in place, and what they see of it."""

from __future__ import annotations

from tests.fakes.people import Message, Person


class Reading:
    """A person who presses buttons, and what they see after each."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.log: list[str] = []

    async def asks(self, words: str) -> Message:
        await self.person.send(words)
        message = await self.person.next_message()
        self.note(f"{self.person.name}: {words}", message)
        return message

    async def presses(self, label: str, message: Message) -> None:
        """Press, and wait until the message has changed."""
        before = message.text, message.labels
        await self.person.press(label, message)
        await self.person.wait_until(lambda: (message.text, message.labels) != before)
        self.note(f"{self.person.name} presses {label}", message)

    def note(self, did: str, message: Message) -> None:
        buttons = "\n".join(f"[{'] ['.join(b.label for b in row)}]" for row in message.rows)
        self.log.append(f"> {did}\n{message.text}\n{buttons}\n")

    @property
    def text(self) -> str:
        return "\n".join(self.log)
