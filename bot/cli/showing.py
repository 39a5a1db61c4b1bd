"""How ``pulse tag`` shows one answer in a terminal.

What lives here: layout and colours. What must not: reasons (``nlp/explain.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.cli.texts import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from nlp.explain import Explanation, Reason

__all__ = ["show"]

_COLOURS = {"strength": "green", "gap": "red", "neutral": "yellow"}


def show(explained: Explanation, names: Mapping[str, str]) -> None:
    """Print an answer with its evidence highlighted, and why each code was given.

    Args:
        explained: What was made of the answer.
        names: Of the codes, by their keys.
    """
    from rich.console import Console
    from rich.text import Text

    from nlp.explain import by_cues

    console = Console(highlight=False)
    answer = Text(plain(explained.answer.text))
    for reason in explained.reasons:
        coding = reason.coding
        style = f"bold {_COLOURS.get(coding.stance or '', 'cyan')} underline"
        answer.stylize(style, coding.span_start, coding.span_end)
    console.print(answer)
    if not explained.reasons:
        console.print("No code.")
    for reason in explained.reasons:
        _show_reason(console, reason, names[reason.coding.enabler])
    if explained.near_miss is not None:
        missed = explained.near_miss
        console.print(
            f"\nNearest to being given: {names[missed.enabler]}, {missed.score:.2f} of "
            f"{missed.threshold:.2f}."
        )
    if told := by_cues(explained):
        console.print(f"\n{told}")
    console.print(f"\n{explained.model}", style="dim")


def _show_reason(console: Console, reason: Reason, name: str) -> None:
    from rich.text import Text

    coding = reason.coding
    heading = Text(f"\n{name}", style="bold")
    if coding.stance:
        heading.append(f"  {coding.stance}", style=_COLOURS[coding.stance])
    heading.append(f"  {coding.confidence:.2f}", style="not bold")
    heading.append(f" (given from {reason.threshold:.2f})", style="not bold dim")
    console.print(heading)
    table = _table()
    table.add_row("evidence", Text(f"“{plain(coding.span_text)}”"))
    if reason.words:
        table.add_row("words", Text(plain(", ".join(reason.words))))
    if reason.phrases:
        quoted = ", ".join(f"“{phrase}”" for phrase in reason.phrases)
        table.add_row("wording", Text(plain(quoted)))
    if reason.example is not None:
        example = reason.example
        stance = f" ({example.coding.stance})" if example.coding.stance else ""
        table.add_row("like", Text(f"“{plain(example.words)}”{stance}"))
    console.print(table)


def _table() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column()
    return table
