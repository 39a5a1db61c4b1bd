"""The runner: each inbound once and in one transaction, whatever breaks."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.base import BroughtBack, CohortLeft, CohortSeen, Inbound, WentAway, Wrote
from bot.house import House
from bot.letters import LETTER
from bot.schedule import Ticker
from bot.visit import Visit
from dialogues.errors import StoreBusy
from storage.open import open_writer
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.bot.ports import FakeClock
from tests.bot.test_waves import OPENS


def wrote(place: Place, text: str, event_id: str = "e-1", name: str = "ann") -> Wrote:
    return Wrote(
        event_id=event_id, address=place.address(name), at=place.clock(), text=text, position="1"
    )


async def test_an_inbound_is_queued_before_anything_is_awaited(place: Place) -> None:
    first = place.runner.receive(wrote(place, "/start", "e-1"))
    second = place.runner.receive(wrote(place, "/help", "e-2"))
    await second
    await first
    shown = place.texts()["ann"]
    assert "May we keep your answers?" in shown[0]
    assert "/stop" in shown[1]
    assert place.woken == ["telegram", "telegram"]


async def test_a_repeated_event_changes_nothing(place: Place) -> None:
    for _ in range(3):
        await place.runner.receive(wrote(place, "/start"))
    assert len(place.texts()["ann"]) == 1


async def test_what_could_not_be_kept_is_not_acknowledged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy

    with monkeypatch.context() as patch:
        patch.setattr(Visit, "take", busy)
        with pytest.raises(StoreBusy):
            await place.runner.receive(wrote(place, "/start"))
    assert place.rows("select * from inbound") == []
    await place.runner.receive(wrote(place, "/start"))
    assert len(place.texts()["ann"]) == 1


async def test_a_defect_is_borne_and_said_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await place.runner.receive(wrote(place, "/start"))
    place.texts()

    def broken(*_: object) -> None:
        raise ValueError("marker-of-words")

    with monkeypatch.context() as patch:
        patch.setattr(Visit, "take", broken)
        for _ in range(2):
            await place.runner.receive(wrote(place, "secret words", "e-2"))
    assert [text[:5] for text in place.texts()["ann"]] == ["Sorry"]
    assert "ValueError" in caplog.text
    assert "marker-of-words" not in caplog.text
    assert "secret words" not in caplog.text


async def test_what_the_database_takes_from_nobody_does_not_come_again_for_ever(
    postgres_url: str, clock: FakeClock
) -> None:
    with closing(open_writer(postgres_url)) as writer:
        place = Place(writer, clock, postgres_url)
        place.answer("ann", "/start", "yes", "yes")

        async def say(text: str) -> list[str]:
            place.position += 1
            position = f"{place.position:09}"
            said = Wrote(
                address=place.address("ann"), text=text, position=position, **place.event()
            )
            await place.runner.receive(said)
            return place.texts()["ann"]

        # Past the edge, where such a letter is replaced.
        assert [text[:5] for text in await say("nul\0")] == ["Sorry"]
        await say("We meet.")
        assert place.rows("select text from answers where question_id = 'why'") == [
            {"text": "We meet."}
        ]


def moved(home: Place, kind: type, name: str = "sue", **more: str) -> Inbound:
    inbound: Inbound = kind(address=home.address(name, "slack"), **home.event(), **more)
    return inbound


def test_members_of_a_place_are_enrolled_and_leave(place: Place) -> None:
    place.take(moved(place, CohortSeen, place="C1"))
    place.take(moved(place, CohortSeen, place="C1"))
    place.take(moved(place, CohortSeen, name="tom", place="C9"))
    (member,) = place.rows("select cohort from memberships")
    assert member == {"cohort": "riverside"}
    assert place.rows("select role from respondents") == [{"role": "partner"}]
    assert place.texts("slack") == {}
    place.take(moved(place, CohortLeft, place="C1"))
    assert place.rows("select * from memberships") == []


def test_who_asked_to_be_forgotten_is_not_enrolled_again(place: Place) -> None:
    place.take(moved(place, CohortSeen, place="C1"))
    place.answer("sue", "start", "forget", "forget", channel="slack")
    assert place.rows("select * from respondents") == []
    place.take(moved(place, CohortSeen, place="C1"))
    assert place.rows("select * from respondents") == []
    # Writing is coming back.
    assert "May we keep" in place.answer("sue", "start", channel="slack")[-1]


@pytest.mark.parametrize("words", ["/mydata", "/forget", "/privacy"])
def test_who_only_looks_makes_no_record(place: Place, words: str) -> None:
    place.answer("ann", "/start", "/forget", "/forget")
    for _ in range(2):
        place.write("ann", words)
    shown = place.texts()["ann"]
    assert len(shown) == 2
    if words == "/privacy":
        assert shown[0].startswith("This survey is run by the Riverside team.")
    else:
        assert shown[0] == "We keep nothing about you. To take part, type /start."
    for table in ("respondents", "addresses", "sessions", "outbox"):
        assert place.rows(f"select * from {table}") == []
    assert "May we keep" in place.answer("ann", "/start")[-1]


def test_who_looks_while_they_are_said_goodbye_to_hears_both(place: Place) -> None:
    place.answer("ann", "/start", "/forget")
    place.write("ann", "/forget")
    place.write("ann", "/mydata")
    shown = place.texts()["ann"]
    assert [text.split(".")[0] for text in shown] == [
        "Everything is erased",
        "We keep nothing about you",
    ]
    assert place.rows("select * from addresses") == []


def test_who_blocked_us_is_left_alone_until_they_come_back(place: Place) -> None:
    place.join("sue", channel="slack")
    place.take(moved(place, WentAway))
    place.tick(OPENS)
    assert place.texts("slack") == {}
    place.take(moved(place, BroughtBack))
    place.tick(OPENS + timedelta(minutes=1))
    assert list(place.texts("slack")) == ["sue"]


def test_nothing_of_a_persons_own_is_kept_before_consent(place: Place) -> None:
    place.answer("ann", "/start", "my secret words")
    for table in ("responses", "answers", "consents"):
        assert place.rows(f"select * from {table}") == []
    everything = [
        row for name in ("sessions", "outbox") for row in place.rows(f"select * from {name}")
    ]
    assert "secret" not in str(everything)


def test_a_second_quick_message_belongs_to_the_question_that_was_seen(place: Place) -> None:
    place.answer("ann", "/start", "yes", "yes")
    at = place.clock()
    place.write("ann", "We meet")
    place.clock.pass_(seconds=1)
    # The next prompt is on its way, and this message was here before it.
    place.run(lambda store: place.claim(store, "telegram"))
    second = wrote(place, "every month.", "late")
    place.take(replace(second, at=at, position="999999999"))
    assert place.rows("select text from answers where question_id = 'why'") == [
        {"text": "We meet\nevery month."}
    ]


def test_mydata_is_whole_and_in_pages(place: Place) -> None:
    for number in range(9):
        place.answer(
            "ann", "/start", *(["yes"] if number == 0 else []), "yes", f"{number} " + "w" * 900
        )
        place.clock.pass_(days=1)
    letter = place.answer("ann", "/mydata")
    assert len(letter) > 1
    assert max(map(len, letter)) <= LETTER
    whole = "\n".join(letter)
    for number in range(9):
        assert f"{number} www" in whole
    assert "id-ann" in whole
    assert "Riverside" not in whole


async def test_the_ticker_does_what_is_due_and_bears_trouble(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    woken: list[bool] = []
    ticker = Ticker(place.waves, place.writer, wake=lambda: woken.append(True))
    place.join("ann")
    place.clock.at = OPENS
    with monkeypatch.context() as patch:

        def busy(self: object, wave: object, run: object) -> None:
            raise StoreBusy

        patch.setattr(type(place.waves), "open", busy)
        await ticker.tick()
    assert "tried again" in caplog.text
    assert place.texts() == {}
    await ticker.tick()
    assert len(place.texts()["ann"]) == 1
    assert len(woken) == 2
    await ticker.stop()


async def test_a_tick_under_way_is_finished_before_the_ticker_stops(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(run: object) -> None:
        begun.set()
        go_on.wait(10)
        ended.set()

    monkeypatch.setattr(place.waves, "tick", slow)
    ticker = Ticker(place.waves, place.writer, wake=lambda: None)
    ticker.start()
    await asyncio.to_thread(begun.wait, 10)
    stopping = asyncio.create_task(ticker.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go_on.set()
    await stopping
    assert ended.is_set()
    assert caplog.text == ""


def test_a_house_finds_its_own(place: Place) -> None:
    house: House = place.runner.house
    assert house.cohort_of_code("river") == RIVERSIDE
    assert house.cohort_of_place("C1") == RIVERSIDE
    assert house.pulse("monthly") == MONTHLY
    assert house.cohort("x") is house.pulse(None) is house.cohort_of_code("x") is None


def test_an_edit_changes_the_check_in_that_it_was_said_in(place: Place) -> None:
    other = replace(MONTHLY, name="other", survey_id="secret")
    place.set_up(MONTHLY, other)
    place.join("ann")
    place.tick(OPENS)
    prompts = [prompt for _, prompt in place.deliver()]
    small, secret = sorted(prompts, key=lambda prompt: "anonymous" in prompt.text)
    place.press("ann", small.options[-2].token)
    place.answer("ann", "yes", "We meet.")
    said = place.said["ann"]
    place.press("ann", secret.options[-2].token)
    place.edit("ann", said, "We never meet.")
    answers = place.rows("select text, n_edits from answers where question_id = 'why'")
    assert answers == [{"text": "We never meet.", "n_edits": 1}]
