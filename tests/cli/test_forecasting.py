"""`pulse forecast`, as somebody at a desk uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from bot.__main__ import main
from storage.open import open_store
from storage.protocol import NO_END, Address, Timing

CONFIG = """
[[cohort]]
name = "riverside"
timezone = "Europe/London"
survey = "citizen-pulse"

[[pulse]]
name = "weekly"
survey = "citizen-pulse"
cohorts = ["riverside"]
cron = "0 10 * * mon"
remind_after = ["2d"]
close_after = "6d"
"""

Ran = tuple[int, str, str]
NOW = datetime(2027, 3, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def pulse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    store = open_store(f"sqlite:///{tmp_path}/pulse.db")
    with store.transaction():
        for name, timezone in (("ann", None), ("bob", "America/New_York")):
            store.welcome(
                Address(channel="telegram", platform_id=name, chat=name),
                respondent_id=name, role="citizen", language="en", on=NOW.date(),
            )  # fmt: skip
            store.join(name, "riverside", on=NOW.date())
            store.set_timing(name, Timing(timezone=timezone))
    store.close()

    def run(*arguments: str) -> Ran:
        with time_machine.travel(NOW, tick=False):
            status = main(["forecast", *arguments, "--config", str(config)])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_everybody_is_listed_by_their_own_clock(pulse: Callable[..., Ran]) -> None:
    status, out, err = pulse("--days", "12")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "weekly-riverside-2027-03-22: invitation to 2; from 2027-03-22 10:00, all sent by about"
        " 2027-03-22 14:00 Europe/London",
        "  2027-03-22 Mon 10:00 +0000 Europe/London  ann  telegram",
        "  2027-03-22 Mon 10:00 -0400 America/New_York  bob  telegram",
        "weekly-riverside-2027-03-22: reminder 1 to 2; from 2027-03-24 10:00, all sent by about"
        " 2027-03-24 14:00 Europe/London",
        "  2027-03-24 Wed 10:00 +0000 Europe/London  ann  telegram",
        "  2027-03-24 Wed 10:00 -0400 America/New_York  bob  telegram",
        "weekly-riverside-2027-03-29: invitation to 2; from 2027-03-29 10:00, all sent by about"
        " 2027-03-29 15:00 Europe/London",
        "  2027-03-29 Mon 10:00 +0100 Europe/London  ann  telegram",
        "  2027-03-29 Mon 10:00 -0400 America/New_York  bob  telegram",
        "weekly-riverside-2027-03-29: reminder 1 to 2; from 2027-03-31 10:00, all sent by about"
        " 2027-03-31 15:00 Europe/London",
        "  2027-03-31 Wed 10:00 +0100 Europe/London  ann  telegram",
        "  2027-03-31 Wed 10:00 -0400 America/New_York  bob  telegram",
    ]


def test_for_a_program_and_for_one_person(pulse: Callable[..., Ran]) -> None:
    status, out, _ = pulse(
        "--from", "2027-03-29", "--to", "2027-03-29", "--person", "bob", "--json"
    )
    assert status == 0
    assert json.loads(out) == [
        {
            "wave": "weekly-riverside-2027-03-29",
            "pulse": "weekly",
            "cohort": "riverside",
            "respondent": "bob",
            "channel": "telegram",
            "what": "invitation",
            "at": "2027-03-29T14:00:00+00:00",
            "local": "2027-03-29T10:00:00-04:00",
            "timezone": "America/New_York",
            "planned_at": "2027-03-29T14:00:00+00:00",
            "not_sent": None,
        }
    ]


def test_of_a_code_that_is_nobodys_that_is_said(pulse: Callable[..., Ran]) -> None:
    status, out, err = pulse("--person", "nobody")
    assert (status, out) == (2, "")
    assert "Nobody is known by this code." in err


def test_who_is_not_asked_is_listed_with_the_words_of_the_status(
    pulse: Callable[..., Ran], tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/pulse.db")
    store.set_timing("ann", Timing(paused_until=NO_END))
    store.close()
    status, out, _ = pulse("--days", "3")
    assert status == 0
    assert "not to 1 (1 away)" in out
    assert out.rstrip().endswith("ann  telegram  not sent: away")


def test_without_a_database_it_is_said_what_makes_one(
    pulse: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "pulse.db").unlink()
    status, out, err = pulse()
    assert (status, out) == (1, "")
    assert "There is no database" in err
    assert "`pulse run` makes it" in err


def test_where_nothing_comes_that_is_said(pulse: Callable[..., Ran]) -> None:
    status, out, _ = pulse("--to", "2027-03-20")
    assert (status, out) == (0, "Nothing would be sent from 2027-03-20 to 2027-03-21.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pulse", "monthly"), "configuration: weekly"),
        (("--cohort", "hillside"), "configuration: riverside"),
        (("--from", "soon"), "2027-03-28"),
        (("--to", "2027-01-01"), "later day"),
        (("--to", "2099-01-01"), "too far ahead"),
        (("--days", "0"), "--days"),
    ],
)
def test_mistakes_are_said_in_a_line(
    pulse: Callable[..., Ran], arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = pulse(*arguments)
    assert (status, out) == (2, "")
    assert words in err
