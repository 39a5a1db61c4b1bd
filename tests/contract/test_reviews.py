"""Samples and reviews: what people are given to read, and what they make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialogues.coding import Coding, Said, Source, Stance, coder_id
from dialogues.effects import ResponseSubmitted
from dialogues.prompts import Prompt
from dialogues.session import Missing, Status
from storage.protocol import Address, UntaggedAnswer
from storage.reviewing import Drawing, ReviewProgress, Sample, SampleMode, ToReview
from storage.store import SqlStore
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    answered,
    begin,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    wave,
)

MAIR, BOB, JOINT = coder_id("mair"), coder_id("bob"), coder_id("joint")
WORDS = "nobody has time and nobody says why"


def coding(
    enabler: str, stance: Stance = Stance.GAP, *, confidence: float = 1.0, start: int = 0
) -> Coding:
    return Coding(
        enabler=enabler,
        stance=stance,
        span_text=WORDS[start : start + 6],
        span_start=start,
        span_end=start + 6,
        confidence=confidence,
        threshold=None if confidence == 1.0 else 0.4,
    )


def tagged(store: SqlStore, *codings: Coding, coder: str = "m@1") -> None:
    """Let a tagger find the same in everything that it has to read."""
    for answer in store.untagged(coder, limit=99):
        tag(store, answer, *codings, coder=coder)


def tag(store: SqlStore, answer: UntaggedAnswer, *codings: Coding, coder: str = "m@1") -> None:
    ids = [f"{coder}-{answer.response_id}-{answer.question_id}-{n}" for n in range(len(codings))]
    assert store.save_codings(answer, codings, coding_ids=ids, coder=coder, at=AT, error=None)


def answer(store: SqlStore, name: str, text: str = WORDS, *, wave_id: str | None = None) -> None:
    """Somebody answers one open question; the response is s-NAME."""
    respondent = person(store, name)
    session_id = f"s-{name}"
    consented(
        store,
        respondent,
        session_id,
        wave_id=wave_id,
        invitation_id=None if wave_id is None else f"i-{name}",
    )
    go_on(store, respondent, answered("why", text, text=text), session_id=session_id)


def draw(store: SqlStore, sample_id: str = "x", **changes: object) -> Sample:
    drawing = Drawing(mode=SampleMode.RANDOM, n=99, seed="seed")
    return store.draw_sample(
        replace(drawing, **changes),  # type: ignore[arg-type]
        sample_id=sample_id,
        at=AT,
    )


def give(store: SqlStore, coder: str = MAIR, sample_id: str = "x", **more: object) -> ToReview:
    found = store.next_to_review(coder, sample_id, **more)  # type: ignore[arg-type]
    assert found is not None
    return found


def save(
    store: SqlStore,
    one: ToReview,
    *said: tuple[Coding, Said],
    coder: str = MAIR,
    skip: bool = False,
    at: datetime = LATER,
) -> bool:
    number = store.last_number(coder)
    return store.save_review(
        one,
        said,
        coder=coder,
        state="skipped" if skip else "done",
        coding_ids=[f"{coder}-{number}-{n}" for n in range(len(said))],
        codeframe_version="frame 1",
        at=at,
    )


def review_all(store: SqlStore, *said: tuple[Coding, Said], coder: str, sample: str = "x") -> int:
    n = 0
    while (one := store.next_to_review(coder, sample)) is not None:
        assert save(store, one, *said, coder=coder)
        n += 1
    return n


GAP, STRENGTH = coding("trust"), coding("trust", Stance.STRENGTH)
MONEY = coding("resources", start=7)


@pytest.fixture
def few(store: SqlStore) -> SqlStore:
    """Ten people have answered ``why``, and a tagger has read it."""
    for number in range(10):
        answer(store, f"p{number}")
    tagged(store, coding("trust", confidence=0.8), coding("resources", confidence=0.45, start=7))
    return store


def place_of(store: SqlStore, sample_id: str = "x") -> list[str]:
    found = [row for row in rows(store, "sampled") if row["sample_id"] == sample_id]
    return [row["response_id"] for row in sorted(found, key=lambda row: row["place"])]


# Drawing ------------------------------------------------------------------------------


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


# Being given ----------------------------------------------------------------------------


def test_an_answer_comes_with_what_the_tagger_makes_of_it(few: SqlStore) -> None:
    draw(few, n=1)
    one = give(few)
    assert (one.question, one.text, one.language) == ("why, as put", WORDS, "en")
    assert [kept.coding.enabler for kept in one.suggested] == ["trust", "resources"]
    kept = one.suggested[1]
    assert (kept.coder, kept.source, kept.status) == ("m@1", Source.TAGGER, Said.SUGGESTED)
    assert (kept.coding.confidence, kept.coding.threshold) == (0.45, 0.4)


def test_what_two_are_to_read_and_what_is_blind_comes_without(few: SqlStore) -> None:
    draw(few, n=1, double_share=1.0)
    draw(few, "y", n=1, blind=True)
    for sample_id in ["x", "y"]:
        one = give(few, sample_id=sample_id)
        assert (one.blind, one.suggested) == (True, ())
    save(few, give(few), (GAP, Said.CONFIRMED))
    # Nor does the second see what the first made of it.
    assert give(few, BOB).suggested == ()
    assert [row["blind"] for row in rows(few, "reviews")] == [1]


def test_what_was_read_with_tags_in_view_is_no_reading_of_two_blind_ones(few: SqlStore) -> None:
    draw(few, "w", n=3)
    review_all(few, coder=MAIR, sample="w")
    draw(few, "s", n=5)
    save(few, give(few, sample_id="s"), skip=True)
    assert few.keep_draft(give(few, sample_id="s"), MAIR, "{}")
    # Of all ten, three are read, one is skipped, and one is in hand.
    sample = draw(few, n=7, double_share=1.0)
    assert (sample.n_population, sample.n_drawn, sample.n_shared) == (5, 5, 5)
    assert not {*place_of(few)} & {*place_of(few, "w"), *place_of(few, "s")}
    assert draw(few, "y", blind=True).n_population == 5
    assert review_all(few, coder=MAIR) == review_all(few, coder=BOB) == 5
    assert {len(one.reviews) for one in few.reviewed(sample_id="x")} == {2}


def test_a_share_for_two_is_taken_from_what_nobody_has_read(few: SqlStore) -> None:
    draw(few, "w", n=6)
    review_all(few, coder=MAIR, sample="w")
    sample = draw(few, double_share=0.3)
    assert (sample.n_population, sample.n_shared) == (10, 3)
    twice = [row["response_id"] for row in rows(few, "sampled") if row["coders_wanted"] == 2]
    assert not {*twice} & {*place_of(few, "w")}
    # The others are read already: only what is left of the sample comes to anybody.
    assert few.count_to_review(BOB, "x") == 4
    assert draw(few, "y", double_share=0.5).n_shared == 4
    assert few.sample("y").n_shared == 4  # type: ignore[union-attr]


def test_what_is_to_be_read_blind_is_blind_wherever_it_is_met(few: SqlStore) -> None:
    draw(few, n=1, double_share=1.0)
    [one] = place_of(few)
    draw(few, "y")
    while (found := give(few, sample_id="y")).response_id != one:
        save(few, found)
    assert (found.blind, found.suggested) == (True, ())
    save(few, found, (GAP, Said.CONFIRMED))
    assert few.review_progress("x").done == {MAIR: 1}
    # Nor does anybody see what she made of it before another has read it too.
    draw(few, "z", mode=SampleMode.DISAGREEMENT)
    assert one not in place_of(few, "z")
    save(few, give(few, BOB), coder=BOB)
    draw(few, "d", mode=SampleMode.DISAGREEMENT)
    assert one in place_of(few, "d")


def test_a_reading_with_tags_in_view_does_not_count_where_it_is_to_be_blind(
    few: SqlStore,
) -> None:
    """As in samples that were drawn before this was looked at."""
    draw(few, n=1, double_share=1.0)
    save(few, give(few))
    few._driver.run("update reviews set blind = 0", {})
    assert few.review_progress("x") == ReviewProgress(n=1, n_done=0)
    save(few, give(few, BOB), coder=BOB)
    assert few.review_progress("x").n_done == 0
    save(few, give(few, JOINT), coder=JOINT)
    assert few.review_progress("x") == ReviewProgress(n=1, n_done=1, done={BOB: 1, JOINT: 1})


def test_an_answer_comes_with_what_the_newest_tagger_makes_of_it_alone(few: SqlStore) -> None:
    for untagged in few.tagged_otherwise("m@2", after=("", ""), limit=99):
        tag(few, untagged, coding("risk", confidence=0.7), coder="m@2")
    draw(few, n=1)
    said = [(kept.coder, kept.coding.enabler) for kept in give(few).suggested]
    assert said == [("m@2", "risk")]


def test_who_settles_is_not_shown_what_was_rejected(few: SqlStore) -> None:
    draw(few, n=1)
    save(few, give(few), (coding("trust"), Said.REJECTED), (MONEY, Said.CONFIRMED))
    draw(few, "y", mode=SampleMode.DISAGREEMENT)
    said = [kept.coding.enabler for kept in give(few, JOINT, "y").suggested if kept.coder == MAIR]
    assert said == ["resources"]


def test_to_take_back_gives_what_oneself_said_alone(few: SqlStore) -> None:
    draw(few, n=1, double_share=1.0)
    save(few, give(few), (GAP, Said.CONFIRMED))
    save(few, give(few, BOB), (MONEY, Said.CONFIRMED), coder=BOB)
    undone = few.undo_review(MAIR, "x")
    assert undone is not None
    assert [one.enabler for one, _ in undone.codings] == ["trust"]
    assert [row["coder"] for row in rows(few, "codings") if row["source"] == "coder"] == [BOB]


def test_what_a_coder_is_shown_takes_the_place_of_what_was_to_be(store: SqlStore) -> None:
    coder = person(store, "mair")
    for text in ["one", "two"]:
        store.show_review(coder, MAIR, Prompt(text=text), at=AT)
    assert send(store) == ["two"]


def test_each_is_read_by_as_many_as_are_wanted(few: SqlStore) -> None:
    draw(few, double_share=0.2)
    assert few.count_to_review(MAIR, "x") == 10
    for _ in range(4):
        save(few, give(few))
    assert few.count_to_review(MAIR, "x") == 6
    by_mair = {row["response_id"] for row in rows(few, "reviews")}
    twice = {row["response_id"] for row in rows(few, "sampled") if row["coders_wanted"] == 2}
    assert len(twice) == 2
    assert review_all(few, coder=BOB) == 6 + len(twice & by_mair)
    review_all(few, coder=MAIR)
    assert few.next_to_review(JOINT, "x") is None
    assert few.review_progress("x").n_done == 10


def test_what_another_has_in_hand_comes_last(few: SqlStore) -> None:
    draw(few, n=2)
    first, second = place_of(few)
    assert few.keep_draft(give(few), MAIR, "{}")
    assert give(few, BOB).response_id == second
    save(few, give(few, BOB), coder=BOB)
    # Who knows whether she comes back.
    assert give(few, BOB).response_id == first


def test_nobody_is_given_their_own_words(few: SqlStore) -> None:
    draw(few, n=2)
    first, second = place_of(few)
    mine = first.removeprefix("s-")
    assert give(few, not_of=[mine]).response_id == second
    assert few.count_to_review(MAIR, "x", not_of=[mine]) == 1
    assert few.next_to_review(MAIR, "x", not_of=[mine, second.removeprefix("s-")]) is None


def test_accounts_are_known_with_or_without_their_workspace(store: SqlStore) -> None:
    for name, channel, platform_id in [
        ("ann", "slack", "T1:U1"),
        ("bob", "slack", "T1:XU1"),
        ("cat", "telegram", "77"),
    ]:
        store.welcome(
            Address(channel=channel, platform_id=platform_id, chat="c"),
            respondent_id=name, role="citizen", language=None, on=AT.date(),
        )  # fmt: skip
    assert store.known_as("slack", "U1") == store.known_as("slack", "T1:U1") == ["ann"]
    assert store.known_as("telegram", "77") == ["cat"]
    assert store.known_as("telegram", "7") == store.known_as("slack", "77") == []


def test_words_of_a_small_group_are_kept_from_who_may_not_see_them(store: SqlStore) -> None:
    store.keep_survey(CONFIDENTIAL, at=AT)
    store.open_wave(wave("w"))
    for name in ["ann", "bob", "cat"]:
        answer(store, name, wave_id="w")
    answer(store, "dan")
    answer(store, "eve")
    draw(store)
    assert store.count_to_review(MAIR, "x", least=0) == 5
    assert store.count_to_review(MAIR, "x", least=3) == 3
    assert store.count_to_review(MAIR, "x", least=2) == 5
    assert store.next_to_review(MAIR, "x", least=4) is None


def test_what_was_skipped_comes_again_when_it_is_asked_for(few: SqlStore) -> None:
    draw(few, n=2)
    first, _ = place_of(few)
    save(few, give(few), skip=True)
    save(few, give(few))
    assert few.next_to_review(MAIR, "x") is None
    until = few.last_number(MAIR)
    assert give(few, skipped_until=until).response_id == first
    assert few.count_to_review(MAIR, "x", skipped_until=until) == 1
    assert few.count_to_review(MAIR, "x") == 0
    save(few, give(few, skipped_until=until), skip=True)
    assert few.next_to_review(MAIR, "x", skipped_until=until) is None
    # To skip is not to read: another is asked.
    assert few.review_progress("x") == ReviewProgress(
        n=2, n_done=1, done={MAIR: 1}, skipped={MAIR: 1}
    )
    assert give(few, BOB).response_id == first


# Saying ---------------------------------------------------------------------------------


def test_a_review_is_kept_beside_the_tags_and_changes_none(few: SqlStore) -> None:
    draw(few, n=1)
    before = rows(few, "codings")
    one = give(few)
    assert save(few, one, (STRENGTH, Said.CONFIRMED), (MONEY, Said.REJECTED))
    mine = [row for row in rows(few, "codings") if row["coder"] == MAIR]
    assert [row for row in rows(few, "codings") if row["coder"] != MAIR] == before
    assert [(row["enabler"], row["stance"], row["status"]) for row in mine] == [
        ("trust", "strength", "confirmed"),
        ("resources", "gap", "rejected"),
    ]
    assert {(row["source"], row["threshold"], row["confidence"]) for row in mine} == {
        ("coder", None, 1.0)
    }
    assert {(row["source"], row["threshold"]) for row in before} == {("tagger", 0.4)}
    [kept] = rows(few, "reviews")
    assert kept == {
        "response_id": one.response_id,
        "question_id": "why",
        "coder": MAIR,
        "sample_id": "x",
        "number": 1,
        "blind": 0,
        "state": "done",
        "reviewed_at": LATER.isoformat(),
        "codeframe_version": "frame 1",
    }


def test_a_second_thought_takes_the_place_of_the_first_and_of_nobody_elses(few: SqlStore) -> None:
    draw(few, n=1, double_share=1.0)
    one = give(few)
    save(few, one, (GAP, Said.CONFIRMED), coder=BOB)
    for _ in range(2):
        save(few, one, (GAP, Said.CONFIRMED), (MONEY, Said.CONFIRMED))
    assert save(few, one, (STRENGTH, Said.CONFIRMED))
    said = {
        (row["coder"], row["stance"]) for row in rows(few, "codings") if row["source"] == "coder"
    }
    assert said == {(MAIR, "strength"), (BOB, "gap")}
    assert len(rows(few, "reviews")) == 2


def test_what_is_half_done_is_kept_until_it_is_done(few: SqlStore) -> None:
    draw(few, n=2)
    one = give(few)
    assert few.in_hand(MAIR, "x") is None
    for body in ["one", "two"]:
        assert few.keep_draft(one, MAIR, body)
    held = few.in_hand(MAIR, "x")
    assert held is not None
    assert (held.answer, held.body) == (one, "two")
    assert few.in_hand(BOB, "x") is None
    save(few, one)
    assert few.in_hand(MAIR, "x") is None
    few.keep_draft(give(few), MAIR, "three")
    few.drop_draft(MAIR, "x")
    assert few.in_hand(MAIR, "x") is None


def test_the_newest_review_is_taken_back(few: SqlStore) -> None:
    draw(few, n=3)
    draw(few, "y", n=10)
    one, said = give(few), ((GAP, Said.CONFIRMED), (MONEY, Said.REJECTED))
    save(few, one, *said)
    other = give(few)
    save(few, other, skip=True)
    assert few.undo_review(BOB, "x") is None
    undone = few.undo_review(MAIR, "x")
    assert undone is not None
    assert (undone.answer, undone.state, undone.codings) == (other, "skipped", ())
    undone = few.undo_review(MAIR, "x")
    assert undone is not None
    assert (undone.answer, undone.state, undone.codings) == (one, "done", said)
    assert few.undo_review(MAIR, "x") is None
    assert rows(few, "reviews") == []
    assert {row["source"] for row in rows(few, "codings")} == {"tagger"}
    assert give(few) == one


def say(store: SqlStore, name: str, text: str) -> None:
    respondent = store.respondent(name)
    assert respondent is not None
    go_on(store, respondent, answered("why", text, text=text, edited=True), session_id=f"s-{name}")


def test_who_changes_their_words_takes_back_what_was_made_of_them(store: SqlStore) -> None:
    answer(store, "ann")
    draw(store)
    one = give(store)
    store.keep_draft(one, BOB, "{}")
    save(store, one, (GAP, Said.CONFIRMED))
    say(store, "ann", WORDS)
    assert store.next_to_review(MAIR, "x") is None
    assert store.in_hand(BOB, "x") is not None
    say(store, "ann", "all is well")
    assert rows(store, "reviews") == rows(store, "codings") == rows(store, "review_drafts") == []
    assert give(store).text == "all is well"
    # What was on the screen meanwhile is not what they say.
    assert not save(store, one, (GAP, Said.CONFIRMED))
    assert not store.keep_draft(one, MAIR, "{}")
    assert rows(store, "reviews") == rows(store, "codings") == rows(store, "review_drafts") == []
    say(store, "ann", "")
    assert store.next_to_review(MAIR, "x") is None
    assert store.review_progress("x").n == 0


def test_erasing_reaches_all_of_it_and_what_was_to_be_shown(store: SqlStore) -> None:
    for name in ["ann", "bob"]:
        answer(store, name)
    coder = person(store, "mair")
    draw(store)
    send(store)
    for name in ["ann", "bob"]:
        one = give(store, not_of=["bob" if name == "ann" else "ann"])
        store.keep_draft(one, coder_id(f"c{name}"), "{}")
        store.show_review(coder, coder_id(f"c{name}"), Prompt(text=f"by {name}: {one.text}"), at=AT)
        save(store, one, (GAP, Said.CONFIRMED), coder=coder_id(f"d{name}"))
    store.erase("ann", at=LATER, erasure_id="e", actor="test", farewell=None, leaving_id="x")
    for table in ["sampled", "reviews", "review_drafts", "codings"]:
        assert [row["response_id"] for row in rows(store, table)] == ["s-bob"], table
    assert send(store) == [f"by bob: {WORDS}"]
    assert store.sample("x") is not None


def test_what_is_shown_takes_the_place_of_what_was_shown_before(store: SqlStore) -> None:
    mair = person(store, "mair")
    begin(store, mair, "s9")
    assert send(store, position="1") == ["consent?"]
    store.show_review(mair, MAIR, Prompt(text="one"), at=AT, moved=Prompt(text="below"))
    assert [one.replaces for one in claim(store)] == [None]
    store.release_claims("telegram")
    assert send(store, position="2") == ["one"]
    for text in ["two", "three"]:
        store.show_review(mair, MAIR, Prompt(text=text), at=AT)
    # Pressed quickly, only the last is worth sending.
    [last] = claim(store, now=MUCH_LATER)
    assert (last.prompt.text, last.replaces) == ("three", "2")
    store.release_claims("telegram")
    assert send(store, position="2") == ["three"]
    # Shown anew, it stands in the chat once.
    store.show_review(mair, MAIR, Prompt(text="four"), at=AT, moved=Prompt(text="below"))
    note = claim(store, now=MUCH_LATER)[0]
    assert (note.prompt.text, note.replaces) == ("below", "2")
    store.release_claims("telegram")
    assert send(store, position="3") == ["below", "four"]
    # It is no conversation: what she types answers what was asked before.
    assert store.seen_session("mair", None) == "s9"


# Reading out ----------------------------------------------------------------------------


def test_reviewed_answers_come_with_all_that_is_said_of_them(few: SqlStore) -> None:
    draw(few, n=4, double_share=1.0)
    assert few.reviewed() == []
    review_all(few, (GAP, Said.CONFIRMED), (MONEY, Said.REJECTED), coder=MAIR)
    save(few, give(few, BOB), (STRENGTH, Said.CONFIRMED), coder=BOB)
    found = few.reviewed(sample_id="x")
    assert [one.response_id for one in found] == sorted(place_of(few))
    [both] = [one for one in found if len(one.reviews) == 2]
    assert [review.coder for review in both.reviews] == [BOB, MAIR]
    assert all(review.blind and review.state == "done" for review in both.reviews)
    assert both.sampled is not None
    assert (both.sampled.probability, both.sampled.coders_wanted) == (0.4, 2)
    assert (both.tagged_by, both.text, both.survey_id) == ("m@1", WORDS, "pulse")
    assert both.given_by(MAIR) == (GAP,)
    assert both.given_by(BOB) == (STRENGTH,)
    assert [one.enabler for one in both.given_by("m@1")] == ["trust", "resources"]
    assert few.reviewed() == [replace(one, sampled=None) for one in found]
    # Drawn again, what is known of an answer counts in the other sample too.
    draw(few, "y", seed="other")
    again = few.reviewed(sample_id="y")
    assert len(again) == 4
    assert {one.sampled.probability for one in again if one.sampled} == {1.0}
    assert few.reviewed(sample_id="z") == []
