"""The catalogue of what the bot says: every sentence is said, in every language."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from bot.runner import ROLES
from dialogues.coding import Stance
from dialogues.disposition import Disposition
from dialogues.messages import LANGUAGES
from dialogues.review_prompts import asks_to_review
from dialogues.states import Cause, State
from dialogues.words import command_in
from storage.reports.suppression import ShareKind

ROOT = Path(__file__).parents[2]
CATALOGUE = tomllib.loads((ROOT / "dialogues" / "messages.toml").read_text("utf-8"))
MESSAGES: dict[str, dict[str, str]] = CATALOGUE["messages"]
SOURCE = "\n".join(
    path.read_text("utf-8")
    for folder in ("bot", "dialogues", "storage")
    for path in (ROOT / folder).rglob("*.py")
)

#: Keys that are put together, by what the code has of them.
BUILT = {
    'f"button_{': ["button_yes", "button_no"],
    'f"cause_{': [f"cause_{cause}" for cause in Cause],
    'f"language_name_{': [f"language_name_{language}" for language in LANGUAGES],
    'f"outcome_{': [f"outcome_{disposition}" for disposition in Disposition],
    'f"role_{': [f"role_{role}" for role in set(ROLES.values())],
    'f"share_{': [f"share_{kind}" for kind in ShareKind],
    'f"state_{': [f"state_{state}" for state in State if state is not State.REGISTERED],
    'f"stance_{': [f"stance_{stance}" for stance in Stance],
    '}_open"': ["reminder_open", "reminder_begun_open"],
}


def test_every_sentence_is_said_somewhere() -> None:
    built = {key for start, keys in BUILT.items() if start in SOURCE for key in keys}
    quoted = set(re.findall(r"[\"']([a-z_]+)[\"']", SOURCE))
    assert [key for key in MESSAGES if key not in built | quoted] == []
    assert [key for key in built if key not in MESSAGES] == []


@pytest.mark.parametrize("key", MESSAGES)
def test_a_sentence_says_the_same_in_every_language(key: str) -> None:
    values = [
        {name for _, name, _, _ in Formatter().parse(MESSAGES[key][language]) if name is not None}
        for language in LANGUAGES
    ]
    assert values == values[:1] * len(LANGUAGES)


def test_welsh_sentences_teach_welsh_words_that_are_commands() -> None:
    mark = "{slash}"
    taught = 0
    for key, texts in MESSAGES.items():
        for start in texts["cy"].split(mark)[1:]:
            word = re.match(r"\w+", start)
            assert word is not None, key
            assert word[0].isascii(), key
            # A beginning is typed where nothing waits for one's own words.
            found = command_in(word[0], at_open_question=word[0] != "dechrau")
            assert found is not None or asks_to_review(word[0], slash=False), (key, word[0])
            assert found is None or word[0] != found.value, (key, word[0])
            taught += 1
    assert taught > 30
