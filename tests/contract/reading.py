"""What the tests of samples and of reviews share: answers, a tagger, and who reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dialogues.coding import Coding, Said, Stance, coder_id
from storage.protocol import UntaggedAnswer
from storage.reviewing import Drawing, Sample, SampleMode, ToReview
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    LATER,
    answered,
    consented,
    go_on,
    person,
    rows,
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


def place_of(store: SqlStore, sample_id: str = "x") -> list[str]:
    found = [row for row in rows(store, "sampled") if row["sample_id"] == sample_id]
    return [row["response_id"] for row in sorted(found, key=lambda row: row["place"])]
