"""What stands in the rows of answers, codes, invitations and dispositions."""

from __future__ import annotations

import pytest

from dialogues.errors import StoreError, UserError
from tests.exports.conftest import Export, Seeds, instant, make_survey

ODD = [
    "line one\nline two\r\nline three",
    'a "quoted", comma; semicolon',
    "👩‍👩‍👧 family \N{PILE OF POO}",
    "שלום, مرحبا",
    "two\u2028lines\u2029or\x85more",
    "  kept as typed  ",
    "'tis fine",
    "\x0b\x0c\x1f controls",
]


@pytest.mark.parametrize("words", ODD)
@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_words_come_back_as_they_were(
    seeds: Seeds, export: Export, words: str, format_name: str
) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", words)
    export(format_name)
    rows = export.csv("answers") if format_name == "csv" else export.jsonl("answers")
    assert [row["text"] for row in rows] == [words]


@pytest.mark.parametrize("words", ODD)
def test_a_row_of_json_is_one_line_to_every_reader(
    seeds: Seeds, export: Export, words: str
) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", words)
    export("jsonl")
    assert len(export.page("answers.jsonl").splitlines()) == 1


@pytest.mark.parametrize(
    "words", ["=1+1", "+44 20", "-3", "@sum", "\tx", "\rx", "\nx", "＝1", "'=1", "''+"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(
    seeds: Seeds, export: Export, words: str
) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", words, question=words)
    seeds.coding("r1", "goals_why", words)
    export()
    (answer,) = export.csv("answers")
    assert (answer["text"], answer["question"]) == (f"'{words}", f"'{words}")
    assert export.csv("codes")[0]["evidence"] == f"'{words}"
    assert export.csv("responses")[0]["goals_why"] == f"'{words}"
    export("jsonl")
    assert export.jsonl("answers")[0]["text"] == words


def test_a_negative_number_stays_a_number(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    for at, value in enumerate(["-3", "-2.5", "7"]):
        seeds.response(survey, f"r{at}")
        seeds.answer(survey, f"r{at}", "warmth", value)
    export()
    assert [row["value"] for row in export.csv("answers")] == ["-3", "-2.5", "7"]
    assert [row["warmth"] for row in export.csv("responses")] == ["-3", "-2.5", "7"]
    export("jsonl")
    assert [row["warmth"] for row in export.jsonl("responses")] == [-3, -2.5, 7]


# PostgreSQL cannot hold one; the channels replace it, and so no engine is given any.
@pytest.mark.parametrize("seeds", ["sqlite"], indirect=True)
def test_nul_does_not_end_a_csv_cell(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", "a\0b")
    export()
    row = export.csv("answers")[0]
    assert (row["text"], row["value"]) == ("a\ufffdb", "a\ufffdb")
    export("jsonl")
    assert export.jsonl("answers")[0]["text"] == "a\0b"


def test_an_answer_has_its_whole_row(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    wave = seeds.wave(survey, "monthly-riverside-2026-12-01")
    seeds.response(survey, "r1", wave_id=wave, sector="charity", role="partner", channel="slack")
    seeds.answer(
        survey, "r1", "goals", "2", text="the middle one", n_edits=2,
        answered_at=instant("10:01:02").replace(".000000", ".260000"),
    )  # fmt: skip
    export()
    assert export.csv("answers") == [
        {
            "response_id": "r1",
            "wave": wave,
            "survey": "pulse",
            "revision": survey.revision,
            "respondent": "p-r1",
            "role": "partner",
            "sector": "charity",
            "cohort": "riverside",
            "channel": "slack",
            "language": "en",
            "question_id": "goals",
            "question": "We want the same outcome.",
            "kind": "scale",
            "value": "2",
            "text": "the middle one",
            "asked_at": "2026-12-01T10:00:00.000000+00:00",
            "answered_at": "2026-12-01T10:01:02.260000+00:00",
            "seconds": "62.3",
            "edited": "1",
            "missing": "",
            "tagged_by": "",
            "tag_error": "",
        }
    ]


def test_a_question_that_was_put_and_not_answered_has_a_row_with_the_reason(
    seeds: Seeds, export: Export
) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    reasons = ["dont_know", "not_applicable", "skipped", "not_answered"]
    for question, reason in zip(survey.questions, reasons, strict=False):
        seeds.answer(survey, "r1", question.id, None, missing=reason)
    seeds.answer(survey, "r1", "warmth", None, answered_at=None, question="")
    export("jsonl")
    rows = export.jsonl("answers")
    assert [row["missing"] for row in rows] == [*reasons, "not_answered"]
    assert all(row["value"] is None for row in rows)
    assert (rows[-1]["answered_at"], rows[-1]["seconds"]) == (None, None)
    assert rows[-1]["question"] == "How warm is it?"


def test_a_clock_that_went_back_gives_no_seconds(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "again", "yes", answered_at=instant("09:59:59"))
    export("jsonl")
    assert export.jsonl("answers")[0]["seconds"] is None


def test_codes_have_their_strand_and_a_fixed_order(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", "They differ. We share a goal.")
    seeds.coding("r1", "goals_why", "We share a goal", span_start=13, span_end=28,
                 stance="strength", coder="ann", status="confirmed", confidence=1.0)  # fmt: skip
    seeds.coding("r1", "goals_why", "They differ", span_end=11)
    seeds.coding("r1", "goals_why", "", enabler="of_another_frame", stance=None)
    export("jsonl")
    rows = export.jsonl("codes")
    assert [(row["enabler"], row["strand"], row["stance"]) for row in rows] == [
        ("of_another_frame", None, None),
        ("shared_goals", "alignment", "gap"),
        ("shared_goals", "alignment", "strength"),
    ]
    text = export.jsonl("answers")[0]["text"]
    assert all(text[row["start"] : row["end"]] == row["evidence"] for row in rows)
    assert [row["status"] for row in rows] == ["suggested", "suggested", "confirmed"]
    assert [row["coder"] for row in rows] == ["tagger@1", "tagger@1", "ann"]
    assert rows[1]["coded_at"] == instant("10:06:00")
    assert rows[1]["confidence"] == 0.8125


def test_a_tag_says_where_it_comes_from(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals_why", "They differ.")
    seeds.coding("r1", "goals_why", "They", threshold=0.5)
    seeds.coding("r1", "goals_why", "They", coder="coder:mair", source="coder", status="rejected")
    export("jsonl")
    rows = export.jsonl("codes")
    assert [(row["coder"], row["source"], row["status"], row["threshold"]) for row in rows] == [
        ("coder:mair", "coder", "rejected", None),
        ("tagger@1", "tagger", "suggested", 0.5),
    ]


def test_samples_and_reviews_are_of_released_answers_only(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey(anonymity="anonymous"))
    open_wave = seeds.wave(survey, "w1")
    seeds.insert(
        "samples", sample_id="x", mode="random", drawn_at=instant("11:00:00"), seed="s", blind=0,
        double_share=0.0, n_population=8, n_drawn=2,
    )  # fmt: skip
    for number, (response_id, wave) in enumerate([("out", None), ("in", open_wave)]):
        seeds.response(
            survey, response_id, status=None, wave_id=wave, respondent_id=None,
            started_at="2026-12-01", ended_at="2026-12-01",
        )  # fmt: skip
        seeds.answer(survey, response_id, "goals_why", "They differ.", answered_at="2026-12-01")
        ids = {"response_id": response_id, "question_id": "goals_why", "sample_id": "x"}
        seeds.insert("sampled", place=number, probability=0.25, coders_wanted=2, **ids)
        seeds.insert(
            "reviews", coder="coder:mair", number=number, blind=1, state="done",
            reviewed_at="2026-12-02", codeframe_version="frame 1", **ids,
        )  # fmt: skip
    seeds.driver.run("update waves set state = 'open'", {})
    export("jsonl")
    assert export.jsonl("samples") == [
        {
            "sample_id": "x",
            "mode": "random",
            "seed": "s",
            "drawn_at": instant("11:00:00"),
            "response_id": "out",
            "question_id": "goals_why",
            "place": 0,
            "probability": 0.25,
            "coders_wanted": 2,
        }
    ]
    assert export.jsonl("reviews") == [
        {
            "response_id": "out",
            "question_id": "goals_why",
            "coder": "coder:mair",
            "state": "done",
            "blind": 1,
            "sample_id": "x",
            "reviewed_at": "2026-12-02",
            "codeframe_version": "frame 1",
        }
    ]


def test_an_anonymous_response_has_no_respondent_and_only_days(
    seeds: Seeds, export: Export
) -> None:
    survey = seeds.survey(make_survey(anonymity="anonymous"))
    wave = seeds.wave(survey, "w1")
    seeds.invitation(wave, "p1", "complete", "queued", "contacted", "completed")
    seeds.response(survey, "loose", status=None, wave_id=wave, respondent_id=None)
    seeds.answer(survey, "loose", "goals_why", "ours differ", asked_at="2026-12-01",
                 answered_at="2026-12-01")  # fmt: skip
    seeds.answer(survey, "loose", "again", "yes")
    seeds.coding("loose", "goals_why", "ours")
    export("jsonl")
    for row in export.jsonl("answers"):
        assert (row["respondent"], row["seconds"]) == (None, None)
        assert (row["asked_at"], row["answered_at"]) == ("2026-12-01", "2026-12-01")
    (response,) = export.jsonl("responses")
    assert (response["respondent"], response["started_at"]) == (None, "2026-12-01")
    assert response["ended_at"] == "2026-12-01"
    assert export.jsonl("codes")[0]["coded_at"] == "2026-12-01"
    (invitation,) = export.jsonl("invitations")
    assert (invitation["respondent"], invitation["reminders"]) == (None, None)
    assert invitation["invited_at"] == "2026-12-01"
    assert {row["at"] for row in export.jsonl("dispositions")} == {"2026-12-01"}
    assert "p1" not in "".join(export.page(path.name) for path in export.folder.iterdir())


def test_an_anonymous_response_that_was_not_handed_in_stays(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey(anonymity="anonymous"))
    seeds.response(survey, "open", status="asking", disposition="unknown")
    seeds.answer(survey, "open", "goals_why", "not yet yours")
    seeds.coding("open", "goals_why", "yours")
    export()
    assert [export.csv(table) for table in ("answers", "codes", "responses")] == [[], [], []]
    assert export.book()["surveys"][0]["n_responses"] == {}
    assert "not yet yours" not in "".join(export.page(one.name) for one in export.folder.iterdir())


@pytest.mark.parametrize("state", ["open", "paused", "closing"])
def test_an_anonymous_response_stays_until_its_wave_has_closed(
    seeds: Seeds, export: Export, state: str
) -> None:
    survey = seeds.survey(make_survey(anonymity="anonymous"))
    wave = seeds.wave(survey, "w1")
    seeds.driver.run("update waves set state = :state", {"state": state})
    seeds.response(survey, "loose", status=None, wave_id=wave, respondent_id=None)
    seeds.answer(survey, "loose", "goals_why", "ours differ")
    seeds.coding("loose", "goals_why", "ours")
    export()
    assert [export.csv(table) for table in ("answers", "codes", "responses")] == [[], [], []]


def test_the_history_of_an_invitation_is_whole_and_in_order(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.wave(survey, "w1")
    seeds.invitation("w1", "p2", "refusal", "queued", "contacted", "refused")
    seeds.invitation("w1", "p1", "non_contact", "queued", "failed:unreachable")
    export()
    rows = export.csv("dispositions")
    assert [
        (row["invitation_id"], row["seq"], row["state"], row["disposition"]) for row in rows
    ] == [
        ("i-1", "0", "registered", "unknown"),
        ("i-1", "1", "queued", "unknown"),
        ("i-1", "2", "failed", "non_contact"),
        ("i-2", "0", "registered", "unknown"),
        ("i-2", "1", "queued", "unknown"),
        ("i-2", "2", "contacted", "unknown"),
        ("i-2", "3", "refused", "refusal"),
    ]
    assert [row["at"][11:19] for row in rows[:3]] == ["09:00:00", "09:01:00", "09:02:00"]
    assert [row["reason"] for row in rows[:3]] == ["", "", "unreachable"]
    assert {row["channel"] for row in rows} == {"slack"}
    assert [row["state"] for row in export.csv("invitations")] == ["failed", "refused"]


def test_invitations_tell_the_response_rate(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.wave(survey, "w1")
    for person, disposition in (("p2", "non_contact"), ("p1", "complete")):
        seeds.invitation("w1", person, disposition)
    export()
    rows = export.csv("invitations")
    assert [(row["respondent"], row["disposition"]) for row in rows] == [
        ("p1", "complete"),
        ("p2", "non_contact"),
    ]
    assert (rows[0]["wave"], rows[0]["survey"], rows[0]["revision"]) == (
        "w1", "pulse", survey.revision,
    )  # fmt: skip
    assert (rows[0]["role"], rows[0]["sector"], rows[0]["reminders"]) == ("partner", "charity", "2")
    assert rows[0]["invited_at"] == instant("09:00:00")


def test_filters_keep_to_one_survey_and_one_wave(seeds: Seeds, export: Export) -> None:
    ours, other = seeds.survey(make_survey()), seeds.survey(make_survey("other"))
    for wave, survey in (("w1", ours), ("w2", ours), ("w3", other)):
        seeds.wave(survey, wave)
        seeds.response(survey, f"r-{wave}", wave_id=wave)
        seeds.answer(survey, f"r-{wave}", "goals_why", "words")
        seeds.coding(f"r-{wave}", "goals_why", "words")
        seeds.invitation(wave, f"p-{wave}", "complete")
    export(survey_id="pulse")
    for table in ("answers", "codes", "responses"):
        assert [row["response_id"] for row in export.csv(table)] == ["r-w1", "r-w2"]
    assert [row["wave"] for row in export.csv("invitations")] == ["w1", "w2"]
    assert [one["survey"] for one in export.book()["surveys"]] == ["pulse"]
    export(wave_id="w3")
    for table in ("answers", "codes", "responses"):
        assert [row["response_id"] for row in export.csv(table)] == ["r-w3"]
    assert [row["wave"] for row in export.csv("invitations")] == ["w3"]
    assert [one["survey"] for one in export.book()["surveys"]] == ["other"]
    assert "Only wave w3." in export.page("README.md")


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"survey_id": "nope"}, "There is no survey nope here. There are: pulse."),
        ({"wave_id": "nope"}, "There is no wave nope here. There are: w1."),
    ],
)
def test_what_is_not_there_is_said(
    seeds: Seeds, export: Export, filters: dict[str, str], words: str
) -> None:
    seeds.wave(seeds.survey(make_survey()), "w1")
    with pytest.raises(UserError, match=words):
        export(**filters)
    assert not export.folder.exists()


def test_answers_without_their_survey_are_an_error_that_says_so(
    seeds: Seeds, export: Export
) -> None:
    seeds.response(make_survey(), "r1")
    with pytest.raises(StoreError, match="not the survey itself"):
        export()
