"""The bench runs, its figures are there, and what it calls durable is durable. No times.

What takes two engines or several programs is looked at in `make soak`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.open import open_store
from tests.bench import comments
from tests.bench.__main__ import main
from tests.bench.answering import ANSWERS, UPDATES, hold_round
from tests.bench.bots import Commonpulse, Yardstick
from tests.bench.multiplying import fill, live


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


def test_sending_is_measured_and_nobody_is_refused_or_lost(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    alone, both = lines(capsys, "--only", "sending", "--folder", str(tmp_path))
    for figures in (alone, both):
        assert figures["per_second"] > 0
        assert figures["most_in_any_second"] <= figures["allowed"] == 30
        assert figures["refused_429"] == 0
    assert alone["messages"] == 60
    assert both["replies"] > 0
    assert both["messages"] >= 60 + both["replies"]
    assert both["lost"] == 0
    assert not list(tmp_path.iterdir())


def test_an_export_is_measured_whole(capsys: pytest.CaptureFixture[str]) -> None:
    figures = lines(capsys, "--only", "exporting")
    assert [one["format"] for one in figures] == ["csv", "jsonl"]
    for one in figures:
        assert one["answers"] == 1_000
        assert one["rows"] > 1_200
        assert one["answers_per_second"] > 0


@pytest.mark.soak
def test_tagging_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    figures, fast, *beside = lines(capsys, "--only", "tagging")
    assert [figures["model"], fast["model"]] == ["default", "fast"]
    assert figures["single_per_second"] > 0
    assert figures["batch_per_second"] > 0
    assert [(one["model"], one["answers"]) for one in beside] == [
        ("default", 8), ("default", 1), ("fast", 8), ("fast", 1),
    ]  # fmt: skip
    assert all(one["loop_held_ms"] > 0 for one in beside)


def test_starting_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    figures = lines(capsys, "--only", "starting")
    assert [one["times"] for one in figures] == [1, 1, 1]
    assert all(0 < one["best_s"] <= one["median_s"] for one in figures)


@pytest.mark.soak
def test_growth_and_lookups_are_measured_on_both_engines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    figures = lines(capsys, "--only", "growth", "--folder", str(tmp_path))
    assert [(one["measure"], one["engine"]) for one in figures] == [
        ("growth", "sqlite"),
        ("lookups", "sqlite"),
        ("growth", "postgres"),
        ("lookups", "postgres"),
    ]
    for grown, looked_up in (figures[:2], figures[2:]):
        assert 19_000 < grown["answers"] == looked_up["answers"] <= 20_000
        assert {"answers", "sessions", "outbox"} < set(grown["bytes_per_answer"])
        each = sum(grown["bytes_per_answer"].values())
        assert each == pytest.approx(1000 * grown["gb_per_million_answers"], rel=0.02)
        assert looked_up["take_event_p99_ms"] >= looked_up["take_event_p50_ms"] > 0
    # The same rows went into both.
    assert figures[0]["rows"] == figures[2]["rows"]
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
def test_opening_a_wave_is_measured_on_both_engines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    figures = lines(capsys, "--only", "opening", "--folder", str(tmp_path))
    assert [(one["engine"], one["people"]) for one in figures] == [
        ("sqlite", 30), ("sqlite", 300), ("postgres", 30), ("postgres", 300),
    ]  # fmt: skip
    for one in figures:
        assert one["people_per_second"] > 0
        assert one["rss_mb"] > 10
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
def test_the_engines_are_compared_on_the_same_load(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--only", "engines", "--people", "3", "--folder", str(tmp_path))
    sqlite, postgres, ratio = lines(capsys, *words)
    assert (sqlite["engine"], postgres["engine"]) == ("sqlite", "postgres")
    for figures in (sqlite, postgres):
        assert figures["updates_per_second"] > 0
        assert figures["cpu_ms_per_update"] > 0
        assert figures["answers_kept_after_sigkill"] == 3 * ANSWERS
    ratios = ratio["ratio_postgres_to_sqlite"]
    assert set(ratios) == {"updates_per_second", "p99", "cpu_per_update"}
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
def test_more_workers_are_compared_with_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--only", "workers", "--people", "3", "--folder", str(tmp_path))
    figures = lines(capsys, *words)
    assert [one["workers"] for one in figures] == [1, 2]
    for one in figures:
        assert one["updates_per_second"] > 0
        assert one["answers_kept_after_sigkill"] == 3 * ANSWERS
        assert 0 < one["platform_cpu_share"] < 2
    assert figures[0]["ratio_updates_per_second"] == 1
    assert not list(tmp_path.iterdir())


def test_lives_are_multiplied_truly(tmp_path: Path) -> None:
    """What is multiplied reads back as what was lived, each life with its own ids."""
    lived = live(people=2, waves=2)
    store = open_store(f"sqlite:///{tmp_path}/pulse.db")
    fill(store._driver, lived, copies=3)
    assert store._driver.all("pragma foreign_key_check", {}) == []
    people = [row["respondent_id"] for row in store._driver.all("select * from respondents", {})]
    assert len(set(people)) == 6
    for person in people:
        sessions = store.recent_sessions(person, limit=9)
        assert len(sessions) == 2
        assert {one.respondent_id for one in sessions} == {person}
        held = store.holdings(person)
        answered = sum(len(one.answers) for one in held.responses)
        assert answered == sum(len(one.session.asked) for one in sessions)
        assert all(store.session(one.session.session_id) == one for one in sessions)
    accounts = [row["platform_id"] for row in store._driver.all("select * from addresses", {})]
    assert len(set(accounts)) == 6
    assert all(store.respondent_at("telegram", account) for account in accounts)
    store.close()


def test_other_codes_are_held_against_tf_idf(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fold, mean = lines(capsys, "--only", "codeframe", "--folder", str(tmp_path))
    assert (fold["answers"], mean["folds"]) == (40, 1)
    for figures, name in ((fold, "ours_macro_f1"), (mean, "mean_tf_idf_micro_f1")):
        assert 0 <= figures[name] <= 1


def test_a_table_of_comments_becomes_coded_answers(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "FFT question,FFT answer,Not assigned,Parking & roads,Food,Labelling not possible\n"
        "Why?,No space,,1,,\nWhy?,No space,,1,,\nWhy?,n/a,,,,1\nWhy?,Good soup,,,1.0,\n"
    )
    comments.main([str(table), str(tmp_path / "out"), "--least", "1"])
    written = (tmp_path / "out" / "coded.jsonl").read_text(encoding="utf-8")
    read = [json.loads(line) for line in written.splitlines()]
    assert read == [
        {"text": "No space", "question": "Why?", "codes": [{"enabler": "parking_roads"}]},
        {"text": "Good soup", "question": "Why?", "codes": [{"enabler": "food"}]},
    ]


def test_what_reviewed_answers_teach_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    readings = lines(capsys, "--only", "updating", "--folder", str(tmp_path))
    assert [one["reviewed"] for one in readings] == [
        "as coded", "with a habit", "half mixed up", "mixed up",
    ]  # fmt: skip
    assert readings[2]["refused"]
    assert readings[3]["refused"]
