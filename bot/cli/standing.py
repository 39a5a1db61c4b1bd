"""How waves stand, in a terminal: once, or again and again while somebody watches.

What lives here: lines, bars and the loop. What must not: figures (``bot/standing.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.standing import WaveStanding

__all__ = ["lines", "watch"]

#: Seconds between two looks.
_EVERY = 1.0

#: Seconds over which the rate of sending is measured.
_OVER = 10.0


def lines(standing: WaveStanding) -> list[str]:
    """Write how a wave stands as plain lines."""
    from bot.standing import in_zone, why_not

    wave = standing.wave
    until = f", closes {in_zone(wave.closes_at, wave.timezone)}" if wave.closes_at else ""
    opened = in_zone(wave.opens_at, wave.timezone)
    written = [
        f"{wave.wave_id} ({wave.state}, opened {opened}{until})",
        f"  sending      {standing.sending()}",
    ]
    if missed := why_not(standing.not_invited):
        written.append(f"  not invited  {missed}")
    if standing.counts.invited:
        written += [
            f"  invitations  {standing.states()}",
            f"  rates        {standing.responses()}",
            f"               {standing.of_those_who_agreed()}",
        ]
    if panel := standing.panel():
        written.append(f"  panel        {panel}")
    return written


def watch(look: Callable[[], Sequence[WaveStanding]]) -> None:
    """Show how waves stand until all are closed, or until the person has seen enough.

    Where output is no terminal, the lines are written anew whenever they change.
    """
    from rich.console import Console, Group
    from rich.live import Live

    console = Console(highlight=False)
    with suppress(KeyboardInterrupt):
        if not console.is_terminal:
            before: list[str] = []
            for standings in _looks(look):
                now = [line for one in standings for line in lines(one)]
                if now != before:
                    typer.echo("\n".join(now))
                before = now
            return
        with Live(console=console, auto_refresh=False) as live:
            for standings in _looks(look):
                live.update(Group(*map(_picture, standings)), refresh=True)


def _looks(look: Callable[[], Sequence[WaveStanding]]) -> Iterator[Sequence[WaveStanding]]:
    """Look again and again, and measure meanwhile how fast messages leave."""
    seen: dict[str, list[tuple[float, int]]] = {}
    while True:
        at, standings = time.monotonic(), []
        for one in look():
            points = seen.setdefault(one.wave.wave_id, [])
            points.append((at, one.sent))
            while len(points) > 2 and points[1][0] < at - _OVER:
                del points[0]
            seconds, sent = at - points[0][0], one.sent - points[0][1]
            # A moment's rate is none, and nothing that leaves says nothing of what will.
            measured = sent / seconds if seconds >= 2 * _EVERY and sent > 0 else None
            standings.append(replace(one, measured=measured))
        yield standings
        if all(one.wave.state == "closed" for one in standings):
            return
        time.sleep(_EVERY)


def _picture(standing: WaveStanding) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head, *rest = lines(standing)
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    if standing.counts.invited:
        bar = ProgressBar(
            total=standing.counts.invited, completed=standing.sent + standing.failed, width=40
        )
        table.add_row("", bar)
    for line in rest:
        table.add_row(Text(line[2:15].strip(), style="bold"), Text(line[15:]))
    return Group(Text(head, style="bold"), table)
