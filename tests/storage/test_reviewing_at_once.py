"""Two coders at once on PostgreSQL: nobody reads what the other has just taken up."""

from __future__ import annotations

from contextlib import closing

import pytest

from dialogues.coding import coder_id
from dialogues.errors import StoreConflict
from storage.open import open_store
from storage.reviewing import Drawing, SampleMode
from tests.contract.scenes import AT, answered, consented, go_on, person

MAIR, BOB = coder_id("mair"), coder_id("bob")


def test_who_takes_up_an_answer_is_waited_for(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as mairs, closing(open_store(postgres_url)) as bobs:
        with mairs.transaction():
            for name in ["ann", "cat"]:
                respondent = person(mairs, name)
                consented(mairs, respondent, f"s-{name}")
                words = answered("why", name, text=name)
                go_on(mairs, respondent, words, session_id=f"s-{name}")
            drawing = Drawing(mode=SampleMode.RANDOM, n=2, seed="x")
            mairs.draw_sample(drawing, sample_id="x", at=AT)
        with mairs.transaction():
            first = mairs.next_to_review(MAIR, "x")
            assert first is not None
            with pytest.raises(StoreConflict), bobs.impatient(), bobs.transaction():
                bobs.next_to_review(BOB, "x")
            assert mairs.keep_draft(first, MAIR, "{}")
        second = bobs.next_to_review(BOB, "x")
        assert second is not None
        assert second.response_id != first.response_id
