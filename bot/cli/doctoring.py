"""The command ``pulse doctor``: finds trouble and says what to do.

What lives here: how findings are shown. What must not: the checks (``bot.doctor``).
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import config_path

if TYPE_CHECKING:
    from bot.doctor.finding import Finding, State

__all__ = ["doctor"]

_MARKS = {"ok": "ok", "warning": "warning", "trouble": "TROUBLE"}
_COLOURS = {"ok": "green", "warning": "yellow", "trouble": "red"}


def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the whole database for damage.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find trouble, and say what to do: database, disk, clock, tokens, rights, what is stuck.

    Changes nothing, and may be run beside `pulse run`. Ends with 1 where there is trouble.
    """
    from bot.app import now
    from bot.doctor.rounds import examine

    show = _silent if as_json else _show
    found = examine(config_path(), os.environ, now=now, deep=deep, show=show)
    counts = Counter(finding.state for finding in found)
    if as_json:
        report = {
            "trouble": counts["trouble"],
            "warnings": counts["warning"],
            "findings": [asdict(finding) for finding in found],
        }
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        typer.echo(_sum(counts))
    if counts["trouble"]:
        raise typer.Exit(1)


def _silent(_: Finding) -> None:
    """Nothing is shown before the end."""


def _show(finding: Finding) -> None:
    mark = f"{_MARKS[finding.state]:<8}"
    if sys.stdout.isatty():
        mark = typer.style(mark, fg=_COLOURS[finding.state], bold=finding.state != "ok")
    typer.echo(f"{mark}{finding.check}: {finding.found}")
    if finding.do:
        typer.echo(f"        {finding.do}")


def _sum(counts: Counter[State]) -> str:
    if not counts["trouble"] and not counts["warning"]:
        return "All is well."
    warnings = f"{counts['warning']} warning{'' if counts['warning'] == 1 else 's'}"
    if not counts["trouble"]:
        return f"No trouble; {warnings}."
    things = f"{counts['trouble']} thing{'' if counts['trouble'] == 1 else 's'}"
    return f"Trouble with {things}; {warnings}."
