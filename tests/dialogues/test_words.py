"""Words that are commands, and words that mean yes, no and the like."""

from __future__ import annotations

import pytest

from dialogues import messages
from dialogues.words import (
    Command,
    command_in,
    fold,
    means,
    results_wanted,
    start_code,
    unknown_command,
)


def command(text: str) -> str | None:
    found = command_in(text, at_open_question=False)
    return found.value if found else None


def command_when_open(text: str) -> str | None:
    found = command_in(text, at_open_question=True)
    return found.value if found else None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("Stop.", "stop"),
        ("“stop”", "stop"),
        ("\u200fstop", "stop"),
        ("Stop. Thank you", "stop"),
        ("stop please!", "stop"),
        ("Stopio, os gwelwch yn dda", "stop"),
        ("leave me alone", "stop"),
        ("please stop", "stop"),
        ("Please, stop", "stop"),
        ("Plis stopio", "stop"),
        ("please stop please", "stop"),
        ("please", None),
        ("/stop", "stop"),
        ("/stop@bot", "stop"),
        ("/STOP@Our_Bot", "stop"),
        ("/stop please", "stop"),
        ("/stop I do not want this", "stop"),
        ("/stop@bot thanks", "stop"),
        ("stop the buses", None),
        ("please stop the buses", None),
        ("don't stop", None),
        ("back", "back"),
        ("go back", "back"),
        ("yn ôl", "back"),
        ("yn ol", "back"),
        ("nôl", "back"),
        ("next", "skip"),
        ("/next@bot", "skip"),
        ("pass", "skip"),
        ("help", "help"),
        ("help me", None),
        ("my data", "mydata"),
        ("/mydata", "mydata"),
        ("/my data", "mydata"),
        ("forget me", "forget"),
        ("Anghofiwch fi, diolch", "forget"),
        ("privacy", "privacy"),
        ("iaith", "language"),
        ("results?", "results"),
        ("results 2", "results"),
        ("Canlyniadau 1 Tachwedd", "results"),
        ("results 2026-11-01, please", "results"),
        ("results 1 November 2026", "results"),
        ("/results of last month", "results"),
        ("results of last month", None),
        ("results 3 months later", None),
        ("results 123", None),
        ("start", "start"),
        ("/start riverside", "start"),
        ("/start@bot riverside", "start"),
        ("start riverside", None),
        ("thanks", None),
        ("ta", None),
        ("data", None),
        ("/", None),
        ("/ stop", "stop"),
        ("/riverside", None),
        ("", None),
        ("...", None),
        ("stop " * 10_000, None),
        ("/" + "x" * 100_000, None),
    ],
)
def test_a_command_is_a_whole_message(text: str, meant: str | None) -> None:
    assert command(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("start", None),
        ("go", None),
        ("next", None),
        ("pass", None),
        ("undo", None),
        ("gorffen", None),
        ("my data", None),
        ("delete my data", None),
        ("/next", "skip"),
        ("/start", "start"),
        ("stop", "stop"),
        ("Back, please", "back"),
        ("skip", "skip"),
        ("help", "help"),
        ("mydata", "mydata"),
        ("forget", "forget"),
        ("privacy", "privacy"),
        ("language", "language"),
        ("results", "results"),
        ("results 2", "results"),
        ("Results 3 weeks", None),
        ("Results come late", None),
        ("stopio", "stop"),
        ("Yn ôl", "back"),
        ("nôl", "back"),
        ("mynd yn ôl", "back"),
        ("please stop", "stop"),
        ("unsubscribe", "stop"),
        ("fynata", "mydata"),
        ("hepgor", "skip"),
        ("cymorth", "help"),
        ("fy nata", "mydata"),
        ("anghofio", "forget"),
        ("preifatrwydd", "privacy"),
        ("iaith", "language"),
        ("canlyniadau", "results"),
        ("Stop sending me from one desk to another", None),
        ("They never help.", None),
    ],
)
def test_at_an_open_question_fewer_words_count(text: str, meant: str | None) -> None:
    assert command_when_open(text) == meant


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("results", ""),
        ("/results", ""),
        ("/results@our_bot", ""),
        ("/results 2", "2"),
        ("/results@our_bot 2", "2"),
        ("Canlyniadau 1 Tachwedd!", "1 tachwedd"),
        ("/results of last month", "of last month"),
        ("stop 2", ""),
        ("/results " + "x" * 100_000, "x" * 92),
    ],
)
def test_which_results_are_wanted(text: str, wanted: str) -> None:
    assert results_wanted(text) == wanted


def test_every_word_of_the_catalogue_is_its_command() -> None:
    for wanted in Command:
        for word in messages.words(wanted.value):
            assert command(word) == wanted.value
            assert command(f"/{word}") == wanted.value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/start riverside", "riverside"),
        ("/start@bot  riverside ", "riverside"),
        ("/START x y", "x y"),
        ("/start", None),
        ("start riverside", None),
        ("/stop riverside", None),
        ("", None),
    ],
)
def test_the_code_of_a_link(text: str, code: str | None) -> None:
    assert start_code(text) == code


@pytest.mark.parametrize(
    ("text", "meaning", "is_so"),
    [
        ("Yes please", "yes", True),
        ("👍🏿", "yes", True),
        ("yes but no", "yes", False),
        ("dim diolch", "no", True),
        ("No, thanks", "no", True),
        ("I agree.", "agree", True),
        ("Yes, I agree", "agree", True),
        ("I don’t agree", "decline", True),
        ("I DON'T KNOW", "dont_know", True),
        ("ddim yn siwr", "dont_know", True),
        ("that’s all", "done", True),
        ("yes " * 30_000, "yes", False),
    ],
)
def test_meanings(text: str, meaning: str, is_so: bool) -> None:
    assert means(text, meaning) is is_so


def test_a_word_that_may_erase_is_never_a_word_that_keeps() -> None:
    for one, other in (("erase", "keep"), ("yes", "no"), ("agree", "decline"), ("agree", "no")):
        words = {fold(word) for word in messages.words(one)}
        assert not words & {fold(word) for word in messages.words(other)}


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("/weather", True),
        ("/weather@bot", True),
        ("/stop", False),
        ("/start x", False),
        ("/weather is bad", False),
        ("weather", False),
        ("/ 4", False),
        ("/4", False),
    ],
)
def test_a_slash_and_one_word_that_is_no_command(text: str, is_so: bool) -> None:
    assert unknown_command(text) is is_so


def test_folding_leaves_letters_of_other_scripts_apart() -> None:
    assert fold("हाँ") != fold("हूँ")
    assert fold("Straße") == fold("STRASSE")
    assert fold("Ŵyl") == "wyl"
