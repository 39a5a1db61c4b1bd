"""Reading what a person typed: tables for every kind, in English and Welsh."""

from __future__ import annotations

from typing import Any

import pytest

from dialogues.replies import (
    MAX_TEXT,
    Fits,
    Misfit,
    check_choices,
    label_of,
    option_labels,
    plain_number,
    read_reply,
)
from tests.talk import shipped, survey_of

AGREEMENT = [
    {"en": "Strongly disagree", "cy": "Anghytuno'n gryf"},
    {"en": "Disagree", "cy": "Anghytuno"},
    {"en": "In the middle", "cy": "Yn y canol"},
    {"en": "Agree", "cy": "Cytuno"},
    {"en": "Strongly agree", "cy": "Cytuno'n gryf"},
]


def survey(**question: Any):
    return survey_of({"id": "q", "text": "?", **question}, languages=["en", "cy"])


def read(made, text: str, language: str = "en") -> str:
    """The value, or ``!`` and the key of the sentence that says what did not fit."""
    found = read_reply(made, made.questions[0], text, language)
    return found.value if isinstance(found, Fits) else f"!{found.key}"


SCALE = survey(kind="scale", labels=AGREEMENT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", "4"),
        ("4.", "4"),
        (" 4 ", "4"),
        ("(4)", "4"),
        ("4)", "4"),
        ("#4", "4"),
        ("٤", "4"),
        ("４", "4"),
        ("4️⃣", "4"),
        ("‏4", "4"),
        ("agree", "4"),
        ("AGREE!", "4"),
        ("“Agree”", "4"),
        ("agre", "4"),
        ("4. Agree", "4"),
        ("4 agree", "4"),
        ("4 - agree", "4"),
        ("in the", "3"),
        ("Cytuno", "4"),
        ("anghytuno’n gryf", "1"),
        ("strongly", "!ambiguous"),
        ("s", "!ambiguous"),
        ("4 disagree", "!not_on_scale"),
        ("0", "!not_on_scale"),
        ("6", "!not_on_scale"),
        ("44", "!not_on_scale"),
        ("4.5", "!not_on_scale"),
        ("-4", "!not_on_scale"),
        ("4 5", "!not_on_scale"),
        ("I agree that they listen", "!not_on_scale"),
        ("👍", "!not_on_scale"),
        ("...", "!not_on_scale"),
        ("✓", "!not_on_scale"),
        ("", "!text_empty"),
        ("  \n ", "!text_empty"),
    ],
)
def test_a_scale_in_english(text: str, value: str) -> None:
    assert read(SCALE, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("cytuno", "4"),
        ("cytun", "!ambiguous"),
        ("yn y", "3"),
        ("Agree", "4"),
        ("strongly agree", "5"),
        ("agre", "!not_on_scale"),
    ],
)
def test_a_scale_in_welsh_understands_whole_english_labels(text: str, value: str) -> None:
    assert read(SCALE, text, "cy") == value


def test_what_is_ambiguous_is_said() -> None:
    found = read_reply(SCALE, SCALE.questions[0], "strongly", "en")
    assert found == Misfit(
        key="ambiguous", values={"answers": "Strongly disagree / Strongly agree"}
    )


YEARS = survey(
    kind="choice",
    choices=[
        {"id": "under_1", "text": "Less than 1 year"},
        {"id": "from_1", "text": "1 to 5 years"},
        {"id": "from_6", "text": "6 to 20 years"},
        {"id": "over_20", "text": "More than 20 years"},
    ],
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "!ambiguous"),
        ("2", "from_1"),
        ("6", "from_6"),
        ("1 to 5", "from_1"),
        ("less", "under_1"),
        ("over_20", "over_20"),
        ("30", "!not_a_choice"),
        ("l" * 100_000, "!not_a_choice"),
        ("1" * 100_000, "!not_a_choice"),
    ],
)
def test_a_choice_whose_labels_begin_with_numbers(text: str, value: str) -> None:
    assert read(YEARS, text) == value


YESNO = survey(kind="yesno")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("Yes please", "yes"),
        ("Yes, thank you.", "yes"),
        ("Yes, I have", "yes"),
        ("y", "yes"),
        ("ok", "yes"),
        ("👍", "yes"),
        ("👍🏽", "yes"),
        ("1", "yes"),
        ("ie", "yes"),
        ("Ydw", "yes"),
        ("siwr", "yes"),
        ("do", "yes"),
        ("no", "no"),
        ("Nope.", "no"),
        ("No thanks", "no"),
        ("No. Never", "no"),
        ("👎", "no"),
        ("2", "no"),
        ("nac ydw", "no"),
        ("naddo", "no"),
        ("3", "!not_yesno"),
        ("yes, no", "!not_yesno"),
        ("perhaps", "!not_yesno"),
        ("nobody asked", "!not_yesno"),
    ],
)
@pytest.mark.parametrize("language", ["en", "cy"])
def test_yes_and_no(text: str, value: str, language: str) -> None:
    assert read(YESNO, text, language) == value


HOURS = survey(kind="number", min=0, max=700, unit={"en": "hours", "cy": "awr"})
ANY = survey(kind="number")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", "10"),
        ("10.", "10"),
        ("10.0", "10"),
        ("2.5", "2.5"),
        ("2,5", "2.5"),
        ("007", "7"),
        ("1,000", "!number_between"),
        ("about 10 hours", "10"),
        ("10h", "10"),
        ("About ten hours", "10"),
        ("tua deg awr", "10"),
        ("none", "0"),
        ("dim", "0"),
        ("٣", "3"),
        ("٢٫٥", "2.5"),
        ("7️⃣", "7"),
        ("-1", "!number_between"),
        ("minus 5", "!number_between"),
        ("10-12", "!not_a_number"),
        ("10 to 12", "!not_a_number"),
        ("3 4", "!not_a_number"),
        ("1, 2", "!not_a_number"),
        ("1.2.3", "!not_a_number"),
        ("2 and a half", "!not_a_number"),
        ("½", "!not_a_number"),
        ("5k", "!not_a_number"),
        ("2 thousand", "!not_a_number"),
        ("no one", "!not_a_number"),
        ("lots", "!not_a_number"),
        ("👍", "!not_a_number"),
        ("9" * 100_000, "!not_a_number"),
        ("", "!text_empty"),
    ],
)
def test_a_number(text: str, value: str) -> None:
    assert read(HOURS, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", "1000"),
        ("1 000", "1000"),
        ("1'000", "1000"),
        ("1.000,50", "1000.5"),
        ("1.000.000", "1000000"),
        ("1,000,000.25", "1000000.25"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("+3", "3"),
        ("-0", "0"),
        ("£5", "5"),
        ("999999999999999", "999999999999999"),
        ("1000000000000000", "!not_a_number"),
        ("inf", "!not_a_number"),
        ("nan", "!not_a_number"),
        ("1e5", "!not_a_number"),
    ],
)
def test_a_number_without_limits(text: str, value: str) -> None:
    assert read(ANY, text) == value


@pytest.mark.parametrize(
    ("limits", "text", "key", "values"),
    [
        ({"min": 0, "max": 9}, "12", "number_between", {"min": "0", "max": "9"}),
        ({"min": 1.5}, "1", "number_at_least", {"min": "1.5"}),
        ({"max": 0}, "1", "number_at_most", {"max": "0"}),
        ({"min": 0}, "many", "not_a_number", {"example": "3"}),
        ({"min": 16}, "many", "not_a_number", {"example": "16"}),
        ({"max": 2}, "many", "not_a_number", {"example": "2"}),
    ],
)
def test_what_is_said_of_a_number_that_does_not_fit(
    limits: dict[str, float], text: str, key: str, values: dict[str, str]
) -> None:
    made = survey(kind="number", **limits)
    assert read_reply(made, made.questions[0], text, "en") == Misfit(key=key, values=values)


SEVERAL = survey(
    kind="multichoice",
    choices=[
        {"id": "time", "text": {"en": "Times that suit me", "cy": "Amser sy'n fy siwtio"}},
        {"id": "place", "text": {"en": "A place near me", "cy": "Lle yn agos ata i"}},
        {"id": "bed", "text": {"en": "Bed and breakfast", "cy": "Gwely a brecwast"}},
        {"id": "more", "text": {"en": "Yes, more than once", "cy": "Ydw, fwy nag unwaith"}},
        {"id": "other", "text": {"en": "Something else", "cy": "Rhywbeth arall"}},
    ],
    min_choices=1,
    max_choices=3,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "time"),
        ("1, 3", "time|bed"),
        ("3,1", "time|bed"),
        ("1 3", "time|bed"),
        ("1 and 3", "time|bed"),
        ("1 & 3", "time|bed"),
        ("1/3", "time|bed"),
        ("1, 2, and 3", "time|place|bed"),
        ("1. 3.", "time|bed"),
        ("1 1 1", "time"),
        ("1\n3", "time|bed"),
        ("2️⃣, 3️⃣", "place|bed"),
        ("times that suit me, a place near me", "time|place"),
        ("Bed and breakfast", "bed"),
        ("bed and breakfast and something else", "bed|other"),
        ("Yes, more than once", "more"),
        ("Yes, more than once, bed and breakfast, times", "time|bed|more"),
        ("time; other", "time|other"),
        ("gwely a brecwast a rhywbeth arall", "bed|other"),
        ("1 and something else", "time|other"),
        ("1, , 3,", "time|bed"),
        ("1 2 3 4", "!too_many"),
        ("1, 9", "!not_a_choice"),
        ("13", "!not_a_choice"),
        ("1-3", "!not_a_choice"),
        ("nothing of this", "!not_a_choice"),
        (",", "!too_few"),
        ("1," * 50_000, "!not_a_choice"),
    ],
)
def test_several_choices(text: str, value: str) -> None:
    assert read(SEVERAL, text) == value


def test_several_choices_need_as_many_as_the_survey_says() -> None:
    made = survey(kind="multichoice", choices=["A", "B", "C"], min_choices=2)
    assert read(made, "A") == "!too_few"
    assert read(made, "C, A") == "a|c"
    assert check_choices(made.questions[0], ("c", "a", "c")) == Fits(value="a|c")


TEXT = survey(kind="text")


@pytest.mark.parametrize(
    "text",
    ["No.", "x" * MAX_TEXT, "שלום לכולם", "مرحبا\u200f بكم", "👍", "a\x00b", "a\ud800b", "1"],
)
def test_an_open_answer_is_kept_as_it_came(text: str) -> None:
    assert read(TEXT, text) == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x" * 100_000, "!too_long"),
        ("\u200b \u200f", "!text_empty"),
        ("\x00", "!text_empty"),
        ("\ud800", "!text_empty"),
        ("\n\t", "!text_empty"),
    ],
)
def test_an_open_answer_that_cannot_be_taken(text: str, key: str) -> None:
    assert read(TEXT, text) == key


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000,
        "1" * 100_000,
        "1," * 50_000,
        " and " * 20_000,
        "\x00",
        "\ud800",
        "\udfff 4",
        "🇬🇧",
        "٤٢",
        "²",
        "①",
        "½",
        "{q}",
        "%s",
        "\\",
        "(((",
    ],
)
@pytest.mark.parametrize("name", ["collaborative-citizen", "state-of-collaboration"])
def test_reading_never_raises(name: str, text: str) -> None:
    made = shipped(name)
    for question in made.questions:
        for language in ("en", "cy", "xx"):
            found = read_reply(made, question, text, language)
            assert isinstance(found, Fits | Misfit)


def test_every_label_of_the_shipped_surveys_reads_as_itself() -> None:
    for name in ("partnership-pulse", "citizen-pulse"):
        made = shipped(name)
        for question in made.questions:
            for language in ("en", "cy"):
                for option, label in zip(
                    question.options, option_labels(made, question, language), strict=True
                ):
                    assert read_reply(made, question, label, language) == Fits(value=option.value)


@pytest.mark.parametrize("name", ["collaborative-citizen", "state-of-collaboration"])
def test_every_label_and_number_reads_as_itself_where_it_can(name: str) -> None:
    made = shipped(name)
    for question in made.questions:
        for number, option in enumerate(question.options, start=1):
            for language in ("en", "cy"):
                label = option_labels(made, question, language)[number - 1]
                assert read_reply(made, question, label, language) == Fits(value=option.value)
            typed = read_reply(made, question, str(number), "en")
            assert typed == Fits(value=option.value) or (
                isinstance(typed, Misfit) and typed.key == "ambiguous"
            )


@pytest.mark.parametrize(
    ("number", "written"),
    [(7.0, "7"), (2.5, "2.5"), (-0.0, "0"), (1e6, "1000000"), (0.1, "0.1"), (100, "100")],
)
def test_numbers_are_written_plainly(number: float, written: str) -> None:
    assert plain_number(number) == written


def test_values_are_said_as_labels() -> None:
    assert label_of(SCALE, SCALE.questions[0], "4", "cy") == "Cytuno"
    assert label_of(SEVERAL, SEVERAL.questions[0], "time|other", "en") == (
        "Times that suit me, Something else"
    )
    assert label_of(HOURS, HOURS.questions[0], "3", "cy") == "3 awr"
    assert label_of(YESNO, YESNO.questions[0], "no", "cy") == "Na"
    assert label_of(YESNO, YESNO.questions[0], "gone", "en") == "gone"
