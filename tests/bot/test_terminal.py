"""The terminal as a channel: what it shows and how it reads a line."""

from __future__ import annotations

import pytest

from bot.channels.base import Pressed, Wrote
from bot.channels.terminal import render, to_inbound
from dialogues.prompts import Button, Layout, Prompt
from storage.protocol import Address
from tests.bot.ports import BEGIN

ADDRESS = Address(channel="terminal", platform_id="p", chat="p")
CHOICE = Prompt(
    text="Which?",
    options=(Button(label="Housing", token="s.0.0"), Button(label="Health", token="s.0.1")),
    controls=(Button(label="Skip", token="s.0.skip"),),
    layout=Layout.OPTIONS,
)
TICKS = Prompt(
    text="Which ones?",
    options=(Button(label="Housing", token="s.0.0"), Button(label="Done", token="s.0.done")),
    layout=Layout.TICKS,
)


def read(line: str, prompt: Prompt | None = CHOICE) -> str:
    inbound = to_inbound(line, prompt, address=ADDRESS, event_id="e", at=BEGIN)
    if isinstance(inbound, Pressed):
        return f"pressed {inbound.token}"
    assert isinstance(inbound, Wrote)
    return f"wrote {inbound.text}"


def test_options_are_numbered_and_the_rest_is_named() -> None:
    assert render(CHOICE) == "Which?\n\n  1  Housing\n  2  Health\n\n  skip"


def test_several_are_typed_at_once_so_done_is_not_shown() -> None:
    assert render(TICKS) == "Which ones?\n\n  1  Housing"


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("1", "pressed s.0.0"),
        (" 2 ", "pressed s.0.1"),
        ("skip", "pressed s.0.skip"),
        ("SKIP", "pressed s.0.skip"),
        ("3", "wrote 3"),
        ("0", "wrote 0"),
        ("9" * 5_000, "wrote " + "9" * 5_000),
        ("Health", "wrote Health"),
        ("", "wrote "),
        ("a\0b\ud800", "wrote a�b�"),
    ],
)
def test_a_line_is_a_press_or_words(line: str, means: str) -> None:
    assert read(line) == means


def test_numbers_of_several_choices_are_words() -> None:
    assert read("1", TICKS) == "wrote 1"
    assert read("1", None) == "wrote 1"
