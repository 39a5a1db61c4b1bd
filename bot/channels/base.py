"""What every channel is: raw update to ``Inbound``, ``Prompt`` to payload, nothing else.

No survey words, no SQL, no decision about the dialogue. A channel hands each inbound to
``receive`` and acknowledges it to its platform only after that returned (invariant 1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dialogues.prompts import Prompt
from storage.protocol import Address

__all__ = [
    "BroughtBack",
    "Channel",
    "ChannelFailed",
    "ChatGone",
    "CohortLeft",
    "CohortListed",
    "CohortSeen",
    "Edited",
    "HeldBack",
    "Inbound",
    "MessageRefused",
    "Pressed",
    "Receive",
    "Room",
    "SlowDown",
    "Unread",
    "WentAway",
    "Wrote",
    "any_room",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """The person sent words.

    Attributes:
        event_id: The platform's id of this event, in the channel's own name space
            (design section 10, Ids); the same whenever the event is repeated.
        language: As the platform says, such as ``cy``; None when it does not.
        position: Where the message stands in the chat; positions of one chat, sent and
            received, sort by (length, text).
    """

    event_id: str
    address: Address
    at: datetime
    text: str
    position: str | None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The person changed a message of theirs. ``position`` is that of the message."""

    event_id: str
    address: Address
    at: datetime
    text: str
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """The person pressed a button. ``token`` is the button's."""

    event_id: str
    address: Address
    at: datetime
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """The person sent something that is not words (a photo, a voice message, a file)."""

    event_id: str
    address: Address
    at: datetime
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WentAway:
    """The person blocked the bot or cannot be written to."""

    event_id: str
    address: Address
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtBack:
    """The person can be written to again; they have not said anything yet."""

    event_id: str
    address: Address
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortSeen:
    """The person is in a place whose members are a cohort (a Slack channel).

    Attributes:
        place: The platform's id of it.
        timezone: IANA name, as the platform says; None when it does not.
    """

    event_id: str
    address: Address
    at: datetime
    place: str
    language: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortLeft:
    """The person left a place whose members are a cohort."""

    event_id: str
    address: Address
    at: datetime
    place: str


Inbound = Wrote | Edited | Pressed | Unread | WentAway | BroughtBack | CohortSeen | CohortLeft


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortListed:
    """Everybody in a place whose members are a cohort: who is not listed has left.

    Attributes:
        platform_ids: Of all of them; never of a part only.
    """

    event_id: str
    channel: str
    at: datetime
    place: str
    platform_ids: frozenset[str]


#: Takes an inbound in its person's queue before the first await, and returns once all that
#: follows from it is committed. Raises ``StoreError`` when it could not be kept: then do
#: not acknowledge.
Receive = Callable[[Inbound | CohortListed], Awaitable[None]]


class ChannelFailed(Exception):
    """The platform did not take the message: it failed or did not answer. Try again later."""


class SlowDown(ChannelFailed):
    """The platform asks to wait.

    Attributes:
        seconds: How long, as the platform says.
        whole: True when it concerns every message, False when only this chat.
    """

    def __init__(self, seconds: float, *, whole: bool = True) -> None:
        super().__init__(f"asked to wait {seconds} s")
        self.seconds = seconds
        self.whole = whole


class HeldBack(ChannelFailed):
    """There is no room now for the rest of a message; the same again goes on from there."""


class ChatGone(ChannelFailed):
    """This person cannot be written to (blocked, left, account closed)."""


class MessageRefused(ChannelFailed):
    """The platform will never take this message; trying again is of no use."""


#: Waits until the platform has room for one more message, where a text takes several. Raises
#: ``HeldBack`` when there is none soon.
Room = Callable[[], Awaitable[None]]


async def any_room() -> None:
    """Wait for no room: for who sends one message now and then."""


class Channel(Protocol):
    """One platform.

    Attributes:
        name: ``telegram``, ``slack`` or ``terminal``.
        slash: Whether commands are written with a slash here.
        account: What tells this bot from other bots of its platform, whose rate is another;
            empty where there is but one. Only a keyed hash of it is kept.
    """

    name: str
    slash: bool
    account: str

    @property
    def one_reader(self) -> bool:
        """Whether the platform hands what people do to one program only."""
        ...

    async def run(self, receive: Receive) -> None:
        """Read updates and hand them on until cancelled or ``stop`` is called.

        Stays up through failures of the platform (backs off, logs without words or
        addresses). Raises ``CannotError`` when going on is of no use, such as a refused
        token: the message says what to do.
        """
        ...

    async def send(
        self,
        chat: str,
        prompt: Prompt,
        *,
        replaces: str | None,
        picture: bytes | None = None,
        room: Room = any_room,
    ) -> str | None:
        """Send one message and give its position in the chat.

        With ``replaces`` the message at that position is changed where the platform can;
        where it can't, a new one is sent. ``picture`` is the content (PNG) of the prompt's
        picture; where it can't be shown, the text goes alone. ``room`` is awaited before every
        message but the first.

        Raises:
            SlowDown: Wait as told, then try again.
            HeldBack: From ``room``.
            ChatGone: The person cannot be reached.
            MessageRefused: Never try this message again.
            ChannelFailed: Try again later; the message may have arrived.
        """
        ...

    async def stop(self) -> None:
        """Stop reading; what was read and not acknowledged comes again."""
        ...
