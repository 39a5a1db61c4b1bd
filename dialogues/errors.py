"""The error tree.

```
CommonpulseError
├── SurveyInvalid        a survey file cannot be used (dialogues)
├── StoreError           the store could not do it (storage)
│   ├── StaleSession     another turn came first: load again, step again
│   ├── StoreBusy        the database is locked: try again
│   └── StoreFull        the disk is full, or the database cannot be written
├── TaggerError          a model or codeframe cannot be used (nlp)
└── ShellError           (bot)
    ├── UserError        the input is wrong: exit status 2
    └── CannotError      the input is right but it could not be done: exit status 1
```

The docstring of each class is its default message.
"""

from __future__ import annotations

__all__ = [
    "CannotError",
    "CommonpulseError",
    "ShellError",
    "StaleSession",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "TaggerError",
    "UserError",
]


class CommonpulseError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class StoreError(CommonpulseError):
    """The store could not do it."""


class StaleSession(StoreError):
    """Another turn of this conversation came first; load it again."""


class StoreBusy(StoreError):
    """The database is locked by another program; close it or try again."""


class StoreFull(StoreError):
    """The database cannot be written: the disk is full or the folder is read-only."""


class TaggerError(CommonpulseError):
    """The model or codeframe cannot be used."""


class ShellError(CommonpulseError):
    """The command could not be carried out."""


class UserError(ShellError):
    """The input is wrong."""


class CannotError(ShellError):
    """It could not be done."""
