"""Waves on both platforms: opened by hand, invitations, reminders, closing, anonymity."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.records import write_instant
from storage.tables import TABLES
from tests.e2e.house import House
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

COHORT = """
[[cohort]]
name = "riverside"
title = "Riverside partnership"
timezone = "Europe/London"
slack_channel = "C1"
telegram_code = "river"
survey = "open"

[[pulse]]
name = "monthly"
survey = "SURVEY"
cohorts = ["riverside"]
cron = "0 10 1 1 *"
remind_after = ["2h"]
close_after = "CLOSE"
"""

#: Open at any time: the way by which people join.
OPEN = """
survey = "open"
title = "Open survey"
ask_sector = false
thanks = "Thank you. [open end]"
consent.text = "May we keep your answers? [open]"

[[question]]
id = "mood"
kind = "yesno"
text = "All well? [mood]"
"""

SMALL = """
survey = "small"
title = "Small survey"
ask_sector = false
thanks = "Thank you. [end]"
consent.text = "May we keep your answers? [consent]"

[[question]]
id = "goals"
kind = "yesno"
text = "Do we want the same? [goals]"

[[question]]
id = "why"
kind = "text"
text = "What makes you say so? [why]"
"""

SECRET = SMALL.replace('"small"', '"secret"').replace("thanks", 'anonymity = "anonymous"\nthanks')


def plan(survey: str = "small", close: str = "1d") -> str:
    return COHORT.replace("SURVEY", survey).replace("CLOSE", close)


async def joined(*people: Person, code: str = "river") -> None:
    """Join the cohort by its deep link, and leave its open survey answered."""
    for person in people:
        await person.send(f"/start {code}")
    for person in people:
        await person.wait_for(lambda m: "You have joined" in m.text)
        await person.wait_for(lambda m: "I agree" in m.labels)
        await person.press("I agree")
        await person.wait_for(lambda m: "[mood]" in m.text)
        await person.press("Yes")
        await person.wait_for(lambda m: "[open end]" in m.text)


async def status(house: House) -> dict[str, Any]:
    done = await house.pulse("wave", "status", "--json")
    assert done.status == 0, done.err
    (wave,) = json.loads(done.out)
    assert isinstance(wave, dict)
    return wave


async def hours_pass(house: House, *, invited: int) -> None:
    """Let every invitation have arrived two hours ago, so that reminders are due."""
    arrived = "select * from dispositions where state = 'contacted'"
    await house.until(lambda: len(house.rows(arrived)) == invited)
    ago = write_instant(datetime.now(UTC) - timedelta(hours=2, minutes=1))
    house.change("update dispositions set at = ? where state = 'contacted'", ago)
    house.change("update invitations set next_reminder_at = ?", ago)


async def test_a_wave_from_opening_to_closing_on_both_platforms(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    ann, ben, outsider = (telegram.person(n, first_name=f"T{n}") for n in (7, 8, 9))
    sue, tom, left = (slack.person(f"U{n}", name=f"S{n}") for n in (1, 2, 3))
    slack.channel("C1", name="riverside", members=["U1", "U2", "U3"])
    house = build(telegram=telegram, slack=slack, surveys=[OPEN, SMALL], more=plan())
    async with house.up():
        await joined(ann, ben)
        await outsider.send("/start")
        await outsider.wait_for(lambda m: "[open]" in m.text)
        await house.until(lambda: len(house.rows("select * from memberships")) == 5)
        await left.leave("C1")
        await house.until(lambda: len(house.rows("select * from memberships")) == 4)
        opened = await house.pulse("wave", "open", "monthly")
        assert opened.status == 0, opened.err
        assert "4 people to invite" in opened.out
        again = await house.pulse("wave", "open", "monthly")
        assert again.status == 1
        invited = (ann, ben, sue, tom)
        for person in invited:
            await person.wait_for(lambda m: "[consent]" in m.text)
        for person in (ann, sue):
            await person.press("I agree")
            await person.wait_for(lambda m: "[goals]" in m.text)
            await person.press("Yes")
            await person.wait_for(lambda m: "[why]" in m.text)
        await hours_pass(house, invited=len(invited))
        for person in (ben, tom):
            await person.wait_for(lambda m: "still open" in m.text)
        await sue.send("We share a plan.")
        await sue.wait_for(lambda m: "[end]" in m.text)
        tina = slack.person("U4", name="S4")
        await tina.join("C1")
        await tina.wait_for(lambda m: "[consent]" in m.text)
        now = await status(house)
        assert (now["invited"], now["agreed"]) == (5, 2)
        closed = await house.pulse("wave", "close", now["wave"])
        assert closed.status == 0, closed.err
        await ann.wait_for(lambda m: "closed now" in m.text)
        await ben.press("I agree")
        await ben.wait_for(lambda m: "closed" in m.text)
    for person in (ann, sue):
        assert not [m for m in person.shown if "still open" in m.text]
    for person in (ben, tom):
        assert len([m for m in person.shown if "still open" in m.text]) == 1
    assert not [m for m in (*outsider.shown, *left.shown) if "[consent]" in m.text]
    outcomes = house.rows("select disposition, count(*) n from invitations group by 1 order by 1")
    assert outcomes == [
        {"disposition": "complete", "n": 1},
        {"disposition": "non_contact", "n": 3},
        {"disposition": "partial", "n": 1},
    ]
    exported = await house.exported()
    in_wave = {row["disposition"] for row in exported["responses"] if row["wave"] == now["wave"]}
    assert in_wave == {"complete", "partial"}


async def test_who_left_the_channel_while_the_bot_was_down_is_no_member(
    build: Build, slack: FakeSlack
) -> None:
    for number in (1, 2):
        slack.person(f"U{number}", name=f"S{number}")
    channel = slack.channel("C1", name="riverside", members=["U1", "U2"])
    house = build(slack=slack, surveys=[OPEN, SMALL], more=plan())
    async with house.up():
        await house.until(lambda: len(house.rows("select * from memberships")) == 2)
    channel.members.remove("U2")
    async with house.up():
        await house.until(lambda: len(house.rows("select * from memberships")) == 1)
    (left,) = house.rows("select platform_id from addresses join memberships using (respondent_id)")
    assert left["platform_id"].endswith(":U1")


async def test_an_anonymous_wave_leaves_nothing_that_joins(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    people: list[Person] = [telegram.person(700 + n) for n in range(3)]
    partners = [slack.person(f"UA{n}") for n in range(3)]
    slack.channel("C1", members=[one.id for one in partners])
    house = build(
        telegram=telegram, slack=slack, surveys=[OPEN, SECRET], more=plan(survey="secret")
    )
    async with house.up():
        await joined(*people)
        await house.until(lambda: len(house.rows("select * from memberships")) == 6)
        opened = await house.pulse("wave", "open", "monthly")
        assert opened.status == 0, opened.err
        people += partners

        async def answer(person: Person) -> None:
            await person.wait_for(lambda m: "[consent]" in m.text)
            await person.press("I agree")
            await person.wait_for(lambda m: "[goals]" in m.text)
            await person.press("Yes")
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send(f"Secret words of {person.id}.")
            await person.wait_for(lambda m: "Send my answers" in m.labels)

        await asyncio.gather(*(answer(person) for person in people))
        *sent, unsent = people
        for person in sent:
            await person.press("Send my answers")
            await person.wait_for(lambda m: "Nothing joins these answers" in m.text)
        await house.until(lambda: len(house.rows("select * from codings")) == len(sent))
        now = await status(house)
        assert (await house.pulse("wave", "close", now["wave"])).status == 0
        await sent[0].send("/mydata")
        letter = await sent[0].wait_for(lambda m: "everything we keep" in m.text)
        assert "Secret words" not in letter.text
    outcomes = house.rows("select disposition, count(*) n from invitations group by 1 order by 1")
    assert {row["disposition"]: row["n"] for row in outcomes}["complete"] == len(sent)
    secrets = house.rows("select * from responses where survey_id = 'secret'")
    assert len(secrets) == len(sent)
    assert {row["respondent_id"] for row in secrets} == {None}
    assert {len(row["started_at"]) for row in secrets} == {len("2026-12-01")}
    kept = b"".join(file.read_bytes() for file in house.folder.glob("pulse.db*"))
    assert f"Secret words of {unsent.id}.".encode() not in kept
    # Nothing but the response itself may lead to it: no other table holds its ids or words.
    answered = {row["response_id"] for row in secrets}
    tables = {table.name for table in TABLES}
    for table in tables - {"responses", "answers", "codings", "surveys"}:
        for row in house.rows(f"select * from {table}"):
            cells = " ".join(str(cell) for cell in row.values())
            assert "Secret words" not in cells, table
            assert not [one for one in answered if one in cells], table
