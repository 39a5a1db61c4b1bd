"""A partnership in a store: a runner, waves and people, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.channels.base import Edited, Inbound, Pressed, Unread, Wrote
from bot.clock.fatigue import Budget
from bot.house import CohortPlan, House, PulsePlan
from bot.runner import Runner
from bot.waves import Waves
from dialogues.prompts import Prompt
from dialogues.survey import Survey
from nlp.codeframe import read_codeframe
from storage.protocol import Address, Outgoing, Receipt, Store
from storage.writer import Writer
from tests.bot.ports import FakeClock, ids
from tests.database import read_rows
from tests.talk import survey_of

_T = TypeVar("_T")

SURVEY = survey_of(
    {"id": "goals", "kind": "yesno", "text": "Same goal? [goals]"},
    {"id": "why", "kind": "text", "text": "Why? [why]"},
)
ANONYMOUS = survey_of(
    {"id": "trust", "kind": "yesno", "text": "Do you trust them? [trust]"},
    survey="secret",
    anonymity="anonymous",
)
RIVERSIDE = CohortPlan(
    name="riverside",
    title="Riverside",
    timezone="Europe/London",
    place="C1",
    code="river",
    survey_id="small",
)
MONTHLY = PulsePlan(
    name="monthly",
    survey_id="small",
    cohorts=("riverside",),
    roles=("citizen", "partner"),
    cron="0 10 1 * *",
    remind_after=(timedelta(days=2), timedelta(days=5)),
    close_after=timedelta(days=10),
)


class Place:
    """An installation over one store; ``set_up`` makes the runner anew, as a restart does.

    Attributes:
        woken: Channels that delivery was woken for.
        said: Where everybody's newest words stand.
    """

    def __init__(
        self, writer: Writer, clock: FakeClock, url: str, *, new_id: Callable[[], str] | None = None
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.url = url
        self.new_id = new_id or ids()
        self.woken: list[str] = []
        self.n_events = 0
        self.position = 0
        self.said: dict[str, str] = {}
        self.set_up()

    def set_up(
        self,
        *pulses: PulsePlan,
        cohorts: tuple[CohortPlan, ...] = (RIVERSIDE,),
        more: tuple[Survey, ...] = (),
        budget: Budget | None = None,
    ) -> None:
        """Configure anew, with more surveys than the two."""
        surveys = {one.survey_id: one for one in (SURVEY, ANONYMOUS, *more)}
        house = House(
            surveys=surveys,
            cohorts=cohorts,
            pulses=pulses or (MONTHLY,),
            contact="the Riverside team",
            budget=budget,
        )
        self.runner = Runner(
            self.writer,
            house,
            now=self.clock,
            new_id=self.new_id,
            slashes={"telegram": True, "slack": False},
            codeframe=read_codeframe(),
            wake=self.woken.append,
        )
        self.waves = Waves(self.runner, now=self.clock)
        for one in surveys.values():
            self.run(lambda store, one=one: store.keep_survey(one, at=self.clock()))

    def run(self, job: Callable[[Store], _T]) -> _T:
        """Run a job in the store."""
        return self.writer.submit(job).result()

    def tick(self, at: datetime | None = None) -> None:
        """Do what is due."""
        if at is not None:
            self.clock.at = at
        self.waves.tick(self.run)

    # People ---------------------------------------------------------------------------

    def address(self, name: str, channel: str = "telegram") -> Address:
        return Address(channel=channel, platform_id=f"id-{name}", chat=f"chat-{name}")

    def join(self, *names: str, channel: str = "telegram", cohort: str = "riverside") -> None:
        """Let people join the cohort."""

        def job(store: Store) -> None:
            for name in names:
                store.welcome(
                    self.address(name, channel),
                    respondent_id=name,
                    role="citizen" if channel == "telegram" else "partner",
                    language="en",
                    on=self.clock().date(),
                )
                store.join(name, cohort, on=self.clock().date())

        self.run(job)

    def take(self, inbound: Inbound) -> None:
        """Take one inbound, as the runner does for a channel."""
        self.run(lambda store: self.runner.take(store, inbound))

    def event(self) -> dict[str, Any]:
        self.n_events += 1
        return {"event_id": f"event-{self.n_events}", "at": self.clock.pass_(milliseconds=1)}

    def write(self, name: str, text: str, *, channel: str = "telegram") -> None:
        """Let somebody write, in sight of everything that was sent to them."""
        self.position += 1
        self.said[name] = f"{self.position:09}"
        self.take(
            Wrote(
                address=self.address(name, channel),
                text=text,
                position=f"{self.position:09}",
                **self.event(),
            )
        )

    def answer(self, name: str, *words: str, channel: str = "telegram") -> list[str]:
        """Let somebody answer one prompt after another; gives what they were shown."""
        shown = self.texts(channel).get(name, [])
        for word in words:
            self.write(name, word, channel=channel)
            shown += self.texts(channel).get(name, [])
        return shown

    def edit(self, name: str, position: str, text: str) -> None:
        """Let somebody change what they wrote at a position."""
        self.take(Edited(address=self.address(name), text=text, position=position, **self.event()))

    def photo(self, name: str) -> None:
        """Let somebody send a picture."""
        self.take(Unread(address=self.address(name), **self.event()))

    def press(self, name: str, token: str, *, channel: str = "telegram") -> None:
        """Let somebody press a button."""
        self.take(Pressed(address=self.address(name, channel), token=token, **self.event()))

    # What leaves ----------------------------------------------------------------------

    def deliver(self, channel: str = "telegram") -> list[tuple[str, Prompt]]:
        """Send all that is due, and give who got what, in order."""
        delivered: list[tuple[str, Prompt]] = []
        while claimed := self.run(lambda store: self.claim(store, channel)):
            receipts = []
            for row in claimed:
                self.position += 1
                receipts.append(
                    Receipt(outbox_id=row.outbox_id, outcome="sent", position=f"{self.position:09}")
                )
                delivered.append((row.chat.removeprefix("chat-"), row.prompt))
            self.run(lambda store, done=tuple(receipts): store.settle(done, now=self.clock()))
        return delivered

    def texts(self, channel: str = "telegram") -> dict[str, list[str]]:
        """Send all that is due, and give the texts by person."""
        found: dict[str, list[str]] = {}
        for name, prompt in self.deliver(channel):
            found.setdefault(name, []).append(prompt.text)
        return found

    def claim(self, store: Store, channel: str) -> list[Outgoing]:
        now = self.clock()
        until = now + timedelta(minutes=2)
        return [
            row
            for lane in (0, 1)
            for row in store.claim_outbox(channel, lane=lane, limit=100, now=now, until=until)
        ]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read the database."""
        return read_rows(self.url, query, *values)

    def dispositions(self) -> dict[str, str]:
        """Give how each invitation stands, by person."""
        return {
            row["respondent_id"]: row["disposition"]
            for row in self.rows("select * from invitations")
        }


def zoned(cohort: str, timezone: str) -> CohortPlan:
    """Make a cohort elsewhere."""
    return replace(RIVERSIDE, name=cohort, timezone=timezone, code=None, place=None)
