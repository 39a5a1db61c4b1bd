"""The composition root: the only place that builds stores, channels and the rest."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.base import Channel
from bot.coding import Coder
from bot.delivery import Delivery
from bot.house import CohortPlan, House, PulsePlan
from bot.results import Results
from bot.runner import Runner
from bot.schedule import Ticker
from bot.settings import Web
from bot.sweeping import Sweeper
from bot.waves import Waves
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.errors import CannotError, StoreError
from storage.protocol import Store
from storage.writer import Writer

if TYPE_CHECKING:
    from bot.config import Settings

__all__ = ["App", "channels_of", "house_of", "new_id", "now"]

log = logging.getLogger(__name__)

#: 32 letters and digits, without those that are mistaken for each other.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

#: Who was not seen for this long is not there any more.
_LATELY = timedelta(seconds=60)

#: Seconds that the store may take, at the end, to say who else is there.
_PATIENCE = 5.0


def now() -> datetime:
    """Give the time, aware UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Give a fresh id: 16 of 32 letters and digits, 80 bits of chance."""
    return "".join(_ALPHABET[byte % 32] for byte in secrets.token_bytes(16))


def house_of(settings: Settings) -> House:
    """Give the installation as configured.

    Raises:
        UserError: A survey file cannot be used.
    """
    return House(
        surveys=settings.load_surveys(),
        cohorts=tuple(
            CohortPlan(
                name=cohort.name,
                title=cohort.title or cohort.name,
                timezone=cohort.timezone,
                place=cohort.slack_channel,
                code=cohort.telegram_code,
                survey_id=cohort.survey,
            )
            for cohort in settings.cohorts
        ),
        pulses=tuple(
            PulsePlan(
                name=pulse.name,
                survey_id=pulse.survey,
                cohorts=tuple(pulse.cohorts),
                roles=tuple(pulse.roles),
                cron=pulse.cron,
                quiet_hours=pulse.quiet_hours.minutes if pulse.quiet_hours else None,
                remind_after=tuple(pulse.remind_after),
                close_after=pulse.close_after,
                questions_per_person=pulse.questions_per_person,
                seed=pulse.seed or None,
                share=pulse.share,
            )
            for pulse in settings.pulses
        ),
        contact=settings.privacy.contact,
        kept=settings.privacy.kept,
        min_group=settings.results.min_group,
        results=settings.results.share,
    )


def channels_of(settings: Settings, house: House) -> list[Channel]:
    """Make the channels whose tokens are configured. Imports only what they need."""
    channels: list[Channel] = []
    token = settings.telegram.token.get_secret_value()
    if token:
        from bot.channels.telegram import TelegramChannel

        by_webhook = settings.telegram.mode == "webhook"
        channels.append(
            TelegramChannel(
                token,
                settings.telegram.api_base_url,
                now=now,
                public_url=settings.web.public_url if by_webhook else "",
                webhook_secret=settings.telegram.webhook_secret.get_secret_value(),
            )
        )
    bot_token = settings.slack.bot_token.get_secret_value()
    if bot_token:
        from bot.channels.slack import SlackChannel

        by_http = settings.slack.mode == "http"
        places = [cohort.place for cohort in house.cohorts if cohort.place is not None]
        channels.append(
            SlackChannel(
                bot_token,
                settings.slack.app_token.get_secret_value(),
                settings.slack.api_base_url,
                places=places,
                now=now,
                signing_secret=settings.slack.signing_secret.get_secret_value() if by_http else "",
            )
        )
    return channels


class App:
    """Everything that ``pulse run`` holds up, wired together."""

    def __init__(
        self,
        *,
        house: House,
        writer: Writer,
        channels: Sequence[Channel],
        codeframe: Codeframe,
        model: Path | None,
        slots: int,
        broadcasts_per_second: float,
        rates: Mapping[str, float] | None = None,
        web: Web | None = None,
    ) -> None:
        # Commands that only take the time from here do without a web server.
        from bot.door import Door
        from bot.metrics import Metrics

        self._writer = writer
        self._metrics = Metrics()
        writer.on_group = self._metrics.committed
        self._channels = list(channels)
        self._deliveries = {
            channel.name: Delivery(
                writer,
                channel,
                now=now,
                slots=slots,
                broadcasts_per_second=(rates or {}).get(channel.name, broadcasts_per_second),
                observer=self._metrics,
            )
            for channel in channels
        }
        self._runner = Runner(
            writer,
            house,
            now=now,
            new_id=new_id,
            slashes={channel.name: channel.slash for channel in channels},
            codeframe=codeframe,
            wake=self._wake,
            observer=self._metrics,
        )
        waves = Waves(self._runner, now=now)
        self._ticker = Ticker(waves, writer, wake=self._wake_all, sweeper=Sweeper(now=now))
        results = Results(
            house,
            codeframe=codeframe,
            slashes={channel.name: channel.slash for channel in channels},
            now=now,
        )
        # Drawing takes seconds, in which what else is due must not wait.
        self._results_ticker = Ticker(results, writer, wake=self._wake_all)
        self._coder = Coder(writer, model=model, now=now, new_id=new_id, observer=self._metrics)
        self._surveys = list(house.surveys.values())
        self._door = Door(
            web or Web(), writer=writer, channels=self._channels, metrics=self._metrics, now=now
        )

    def _wake(self, channel: str) -> None:
        delivery = self._deliveries.get(channel)
        if delivery is not None:
            delivery.wake()

    def _wake_all(self) -> None:
        for delivery in self._deliveries.values():
            delivery.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Hold everything up until ``stop`` is set, or until no channel is left.

        Raises:
            CannotError: No channel can go on; the message says what to do.
        """
        await self._writer.run(self._keep_surveys)
        for name in self._deliveries:
            doubt = await self._writer.run(methodcaller("release_claims", name))
            if doubt:
                log.warning("%d messages on %s were in doubt and are sent again", doubt, name)
        sending = [asyncio.create_task(one.run()) for one in self._deliveries.values()]
        coding = asyncio.create_task(self._coder.run())
        self._ticker.start()
        self._results_ticker.start()
        reading: list[asyncio.Task[None]] = []
        try:
            await self._door.open()
            reading += [asyncio.create_task(self._read(channel)) for channel in self._channels]
            await self._until(stop, reading)
        finally:
            await self._door.close(last=await self._is_last())
            for channel in self._channels:
                await channel.stop()
            if reading:
                await asyncio.wait(reading, timeout=15)
            for task in reading:
                task.cancel()
            await self._ticker.stop()
            await self._results_ticker.stop()
            for delivery in self._deliveries.values():
                await delivery.stop()
            await self._coder.stop()
            await asyncio.gather(*sending, coding, return_exceptions=True)
        failed = [task.exception() for task in reading if task.done() and not task.cancelled()]
        troubles = [str(one) for one in failed if one is not None]
        if troubles and len(troubles) == len(reading):
            raise CannotError(" ".join(troubles))

    async def _is_last(self) -> bool:
        """Whether no other worker reads the channels; not, where that cannot be known."""
        alone = methodcaller("is_alone", "", role="web", within=_LATELY, now=now())
        try:
            async with asyncio.timeout(_PATIENCE):
                return bool(await self._writer.run(alone))
        except (StoreError, TimeoutError):
            return False

    def _keep_surveys(self, store: Store) -> None:
        for survey in self._surveys:
            store.keep_survey(survey, at=now())

    async def _read(self, channel: Channel) -> None:
        """Read one channel; its end leaves the others up."""
        menu = {language: messages.command_menu(language) for language in messages.LANGUAGES}
        announce = getattr(channel, "announce", None)
        if announce is not None:
            await announce(menu)
        log.info("Reading %s", channel.name)
        try:
            await channel.run(self._runner.receive)
        except CannotError as trouble:
            log.error("%s stopped: %s", channel.name, trouble)
            raise

    async def _until(self, stop: asyncio.Event, reading: list[asyncio.Task[None]]) -> None:
        """Wait for the word to stop, or for the last channel to end."""
        stopping = asyncio.create_task(stop.wait())
        try:
            pending = set(reading)
            while pending and not stopping.done():
                await asyncio.wait({stopping, *pending}, return_when=asyncio.FIRST_COMPLETED)
                pending = {task for task in pending if not task.done()}
        finally:
            stopping.cancel()
