"""The figures of small waves, counted by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialogues.coding import Codeframe, Coding, Said, Stance, coder_id
from nlp.codeframe import read_codeframe
from storage.open import open_store
from storage.protocol import PassedOver
from storage.reports import Mention, Span, Statement, WaveFigures, figures_of
from storage.reports.figures import decode_figures, encode_figures
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from tests.contract.scenes import AT, person
from tests.reports.scenes import answer, close, fielded, invite, survey, tag


@pytest.fixture(scope="module")
def codeframe() -> Codeframe:
    return read_codeframe()


def figures(store: SqlStore, codeframe: Codeframe, *, anonymous: bool = False) -> WaveFigures:
    return figures_of(store, "w", survey(anonymous=anonymous), codeframe, least=5)


def twelve_people(store: SqlStore, *, anonymous: bool = False) -> None:
    """Twelve of twenty answer.

    | | 1 | 2 | 3 | 4 | 5 | none |
    | share | 1 | 2 | 2 | 4 | 3 | |: 7 of 12 agree
    | alone | 0 | 0 | 1 | 5 | 5 | 1 |: 10 of 11 agree
    asked: 2 of 12 yes. who: council 7, board 2, nobody 3. age measures no enabler.
    """
    of = survey(anonymous=anonymous)
    fielded(store, of)
    share = [1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5]
    alone = [3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, None]
    who = ["the_council"] * 7 + ["the_health_board"] * 2 + ["nobody"] * 3
    for number in range(12):
        answer(
            store,
            of,
            f"p{number:02}",
            {
                "share": str(share[number]),
                "alone": None if alone[number] is None else str(alone[number]),
                "asked": "yes" if number < 2 else "no",
                "who": who[number],
                "age": "3",
                "why": "money" if number < 9 else None,
                "more": "trust" if number in (0, 9, 10, 11) else None,
            },
        )
    invite(store, of, *(f"silent{number}" for number in range(8)))


def test_a_wave_by_hand(store: SqlStore, codeframe: Codeframe) -> None:
    twelve_people(store)
    tag(
        store,
        {
            "money": [("resources", "gap"), ("agility", "neutral")],
            "trust": [("transparency", "strength")],
        },
    )
    close(store)
    assert figures(store, codeframe) == WaveFigures(
        least=5,
        invited=20,
        took_part=Span(low=12, high=12, of=20),
        statements=(
            Statement(question_id="share", enabler="resources", share=Span(low=7, high=7, of=12)),
            Statement(
                question_id="alone",
                enabler="brokerage",
                share=Span(low=7, high=11, of=11),
                good=False,
            ),
            Statement(question_id="asked", enabler="engagement", share=Span(low=0, high=4, of=12)),
            Statement(
                question_id="who",
                enabler="leadership",
                share=Span(low=7, high=7, of=12),
                choice="the_council",
            ),
        ),
        # Nine of the twelve who wrote named money, four trust: too few to tell.
        mentions=(Mention(enabler="resources", strength=None, gap=Span(low=8, high=12, of=12)),),
    )


def test_an_anonymous_wave_gives_the_same(store: SqlStore, codeframe: Codeframe) -> None:
    twelve_people(store, anonymous=True)
    tag(store, {"money": [("resources", "gap")]})
    close(store)
    other = open_store("sqlite://")
    twelve_people(other)
    tag(other, {"money": [("resources", "gap")]})
    close(other)
    assert figures(store, codeframe, anonymous=True) == figures(other, codeframe)


def test_a_person_counts_once_however_often_they_name_something(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number in range(14):
        both = {"why": "money", "more": "money"}
        answer(store, of, f"p{number}", both if number < 7 else {"why": "nothing"})
    tag(store, {"money": [("resources", "gap"), ("resources", "strength")]})
    close(store)
    (mention,) = figures(store, codeframe).mentions
    assert mention.gap == mention.strength == Span(low=7, high=7, of=14)


def test_what_a_person_rejects_or_a_newer_model_does_not_find_is_not_counted(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number in range(12):
        answer(store, of, f"p{number}", {"why": "money", "share": "4"})
    tag(store, {"money": [("resources", "gap"), ("trust", "gap"), ("insight", "gap")]}, coder="m@1")
    close(store)
    assert [one.enabler for one in figures(store, codeframe).mentions] == ["insight", "resources"]
    run = store._driver.run
    run("update codings set status = 'rejected' where enabler = 'resources'", {})
    run("update answers set tagged_by = 'm@2'", {})
    run("update codings set status = 'confirmed' where enabler = 'insight'", {})
    assert [one.enabler for one in figures(store, codeframe).mentions] == ["insight"]
    run("update codings set coder = 'm@2' where enabler = 'resources'", {})
    run("update codings set status = 'suggested' where enabler = 'resources'", {})
    assert [one.enabler for one in figures(store, codeframe).mentions] == ["insight", "resources"]


def test_who_read_an_answer_last_says_what_it_holds(store: SqlStore, codeframe: Codeframe) -> None:
    of = survey()
    fielded(store, of)
    for number in range(12):
        answer(store, of, f"p{number}", {"why": "money", "share": "4"})
    tag(store, {"money": [("resources", "gap")]})
    close(store)
    store.draw_sample(Drawing(mode=SampleMode.RANDOM, n=12, seed="x"), sample_id="x", at=AT)
    trust = Coding(
        enabler="transparency", stance=Stance.GAP, span_text="", span_start=0, span_end=0,
        confidence=1.0,
    )  # fmt: skip
    for days, name, said in [(0, "mair", Said.CONFIRMED), (1, "bob", Said.REJECTED)]:
        for number in range(12):
            one = store.next_to_review(coder_id(f"{name}{number}"), "x")
            if one is None:
                store._driver.run("update sampled set coders_wanted = 2", {})
                store._driver.run("update reviews set blind = 1", {})
                one = store.next_to_review(coder_id(f"{name}{number}"), "x")
            assert one is not None
            assert store.save_review(
                one, [(trust, said)], coder=coder_id(f"{name}{number}"), state="done",
                coding_ids=[f"{name}{number}"], codeframe_version="1",
                at=AT + timedelta(days=days),
            )  # fmt: skip
        found = [one.enabler for one in figures(store, codeframe).mentions]
        assert found == (["transparency"] if name == "mair" else [])


@pytest.mark.parametrize("n", range(5))
def test_of_too_few_people_nothing_is_told(store: SqlStore, codeframe: Codeframe, n: int) -> None:
    of = survey()
    fielded(store, of)
    for number in range(n):
        answer(store, of, f"p{number}", {"share": "4", "why": "money"})
    answer(store, of, "skips", {"share": None, "why": None})
    invite(store, of, "silent")
    tag(store, {"money": [("resources", "gap")]})
    close(store)
    assert figures(store, codeframe) == WaveFigures(least=5, invited=n + 2, took_part=None)


def test_who_was_passed_over_is_not_among_those_who_were_invited(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number in range(7):
        answer(store, of, f"p{number}", {"share": "4"})
    invite(store, of, *(f"silent{number}" for number in range(4)))
    person(store, "tired")
    store.join("tired", "riverside", on=AT.date())
    found, _ = store.candidates("w", consent_revision=of.consent_revision, roles=(), since=AT)
    (tired,) = found
    passed = PassedOver(candidate=tired, invitation_id="i-tired", reason="fatigue")
    store.pass_over("w", [passed], at=AT)
    close(store)
    told = figures(store, codeframe)
    assert (told.invited, told.took_part) == (11, Span(low=7, high=11, of=11))


def test_a_question_that_few_answered_is_withheld_and_the_rest_is_not(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number in range(10):
        values = {"share": str(number % 5 + 1), "asked": "yes"}
        answer(store, of, f"p{number}", {**values, "alone": "4"} if number < 4 else values)
    close(store)
    told = {one.question_id: one.share for one in figures(store, codeframe).statements}
    assert told == {
        "share": Span(low=0, high=4, of=10),
        "alone": None,
        "asked": Span(low=6, high=10, of=10),
        "who": None,
    }


def test_which_choice_came_first_is_told_only_of_enough_people(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number, choice in enumerate(
        ["nobody"] * 4 + ["the_council"] * 3 + ["the_health_board"] * 4
    ):
        answer(store, of, f"p{number}", {"who": choice})
    close(store)
    who = figures(store, codeframe).statements[-1]
    assert (who.question_id, who.choice, who.share) == ("who", None, None)


def test_everybody_took_part_is_no_more_than_that_enough_did(
    store: SqlStore, codeframe: Codeframe
) -> None:
    of = survey()
    fielded(store, of)
    for number in range(6):
        answer(store, of, f"p{number}", {"share": "4"})
    close(store)
    assert figures(store, codeframe).took_part == Span(low=5, high=6, of=6)


def test_figures_read_back_as_they_were(store: SqlStore, codeframe: Codeframe) -> None:
    twelve_people(store)
    tag(store, {"money": [("resources", "gap")]})
    close(store)
    made = figures(store, codeframe)
    assert decode_figures(encode_figures(made)) == made
    few = WaveFigures(least=5, invited=3, took_part=None)
    assert decode_figures(encode_figures(few)) == few


def test_what_is_kept_of_figures_holds_no_count_that_did_not_pass(
    store: SqlStore, codeframe: Codeframe
) -> None:
    """Whoever agrees more or less within a span leaves the same figures behind."""
    kept = set()
    for agree in (0, 4):
        fresh = open_store("sqlite://")
        of = survey()
        fielded(fresh, of)
        for number in range(12):
            answer(fresh, of, f"p{number}", {"share": "5" if number < agree else "1"})
        close(fresh)
        kept.add(encode_figures(figures(fresh, codeframe)))
    assert len(kept) == 1
