"""Keys of a terminal, one by one, by name.

What lives here: reading them raw, and giving the terminal back as it was. What must not: what
they mean (``review_screen.py``).
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Keys", "RawTerminal", "raw_terminal"]

#: How long the rest of a key that is sent as several bytes may take, in seconds.
_PATIENCE = 0.05

#: How often it is looked whether the window has another size, in seconds.
_LOOK = 0.5

#: Ctrl-Z.
_PAUSE = "\x1a"

_NAMES = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "esc",
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x1b[Z": "back-tab",
    "\x1b[3~": "delete",
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
}


class RawTerminal:
    """A terminal whose keys come at once and unseen."""

    def __init__(self, fd: int) -> None:
        """Take a terminal as it is.

        Args:
            fd: Its file descriptor.
        """
        self._fd = fd
        self._before = termios.tcgetattr(fd)

    def begin(self) -> None:
        """Let every key come. Ctrl-C still interrupts; Ctrl-Z comes as a key."""
        tty.setcbreak(self._fd)
        modes = termios.tcgetattr(self._fd)
        modes[6][termios.VSUSP] = bytes([os.fpathconf(self._fd, "PC_VDISABLE")])
        termios.tcsetattr(self._fd, termios.TCSADRAIN, modes)

    def end(self) -> None:
        """Give the terminal back as it was."""
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def pause(self) -> None:
        """Stop the process as Ctrl-Z does, the terminal as it was; begin anew when it goes on."""
        self.end()
        signal.raise_signal(signal.SIGTSTP)
        self.begin()


@contextmanager
def raw_terminal(fd: int) -> Iterator[RawTerminal]:
    """Let every key come at once and unseen, and give the terminal back in the end, also where
    the process is asked to end.
    """
    terminal = RawTerminal(fd)
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        terminal.begin()
        yield terminal
    finally:
        terminal.end()
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


class Keys:
    """The keys that are pressed at a terminal."""

    def __init__(self, fd: int, *, idle: Callable[[], None], pause: Callable[[], None]) -> None:
        """Take a terminal.

        Args:
            fd: Its file descriptor.
            idle: Called now and then while nothing is pressed.
            pause: Called for Ctrl-Z.
        """
        self._fd = fd
        self._idle = idle
        self._pause = pause
        self._waiting = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __call__(self) -> str | None:
        """Give the next key, a sign or a name; None once the terminal has gone away."""
        while (key := self._next()) == _PAUSE:
            self._pause()
        return key

    def _next(self) -> str | None:
        while not self._waiting:
            if not select.select([self._fd], [], [], _LOOK)[0]:
                self._idle()
            elif not self._read():
                return None
        if self._waiting == "\x1b" and select.select([self._fd], [], [], _PATIENCE)[0]:
            self._read()
        return self._taken()

    def _read(self) -> bool:
        try:
            piece = os.read(self._fd, 1024)
        except OSError:
            piece = b""
        self._waiting += self._decoder.decode(piece)
        return bool(piece)

    def _taken(self) -> str:
        for length in range(min(len(self._waiting), 4), 1, -1):
            name = _NAMES.get(self._waiting[:length])
            if name is not None:
                self._waiting = self._waiting[length:]
                return name
        if self._waiting.startswith(("\x1b[", "\x1bO")):
            # A key that means nothing here, to its last byte.
            rest = self._waiting[2:].lstrip("0123456789;")
            self._waiting = rest[1:]
            return "other"
        sign, self._waiting = self._waiting[0], self._waiting[1:]
        return _NAMES.get(sign, sign)
