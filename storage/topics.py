"""Words between programs on one PostgreSQL: LISTEN and NOTIFY on a connection of their own.

What lives here: telling others of a topic and hearing of theirs. What must not: what a topic
means. A word carries no more than its topic and who tells it, and it may get lost: whoever
waits for one looks by themselves too, now and then.

Words go out after the commit and apart from it: within it they would let no two commits reach
the disk together. Those of a short time go out as one.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

from dialogues.errors import StoreError
from storage.pool import Connection, connect, troubled
from storage.urls import PostgresPlace

__all__ = ["EVERYTHING", "Topics"]

#: Heard where words may have got lost: look at everything.
EVERYTHING = ""

#: The channel of the database; each database has its own.
_CHANNEL = "commonpulse"

_TELL = """select pg_notify(%(channel)s, word)
from unnest(cast(%(words)s as text[])) as word"""

#: Words of so long a time go out as one, in seconds.
_TOGETHER_SECONDS = 0.02

#: How long to wait before a lost connection is made anew; each further time twice as long.
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.2, 10.0


class Topics:
    """Tells other programs of topics and hears of theirs, in a thread of its own.

    Nothing is connected before there is something to tell or somebody to hear.

    Args:
        place: The database.
        origin: Names this program among others, so that it does not hear itself.
    """

    def __init__(self, place: PostgresPlace, *, origin: str) -> None:
        self._place = place
        self._origin = origin
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._hear: Callable[[str], None] | None = None
        self._ending = False
        self._ours, self._theirs = socket.socketpair()
        self._thread: threading.Thread | None = None

    def tell(self, topics: frozenset[str]) -> None:
        """Tell every other program of these, soon."""
        if not topics:
            return
        with self._lock:
            if self._ending:
                return
            fresh = not topics <= self._waiting
            self._waiting |= topics
            self._start()
            if fresh:
                self._ours.send(b"t")

    def listen(self, hear: Callable[[str], None]) -> None:
        """Hear of topics from now on.

        Args:
            hear: Called with a topic in a thread of ours, or with ``EVERYTHING`` where words
                may have got lost. It must be quick and must not raise.
        """
        with self._lock:
            self._hear = hear
            self._start()
            self._ours.send(b"l")

    def close(self) -> None:
        """Tell what is still to be told, and end."""
        with self._lock:
            self._ending = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._ours.send(b"e")
            thread.join()
        self._ours.close()
        self._theirs.close()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, name="store-topics")
            self._thread.start()

    # In the thread --------------------------------------------------------------------

    def _main(self) -> None:
        pause = _PAUSE_SECONDS
        while True:
            try:
                with connect(self._place) as connection:
                    pause = _PAUSE_SECONDS
                    self._serve(connection)
                return
            except StoreError:
                self._rest(pause)
                if self._ending:
                    return
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _rest(self, seconds: float) -> None:
        """Wait before connecting anew; what comes meanwhile is looked at then."""
        until = time.monotonic() + seconds
        while not self._ending and (left := until - time.monotonic()) > 0:
            if select.select([self._theirs], [], [], left)[0]:
                self._theirs.recv(4096)

    def _serve(self, connection: Connection) -> None:
        """Tell and hear until the end.

        Raises:
            StoreError: The connection was lost.
        """
        listening = False
        while True:
            with self._lock:
                topics, self._waiting = self._waiting, set()
                ending, hear = self._ending, self._hear
            if hear is not None and not listening:
                with troubled():
                    connection.execute(f"listen {_CHANNEL}")
                listening = True
                hear(EVERYTHING)
            if topics:
                self._send(connection, topics)
            if ending:
                return
            with troubled():
                for word in connection.notifies(timeout=0):
                    origin, _, topic = word.payload.partition(" ")
                    if hear is not None and origin != self._origin:
                        hear(topic)
            ready, _, _ = select.select([connection.fileno(), self._theirs.fileno()], [], [])
            if self._theirs.fileno() in ready:
                time.sleep(_TOGETHER_SECONDS)
                self._theirs.recv(4096)

    def _send(self, connection: Connection, topics: set[str]) -> None:
        words = [f"{self._origin} {topic}" for topic in sorted(topics)]
        with troubled():
            connection.execute(_TELL, {"channel": _CHANNEL, "words": words})
