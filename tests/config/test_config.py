"""The configuration: files, environment, defaults and every mistake with its line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import time, timedelta
from pathlib import Path

import pytest

from bot.coders import coder_at, coders_of
from bot.config import (
    SHIPPED_SURVEYS,
    environment_keys,
    load_settings,
    read_settings,
    read_survey_file,
)
from bot.errors import UserError
from bot.findings import Finding
from bot.house import House

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
TOKEN = "12345:SECRET-words-that-nobody-may-see"

COHORT = '[[cohort]]\nname = "riverside"\n'
CODER = '[[coder]]\nname = "mair"\n'
PULSE = """\
[[pulse]]
name = "monthly"
survey = "partnership-pulse"
cohorts = ["riverside"]
cron = "0 10 1 * *"
"""


def wrong(tmp_path: Path, text: str, **environ: str) -> list[Finding]:
    """What is wrong with a configuration."""
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return list(read_settings(file, environ).findings)


def test_the_example_is_right_and_says_what_it_says() -> None:
    reading = read_settings(EXAMPLE, {})
    assert reading.findings == ()
    settings = reading.settings
    assert settings is not None
    (cohort,), (pulse,) = settings.cohorts, settings.pulses
    assert (cohort.name, cohort.zone.key) == ("riverside", "Europe/London")
    assert pulse.remind_after == (timedelta(days=2), timedelta(days=5))
    assert pulse.close_after == timedelta(days=10)
    assert pulse.quiet_hours is not None
    assert pulse.quiet_hours.start == time(20)
    assert pulse.quiet_hours.minutes == (20 * 60, 8 * 60)
    assert pulse.survey in settings.load_surveys()


def test_the_example_names_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    settings = read_settings(EXAMPLE, {}).source
    for path in environment_keys().values():
        assert path in settings.lines, f"{'.'.join(map(str, path))} is not in {EXAMPLE.name}"
    for key in ("title", "timezone", "slack_channel", "telegram_code", "roles", "quiet_hours"):
        assert f"\n{key} = " in text


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {})
    assert settings.surveys_dir == SHIPPED_SURVEYS
    assert settings.storage.url == "sqlite:///pulse.db"
    assert settings.telegram.token.get_secret_value() == ""
    assert set(settings.load_surveys()) == {path.stem for path in SHIPPED_SURVEYS.glob("*.toml")}


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("asked", "variable", "config"):
        (tmp_path / f"{name}.toml").write_text(f'[privacy]\ncontact = "{name}"\n')
    monkeypatch.chdir(tmp_path)
    variable = {"PULSE_CONFIG": "variable.toml"}
    assert load_settings(Path("asked.toml"), variable).privacy.contact == "asked"
    assert load_settings(None, variable).privacy.contact == "variable"
    assert load_settings(None, {}).privacy.contact == "config"


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('surveys = "mine"\n[storage]\nurl = "sqlite:///data.db"\n')
    settings = load_settings(file, {})
    assert settings.surveys_dir == tmp_path / "mine"
    assert settings.database == tmp_path / "data.db"
    assert settings.storage.url == f"sqlite:///{tmp_path / 'data.db'}"
    file.write_text('[storage]\nurl = "sqlite:////elsewhere/data.db"\n')
    assert load_settings(file, {}).database == Path("/elsewhere/data.db")


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[web]\nport = 1\nhost = "x"\n')
    settings = load_settings(
        file, {"PULSE_WEB__PORT": "2", "PULSE_TELEGRAM__TOKEN": TOKEN, "HOME": "/"}
    )
    assert (settings.web.port, settings.web.host) == (2, "x")
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings)


def test_mistakes_in_the_environment_name_the_variable(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        "",
        PULSE_WEB__PORT="many",
        PULSE_TELEGRAM__TOKN="1",
        PULSE_COHORT__NAME="x",
        PULSE_DEBUG="1",
    )
    assert [str(finding) for finding in found] == [
        "environment: PULSE_WEB__PORT: expected a whole number",
        "environment: warning: PULSE_COHORT__NAME: expected in the file: lists cannot be set by "
        "the environment",
        "environment: warning: PULSE_TELEGRAM__TOKN: expected a known variable; did you mean "
        "PULSE_TELEGRAM__TOKEN?",
    ]


def test_a_database_elsewhere_has_no_file_and_its_password_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[storage]\nurl = "postgresql://me:hunter2@db.example/pulse"\n')
    settings = load_settings(file, {})
    assert settings.database is None
    assert settings.storage.url == "postgresql://me:hunter2@db.example/pulse"
    assert "hunter2" not in repr(settings)


def test_warnings_stay_with_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.touch()
    (warning,) = load_settings(file, {"PULSE_NOTHING": "x"}).warnings
    assert warning.severity == "warning"


@pytest.mark.parametrize(
    ("text", "line", "key", "expected"),
    [
        ('survys = "x"', 1, "survys", "did you mean surveys?"),
        ("telegram = 1", 1, "telegram", "a table [telegram]"),
        ("\n[telegram]\ntokn = 1", 3, "telegram.tokn", "did you mean token?"),
        ("[web]\nmin_group = 3", 2, "web.min_group", "belongs to results"),
        ('[web]\nport = "x"', 2, "web.port", "a whole number"),
        ("[web]\nport = 70000", 2, "web.port", "65535 or less"),
        ('[storage]\nurl = "mysql://x"', 2, "storage.url", '"postgresql://USER@HOST/NAME"'),
        ('[storage]\nurl = "sqlite:///"', 2, "storage.url", "expected a file"),
        ('[storage]\nurl = "sqlite://p.db"', 2, "storage.url", '"sqlite:///p.db"'),
        ('[storage]\nurl = "postgresql://me:a@b@h/n"', 2, "storage.url", "%40 for @"),
        ('[telegram]\ntoken = "abc"', 2, "telegram.token", "from @BotFather"),
        ('[telegram]\nmode = "x"', 2, "telegram.mode", 'expected "polling"'),
        ('[telegram]\napi_base_url = "x"', 2, "telegram.api_base_url", "https://"),
        ('[telegram]\nwebhook_secret = "ä"', 2, "telegram.webhook_secret", "256 of A-Z"),
        ('[slack]\nmode = "rtm"', 2, "slack.mode", 'expected "socket" or "http"'),
        ('[slack]\nsigning_secret = "abc"', 2, "slack.signing_secret", '"Basic Information"'),
        (
            '[slack]\nmode = "http"\nbot_token = "xoxb-1"',
            1,
            "slack.signing_secret",
            'mode = "http" needs both',
        ),
        ('[web]\npublic_url = "example.org"', 2, "web.public_url", "https://"),
        ('[web]\npublic_url = "https://a:99999"', 2, "web.public_url", "https://"),
        ('[web]\npublic_url = "https://a.org/?x"', 2, "web.public_url", "without ?"),
        ('[web]\ndrain = "10"', 2, "web.drain", '"2d"'),
        ('[web]\ndrain = "10m"', 2, "web.drain", '"5m" or less'),
        ('[slack]\nbot_token = "abc"\napp_token = "xapp-1"', 2, "slack.bot_token", "xoxb-"),
        ('[slack]\nbot_token = "xoxp-1"\napp_token = "xapp-1"', 2, "slack.bot_token", "xoxb-"),
        ('[delivery]\nslots = "32"', 2, "delivery.slots", "a whole number, without quotes"),
        ("[delivery]\nslots = true", 2, "delivery.slots", "a whole number"),
        (
            '[delivery]\nslack_broadcast_per_second = "4"',
            2,
            "delivery.slack_broadcast_per_second",
            "a number, without quotes",
        ),
        ('[web]\nalways = "yes"', 2, "web.always", "true or false, without quotes"),
        ("[privacy]\nkept = { en = 2 }", 2, "privacy.kept.en", "text in quotes"),
        (f'[privacy]\nkept = {{ cy = "{"x" * 101}" }}', 2, "privacy.kept", "100 characters"),
        ('[slack]\nbot_token = "xoxb-1"', 1, "slack.app_token", "Socket Mode needs both"),
        ('[slack]\napp_token = "xapp-1"', 1, "slack.bot_token", "Socket Mode needs both"),
        ("[results]\nmin_group = 1", 2, "results.min_group", "3 or more"),
        ("[results]\nmin_group = 20", 1, "results.public_min_group", "min_group (20) or more"),
        ('[fatigue]\nper = "7 days"', 2, "fatigue.per", '"2d"'),
        ('[fatigue]\nper = "0d"', 2, "fatigue.per", '"2d"'),
        ("[delivery]\nbroadcast_per_second = 31", 2, "delivery.broadcast_per_second", "30"),
        ("[cohort]\nname = 'x'", 1, "cohort", "[[cohort]]"),
        ("[[cohort]]\nname = 'A b'", 2, "cohort.A b.name", "a-z, 0-9 and -"),
        ("[[cohort]]\ntitle = 'x'", 1, "cohort.1.name", "it is missing"),
        (COHORT + "timezone = 'Europe/Londn'", 3, "cohort.riverside.timezone", "Europe/London?"),
        (COHORT + "timezone = 'BST'", 3, "cohort.riverside.timezone", "mean Europe/London?"),
        (COHORT + "timezone = 'Cardiff'", 3, "cohort.riverside.timezone", "mean Europe/London?"),
        (COHORT + "holidays = 'WLS'", 3, "cohort.riverside.holidays", "mean GB-WLS?"),
        (COHORT + "holidays = 'Wales'", 3, "cohort.riverside.holidays", "mean GB-WLS?"),
        (COHORT + "timezone = '../x'", 3, "cohort.riverside.timezone", "a time zone"),
        (COHORT + "telegram_code = 'a b'", 3, "cohort.riverside.telegram_code", "at most 64"),
        (COHORT + "slack_channel = '#x'", 3, "cohort.riverside.slack_channel", "C0123456789"),
        (COHORT + COHORT, 4, "cohort.riverside.name", "cohort 1 has riverside too"),
        (PULSE, 4, "pulse.monthly.cohorts.1", "the name of a cohort"),
        (CODER + "telegram = '@mair'", 3, "coder.mair.telegram", "such as 123456789"),
        (CODER + "telegram = -5", 3, "coder.mair.telegram", "such as 123456789"),
        (CODER + "slack = '@mair'", 3, "coder.mair.slack", "U0123456789"),
        (CODER + "phone = '1'", 3, "coder.mair.phone", "a known key"),
        (CODER + CODER, 4, "coder.mair.name", "coder 1 has mair too"),
        (
            CODER + "telegram = 7\n[[coder]]\nname = 'bob'\ntelegram = '7'",
            6,
            "coder.bob.telegram",
            "coder 1 has 7 too",
        ),
    ],
)
def test_each_mistake_has_its_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, expected: str
) -> None:
    (finding,) = wrong(tmp_path, text)
    assert (finding.line, finding.key, finding.severity) == (line, key, "error")
    assert finding.expected.startswith("expected ")
    assert expected in finding.expected


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ('cron = "hourly"', "cron", "here is 1 field"),
        ('cron = "0 10 1 *"', "cron", "here are 4 fields"),
        ('cron = "0 10 1 * * *"', "cron", "here are 6 fields"),
        ('cron = "61 10 1 * *"', "cron", "bad minute"),
        ('cron = "0 0 30 2 *"', "cron", "bad day-of-month"),
        ('cron = "0 15,9 1 * *"', "cron", "one opening a day at most; this line opens at 09:00"),
        ('cron = "*/30 10 29 2 *"', "cron", "at 10:00 and at 10:30"),
        ('cron = "0 */12 1 * *"', "cron", "at 00:00 and at 12:00 (make a pulse for each)"),
        ('quiet_hours = "20-8"', "quiet_hours", '"20:00-08:00"'),
        ('quiet_hours = "08:00-08:00"', "quiet_hours", '"20:00-08:00"'),
        ('roles = ["resident"]', "roles.1", '"citizen" or "partner"'),
        ("roles = []", "roles", "at least 1"),
        ('remind_after = ["5d", "2d"]', "remind_after.2", "longer than the reminder before"),
        ('remind_after = ["2 d"]', "remind_after.1", '"2d"'),
        ('close_after = "1d"\nremind_after = ["2d"]', "remind_after.1", "shorter than close_after"),
        ('cohorts = ["riversid"]', "cohorts.1", "did you mean riverside?"),
        ('cohorts = ["riverside", "riverside"]', "cohorts.2", "riverside only once"),
        ("cohorts = []", "cohorts", "at least 1"),
        ("questions_per_person = 0", "questions_per_person", "1 or more"),
        ("cohort = 1", "cohort", "did you mean cohorts?"),
    ],
)
def test_mistakes_in_a_pulse(tmp_path: Path, change: str, key: str, expected: str) -> None:
    name = change.partition(" ")[0]
    kept = "".join(line + "\n" for line in PULSE.splitlines() if not line.startswith(f"{name} "))
    (finding,) = wrong(tmp_path, COHORT + kept + change)
    assert finding.key == f"pulse.monthly.{key}"
    assert expected in finding.expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "needs it"),
        ("http://pulse.example.org", "https://"),
        ("https://pulse.example.org:8080", "443, 80, 88, 8443"),
        ("https://localhost", "the internet can reach"),
        ("https://pulse.local", "the internet can reach"),
        ("https://192.168.0.7:8443", "the internet can reach"),
    ],
)
def test_a_webhook_needs_an_address_that_telegram_sends_to(
    tmp_path: Path, url: str, expected: str
) -> None:
    text = f'[telegram]\ntoken = "{TOKEN}"\nmode = "webhook"\n[web]\npublic_url = "{url}"\n'
    (finding,) = wrong(tmp_path, text)
    assert finding.key == "web.public_url"
    assert expected in finding.expected


@pytest.mark.parametrize(
    "text",
    [
        # Without a token there is no webhook, and a Bot API server of one's own asks for less.
        '[telegram]\nmode = "webhook"\n',
        f'[telegram]\ntoken = "{TOKEN}"\nmode = "webhook"\napi_base_url = "http://127.0.0.1:8081"\n'
        '[web]\npublic_url = "http://127.0.0.1:8080"\n',
        f'[telegram]\ntoken = "{TOKEN}"\nmode = "webhook"\n'
        '[web]\npublic_url = "https://pulse.example.org:8443/pulse/"\ndrain = "10s"\n',
        '[slack]\nmode = "http"\nbot_token = "xoxb-1"\nsigning_secret = "0123456789abcdef"\n',
        '[web]\ndrain = ""\nalways = true\n',
    ],
)
def test_webhooks_that_can_be(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert load_settings(file, {}).warnings == ()


def test_coders_are_known_by_their_accounts(tmp_path: Path) -> None:
    text = CODER + 'telegram = 77\nslack = "U1"\n[[coder]]\nname = "bob"\ntelegram = "78"\n'
    (tmp_path / "config.toml").write_text(text)
    coders = coders_of(load_settings(tmp_path / "config.toml", {}).coders)
    assert [one.coder_id for one in coders] == ["coder:mair", "coder:bob"]

    def name(channel: str, platform_id: str) -> str | None:
        found = coder_at(coders, channel, platform_id)
        return None if found is None else found.name

    assert name("telegram", "77") == name("slack", "T1:U1") == "mair"
    assert name("telegram", "78") == "bob"
    assert name("telegram", "7") is None
    assert name("slack", "T1:U2") is None
    assert name("slack", "78") is None
    assert name("terminal", "77") is None


def test_waves_of_two_pulses_are_never_called_the_same(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        '[[cohort]]\nname = "b-c"\n[[cohort]]\nname = "c"\n'
        '[[pulse]]\nname = "a"\nsurvey = "s"\ncohorts = ["b-c"]\ncron = "0 10 1 * *"\n'
        '[[pulse]]\nname = "a-b"\nsurvey = "s"\ncohorts = ["c"]\ncron = "0 10 20 * *"\n',
    )
    assert [finding.key for finding in found] == ["pulse.a-b.name"]


def test_syntax_errors_and_wrong_keys_are_found_together(tmp_path: Path) -> None:
    found = wrong(tmp_path, "[web]\nport = x\nhost = 3\n[telegram]\ntokn = 1\n")
    assert [(finding.line, finding.key) for finding in found] == [
        (2, "web.port"),
        (3, "web.host"),
        (5, "telegram.tokn"),
    ]


def test_what_a_syntax_error_took_out_is_not_missed_again(tmp_path: Path) -> None:
    found = wrong(tmp_path, "[[cohort]]\nname = riverside\n")
    assert [finding.line for finding in found] == [2]


def test_a_token_is_never_repeated(tmp_path: Path) -> None:
    found = wrong(tmp_path, "[telegram]\ntoken = 'x SECRET'\n[slack]\nbot_token = 'SECRET'\n")
    assert [one.key for one in found] == ["telegram.token", "slack.app_token", "slack.bot_token"]
    assert "SECRET" not in " ".join(map(str, found))


@pytest.mark.parametrize(
    ("cron", "worn"), [("0 10 1 * *", False), ("0 10 * * 1", False), ("0 10 * * 1,4", True)]
)
def test_a_pulse_that_comes_too_often_is_warned_of(tmp_path: Path, cron: str, worn: bool) -> None:
    found = wrong(tmp_path, COHORT + PULSE.replace("0 10 1 * *", cron))
    assert [finding.severity for finding in found] == (["warning"] if worn else [])
    assert all(finding.key == "pulse.monthly.cron" for finding in found)


@pytest.mark.parametrize("cron", ["30 1 * * *", "30 2 28-31 3,10 *", "0 0 * * SUN"])
@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe"])
def test_a_day_on_which_the_clocks_change_has_one_opening(
    tmp_path: Path, cron: str, zone: str
) -> None:
    cohort = COHORT + f'timezone = "{zone}"\n'
    found = wrong(tmp_path, cohort + PULSE.replace("0 10 1 * *", cron))
    assert [finding for finding in found if finding.severity == "error"] == []


def test_two_pulses_that_together_come_too_often(tmp_path: Path) -> None:
    second = PULSE.replace('"monthly"', '"second"').replace("0 10 1", "0 10 3")
    (finding,) = wrong(tmp_path, COHORT + PULSE + second)
    assert (finding.key, finding.severity) == ("pulse.second.cron", "warning")
    assert "with monthly" in finding.expected
    apart = 'roles = ["citizen"]\n'
    assert wrong(tmp_path, COHORT + PULSE + apart + second + 'roles = ["partner"]\n') == []


@pytest.mark.parametrize(
    ("results", "pulse", "place", "key"),
    [
        ("both", "", "", None),
        ("channel", "", "C0123456789", None),
        ("channel", "", "", "results.share"),
        ("both", 'share = "channel"\n', "", "pulse.monthly.share"),
        ("channel", 'share = "direct"\n', "", None),
    ],
)
def test_results_that_would_reach_nobody_are_warned_of(
    tmp_path: Path, results: str, pulse: str, place: str, key: str | None
) -> None:
    cohort = COHORT + (f'slack_channel = "{place}"\n' if place else "")
    found = wrong(tmp_path, f'[results]\nshare = "{results}"\n{cohort}{PULSE}{pulse}')
    assert [finding.key for finding in found] == ([key] if key else [])
    assert all(finding.severity == "warning" for finding in found)


@pytest.mark.parametrize(
    ("cron", "quiet", "until"),
    [
        ("0 10 1 * *", "20:00-08:00", None),
        ("0 8 1 * *", "20:00-08:00", None),
        ("59 7 1 * *", "20:00-08:00", "08:00"),
        ("0 20 1 * *", "20:00-08:00", "08:00"),
        ("0 10 1 * *", "09:00-12:30", "12:30"),
        ("0 10 1 * *", "", None),
    ],
)
def test_an_opening_in_the_pulse_s_own_quiet_hours_is_warned_of(
    tmp_path: Path, cron: str, quiet: str, until: str | None
) -> None:
    pulse = PULSE.replace("0 10 1 * *", cron) + f'quiet_hours = "{quiet}"\n'
    found = wrong(tmp_path, COHORT + pulse)
    named = [(one.key, one.severity) for one in found]
    assert named == ([("pulse.monthly.quiet_hours", "warning")] if until else [])
    assert all(f"is written to at {until}" in one.expected for one in found)


@pytest.mark.parametrize(
    ("cron", "more", "in_vain"),
    [
        ("0 10 1 * *", 'remind_after = ["2d", "30d"]', []),
        ("0 10 1 * *", 'remind_after = ["2d", "31d", "32d"]', ["31d", "31d"]),
        ("0 10 * * MON", 'remind_after = ["6d", "7d"]', ["7d"]),
        ("0 10 * * *", 'remind_after = ["13h", "14h"]', ["14h"]),
        # Of Friday's and Saturday's nothing is left on the next day, of Monday's there is.
        ("0 10 * * MON,FRI,SAT", 'remind_after = ["3d"]', []),
        ("0 10 29 2 *", 'remind_after = ["400d"]', []),
    ],
)
def test_reminders_that_never_come_are_warned_of(
    tmp_path: Path, cron: str, more: str, in_vain: list[str]
) -> None:
    often = "[fatigue]\ninvitations = 9\n"
    found = wrong(tmp_path, often + COHORT + PULSE.replace("0 10 1 * *", cron) + more)
    assert [one.severity for one in found] == ["warning"] * len(in_vain)
    for one, longest in zip(found, in_vain, strict=True):
        assert one.key.startswith("pulse.monthly.remind_after")
        assert f"expected shorter than {longest}," in one.expected


def test_a_reminder_after_the_closing_is_told_once(tmp_path: Path) -> None:
    more = 'remind_after = ["40d"]\nclose_after = "35d"\n'
    (finding,) = wrong(tmp_path, COHORT + PULSE + more)
    assert (finding.severity, finding.expected) == ("error", "expected shorter than close_after")


def test_loading_stops_at_the_first_mistake_and_counts_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("a = 1\nb = 2\n")
    with pytest.raises(UserError) as caught:
        load_settings(file, {})
    assert str(caught.value).splitlines()[0].startswith(f"{file}:1: a: expected a known key")
    assert str(caught.value).splitlines()[1:] == ["(1 more: run pulse check)"]


def test_surveys_that_are_named_have_to_be_there(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(COHORT + 'survey = "citizen-puls"\n')
    with pytest.raises(UserError, match=r"riverside\.survey: .* did you mean citizen-pulse"):
        load_settings(file, {}).load_surveys()


def test_a_folder_of_surveys_that_cannot_serve(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('surveys = "mine"\n')
    settings = load_settings(file, {})
    with pytest.raises(UserError, match="there is no such folder"):
        settings.load_surveys()
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match="there is none"):
        settings.load_surveys()
    for name in ("one", "two"):
        shutil.copy(SHIPPED_SURVEYS / "citizen-pulse.toml", tmp_path / "mine" / f"{name}.toml")
    with pytest.raises(UserError, match=r"two\.toml:\d+: survey: expected an id of its own"):
        settings.load_surveys()


def test_a_survey_file_with_every_sort_of_mistake(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(
        'survey = "s"\ntitle = S\n[consent]\ntext = "Fine?"\n\n[[question]]\nid = "q"\n'
        'kind = "scal"\ntext = "Q {z}"\n\n[[question]]\nid = "q"\nkind = "text"\ntext = "Q?"\n'
        'enabler = "risks"\n'
    )
    read = read_survey_file(file, enablers=["risk"])
    assert read.survey is None
    assert read.survey_id == "s"
    assert [(finding.line, finding.key) for finding in read.findings] == [
        (2, "title"),
        (8, "question.q.kind"),
        (9, "question.q.text"),
        (12, "question.q.id"),
        (15, "question.q.enabler"),
    ]


def test_reading_the_configuration_imports_nothing_heavy() -> None:
    code = (
        "import sys, bot.config; bot.config.load_settings(None, {}).load_surveys(); "
        "print(*sorted({'spacy', 'telegram', 'slack_bolt', 'aiohttp', 'sklearn', 'numpy'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == ""


def test_numbers_of_the_environment_need_no_quotes_of_their_own() -> None:
    environ = {"PULSE_DELIVERY__SLOTS": "8", "PULSE_WEB__ALWAYS": "true"}
    settings = load_settings(None, environ)
    assert (settings.delivery.slots, settings.web.always) == (8, True)


def test_how_long_answers_are_kept_is_said_in_each_language(tmp_path: Path) -> None:
    def said(kept: str, language: str) -> str:
        file = tmp_path / "config.toml"
        file.write_text(f"[privacy]\nkept = {kept}\n")
        return House(surveys={}, kept=load_settings(file, {}).privacy.kept).privacy(
            language, slash=False
        )

    both = '{ en = "two years", cy = "dwy flynedd" }'
    assert "We keep it for two years." in said(both, "en")
    assert "Rydyn ni'n ei gadw am dwy flynedd." in said(both, "cy")
    assert "Rydyn ni'n ei gadw am two years." in said('"two years"', "cy")
    assert "until the people who run this survey erase it" in said('""', "en")
    environ = {"PULSE_PRIVACY__KEPT": "a year"}
    assert "for a year." in House(
        surveys={}, kept=load_settings(None, environ).privacy.kept
    ).privacy("en", slash=False)
