"""The sample picture of the documents: ``python -m tests.reports.sample [FILE]``.

The figures are made up.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from storage.reports import WaveFigures, shown
from storage.reports.charts import Chart
from storage.reports.drawing import draw
from tests.reports.test_summary import LEAST, PULSE, SUMMARY, mention, statements

__all__ = ["PICTURE", "main", "sample"]

PICTURE = Path(__file__).parents[2] / "docs" / "howto" / "results.png"

#: Three statements of the pulse and how many of 23 people agree.
_AGREE = {"p_insight": 21, "p_shared_goals_rev": 14, "p_resources": 8}


def sample() -> Chart:
    """Give what the sample shows."""
    counts = [_AGREE.get(one.id, 0) for one in PULSE.questions if one.enabler]
    told = [one for one in statements(PULSE, counts, people=23) if one.question_id in _AGREE]
    figures = WaveFigures(
        least=LEAST,
        invited=31,
        took_part=shown(23, of=31, least=LEAST),
        statements=tuple(told),
        mentions=(
            mention("brokerage", 14, 6, people=23),
            mention("shared_goals", 9, 0, people=23),
            mention("resources", 5, 17, people=23),
        ),
    )
    chart = replace(SUMMARY, figures=figures).chart()
    if chart is None:
        raise LookupError("there is nothing to draw")
    return chart


def main(file: Path = PICTURE) -> None:
    """Draw it into a file."""
    file.write_bytes(draw(sample()))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
