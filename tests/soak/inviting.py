"""A wave beside everything else: members of a cohort who are invited, and its opening."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from storage.open import open_store
from storage.protocol import Address
from tests.e2e.house import House
from tests.fakes.people import Person
from tests.fakes.telegram import FakeTelegram

__all__ = ["WAVE", "invited", "open_wave", "open_wave_at_last", "reached"]

#: Goes into the configuration.
WAVE = """
[fatigue]
invitations = 100

[[cohort]]
name = "riverside"
title = "Riverside"
survey = "killed"

[[pulse]]
name = "news"
survey = "killed"
cohorts = ["riverside"]
cron = "0 10 1 1 *"
close_after = "10d"
"""


def invited(house: House, telegram: FakeTelegram, count: int) -> list[Person]:
    """Make people who are members of the cohort and have pressed Start once."""
    people = [telegram.person(5000 + number) for number in range(count)]
    today = datetime.now(UTC).date()
    with closing(open_store(house.storage or house.sqlite)) as store, store.transaction():
        for person in people:
            person.started = True
            chat = str(person.id)
            store.welcome(
                Address(channel="telegram", platform_id=chat, chat=chat),
                respondent_id=f"invited{chat}",
                role="citizen",
                language="en",
                on=today,
            )
            store.join(f"invited{chat}", "riverside", on=today)
    return people


def reached(people: Sequence[Person]) -> int:
    """Give how many were shown something."""
    return sum(bool(person.shown) for person in people)


async def open_wave(house: House) -> str:
    """Open the wave and give its id."""
    opened = await house.pulse("wave", "open", "news")
    assert opened.status == 0, opened.err
    return re.findall(r"news-riverside-\S+?(?=[:.\s])", opened.out)[0]


async def open_wave_at_last(house: House) -> None:
    """Open the wave as somebody does whose database may be gone: again, until it is open."""
    while True:
        opened = await house.pulse("wave", "open", "news")
        if opened.status == 0 or "opened already" in opened.err:
            return
        assert opened.status == 1, opened.err
        assert "Traceback" not in opened.err, opened.err
        await asyncio.sleep(0.2)
