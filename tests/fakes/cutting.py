"""A line to PostgreSQL that can be cut: at a moment of one's choice, or everything at once.

line = Line(server.folder)
url = line.url("pulse")
line.cut_at(COMMIT, after=True)   # the server gets it, its answer gets lost
line.cut_all()                    # every connection of now breaks
line.n_cut, line.n_open           # connections that were cut, and that are open
line.close()
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["COMMIT", "Line"]

#: A commit as a client sends it.
COMMIT = re.compile(rb"[\x00\x0b]commit\x00")


@dataclass(slots=True, eq=False)
class _Pair:
    """A connection from end to end, and whether it was cut."""

    client: socket.socket
    server: socket.socket
    cut: threading.Event = field(default_factory=threading.Event)


class Line:
    """Passes bytes on between clients and a server that listens in a folder.

    While the server is down, clients are let in and cut off at once.
    """

    def __init__(self, folder: Path) -> None:
        self._server = str(folder / ".s.PGSQL.5432")
        self._words: re.Pattern[bytes] | None = None
        self._after = False
        self._lock = threading.Lock()
        self.n_cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[_Pair] = set()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def url(self, database: str) -> str:
        """Give the address of a database at the other end."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?gssencmode=disable"

    @property
    def n_open(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._open)

    def cut_at(self, words: re.Pattern[bytes], *, after: bool) -> None:
        """Cut the next connection on which a client says this.

        Args:
            words: What to wait for.
            after: Whether the server still hears it.
        """
        with self._lock:
            self._words, self._after = words, after

    def cut_all(self) -> int:
        """Cut every connection of now; give how many."""
        with self._lock:
            pairs = list(self._open)
        for pair in pairs:
            self._cut(pair)
            self._end(pair)
        return len(pairs)

    def close(self) -> None:
        """Cut everything and listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(10)
        self.cut_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._server)
                except OSError:
                    client.close()
                    server.close()
                    continue
                pair = _Pair(client, server)
                with self._lock:
                    self._open.add(pair)
                for way in (self._up, self._down):
                    threading.Thread(target=way, args=(pair,), daemon=True).start()

    def _up(self, pair: _Pair) -> None:
        """Pass on what the client says."""
        with contextlib.suppress(OSError):
            while data := pair.client.recv(65536):
                if self._strikes(data):
                    self._cut(pair)
                    if self._after:
                        pair.server.sendall(data)
                        # The client hears nothing more; the server may finish.
                        _shut(pair.client)
                        return
                    break
                pair.server.sendall(data)
        self._end(pair)

    def _down(self, pair: _Pair) -> None:
        """Pass on what the server says, until the line is cut."""
        with contextlib.suppress(OSError):
            while data := pair.server.recv(65536):
                if pair.cut.is_set():
                    break
                pair.client.sendall(data)
        self._end(pair)

    def _strikes(self, data: bytes) -> bool:
        """Whether these are the words that are waited for; they are so once."""
        with self._lock:
            if self._words is None or not self._words.search(data):
                return False
            self._words = None
            return True

    def _cut(self, pair: _Pair) -> None:
        with self._lock:
            self.n_cut += not pair.cut.is_set()
        pair.cut.set()

    def _end(self, pair: _Pair) -> None:
        with self._lock:
            self._open.discard(pair)
        for one in (pair.client, pair.server):
            _shut(one)
            one.close()


def _shut(one: socket.socket) -> None:
    """Break a connection; whoever reads from it wakes up."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
