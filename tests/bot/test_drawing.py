"""Planned missingness in an installation: balanced, repeatable, and of the anonymous nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.runner import Runner
from bot.visit import Checkin
from storage.open import open_store
from storage.protocol import Store
from storage.writer import Writer
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.bot.ports import FakeClock, ids
from tests.talk import survey_of

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
NEXT = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)
#: Twelve enablers, three of each strand, and a question for everybody.
ENABLERS = [
    *("insight", "brokerage", "design", "shared_goals", "risk", "resources"),
    *("agility", "innovation", "leadership", "evidence", "engagement_democracy", "transparency"),
]
MANY = survey_of(
    *(
        {"id": f"p_{enabler}", "kind": "yesno", "text": f"{enabler}?", "enabler": enabler}
        for enabler in ENABLERS
    ),
    {"id": "open", "kind": "text", "text": "Anything else?"},
    survey="many",
)
HIDDEN = MANY.model_copy(update={"survey_id": "hidden", "anonymity": "anonymous"})
FOUR = replace(MONTHLY, survey_id="many", questions_per_person=4)


def drawn(place: Place, wave_id: str | None = None) -> dict[str, tuple[str, ...]]:
    """What each person was given, in a wave or newest."""
    rows = place.rows("select respondent_id, wave_id, body from sessions order by updated_at")
    return {
        row["respondent_id"]: tuple(json.loads(row["body"])["draw"])
        for row in rows
        if wave_id in (None, row["wave_id"])
    }


def spread(counts: Counter[str]) -> int:
    every = [counts[f"p_{enabler}"] for enabler in ENABLERS]
    return max(every) - min(every)


@contextmanager
def installation(folder: Path, *, start: int = 0) -> Iterator[Place]:
    """One more place, whose ids by chance begin at a number of their own."""
    url = f"sqlite:///{folder}/pulse.db"
    folder.mkdir()
    writer = Writer(lambda: open_store(url))
    new_id = ids()
    for _ in range(start):
        new_id()
    yield Place(writer, FakeClock(OPENS - timedelta(hours=1)), url, new_id=new_id)
    writer.close()


def people(number: int, *, first: int = 0) -> list[str]:
    return [f"p{n:04}" for n in range(first, first + number)]


def test_a_wave_covers_every_question_alike_whoever_comes(place: Place) -> None:
    place.set_up(FOUR, more=(MANY,))
    place.join(*people(31))
    place.tick(OPENS)
    assert spread(Counter(one for draw in drawn(place).values() for one in draw)) == 1
    place.join(*people(7, first=100))
    place.clock.at = OPENS + timedelta(hours=2)
    place.answer("p0100", "/start")  # Comes before the invitation.
    place.tick(OPENS + timedelta(hours=3))
    counts = Counter(one for draw in drawn(place).values() for one in draw)
    assert sum(counts.values()) == 4 * 38
    assert spread(counts) == 1
    kept = {row["question_id"]: row["n"] for row in place.rows("select * from draws")}
    assert kept == counts


def test_over_the_waves_of_a_cohort_too_and_nobody_gets_the_same_again(place: Place) -> None:
    place.set_up(FOUR, more=(MANY,))
    place.join(*people(31))
    place.tick(OPENS)
    first = drawn(place)
    place.tick(NEXT)
    second = drawn(place, f"monthly-riverside-{NEXT.date()}")
    both = Counter(one for draws in (first, second) for draw in draws.values() for one in draw)
    assert spread(both) <= 1
    assert not [name for name in first if set(first[name]) & set(second[name])]


def test_each_cohort_is_covered_by_itself(place: Place) -> None:
    other = replace(RIVERSIDE, name="hillside", place=None, code=None)
    pulse = replace(FOUR, cohorts=("riverside", "hillside"))
    place.set_up(pulse, cohorts=(RIVERSIDE, other), more=(MANY,))
    place.join(*people(5))
    place.join(*people(8, first=50), cohort="hillside")
    place.tick(OPENS)
    for cohort in ("riverside", "hillside"):
        draws = drawn(place, f"monthly-{cohort}-2026-12-01").values()
        assert spread(Counter(one for draw in draws for one in draw)) <= 1


def test_a_seed_gives_the_same_draws_again(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate(["preregistered", "preregistered", "another", None, None]):
        with installation(tmp_path / str(number), start=number) as place:
            place.set_up(replace(FOUR, seed=seed), more=(MANY,))
            place.join(*people(20))
            place.tick(OPENS)
            place.tick(NEXT)
            first, _ = place.rows("select wave_id, seed from waves order by wave_id")
            assert first["seed"] == seed or seed is None
            found.append((drawn(place, first["wave_id"]), drawn(place)))
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert found[3] != found[4]


def test_the_seed_of_a_wave_under_way_stays(place: Place) -> None:
    place.set_up(replace(FOUR, seed="one"), more=(MANY,))
    place.tick(OPENS)
    place.set_up(replace(FOUR, seed="two"), more=(MANY,))
    place.join("ann")
    place.tick(OPENS + timedelta(hours=1))
    assert [row["seed"] for row in place.rows("select seed from waves")] == ["one"]


def test_who_is_in_the_wave_already_is_counted_once(place: Place) -> None:
    place.set_up(FOUR, more=(MANY,))
    place.join("ann")
    place.tick(OPENS)
    [wave] = place.run(lambda store: store.waves())

    def again(store: Store) -> bool:
        respondent = store.respondent("ann")
        assert respondent is not None
        return place.runner.open_session(
            store,
            respondent,
            Checkin(survey=MANY, cohort="riverside", wave=wave),
            event_id="e",
            now=place.clock(),
        )

    assert not place.run(again)
    assert sum(row["n"] for row in place.rows("select n from draws")) == 4
    [given] = place.rows("select questions from drawn")
    assert given["questions"] == "|".join(drawn(place)["ann"])


def test_a_draw_that_is_taken_back_leaves_no_trace(place: Place) -> None:
    place.set_up(FOUR, more=(MANY,))
    place.tick(OPENS)
    place.join(*people(6))
    [wave] = place.run(lambda store: store.waves())

    def job(store: Store) -> None:
        drawer = place.runner.drawer(store, Checkin(survey=MANY, cohort="riverside", wave=wave))
        drawer.draw_all(people(6))
        for name in people(6):
            assert len(drawer.draw(name) or ()) == 4
        for name in people(3):
            drawer.take_back(name)
        drawer.save()
        drawer.save()

    place.run(job)
    counts = Counter({row["question_id"]: row["n"] for row in place.rows("select * from draws")})
    assert sum(counts.values()) == 12
    assert len(place.rows("select * from drawn")) == 3


def test_outside_waves_who_comes_again_gets_what_they_never_had(place: Place) -> None:
    place.set_up(FOUR, cohorts=(replace(RIVERSIDE, survey_id="many"),), more=(MANY,))
    place.join("ann", "bob")
    had: list[str] = []
    for _ in range(3):
        place.answer("ann", "/start", "yes")
        questions = drawn(place)["ann"]
        assert len(questions) == 4
        assert not set(questions) & set(had)
        had += questions
        place.answer("ann", "yes", "yes", "yes", "yes", "Nothing.")
    assert set(had) == set(MANY.pool)
    assert place.rows("select * from draws") == []


def test_nobody_draws_where_everybody_is_asked_everything(place: Place) -> None:
    place.set_up(replace(FOUR, questions_per_person=None), more=(MANY,))
    place.join("ann")
    place.tick(OPENS)
    assert "draw" not in json.loads(place.rows("select body from sessions")[0]["body"])
    assert place.rows("select * from draws") == place.rows("select * from drawn") == []
    assert place.rows("select seed from waves")[0]["seed"] is None


class TestAnonymous:
    """Nothing that is kept, and nothing that can be worked out, tells who was asked what."""

    def test_nothing_of_a_draw_is_kept_beside_the_conversation(self, place: Place) -> None:
        place.set_up(replace(FOUR, survey_id="hidden"), more=(HIDDEN,))
        place.join("ann", "bob")
        place.tick(OPENS)
        place.answer("ann", "yes", "yes", "yes", "yes", "yes", "Nothing.", "send")
        assert place.rows("select * from draws") == place.rows("select * from drawn") == []
        assert place.rows("select seed from waves")[0]["seed"] is None
        [loose] = place.rows("select drawn, respondent_id from responses where ended_at <> ''")
        assert (loose["drawn"], loose["respondent_id"]) == (None, None)

    def test_the_same_people_have_other_questions_each_time(self, tmp_path: Path) -> None:
        found = []
        for number in (0, 1):
            with installation(tmp_path / str(number), start=100 * number) as place:
                place.set_up(replace(FOUR, survey_id="hidden", seed="given"), more=(HIDDEN,))
                place.join(*people(6))
                place.tick(OPENS)
                found.append(drawn(place))
        assert found[0].keys() == found[1].keys()
        assert all(found[0][name] != found[1][name] for name in found[0])

    @pytest.mark.parametrize("survey", [HIDDEN, MANY], ids=["anonymous", "confidential"])
    def test_who_comes_last_has_not_what_is_left(self, tmp_path: Path, survey: str) -> None:
        """Twelve questions shared out among three people leave four that a fourth of a
        balanced draw would have, if the third had not come; so only the anonymous must not.
        """
        forced = 0
        for number in range(12):
            with installation(tmp_path / str(number), start=7 * number) as place:
                place.set_up(replace(FOUR, survey_id=survey.survey_id), more=(survey,))
                place.join(*people(2))
                place.tick(OPENS)
                place.join("zoe")
                place.tick(OPENS + timedelta(days=1))
                draws = drawn(place)
                others = {one for name in people(2) for one in draws[name]}
                forced += not others & set(draws["zoe"])
        assert (forced == 12) is (survey is MANY)
        assert forced < 12 or survey is MANY


def test_the_runner_gives_seeds_of_its_own(place: Place) -> None:
    assert isinstance(place.runner, Runner)
    assert place.runner.new_id() != place.runner.new_id()
