"""What coders, the tagger and respondents say of the same kept answers.

What lives here: from the store's reviews to pairs. What must not: figures, printing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.errors import UserError
from dialogues.coding import Said, coder_id, coder_name

if TYPE_CHECKING:
    from nlp.pairing import Coded, Paired
    from storage.reviewing import MemberCheck, Reviewed

__all__ = ["TAGGER_NAME", "checked_pairs", "reviewed_pairs"]

TAGGER_NAME = "the tagger"


def reviewed_pairs(
    url: str, coders: Sequence[str], *, sample: str | None, blind: bool
) -> tuple[Paired, int]:
    """Bring together what two say of the answers that were reviewed.

    Args:
        url: Of the store.
        coders: Two coders, or one who is held against the tagger.
        sample: Only answers that were drawn in it; None for all.
        blind: Only reviews that were made without seeing tags.

    Returns:
        The pairs, and how many of their reviews were made with the tags in view.

    Raises:
        UserError: There is no such sample, or a coder has reviewed nothing here.
    """
    from nlp.pairing import TAGGER, pair_coders
    from storage.open import open_reader

    store = open_reader(url)
    try:
        if sample is not None and store.sample(sample) is None:
            raise UserError(f"There is no sample {sample}; `pulse review` lists them.")
        answers = store.reviewed(sample_id=sample)
    finally:
        store.close()
    ids = [coder_id(name) for name in coders]
    _check(ids, answers)
    second = ids[1] if len(ids) == 2 else TAGGER
    paired = pair_coders((_coded(answer, blind=blind) for answer in answers), ids[0], second)
    compared = {pair.answer_id for pair in paired.pairs}
    seen = sum(
        not review.blind
        for answer in answers
        if _answer_id(answer) in compared
        for review in answer.reviews
        if review.coder in ids
    )
    return paired, seen


def checked_pairs(url: str) -> Paired:
    """Bring together what people say of the tags of their own words, and the tagger.

    Of codes that nobody asked them of they say nothing, so these do not count. Whether a coder
    read the answer too, and from which sample, makes no difference.

    Args:
        url: Of the store.
    """
    from nlp.pairing import RESPONDENT, TAGGER, pair_coders
    from storage.open import open_reader

    store = open_reader(url)
    try:
        checks = store.member_checks()
    finally:
        store.close()
    return pair_coders(map(_checked, checks), RESPONDENT, TAGGER)


def _checked(check: MemberCheck) -> Coded:
    from nlp.pairing import RESPONDENT, TAGGER, Coded

    spoken = {one.coding.enabler for one in check.codings}
    return Coded(
        answer_id=_answer_id(check),
        text=check.text,
        question=check.question,
        codings={
            RESPONDENT: tuple(o.coding for o in check.codings if o.status is not Said.REJECTED),
            TAGGER: tuple(one for one in check.suggested if one.enabler in spoken),
        },
    )


def _check(ids: Sequence[str], answers: Sequence[Reviewed]) -> None:
    """See that each coder has reviewed something, and that they are two."""
    there = {review.coder for answer in answers for review in answer.reviews}
    for one in ids:
        if one not in there:
            names = ", ".join(sorted(map(coder_name, there))) or "nobody"
            raise UserError(f"“{coder_name(one)}” has reviewed nothing here. Who has: {names}")
    if len(ids) == 2 and ids[0] == ids[1]:
        raise UserError("Name two different coders")


def _answer_id(answer: Reviewed | MemberCheck) -> str:
    return f"{answer.response_id}/{answer.question_id}"


def _coded(answer: Reviewed, *, blind: bool) -> Coded:
    from nlp.pairing import TAGGER, Coded

    codings = {
        review.coder: answer.given_by(review.coder)
        for review in answer.reviews
        if review.state == "done" and (review.blind or not blind)
    }
    if answer.tagged_by is not None:
        codings[TAGGER] = answer.given_by(answer.tagged_by)
    return Coded(
        answer_id=_answer_id(answer),
        text=answer.text,
        question=answer.question,
        codings=codings,
    )
