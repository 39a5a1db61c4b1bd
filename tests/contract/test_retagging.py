"""Several models' tags of one answer: which are there, and which count."""

from __future__ import annotations

from typing import Any

from dialogues.coding import Coding, Said, Source, Stance
from dialogues.effects import ResponseSubmitted
from dialogues.session import Status
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from storage.values import UntaggedAnswer
from tests.contract.scenes import (
    ANONYMOUS,
    AT,
    LATER,
    MUCH_LATER,
    answered,
    consented,
    go_on,
    person,
    rows,
    wave,
)

WAVE = "monthly-riverside-2026-12-01"
WORDS = "nobody has time"


def coding(enabler: str, stance: Stance = Stance.GAP) -> Coding:
    return Coding(
        enabler=enabler, stance=stance, span_text="nobody", span_start=0, span_end=6,
        confidence=0.8,
    )  # fmt: skip


TRUST, MONEY = coding("trust"), coding("resources")


def spoken(store: SqlStore, *names: str) -> None:
    store.open_wave(wave())
    for name in names:
        ann = person(store, name)
        consented(store, ann, f"s-{name}", wave_id=WAVE)
        go_on(store, ann, answered("why", WORDS, text=WORDS), session_id=f"s-{name}")


def to_read(store: SqlStore, coder: str) -> list[UntaggedAnswer]:
    """All of them, two at a time."""
    found: list[UntaggedAnswer] = []
    after = ("", "")
    while page := store.tagged_otherwise(coder, after=after, limit=2):
        found += page
        after = (page[-1].response_id, page[-1].question_id)
    assert store.count_tagged_otherwise(coder) == len(found)
    return found


def read(store: SqlStore, coder: str, *codings: Coding, pipeline: str = "") -> None:
    for answer in to_read(store, coder):
        ids = [f"{coder}{answer.response_id}{place}" for place in range(len(codings))]
        assert store.save_codings(
            answer, codings, coding_ids=ids, coder=coder + pipeline, at=LATER, error=None
        )


def mentions(store: SqlStore) -> dict[tuple[str, str], int]:
    found = store.read("report_mentions", wave_id=WAVE)
    return {(row["enabler"], row["stance"]): row["n"] for row in found}


def exported(store: SqlStore) -> list[tuple[str, str, int]]:
    found = store.read("export_codes", survey_id=None, wave_id=None)
    return sorted((row["coder"], row["enabler"], row["counted"]) for row in found)


def review(store: SqlStore, coder: str, *said: tuple[Coding, Said], at: Any = LATER) -> None:
    """Let a coder read everything that there is."""
    if not store.samples():
        drawing = Drawing(mode=SampleMode.RANDOM, n=9, seed="seed", double_share=1.0)
        store.draw_sample(drawing, sample_id="x", at=AT)
    while answer := store.next_to_review(coder, "x"):
        ids = [f"{coder}{answer.response_id}{place}" for place in range(len(said))]
        assert store.save_review(
            answer, said, coder=coder, state="done", coding_ids=ids, codeframe_version="1", at=at
        )


def test_what_another_model_read_is_to_be_read_by_ids(store: SqlStore) -> None:
    spoken(store, "cat", "ann", "bob")
    assert [one.response_id for one in to_read(store, "m@1")] == ["s-ann", "s-bob", "s-cat"]
    assert not any(one.read_before for one in to_read(store, "m@1"))
    read(store, "m@1", TRUST)
    assert to_read(store, "m@1") == []
    assert all(one.read_before for one in to_read(store, "m@2"))


def test_what_a_models_phrases_read_it_read(store: SqlStore) -> None:
    spoken(store, "ann")
    read(store, "m@1", TRUST, pipeline="+cues-cy")
    assert to_read(store, "m@1") == []
    assert len(to_read(store, "m@")) == 1
    assert len(to_read(store, "_@1")) == 1


def test_unsubmitted_anonymous_words_are_nobodys_to_read(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann, of=ANONYMOUS)
    go_on(store, ann, answered("why", "nobody", text="nobody"))
    assert to_read(store, "m@1") == []
    go_on(store, ann, ResponseSubmitted(at=LATER), status=Status.COMPLETE)
    read(store, "m@1", TRUST)
    read(store, "m@2", TRUST)
    assert [row["coded_at"] for row in rows(store, "codings")] == ["2026-12-01"] * 2


def test_the_model_counts_that_read_an_answer_last(store: SqlStore) -> None:
    spoken(store, "ann", "bob")
    read(store, "m@1", TRUST)
    before = rows(store, "codings")
    read(store, "m@2", MONEY)
    assert mentions(store) == {("resources", "gap"): 2}
    assert exported(store) == [("m@1", "trust", 0)] * 2 + [("m@2", "resources", 1)] * 2
    assert [row for row in rows(store, "codings") if row["coder"] == "m@1"] == before
    # Going back is reading once more: nothing is written twice.
    read(store, "m@1", TRUST)
    assert mentions(store) == {("trust", "gap"): 2}
    assert len(rows(store, "codings")) == 4


def test_a_model_that_finds_nothing_counts_too(store: SqlStore) -> None:
    spoken(store, "ann")
    read(store, "m@1", TRUST)
    read(store, "m@2")
    assert mentions(store) == {}
    assert exported(store) == [("m@1", "trust", 0)]


def test_what_coders_decided_stands_over_every_model(store: SqlStore) -> None:
    spoken(store, "ann")
    read(store, "m@1", TRUST)
    review(store, "coder:mair", (TRUST, Said.REJECTED), (coding("agility"), Said.CONFIRMED))
    reviews = rows(store, "reviews")
    read(store, "m@2", TRUST, MONEY)
    assert mentions(store) == {("agility", "gap"): 1}
    assert exported(store) == [
        ("coder:mair", "agility", 1),
        ("coder:mair", "trust", 0),
        ("m@1", "trust", 0),
        ("m@2", "resources", 0),
        ("m@2", "trust", 0),
    ]
    assert rows(store, "reviews") == reviews
    # Who reads last decides, and none of the codes is a decision.
    review(store, "coder:owen", at=MUCH_LATER)
    assert mentions(store) == {}
    assert not any(counted for _, _, counted in exported(store))


def test_what_a_person_said_of_their_own_words_stands_over_every_model(store: SqlStore) -> None:
    spoken(store, "ann")
    read(store, "m@1", TRUST)
    for number, (one, said) in enumerate(
        ((TRUST, Said.REJECTED), (coding("agility"), Said.CONFIRMED))
    ):
        store._add_coding(
            one, said, response_id="s-ann", question_id="why", coding_id=f"own{number}",
            coder="respondent", source=Source.RESPONDENT, at=LATER,
        )  # fmt: skip
    read(store, "m@2", TRUST, MONEY)
    assert mentions(store) == {("agility", "gap"): 1, ("resources", "gap"): 1}
    assert exported(store) == [
        ("m@1", "trust", 0),
        ("m@2", "resources", 1),
        ("m@2", "trust", 0),
        ("respondent", "agility", 1),
        ("respondent", "trust", 0),
    ]
