"""What is wrong with tokens, rights, webhooks and clocks is found, and no secret is shown."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.telegram_webhook import PATH
from bot.config import Settings
from bot.doctor import platforms
from bot.doctor.finding import Finding
from tests.doctor.conftest import Configure, found, now
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

TOKEN = "987654321:s3cret-Quixotic"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(TOKEN) as fake:
        yield fake


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack("xoxb-Quixotic-1", "xapp-Quixotic-2") as fake:
        yield fake


def for_telegram(configure: Configure, fake: FakeTelegram, more: str = "") -> Settings:
    return configure(f'[telegram]\ntoken = "{TOKEN}"\napi_base_url = "{fake.base_url}"\n{more}')


def for_slack(configure: Configure, fake: FakeSlack, more: str = "") -> Settings:
    return configure(
        '[slack]\nbot_token = "xoxb-Quixotic-1"\napp_token = "xapp-Quixotic-2"\n'
        f'api_base_url = "{fake.api_base_url}"\n{more}'
    )


async def telegrams(known: Settings) -> list[Finding]:
    findings = await platforms.telegram(known, now, {})
    assert "Quixotic" not in str(findings)
    return findings


async def slacks(known: Settings) -> list[Finding]:
    findings = await platforms.slack(known, now, {})
    assert "Quixotic" not in str(findings)
    return findings


BY_WEBHOOK = 'mode = "webhook"\n[web]\npublic_url = "https://pulse.example.org"\n'
HOOK = "https://pulse.example.org/telegram/webhook"


class TestTelegram:
    """Telegram."""

    async def test_all_is_well(self, configure: Configure, telegram: FakeTelegram) -> None:
        findings = await telegrams(for_telegram(configure, telegram))
        assert {finding.state for finding in findings} == {"ok"}
        found(findings, "telegram token", "ok", "@commonpulse_bot")
        found(findings, "telegram webhook", "ok", "None is set")

    async def test_a_token_that_is_not_taken(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        telegram.revoke()
        findings = await telegrams(for_telegram(configure, telegram))
        found(findings, "telegram token", "trouble", "@BotFather")

    async def test_a_refusal_of_another_kind(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        telegram.faults.fail("getMe", "429", times=1)
        findings = await telegrams(for_telegram(configure, telegram))
        found(findings, "telegram token", "warning", "429")

    @pytest.mark.parametrize("kind", ["hang", "reset", "nonsense"])
    async def test_one_that_does_not_answer(
        self,
        configure: Configure,
        telegram: FakeTelegram,
        kind: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(platforms, "_SECONDS", 0.3)
        telegram.faults.fail("getMe", kind, times=9)
        findings = await telegrams(for_telegram(configure, telegram))
        found(findings, "telegram", "trouble", "cannot be reached")

    async def test_one_that_is_not_there(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        known = for_telegram(configure, telegram)
        await telegram.stop()
        found(await telegrams(known), "telegram", "trouble", "api_base_url is right")

    async def test_a_webhook_beside_polling(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        telegram.webhook.url = "https://elsewhere.example.org/"
        findings = await telegrams(for_telegram(configure, telegram))
        found(findings, "telegram webhook", "trouble", "nothing can be read beside it")

    async def test_a_webhook_that_is_right(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        telegram.webhook.url = HOOK
        findings = await telegrams(for_telegram(configure, telegram, BY_WEBHOOK))
        found(findings, "telegram webhook", "ok", HOOK)

    async def test_a_webhook_that_is_missing(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        findings = await telegrams(for_telegram(configure, telegram, BY_WEBHOOK))
        found(findings, "telegram webhook", "warning", "None is set")

    async def test_a_webhook_to_another_place(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        telegram.webhook.url = "https://elsewhere.example.org/"
        findings = await telegrams(for_telegram(configure, telegram, BY_WEBHOOK))
        found(findings, "telegram webhook", "trouble", "another address")

    async def test_what_telegram_could_not_deliver(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        hook = telegram.webhook
        hook.url, hook.last_error = HOOK, "Wrong response from the webhook: 502 Bad Gateway"
        hook.last_error_at = int(now().timestamp()) - 90
        findings = await telegrams(for_telegram(configure, telegram, BY_WEBHOOK))
        found([findings[-1]], "telegram webhook", "trouble", "502 Bad Gateway")
        hook.last_error_at = int(now().timestamp()) - 7200
        findings = await telegrams(for_telegram(configure, telegram, BY_WEBHOOK))
        found(findings, "telegram webhook", "ok")

    async def test_messages_that_nobody_reads(
        self, configure: Configure, telegram: FakeTelegram
    ) -> None:
        ann = telegram.person(7)
        await ann.start()
        for number in range(150):
            await ann.send(f"{number}")
        findings = await telegrams(for_telegram(configure, telegram))
        found(findings, "telegram updates", "warning", "151 messages wait")

    def test_it_looks_for_the_webhook_where_it_is_set(self) -> None:
        assert platforms.WEBHOOK_PATH == PATH


class TestSlack:
    """Slack."""

    async def test_all_is_well(self, configure: Configure, slack: FakeSlack) -> None:
        findings = await slacks(for_slack(configure, slack))
        assert {finding.state for finding in findings} == {"ok"}
        found(findings, "slack bot token", "ok", "@commonpulse")
        found(findings, "slack rights", "ok")
        found(findings, "slack app token", "ok")

    async def test_a_bot_token_that_is_not_taken(
        self, configure: Configure, slack: FakeSlack
    ) -> None:
        slack.bot_token = "xoxb-another"
        findings = await slacks(for_slack(configure, slack))
        found(findings, "slack bot token", "trouble", "invalid_auth")
        found(findings, "slack app token", "ok")

    async def test_rights_that_are_missing(self, configure: Configure, slack: FakeSlack) -> None:
        slack.headers["X-OAuth-Scopes"] = "chat:write, im:history,im:read,im:write, users:read"
        findings = await slacks(for_slack(configure, slack))
        missing = "channels:read, commands, files:write, groups:read"
        found(findings, "slack rights", "trouble", f"may not: {missing}.")

    async def test_an_app_token_that_is_not_taken(
        self, configure: Configure, slack: FakeSlack
    ) -> None:
        slack.app_token = "xapp-another"
        findings = await slacks(for_slack(configure, slack))
        found(findings, "slack app token", "trouble", "Copy the app-level token")

    async def test_an_app_token_without_the_right_to_connect(
        self, configure: Configure, slack: FakeSlack
    ) -> None:
        slack.faults.fail("apps.connections.open", "error", times=1, error="missing_scope")
        findings = await slacks(for_slack(configure, slack))
        found(findings, "slack app token", "trouble", "connections:write")

    async def test_by_http_it_says_how_to_test(
        self, configure: Configure, slack: FakeSlack
    ) -> None:
        more = (
            'mode = "http"\nsigning_secret = "Quixotic-3"\n[web]\n'
            'public_url = "https://pulse.example.org"\n'
        )
        findings = await slacks(for_slack(configure, slack, more))
        found(findings, "slack requests", "ok", "https://pulse.example.org/slack/events")
        assert slack.calls["apps.connections.open"] == 0

    async def test_one_that_is_not_there(self, configure: Configure, slack: FakeSlack) -> None:
        known = for_slack(configure, slack)
        await slack.stop()
        found(await slacks(known), "slack", "trouble", "slack.api_base_url")

    async def test_one_that_goes_away_midway(self, configure: Configure, slack: FakeSlack) -> None:
        slack.faults.fail("apps.connections.open", "reset", times=9)
        findings = await slacks(for_slack(configure, slack))
        found(findings, "slack bot token", "ok")
        found(findings, "slack", "trouble", "cannot be reached")

    def test_it_needs_what_the_manifest_asks_for(self) -> None:
        manifest = (ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8")
        asked = manifest.partition("    bot:\n")[2].partition("settings:")[0]
        assert set(re.findall(r"- ([\w:]+)", asked)) == platforms.NEEDED_SCOPES


class TestClock:
    """The clock, compared with what the platforms tell."""

    async def told(
        self, configure: Configure, telegram: FakeTelegram, ahead: float
    ) -> dict[str, timedelta]:
        telegram.clock_ahead = ahead
        clocks: dict[str, timedelta] = {}
        await platforms.telegram(for_telegram(configure, telegram), now, clocks)
        return clocks

    @pytest.mark.parametrize("ahead", [-3.5, -0.9, 0.0, 0.9, 3.5])
    async def test_some_seconds_are_nothing(
        self, configure: Configure, telegram: FakeTelegram, ahead: float
    ) -> None:
        clocks = await self.told(configure, telegram, ahead)
        found([platforms.clock(clocks, asked=True)], "clock", "ok", "agrees with Telegram")

    async def test_it_is_behind(self, configure: Configure, telegram: FakeTelegram) -> None:
        clocks = await self.told(configure, telegram, 90.0)
        finding = found([platforms.clock(clocks, asked=True)], "clock", "trouble", "timedatectl")
        assert re.search(r"1 min (29|30) s behind the clock of Telegram", finding.found)

    async def test_it_is_ahead(self, configure: Configure, telegram: FakeTelegram) -> None:
        clocks = await self.told(configure, telegram, -7200.0)
        finding = found([platforms.clock(clocks, asked=True)], "clock", "trouble")
        assert "ahead of the clock of Telegram" in finding.found

    async def test_no_date_is_no_clock(self, configure: Configure, slack: FakeSlack) -> None:
        clocks: dict[str, timedelta] = {}
        await platforms.slack(for_slack(configure, slack), now, clocks)
        assert set(clocks) == {"Slack"}
        assert platforms._ahead(None, now(), now()) is None
        assert platforms._ahead("yesterday", now(), now()) is None

    def test_nobody_to_ask(self) -> None:
        found([platforms.clock({}, asked=False)], "clock", "ok", "not compared")
        found([platforms.clock({}, asked=True)], "clock", "warning", "nobody answered")
