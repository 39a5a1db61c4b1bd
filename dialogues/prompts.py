"""What a channel shows: a text and things to press, with no word about how.

The channel decides between buttons, Block Kit and a numbered list.

A button's token names what a press means, whenever it comes: ``SESSION.PLACE.KEY``.
PLACE is the question's index in its survey, or a letter for the bot's own questions (``c``
consent, ``w`` who they answer as, ``l`` language, ``f`` forget, ``s`` submit, ``r`` results, ``t``
times). KEY is an option's number counted from 0, or a word. Where several can be ticked ``+`` or
``-`` follows the number: whether the press ticks it or takes the tick away, so that pressing twice
does what pressing once does. The session pins the survey's revision, so a token never points at
other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Button", "Layout", "Picture", "Press", "Prompt", "read_token", "renamed", "token"]


class Layout(StrEnum):
    """How the options belong together; a hint for the channel."""

    PLAIN = "plain"
    OPTIONS = "options"
    SCALE = "scale"
    TICKS = "ticks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A thing to press.

    Attributes:
        label: What it says.
        token: What comes back; at most 64 bytes of ASCII.
        ticked: Whether it is chosen at present (``Layout.TICKS``).
    """

    label: str
    token: str
    ticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that is kept, by its id.

    Attributes:
        picture_id: Under which the store keeps it.
        alt: What it shows, in words, for who cannot see it; at most 1000 characters.
    """

    picture_id: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One message to a person.

    Attributes:
        text: Plain text, no mark-up.
        options: The answers that can be pressed, in order.
        controls: Skip, back and the like, shown apart from the options.
        layout: How the options belong together.
        picture: Shown with the text where that is possible; the text says enough alone.
    """

    text: str
    options: tuple[Button, ...] = ()
    controls: tuple[Button, ...] = ()
    layout: Layout = Layout.PLAIN
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A token, read."""

    session_id: str
    place: str
    key: str


def token(session_id: str, place: str | int, key: str | int) -> str:
    """Make a button's token."""
    return f"{session_id}.{place}.{key}"


def read_token(words: str) -> Press | None:
    """Read a token; None for anything that no prompt of ours could have carried."""
    parts = words.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    return Press(session_id=parts[0], place=parts[1], key=parts[2])


def renamed(prompt: Prompt, session_id: str, other_id: str) -> Prompt:
    """Give the same prompt of another conversation."""

    def each(buttons: Sequence[Button]) -> tuple[Button, ...]:
        return tuple(
            replace(one, token=f"{other_id}{one.token.removeprefix(session_id)}") for one in buttons
        )

    return replace(prompt, options=each(prompt.options), controls=each(prompt.controls))
