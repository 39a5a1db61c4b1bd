"""The draw: everybody few questions, all questions evenly, and no one the same again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.draw import Pool, draw_balanced, draw_by_chance, newest_last, pool_of, share_out
from dialogues.loader import load_survey
from dialogues.routing import path
from dialogues.survey import Survey
from nlp.codeframe import read_codeframe
from tests.dialogues.test_routing import session
from tests.talk import shipped, survey_of

STRANDS = {code.key: code.strand or code.key for code in read_codeframe().codes}
#: Twelve enablers in four strands, as in the shipped pulses.
TWELVE = pool_of(shipped("partnership-pulse"), STRANDS)


@dataclass
class Cohort:
    """People of one cohort, drawn for wave after wave, in the order of their ids."""

    of: Pool
    count: int
    before: Counter[str] = field(default_factory=Counter)
    wave: Counter[str] = field(default_factory=Counter)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    earlier: dict[str, tuple[str, ...]] = field(default_factory=dict)
    drawn: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def draw(self, person: str, *, seed: str = "s") -> tuple[str, ...]:
        drawn = draw_balanced(
            self.of,
            self.count,
            seed=f"{seed} {person}",
            wave=self.wave,
            before=self.before,
            asked=self.asked.get(person, ()),
        )
        self.wave.update(drawn)
        self.asked[person] = newest_last(self.asked.get(person, ()), drawn)
        return drawn

    def next_wave(self) -> None:
        self.before += self.wave
        self.wave = Counter()

    def spread(self, counts: Counter[str]) -> int:
        """How much oftener the enabler drawn most was drawn than the one drawn least."""
        sums = Counter(
            {
                number: sum(
                    counts[one]
                    for one, enabler in zip(self.of.ids, self.of.enablers, strict=True)
                    if enabler == number
                )
                for number in self.of.enablers
            }
        )
        return max(sums.values()) - min(sums.values())


@st.composite
def pools(draw: st.DrawFn, *, several: bool = True) -> Pool:
    """A pool: some enablers, a strand each, and as many questions of each."""
    n_enablers = draw(st.integers(1, 12))
    strands = draw(st.lists(st.integers(0, 3), min_size=n_enablers, max_size=n_enablers))
    each = draw(st.integers(1, 3)) if several else 1
    enablers = [enabler for enabler in range(n_enablers) for _ in range(each)]
    order = draw(st.permutations(enablers))
    by_first = {
        strand: number
        for number, strand in enumerate(dict.fromkeys(strands[enabler] for enabler in order))
    }
    return Pool(
        ids=tuple(f"q{place}" for place in range(len(order))),
        enablers=tuple(order),
        strands=tuple(by_first[strands[enabler]] for enabler in order),
    )


# Balance ------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    pools(),
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.data(),
)
def test_at_every_moment_all_enablers_are_covered_alike_or_one_once_more(
    of: Pool, waves: list[int], data: st.DataObject
) -> None:
    """In the wave, and over all waves, whoever comes and in whatever order."""
    n_enablers = len(set(of.enablers))
    cohort = Cohort(of, 1)
    for n_people in waves:
        for _ in range(n_people):
            cohort.count = data.draw(st.integers(1, n_enablers))
            cohort.draw(data.draw(st.sampled_from("abcdefgh")))
            assert cohort.spread(cohort.wave) <= 1
            assert cohort.spread(cohort.before + cohort.wave) <= 1
        cohort.next_wave()


@settings(max_examples=100, deadline=None)
@given(pools(), st.integers(1, 12), st.integers(1, 40))
def test_the_questions_of_one_enabler_are_covered_alike_too(
    of: Pool, count: int, n_people: int
) -> None:
    cohort = Cohort(of, min(count, len(set(of.enablers))))
    for person in range(n_people):
        cohort.draw(str(person))
        for enabler in set(of.enablers):
            counts = [
                cohort.wave[one]
                for one, of_enabler in zip(of.ids, of.enablers, strict=True)
                if of_enabler == enabler
            ]
            assert max(counts) - min(counts) <= 1


@settings(max_examples=100, deadline=None)
@given(pools(), st.data())
def test_also_where_everybody_gets_several_questions_of_an_enabler(
    of: Pool, data: st.DataObject
) -> None:
    cohort = Cohort(of, data.draw(st.integers(1, len(of.ids))))
    for person in range(data.draw(st.integers(1, 20))):
        drawn = cohort.draw(str(person))
        assert len(set(drawn)) == cohort.count
        assert cohort.spread(cohort.wave) <= 1


@given(pools(), st.integers(0, 50), st.sampled_from(["balanced", "by chance"]))
def test_a_draw_is_of_the_pool_in_its_order_and_as_many_as_there_are(
    of: Pool, count: int, way: str
) -> None:
    if way == "balanced":
        drawn = draw_balanced(of, count, seed="s", wave={}, before={})
    else:
        drawn = draw_by_chance(of, count, seed="s")
    assert [one for one in of.ids if one in drawn] == list(drawn)
    assert len(drawn) == min(count, len(of.ids))


def test_a_new_question_catches_up_without_pushing_out_the_others() -> None:
    """A revision adds an enabler: in each wave it is drawn as often as any, once more at most."""
    cohort = Cohort(TWELVE, 4)
    cohort.before = Counter(dict.fromkeys(TWELVE.ids[:-1], 100))
    newest = TWELVE.ids[-1]
    for _ in range(20):
        for person in "abcdefg":
            cohort.draw(person)
        assert cohort.wave[newest] == max(cohort.wave.values())
        assert cohort.spread(cohort.wave) <= 1
        cohort.next_wave()


# Who gets what ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_draw_and_another_person_another() -> None:
    def drawn(seed: str) -> tuple[str, ...]:
        return draw_balanced(TWELVE, 4, seed=seed, wave={}, before={})

    assert drawn("a") == drawn("a")
    assert len({drawn(str(number)) for number in range(200)}) > 50


def test_nobody_gets_two_of_a_strand_while_there_is_another() -> None:
    for count in (1, 2, 3, 4, 8, 12):
        cohort = Cohort(TWELVE, count)
        for person in range(50):
            drawn = cohort.draw(str(person))
            of_strand = Counter(TWELVE.strands[TWELVE.ids.index(one)] for one in drawn)
            assert max(of_strand.values()) <= -(-count // 4)


def fielded(n_people: int, count: int, *, n_waves: int, churn: int, seed: int) -> Iterator[Cohort]:
    """Waves of a cohort, all drawn at once; yields after each, with what was given before it."""
    chance = Random(seed)
    cohort = Cohort(TWELVE, count)
    people = [f"{number:05}" for number in range(n_people)]
    for wave in range(n_waves):
        cohort.earlier = dict(cohort.asked)
        people.sort()
        draws = [cohort.draw(person, seed=str(wave)) for person in people]
        asked = [cohort.earlier.get(person, ()) for person in people]
        shared = share_out(TWELVE, draws, asked)
        assert Counter(one for drawn in shared for one in drawn) == cohort.wave
        cohort.drawn = dict(zip(people, shared, strict=True))
        for person, before, drawn in zip(people, asked, shared, strict=True):
            cohort.asked[person] = newest_last(before, drawn)
        yield cohort
        cohort.next_wave()
        for number in range(churn):
            people[chance.randrange(n_people)] = f"{chance.randrange(100_000):05}-{wave}-{number}"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.sampled_from([1, 2, 3, 4]), st.integers(0, 6), st.integers())
def test_nobody_invited_with_others_gets_again_what_they_had_last_time(
    n_people: int, count: int, churn: int, seed: int
) -> None:
    for cohort in fielded(n_people, count, n_waves=6, churn=min(churn, n_people), seed=seed):
        assert cohort.spread(cohort.wave) <= 1
        assert cohort.spread(cohort.before + cohort.wave) <= 1
        for person, drawn in cohort.drawn.items():
            assert len(drawn) == count
            assert not set(drawn) & set(cohort.earlier.get(person, ())[-count:])
            if count == 4:
                assert len({TWELVE.strands[TWELVE.ids.index(one)] for one in drawn}) == 4


def test_a_steady_cohort_goes_through_nearly_the_whole_pool_in_three_waves() -> None:
    for n_people in (3, 9, 31, 100):
        *_, cohort = fielded(n_people, 4, n_waves=3, churn=0, seed=1)
        had = [len(asked) for asked in cohort.asked.values()]
        assert min(had) >= 8
        assert sum(had) >= 0.95 * 12 * n_people


def test_exchanging_leaves_what_cannot_be_helped() -> None:
    """Two people with the same last time, and only that to share out."""
    of = Pool(ids=("a", "b"), enablers=(0, 1), strands=(0, 0))
    assert share_out(of, [("a",), ("a",)], [("a",), ("a",)]) == [("a",), ("a",)]
    assert share_out(of, [("a",), ("b",)], [("a",), ("b",)]) == [("b",), ("a",)]
    assert share_out(of, [("a",), ()], [("a",), ()]) == [("a",), ()]


# By chance ----------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(pools(several=False), st.integers(1, 12))
def test_by_chance_every_question_is_as_likely_as_any(of: Pool, count: int) -> None:
    count = min(count, len(of.ids))
    n_draws = 2_000
    counts = Counter(
        one for number in range(n_draws) for one in draw_by_chance(of, count, seed=str(number))
    )
    share = count / len(of.ids)
    spread = 5 * (n_draws * share * (1 - share)) ** 0.5
    for one in of.ids:
        assert abs(counts[one] - n_draws * share) <= spread


@given(st.integers(), st.sampled_from([1, 2, 3, 4, 8, 12]))
def test_by_chance_the_strands_get_the_same_too(number: int, count: int) -> None:
    drawn = draw_by_chance(TWELVE, count, seed=str(number))
    of_strand = Counter(TWELVE.strands[TWELVE.ids.index(one)] for one in drawn)
    assert max(of_strand.values()) <= -(-count // 4)


@given(st.integers(), st.integers(1, 12))
def test_by_chance_who_is_known_gets_what_they_never_had(number: int, count: int) -> None:
    asked: tuple[str, ...] = ()
    for time in range(8):
        drawn = draw_by_chance(TWELVE, count, seed=f"{number} {time}", asked=asked)
        assert len(drawn) == count
        never = len(TWELVE.ids) - len(asked)
        assert len(set(drawn) - set(asked)) == min(never, count)
        oldest = asked[: max(0, count - never)]
        assert set(drawn) & set(asked) == set(oldest)
        asked = newest_last(asked, drawn)


# The pool -----------------------------------------------------------------------------------


def linked() -> Survey:
    return survey_of(
        {"id": "open", "kind": "text", "text": "Anything?"},
        {"id": "goals", "kind": "yesno", "text": "Goals?", "enabler": "shared_goals"},
        {
            "id": "goals_more",
            "kind": "scale",
            "text": "You said {goals}. How sure?",
            "labels": ["1", "2", "3"],
            "enabler": "insight",
        },
        {"id": "risk", "kind": "yesno", "text": "After {open}: risk?", "enabler": "risk"},
        {
            "id": "sure_why",
            "kind": "text",
            "text": "Why?",
            "show_if": {"goals_more": {"at_most": 2}},
        },
        {
            "id": "both",
            "kind": "text",
            "text": {"en": "How do they fit?", "cy": "{goals} a {risk}?"},
        },
        languages=["en", "cy"],
    )


def test_what_shows_an_answer_of_the_pool_comes_with_it() -> None:
    survey = linked()
    assert survey.pool == ("goals", "risk")
    assert survey.drawn_with["sure_why"] == {"goals"}
    assert survey.drawn_with["both"] == {"goals", "risk"}

    def asked(*draw: str) -> Iterator[str]:
        for question in path(survey, session(draw=draw, goals="yes", goals_more="1")):
            yield question.id

    assert list(asked()) == ["open"]
    assert list(asked("goals")) == ["open", "goals", "goals_more", "sure_why"]
    assert list(asked("risk")) == ["open", "risk"]
    assert "both" in list(asked("goals", "risk"))


@pytest.mark.parametrize("name", ["partnership-pulse", "citizen-pulse"])
def test_the_shipped_pulses_have_twelve_to_draw_from(name: str) -> None:
    assert len(shipped(name).pool) == 12
    assert Counter(pool_of(shipped(name), STRANDS).strands) == {0: 3, 1: 3, 2: 3, 3: 3}


def test_what_a_person_was_given_has_the_newest_last() -> None:
    assert newest_last(("a", "b", "c"), ("b", "d")) == ("a", "c", "b", "d")
    assert all(one < two for one, two in pairwise(newest_last((), ("a", "b"))))


def test_a_question_asked_of_some_by_another_is_in_no_pool() -> None:
    survey = load_survey(
        {
            "survey": "s",
            "title": "S",
            "consent": {"text": "?"},
            "question": [
                {"id": "here", "kind": "yesno", "text": "Here?"},
                {
                    "id": "risk",
                    "kind": "yesno",
                    "text": "Risk?",
                    "enabler": "risk",
                    "show_if": {"here": {"is": True}},
                },
            ],
        },
        enablers=["risk"],
    )
    assert survey.pool == ()
    assert survey.drawn_with["risk"] == frozenset()
