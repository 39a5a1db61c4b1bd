"""A configuration to look at, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import Settings, load_settings
from bot.doctor.finding import Finding, State

Configure = Callable[..., Settings]


def now() -> datetime:
    """The real time: the fakes tell it too."""
    return datetime.now(UTC)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a configuration from its text, and read it."""

    def write(text: str = "") -> Settings:
        file = tmp_path / "config.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, {})

    return write


def found(findings: Iterable[Finding], check: str, state: State, says: str = "") -> Finding:
    """The one finding of a check, which is in this state and says this."""
    of = [finding for finding in findings if finding.check == check]
    assert len(of) == 1, of
    assert of[0].state == state, of[0]
    assert says in f"{of[0].found} {of[0].do}", of[0]
    assert (of[0].do == "") == (state == "ok")
    return of[0]
