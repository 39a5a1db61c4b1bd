"""Reviews: what people are given to read, and what they make of it."""

from __future__ import annotations

from dataclasses import replace

from dialogues.coding import Said, Source, coder_id
from dialogues.prompts import Prompt
from storage.protocol import Address
from storage.reviewing import ReviewProgress, SampleMode
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
    AT,
    CONFIDENTIAL,
    LATER,
    MUCH_LATER,
    answered,
    begin,
    claim,
    go_on,
    person,
    rows,
    send,
    wave,
)

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


def test_a_group_outside_waves_is_the_people_of_a_survey_in_a_cohort(store: SqlStore) -> None:
    for name in ["ann", "bob", "cat"]:
        answer(store, name)
    draw(store)
    change = store._driver.run
    assert store.count_to_review(MAIR, "x", least=3) == 3
    change("update responses set cohort = 'hill' where response_id = 's-bob'", {})
    assert store.count_to_review(MAIR, "x", least=3) == 0
    assert store.count_to_review(MAIR, "x", least=2) == 2
    # Who answered twice is one of the people.
    change("update responses set respondent_id = 'ann' where response_id = 's-cat'", {})
    assert store.count_to_review(MAIR, "x", least=2) == 0
    change("update responses set cohort = null, respondent_id = 'bob' where cohort = 'hill'", {})
    assert store.count_to_review(MAIR, "x", least=2) == 3
    store.keep_survey(CONFIDENTIAL.model_copy(update={"survey_id": "other"}), at=AT)
    change("update responses set survey_id = 'other' where response_id = 's-bob'", {})
    assert store.count_to_review(MAIR, "x", least=2) == 0


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
