"""A line to PostgreSQL that can be cut at a moment of one's choice.

line = Line(server.folder)
url = line.url("pulse")
line.cut_at(b"commit", after=True)   # the server gets it, its answer gets lost
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from pathlib import Path

__all__ = ["COMMIT", "Line"]

#: A commit as a client sends it.
COMMIT = re.compile(rb"[\x00\x0b]commit\x00")


class Line:
    """Passes bytes on between clients and a server that listens in a folder."""

    def __init__(self, folder: Path) -> None:
        self._server = str(folder / ".s.PGSQL.5432")
        self._words: re.Pattern[bytes] | None = None
        self._after = False
        self.n_cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def url(self, database: str) -> str:
        """Give the address of a database at the other end."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?gssencmode=disable"

    def cut_at(self, words: re.Pattern[bytes], *, after: bool) -> None:
        """Cut the next connection on which a client says this.

        Args:
            words: What to wait for.
            after: Whether the server still hears it.
        """
        self._words, self._after = words, after

    def close(self) -> None:
        """Cut everything and listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(10)
        for one in list(self._open):
            self._end(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._open |= {client, server}
                # The answer is passed on by a thread that is told not to when it is cut.
                cut = threading.Event()
                for source, target, watched in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target, cut, watched), daemon=True
                    ).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, cut: threading.Event, watched: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if cut.is_set():
                    break
                if watched and self._words is not None and self._words.search(data):
                    self._words = None
                    self.n_cut += 1
                    cut.set()
                    if self._after:
                        target.sendall(data)
                    # The client hears nothing more; the server may finish.
                    self._end(source)
                    if not self._after:
                        self._end(target)
                    return
                target.sendall(data)
        self._end(source)
        self._end(target)

    def _end(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
