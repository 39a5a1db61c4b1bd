"""The shipped tagger, loaded once, and a little command line around the tagger's commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli import agreeing, measuring, tagging
from dialogues.errors import CommonpulseError
from nlp.load import SpacyTagger, load_tagger

DATA = Path(__file__).parents[2] / "nlp" / "data"

Pulse = Callable[..., Result]


@pytest.fixture(scope="session")
def tagger() -> SpacyTagger:
    return load_tagger()


@pytest.fixture(scope="session")
def fast() -> SpacyTagger:
    """The smaller one, for tests of many or long texts."""
    return load_tagger("fast")


@pytest.fixture
def pulse() -> Pulse:
    app = typer.Typer(pretty_exceptions_enable=False)
    for command in (tagging.tag, tagging.train, measuring.evaluate, agreeing.agreement):
        app.command()(command)

    def run(*arguments: str | Path, stdin: str | bytes = "") -> Result:
        words: Sequence[str] = [str(each) for each in arguments]
        return CliRunner().invoke(app, words, input=stdin)

    return run


def error_of(result: Result) -> CommonpulseError:
    assert isinstance(result.exception, CommonpulseError), result.output
    return result.exception
