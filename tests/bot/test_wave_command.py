"""`pulse wave`: by hand, with errors that say what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.__main__ import main

CONFIG = """
[[cohort]]
name = "riverside"
timezone = "Europe/London"
survey = "citizen-pulse"

[[cohort]]
name = "hillside"
survey = "citizen-pulse"

[[pulse]]
name = "monthly"
survey = "citizen-pulse"
cohorts = ["riverside", "hillside"]
cron = "0 10 1 * *"
close_after = "10d"
"""

Ran = tuple[int, str, str]


@pytest.fixture
def pulse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)

    def run(*arguments: str) -> Ran:
        status = main(["wave", *arguments, "--config", str(config)])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def waves(pulse: Callable[..., Ran]) -> dict[str, str]:
    status, out, _ = pulse("list", "--json")
    assert status == 0
    return {wave["cohort"]: wave["state"] for wave in json.loads(out)}


def test_a_wave_is_opened_paused_resumed_and_closed(pulse: Callable[..., Ran]) -> None:
    assert pulse("list") == (0, "There has been no wave yet.\n", "")
    assert pulse("status") == (0, "No wave is open.\n", "")
    status, out, err = pulse("open", "monthly", "--cohort", "riverside")
    assert (status, err) == (0, "")
    assert "0 people to invite" in out
    assert waves(pulse) == {"riverside": "open"}
    wave = out.split()[1].rstrip(":")
    for command, state in (("pause", "paused"), ("resume", "open"), ("close", "closed")):
        assert pulse(command, wave)[0] == 0
        assert waves(pulse) == {"riverside": state}
        _, out, _ = pulse("status")
        assert out.startswith("No wave" if state == "closed" else f"{wave} ({state}, ")
    status, out, _ = pulse("status", wave, "--json")
    assert status == 0
    shown = json.loads(out)
    assert (shown["wave"], shown["state"], shown["invited"]) == (wave, "closed", 0)
    assert wave in pulse("list")[1]


def test_all_cohorts_of_a_pulse_are_opened_and_each_once_a_day(pulse: Callable[..., Ran]) -> None:
    assert pulse("open", "monthly")[0] == 0
    assert waves(pulse) == {"riverside": "open", "hillside": "open"}
    status, _, err = pulse("open", "monthly")
    assert status == 1
    assert "opened already" in err
    status, out, _ = pulse("status")
    assert status == 0
    assert out.count("nobody was invited yet") == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("open", "weekly"), 2, "there are: monthly"),
        (("open", "monthly", "--cohort", "nowhere"), 2, "riverside, hillside"),
        (("close", "no-such-wave"), 2, "pulse wave list"),
        (("status", "no-such-wave"), 2, "pulse wave list"),
        (("pause", "no-such-wave"), 2, "pulse wave list"),
    ],
)
def test_mistakes_are_said_in_a_line(
    pulse: Callable[..., Ran], arguments: tuple[str, ...], status: int, words: str
) -> None:
    found, out, err = pulse(*arguments)
    assert (found, out) == (status, "")
    assert words in err
    assert err.count("\n") <= 2


def test_what_does_not_fit_a_waves_state_is_refused(pulse: Callable[..., Ran]) -> None:
    wave = pulse("open", "monthly", "--cohort", "riverside")[1].split()[1].rstrip(":")
    assert pulse("resume", wave)[0] == 1
    assert pulse("close", wave)[0] == 0
    for command in ("close", "pause", "resume"):
        status, _, err = pulse(command, wave)
        assert status == 1
        assert "closed" in err
