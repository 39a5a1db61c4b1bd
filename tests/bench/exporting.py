"""How fast ``pulse export`` writes a database that was filled for it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from dialogues.codec import encode_survey
from dialogues.loader import load_survey
from dialogues.survey import Survey
from storage.open import open_store
from tests.bench.bots import ROOT, SURVEY, clean_environ, write_config

__all__ = ["exporting"]

_DAY = "2026-12-01T10:00:00.000000+00:00"
_WORDS = "The charity and the council share one list now, which saves us hours."


def exporting(folder: Path, *, answers: int) -> Iterator[dict[str, Any]]:
    """Measure a whole export in each format, as a command of its own."""
    folder.mkdir()
    config = write_config(folder)
    survey = load_survey(tomllib.loads(SURVEY.read_text()))
    _fill(folder / "pulse.db", survey, responses=answers // len(survey.questions))
    for format_name in ("csv", "jsonl"):
        out = folder / format_name
        command = [
            *(sys.executable, "-m", "bot", "export", "--config", str(config), "--json"),
            *("--format", format_name, "--out", str(out)),
        ]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=clean_environ())
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"pulse export ended with {process.returncode}")
        rows = {file["file"]: file["rows"] for file in json.loads(said)["files"]}
        exported = rows[f"answers.{format_name}"]
        yield {
            "measure": "exporting",
            "format": format_name,
            "answers": exported,
            "rows": sum(count for count in rows.values() if count is not None),
            "seconds": round(seconds, 2),
            "answers_per_second": round(exported / seconds),
            "cpu_s": round(used.ru_utime + used.ru_stime, 2),
            "rss_mb": round(used.ru_maxrss / 1024, 1),
        }


def _fill(database: Path, survey: Survey, *, responses: int) -> None:
    """Put complete responses into a new database, each text answer with one tag."""
    open_store(f"sqlite:///{database}").close()
    numbers = range(responses)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "insert into surveys values (?, ?, 0, ?, ?)",
            (survey.survey_id, survey.revision, encode_survey(survey), _DAY),
        )
        connection.executemany(
            "insert into responses (response_id, respondent_id, survey_id, revision, channel, role,"
            " language, started_at, ended_at, disposition)"
            " values (?, ?, ?, ?, 'telegram', 'citizen', 'en', ?, ?, 'complete')",
            (
                (f"r{number}", f"p{number}", survey.survey_id, survey.revision, _DAY, _DAY)
                for number in numbers
            ),
        )
        connection.executemany(
            "insert into answers (response_id, question_id, place, kind, question, value, text,"
            " asked_at, answered_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (f"r{number}", question.id, place, question.kind, "The words of the question?")
                + ((_WORDS, _WORDS) if question.kind == "text" else _value(question.kind, number))
                + (_DAY, _DAY)
                for number in numbers
                for place, question in enumerate(survey.questions)
            ),
        )
        text = next(question.id for question in survey.questions if question.kind == "text")
        connection.executemany(
            "insert into codings values (?, ?, ?, 'information', 'strength', ?, 0, ?, 0.9,"
            " 'bench@1', ?, 'suggested', 0.5, 'tagger')",
            ((f"c{number}", f"r{number}", text, _WORDS[:11], 11, _DAY) for number in numbers),
        )


def _value(kind: str, number: int) -> tuple[str, str]:
    if kind == "yesno":
        return ("yes", "Yes") if number % 2 else ("no", "No")
    return str(number % 5 + 1), "Agree"
