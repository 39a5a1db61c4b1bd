"""The codebook names everything, for people and for machines."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dialogues import survey as surveys
from dialogues.loader import load_survey
from dialogues.states import FAMILIES, Cause, State
from dialogues.survey import TextQuestion
from storage.exports.codebook import universe
from storage.exports.columns import ANSWERS, CODES, DISPOSITIONS, INVITATIONS, RESPONSES
from storage.exports.missing import MEANINGS, Reason
from tests.exports.conftest import FRAME, QUESTIONS, Export, Seeds, make_survey

SHIPPED = sorted((Path(surveys.__file__).parent / "surveys").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_column_and_every_question_is_named(seeds: Seeds, export: Export, path: Path) -> None:
    survey = seeds.survey(load_survey(tomllib.loads(path.read_text(encoding="utf-8"))))
    export()
    page, book = export.page(), export.book()
    for file in book["files"]:
        header = export.page(file["file"]).splitlines()[0].split(",")
        assert [column["name"] for column in file["columns"]] == header
        assert len(set(header)) == len(header)
        assert all(f"| `{name}` |" in page for name in header)
    (described,) = book["surveys"]
    assert [one["question_id"] for one in described["questions"]] == list(survey.by_id)
    for question in survey.questions:
        assert f"`{question.id}` ({question.kind})" in page
        for language in survey.languages:
            for line in survey.say(question.text, language).splitlines():
                assert line in page
    for option in (option for question in survey.questions for option in question.options):
        assert f"| `{option.value}` |" in page
    assert survey.say(survey.consent.text, "en").strip().splitlines()[-1] in page


def test_two_revisions_each_have_their_chapter(seeds: Seeds, export: Export) -> None:
    old = seeds.survey(make_survey(), kept_at="2026-01-01")
    new = seeds.survey(make_survey(question=QUESTIONS[:2]), kept_at="2026-06-01")
    export()
    for survey in (old, new):
        assert f"## Survey pulse, revision {survey.revision}" in export.page()


def test_a_question_says_whom_it_asks_and_what_it_shows(seeds: Seeds, export: Export) -> None:
    seeds.survey(make_survey())
    export()
    (survey,) = export.book()["surveys"]
    goals, why, services, _sector, warmth, again = survey["questions"]
    assert goals["enabler"] == "shared_goals"
    assert goals["reversed"] is False
    assert goals["text"]["cy"].startswith("Rydyn ni")
    assert goals["values"][0] == {"value": "1", "label": {"en": "Disagree", "cy": "Disagree"}}
    assert (why["universe"], why["pipes"]) == ("those with goals at most 2", ["goals"])
    assert (services["min_choices"], services["max_choices"]) == (1, 3)
    assert (warmth["min"], warmth["max"], warmth["unit"]) == (-40.0, None, {"*": "degrees"})
    assert again["values"][0] == {"value": "yes", "label": {"en": "Yes", "cy": "Ie"}}
    assert again["required"] is True
    page = export.page()
    for words in (
        "* Asked of: everybody", "* Asked of: those with goals at most 2",
        "* Shows the answer to: goals", "* Enabler: shared_goals", "* Offers “Don't know”",
        "* At least -40", "* Unit: degrees", "* Choose 1 to 3", "* Cannot be skipped",
    ):  # fmt: skip
        assert words in page


def test_a_reversed_item_says_so(seeds: Seeds, export: Export) -> None:
    seeds.survey(make_survey(question=[QUESTIONS[0] | {"reversed": True}]))
    export()
    assert export.book()["surveys"][0]["questions"][0]["reversed"] is True
    assert "* Reversed: agreeing is the bad news" in export.page()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"is": "public"}, "being public"),
        ({"is": True}, "being yes"),
        ({"is": 2}, "being 2"),
        ({"in": ["a", "b"]}, "being one of a, b"),
        ({"not_in": ["a"]}, "being none of a"),
        ({"at_least": 2.5, "at_most": 4}, "at least 2.5 and at most 4"),
        ({"answered": False}, "not answered"),
    ],
)
def test_every_condition_is_put_in_words(condition: dict[str, object], words: str) -> None:
    question = TextQuestion.model_validate(
        {"id": "why", "kind": "text", "text": "Why?", "show_if": {"x": condition}}
    )
    assert universe(question) == f"those with x {words}"


def test_numbers_are_counted(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    wave = seeds.wave(survey, "w1")
    seeds.response(survey, "r1", wave_id=wave)
    seeds.answer(survey, "r1", "goals", "3")
    seeds.response(survey, "r2", disposition="partial")
    seeds.answer(survey, "r2", "goals", None, missing="skipped")
    seeds.coding("r1", "goals", "")
    export()
    book = export.book()
    (described,) = book["surveys"]
    assert described["n_responses"] == {"complete": 1, "partial": 1}
    goals, why = described["questions"][:2]
    assert (goals["n_answered"], goals["n_missing"]) == (1, {"skipped": 1})
    assert why["n_missing"] == {"not_applicable": 2}
    assert book["waves"] == [
        {"survey": "pulse", "wave": "", "n_responses": 1},
        {"survey": "pulse", "wave": "w1", "n_responses": 1},
    ]
    assert book["coders"] == [{"coder": "tagger@1", "n_codings": 1}]
    page = export.page()
    assert "* n = 1 answered; 1 skipped" in page
    assert "| pulse | (open check-in) | 1 |" in page
    assert "| tagger@1 | 1 |" in page
    assert "Responses: 2." in export.page("README.md")


def test_the_codeframe_and_the_missing_reasons_are_explained(seeds: Seeds, export: Export) -> None:
    export()
    page, book = export.page(), export.book()
    assert set(MEANINGS) == set(Reason)
    for reason, meaning in book["missing"].items():
        assert f"| `{reason}` | {meaning} |" in page
    assert book["codeframe"]["codes"][0]["definition"] == dict(FRAME.codes[0].definition)
    for words in (
        "### Strand `alignment`: Alignment / Aliniad",
        "* `shared_goals`: Shared goals",
        "  * en: They want the same outcome.",
        "  * en, not when: Only one of them is mentioned.",
    ):
        assert words in page


def test_labels_fit_the_programs_that_will_show_them() -> None:
    for column in (*ANSWERS, *CODES, *RESPONSES, *INVITATIONS, *DISPOSITIONS):
        assert 0 < len(column.label) <= 80


def test_words_of_a_survey_do_not_break_the_tables(seeds: Seeds, export: Export) -> None:
    choices = ["One | two", "Three\nfour"]
    seeds.survey(make_survey(question=[QUESTIONS[3] | {"choices": choices}]))
    export()
    assert "| `one_two` | One \\| two | One \\| two |" in export.page()
    assert "| `three_four` | Three four | Three four |" in export.page()


def test_the_draw_of_each_wave_is_described(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    hidden = seeds.survey(make_survey("hidden", anonymity="anonymous"))
    seeds.wave(survey, "w1", questions_per_person=1, seed="written beforehand", pulse="monthly")
    seeds.wave(hidden, "w2", questions_per_person=1, pulse="monthly")
    seeds.wave(survey, "w3")
    seeds.insert("draws", wave_id="w1", question_id="goals", n=12)
    export()
    balanced, by_chance = export.book()["draws"]
    assert balanced == {
        "wave": "w1",
        "survey": "pulse",
        "revision": survey.revision,
        "pulse": "monthly",
        "cohort": "riverside",
        "questions_per_person": 1,
        "way": "balanced",
        "seed": "written beforehand",
        "pool": ["goals"],
        "n_drawn": {"goals": 12},
    }
    assert (by_chance["way"], by_chance["seed"], by_chance["n_drawn"]) == ("by chance", None, {})
    page = export.page()
    assert "| `w1` | 1 of 1 | balanced | `written beforehand` | goals 12 |" in page
    assert "| `w2` | 1 of 1 | by chance | not kept | not kept |" in page
    assert "In the pool: where each person is asked a few, drawn for some" in page
    assert "Drawn with: goals" in page


def test_every_state_and_reason_is_told(seeds: Seeds, export: Export) -> None:
    export()
    for state in State:
        assert f"| `{state.value}` | {FAMILIES[state].value} |" in export.page()
    assert set(export.book()["reasons"]) == set(Cause)
