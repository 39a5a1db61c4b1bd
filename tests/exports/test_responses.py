"""One row a response: fixed columns, and every gap with its reason."""

from __future__ import annotations

from tests.exports.conftest import QUESTIONS, Export, Seeds, make_survey


def reasons(row: dict[str, str]) -> dict[str, str]:
    return {name[:-8]: cell for name, cell in row.items() if name.endswith(".missing") and cell}


def test_a_response_lies_in_one_row(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1", sector="charity")
    seeds.answer(survey, "r1", "goals", "2")
    seeds.answer(survey, "r1", "goals_why", "too far apart")
    seeds.answer(survey, "r1", "services", "housing|schools")
    seeds.answer(survey, "r1", "sector", "public")
    seeds.answer(survey, "r1", "warmth", "12.5")
    seeds.answer(survey, "r1", "again", "yes")
    export("jsonl")
    (row,) = export.jsonl("responses")
    assert row == {
        "response_id": "r1", "wave": None, "survey": "pulse", "revision": survey.revision,
        "respondent": "p-r1", "role": "citizen", "sector": "charity", "cohort": "riverside",
        "channel": "telegram", "language": "en",
        "started_at": "2026-12-01T10:00:00.000000+00:00",
        "ended_at": "2026-12-01T10:05:00.000000+00:00",
        "disposition": "complete", "n_offered": 6, "n_answered": 6,
        "goals": 2, "goals.missing": None,
        "goals_why": "too far apart", "goals_why.missing": None,
        "services": "housing|schools", "services/housing": 1, "services/health": 0,
        "services/schools": 1, "services.missing": None,
        "sector.answer": "public", "sector.missing": None,
        "warmth": 12.5, "warmth.missing": None,
        "again": "yes", "again.missing": None,
    }  # fmt: skip


def test_columns_do_not_depend_on_what_was_answered(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    export()
    empty = export.page("responses.csv")
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "services", "health")
    export()
    assert export.page("responses.csv").splitlines()[0] == empty.splitlines()[0]
    assert len(empty.splitlines()) == 1


def test_a_skip_and_dont_know_are_told_apart(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1")
    seeds.answer(survey, "r1", "goals", None, missing="dont_know")
    seeds.answer(survey, "r1", "services", None, missing="skipped")
    seeds.answer(survey, "r1", "sector", None, missing="not_answered")
    seeds.answer(survey, "r1", "warmth", "3")
    seeds.answer(survey, "r1", "again", "no")
    export()
    (row,) = export.csv("responses")
    assert reasons(row) == {
        "goals": "dont_know",
        "goals_why": "not_applicable",
        "services": "skipped",
        "sector": "not_answered",
    }
    assert [row[f"services/{one}"] for one in ("housing", "health", "schools")] == ["", "", ""]
    assert (row["n_offered"], row["n_answered"]) == ("5", "3")


def test_a_person_who_stopped_did_not_reach_the_rest(seeds: Seeds, export: Export) -> None:
    survey = seeds.survey(make_survey())
    seeds.response(survey, "r1", status="stopped", disposition="break_off")
    seeds.answer(survey, "r1", "goals", "1")
    seeds.answer(survey, "r1", "goals_why", None, missing="not_answered")
    seeds.response(survey, "r2", status="stopped", disposition="break_off")
    export()
    first, second = export.csv("responses")
    assert reasons(first) == {
        "goals_why": "not_answered",
        "services": "not_reached",
        "sector": "not_reached",
        "warmth": "not_reached",
        "again": "not_reached",
    }
    assert set(reasons(second).values()) == {"not_reached"}
    assert len(reasons(second)) == 6


def test_what_was_not_drawn_was_not_asked_nor_was_what_hangs_on_it(
    seeds: Seeds, export: Export
) -> None:
    extra = {"id": "trust", "kind": "scale", "text": "Trust?", "labels": ["No", "Yes"],
             "enabler": "trust"}  # fmt: skip
    survey = seeds.survey(make_survey(question=[*QUESTIONS, extra]))
    seeds.response(survey, "r1")
    for question_id, value in (("services", "health"), ("sector", "public"), ("warmth", "3")):
        seeds.answer(survey, "r1", question_id, value)
    seeds.answer(survey, "r1", "again", "no")
    seeds.response(survey, "r2", status="asking", disposition="unknown")
    seeds.answer(survey, "r2", "services", None, missing="not_answered")
    export()
    finished, going = export.csv("responses")
    drawn_out = {"goals": "not_asked", "goals_why": "not_asked"}
    assert reasons(finished) == {**drawn_out, "trust": "not_asked"}
    assert reasons(going) == {
        **drawn_out,
        "services": "not_answered",
        "sector": "not_reached",
        "warmth": "not_reached",
        "again": "not_reached",
        "trust": "not_reached",
    }


def test_a_partial_response_that_reached_the_end_is_known_by_its_session(
    seeds: Seeds, export: Export
) -> None:
    survey = seeds.survey(make_survey(question=[QUESTIONS[2], QUESTIONS[0]]))
    for response_id, status in (("ended", "complete"), ("stopped", "stopped")):
        seeds.response(survey, response_id, status=status, disposition="partial")
        seeds.answer(survey, response_id, "services", None, missing="skipped")
    export()
    ended, stopped = export.csv("responses")
    assert ended["goals.missing"] == "not_asked"
    assert stopped["goals.missing"] == "not_reached"


def test_two_revisions_share_their_columns(seeds: Seeds, export: Export) -> None:
    old = seeds.survey(make_survey(), kept_at="2026-01-01T00:00:00.000000+00:00")
    services = QUESTIONS[2] | {"choices": ["Health", "Police"]}
    new = seeds.survey(
        make_survey(question=[services, QUESTIONS[0]]), kept_at="2026-06-01T00:00:00.000000+00:00"
    )
    for response_id, survey in (("r1", old), ("r2", new)):
        seeds.response(survey, response_id)
        seeds.answer(survey, response_id, "services", "health")
        seeds.answer(survey, response_id, "goals", "3")
    seeds.answer(old, "r1", "again", "no")
    export()
    first, second = export.csv("responses")
    columns = [name for name in first if name.startswith("services/")]
    assert columns == ["services/health", "services/police", "services/housing", "services/schools"]
    assert [first[name] for name in columns] == ["1", "", "0", "0"]
    assert [second[name] for name in columns] == ["1", "0", "", ""]
    assert (second["again"], second["again.missing"]) == ("", "not_in_survey")
    assert list(first).index("services") < list(first).index("goals") < list(first).index("again")
    assert [one["revision"] for one in export.book()["surveys"]] == [old.revision, new.revision]


def test_several_surveys_share_a_file_and_the_ids_they_share(seeds: Seeds, export: Export) -> None:
    one = seeds.survey(make_survey("first", question=QUESTIONS[:1]))
    two = seeds.survey(make_survey("second", question=[QUESTIONS[0], QUESTIONS[5]]))
    for survey in (one, two):
        seeds.response(survey, f"r-{survey.survey_id}")
        seeds.answer(survey, f"r-{survey.survey_id}", "goals", "3")
    seeds.answer(two, "r-second", "again", "yes")
    export()
    first, second = export.csv("responses")
    assert (first["goals"], second["goals"]) == ("3", "3")
    assert (first["again.missing"], second["again"]) == ("not_in_survey", "yes")


def test_a_question_that_changed_its_kind_keeps_its_answers(seeds: Seeds, export: Export) -> None:
    old = seeds.survey(make_survey(question=[QUESTIONS[4]]), kept_at="2026-01-01")
    asked_in_words = {"id": "warmth", "kind": "text", "text": "How warm is it?"}
    new = seeds.survey(make_survey(question=[asked_in_words]), kept_at="2026-06-01")
    seeds.response(old, "r1")
    seeds.answer(old, "r1", "warmth", "-3")
    seeds.response(new, "r2")
    seeds.answer(new, "r2", "warmth", "mild")
    export("jsonl")
    assert [row["warmth"] for row in export.jsonl("responses")] == ["-3", "mild"]
