"""The command line: a module a group of commands.

What lives here: what every command shares, the configuration that it is run with. What
must not: commands, or any import that costs time (``pulse --help`` passes here).
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.config import Settings

__all__ = ["config_path", "settings", "use_config"]

_config_path: ContextVar[Path | None] = ContextVar("config_path", default=None)


def use_config(path: Path | None) -> None:
    """Remember the file that was named with ``--config``; None names none."""
    if path is not None:
        _config_path.set(path)


def config_path() -> Path | None:
    """Give the file that was named with ``--config``; None when there was none."""
    return _config_path.get()


def settings() -> Settings:
    """Read the configuration that this command is run with, and print its warnings.

    Raises:
        UserError: It has errors.
    """
    from bot.config import load_settings

    read = load_settings(config_path(), os.environ)
    for warning in read.warnings:
        print(f"pulse: {warning}", file=sys.stderr)
    return read
