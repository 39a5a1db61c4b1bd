"""The command: measures what it is told to, prints JSON lines and a summary."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.bench.answering import compare
from tests.bench.codeframe import codeframe, stand_in
from tests.bench.engines import engines
from tests.bench.exporting import exporting
from tests.bench.growth import growth
from tests.bench.opening import opening
from tests.bench.sending import sending
from tests.bench.starting import starting
from tests.bench.tagging import beside, tagging
from tests.bench.updating import updating
from tests.bench.workers import workers

Figures = Iterable[dict[str, Any]]


def _answering(folder: Path, options: argparse.Namespace) -> Figures:
    crowds, rounds = (1, 1) if options.quick else (3, 5)
    return asyncio.run(compare(folder, people=options.people, crowds=crowds, rounds=rounds))


def _sending(folder: Path, options: argparse.Namespace) -> Figures:
    if options.quick:
        return asyncio.run(sending(folder, people=60, meanwhile=60, think=(1.0, 3.0)))
    return asyncio.run(sending(folder, people=10_000, meanwhile=3_000))


def _tagging(_folder: Path, options: argparse.Namespace) -> Figures:
    yield from tagging(answers=16 if options.quick else 500)
    yield from beside(answers=8, longest=1_000) if options.quick else beside(answers=32)


def _exporting(folder: Path, options: argparse.Namespace) -> Figures:
    return exporting(folder / "export", answers=1_000 if options.quick else 100_000)


def _starting(folder: Path, options: argparse.Namespace) -> Figures:
    return asyncio.run(starting(folder, times=1 if options.quick else 5))


def _growth(folder: Path, options: argparse.Namespace) -> Figures:
    if options.quick:
        return growth(folder / "growth", answers=20_000, times=20, people=2, waves=3)
    return growth(folder / "growth", answers=1_000_000, times=2_000, people=8, waves=10)


def _opening(folder: Path, options: argparse.Namespace) -> Figures:
    return opening(folder / "opening", people=300 if options.quick else 100_000)


def _engines(folder: Path, options: argparse.Namespace) -> Figures:
    crowds, rounds = (1, 1) if options.quick else (3, 5)
    place = folder / "engines"
    return asyncio.run(engines(place, people=options.people, crowds=crowds, rounds=rounds))


def _workers(folder: Path, options: argparse.Namespace) -> Figures:
    crowds, rounds, counts = (1, 1, (1, 2)) if options.quick else (3, 3, (1, 2, 4))
    return asyncio.run(
        workers(
            folder / "workers", people=options.people, crowds=crowds, rounds=rounds, counts=counts
        )
    )


def _codeframe(folder: Path, options: argparse.Namespace) -> Figures:
    if options.coded is not None:
        coded, frame = options.coded, options.codeframe
    else:
        coded, frame = stand_in(folder / "coded", answers=60 if options.quick else None,
                                least=4 if options.quick else 30)  # fmt: skip
    return codeframe(folder / "models", coded=coded, frame=frame, folds=1 if options.quick else 3)


def _updating(folder: Path, options: argparse.Namespace) -> Figures:
    answers = 120 if options.quick else None
    return updating(folder / "updated", model=options.model, answers=answers)


MEASURES: dict[str, Callable[[Path, argparse.Namespace], Figures]] = {
    "answering": _answering,
    "sending": _sending,
    "tagging": _tagging,
    "exporting": _exporting,
    "starting": _starting,
    "growth": _growth,
    "opening": _opening,
    "engines": _engines,
    "workers": _workers,
    "codeframe": _codeframe,
    "updating": _updating,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--people", type=int, default=200, help="who answer at once (200)")
    parser.add_argument("--quick", action="store_true", help="once and little: does it run?")
    parser.add_argument("--only", choices=MEASURES, help="one measure")
    parser.add_argument(
        "--folder", type=Path, help="where the databases lie while it runs: a real disk"
    )
    parser.add_argument(
        "--coded", type=Path, metavar="FILE", help="codeframe: coded answers, JSONL"
    )
    parser.add_argument("--codeframe", type=Path, metavar="FILE", help="their codes, TOML")
    parser.add_argument(
        "--model", default="fast", help="updating: default, fast or a folder (fast)"
    )
    options = parser.parse_args(arguments)
    if (options.coded is None) != (options.codeframe is None):
        parser.error("--coded and --codeframe go together")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    said = sys.argv[1:] if arguments is None else arguments
    about = {
        "command": shlex.join(["python", "-m", "tests.bench", *said]),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        for name in [options.only] if options.only else MEASURES:
            for figures in MEASURES[name](Path(folder), options):
                print(json.dumps(figures | about), flush=True)
                sys.stderr.write(_in_words(figures))


def _in_words(figures: dict[str, Any]) -> str:
    """Say a line of figures as people read it."""
    flat: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            flat |= {f"{name}: {inner}": figure for inner, figure in value.items()}
        elif name != "measure":
            flat[name] = value
    rows = (f"  {name.replace('_', ' ')}: {value}" for name, value in flat.items())
    return "\n".join([f"{figures['measure']}", *rows, "", ""])


if __name__ == "__main__":
    main()
