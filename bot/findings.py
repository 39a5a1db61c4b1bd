"""What is wrong in a file, with the place where a person finds it.

What lives here: the value and how it reads. What must not: looking for mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.errors import UserError
from bot.toml_source import KeyPath, TomlSource
from dialogues.errors import Problem

__all__ = ["Finding", "dotted", "errors_in", "in_file", "refuse", "syntax_errors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        file: As people named it; ``environment`` for a variable.
        line: Counted from 1; None where there are no lines.
        key: Dotted, as people would say it; empty for the file as a whole.
        expected: What was expected: a sentence that begins with "expected".
        severity: A warning can be lived with.
    """

    file: str
    line: int | None
    key: str
    expected: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Write it as ``file:line: key: expected ...``, in one line."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        mark = "warning: " if self.severity == "warning" else ""
        return f"{where}: {mark}{self.key + ': ' if self.key else ''}{self.expected}"


def in_file(source: TomlSource, problems: Iterable[Problem]) -> list[Finding]:
    """Put problems where they are in their file, by line.

    What a syntax error took out is not missed a second time.
    """
    found = [
        Finding(
            file=source.name,
            line=source.line_of(problem.path),
            key=dotted(problem.path, source.data),
            expected=problem.expected,
            severity=problem.severity,
        )
        for problem in problems
        if not source.is_damaged(problem.path)
    ]
    return sorted(found, key=lambda finding: finding.line or 0)


def syntax_errors(source: TomlSource) -> list[Finding]:
    """Give the places where a file is not TOML, by line."""
    return [
        Finding(
            file=source.name,
            line=mistake.line,
            key=dotted(mistake.key, source.data),
            expected=mistake.expected,
        )
        for mistake in source.mistakes
    ]


def dotted(path: KeyPath, data: Mapping[str, Any]) -> str:
    """Write a path for people: tables of a list by their id or name, else by their number."""
    here: Any = data
    parts = []
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            named = (here.get("id") or here.get("name")) if isinstance(here, dict) else None
            parts.append(named if isinstance(named, str) else str(step + 1))
        else:
            parts.append(step)
    return ".".join(parts)


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Give the errors among findings."""
    return [finding for finding in findings if finding.severity == "error"]


def refuse(findings: Iterable[Finding]) -> None:
    """Stop at errors, with the first of them and how to see the rest.

    Raises:
        UserError: There is an error.
    """
    errors = errors_in(findings)
    if not errors:
        return
    rest = len(errors) - 1
    more = "" if not rest else f"\n({rest} more: run pulse check)"
    raise UserError(f"{errors[0]}{more}")
