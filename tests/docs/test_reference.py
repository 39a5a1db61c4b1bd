"""The reference is current and complete, and what the README says of commands is so."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import shlex
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import bot
import dialogues
import nlp
import storage
from bot import docs
from bot.cli.app import COMMANDS
from bot.config import Settings, environment_keys
from bot.metrics import FIGURES, Metrics
from bot.settings import Cohort, Pulse
from dialogues import codec, effects, events, states
from dialogues.loader import KINDS, load_survey
from dialogues.survey import Choice, Condition, Consent, Survey

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def page(name: str) -> str:
    """A page of the reference, as it is in the folder."""
    return (docs.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", docs.PAGES)
def test_the_page_is_current(name: str) -> None:
    assert page(name) == docs.PAGES[name](), "run make docs"


def test_old_pages_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "FOLDER", tmp_path / "reference")
    assert docs.main(["--check"]) == 1
    assert "commands.md is not current: run make docs" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_every_command_is_documented() -> None:
    words = page("commands.md")
    listed = [called for called, _ in docs.all_commands()]
    assert {called.split()[1] for called in listed} == set(COMMANDS)
    for called in listed:
        assert f"## {called}\n" in words
        assert f"Usage: {called} " in words
    assert words.count("--config FILE") == len(listed) + 1


def test_every_key_of_the_configuration_is_documented() -> None:
    words = page("configuration.md")
    for name, path in environment_keys().items():
        assert f"`{name}`" in words
        assert f"| `{path[-1]}` |" in words
    for model in (Cohort, Pulse):
        for key, field in model.model_fields.items():
            assert f"| `{key}` |" in words
            assert field.description
    for key, field in Settings.model_fields.items():
        assert f"[{field.alias or key}]" in words or f"| `{key}` |" in words


def test_every_key_of_a_survey_is_documented() -> None:
    words = page("survey-files.md")
    for model in (Survey, Consent, Condition, Choice, *KINDS.values()):
        for key, field in model.model_fields.items():
            row = re.search(rf"^\| `{field.alias or key}` \|[^|]*\| (.*) \|$", words, re.MULTILINE)
            assert row, key
            assert row[1].strip(), key


def test_the_example_is_a_survey() -> None:
    assert f"```toml\n{docs.EXAMPLE}```" in page("survey-files.md")
    load_survey(tomllib.loads(docs.EXAMPLE), enablers=["shared_goals"])


def test_the_schema_knows_every_key() -> None:
    schema = json.loads(page("survey.schema.json"))
    assert set(schema["properties"]) == {f.alias or k for k, f in Survey.model_fields.items()}
    assert {"type": "string"} in schema["$defs"]["Choice"]["anyOf"]
    assert {"type": "string"} in schema["$defs"]["Text"]["anyOf"]
    for model in KINDS.values():
        assert set(schema["$defs"][model.__name__]["properties"]) == set(model.model_fields)


def test_every_event_and_effect_is_documented() -> None:
    words = page("events-and-effects.md")
    for kind in (*get_args(events.Event), *get_args(effects.Effect)):
        assert f"\n### {kind.__name__}\n" in words


@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
def test_the_example_of_an_event_can_be_decoded(kind: type) -> None:
    words = page("events-and-effects.md").partition(f"### {kind.__name__}\n")[2]
    example = json.loads(words.partition("```json\n")[2].partition("```")[0])
    event = codec.decode_event(json.dumps({"v": codec.VERSION, **example}))
    assert isinstance(event, kind)


def test_every_state_of_an_invitation_is_documented_and_drawn() -> None:
    words = page("invitations.md")
    drawn = words.partition("```mermaid\n")[2].partition("```")[0]
    for state in states.State:
        assert f"\n| `{state}` | `{states.FAMILIES[state]}` | {states.MEANINGS[state]} |\n" in words
        assert state in drawn
        for after in states.FOLLOWS[state]:
            assert f"    {state} --> {after}\n" in drawn
    for cause in states.Cause:
        assert f"\n| `{cause}` | {states.CAUSES[cause]} |\n" in words


def test_every_figure_that_is_shown_is_documented_and_the_other_way_round() -> None:
    words = page("metrics.md")
    body, _ = Metrics().show(
        workload=None, channels=(), up={}, now=datetime(2026, 12, 1, tzinfo=UTC)
    )
    shown = set(re.findall(r"^# TYPE (\S+)", body.decode(), re.MULTILINE))
    ours = {name for name in shown if not name.startswith("process_")}
    assert ours == set(re.findall(r"^## (\S+)$", words, re.MULTILINE))
    for figure in FIGURES:
        section = words.partition(f"## {figure.name}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(figure.labels)


def test_the_commands_of_the_readme_are_there() -> None:
    called = re.findall(r"`pulse ([a-z]+)", README)
    assert set(called) == set(COMMANDS)
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", targets, re.MULTILINE)


def test_every_command_that_a_document_shows_is_there() -> None:
    known = {called for called, _ in docs.all_commands()}
    for document in sorted(ROOT.glob("docs/**/*.md")):
        if "decisions" in document.parts:
            continue
        shown = re.findall(
            r"^(?:\$ )?(?:\.venv/bin/)?(pulse .*)$", document.read_text("utf-8"), re.MULTILINE
        )
        for line in shown:
            words = shlex.split(line, comments=True)
            called = [" ".join(words[:length]) for length in (2, 3)]
            assert known & set(called), f"{document.name}: {line}"


def modules() -> list[str]:
    """Every module of the product."""
    found = []
    for package in (bot, dialogues, nlp, storage):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.ispkg and not info.name.endswith("__main__"):
                found.append(info.name)
    return found


def defined(module: ModuleType) -> set[str]:
    """Public classes and functions that a module's own text defines."""
    tree = ast.parse(inspect.getsource(module))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
    }


@pytest.mark.parametrize("name", [name for name in modules() if "training" not in name])
def test_what_is_public_is_in_all(name: str) -> None:
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    assert len(listed) == len(set(listed))
    assert all(hasattr(module, each) for each in listed)
    assert defined(module) <= set(listed)
