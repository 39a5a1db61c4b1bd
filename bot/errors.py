"""The shell's errors, by the exit status that they end a command with."""

from __future__ import annotations

from dialogues.errors import CannotError, UserError

__all__ = ["CannotError", "UserError"]
