"""A small export, whole: read the difference when it changes, for others have programs
that read these files. ``PULSE_GOLDEN=write`` writes it anew.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.exports.conftest import Export, Seeds, instant, make_survey

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_the_files_are_as_they_were(seeds: Seeds, export: Export, format_name: str) -> None:
    survey = seeds.survey(make_survey())
    wave_id = seeds.wave(
        survey, "monthly-riverside-2026-12-01", questions_per_person=1, seed="k7", pulse="monthly"
    )
    seeds.insert("draws", wave_id=wave_id, question_id="goals", n=3)
    begun = ("queued", "contacted", "started", "interim_partial")
    seeds.invitation(wave_id, "p1", "complete", *begun, "completed")
    seeds.invitation(wave_id, "p2", "break_off", *begun, "breakoff")
    seeds.invitation(wave_id, "p3", "non_contact", "queued", "failed:stale")
    seeds.response(
        survey, "r1", respondent_id="p1", wave_id="monthly-riverside-2026-12-01", role="partner"
    )
    seeds.answer(survey, "r1", "goals", "1", text="disagree", n_edits=1)
    seeds.answer(
        survey, "r1", "goals_why", "- They never ask,\nso “we” guess. 🤷", tagged_by="tagger@1"
    )
    seeds.answer(survey, "r1", "services", "housing|health", text="")
    seeds.answer(survey, "r1", "sector", None, missing="skipped")
    seeds.answer(survey, "r1", "warmth", "-2.5", text="-2,5")
    seeds.answer(survey, "r1", "again", "yes", answered_at=instant("10:00:01"))
    seeds.coding("r1", "goals_why", "They never ask", span_start=2, span_end=16)
    seeds.response(
        survey, "r2", respondent_id="p2", wave_id="monthly-riverside-2026-12-01", language="cy",
        status="stopped", disposition="break_off", ended_at=None,
    )  # fmt: skip
    seeds.answer(survey, "r2", "goals", None, missing="dont_know")
    seeds.answer(
        survey, "r2", "goals_why", "Nikt nie pyta", tagged_by="m@1",
        tag_error="not tagged: language",
    )  # fmt: skip
    seeds.answer(survey, "r2", "services", None, missing="not_answered")
    export(format_name)
    golden = GOLDEN / format_name
    if os.environ.get("PULSE_GOLDEN") == "write":
        shutil.rmtree(golden, ignore_errors=True)
        shutil.copytree(export.folder, golden)
    assert {path.name: path.read_bytes() for path in export.folder.iterdir()} == {
        path.name: path.read_bytes() for path in golden.iterdir()
    }
