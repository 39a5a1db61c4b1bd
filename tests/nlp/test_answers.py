"""Coded answers: our files are whole, other people's may say less, mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.coding import Stance
from nlp.answers import AnswersError, read_answers
from nlp.codeframe import read_codeframe
from tests.nlp.conftest import DATA


def test_every_shipped_answer_is_coded_by_the_codeframe() -> None:
    keys = [code.key for code in read_codeframe().codes]
    answers = read_answers(sorted(DATA.glob("answers-*.jsonl")), keys)
    assert len(answers) == 23717
    assert len({answer.answer_id for answer in answers}) == len(answers)
    for answer in answers:
        for coding in answer.codings:
            assert coding.stance is not None
            assert coding.span_text
            assert answer.text[coding.span_start : coding.span_end] == coding.span_text


def test_stance_evidence_and_question_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text(
        '{"text": "too hot", "codes": [{"enabler": "hot"}]}\n\n'
        '{"id": 7, "text": "it was hot, so hot", "codes": '
        '[{"enabler": "hot", "stance": "gap", "evidence": "hot", "start": 15}]}\n'
    )
    plain, rich = read_answers([path], ["hot"])
    assert plain.question is None
    assert (plain.codings[0].stance, plain.codings[0].span_text) == (None, "")
    assert plain.answer_id == f"{path}:1"
    assert (rich.answer_id, rich.codings[0].stance) == ("7", Stance.GAP)
    assert rich.codings[0].span_start == 15


def test_half_characters_are_replaced_and_places_stay(tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text(
        '{"id": null, "text": "\\ud83d too hot", "question": "\\udc00?", "codes": '
        '[{"enabler": "hot", "evidence": "\\ud83d too"}]}\n{"id": null, "text": "", "codes": []}'
    )
    first, second = read_answers([path], ["hot"])
    assert (first.text, first.question) == ("\ufffd too hot", "\ufffd?")
    assert first.codings[0].span_text == "\ufffd too"
    assert (first.answer_id, second.answer_id) == (f"{path}:1", f"{path}:2")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON that can be read (too deep)"),
        ("[]", 'expected an object with "text" and "codes"'),
        ('{"text": "a"}', '"codes" is missing; an answer without a code has []'),
        ('{"text": "a", "codes": [3]}', 'a code is an object with "enabler"'),
        ('{"text": "a", "codes": [{"enabler": "cold"}]}', "the codeframe has no code 'cold'"),
        (
            '{"text": "a", "codes": [{"enabler": "hot", "stance": "good"}]}',
            "stance is 'good'; expected one of strength, gap, neutral",
        ),
        (
            '{"text": "a", "codes": [{"enabler": "hot", "evidence": "b"}]}',
            "the evidence of 'hot' is not in the text word for word",
        ),
        ('{"text": "a", "question": 3, "codes": []}', '"question" has to be text'),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text('{"text": "fine", "codes": []}\n' + line + "\n")
    with pytest.raises(AnswersError) as caught:
        read_answers([path], ["hot"])
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)
