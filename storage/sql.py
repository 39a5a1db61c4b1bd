"""The named queries of ``queries/`` and the numbered migrations of ``migrations/``.

A query begins with ``-- name: NAME``; ``NAME.sqlite`` or ``NAME.postgres`` is for one engine
only, where one text cannot serve both.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["migrations", "queries", "statements"]

_HERE = Path(__file__).parent
_NAME = re.compile(r"^-- name: *([a-z0-9_]+)(?:\.(sqlite|postgres))? *$", re.MULTILINE)


@cache
def queries(engine: str) -> dict[str, str]:
    """Give every named query for an engine, without its comments.

    Raises:
        ValueError: Two queries have one name.
    """
    found: dict[str, str] = {}
    for path in sorted((_HERE / "queries").rglob("*.sql")):
        parts = _NAME.split(path.read_text(encoding="utf-8"))
        for name, variant, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            if variant in {None, engine}:
                if name in found:
                    raise ValueError(f"{path.name}: a second query is named {name}")
                found[name] = _plain(text)
    return found


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
