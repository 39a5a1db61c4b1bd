"""Results: made once, told once, to whom they belong, in their own time; and `/results`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import Any

import pytest

from bot.house import House, Share
from bot.results import Results
from bot.results import figures_of as _figures_of
from dialogues.errors import StoreBusy
from dialogues.prompts import Prompt
from nlp.codeframe import read_codeframe
from storage.protocol import Rhythm, Store
from storage.reports.charts import Chart
from tests.bot.place import MONTHLY, Place
from tests.contract.scenes import AT, LATER, wave
from tests.fakes.pictures import png
from tests.reports.scenes import answer, close, fielded, invite, survey, tag

PEOPLE = [f"p{number:02}" for number in range(12)]
CLOSED = datetime(2026, 12, 11, 12, 0, tzinfo=UTC)

Job = Callable[[Store], Any]


class Drawn:
    """Draws nothing, and notes what it was to draw."""

    def __init__(self) -> None:
        self.charts: list[Chart] = []
        self.fails = False

    def __call__(self, charts: Sequence[Chart]) -> list[bytes] | None:
        self.charts += charts
        return None if self.fails else [png(number + 1, 1) for number in range(len(charts))]


class Desk:
    """Results over a place."""

    def __init__(self, place: Place, *, share: Share = "both", pulse: Share | None = None) -> None:
        self.place = place
        self.drawn = Drawn()
        self.share(share, pulse=pulse)
        place.clock.at = CLOSED

    def share(self, share: Share, *, pulse: Share | None = None) -> None:
        """Configure anew who is told."""
        known = self.place.runner.house
        self.house = House(
            surveys=known.surveys,
            cohorts=known.cohorts,
            pulses=(replace(MONTHLY, share=pulse),),
            results=share,
        )
        self.place.runner._house = self.house
        self.results = Results(
            self.house,
            codeframe=read_codeframe(),
            slashes={"telegram": True, "slack": False},
            now=self.place.clock,
            draw=self.drawn,
        )

    def tick(self, run: Callable[[Job], Any] | None = None) -> None:
        self.results.tick(run or self.place.run)

    def wave(self, wave_id: str = "w", *, people: Sequence[str] = PEOPLE, **changes: Any) -> None:
        """Let people answer a wave, and close it."""

        def job(store: Store) -> None:
            of = survey(anonymous=changes.pop("anonymous", False))
            fielded(store, of, wave_id, **changes)
            for number, name in enumerate(people):
                channel = "slack" if number % 3 == 0 else "telegram"
                values = {"share": str(number % 5 + 1), "asked": "yes", "why": "money"}
                answer(store, of, name, values, wave_id=wave_id, channel=channel)
            invite(store, of, "silent", wave_id=wave_id)
            tag(store, {"money": [("resources", "gap")]})
            close(store, wave_id)
            store.set_wave(wave_id, closes_at=self.place.clock())

        self.place.run(job)
        # What the conversations themselves had to say.
        for channel in ("telegram", "slack"):
            self.place.deliver(channel)

    def told(self) -> dict[str, list[Prompt]]:
        """Send all that is due, and give who got what."""
        found: dict[str, list[Prompt]] = {}
        for channel in ("telegram", "slack"):
            for chat, prompt in self.place.deliver(channel):
                found.setdefault(chat.removeprefix("of-"), []).append(prompt)
        return found


@pytest.fixture
def desk(place: Place) -> Desk:
    return Desk(place)


# Who is told -----------------------------------------------------------------------------


def test_everybody_who_was_invited_and_the_channel_are_told_once(desk: Desk) -> None:
    desk.wave()
    for _ in range(3):
        desk.tick()
    told = desk.told()
    assert set(told) == {*PEOPLE, "silent", "C1"}
    assert all(len(prompts) == 1 for prompts in told.values())
    (post,) = told["C1"]
    (partner,) = told["p00"]
    (citizen,) = told["p01"]
    assert "What people said" in post.text
    assert "send me the word results" in post.text
    assert "type results." in partner.text
    assert "type /results." in citizen.text
    for prompt in (post, partner, citizen):
        assert prompt.picture is not None
        assert prompt.picture.alt.startswith("Chart. ")
        picture = desk.place.run(methodcaller("picture", prompt.picture.picture_id))
        assert picture == png(1, 1)
    # One picture in each language of the survey.
    assert [chart.title for chart in desk.drawn.charts] == [
        "Riverside: what people said",
        "Riverside: beth ddywedodd pobl",
    ]


@pytest.mark.parametrize(
    ("share", "pulse", "people", "place_told"),
    [
        ("both", None, True, True),
        ("channel", None, False, True),
        ("direct", None, True, False),
        ("ask", None, False, False),
        ("off", None, False, False),
        ("off", "direct", True, False),
        ("both", "off", False, False),
    ],
)
def test_the_configuration_says_who_is_told(
    place: Place, share: Share, pulse: Share | None, people: bool, place_told: bool
) -> None:
    desk = Desk(place, share=share, pulse=pulse)
    desk.wave()
    desk.tick()
    told = desk.told()
    assert ("p01" in told, "C1" in told) == (people, place_told)
    assert len(place.rows("select * from results")) == 1
    desk.tick()
    assert desk.told() == {}


def test_who_may_not_be_written_to_is_not(desk: Desk) -> None:
    desk.wave()

    def job(store: Store) -> None:
        store.opt_out("p01", at=LATER)
        store.set_reachable("p02", False, at=LATER)
        store.leave("p04", "riverside", at=LATER)
        store.set_language("p05", "cy")

    desk.place.run(job)
    desk.tick()
    told = desk.told()
    assert {"p01", "p02", "p04"}.isdisjoint(told)
    (welsh,) = told["p05"]
    assert "Beth ddywedodd pobl" in welsh.text
    assert welsh.picture is not None
    assert welsh.picture.alt.startswith("Siart. ")


def test_nobody_is_told_in_quiet_hours(desk: Desk) -> None:
    desk.place.clock.at = CLOSED.replace(hour=23)
    desk.wave(quiet_hours=(20 * 60, 8 * 60))
    desk.tick()
    assert desk.told() == {}
    desk.place.clock.at = CLOSED.replace(day=12, hour=8, minute=1)
    assert len(desk.told()) == 14


def test_of_too_few_people_everybody_hears_only_that(desk: Desk) -> None:
    desk.wave(people=PEOPLE[:4])
    desk.tick()
    told = desk.told()
    assert set(told) == {*PEOPLE[:4], "silent", "C1"}
    for (prompt,) in told.values():
        assert "Only a few people answered" in prompt.text
        assert not any(sign.isdigit() for sign in prompt.text.replace("1 December", ""))
        assert prompt.picture is None
    assert desk.drawn.charts == []


def test_an_anonymous_wave_is_told_to_all_who_were_invited(desk: Desk) -> None:
    desk.wave(anonymous=True)
    desk.tick()
    assert set(desk.told()) == {*PEOPLE, "silent", "C1"}


def test_a_wave_to_which_nobody_was_invited_tells_nobody(desk: Desk) -> None:
    def job(store: Store) -> None:
        fielded(store, survey())
        close(store)
        store.set_wave("w", closes_at=CLOSED)

    desk.place.run(job)
    desk.tick()
    assert desk.told() == {}


def test_of_a_wave_that_was_paused_when_it_closed_only_who_asks_hears(desk: Desk) -> None:
    def job(store: Store) -> None:
        of = survey()
        fielded(store, of)
        for name in PEOPLE:
            answer(store, of, name, {"share": "4"})
        store.set_wave("w", state="paused")

    desk.place.run(job)
    desk.told()
    desk.place.waves.close("w", desk.place.run)
    desk.tick()
    assert desk.told() == {}
    assert "What people said" in asked(desk, "p01", "/results").text


def test_what_closed_long_ago_is_no_news(desk: Desk) -> None:
    desk.wave()
    desk.place.clock.at = CLOSED + timedelta(days=8)
    desk.tick()
    assert desk.told() == {}
    assert "What people said" in asked(desk, "p01", "/results").text


# When ------------------------------------------------------------------------------------


def test_results_wait_for_the_words_to_be_read_and_not_for_ever(desk: Desk) -> None:
    def job(store: Store) -> None:
        of = survey()
        fielded(store, of)
        for name in PEOPLE:
            answer(store, of, name, {"share": "4", "why": "money"})
        close(store)
        store.set_wave("w", closes_at=CLOSED)

    desk.place.run(job)
    desk.told()
    desk.tick()
    desk.place.clock.at = CLOSED + timedelta(minutes=14, seconds=59)
    desk.tick()
    assert desk.told() == {}
    desk.place.clock.at = CLOSED + timedelta(minutes=15)
    desk.tick()
    assert len(desk.told()) == 13


# Whatever breaks -------------------------------------------------------------------------


class Stopped(BaseException):
    """The program was killed."""


@pytest.mark.parametrize("after", range(1, 8))
def test_killed_between_any_two_jobs_everybody_is_told_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("bot.results._BATCH", 5)
    desk.wave()
    left = [after]

    def run(job: Job) -> Any:
        if not left[0]:
            raise Stopped
        left[0] -= 1
        return desk.place.run(job)

    with pytest.raises(Stopped):
        desk.tick(run)
    for _ in range(2):
        desk.tick()
    told = desk.told()
    assert set(told) == {*PEOPLE, "silent", "C1"}
    assert all(len(prompts) == 1 for prompts in told.values())


def test_of_two_workers_one_tells(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins in the middle of the first, between any two jobs."""
    monkeypatch.setattr("bot.results._BATCH", 5)
    desk.wave()
    other = Results(
        desk.house,
        codeframe=read_codeframe(),
        slashes={"telegram": True},
        now=desk.place.clock,
        draw=desk.drawn,
    )
    inside = [False]

    def run(job: Job) -> Any:
        if not inside[0]:
            inside[0] = True
            other.tick(run)
            inside[0] = False
        return desk.place.run(job)

    desk.tick(run)
    told = desk.told()
    assert set(told) == {*PEOPLE, "silent", "C1"}
    assert all(len(prompts) == 1 for prompts in told.values())


def test_without_a_picture_the_text_goes(desk: Desk) -> None:
    desk.drawn.fails = True
    desk.wave()
    desk.tick()
    told = desk.told()
    assert len(told) == 14
    assert {prompt.picture for prompts in told.values() for prompt in prompts} == {None}


def test_one_wave_that_breaks_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.wave("broken")
    desk.wave("whole", people=[f"q{number}" for number in range(6)])
    monkeypatch.setattr(
        "bot.results.figures_of",
        lambda store, wave_id, *rest, **more: (
            1 / 0 if wave_id == "broken" else _figures_of(store, wave_id, *rest, **more)
        ),
    )
    for _ in range(2):
        desk.tick()
    assert "q1" in desk.told()
    assert caplog.text.count("Nobody is told of broken: ZeroDivisionError") == 1


def test_a_store_that_does_not_work_is_for_the_ticker_to_bear(desk: Desk) -> None:
    desk.wave()

    def run(job: Job) -> Any:
        raise StoreBusy

    with pytest.raises(StoreBusy):
        desk.tick(run)


def test_results_are_no_invitation(desk: Desk) -> None:
    desk.wave()
    before = desk.place.rows("select * from invitations order by 1")
    desk.tick()
    desk.told()
    assert desk.place.rows("select * from invitations order by 1") == before


def test_a_setting_that_is_changed_in_the_middle_ends_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.results._BATCH", 5)
    desk.wave()
    left = [4]

    def run(job: Job) -> Any:
        if not left[0]:
            raise Stopped
        left[0] -= 1
        return desk.place.run(job)

    with pytest.raises(Stopped):
        desk.tick(run)
    desk.share("off")
    desk.tick()
    assert 0 < len(desk.told()) < 14
    assert desk.place.rows("select told_after from results") == [{"told_after": None}]


# Asking for them -------------------------------------------------------------------------


def asked(desk: Desk, name: str, text: str, *, channel: str = "telegram") -> Prompt:
    """Let somebody who answered write, and give what they are shown."""
    desk.place.run(lambda store: _at_home(store, name, channel))
    desk.place.write(name, text, channel=channel)
    (prompt,) = [prompt for _, prompt in desk.place.deliver(channel)]
    return prompt


def _at_home(store: Store, name: str, channel: str) -> None:
    """People of the scenes live at other addresses than those of a place."""
    store._driver.run(  # type: ignore[attr-defined]
        "update addresses set platform_id = :at, chat = :chat where respondent_id = :name",
        {"at": f"id-{name}", "chat": f"chat-{name}", "name": name},
    )


def three_waves(desk: Desk) -> None:
    for number, wave_id in enumerate(("w-10", "w-11", "w-12")):
        opens_at = AT.replace(month=10 + number)
        rhythm = fielding(opens_at)
        desk.wave(wave_id, opens_at=opens_at, rhythm=rhythm)
        desk.tick()
    desk.told()


def fielding(opens_at: datetime) -> Rhythm:
    return replace(wave().rhythm, opens_on=opens_at.date())


def test_the_newest_is_shown_and_earlier_ones_are_offered(desk: Desk) -> None:
    three_waves(desk)
    newest = asked(desk, "p01", "/results")
    assert "Riverside, 1 December" in newest.text
    assert newest.picture is not None
    assert [one.label for one in newest.options] == ["2. 1 November", "3. 1 October"]
    assert "type /results 2 and so on" in newest.text
    assert len(newest.text) <= 1024
    desk.place.press("p01", newest.options[1].token)
    ((_, october),) = desk.place.deliver()
    assert "Riverside, 1 October" in october.text
    assert [one.label for one in october.options] == ["1. 1 December", "2. 1 November"]


@pytest.mark.parametrize(
    ("words", "month"),
    [
        ("/results 2", "November"),
        ("results 3", "October"),
        ("/results 1 October", "October"),
        ("Results 1 october 2026", "October"),
        ("/results 2026-11-01", "November"),
        ("canlyniadau 1 Tachwedd", "November"),
        ("/canlyniadau", "December"),
        ("results 1", "December"),
    ],
)
def test_earlier_ones_can_be_typed(desk: Desk, words: str, month: str) -> None:
    three_waves(desk)
    assert f"Riverside, 1 {month}" in asked(desk, "p01", words).text


@pytest.mark.parametrize("words", ["/results 9", "/results 2 May", "/results nonsense"])
def test_what_is_unknown_brings_the_newest(desk: Desk, words: str) -> None:
    three_waves(desk)
    shown = asked(desk, "p01", words)
    assert shown.text.startswith("I do not know those results.")
    assert "Riverside, 1 December" in shown.text


def test_in_slack_without_a_slash(desk: Desk) -> None:
    three_waves(desk)
    shown = asked(desk, "p00", "results 2", channel="slack")
    assert "Riverside, 1 November" in shown.text
    assert "type results 2 and so on" in shown.text


def test_in_the_middle_of_a_conversation_the_question_stays(desk: Desk) -> None:
    desk.wave()
    desk.tick()
    desk.told()
    place = desk.place
    place.run(lambda store: _at_home(store, "p01", "telegram"))
    place.answer("p01", "/start", "yes")
    shown = asked(desk, "p01", "results")
    assert "What people said" in shown.text
    assert "[why]" in place.answer("p01", "yes")[-1]


def test_who_is_in_no_cohort_gets_a_kind_word(desk: Desk) -> None:
    three_waves(desk)
    desk.place.write("stranger", "/privacy")
    desk.place.deliver()
    shown = asked(desk, "stranger", "/results")
    assert shown.text.startswith("You are not part of a group here yet")
    assert shown.options == ()


def test_a_wave_that_is_not_closed_is_never_shown(desk: Desk) -> None:
    desk.place.run(_open)
    desk.told()
    shown = asked(desk, "p01", "/results")
    assert "There are no results to show here yet" in shown.text


def _open(store: Store) -> None:
    of = survey()
    fielded(store, of)
    for name in PEOPLE:
        answer(store, of, name, {"share": "4"})


def test_what_is_not_to_be_shared_is_not_shown(place: Place) -> None:
    desk = Desk(place, share="off")
    desk.wave()
    desk.tick()
    assert "There are no results to show here yet" in asked(desk, "p01", "/results").text
    desk.share("ask")
    assert "What people said" in asked(desk, "p01", "/results").text


def test_a_button_of_a_wave_that_is_not_theirs_shows_nothing_of_it(desk: Desk) -> None:
    three_waves(desk)
    newest = asked(desk, "p01", "/results")
    desk.place.write("stranger", "/help")
    desk.place.deliver()
    desk.place.press("stranger", newest.options[0].token)
    ((_, shown),) = desk.place.deliver()
    assert shown.text.startswith("You are not part of a group here yet")
