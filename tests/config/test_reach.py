"""Schedules that reach nobody are warned of, in the place to mend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import bot.cli
from bot.__main__ import main
from tests.config.test_config import EXAMPLE

Check = Callable[[str], list[str]]

COHORT = '[[cohort]]\nname = "r"\ntelegram_code = "r"\nslack_channel = "C0123456789"\n'
PULSE = '[[pulse]]\nname = "p"\nsurvey = "citizen-pulse"\ncohorts = ["r"]\n'
TOKEN = '[telegram]\ntoken = "12345:of-nobody"\n'
MONDAYS, DAILY = 'cron = "0 10 * * MON"\n', 'cron = "0 10 * * *"\n'


@pytest.fixture
def warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Check a configuration; gives what is said of it."""

    def check(text: str) -> list[str]:
        monkeypatch.chdir(tmp_path)
        Path("config.toml").write_text(text, encoding="utf-8")
        token = bot.cli._config_path.set(None)
        try:
            assert main(["check"]) == 0
        finally:
            bot.cli._config_path.reset(token)
        return capsys.readouterr().out.splitlines()[:-1]

    return check


@pytest.mark.parametrize(
    ("cohort", "pulse", "expected"),
    [
        (
            'days_off = ["sat", "sun"]\n',
            f'{MONDAYS}days_off = ["mon", "tue", "wed", "thu", "fri"]\n',
            ":11: warning: pulse.p.days_off: expected a day that is none: with those of r every"
            " day is one, so nobody is ever invited",
        ),
        (
            'days_off = ["sat", "sun"]\n',
            'cron = "0 10 * * SAT"\nclose_after = "1d"\n',
            ":11: warning: pulse.p.close_after: expected longer than what stands against it in r:"
            " every wave opens on days off and is over before they are, so nobody is ever invited",
        ),
        (
            "",
            'cron = "0 22 * * MON"\nquiet_hours = "20:00-08:00"\nclose_after = "2h"\n',
            ":11: warning: pulse.p.close_after: expected longer than what stands against it in r:"
            " every wave opens in quiet hours and is over before they are, so nobody is ever"
            " invited",
        ),
        ('days_off = ["sat", "sun"]\n', 'cron = "0 10 * * SAT"\nclose_after = "3d"\n', None),
        ('days_off = ["sat", "sun"]\n', DAILY, None),
        ('holidays = "GB"\n', 'cron = "0 10 25 12,6 *"\nclose_after = "1d"\n', None),
    ],
)  # fmt: skip
def test_a_schedule_that_reaches_nobody(
    warned: Check, cohort: str, pulse: str, expected: str | None
) -> None:
    text = f"{COHORT}{cohort}{PULSE}{pulse}"
    found = [line for line in warned(text) if "nobody is ever" in line]
    assert found == ([] if expected is None else [f"config.toml{expected}"])


@pytest.mark.parametrize(
    ("keys", "roles", "tokens", "expected"),
    [
        ('telegram_code = "r"\n', '["partner"]', "",
         "pulse.p.roles: expected a slack_channel in r; without it nobody is asked but who says on"
         " Telegram that they are of an organisation"),
        ('slack_channel = "C0123456789"\n', '["citizen"]', "",
         "pulse.p.roles: expected a telegram_code in r; without it nobody is asked but who says in"
         " Slack that they are a resident"),
        ('telegram_code = "r"\nslack_channel = "C0123456789"\n', '["partner"]', TOKEN,
         "pulse.p.roles: expected a token for Slack, where the partners of r are; without it"
         " nobody is asked but who says on Telegram that they are of an organisation"),
        ("", '["citizen", "partner"]', "",
         "pulse.p.cohorts: expected a telegram_code or slack_channel in r, and a token for it;"
         " nobody comes there without"),
        ('telegram_code = "r"\n', '["citizen", "partner"]', TOKEN, None),
        ('slack_channel = "C0123456789"\n', '["partner"]', "", None),
    ],
)  # fmt: skip
def test_a_role_that_nobody_has(
    warned: Check, keys: str, roles: str, tokens: str, expected: str | None
) -> None:
    text = f'{tokens}[[cohort]]\nname = "r"\n{keys}{PULSE}{MONDAYS}roles = {roles}\n'
    found = [line.partition("warning: ")[2] for line in warned(text)]
    assert found == ([] if expected is None else [expected])


def test_the_example_reaches_somebody(warned: Check) -> None:
    assert warned(EXAMPLE.read_text(encoding="utf-8")) == []
