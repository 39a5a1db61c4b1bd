"""From a public table of comments to coded answers: ``python -m tests.bench.comments``.

For tables with a column a code that holds 1 or nothing, such as those of the NHS Patient
Experience programme (https://github.com/The-Strategy-Unit/pxtextmining, ``datasets/``; see there
for the licences, which do not let us ship them).
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path
from typing import Any

from tests.bench.codeframe import write_coded

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Write ``coded.jsonl`` and ``codeframe.toml``."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.comments", description=__doc__)
    parser.add_argument("table", type=Path, help="the CSV file")
    parser.add_argument("out", type=Path, help="a folder")
    parser.add_argument("--text", default="FFT answer", help="its column of comments")
    parser.add_argument("--question", default="FFT question", help="its column of questions")
    parser.add_argument("--first", default="Not assigned", help="its first column of codes")
    parser.add_argument(
        "--leave-out", nargs="*", default=["Not assigned", "Safeguarding concerns?"],
        help="columns that are no codes",
    )  # fmt: skip
    parser.add_argument("--unusable", default="Labelling not possible",
                        help="column that marks comments which cannot be coded")  # fmt: skip
    parser.add_argument("--least", type=int, default=30, help="examples that a code needs")
    options = parser.parse_args(arguments)
    with options.table.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])[list(rows[0]).index(options.first) :]
    codes = [name for name in names if name not in [*options.leave_out, options.unusable]]
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        text, question = row[options.text].replace("\x00", " "), row[options.question]
        if row[options.unusable] in ("1", "1.0") or not text.strip():
            continue
        given = [{"enabler": _key(name)} for name in codes if row[name] in ("1", "1.0")]
        lines.setdefault(
            (text, question), {"text": text, "question": question or None, "codes": given}
        )
    coded, frame = write_coded(options.out, list(lines.values()), least=options.least)
    print(f"{len(lines)} comments: {coded}, {frame}")


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


if __name__ == "__main__":
    main()
