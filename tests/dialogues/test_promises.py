"""How many people stand behind a figure is promised as it is kept."""

from __future__ import annotations

import pytest

from dialogues.loader import load_survey, read_survey
from dialogues.promises import MIN_GROUP

WORDS = "Others see results only for {min_group} or more people."


def data(consent: object, **more: object) -> dict[str, object]:
    question = {"id": "one", "kind": "yesno", "text": "Well?"}
    return {
        "survey": "plain",
        "title": "Plain",
        "languages": ["en", "cy"],
        "consent": {"text": consent},
        "question": [question],
        **more,
    }


def test_the_number_is_filled_in_and_another_one_asks_for_consent_anew() -> None:
    found = {
        number: load_survey(data(WORDS, thanks={"en": WORDS, "cy": WORDS}), min_group=number)
        for number in (MIN_GROUP, 3)
    }
    for number, survey in found.items():
        assert survey.say(survey.consent.text, "en") == WORDS.format(min_group=number)
        assert survey.say(survey.thanks, "cy") == WORDS.format(min_group=number)
    assert found[3].consent_revision != found[MIN_GROUP].consent_revision
    assert load_survey(data(WORDS)).revision != found[3].revision


@pytest.mark.parametrize(
    ("words", "least", "promised"),
    [
        ("At least 5 people.", 3, 5),
        ("For 10 or more people, or at least 5 people.", 5, 10),
        ("O leiaf 5 o bobl.", 4, 5),
        ("Canlyniadau 5 neu fwy.", 4, 5),
        ("At least 5 people.", 5, None),
        ("At least 5 people.", 10, None),
        (WORDS, 3, None),
        ("For people of 16 or older; call 999. At least 30 words.", 3, None),
    ],
)
def test_a_promise_that_is_not_kept_is_warned_of(
    words: str, least: int, promised: int | None
) -> None:
    problems = read_survey(data({"en": words, "cy": "Iawn?"}), min_group=least).problems
    found = [(one.path, one.severity, one.expected) for one in problems]
    expected = (
        f"expected {{min_group}} in place of {promised}: figures are shown on {least} people"
        " already (results.min_group)"
    )
    assert found == ([] if promised is None else [(("consent", "text", "en"), "warning", expected)])
