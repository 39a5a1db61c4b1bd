"""An export: every table, the codebook and a README, in one folder.

What lives here: the order of work. What must not: rows, formats and wording.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dialogues.coding import Codeframe
from storage.exports.codebook import codebook, designs
from storage.exports.codebook_page import codebook_page, readme_page
from storage.exports.columns import (
    ANSWERS,
    CODES,
    DISPOSITIONS,
    INVITATIONS,
    REVIEWS,
    SAMPLES,
    Cell,
    Column,
    question_columns,
    response_columns,
)
from storage.exports.csv_file import write_csv
from storage.exports.folder import MANIFEST, MARK, whole_folder
from storage.exports.jsonl_file import write_jsonl
from storage.exports.responses import Tally, response_rows
from storage.exports.source import Selection, Source
from storage.exports.tables import (
    answer_rows,
    code_rows,
    disposition_rows,
    invitation_rows,
    review_rows,
    sample_rows,
)

__all__ = ["FORMATS", "Exported", "ExportedFile", "Progress", "WriteTable", "write_export"]

#: Writes a table to a file and gives how many rows it has.
WriteTable = Callable[[Path, Sequence[Column], Iterable[Sequence[Cell]]], int]

#: Hears of rows that were written, and of how many there will be about.
Progress = Callable[[int, int], None]

#: The formats that are offered; a format's name is the ending of its files.
FORMATS: Mapping[str, WriteTable] = {"csv": write_csv, "jsonl": write_jsonl}

#: Rows between two words to the progress.
_STRIDE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """One file of an export.

    Attributes:
        rows: None for the codebook and the README.
        sha256: In hexadecimal digits.
    """

    name: str
    rows: int | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written.

    Attributes:
        folder: Absolute.
        files: The tables, then the codebook, then the README.
    """

    folder: Path
    files: tuple[ExportedFile, ...]


def _said_nothing(_done: int, _total: int) -> None:
    """Hear of rows, and do nothing."""


def write_export(
    source: Source,
    folder: Path,
    *,
    format_name: str,
    codeframe: Codeframe,
    at: datetime,
    version: str,
    survey_id: str | None = None,
    wave_id: str | None = None,
    progress: Progress = _said_nothing,
) -> Exported:
    """Write an export; the folder is there whole, or as it was before.

    Memory does not grow with the number of answers. Safe to repeat: an earlier export in
    the folder is replaced.

    Args:
        source: A store inside one read transaction, so that all files show one moment.
        folder: Made, with its parents, where it is missing.
        format_name: One of ``FORMATS``.
        codeframe: Says what the codes mean, and their strands.
        at: Now, for the README; aware UTC.
        version: Of Commonpulse.
        survey_id: Only this survey.
        wave_id: Only this wave.
        progress: Hears how far it is.

    Raises:
        UserError: There is no such survey or wave, or the folder holds other files.
        OSError: The folder cannot be written.
    """
    selection = Selection(source=source, survey_id=survey_id, wave_id=wave_id)
    selection.check()
    mark = {
        "version": version,
        "format": format_name,
        "made_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "survey": survey_id,
        "wave": wave_id,
    }
    with whole_folder(folder) as fresh:
        files = _write(fresh, selection, format_name, codeframe, mark, progress)
    return Exported(folder=folder.resolve(), files=files)


def _write(
    folder: Path,
    selection: Selection,
    format_name: str,
    codeframe: Codeframe,
    mark: dict[str, Any],
    progress: Progress,
) -> tuple[ExportedFile, ...]:
    tally = Tally()
    coders: Counter[str] = Counter()
    questions = question_columns(selection.surveys)
    tables: tuple[tuple[str, Sequence[Column], Iterator[Sequence[Cell]]], ...] = (
        ("answers", ANSWERS, answer_rows(selection)),
        ("codes", CODES, code_rows(selection, codeframe, coders)),
        ("responses", response_columns(questions), response_rows(selection, questions, tally)),
        ("invitations", INVITATIONS, invitation_rows(selection)),
        ("dispositions", DISPOSITIONS, disposition_rows(selection)),
        ("samples", SAMPLES, sample_rows(selection)),
        ("reviews", REVIEWS, review_rows(selection)),
    )
    heard = _Heard(progress, total=next(iter(selection.read("export_total")))["total"])
    columns: dict[str, Sequence[Column]] = {}
    rows: dict[str, int] = {}
    for table, described, values in tables:
        name = f"{table}.{format_name}"
        columns[name] = described
        rows[name] = FORMATS[format_name](folder / name, described, heard.passing(values))
    checksums = {name: _sha256(folder / name) for name in columns}
    names = (*columns, "codebook.md", MANIFEST, "README.md")
    book: dict[str, Any] = {MARK: mark | {"files": list(names)}} | codebook(
        files=columns,
        rows=rows,
        checksums=checksums,
        surveys=selection.surveys,
        codeframe=codeframe,
        coders=coders,
        tally=tally,
        designs=designs(selection),
    )
    _save(folder / "codebook.md", codebook_page(book))
    _save(folder / MANIFEST, json.dumps(book, ensure_ascii=False, indent=1) + "\n")
    for name in ("codebook.md", MANIFEST):
        checksums[name] = _sha256(folder / name)
    _save(folder / "README.md", readme_page(book, checksums))
    checksums["README.md"] = _sha256(folder / "README.md")
    return tuple(
        ExportedFile(name=name, rows=rows.get(name), sha256=checksums[name]) for name in names
    )


class _Heard:
    """Tells the progress how many rows have passed, over all tables."""

    def __init__(self, progress: Progress, *, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def passing(self, rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        for row in rows:
            yield row
            self._done += 1
            if self._done % _STRIDE == 0:
                self._progress(self._done, self._total)
        self._progress(self._done, self._total)


def _save(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
