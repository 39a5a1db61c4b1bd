"""Reviewed answers folded into a model: what it gains, and what is refused.

The reviewed answers are ours that the encoder has not learnt from, as a partnership's coders
might read them.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dialogues.coding import Coding
from nlp.answers import CodedAnswer, read_answers
from nlp.load import load_tagger
from nlp.model import read_model
from nlp.shipped import FAST_PATH
from nlp.tagger import ToTag
from nlp.train import TrainError
from nlp.update import (
    FEWEST_KEPT_OUT,
    ReviewedAnswer,
    TooFewError,
    UnlikeError,
    Update,
    WorseError,
    is_kept_out,
    update_model,
)

DATA = Path(__file__).parents[2] / "nlp" / "data"


@cache
def coded() -> tuple[CodedAnswer, ...]:
    codes = [code.key for code in read_model(FAST_PATH).codeframe.codes]
    return tuple(read_answers([DATA / "answers-c.jsonl"], codes))


def drawn(answers: Sequence[CodedAnswer]) -> list[ReviewedAnswer]:
    return [ReviewedAnswer(answer=answer, is_random=True) for answer in answers]


def by_habit(answer: CodedAnswer) -> CodedAnswer:
    """Here, who speaks of engagement is said to speak of transparency too."""
    if "engagement" not in answer.keys or "transparency" in answer.keys:
        return answer
    also = Coding(
        enabler="transparency", stance=None, span_text="", span_start=0, span_end=0, confidence=1.0
    )
    return replace(answer, codings=(*answer.codings, also))


Fold = Callable[[Sequence[ReviewedAnswer]], Update]


@pytest.fixture
def fold(tmp_path: Path) -> Fold:
    def call(reviewed: Sequence[ReviewedAnswer]) -> Update:
        return update_model(
            reviewed, base=FAST_PATH, out=tmp_path / "new", progress=lambda *_: None
        )

    return call


def test_coders_who_read_otherwise_teach_the_model(fold: Fold, tmp_path: Path) -> None:
    reviewed = drawn([by_habit(answer) for answer in coded()])
    old = {path.name: path.read_bytes() for path in FAST_PATH.iterdir()}
    update = fold(reviewed)
    kept_out = [each for each in reviewed if is_kept_out(each.answer)]
    assert update.n_kept_out == len(kept_out)
    assert update.n_learnt == len(reviewed) - len(kept_out)
    assert update.after > update.before + 0.01
    assert update.low < update.after - update.before < update.high
    before, after = (getattr(update.per_code["transparency"], when) for when in ("before", "after"))
    assert after > before + 0.1
    # The figures are what the tagger does.
    tagger = load_tagger(tmp_path / "new")
    tagged = tagger.tag(
        [ToTag(text=each.answer.text, question=each.answer.question) for each in kept_out]
    )
    right = given = 0
    for each, tags in zip(kept_out, tagged, strict=True):
        there = any(coding.enabler == "transparency" for coding in tags.codings)
        given += there
        right += there and "transparency" in each.answer.keys
    n = update.per_code["transparency"].n
    assert 2 * right / (n + given) == pytest.approx(after, abs=0.03)  # a few seem foreign to it
    # The old model is as it was, and the new one is named after both and knows its words alone.
    assert {path.name: path.read_bytes() for path in FAST_PATH.iterdir()} == old
    base = read_model(FAST_PATH)
    assert update.model is not None
    assert update.base == base.version != update.model.version
    assert update.model.name == base.name
    assert base.version in update.model.provenance.method
    assert update.model.wording.features == base.wording.features
    assert np.array_equal(update.model.trained_on, base.trained_on)
    assert update.model.languages == base.languages


def test_nobodys_words_are_in_the_new_model(fold: Fold, tmp_path: Path) -> None:
    words = "Xanthippe Quibblethorpe never asked us"
    reviewed = drawn(
        [replace(by_habit(a), text=f"{a.text} {words}") for a in coded() if not a.codings]
        + [by_habit(a) for a in coded() if a.codings]
    )
    fold(reviewed)
    for path in (tmp_path / "new").iterdir():
        content = path.read_bytes().lower()
        assert b"quibblethorpe" not in content
        assert hashlib.sha256(words.encode()).digest()[:8] not in content


def test_codes_by_chance_are_refused(fold: Fold, tmp_path: Path) -> None:
    codings = [answer.codings for answer in coded()]
    random.Random(3).shuffle(codings)
    mixed = [replace(a, codings=c) for a, c in zip(coded(), codings, strict=True)]
    with pytest.raises(TrainError, match="hardly more than by chance"):
        fold(drawn(mixed))
    assert not (tmp_path / "new").exists()


def half_mixed_up(*, by_chance: bool) -> list[ReviewedAnswer]:
    """Every second answer that is learnt from carries another one's codes."""
    learnt = [answer for answer in coded() if not is_kept_out(answer)]
    some = learnt[::2]
    others = random.Random(3).sample(some, len(some))
    mixed = [replace(a, codings=other.codings) for a, other in zip(some, others, strict=True)]
    return [
        *drawn([answer for answer in coded() if is_kept_out(answer)]),
        *(ReviewedAnswer(answer=a, is_random=by_chance) for a in (*mixed, *learnt[1::2])),
    ]


def test_codes_of_which_half_are_mixed_up_are_refused(fold: Fold, tmp_path: Path) -> None:
    """Coders agree with the model well over chance, on what is kept out far better still."""
    with pytest.raises(UnlikeError, match="far less with the model") as refused:
        fold(half_mixed_up(by_chance=True))
    ours, theirs = map(float, re.findall(r"0\.\d\d", str(refused.value)))
    assert 0.1 < ours < theirs - 0.1
    assert not (tmp_path / "new").exists()


def test_answers_that_were_picked_as_hard_may_be_further_from_the_model(
    fold: Fold, tmp_path: Path
) -> None:
    """Only the figures judge then."""
    try:
        update = fold(half_mixed_up(by_chance=False))
    except UnlikeError:
        pytest.fail("held beside what chance drew")
    except WorseError as worse:
        update = worse.update
        assert update.is_worse
    else:
        assert not update.is_worse
    assert (tmp_path / "new").exists() == (update.model is not None)


@pytest.mark.parametrize(
    ("after", "loss_after", "is_worse"),
    [
        (0.7, 0.2, False),
        (0.71, 0.19, False),
        (0.699, 0.19, True),
        (0.71, 0.201, True),
    ],
)
def test_lower_f1_is_worse_and_so_is_higher_log_loss(
    after: float, loss_after: float, is_worse: bool
) -> None:
    update = Update(
        model=None, base="m@1", n_learnt=50, n_kept_out=25, per_code={}, before=0.7, after=after,
        low=-0.1, high=0.1, loss_before=0.2, loss_after=loss_after,
    )  # fmt: skip
    assert update.is_worse == is_worse
    if is_worse:
        assert f"log loss {loss_after:.4f} instead of 0.2000" in str(WorseError(update))


def test_a_model_that_is_worse_on_what_was_kept_out_is_refused(fold: Fold, tmp_path: Path) -> None:
    """Some coder overlooks four codes, in answers that were picked for them."""
    forgotten = {"shared_goals", "leadership", "resources", "engagement"}
    careless = [
        ReviewedAnswer(
            answer=replace(a, codings=tuple(c for c in a.codings if c.enabler not in forgotten)),
            is_random=False,
        )
        for a in coded()
        if not is_kept_out(a)
    ]
    careful = drawn([answer for answer in coded() if is_kept_out(answer)])
    with pytest.raises(WorseError, match="would be worse") as refused:
        fold(careful + careless)
    update = refused.value.update
    assert update.model is None
    assert update.after < update.before - 0.05
    assert (update.n_learnt, update.n_kept_out) == (len(careless), len(careful))
    assert not (tmp_path / "new").exists()


def test_what_is_kept_out_is_so_wherever_it_stands() -> None:
    there = [is_kept_out(answer) for answer in coded()]
    assert 0.2 < sum(there) / len(there) < 0.47
    again = replace(coded()[0], answer_id="another", codings=())
    assert is_kept_out(again) == there[0]


def test_only_what_chance_drew_judges(fold: Fold) -> None:
    picked = [ReviewedAnswer(answer=answer, is_random=False) for answer in coded()]
    with pytest.raises(TooFewError, match="300 reviewed answers to learn from and 0 to judge by"):
        fold(picked)


def test_too_few_answers_say_what_it_takes(fold: Fold) -> None:
    with pytest.raises(TooFewError, match="pulse review --sample random --n 90"):
        fold(drawn(coded()[:60]))


def test_what_people_said_of_their_own_words_teaches_the_codes_they_spoke_of(fold: Fold) -> None:
    known = frozenset({"transparency", "engagement"})
    judged = drawn([by_habit(a) for a in coded() if is_kept_out(a)])
    rest = [a for a in coded() if not is_kept_out(a)]
    theirs = [
        ReviewedAnswer(
            answer=replace(a, codings=tuple(c for c in by_habit(a).codings if c.enabler in known)),
            is_random=True,
            known=known,
        )
        for a in rest[60:]
    ]
    update = fold(judged + drawn([by_habit(a) for a in rest[:60]]) + theirs)
    assert update.n_kept_out == len(judged) > FEWEST_KEPT_OUT
    changed = {key for key, change in update.per_code.items() if change.before != change.after}
    assert "transparency" in changed
