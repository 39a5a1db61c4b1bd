"""The program ``pulse``: runs a command and ends with its exit status.

What lives here: errors to one or two lines and a status (0 done, 1 could not, 2 wrong
input). What must not: commands (``cli``).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

__all__ = ["main"]

#: What a shell gives a program that was interrupted from the keyboard.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Without the program's name; None takes those of the process.

    Returns:
        The exit status.
    """
    if arguments is None and "run" in sys.argv[1:]:
        # Importing takes a second, in which whoever watches over us may think better of it.
        signal.signal(signal.SIGTERM, _end_early)

    import typer

    from bot.cli.app import app
    from dialogues.errors import CommonpulseError, SurveyInvalid, UserError

    debug = bool(os.environ.get("PULSE_DEBUG"))
    try:
        status = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments),
            prog_name="pulse",
            standalone_mode=False,
        )
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except typer.TyperException as error:
        return _say_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell, and nothing to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CommonpulseError as error:
        if debug:
            raise
        sys.stderr.write(f"pulse: {error}\n")
        return 2 if isinstance(error, UserError | SurveyInvalid) else 1
    except Exception as error:
        if debug:
            raise
        if isinstance(error, UnicodeEncodeError) and error.encoding.lower() == "utf-8":
            # Bytes that are no text come in as lone surrogates, which no store takes.
            sys.stderr.write("pulse: Something that was given is no text in UTF-8.\n")
            return 2
        sys.stderr.write(
            f"pulse: something is broken in Commonpulse ({type(error).__name__}).\n"
            "Run the same with PULSE_DEBUG=1 to see where, and please report it.\n"
        )
        return 1


def _end_early(_number: int, _frame: FrameType | None) -> None:
    sys.stderr.write("pulse: stopped before it had begun.\n")
    raise SystemExit(0)


def _say_usage(error: Exception) -> int:
    """Say what is wrong with the words on the command line."""
    if type(error).__name__ == "NoArgsIsHelpError":
        # A command with no words at all asks what there is; its help is what it says.
        sys.stdout.write(f"{error}\n")
        return 0
    words = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "pulse"
    sys.stderr.write(f"pulse: {' '.join(words.split())}\nSee {command} --help.\n")
    return int(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    sys.exit(main())
