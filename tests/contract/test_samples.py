"""Samples: which answers are drawn, how likely each was, and how many are to read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dialogues.coding import Said, coder_id
from dialogues.effects import ResponseSubmitted
from dialogues.session import Missing, Status
from storage.protocol import UntaggedAnswer
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from tests.contract.reading import (
    BOB,
    GAP,
    JOINT,
    MAIR,
    MONEY,
    STRENGTH,
    WORDS,
    answer,
    coding,
    draw,
    give,
    place_of,
    review_all,
    save,
    tag,
)
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    answered,
    consented,
    go_on,
    person,
    rows,
    wave,
)


def test_a_random_sample_keeps_how_likely_each_was(few: SqlStore) -> None:
    sample = draw(few, n=4, double_share=0.5)
    assert (sample.n_population, sample.n_drawn) == (10, 4)
    kept = rows(few, "sampled")
    assert {row["probability"] for row in kept} == {0.4}
    assert sorted(row["place"] for row in kept) == [1, 2, 3, 4]
    assert sorted(row["coders_wanted"] for row in kept) == [1, 1, 2, 2]
    assert few.sample("x") == replace(sample, drawing=replace(sample.drawing, n=4))
    assert few.sample("y") is None


def test_the_seed_alone_decides(few: SqlStore) -> None:
    for sample_id, seed in [("x", "one"), ("y", "one"), ("z", "two")]:
        draw(few, sample_id, n=6, seed=seed)
    assert place_of(few, "x") == place_of(few, "y")
    assert place_of(few, "x") != place_of(few, "z")
    # The same on every engine, and for ever: what is written down can be drawn again.
    assert place_of(few, "x") == ["s-p9", "s-p0", "s-p6", "s-p5", "s-p2", "s-p8"]
    assert [one.sample_id for one in few.samples()] == ["z", "y", "x"]


def test_every_answer_is_as_likely_as_the_others(few: SqlStore) -> None:
    counts = dict.fromkeys((f"s-p{n}" for n in range(10)), 0)
    for number in range(200):
        draw(few, f"x{number}", n=3, seed=f"seed {number}")
        for response_id in place_of(few, f"x{number}"):
            counts[response_id] += 1
    # 60 expected, with a standard deviation of 6.5.
    assert sum(counts.values()) == 600
    assert all(35 <= n <= 85 for n in counts.values()), counts


def test_more_than_there_are_draws_all(few: SqlStore) -> None:
    sample = draw(few, n=1000)
    assert (sample.n_population, sample.n_drawn) == (10, 10)
    assert {row["probability"] for row in rows(few, "sampled")} == {1.0}
    assert draw(few, "y", survey_id="other").n_drawn == 0


def test_only_words_of_open_questions_are_drawn(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    go_on(
        store,
        ann,
        answered("goals", "yes", text="yes"),
        answered("why", "words", text="words"),
        answered("more", None, missing=Missing.SKIPPED),
    )
    assert draw(store).n_population == 1
    assert rows(store, "sampled")[0]["question_id"] == "why"


def test_a_sample_can_be_of_a_wave_or_a_cohort(store: SqlStore) -> None:
    store.keep_survey(CONFIDENTIAL, at=AT)
    store.open_wave(wave("w"))
    for name, wave_id in [("ann", "w"), ("bob", None)]:
        answer(store, name, wave_id=wave_id)
    draw(store, "x", wave_id="w")
    draw(store, "y", cohort="riverside")
    draw(store, "z", survey_id="pulse")
    assert (place_of(store, "x"), place_of(store, "y")) == (["s-ann"], ["s-ann"])
    assert sorted(place_of(store, "z")) == ["s-ann", "s-bob"]


def test_the_least_certain_come_first(store: SqlStore) -> None:
    for name in ["ann", "bob", "cat"]:
        answer(store, name)
    sure = {"s-ann": 0.95, "s-bob": 0.41, "s-cat": 0.6}
    for untagged in store.untagged("m@1", limit=9):
        tag(store, untagged, coding("trust", confidence=sure[untagged.response_id]))
    draw(store, mode=SampleMode.UNCERTAIN, n=2)
    assert place_of(store) == ["s-bob", "s-cat"]
    assert {row["probability"] for row in rows(store, "sampled")} == {None}
    # What somebody has read need not be asked for again.
    save(store, give(store))
    draw(store, "y", mode=SampleMode.UNCERTAIN, n=2)
    assert place_of(store, "y") == ["s-cat", "s-ann"]


def test_a_code_is_looked_for_in_what_the_newest_tagger_says(few: SqlStore) -> None:
    assert draw(few, mode=SampleMode.CODE, enabler="resources", n=3).n_population == 10
    assert draw(few, "y", mode=SampleMode.CODE, enabler="risk").n_drawn == 0
    few._driver.run("update answers set tagged_by = 'm@2' where response_id <> 's-p1'", {})
    draw(few, "z", mode=SampleMode.CODE, enabler="resources")
    assert place_of(few, "z") == ["s-p1"]


def test_disagreements_come_by_who_disagrees(few: SqlStore) -> None:
    draw(few, n=3, double_share=1.0)
    first, second, third = place_of(few)
    suggested = [(coding("trust"), Said.CONFIRMED), (coding("resources"), Said.CONFIRMED)]
    other = [(GAP, Said.CONFIRMED)]
    for _ in range(3):
        one = give(few)
        save(few, one, *(other if one.response_id == second else suggested))
    for _ in range(3):
        one = give(few, BOB)
        both = suggested if one.response_id == first else other
        save(few, one, *both, coder=BOB)
    # The first everybody reads alike; of the third Bob alone thinks otherwise.
    draw(few, "y", mode=SampleMode.DISAGREEMENT)
    assert place_of(few, "y") == [third, second]
    # Who is to settle it has read none of them, and is shown what everybody said.
    assert few.next_to_review(MAIR, "y") is None
    one = give(few, JOINT, "y")
    assert one.response_id == third
    said = sorted((kept.coder, kept.coding.enabler) for kept in one.suggested)
    assert said == [
        (BOB, "trust"),
        (MAIR, "resources"),
        (MAIR, "trust"),
        ("m@1", "resources"),
        ("m@1", "trust"),
    ]


def test_what_another_has_settled_is_disputed_no_more(few: SqlStore) -> None:
    draw(few, n=2, double_share=1.0)
    for said, coder in [(GAP, MAIR), (STRENGTH, BOB)]:
        review_all(few, (said, Said.CONFIRMED), coder=coder)
    assert draw(few, "y", mode=SampleMode.DISAGREEMENT).n_drawn == 2
    # Skipped is not settled; what is settled otherwise than everybody said is.
    save(few, give(few, JOINT, "y"), coder=JOINT, skip=True)
    settled = give(few, JOINT, "y")
    save(few, settled, (MONEY, Said.CONFIRMED), coder=JOINT, at=MUCH_LATER)
    draw(few, "z", mode=SampleMode.DISAGREEMENT)
    assert settled.response_id not in place_of(few, "z")
    assert len(place_of(few, "z")) == 1
    # Nor does another model open it again.
    tag(few, UntaggedAnswer(response_id=settled.response_id, question_id="why", question="why",
                            text=WORDS, language="en"), coder="m@2")  # fmt: skip
    assert draw(few, "n", mode=SampleMode.DISAGREEMENT).n_drawn == 1
    # Who reads it anew, and otherwise, does.
    later = MUCH_LATER + timedelta(days=1)
    anew = replace(settled, sample_id="x", blind=True)
    save(few, anew, (GAP, Said.CONFIRMED), coder=coder_id("eve"), at=later)
    draw(few, "e", mode=SampleMode.DISAGREEMENT)
    assert settled.response_id in place_of(few, "e")


def test_who_reads_twice_is_drawn_apart_from_the_places(few: SqlStore) -> None:
    draw(few, n=4, double_share=0.4)
    assert sum(row["coders_wanted"] == 2 for row in rows(few, "sampled")) == 2
    draw(few, "y", double_share=0.5)
    kept = [row for row in rows(few, "sampled") if row["sample_id"] == "y"]
    twice = sorted(row["place"] for row in kept if row["coders_wanted"] == 2)
    assert len(twice) == 5
    assert twice != [1, 2, 3, 4, 5]


def test_only_disagreements_of_what_was_asked_for_are_drawn(store: SqlStore) -> None:
    store.keep_survey(CONFIDENTIAL, at=AT)
    store.open_wave(wave("w"))
    for name, wave_id in [("ann", "w"), ("bob", None)]:
        answer(store, name, wave_id=wave_id)
    draw(store, double_share=1.0)
    review_all(store, (GAP, Said.CONFIRMED), coder=MAIR)
    # Another stance is another reading.
    review_all(store, (STRENGTH, Said.CONFIRMED), coder=BOB)
    disagreements = {"mode": SampleMode.DISAGREEMENT}
    draw(store, "y", wave_id="w", **disagreements)
    draw(store, "z", cohort="riverside", **disagreements)
    assert place_of(store, "y") == place_of(store, "z") == ["s-ann"]
    assert draw(store, "all", survey_id=CONFIDENTIAL.survey_id, **disagreements).n_drawn == 2
    assert draw(store, "none", survey_id="other", **disagreements).n_drawn == 0


def test_who_only_skipped_an_answer_disagrees_with_nobody(few: SqlStore) -> None:
    draw(few, n=1, double_share=1.0)
    suggested = [(coding("trust"), Said.CONFIRMED), (coding("resources"), Said.CONFIRMED)]
    save(few, give(few), *suggested)
    save(few, give(few, BOB), coder=BOB, skip=True)
    assert draw(few, "y", mode=SampleMode.DISAGREEMENT).n_drawn == 0
    progress = few.review_progress("x")
    assert (progress.done, progress.skipped) == ({MAIR: 1}, {BOB: 1})


def test_anonymous_words_are_drawn_once_they_are_nobodys_and_the_wave_is_closed(
    store: SqlStore,
) -> None:
    store.keep_survey(ANONYMOUS, at=AT)
    store.open_wave(wave("w", survey_id="secret", revision=ANONYMOUS.revision))
    ann = person(store)
    consented(store, ann, of=ANONYMOUS, wave_id="w", invitation_id="i")
    go_on(store, ann, answered("why", WORDS, text=WORDS))
    assert draw(store, "x").n_drawn == 0
    go_on(store, ann, ResponseSubmitted(at=LATER), status=Status.COMPLETE)
    assert draw(store, "y").n_drawn == 0
    store.set_wave("w", state="closed")
    assert draw(store, "z").n_drawn == 1
    # It is dated by the day, and the tables that hang on it stay with it when it is stirred.
    one = give(store, sample_id="z")
    assert store.keep_draft(one, BOB, "{}")
    assert save(store, one, (GAP, Said.CONFIRMED))
    assert store.tidy()
    assert [row["reviewed_at"] for row in rows(store, "reviews")] == ["2026-12-01"]
    assert [row["coded_at"] for row in rows(store, "codings")] == ["2026-12-01"]
    assert [row["response_id"] for row in rows(store, "sampled")] == ["loose"]
    assert [row["response_id"] for row in rows(store, "review_drafts")] == ["loose"]
    assert {row["unstirred"] for row in rows(store, "responses")} == {0}


def test_anonymous_words_outside_a_wave_are_drawn_on_another_day(store: SqlStore) -> None:
    """Else two samples would tell between which hours they came."""
    ann = person(store)
    consented(store, ann, of=ANONYMOUS)
    go_on(store, ann, answered("why", WORDS, text=WORDS))
    go_on(store, ann, ResponseSubmitted(at=LATER), status=Status.COMPLETE)
    assert draw(store, "x").n_drawn == 0
    drawing = Drawing(mode=SampleMode.RANDOM, n=9, seed="x")
    midnight = AT.replace(hour=23, minute=59)
    assert store.draw_sample(drawing, sample_id="y", at=midnight).n_drawn == 0
    after = midnight + timedelta(minutes=1)
    assert store.draw_sample(drawing, sample_id="z", at=after).n_drawn == 1
