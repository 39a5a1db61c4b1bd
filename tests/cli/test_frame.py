"""The command line's frame: help, options, errors and exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
import typer

import bot.cli
from bot.__main__ import main
from bot.cli.app import COMMANDS, Entry
from bot.errors import CannotError, UserError
from dialogues.errors import StoreFull, SurveyInvalid, TaggerError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own ``--config`` and no configuration of the machine's."""
    token = bot.cli._config_path.set(None)
    for name in [name for name in os.environ if name.startswith("PULSE_")]:
        monkeypatch.delenv(name)
    yield
    bot.cli._config_path.reset(token)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    """Put a function, or a group of them, into the list of commands as ``try``."""

    def put(target: object) -> None:
        module = ModuleType("tests.cli.tried")
        module.target = target
        monkeypatch.setitem(sys.modules, "tests.cli.tried", module)
        monkeypatch.setitem(COMMANDS, "try", Entry(target="tests.cli.tried:target", help="Try."))

    return put


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown
        assert entry.help in shown


def test_no_words_at_all_are_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Usage: pulse [OPTIONS] COMMAND [ARGS]...\n")
    assert told.err == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_frame_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from bot.__main__ import main; main(sys.argv[1:]); "
        "heavy = {'spacy', 'telegram', 'slack_bolt', 'slack_sdk', 'aiohttp', 'sklearn', 'numpy', "
        "'pydantic', 'rich', 'sqlite_utils', 'apscheduler'}; "
        "print('heavy:', *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pulse 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["--nonsense"], "No such option: --nonsense"),
        (["check", "--nonsense"], "No such option: --nonsense"),
        (["check", "--config"], "requires an argument"),
    ],
)
def test_wrong_words_are_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert len(shown.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError("a.toml: expected more"), 2, "pulse: a.toml: expected more\n"),
        (SurveyInvalid(), 2, "pulse: The survey cannot be used"),
        (CannotError("no network"), 1, "pulse: no network\n"),
        (StoreFull(), 1, "pulse: The database cannot be written"),
        (TaggerError("no model"), 1, "pulse: no model\n"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("x"), 1, "pulse: something is broken in Commonpulse"),
        (typer.Exit(2), 2, ""),
    ],
)
def test_errors_are_two_lines_and_a_status(
    command, error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    command(fail)
    assert main(["try"]) == status
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert len(shown.splitlines()) <= 2
    assert "Traceback" not in shown


def test_a_defect_is_shown_whole_when_asked(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    command(fail)
    monkeypatch.setenv("PULSE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["try"])


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m bot --help | true; "
        f"{sys.executable} -c \"import sys; sys.argv=['x','check','--json'];"
        'from bot.__main__ import main; sys.exit(main())" | head -c 1 >/dev/null',
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "x.toml", "try"],
        ["try", "--config", "x.toml"],
        ["--config", "y.toml", "try", "--config", "x.toml"],
    ],
)
def test_every_command_takes_a_configuration(command, arguments: list[str]) -> None:
    seen = []

    def look(loud: Annotated[bool, typer.Option("--loud")] = False) -> None:
        seen.append(bot.cli.config_path())

    command(look)
    assert main(arguments) == 0
    assert seen == [Path("x.toml")]


def test_a_group_of_commands(command, capsys: pytest.CaptureFixture[str]) -> None:
    group = typer.Typer()
    seen = []

    @group.command("open")
    def _open(pulse: str) -> None:
        """Open a wave."""
        seen.append((pulse, bot.cli.config_path()))

    @group.command("list")
    def _list() -> None:
        """List waves."""

    command(group)
    assert main(["try", "open", "monthly", "--config", "x.toml"]) == 0
    assert main(["try", "--config", "y.toml", "open", "monthly"]) == 0
    assert seen == [("monthly", Path("x.toml")), ("monthly", Path("y.toml"))]
    assert main(["try", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Open a wave." in shown
    assert "List waves." in shown
    assert main(["try", "opn"]) == 2
    assert "pulse try --help" in capsys.readouterr().err


def test_settings_are_read_once_named(command, tmp_path: Path, capsys) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[privacy]\ncontact = "us"\n')

    def look() -> None:
        typer.echo(bot.cli.settings().privacy.contact)

    command(look)
    assert main(["try", "--config", str(file)]) == 0
    assert capsys.readouterr().out == "us\n"
    assert main(["try", "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml: expected a file; there is none" in capsys.readouterr().err


def test_settings_print_their_warnings(
    command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULSE_TELEGRAM__TOKN", "x")

    def look() -> None:
        bot.cli.settings()

    command(look)
    assert main(["try"]) == 0
    assert "did you mean PULSE_TELEGRAM__TOKEN?" in capsys.readouterr().err
