"""Recorded updates to inbounds, prompts to payloads: both pure."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels import slack_shapes, telegram_shapes
from bot.channels.base import MessageRefused
from dialogues.prompts import Button, Prompt
from tests.channels.goldens import AT, cases, described, prompt_of

SHAPES: dict[str, Any] = {"telegram": telegram_shapes, "slack": slack_shapes}
PLACES = ["C0RIVER"]
NAMES = {"U2": "Dilwyn"}


def params(key: str) -> list[Any]:
    return [
        pytest.param(channel, content, id=f"{channel}-{name}")
        for channel in SHAPES
        for name, content in cases(channel, key)
    ]


@pytest.mark.parametrize(("channel", "recorded"), params("raw"))
def test_what_a_platform_sends_is_read(channel: str, recorded: dict[str, Any]) -> None:
    if channel == "telegram":
        inbound = telegram_shapes.to_inbound(recorded["raw"], bot_id="123", at=AT)
    else:
        inbound = slack_shapes.to_inbound(
            recorded["raw"], at=AT, places=PLACES, bot_user="U00000BOT1", names=NAMES
        )
    assert described(inbound) == recorded["inbound"]


@pytest.mark.parametrize(("channel", "recorded"), params("prompt"))
def test_a_prompt_becomes_what_a_platform_takes(channel: str, recorded: dict[str, Any]) -> None:
    payloads = SHAPES[channel].render(prompt_of(recorded["prompt"]))
    assert list(payloads) == recorded["payloads"]


@pytest.mark.parametrize(
    "raw",
    [
        {"update_id": 5, "message": {"message_id": "many", "chat": 5}},
        {"update_id": 5, "message": {"message_id": 5, "chat": {"type": "private"}}},
        {"update_id": 5, "message": "words"},
        {"update_id": "x"},
        {"update_id": 5, "callback_query": {"data": "s.0.0", "message": {}}},
        {
            "update_id": 5,
            "message": {
                "message_id": 5,
                "from": {"id": 7},
                "chat": {"id": 7, "type": "private"},
                "text": {"not": "words"},
            },
        },
    ],
)
def test_what_is_no_update_is_said_to_be_none(raw: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        telegram_shapes.to_inbound(raw, bot_id="123", at=AT)


@pytest.mark.parametrize("channel", SHAPES)
@pytest.mark.parametrize("token", ["", "x" * 65, "é" * 33])
def test_a_button_carries_at_most_64_bytes(channel: str, token: str) -> None:
    prompt = Prompt(text="Which?", options=(Button(label="This", token=token),))
    with pytest.raises(MessageRefused):
        SHAPES[channel].render(prompt)


@pytest.mark.parametrize("channel", SHAPES)
def test_a_button_of_64_bytes_is_taken(channel: str) -> None:
    prompt = Prompt(text="Which?", options=(Button(label="This", token="x" * 64),))
    assert len(SHAPES[channel].render(prompt)) == 1


def test_a_long_text_takes_several_telegram_messages_with_the_buttons_on_the_last() -> None:
    prompt = Prompt(text="word " * 2000, options=(Button(label="Yes", token="s.0.0"),))
    payloads = telegram_shapes.render(prompt)
    assert [len(payload["text"]) <= 4096 for payload in payloads] == [True] * 3
    assert ["reply_markup" in payload for payload in payloads] == [False, False, True]


def test_a_long_text_takes_several_sections_then_several_slack_messages() -> None:
    prompt = Prompt(text="word " * 4000, options=(Button(label="Yes", token="s.0.0"),))
    first, second, third = slack_shapes.render(prompt)
    assert [block["type"] for block in first["blocks"]] == ["section"] * 3
    assert [block["type"] for block in second["blocks"]] == ["section"] * 3
    assert [block["type"] for block in third["blocks"]] == ["section", "actions"]


def test_more_buttons_than_a_block_holds_take_more_blocks() -> None:
    options = tuple(Button(label=f"Place {n}", token=f"s.0.{n}") for n in range(60))
    (payload,) = slack_shapes.render(Prompt(text="Where?", options=options))
    actions = [block for block in payload["blocks"] if block["type"] == "actions"]
    assert [len(block["elements"]) for block in actions] == [25, 25, 10]
    ids = [element["action_id"] for block in actions for element in block["elements"]]
    assert len(set(ids)) == 60


def test_somebody_found_in_a_place_is_the_same_event_each_time() -> None:
    first = slack_shapes.seen_in("C0RIVER", "U1", team="T1", at=AT, language="cy")
    assert first.event_id == slack_shapes.seen_in("C0RIVER", "U1", team="T1", at=AT).event_id
    assert (first.address.platform_id, first.address.chat, first.language) == ("T1:U1", "U1", "cy")
