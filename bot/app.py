"""The composition root: the only place that builds stores, channels and the rest."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.base import Channel
from bot.clock.fatigue import Budget
from bot.coders import coders_of
from bot.coding import Coder
from bot.delivery import Delivery
from bot.house import CohortPlan, House, PulsePlan
from bot.member_checks import MemberChecks
from bot.reading import Reading
from bot.results import Results
from bot.runner import Runner
from bot.schedule import Ticker
from bot.settings import Web
from bot.sole import ROLES
from bot.sweeping import Sweeper
from bot.waves import Waves
from bot.worker import DOUBTFUL, Worker
from dialogues.coding import Codeframe
from dialogues.errors import StoreError
from storage.protocol import Store
from storage.writer import Writer

if TYPE_CHECKING:
    from bot.config import Settings

__all__ = ["App", "channels_of", "cohorts_of", "house_of", "new_id", "now", "pulses_of"]

log = logging.getLogger(__name__)

#: 32 letters and digits, without those that are mistaken for each other.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

#: Who was not seen for this long is not there any more.
_LATELY = timedelta(seconds=15)

#: Seconds that the store may take, at the end, to say who else is there.
_PATIENCE = 5.0


#: How long others get to send what they have written themselves, in seconds.
_OTHERS_SECONDS = 0.05

#: How often the outbox is looked at where another program of this machine writes to it.
_LOOK_SECONDS = 0.1

#: Of what other programs leave word that may make something due; empty where words got lost.
_SCHEDULED = frozenset({"", "waves", "notes"})

#: How often that is looked for by ourselves, where there is no such word.
_WATCH_SECONDS = 0.5


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
        cohorts=cohorts_of(settings),
        pulses=pulses_of(settings),
        contact=settings.privacy.contact,
        kept=settings.privacy.kept,
        min_group=settings.results.min_group,
        results=settings.results.share,
        budget=Budget(invitations=settings.fatigue.invitations, per=settings.fatigue.per),
        coders=coders_of(settings.coders),
    )


def cohorts_of(settings: Settings) -> tuple[CohortPlan, ...]:
    """Give the cohorts as configured, in their order."""
    return tuple(
        CohortPlan(
            name=cohort.name,
            title=cohort.title or cohort.name,
            timezone=cohort.timezone,
            place=cohort.slack_channel,
            code=cohort.telegram_code,
            survey_id=cohort.survey,
            days_off=cohort.days_off,
            holidays=cohort.holidays,
        )
        for cohort in settings.cohorts
    )


def pulses_of(settings: Settings) -> tuple[PulsePlan, ...]:
    """Give the pulses as configured, in their order."""
    return tuple(
        PulsePlan(
            name=pulse.name,
            survey_id=pulse.survey,
            cohorts=tuple(pulse.cohorts),
            roles=tuple(pulse.roles),
            cron=pulse.cron,
            quiet_hours=pulse.quiet_hours.minutes if pulse.quiet_hours else None,
            days_off=pulse.days_off,
            remind_after=tuple(pulse.remind_after),
            close_after=pulse.close_after,
            questions_per_person=pulse.questions_per_person,
            seed=pulse.seed or None,
            share=pulse.share,
        )
        for pulse in settings.pulses
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
        roles: Collection[str] = ROLES,
    ) -> None:
        """Make an app.

        Args:
            house: The installation.
            writer: Runs what the store is asked.
            channels: Those that are configured.
            codeframe: For the names of codes.
            model: A tagger's folder; None for the shipped one.
            slots: Messages under way at once, on each channel.
            broadcasts_per_second: Of a channel that ``rates`` says nothing of.
            rates: Messages a second, by channel.
            web: About the web server.
            roles: What this program does of it all: see ``sole.ROLES``.
        """
        # Commands that only take the time from here do without a web server.
        from bot.door import Door
        from bot.metrics import Metrics

        self._writer = writer
        self._roles = frozenset(roles)
        self._metrics = Metrics()
        writer.on_group = self._metrics.committed
        self._worker = Worker(writer, worker_id=new_id(), roles=roles, now=now)
        self._channels = list(channels)
        self._deliveries = {
            channel.name: Delivery(
                writer,
                channel,
                now=now,
                slots=slots,
                broadcasts_per_second=(rates or {}).get(channel.name, broadcasts_per_second),
                worker=self._worker,
                observer=self._metrics,
            )
            for channel in (self._channels if "delivery" in roles else ())
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
        results = Results(
            house,
            codeframe=codeframe,
            slashes={channel.name: channel.slash for channel in channels},
            now=now,
        )
        # Drawing takes seconds, in which what else is due must not wait.
        self._tickers = [
            Ticker(
                ticks,
                writer,
                wake=self._wake_all,
                sweeper=sweeper,
                may=partial(self._worker.leads, "schedule"),
            )
            for ticks, sweeper in (
                (Waves(self._runner, now=now), Sweeper(now=now)),
                (MemberChecks(codeframe=codeframe, now=now, new_id=new_id), None),
                (results, None),
            )
        ]
        self._coder = Coder(
            writer,
            model=model,
            now=now,
            new_id=new_id,
            observer=self._metrics,
            share=partial(self._worker.place, "tagging"),
            able=partial(self._worker.able, "tagging"),
        )
        self._surveys = list(house.surveys.values())
        self._looking: set[str] = set()
        read = self._channels if "web" in roles else []
        self._reading = Reading(read, self._runner.receive, worker=self._worker)
        self._door = Door(
            web or Web(),
            writer=writer,
            channels=read,
            metrics=self._metrics,
            now=now,
            stands_by=self._reading.stands_by,
        )

    def _wake(self, channel: str) -> None:
        delivery = self._deliveries.get(channel)
        if delivery is not None:
            delivery.wake()

    def _wake_all(self) -> None:
        for delivery in self._deliveries.values():
            delivery.wake()

    def _listen(self) -> None:
        """Heed what other programs leave word of."""
        loop = asyncio.get_running_loop()

        def hear(topic: str) -> None:
            # A loop that has closed meanwhile sends nothing.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._heard, topic)

        self._writer.listen(hear)

    def _heard(self, topic: str) -> None:
        kind, _, channel = topic.partition(":")
        delivery = self._deliveries.get(channel)
        if kind == "outbox":
            self._look_soon(channel)
        elif kind == "halts" and delivery is not None:
            delivery.heed()
        else:
            self._worker.look()
            self._wake_all()
            if kind in _SCHEDULED:
                self._hurry()

    def _hurry(self) -> None:
        """Look now at what is due, where that is ours to do."""
        for ticker in self._tickers if "schedule" in self._roles else ():
            ticker.hurry()

    async def _watch_waves(self) -> None:
        """See what commands have changed, where no other program can leave word of it."""
        before = None
        while True:
            with suppress(StoreError):
                seen = await self._writer.run(_news)
                if before not in (None, seen):
                    self._hurry()
                before = seen
            await asyncio.sleep(_WATCH_SECONDS)

    def _look_soon(self, channel: str) -> None:
        """Look for what others have written: it is mostly sent by them, a moment later."""
        if "web" not in self._roles:
            self._wake(channel)
        elif channel not in self._looking:
            self._looking.add(channel)

            def look() -> None:
                self._looking.discard(channel)
                self._wake(channel)

            asyncio.get_running_loop().call_later(_OTHERS_SECONDS, look)

    async def run(self, stop: asyncio.Event) -> None:
        """Hold everything up until ``stop`` is set, or until no channel is left.

        Raises:
            CannotError: No channel can go on; the message says what to do.
        """
        await self._writer.run(self._keep_surveys)
        self._writer.tidy()
        self._listen()
        await self._worker.start()
        if self._worker.alone:
            await self._release()
        await self._writer.run(self._hear_first)
        beating = [asyncio.create_task(self._worker.run())]
        if self._worker.alone and "schedule" in self._roles:
            beating.append(asyncio.create_task(self._watch_waves()))
        working = [asyncio.create_task(one.run()) for one in self._deliveries.values()]
        if "tagging" in self._roles:
            working.append(asyncio.create_task(self._coder.run()))
        for ticker in self._tickers if "schedule" in self._roles else ():
            ticker.start()
        try:
            await self._door.open()
            self._reading.start()
            await self._until(stop)
        finally:
            for watching in beating[1:]:
                watching.cancel()
            await self._door.close(last=await self._is_last())
            await self._reading.stop()
            for ticker in self._tickers:
                await ticker.stop()
            for delivery in self._deliveries.values():
                await delivery.stop()
            await self._coder.stop()
            await asyncio.gather(*working, return_exceptions=True)
            if "web" not in self._roles:
                # Nobody has read them, and nobody else lets go of their connections.
                for channel in self._channels:
                    await channel.stop()
            await self._worker.stop()
            await asyncio.gather(*beating, return_exceptions=True)
        self._reading.check()

    async def _release(self) -> None:
        """Begin where the program before us ended, which is not there any more."""
        for name, delivery in self._deliveries.items():
            doubt = await self._writer.run(methodcaller("release_claims", name))
            if doubt:
                log.warning("%d messages on %s were in doubt and are sent again", doubt, name)
            if not {"web", "schedule"} <= self._roles:
                # Nobody wakes us from another program.
                delivery.idle_seconds = _LOOK_SECONDS

    def _hear_first(self, store: Store) -> None:
        """Let what may have arrived before we were here wait until its answers are heard."""
        until = store.clock(now()) + DOUBTFUL
        for name in self._deliveries:
            store.put_off_doubtful(name, until=until)

    async def _is_last(self) -> bool:
        """Whether no other worker reads the channels; not, where that cannot be known."""
        me = self._worker.worker_id

        def ask(store: Store) -> bool:
            return store.is_alone(me, role="web", within=_LATELY, now=now())

        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._writer.run(ask)
        except (StoreError, TimeoutError):
            return False

    def _keep_surveys(self, store: Store) -> None:
        for survey in self._surveys:
            store.keep_survey(survey, at=now())

    async def _until(self, stop: asyncio.Event) -> None:
        """Wait for the word to stop, or for the last channel to end."""
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self._reading.ended())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


def _news(store: Store) -> object:
    """Give what commands change that may make something due."""
    waves = {
        (wave.wave_id, wave.state, wave.closes_at)
        for state in ("open", "paused", "closing")
        for wave in store.waves(state=state)
    }
    return waves, {note.note_id for note in store.untold_notes()}
