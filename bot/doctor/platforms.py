"""Telegram and Slack: whether tokens and rights are right, and whether clocks agree.

What lives here: a few questions to each platform, with short timeouts; one that does not
answer is a finding. What must not: python-telegram-bot or slack-bolt (their headers are
needed, and nothing is sent), or a token in any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.config import Settings
from bot.doctor.finding import Finding, counted, how_long, ok, trouble, warning

__all__ = ["NEEDED_SCOPES", "WEBHOOK_PATH", "clock", "slack", "telegram"]

#: Where the web server takes Telegram's updates.
WEBHOOK_PATH = "/telegram/webhook"

#: What the bot token may do in Slack; docs/slack-manifest.yaml asks for the same.
NEEDED_SCOPES = frozenset(
    {
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "users:read",
    }
)

#: How long one question may take, in seconds.
_SECONDS = 5.0

#: A clock may be off by this much.
_OFF = timedelta(seconds=5)

#: Updates that wait at Telegram without being trouble.
_MANY_UPDATES = 100

#: For how long trouble that Telegram had with the webhook is worth telling.
_RECENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a platform said.

    Attributes:
        data: The body.
        headers: By lower-case name.
        ahead: How far its clock is ahead of ours; None where it did not tell.
    """

    data: Mapping[str, Any]
    headers: Mapping[str, str]
    ahead: timedelta | None


class _AwayError(Exception):
    """The platform did not answer as it should; the text says how."""


async def telegram(
    known: Settings, now: Callable[[], datetime], clocks: dict[str, timedelta]
) -> list[Finding]:
    """Ask Telegram about the token and the webhook.

    Args:
        known: The configuration, with a token.
        now: The clock.
        clocks: Takes how far its clock is ahead.
    """
    token = known.telegram.token.get_secret_value()
    base = f"{known.telegram.api_base_url.rstrip('/')}/bot{token}"
    async with _session() as session:
        try:
            me = await _ask(session, f"{base}/getMe", {}, now)
            if not me.data.get("ok"):
                return [_telegram_refusal(me.data)]
            hook = await _ask(session, f"{base}/getWebhookInfo", {}, now)
        except _AwayError as away:
            return [_away("telegram", str(away), "telegram.api_base_url")]
    if me.ahead is not None:
        clocks["Telegram"] = me.ahead
    name = _plain(_table(me.data.get("result")).get("username"))
    return [
        ok("telegram token", f"Telegram takes it; the bot is @{name}."),
        *_webhook(known, _table(hook.data.get("result")), now()),
    ]


def _telegram_refusal(data: Mapping[str, Any]) -> Finding:
    if data.get("error_code") in {401, 404}:
        return trouble(
            "telegram token",
            "Telegram does not take it.",
            "Copy the token from @BotFather again into telegram.token (/token shows it).",
        )
    return warning(
        "telegram token",
        f"Telegram refused to say who the bot is (error {_plain(data.get('error_code'))}).",
        "Try again in a few minutes.",
    )


def _webhook(known: Settings, info: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    check = "telegram webhook"
    url = str(info.get("url") or "")
    waiting = int(info.get("pending_update_count") or 0)
    if known.telegram.mode == "webhook":
        wanted = known.web.public_url.rstrip("/") + WEBHOOK_PATH
        if not url:
            yield warning(
                check, "None is set.", "`pulse run` sets it when it starts; is it running?"
            )
        elif url != wanted:
            yield trouble(
                check,
                "It is set to another address than web.public_url says.",
                "Start `pulse run` again: it sets its own. Does another program use this token?",
            )
        else:
            yield ok(check, f"It is set to {wanted}.")
        yield from _webhook_errors(info, now)
    elif url:
        yield trouble(
            check,
            "One is set, though telegram.mode is polling: nothing can be read beside it.",
            "Start `pulse run`: it takes the webhook away. Does another program use this token?",
        )
    else:
        yield ok(check, "None is set, as polling needs it.")
    if waiting > _MANY_UPDATES:
        yield warning(
            "telegram updates",
            f"{counted(waiting, 'message')} wait at Telegram to be read.",
            "See that `pulse run` is up: Telegram keeps them for a day.",
        )


def _webhook_errors(info: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    at = info.get("last_error_date")
    if not isinstance(at, int):
        return
    ago = now - datetime.fromtimestamp(at, UTC)
    if ago < _RECENT:
        yield trouble(
            "telegram webhook",
            f"{how_long(ago)} ago Telegram could not deliver:"
            f" {_plain(info.get('last_error_message'))}.",
            "See docs/howto/webhooks.md: the address has to be reached from outside, by HTTPS.",
        )


async def slack(
    known: Settings, now: Callable[[], datetime], clocks: dict[str, timedelta]
) -> list[Finding]:
    """Ask Slack about both tokens and what they may do.

    Args:
        known: The configuration, with a bot token.
        now: The clock.
        clocks: Takes how far its clock is ahead.
    """
    base = known.slack.api_base_url.rstrip("/")
    found: list[Finding] = []
    async with _session() as session:
        try:
            token = known.slack.bot_token.get_secret_value()
            me = await _ask(session, f"{base}/auth.test", _bearer(token), now)
            if me.ahead is not None:
                clocks["Slack"] = me.ahead
            found += _bot_token(me)
            if known.slack.mode == "http":
                found.append(_http_mode(known))
            else:
                app_token = known.slack.app_token.get_secret_value()
                asked = _bearer(app_token)
                opened = await _ask(session, f"{base}/apps.connections.open", asked, now)
                found.append(_app_token(opened.data))
        except _AwayError as away:
            return [*found, _away("slack", str(away), "slack.api_base_url")]
    return found


def _bot_token(me: _Answer) -> Iterator[Finding]:
    check = "slack bot token"
    if not me.data.get("ok"):
        error = _plain(me.data.get("error"))
        yield trouble(
            check,
            f"Slack does not take it ({error}).",
            "Copy the “Bot User OAuth Token” again (api.slack.com/apps, OAuth & Permissions)"
            " into slack.bot_token.",
        )
        return
    yield ok(check, f"Slack takes it; the app is @{_plain(me.data.get('user'))}.")
    given = me.headers.get("x-oauth-scopes")
    if given is None:
        return
    missing = sorted(NEEDED_SCOPES - {scope.strip() for scope in given.split(",")})
    if missing:
        yield trouble(
            "slack rights",
            f"The app may not: {', '.join(missing)}.",
            "Add what is missing under OAuth & Permissions (docs/slack-manifest.yaml lists all)"
            " and install the app to the workspace again.",
        )
    else:
        yield ok("slack rights", "The app may do all that it needs.")


def _app_token(data: Mapping[str, Any]) -> Finding:
    check = "slack app token"
    if data.get("ok"):
        return ok(check, "Slack opens a connection with it.")
    error = _plain(data.get("error"))
    if error in {"missing_scope", "not_allowed_token_type"}:
        do = "Make an app-level token with the scope connections:write (Basic Information)."
    else:
        do = "Copy the app-level token (xapp-...) again into slack.app_token; is Socket Mode on?"
    return trouble(check, f"Slack opens no connection with it ({error}).", do)


def _http_mode(known: Settings) -> Finding:
    if not known.slack.signing_secret.get_secret_value():
        return trouble(
            "slack requests",
            "slack.signing_secret is missing, so nothing that Slack sends can be taken.",
            "Copy the “Signing Secret” (api.slack.com/apps, Basic Information).",
        )
    address = f"{known.web.public_url.rstrip('/')}/slack/events"
    return ok(
        "slack requests",
        "Slack cannot be asked whether it reaches us. To test it: save the Request URL"
        f" {address} under Event Subscriptions, where it then says Verified.",
    )


def clock(clocks: Mapping[str, timedelta], *, asked: bool) -> Finding:
    """Compare this computer's clock with others.

    Args:
        clocks: How far each of the others is ahead.
        asked: Whether there was somebody to ask.
    """
    if not asked:
        return ok("clock", "It was not compared: no platform is configured.")
    if not clocks:
        return warning(
            "clock",
            "It could not be compared: nobody answered.",
            "See that the computer sets its clock by itself (timedatectl: synchronized yes).",
        )
    off = {name: ahead for name, ahead in clocks.items() if abs(ahead) > _OFF}
    if not off:
        return ok("clock", f"It agrees with {' and '.join(sorted(clocks))} to some seconds.")
    name, ahead = max(off.items(), key=lambda item: abs(item[1]))
    way = "behind" if ahead > timedelta() else "ahead of"
    return trouble(
        "clock",
        f"It is {how_long(ahead)} {way} the clock of {name}.",
        "Let the computer set its clock (timedatectl set-ntp true): check-ins go out by it, and"
        " Slack's signed requests are refused beyond 5 minutes.",
    )


def _session() -> ClientSession:
    return ClientSession(timeout=ClientTimeout(total=_SECONDS))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _ask(
    session: ClientSession, url: str, headers: Mapping[str, str], now: Callable[[], datetime]
) -> _Answer:
    """Ask a question; a refusal is an answer.

    Raises:
        _AwayError: There was no answer, or none that can be read.
    """
    before = now()
    try:
        async with session.post(url, headers=headers) as response:
            after = now()
            try:
                data = await response.json(content_type=None)
            except ValueError:
                raise _AwayError(f"it answered {response.status} and no JSON") from None
            told = {name.lower(): value for name, value in response.headers.items()}
    except TimeoutError:
        raise _AwayError(f"it did not answer within {_SECONDS:.0f} s") from None
    except (ClientError, OSError, ValueError) as error:
        # Their own words would show the address, and the token in it.
        raise _AwayError(f"the connection failed: {type(error).__name__}") from None
    if not isinstance(data, dict):
        raise _AwayError(f"it answered {response.status} and nothing to be read")
    return _Answer(data=data, headers=told, ahead=_ahead(told.get("date"), before, after))


def _ahead(date: str | None, before: datetime, after: datetime) -> timedelta | None:
    """Give how far a clock is ahead of ours, by a header that leaves out parts of a second."""
    if date is None:
        return None
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return None
    if there.tzinfo is None:
        there = there.replace(tzinfo=UTC)
    if there > after:
        return there - after
    if there + timedelta(seconds=1) < before:
        return there + timedelta(seconds=1) - before
    return timedelta()


def _away(check: str, how: str, key: str) -> Finding:
    return trouble(
        check,
        f"It cannot be reached: {how}.",
        f"See that this computer is on the network and that {key} is right.",
    )


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> str:
    """Write what a platform said, short and in one line."""
    return re.sub(r"[^\w .,:;'()/@-]+", " ", str(value))[:120].strip()
