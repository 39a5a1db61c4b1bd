"""Recorded JSON beside the tests: what a platform sent and what comes of it.

A file ``telegram/NAME.json`` holds ``raw`` and ``inbound`` (null: it does not concern the
bot), or ``prompt`` and ``payloads``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.channels.base import Inbound
from dialogues.prompts import Button, Layout, Prompt

HERE = Path(__file__).parent
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def cases(channel: str, key: str) -> list[Any]:
    """Give the recorded files of a channel that have this key, as (name, content)."""
    found = []
    for path in sorted((HERE / channel).glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if key in content:
            found.append((path.stem, content))
    if not found:
        raise LookupError(f"no recorded {key} for {channel}")
    return found


def described(inbound: Inbound | None) -> dict[str, Any] | None:
    """Give an inbound as JSON-ready values."""
    if inbound is None:
        return None
    values = asdict(inbound)
    values["at"] = values["at"].isoformat()
    return {"kind": type(inbound).__name__, **values}


def prompt_of(content: dict[str, Any]) -> Prompt:
    """Read a recorded prompt."""

    def buttons(name: str) -> tuple[Button, ...]:
        return tuple(Button(**button) for button in content.get(name, ()))

    return Prompt(
        text=content["text"],
        options=buttons("options"),
        controls=buttons("controls"),
        layout=Layout(content.get("layout", "plain")),
    )
