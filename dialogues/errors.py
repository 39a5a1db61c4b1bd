"""The error tree.

```
CommonpulseError
├── SurveyInvalid        a survey file cannot be used (dialogues)
├── StoreError           the store could not do it (storage)
│   ├── StaleSession     another turn came first: load again, step again
│   ├── StoreConflict    another transaction came between: run the job again
│   ├── StoreBusy        the database is locked: try again
│   ├── StoreAway        the database cannot be reached: try again later
│   │   └── StoreUnsure  it went away over a commit: nobody knows what became of it
│   └── StoreFull        the disk is full, or the database cannot be written
├── StoreRefused         the database takes no such value: trying again is no use (storage)
├── TaggerError          a model or codeframe cannot be used (nlp)
└── ShellError           (bot)
    ├── UserError        the input is wrong: exit status 2
    └── CannotError      the input is right but it could not be done: exit status 1
```

The docstring of each class is its default message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CannotError",
    "CommonpulseError",
    "Problem",
    "ShellError",
    "StaleSession",
    "StoreAway",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreFull",
    "StoreRefused",
    "StoreUnsure",
    "SurveyInvalid",
    "TaggerError",
    "UserError",
]


class CommonpulseError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in a file that is not as it should be.

    Attributes:
        path: Keys from the top, with the place (from 0) in a list.
        expected: What was expected there: a sentence that begins with "expected".
        severity: A warning can be lived with.
    """

    path: tuple[str | int, ...]
    expected: str
    severity: Literal["error", "warning"] = "error"


class SurveyInvalid(CommonpulseError):
    """The survey cannot be used; `pulse check` says what is wrong in its file.

    Attributes:
        problems: In the order of the survey, warnings among them.
    """

    def __init__(self, problems: tuple[Problem, ...] = ()) -> None:
        self.problems = problems
        wrong = [problem for problem in problems if problem.severity == "error"]
        shown = "; ".join(f"{_dotted(each.path)}: {each.expected}" for each in wrong[:3])
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        super().__init__(shown + more if shown else (type(self).__doc__ or "").partition("\n")[0])


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


class StoreError(CommonpulseError):
    """The store could not do it."""


class StaleSession(StoreError):
    """Another turn of this conversation came first; load it again."""


class StoreConflict(StoreError):
    """Two changes of the same thing met; try again."""


class StoreAway(StoreError):
    """The database cannot be reached; see that it runs and that storage.url is right."""


class StoreUnsure(StoreAway):
    """The database went away in the middle, and it is not known whether this was kept."""


class StoreBusy(StoreError):
    """The database is locked by another program; close it or try again."""


class StoreFull(StoreError):
    """The database cannot be written: the disk is full or the folder is read-only."""


class StoreRefused(CommonpulseError):
    """The database takes no such value."""


class TaggerError(CommonpulseError):
    """The model or codeframe cannot be used."""


class ShellError(CommonpulseError):
    """The command could not be carried out."""


class UserError(ShellError):
    """The input is wrong."""


class CannotError(ShellError):
    """It could not be done."""
