"""The command ``pulse``: its commands by name, each imported when it is called.

What lives here: the list of commands with their one line of help. What must not: a
command's own code, or an import that ``pulse --help`` would pay for.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.cli import use_config

__all__ = ["COMMANDS", "Entry", "app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command in the list.

    Attributes:
        target: ``module:name`` of its function, or of a ``typer.Typer`` with more of them.
        help: One line.
    """

    target: str
    help: str


#: The commands, in the order in which ``pulse --help`` lists them.
COMMANDS: dict[str, Entry] = {
    "chat": Entry(target="bot.cli.chatting:chat", help="Hold a survey here in the terminal."),
    "run": Entry(
        target="bot.cli.running:run", help="Run Telegram, Slack, the schedule and delivery."
    ),
    "check": Entry(
        target="bot.cli.checking:check", help="Find every mistake in configuration and surveys."
    ),
    "wave": Entry(target="bot.cli.waves:app", help="Open, pause, close and list waves by hand."),
    "outbox": Entry(
        target="bot.cli.outbox:app", help="See what was not sent; try it again, or drop it."
    ),
    "reply": Entry(
        target="bot.cli.replying:reply",
        help="Tell who wrote of something what you did: you said, we did.",
    ),
    "forecast": Entry(
        target="bot.cli.forecasting:forecast",
        help="List who would get what and when, without sending.",
    ),
    "review": Entry(
        target="bot.cli.reviewing:review",
        help="Read answers and their tags: confirm, remove, add, change.",
    ),
    "export": Entry(
        target="bot.cli.exporting:export", help="Write answers, tags, responses and a codebook."
    ),
    "backup": Entry(
        target="bot.cli.keeping:backup", help="Back everything up into one file, and read it back."
    ),
    "restore": Entry(target="bot.cli.keeping:restore", help="Bring a backup back."),
    "migrate": Entry(
        target="bot.cli.keeping:migrate", help="Copy everything into another database."
    ),
    "erase": Entry(
        target="bot.cli.erasing:erase", help="Erase a person, as `forget` in the chat does."
    ),
    "doctor": Entry(target="bot.cli.doctoring:doctor", help="Find trouble, and say what to do."),
    "tag": Entry(target="bot.cli.tagging:tag", help="Tag a text, or a file of answers."),
    "train": Entry(target="bot.cli.tagging:train", help="Make a tagger from coded answers."),
    "evaluate": Entry(
        target="bot.cli.measuring:evaluate", help="Measure a tagger on coded answers."
    ),
    "agreement": Entry(
        target="bot.cli.agreeing:agreement", help="Say how far two coders agree, and where not."
    ),
}

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration, instead of config.toml."),
]


class _Commands(TyperGroup):
    """Commands that are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            return ctx.fail(f"No such command {cmd_name!r}.{hint}")
        return _load(cmd_name, entry)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def _plain(**settings: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=settings.pop("no_args_is_help", False),
        **settings,
    )


def _load(name: str, entry: Entry) -> Any:
    """Import a command and give it the option ``--config``."""
    module, _, attribute = entry.target.partition(":")
    target = getattr(importlib.import_module(module), attribute)
    if isinstance(target, typer.Typer):
        return _load_group(name, entry, target)
    single = _plain()
    single.command(name)(_with_config(target))
    return typer.main.get_command(single)


def _load_group(name: str, entry: Entry, group: typer.Typer) -> Any:
    copy = _plain(name=name, help=entry.help, no_args_is_help=True)
    for registered in group.registered_commands:
        if registered.callback is not None:
            copy.command(registered.name, help=registered.help)(_with_config(registered.callback))

    @copy.callback()
    def _shared(config: ConfigOption = None) -> None:
        use_config(config)

    return typer.main.get_command(copy)


def _with_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option ``--config``, unless it has one; either way it is remembered."""
    signature = inspect.signature(function, eval_str=True)
    own = "config" in signature.parameters

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        use_config(kwargs.get("config") if own else kwargs.pop("config", None))
        return function(*args, **kwargs)

    parameters = list(signature.parameters.values())
    if not own:
        parameters.append(
            inspect.Parameter(
                "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigOption
            )
        )
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {
        "return": signature.return_annotation
    }
    del command.__wrapped__
    return command


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pulse {version('commonpulse')}")
        raise typer.Exit


app = _plain(name="pulse", cls=_Commands, no_args_is_help=True)


@app.callback()
def _pulse(
    config: ConfigOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask people short questions in the chat they already use, and learn from the answers.

    To begin: pulse chat. Nothing is needed for it, no account and no configuration.
    """
    use_config(config)
