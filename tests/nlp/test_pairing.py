"""Which answers of two coders belong together."""

from __future__ import annotations

import pytest

from dialogues.coding import Coding
from nlp.answers import AnswersError, CodedAnswer
from nlp.pairing import RESPONDENT, TAGGER, Coded, pair_coders, pair_files, pair_tagger
from nlp.tagger import Tagged


def coding(key: str) -> Coding:
    return Coding(enabler=key, stance=None, span_text="", span_start=0, span_end=0, confidence=1.0)


def answer(answer_id: str, text: str, *keys: str, question: str | None = None) -> CodedAnswer:
    return CodedAnswer(
        answer_id=answer_id, text=text, question=question, codings=tuple(map(coding, keys))
    )


def test_by_id_whatever_the_order() -> None:
    paired = pair_files(
        [answer("1", "a", "risk"), answer("2", "b"), answer("3", "c")],
        [answer("4", "d"), answer("2", "b", "design"), answer("1", "a", "risk", "agility")],
    )
    assert [(each.answer_id, *map(sorted, each.keys)) for each in paired.pairs] == [
        ("1", ["risk"], ["agility", "risk"]),
        ("2", [], ["design"]),
    ]
    assert (paired.first_only, paired.second_only) == (1, 1)


def test_by_words_where_ids_say_nothing() -> None:
    one = [answer(f"one:{n}", text, question=q) for n, (text, q) in enumerate(
        [("ok", "And?"), ("ok", "Why?"), ("money", None), ("ok", "And?")]
    )]  # fmt: skip
    two = [answer(f"two:{n}", text, key, question=q) for n, (text, q, key) in enumerate(
        [("ok", "And?", "risk"), ("money", None, "resources"), ("ok", "And?", "design"),
         ("ok", "When?", "agility")]
    )]  # fmt: skip
    paired = pair_files(one, two)
    assert [(each.answer_id, sorted(each.keys[1])) for each in paired.pairs] == [
        ("one:0", ["risk"]),
        ("one:2", ["resources"]),
        ("one:3", ["design"]),
    ]
    assert (paired.first_only, paired.second_only) == (1, 1)


def test_an_id_for_two_texts_is_refused() -> None:
    with pytest.raises(AnswersError, match="'1' stands for another text in each file"):
        pair_files([answer("1", "a")], [answer("1", "b")])
    with pytest.raises(AnswersError, match="'1' is there twice in one file"):
        pair_files([answer("1", "a")], [answer("1", "a"), answer("1", "a")])


def test_with_the_tagger() -> None:
    paired = pair_tagger(
        [answer("1", "a", "risk"), answer("2", "b")],
        [Tagged(codings=(coding("design"),)), Tagged(codings=(), error="broke")],
    )
    assert [tuple(map(sorted, each.keys)) for each in paired.pairs] == [(["risk"], ["design"])]
    assert (paired.first_only, paired.second_only) == (1, 0)


def test_of_the_store() -> None:
    """Who looked and gave nothing said that none applies; who did not look said nothing."""
    said = {
        "both": {"ada": (coding("risk"),), "ben": ()},
        "ada alone": {"ada": (), TAGGER: (coding("risk"),)},
        "ben alone": {"ben": (), RESPONDENT: ()},
        "nobody": {TAGGER: ()},
    }
    answers = [
        Coded(answer_id=name, text="", question=None, codings=codings)
        for name, codings in said.items()
    ]
    paired = pair_coders(iter(answers), "ada", "ben")
    assert [(each.answer_id, each.first, each.second) for each in paired.pairs] == [
        ("both", (coding("risk"),), ())
    ]
    assert (paired.first_only, paired.second_only) == (1, 1)
    paired = pair_coders(answers, RESPONDENT, TAGGER)
    assert (paired.pairs, paired.first_only, paired.second_only) == ((), 1, 2)
