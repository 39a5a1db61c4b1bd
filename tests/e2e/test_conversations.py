"""Whole conversations on both platforms at once, from the person's words to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.e2e.house import House
from tests.fakes.crowd import Crowd
from tests.fakes.crowd import answers as answering
from tests.fakes.people import Message, Person
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_person import SlackPerson
from tests.fakes.telegram import FakeTelegram, TelegramPerson

Build = Callable[..., House]

COHORT = """
[[cohort]]
name = "riverside"
title = "Riverside partnership"
timezone = "Europe/London"
slack_channel = "C1"
telegram_code = "river"
survey = "small"
"""


@pytest.fixture
def ann(telegram: FakeTelegram) -> TelegramPerson:
    return telegram.person(7, first_name="Ann")


@pytest.fixture
def sue(slack: FakeSlack) -> SlackPerson:
    return slack.person("U1", name="Sue")


async def agreed(person: Person) -> Message:
    """Begin and agree; gives the first question."""
    await person.send("/start")
    await person.wait_for(lambda m: "I agree" in m.labels)
    await person.press("I agree")
    return await person.wait_for(lambda m: "[goals]" in m.text)


async def test_both_platforms_at_once_with_presses_and_typed_answers(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    house = build(telegram=telegram, slack=slack)
    async with house.up():
        await asyncio.gather(agreed(ann), agreed(sue))
        await ann.press("Fully")
        await sue.send("a little")
        for person in (ann, sue):
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send(f"We meet every month, says {person.name}.")
            await person.wait_for(lambda m: "[end]" in m.text)
        await house.until(lambda: house.rows("select count(*) n from codings")[0]["n"] == 2)
    rows = {
        (row["role"], row["question_id"]): row
        for row in house.rows("select * from answers join responses using (response_id)")
    }
    assert rows["citizen", "goals"]["value"] == "3"
    assert rows["partner", "goals"]["value"] == "2"
    assert rows["partner", "goals"]["text"] == "a little"
    assert rows["citizen", "why"]["text"] == "We meet every month, says Ann."
    assert {row["disposition"] for row in rows.values()} == {"complete"}
    exported = await house.exported()
    answers = exported["answers"]
    assert sorted((row["channel"], row["question_id"], row["value"]) for row in answers) == [
        ("slack", "goals", "2"),
        ("slack", "why", "We meet every month, says Sue."),
        ("telegram", "goals", "3"),
        ("telegram", "why", "We meet every month, says Ann."),
    ]
    assert {row["evidence"] for row in exported["codes"]} == {"We me"}


@pytest.mark.timeout(180)
async def test_the_shipped_surveys_are_held_to_their_end(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    more = """
[[cohort]]
name = "citizens"
survey = "citizen-pulse"

[[cohort]]
name = "partners"
slack_channel = "C1"
survey = "state-of-collaboration"
"""
    slack.channel("C1", members=["UP1"])
    house = build(telegram=telegram, slack=slack, surveys=None, more=more, tagger=True)
    policy = answering(
        words=["We share one budget with the health board, and it works."],
        prefer=["I agree", "Done"],
        avoid=["Back", "Stop", "More", "No thanks", "Skip"],
        by_text={r"(?i)type a number": "3"},
    )
    people: list[list[Person]] = [[telegram.person(9)], [slack.person("UP1")]]
    crowds = [
        Crowd(group, policy, lambda m: "Thank you" in m.text and not m.rows, opening="start")
        for group in people
    ]
    async with house.up():
        await house.until(lambda: house.rows("select * from memberships"))
        reports = await asyncio.gather(*(crowd.run(60) for crowd in crowds))
        assert [report.unfinished for report in reports] == [[], []], people[0][0].transcript()
        await house.until(lambda: not house.untagged())
    responses = house.rows("select * from responses order by survey_id")
    assert [(row["survey_id"], row["disposition"]) for row in responses] == [
        ("citizen-pulse", "complete"),
        ("state-of-collaboration", "complete"),
    ]
    missing = house.rows("select * from answers where missing not in ('dont_know')")
    assert missing == []
    codes = house.rows("select * from codings")
    assert {row["enabler"] for row in codes} >= {"resources"}
    assert all("stub" not in row["coder"] for row in codes)


async def test_commands_tell_and_change_what_is_kept(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    more = '[privacy]\ncontact = "the Riverside team"'
    house = build(telegram=telegram, slack=slack, more=more)
    async with house.up():
        for person, mark in ((ann, "/"), (sue, "")):
            await agreed(person)
            await person.send(f"{mark}help")
            assert f"{mark}stop" in (await person.next_message()).text
            await person.send(f"{mark}privacy")
            assert "the Riverside team" in (await person.next_message()).text
            await person.press("Fully")
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send(f"Words of {person.name}.")
            await person.wait_for(lambda m: "[end]" in m.text)
            await person.send(f"{mark}mydata")
            letter = await person.wait_for(lambda m: "everything we keep" in m.text)
            assert f"Words of {person.name}." in letter.text
            assert "Fully" in letter.text
            await person.send(f"{mark}forget")
            await person.wait_for(lambda m: "Erase everything" in m.labels)
            await person.press("Erase everything")
            await person.wait_for(lambda m: "Everything is erased" in m.text)
        await house.until(lambda: not house.rows("select 1 from addresses"))
    for table in ("respondents", "responses", "answers", "sessions", "codings", "consents"):
        assert house.rows(f"select * from {table}") == [], table
    assert len(house.rows("select * from erasures")) == 2
    kept = b"".join(file.read_bytes() for file in house.folder.glob("pulse.db*"))
    assert b"Words of" not in kept


async def test_people_rule_their_own_clock(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    slack.channel("C1", members=["U1"])
    house = build(telegram=telegram, slack=slack, more=COHORT)
    told = "select told_timezone from timings where told_timezone is not null"
    async with house.up():
        await house.until(lambda: house.rows(told) == [{"told_timezone": "Europe/London"}])
        for person, mark in ((ann, "/"), (sue, "")):
            await agreed(person)
            await person.send(f"{mark}times")
            await person.wait_for(lambda m: "18:00" in m.labels)
            await person.press("18:00")
            await person.wait_for(lambda m: "I will write to you at 18:00" in m.text)
            await person.send(f"{mark}times São Paulo")
            await person.wait_for(lambda m: "clock of America/Sao_Paulo" in m.text)
            await person.send(f"{mark}pause")
            await person.wait_for(lambda m: "2 weeks" in m.labels)
            await person.press("Until I say")
            await person.wait_for(lambda m: "I will not invite or remind you until" in m.text)
            # What has begun goes on.
            await person.send("fully")
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send(f"{mark}resume")
            await person.wait_for(lambda m: "Welcome back" in m.text)
    kept = "select timezone, minute, paused_until from timings"
    own = {"timezone": "America/Sao_Paulo", "minute": 1080, "paused_until": None}
    assert house.rows(kept) == [own, own]


async def test_skip_back_stop_and_coming_back(
    build: Build, telegram: FakeTelegram, ann: TelegramPerson
) -> None:
    house = build(telegram=telegram)
    async with house.up():
        await agreed(ann)
        await ann.send("/skip")
        await ann.wait_for(lambda m: "[why]" in m.text)
        await ann.send("/back")
        await ann.wait_for(lambda m: "[goals]" in m.text)
        await ann.press("Fully")
        await ann.wait_for(lambda m: "[why]" in m.text)
        await ann.send("stop")
        await ann.wait_for(lambda m: "You have stopped" in m.text)
        (person,) = house.rows("select * from respondents")
        assert person["opted_out_at"] is not None
        await ann.send("/start")
        await ann.wait_for(lambda m: "[why]" in m.text)
        await ann.send("It works.")
        await ann.wait_for(lambda m: "[end]" in m.text)
    (response,) = house.rows("select * from responses")
    assert response["disposition"] == "complete"
    assert house.rows("select value from answers where question_id = 'goals'") == [{"value": "3"}]


async def test_an_edit_changes_the_answer_on_both_platforms(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    house = build(telegram=telegram, slack=slack)
    async with house.up():
        for person in (ann, sue):
            await agreed(person)
            await person.press("Fully")
            await person.wait_for(lambda m: "[why]" in m.text)
            said = await person.send("First words.")
            await person.wait_for(lambda m: "[end]" in m.text)
            await person.edit(said, "Better words.")
        why = "select text, n_edits from answers where question_id = 'why'"
        better = {"text": "Better words.", "n_edits": 1}
        await house.until(lambda: house.rows(why) == [better, better])


async def test_pictures_odd_texts_and_old_buttons_are_borne(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    house = build(telegram=telegram, slack=slack)
    odd = "emoji 👩‍👩‍👧, עברית, a bell \a and <b>&amp; =1+1"
    async with house.up():
        for person in (ann, sue):
            first = await agreed(person)
            old = person.find_button("Not at all", first)
            await person.photo()
            await person.wait_for(lambda m: "only read words" in m.text)
            await person.send("perhaps")
            await person.wait_for(lambda m: "did not understand" in m.text)
            await person.press("Fully")
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send(odd)
            await person.wait_for(lambda m: "[end]" in m.text)
            await person.press(old, first)
            await person.wait_for(lambda m: "Changed to: Not at all" in m.text)
    assert house.rows("select distinct text from answers where question_id = 'why'") == [
        {"text": odd}
    ]
    goals = house.rows("select value from answers where question_id = 'goals'")
    assert goals == [{"value": "1"}] * 2


async def test_what_is_far_too_long_is_refused_kindly(
    build: Build, slack: FakeSlack, sue: SlackPerson
) -> None:
    house = build(slack=slack)
    async with house.up():
        await agreed(sue)
        await sue.press("Fully")
        await sue.wait_for(lambda m: "[why]" in m.text)
        await sue.send("x" * 100_000)
        await sue.wait_for(lambda m: "too long" in m.text)
        await sue.send("Shorter.")
        await sue.wait_for(lambda m: "[end]" in m.text)
    assert house.rows("select text from answers where question_id = 'why'") == [
        {"text": "Shorter."}
    ]


async def test_repeated_updates_change_nothing_and_say_nothing(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    ann: TelegramPerson,
    sue: SlackPerson,
) -> None:
    telegram.faults.repeat = slack.faults.repeat = 1.0
    slack.faults.fresh_event_id = True
    house = build(telegram=telegram, slack=slack)
    async with house.up():
        for person in (ann, sue):
            await agreed(person)
            await person.press("Fully")
            await person.wait_for(lambda m: "[why]" in m.text)
            await person.send("It works.")
            await person.wait_for(lambda m: "[end]" in m.text)
        await telegram.wait_settled()
        await slack.wait_settled()
    assert telegram.redelivered >= 4
    assert slack.redelivered >= 3
    for person in (ann, sue):
        assert len(person.shown) == 4, person.transcript()
    assert house.rows("select n_edits from answers") == [{"n_edits": 0}] * 4


async def test_two_quick_messages_answer_one_question(
    build: Build, telegram: FakeTelegram, ann: TelegramPerson
) -> None:
    house = build(telegram=telegram, surveys=[TWO_TEXTS])
    async with house.up():
        await ann.send("/start")
        await ann.wait_for(lambda m: "I agree" in m.labels)
        await ann.press("I agree")
        await ann.wait_for(lambda m: "[one]" in m.text)
        await telegram.wait_settled()
    ann.say("We meet")
    ann.say("every month.")
    async with house.up():
        await ann.wait_for(lambda m: "[two]" in m.text)
        await ann.send("Nothing else.")
        await ann.wait_for(lambda m: "[end]" in m.text)
    texts = {row["question_id"]: row["text"] for row in house.rows("select * from answers")}
    assert texts == {"one": "We meet\nevery month.", "two": "Nothing else."}


async def test_a_deep_link_joins_the_cohort(
    build: Build, telegram: FakeTelegram, ann: TelegramPerson
) -> None:
    house = build(telegram=telegram, more=COHORT)
    stranger = telegram.person(8, first_name="Ben")
    async with house.up():
        await ann.start("river")
        await ann.wait_for(lambda m: m.text == "You have joined Riverside partnership.")
        await ann.wait_for(lambda m: "I agree" in m.labels)
        await stranger.start("elsewhere")
        await stranger.wait_for(lambda m: "do not know that link" in m.text)
        await stranger.wait_for(lambda m: "I agree" in m.labels)
    assert [row["cohort"] for row in house.rows("select * from memberships")] == ["riverside"]


async def test_a_language_once_chosen_stays(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, sue: SlackPerson
) -> None:
    bron = telegram.person(9, first_name="Bron", language_code="cy")
    house = build(
        telegram=telegram,
        slack=slack,
        surveys=None,
        more='[[cohort]]\nname = "all"\nsurvey = "citizen-pulse"',
    )
    async with house.up():
        await bron.send("/start")
        await bron.wait_for(lambda m: "Rydw i'n cytuno" in m.labels)
        await bron.send("/language")
        await bron.wait_for(lambda m: "English" in m.labels)
        await bron.press("English")
        await bron.wait_for(lambda m: "I agree" in m.labels)
        await sue.send("start")
        await sue.wait_for(lambda m: "I agree" in m.labels)
        await sue.send("iaith")
        await sue.wait_for(lambda m: "Cymraeg" in m.labels)
        await sue.press("Cymraeg")
        await sue.wait_for(lambda m: "Rydw i'n cytuno" in m.labels)
    assert [
        row["language"] for row in house.rows("select * from respondents order by language")
    ] == ["cy", "en"]


TWO_TEXTS = """
survey = "small"
title = "Small survey"
ask_sector = false
thanks = "Thank you. [end]"
consent.text = "May we keep your answers?"

[[question]]
id = "one"
kind = "text"
text = "What works? [one]"

[[question]]
id = "two"
kind = "text"
text = "What else? [two]"
"""
