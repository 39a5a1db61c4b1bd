"""The page on results shows a picture that the program draws."""

from __future__ import annotations

from pathlib import Path

from bot.house import Share
from storage.reports.drawing import WIDTH, _Page
from tests.fakes.pictures import size_of
from tests.reports.sample import PICTURE, main, sample

PAGE = (Path(__file__).parents[2] / "docs/howto/close-the-loop.md").read_text(encoding="utf-8")


def test_the_sample_is_what_the_program_draws(tmp_path: Path) -> None:
    kept = PICTURE.read_bytes()
    assert len(kept) < 60_000
    page = _Page()
    page.put(sample())
    assert size_of(kept) == (WIDTH, page.y), "run python -m tests.reports.sample"
    main(tmp_path / "results.png")
    assert size_of((tmp_path / "results.png").read_bytes()) == size_of(kept)
    assert f"]({PICTURE.name})" in PAGE
    assert "python -m tests.reports.sample" in PAGE


def test_the_page_says_who_can_be_told() -> None:
    for share in Share.__args__:
        assert f"| `{share}` |" in PAGE
