"""A small database to export, filled row by row so that every odd case can stand in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialogues.codec import encode_survey
from dialogues.coding import Code, Codeframe, Strand
from dialogues.survey import Survey
from storage.exports import Exported, write_export
from storage.open import open_store

NOW = datetime(2026, 12, 3, 9, 30, tzinfo=UTC)

FRAME = Codeframe(
    codeframe_id="collaborative-capacity",
    version="1",
    strands=(Strand(key="alignment", name={"en": "Alignment", "cy": "Aliniad"}),),
    codes=(
        Code(
            key="shared_goals",
            strand="alignment",
            name={"en": "Shared goals"},
            definition={"en": "They want the same outcome."},
            not_when={"en": "Only one of them is mentioned."},
        ),
    ),
)

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "goals",
        "kind": "scale",
        "text": {"en": "We want the same outcome.", "cy": "Rydyn ni eisiau'r un canlyniad."},
        "labels": ["Disagree", "In the middle", "Agree"],
        "enabler": "shared_goals",
        "dont_know": True,
    },
    {
        "id": "goals_why",
        "kind": "text",
        "text": "You said {goals}. What makes you say so?",
        "show_if": {"goals": {"at_most": 2}},
    },
    {
        "id": "services",
        "kind": "multichoice",
        "text": "Which services do you use?",
        "choices": ["Housing", "Health", "Schools"],
    },
    {"id": "sector", "kind": "choice", "text": "Your sector?", "choices": ["Public", "Charity"]},
    {"id": "warmth", "kind": "number", "text": "How warm is it?", "min": -40, "unit": "degrees"},
    {"id": "again", "kind": "yesno", "text": "Would you do it again?", "required": True},
]


def make_survey(survey_id: str = "pulse", **changes: Any) -> Survey:
    """Make a survey in two languages with every kind of question."""
    document = {
        "survey": survey_id,
        "title": {"en": "A pulse", "cy": "Pwls"},
        "languages": ["en", "cy"],
        "consent": {"text": "Are you happy to take part?"},
        "question": QUESTIONS,
    }
    return Survey.model_validate(document | changes)


def instant(clock: str, day: str = "2026-12-01") -> str:
    return f"{day}T{clock}.000000+00:00"


class Seeds:
    """A database, and the store that exports read."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url)
        self.driver = self.store._driver

    def insert(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.driver.run(f"insert into {table} ({names}) values ({marks})", values)

    def survey(self, survey: Survey, kept_at: str = instant("08:00:00")) -> Survey:
        self.insert(
            "surveys",
            survey_id=survey.survey_id,
            revision=survey.revision,
            anonymous=int(survey.anonymous),
            document=encode_survey(survey),
            kept_at=kept_at,
        )
        return survey

    def response(
        self, survey: Survey, response_id: str, *, status: str | None = "complete", **changes: Any
    ) -> str:
        row: dict[str, Any] = {
            "response_id": response_id,
            "respondent_id": f"p-{response_id}",
            "wave_id": None,
            "survey_id": survey.survey_id,
            "revision": survey.revision,
            "cohort": "riverside",
            "channel": "telegram",
            "role": "citizen",
            "sector": None,
            "language": "en",
            "started_at": instant("10:00:00"),
            "ended_at": instant("10:05:00"),
            "disposition": "complete",
        }
        row |= changes
        self.insert("responses", **row)
        if status is not None:
            self.insert(
                "sessions",
                session_id=response_id,
                respondent_id=row["respondent_id"],
                survey_id=survey.survey_id,
                revision=survey.revision,
                status=status,
                turn=9,
                body="{}",
                updated_at=instant("10:05:00"),
            )
        return response_id

    def answer(
        self,
        survey: Survey,
        response_id: str,
        question_id: str,
        value: str | None,
        *,
        missing: str | None = None,
        **changes: Any,
    ) -> None:
        question = survey.by_id[question_id]
        row: dict[str, Any] = {
            "response_id": response_id,
            "question_id": question_id,
            "place": survey.questions.index(question),
            "kind": question.kind,
            "question": survey.say(question.text, "en"),
            "value": value,
            "text": value or "",
            "missing": missing,
            "asked_at": instant("10:00:00"),
            "answered_at": None if missing == "not_answered" else instant("10:00:07"),
            "n_edits": 0,
        }
        self.insert("answers", **row | changes)

    def coding(self, response_id: str, question_id: str, text: str, **changes: Any) -> None:
        row: dict[str, Any] = {
            "coding_id": f"c-{response_id}-{len(changes)}-{changes.get('span_start', 0)}",
            "response_id": response_id,
            "question_id": question_id,
            "enabler": "shared_goals",
            "stance": "gap",
            "span_text": text,
            "span_start": 0,
            "span_end": len(text),
            "confidence": 0.8125,
            "coder": "tagger@1",
            "coded_at": instant("10:06:00"),
            "status": "suggested",
        }
        self.insert("codings", **row | changes)

    def wave(self, survey: Survey, wave_id: str, **changes: Any) -> str:
        self.insert(
            "waves",
            wave_id=wave_id,
            cohort="riverside",
            survey_id=survey.survey_id,
            revision=survey.revision,
            roles='["partner"]',
            timezone="Europe/London",
            state="closed",
            opens_at=instant("09:00:00"),
            remind_at="[]",
            **changes,
        )
        return wave_id

    def invitation(self, wave_id: str, respondent_id: str, disposition: str, *states: str) -> None:
        """Invite somebody; a state is written ``state`` or ``state:reason``."""
        self.insert(
            "respondents",
            respondent_id=respondent_id,
            role="partner",
            sector="charity",
            joined_on="2026-11-01",
        )
        self.insert(
            "invitations",
            invitation_id=f"i-{respondent_id[1:]}",
            wave_id=wave_id,
            respondent_id=respondent_id,
            disposition=disposition,
            invited_at=instant("09:00:00"),
            reminders=2,
            state=states[-1].partition(":")[0] if states else "registered",
            channel="slack",
        )
        for seq, state in enumerate(states, start=1):
            self.insert(
                "dispositions",
                invitation_id=f"i-{respondent_id[1:]}",
                seq=seq,
                state=state.partition(":")[0],
                at=instant(f"09:0{seq}:00"),
                channel="slack",
                reason=state.partition(":")[2] or None,
            )


@pytest.fixture(params=["sqlite", "postgres"])
def seeds(request: pytest.FixtureRequest) -> Iterator[Seeds]:
    on_postgres = request.param == "postgres"
    made = Seeds(request.getfixturevalue("postgres_url") if on_postgres else "sqlite://")
    yield made
    made.store.close()


class Export:
    """Exports into a folder and reads the files back with the usual readers."""

    def __init__(self, seeds: Seeds, folder: Path) -> None:
        self._seeds = seeds
        self.folder = folder

    def __call__(self, format_name: str = "csv", **options: Any) -> Exported:
        return write_export(
            self._seeds.store,
            self.folder,
            format_name=format_name,
            codeframe=FRAME,
            at=NOW,
            version="0.1.0",
            **options,
        )

    def csv(self, table: str) -> list[dict[str, str]]:
        with (self.folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, strict=True))

    def jsonl(self, table: str) -> list[dict[str, Any]]:
        text = (self.folder / f"{table}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def book(self) -> dict[str, Any]:
        return json.loads((self.folder / "codebook.json").read_text(encoding="utf-8"))

    def page(self, name: str = "codebook.md") -> str:
        return (self.folder / name).read_text(encoding="utf-8")


@pytest.fixture
def export(seeds: Seeds, tmp_path: Path) -> Export:
    return Export(seeds, tmp_path / "out")
