"""Kinds of answers, told by rules."""

from __future__ import annotations

import json

import pytest

from nlp.answers import CodedAnswer
from nlp.codeframe import read_codeframe
from nlp.slices import (
    LENGTHS,
    PLAIN,
    QUESTIONS,
    SECOND,
    SLANG,
    cue_words,
    length_of,
    question_of,
    register_of,
    rewritten,
)
from tests.nlp.conftest import DATA


@pytest.mark.parametrize(
    ("text", "register"),
    [
        ("She know the doctor, she take you by the hand", SECOND),
        ("My brother goes, he say sometimes good", SECOND),
        ("they not listen to us", SECOND),
        ("Before he say no, is for babies", SECOND),
        ("both no dey work", SECOND),
        ("they explained me every person at the table", SECOND),
        ("It didn't failed!!", SECOND),
        ("dunno maybe", SLANG),
        ("while ur washing spins", SLANG),
        ("its how theyve always run it innit", SLANG),
        ("we built it w post its n put gaming", SLANG),
        ("Did she know? He didn't need it", PLAIN),
        ("They let her know. She can come.", PLAIN),
        ("It is nice here", PLAIN),
        ("Nobody asks us, and the U-turn was bad", PLAIN),
        ("", PLAIN),
    ],
)
def test_registers(text: str, register: str) -> None:
    assert register_of(text) == register


def test_slang_is_found_where_writers_write_it() -> None:
    """File m writes as on a phone, s as in an office."""
    share = {}
    for name in "ms":
        lines = (DATA / f"answers-{name}.jsonl").read_text(encoding="utf-8").splitlines()
        found = [register_of(json.loads(line)["text"]) for line in lines]
        share[name] = found.count(SLANG) / len(found)
    assert share["m"] > 0.15
    assert share["s"] == 0


def test_a_text_is_said_otherwise_and_says_the_same() -> None:
    text = "The nurse didn't know, and she says they're waiting because you haven't got the form."
    assert rewritten(text, PLAIN) == text
    assert rewritten(text, SECOND) == (
        "nurse not know, and she say they waiting because you not got form."
    )
    assert rewritten(text, SLANG) == (
        "the nurse didnt know, n she says theyre waiting cos u havent got the form"
    )
    assert rewritten("", SECOND) == rewritten("", SLANG) == ""


def test_lengths() -> None:
    assert [length_of("x" * n) for n in (0, 30, 31, 80, 81)] == [
        LENGTHS[0], LENGTHS[0], LENGTHS[1], LENGTHS[1], LENGTHS[2],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Were you asked?", "yes or no"),
        ("We moved the bus stop. Did it help?", "yes or no"),
        ("What helped?", "what"),
        ("Which one?", "what"),
        ("How was it?", "how"),
        ("Who shaped it?", "who, where, when"),
        ("You said 2. Why?", "why"),
        ("Local taxes", "a topic, or none known"),
        ("", "a topic, or none known"),
        (None, "a topic, or none known"),
    ],
)
def test_questions(question: str | None, kind: str) -> None:
    asked = CodedAnswer(answer_id="1", text="", question=question, codings=())
    assert question_of(asked) == kind
    assert kind in QUESTIONS


def test_cue_words_are_those_of_the_name_and_definition() -> None:
    risk = cue_words(read_codeframe().code("risk"))
    assert risk("they feared the blame")
    assert risk("it's Risky")
    assert not risk("what would you like to know of it")
    assert not risk("")
