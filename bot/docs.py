"""The reference pages, made from what they describe: ``python -m bot.docs``.

What lives here: commands, configuration keys, keys of survey files, events and effects, the
states of an invitation, written as Markdown, and the JSON Schema of survey files. What must
not: prose that is written by hand (the rest of ``docs/``).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.cli.app import COMMANDS, app
from bot.coders import Coder
from bot.config import OTHER_VARIABLES, Settings, environment_keys
from bot.metrics import FIGURES
from bot.settings import Cohort, Pulse, written
from dialogues import effects, events, states
from dialogues.loader import KINDS
from dialogues.survey import Choice, Condition, Consent, Survey

__all__ = [
    "EXAMPLE",
    "FOLDER",
    "PAGES",
    "all_commands",
    "commands",
    "configuration",
    "events_and_effects",
    "invitations",
    "main",
    "metrics",
    "survey_files",
    "survey_schema",
]

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

_NOTE = "<!-- Made by `make docs`; change the code that it describes, not this page. -->\n"

_ABOUT_COMMANDS = """\
Exit status 0: done; 1: could not; 2: the input is wrong. An error is one or two lines on standard
error. Without `--config`, `PULSE_CONFIG` names the configuration, else it is `config.toml` in the
working directory, else the built-in defaults serve.
"""

_ABOUT_CONFIGURATION = """\
`config.toml`; [config.example.toml](../../config.example.toml) is one to copy. Every key may be
left out, save those marked *needed* in a cohort or pulse. A variable of the environment goes over
the key in the file. `pulse check` says what is wrong, with file, line and key. Relative paths start
at the folder of the file. Times are written like `30m`, `5h`, `2d` or `1d12h`.
"""

_ABOUT_SURVEYS = """\
One survey a file, TOML. A text is a string, or a table with every language of the survey.
`pulse check FILE` finds every mistake. Editors that know JSON Schema take
[survey.schema.json](survey.schema.json).
"""

_ABOUT_VALUES = """\
## Values

A condition compares with what is stored: scale `1` to the number of labels, choice and multichoice
the ids of choices, yesno `yes` and `no` (or `true` and `false`), number a number, text the words.
"""

_ABOUT_EVENTS = """\
`dialogues.engine.step(survey, session, event)` gives a turn: the session after it and its effects,
in order.
"""

_ABOUT_INVITATIONS = """\
How an invitation stands, step by step, as `mydata` shows it to its person and `dispositions` of
`pulse export` to researchers. Each state is of one of AAPOR's families, of which
[response rates](../howto/read-response-rates.md) are reckoned.
"""

_ABOUT_MOVES = """\
## Which follows which

Few ends are ends: people come by themselves before anything was sent, come back after stopping,
and change their minds after they said no. What is left open is settled when the wave closes. Of an
anonymous survey everything after *contacted* is written then, for all at once.
"""

_ABOUT_METRICS = """\
What `/metrics` shows, in the text format of Prometheus: see
[watching it run](../howto/watch.md). Nothing in it tells who, what was said, or which wave, survey
or cohort. Beside these there are the usual figures of a process (`process_...`).

A figure marked *shared* is read from the database, and is the same in every process of one
installation: take the greatest of them, not the sum. While the database cannot be read it is
missing, or `NaN`.
"""

#: A survey that shows how keys are written; a test loads it.
EXAMPLE = """\
survey = "partnership-pulse"
title = { en = "Partnership pulse", cy = "Pwls y bartneriaeth" }
languages = ["en", "cy"]
anonymity = "confidential"
intro = { en = "Two short questions.", cy = "Dau gwestiwn byr." }
thanks = { en = "Thank you.", cy = "Diolch." }

[consent]
text = { en = "Happy to take part?", cy = "Hapus i gymryd rhan?" }
more = { en = "The whole of it: ...", cy = "Y cyfan: ..." }

[[question]]
id = "goals"
kind = "scale"
text = { en = "We want the same outcome.", cy = "Rydyn ni eisiau'r un canlyniad." }
labels = ["1", "2", "3", "4", "5"]
enabler = "shared_goals"
dont_know = true

[[question]]
id = "goals_why"
kind = "text"
text = { en = "You said {goals}. Why?", cy = "Fe ddywedoch chi {goals}. Pam?" }
show_if = { goals = { at_most = 2 } }
"""


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with ``--check``, only say which are not current.

    Returns:
        The exit status: 1 where ``--check`` found an old page.
    """
    old = []
    for name, make in PAGES.items():
        path, words = FOLDER / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == words:
            continue
        old.append(path)
        if "--check" not in arguments:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(words, encoding="utf-8")
    for path in old:
        verb = "is not current: run make docs" if "--check" in arguments else "is written"
        sys.stderr.write(f"docs/reference/{path.name} {verb}\n")
    return 1 if old and "--check" in arguments else 0


def commands() -> str:
    """Write the page of the commands: the help of each."""
    parts = [
        "# Commands\n",
        _NOTE,
        _ABOUT_COMMANDS,
        _help("pulse", _root()),
    ]
    for words, command in all_commands():
        parts.append(f"## {words}\n")
        parts.append(_help(words, command))
    return "\n".join(parts)


def _root() -> Any:
    import typer

    return typer.main.get_command(app)


def all_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it; of a group, each of its commands."""
    root = _root()
    context = root.make_context("pulse", [], resilient_parsing=True)
    for name in COMMANDS:
        command = root.get_command(context, name)
        inner = getattr(command, "commands", None)
        if inner:
            for second, nested in inner.items():
                yield f"pulse {name} {second}", nested
        else:
            yield f"pulse {name}", command


def _help(words: str, command: Any) -> str:
    context = command.make_context(
        words, [], resilient_parsing=True, terminal_width=96, max_content_width=96
    )
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def configuration() -> str:
    """Write the page of the configuration: every key with default, variable and meaning."""
    variables = {path: name for name, path in environment_keys().items()}
    parts = [
        "# Configuration\n",
        _NOTE,
        _ABOUT_CONFIGURATION,
    ]
    top = []
    for key, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            rows = [
                (f"`{name}`", _default(inner), f"`{variables[key, name]}`", _meaning(inner))
                for name, inner in model.model_fields.items()
            ]
            head = ("key", "default", "variable", "meaning")
            parts.append(f"## [{key}]\n\n{inspect.getdoc(model)}\n\n{_table(head, rows)}")
        elif key == "surveys":
            top.append((f"`{key}`", _default(field), f"`{variables[(key,)]}`", _meaning(field)))
    parts.insert(3, _table(("key", "default", "variable", "meaning"), top))
    for name, listed in (("cohort", Cohort), ("pulse", Pulse), ("coder", Coder)):
        rows3 = [
            (f"`{key}`", _default(inner), _meaning(inner))
            for key, inner in listed.model_fields.items()
        ]
        described = Settings.model_fields[f"{name}s"].description
        parts.append(
            f"## [[{name}]]\n\n{inspect.getdoc(listed)} Repeat it for each; {described}.\n\n"
            + _table(("key", "default", "meaning"), rows3)
        )
    others = {
        "PULSE_CONFIG": "names the configuration file",
        "PULSE_DEBUG": "not empty: errors are shown with where they happened",
    }
    rows2 = [(f"`{name}`", others[name]) for name in OTHER_VARIABLES]
    parts.append("## Other variables\n\n" + _table(("variable", "meaning"), rows2))
    return "\n".join(parts)


def survey_files() -> str:
    """Write the page of survey files: every key with default and meaning."""
    parts = [
        "# Survey files\n",
        _NOTE,
        _ABOUT_SURVEYS,
        f"```toml\n{EXAMPLE}```\n",
        "## The survey\n\n" + _keys(Survey),
        "## [consent]\n\n" + _keys(Consent),
        "## [[question]]\n\nAll kinds have these keys:\n\n" + _keys(_common()),
    ]
    for kind, model in KINDS.items():
        own = [key for key in model.model_fields if key not in _common_keys()]
        words = (inspect.getdoc(model) or "").strip()
        parts.append(
            f'### kind = "{kind}"\n\n{words}\n' + (f"\n{_keys(model, own)}" if own else "")
        )
    parts.append(f"## A choice\n\n{inspect.getdoc(Choice)}\n\n" + _keys(Choice))
    parts.append(
        f"## show_if\n\n{_plain_words(Condition)}\nSeveral questions have to hold together.\n\n"
        + _keys(Condition)
    )
    parts.append(_ABOUT_VALUES)
    return "\n".join(parts)


def _common() -> type[BaseModel]:
    return KINDS["text"]


def _common_keys() -> tuple[str, ...]:
    return tuple(_common().model_fields)


def _keys(model: type[BaseModel], only: Sequence[str] | None = None) -> str:
    rows = [
        (f"`{field.alias or key}`", _default(field), _meaning(field))
        for key, field in model.model_fields.items()
        if only is None or key in only
    ]
    return _table(("key", "default", "meaning"), rows)


def survey_schema() -> str:
    """Write the JSON Schema of survey files."""
    schema = Survey.model_json_schema(by_alias=True)
    choice = schema["$defs"]["Choice"]
    schema["$defs"]["Choice"] = {"anyOf": [{"type": "string"}, choice]}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def events_and_effects() -> str:
    """Write the page of what goes into the engine and what comes out of it."""
    parts = [
        "# Events and effects\n",
        _NOTE,
        _ABOUT_EVENTS,
        "## Events\n",
        *(_described(kind) for kind in get_args(events.Event)),
        "## Effects\n",
        *(_described(kind) for kind in get_args(effects.Effect)),
    ]
    return "\n".join(parts)


def invitations() -> str:
    """Write the page of the states of an invitation."""
    rows = [
        (f"`{state}`", f"`{states.FAMILIES[state]}`", meaning)
        for state, meaning in states.MEANINGS.items()
    ]
    reasons = [(f"`{cause}`", meaning) for cause, meaning in states.CAUSES.items()]
    parts = [
        "# How an invitation goes\n",
        _NOTE,
        _ABOUT_INVITATIONS,
        "## States\n",
        _table(("state", "family", "meaning"), rows),
        _ABOUT_MOVES,
        f"```mermaid\n{states.diagram()}\n```\n",
        "## Reasons\n\nWhy something was not sent, or did not arrive.\n",
        _table(("reason", "meaning"), reasons),
    ]
    return "\n".join(parts)


def metrics() -> str:
    """Write the page of what is counted."""
    parts = ["# Metrics\n", _NOTE, _ABOUT_METRICS]
    for one in FIGURES:
        shared = " *Shared.*" if one.shared else ""
        meaning = one.meaning[0].upper() + one.meaning[1:]
        part = f"## {one.name}\n\nA {one.kind}. {meaning}.{shared}\n"
        if one.labels:
            rows = [(f"`{label}`", values) for label, values in one.labels.items()]
            part += "\n" + _table(("label", "values"), rows)
        parts.append(part)
    return "\n".join(parts)


def _described(kind: type) -> str:
    words, example = inspect.getdoc(kind) or "", ""
    if "\nExample:\n" in words:
        words, _, tail = words.partition("\nExample:\n")
        found = re.search(r"``(.*)``", tail, re.DOTALL)
        if found:
            value = json.loads(re.sub(r"\s*\n\s*", " ", found[1]))
            shown = json.dumps(value, ensure_ascii=False, indent=2)
            example = f"\n```json\n{shown}\n```\n"
    words = re.sub(r"\n(Attributes):\n", r"\n", words)
    words = re.sub(r"^    (\w+): ", r"* `\1`: ", words, flags=re.MULTILINE)
    words = re.sub(r"^ {8}", "  ", words, flags=re.MULTILINE)
    keys = ", ".join(f"`{name}`" for name in kind.__dataclass_fields__)  # type: ignore[attr-defined]
    return f"### {kind.__name__}\n\n{_ticked(words)}\n\nKeys: {keys}.\n{example}"


def _plain_words(kind: type) -> str:
    return _ticked(inspect.getdoc(kind) or "")


def _ticked(words: str) -> str:
    return words.rstrip().replace("``", "`")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*needed*"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, timedelta):
        value = written(value)
    if isinstance(value, bool | str):
        return f"`{json.dumps(value)}`"
    if isinstance(value, tuple):
        return f"`{json.dumps(list(value))}`"
    return f"`{value:g}`" if isinstance(value, int | float) else ""


def _meaning(field: FieldInfo) -> str:
    if field.description is None and get_args(field.annotation):
        return ", ".join(f"`{kind}`" for kind in KINDS)  # a question's kind
    return field.description or ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines
    )


#: File name to what writes it.
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "configuration.md": configuration,
    "survey-files.md": survey_files,
    "survey.schema.json": survey_schema,
    "events-and-effects.md": events_and_effects,
    "invitations.md": invitations,
    "metrics.md": metrics,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
