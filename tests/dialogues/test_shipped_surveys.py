"""The shipped surveys keep their own promises; read as plain TOML, with no loader between."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import dialogues

FOLDER = Path(dialogues.__file__).parent / "surveys"
SURVEYS: dict[str, dict[str, Any]] = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8").replace("{min_group}", "5"))
    for path in sorted(FOLDER.glob("*.toml"))
}
LANGUAGES = {"en", "cy"}
ENABLERS = {
    "insight",
    "brokerage",
    "design",
    "shared_goals",
    "risk",
    "resources",
    "agility",
    "innovation",
    "leadership",
    "evidence",
    "engagement",
    "transparency",
}
STRANDS = (
    {"insight", "brokerage", "design"},
    {"shared_goals", "risk", "resources"},
    {"agility", "innovation", "leadership"},
    {"evidence", "engagement", "transparency"},
)
#: The longest consent that a phone shows without scrolling far, and our limit for a button.
ESSENCE, BUTTON = 500, 24

each_survey = pytest.mark.parametrize("name", SURVEYS)


def statements(survey: dict[str, Any]) -> list[dict[str, Any]]:
    """The scales that measure an enabler."""
    return [q for q in survey["question"] if q["kind"] == "scale" and "enabler" in q]


def texts(survey: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every text that a person sees, with where it stands."""
    found = [(key, survey[key]) for key in ("title", "intro", "thanks")]
    found += [(f"consent.{key}", survey["consent"][key]) for key in ("text", "more")]
    for question in survey["question"]:
        found.append((question["id"], question["text"]))
        found += [(f"{question['id']} label", label) for label in question.get("labels", [])]
        found += [(f"{question['id']} choice", c["text"]) for c in question.get("choices", [])]
        if "unit" in question:
            found.append((f"{question['id']} unit", question["unit"]))
    return found


def test_the_four_instruments_are_shipped_under_their_own_names() -> None:
    assert set(SURVEYS) == {
        "citizen-pulse",
        "collaborative-citizen",
        "partnership-pulse",
        "state-of-collaboration",
    }
    assert all(survey["survey"] == name for name, survey in SURVEYS.items())


@each_survey
def test_every_text_is_there_in_both_languages(name: str) -> None:
    survey = SURVEYS[name]
    assert set(survey["languages"]) == LANGUAGES
    for place, text in texts(survey):
        assert set(text) == LANGUAGES, place
        assert all(words.strip() for words in text.values()), place


@each_survey
def test_consent_shows_its_essence_first(name: str) -> None:
    consent = SURVEYS[name]["consent"]
    for language in LANGUAGES:
        essence, whole = consent["text"][language], consent["more"][language]
        assert len(essence) <= ESSENCE, language
        assert len(essence) < len(whole)
        assert "stop" in essence
        assert "forget" in essence
        assert "5" in essence
        for word in ("stop", "mydata", "forget", "privacy"):
            assert word in whole, word


@each_survey
def test_citizens_are_told_their_age_and_the_number_for_emergencies(name: str) -> None:
    consent = SURVEYS[name]["consent"]
    for part in ("text", "more"):
        for language in LANGUAGES:
            words = consent[part][language]
            assert ("999" in words and "16" in words) == ("citizen" in name), (part, language)


@each_survey
def test_partners_are_told_of_the_copy_in_slack(name: str) -> None:
    if "citizen" not in name:
        consent = SURVEYS[name]["consent"]
        assert all("Slack" in consent[p][lang] for p in ("text", "more") for lang in LANGUAGES)


@each_survey
def test_labels_and_choices_fit_a_button(name: str) -> None:
    for place, text in texts(SURVEYS[name]):
        if place.endswith((" label", " choice")):
            assert all(len(words) <= BUTTON for words in text.values()), place


@each_survey
def test_each_enabler_has_one_statement(name: str) -> None:
    assert Counter(q["enabler"] for q in statements(SURVEYS[name])) == dict.fromkeys(ENABLERS, 1)


@each_survey
def test_each_strand_has_a_reversed_statement_and_its_id_says_so(name: str) -> None:
    turned = {q["enabler"] for q in statements(SURVEYS[name]) if q.get("reversed")}
    assert len(turned) == 4
    assert all(turned & strand for strand in STRANDS)
    for question in SURVEYS[name]["question"]:
        assert question["id"].endswith("_rev") == question.get("reversed", False)


@each_survey
def test_every_scale_is_the_same_and_offers_dont_know(name: str) -> None:
    scales = [q for q in SURVEYS[name]["question"] if q["kind"] == "scale"]
    assert all(q["dont_know"] is True for q in scales)
    assert all(q["labels"] == scales[0]["labels"] for q in scales)
    assert [label["en"] for label in scales[0]["labels"]] == [
        "Strongly disagree",
        "Disagree",
        "In the middle",
        "Agree",
        "Strongly agree",
    ]


@each_survey
def test_the_intro_is_short(name: str) -> None:
    assert all(len(words) <= 380 for words in SURVEYS[name]["intro"].values())


@each_survey
def test_a_follow_up_names_an_earlier_statement_of_its_own_enabler(name: str) -> None:
    earlier: dict[str, dict[str, Any]] = {}
    for question in SURVEYS[name]["question"]:
        named = set(question.get("show_if", {}))
        for words in question["text"].values():
            named |= set(re.findall(r"{(\w+)}", words))
        assert named <= earlier.keys(), question["id"]
        if question["id"].endswith("_why"):
            (asked,) = named
            assert earlier[asked]["enabler"] == question["enabler"]
            low = [1, 4, 5] if earlier[asked].get("reversed") else [1, 2, 5]
            assert question["show_if"] == {asked: {"in": low}}
        earlier[question["id"]] = question


def test_the_same_id_has_the_same_words_in_every_file() -> None:
    seen: dict[str, dict[str, Any]] = {}
    shared = 0
    for survey in SURVEYS.values():
        for question in survey["question"]:
            shared += question["id"] in seen
            assert seen.setdefault(question["id"], question) == question
    assert shared == 12  # the statements that both partner surveys ask


def test_every_kind_of_question_is_used_by_the_collaborative_citizen() -> None:
    kinds = {question["kind"] for question in SURVEYS["collaborative-citizen"]["question"]}
    assert kinds == {"text", "choice", "multichoice", "scale", "number", "yesno"}


@each_survey
def test_no_question_is_longer_than_a_glance(name: str) -> None:
    survey = SURVEYS[name]
    labels = {q["id"]: q.get("labels", []) for q in survey["question"]}
    for question in survey["question"]:
        for language, words in question["text"].items():
            said = words
            for asked in re.findall(r"{(\w+)}", words):
                longest = max((label[language] for label in labels[asked]), key=len)
                said = said.replace("{" + asked + "}", longest)
            assert len(said) <= 160, question["id"]
