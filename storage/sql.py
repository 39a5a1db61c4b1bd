"""The named queries of ``queries/`` and the numbered migrations of ``migrations/``.

A query begins with ``-- name: NAME``; ``NAME.sqlite`` or ``NAME.postgres`` is for one engine
only, where one text cannot serve both. A rule that several queries keep begins with
``-- part: NAME``, and stands where a query or a part of any file says ``@NAME``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["migrations", "queries", "statements"]

_HERE = Path(__file__).parent
_NAME = re.compile(r"^-- (name|part): *([a-z0-9_]+)(?:\.(sqlite|postgres))? *$", re.MULTILINE)
_PART = re.compile(r"@([a-z0-9_]+)")


@cache
def queries(engine: str) -> dict[str, str]:
    """Give every named query for an engine, without its comments.

    Raises:
        ValueError: Two queries have one name, or a part is not there.
    """
    found: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for path in sorted((_HERE / "queries").rglob("*.sql")):
        pieces = _NAME.split(path.read_text(encoding="utf-8"))[1:]
        for kind, name, variant, text in zip(*(pieces[at::4] for at in range(4)), strict=True):
            if variant in {None, engine}:
                if name in found[kind]:
                    raise ValueError(f"{path.name}: a second {kind} is {name}")
                found[kind][name] = _plain(text)
    return {name: _whole(name, text, found["part"]) for name, text in found["name"].items()}


def _whole(name: str, text: str, parts: dict[str, str]) -> str:
    try:
        return _PART.sub(lambda match: _whole(name, parts[match[1]], parts), text)
    except KeyError as missing:
        raise ValueError(f"{name}: there is no part {missing}") from None


@cache
def migrations() -> dict[str, str]:
    """Give the migrations by name, in order."""
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((_HERE / "migrations").glob("*.sql"))
    }


def statements(script: str) -> list[str]:
    """Split a script into its statements; a semicolon may stand at their ends only."""
    return [part.strip() for part in _plain(script).split(";") if part.strip()]


def _plain(text: str) -> str:
    """Leave out comments and needless space."""
    lines = (line.split("--", 1)[0].strip() for line in text.splitlines())
    return " ".join(line for line in lines if line)
