"""The bench runs, its figures are there, and what it calls durable is durable. No times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import main
from tests.bench.answering import ANSWERS, UPDATES, hold_round
from tests.bench.bots import Commonpulse, Yardstick


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    main([*words, "--quick"])
    printed = capsys.readouterr()
    assert printed.err
    return [json.loads(line) for line in printed.out.splitlines()]


async def test_everybody_is_answered_and_every_answer_outlives_the_kill(tmp_path: Path) -> None:
    held = await hold_round(Commonpulse, tmp_path / "bot", people=12, crowds=2)
    assert held.updates == len(held.latencies) == 12 * 2 * UPDATES
    assert held.kept == held.answers == 12 * 2 * ANSWERS
    assert held.cpu_seconds > 0


async def test_the_yardstick_holds_the_same_survey_and_loses_it(tmp_path: Path) -> None:
    held = await hold_round(Yardstick, tmp_path / "bot", people=4, crowds=1)
    assert held.updates == 4 * UPDATES
    assert (held.answers, held.kept) == (4 * ANSWERS, 0)


def test_both_are_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("--only", "answering", "--people", "3", "--folder", str(tmp_path))
    ours, theirs, ratio = lines(capsys, *words)
    assert (ours["bot"], theirs["bot"]) == ("commonpulse", "yardstick")
    for figures in (ours, theirs):
        assert figures["people"] == 3
        assert figures["updates_per_second"] > 0
        assert 0 < figures["p50_ms"] <= figures["p99_ms"]
        assert figures["answers_shown_as_taken"] == 3 * ANSWERS
    assert ours["answers_kept_after_sigkill"] == 3 * ANSWERS
    assert set(ratio["ratio_to_yardstick"]) == {"updates_per_second", "p99", "cpu_per_update"}
    assert "--people 3" in ratio["command"]
    assert not list(tmp_path.iterdir())


def test_an_export_is_measured_whole(capsys: pytest.CaptureFixture[str]) -> None:
    figures = lines(capsys, "--only", "exporting")
    assert [one["format"] for one in figures] == ["csv", "jsonl"]
    for one in figures:
        assert one["answers"] == 1_000
        assert one["rows"] > 1_200
        assert one["answers_per_second"] > 0


def test_tagging_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    (figures,) = lines(capsys, "--only", "tagging")
    assert figures["single_per_second"] > 0
    assert figures["batch_per_second"] > 0


def test_starting_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    figures = lines(capsys, "--only", "starting")
    assert [one["times"] for one in figures] == [1, 1, 1]
    assert all(0 < one["best_s"] <= one["median_s"] for one in figures)
