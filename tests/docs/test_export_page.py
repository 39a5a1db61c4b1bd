"""The page on exports names every file, format and missing reason."""

from __future__ import annotations

from pathlib import Path

from storage.exports import FORMATS
from storage.exports.missing import Reason

PAGE = (Path(__file__).parents[2] / "docs/howto/export.md").read_text(encoding="utf-8")


def test_every_format_and_reason_is_on_the_page() -> None:
    for name in (
        *FORMATS,
        "answers",
        "codes",
        "responses",
        "invitations",
        "dispositions",
        "samples",
        "reviews",
        "codebook.json",
    ):
        assert name in PAGE
    for reason in Reason:
        assert f"| `{reason.value}` |" in PAGE
