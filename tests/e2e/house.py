"""An installation in a folder, beside the fakes: `pulse run` as a process, other commands too.

    house = House(tmp_path, telegram=telegram, slack=slack, surveys=[SMALL])
    running = await house.run()                 # reads both platforms when this returns
    await running.terminate()                   # gives the exit status
    async with house.up(): ...                  # the same in this process, quicker
    await house.pulse("wave", "status", "--json")
    house.rows("select * from answers")

The tagger's process is a stub unless `tagger=True`: it finds one code in every answer, at once.
"""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

from bot.app import App, channels_of, house_of, new_id, now
from bot.coding import Coder
from bot.config import load_settings
from nlp.codeframe import read_codeframe
from storage.open import open_writer
from tests.database import change_rows, read_rows
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.web.serving import free_port

ROOT = Path(__file__).parents[2]
STUBBED = "tests.e2e.stubbed"

#: Every kind of question but one, quick to answer; the words in brackets tell them apart.
SMALL = """
survey = "small"
title = "Small survey"
ask_sector = false
thanks = "Thank you. [end]"
consent.text = "May we keep your answers? [consent]"

[[question]]
id = "goals"
kind = "scale"
text = "We want the same. [goals]"
labels = ["Not at all", "A little", "Fully"]
dont_know = true

[[question]]
id = "why"
kind = "text"
text = "What makes you say so? [why]"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str


class Running:
    """A `pulse run` that is up."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        """What it has written to standard error so far."""
        return self.log.read_text()

    async def until(self, words: str, seconds: float = 120.0) -> None:
        """Wait until it says something."""
        async with asyncio.timeout(seconds):
            while words not in self.said:
                if self.process.returncode is not None:
                    raise AssertionError(f"ended before {words!r}:\n{self.said}")
                await asyncio.sleep(0.02)

    async def ended(self, seconds: float = 120.0) -> int:
        """Wait for its end and give its exit status."""
        return await asyncio.wait_for(self.process.wait(), seconds)

    def children(self) -> list[str]:
        """Give the ids of the processes that it has started."""
        pid = self.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    async def terminate(self) -> int:
        """Ask it to end, wait, and give its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it as a power cut would, at once."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class House:
    """A folder with a configuration, surveys and a database."""

    def __init__(
        self,
        folder: Path,
        *,
        telegram: FakeTelegram | None = None,
        slack: FakeSlack | None = None,
        surveys: Sequence[str] | None = (SMALL,),
        more: str = "",
        tagger: bool = False,
        hooks: bool = False,
        storage: str = "",
    ) -> None:
        """Write the configuration.

        Args:
            folder: A new one.
            telegram: Where citizens are; None for no Telegram.
            slack: Where partners are; None for no Slack.
            surveys: Survey files' texts; None for the shipped surveys.
            more: Further tables of the configuration.
            tagger: Whether the tagger that ships is used instead of a stub.
            hooks: Whether the platforms come to us: by webhook, and by HTTP.
            storage: The address of a database on PostgreSQL; empty for a file of its own.
        """
        self.folder = folder
        self.telegram = telegram
        self.slack = slack
        self.tagger = tagger
        self.storage = storage
        self.port = free_port() if hooks else 0
        self.running: list[Running] = []
        folder.mkdir(parents=True)
        lines = []
        if surveys is not None:
            (folder / "surveys").mkdir()
            for number, text in enumerate(surveys):
                (folder / "surveys" / f"{number}.toml").write_text(text)
            lines.append('surveys = "surveys/"')
        lines += ["[storage]", f'url = "{storage or f"sqlite:///{self.database}"}"']
        if telegram is not None:
            lines += ["[telegram]", f'token = "{telegram.token}"']
            lines += [f'api_base_url = "{telegram.base_url}"']
            lines += ['mode = "webhook"'] if hooks else []
        if slack is not None:
            lines += ["[slack]", f'bot_token = "{slack.bot_token}"']
            lines += [f'api_base_url = "{slack.api_base_url}"']
            if hooks:
                lines += ['mode = "http"', f'signing_secret = "{slack.signing_secret}"']
            else:
                lines += [f'app_token = "{slack.app_token}"']
        if hooks:
            lines += ["[web]", f"port = {self.port}", f'public_url = "{self.url}"']
        self.config.write_text("\n".join([*lines, more]) + "\n")

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "config.toml"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "pulse.db"

    @property
    def sqlite(self) -> str:
        """The address of a database in the folder."""
        return f"sqlite:///{self.database}"

    @property
    def url(self) -> str:
        """Where the platforms come to."""
        return f"http://127.0.0.1:{self.port}"

    def _program(self, *, stub: bool) -> list[str]:
        return [sys.executable, "-m", STUBBED if stub else "bot"]

    async def run(self, *options: str, ready: bool = True, port: int = 0) -> Running:
        """Start `pulse run`; with `ready` wait until it reads every platform.

        Args:
            options: Of the command.
            ready: Whether to wait.
            port: That it listens on, where that is another than the platforms know.
        """
        env = environ() | ({"PULSE_WEB__PORT": str(port)} if port else {})
        log = self.folder / f"run-{len(self.running)}.log"
        program = self._program(stub=not self.tagger)
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *program, "run", *options, "--config", str(self.config),
                stdin=DEVNULL, stdout=DEVNULL, stderr=stderr, cwd=ROOT, env=env,
            )  # fmt: skip
        running = Running(process, log)
        self.running.append(running)
        if ready:
            for fake, name in ((self.telegram, "telegram"), (self.slack, "slack")):
                if fake is not None:
                    await running.until(f"Reading {name}")
            await self._read()
        return running

    async def _read(self) -> None:
        """Wait until every platform is being read."""
        if self.telegram is not None:
            if self.port:
                await self.telegram.wait_until(lambda: self.url in self.telegram.webhook.url)
            else:
                await self.telegram.wait_polled()
        if self.slack is not None:
            if self.port:
                await self.slack.delivery.take_url(f"{self.url}/slack/events")
            else:
                await self.slack.wait_connected()

    @asynccontextmanager
    async def up(self, *, ticks: float = 0.2) -> AsyncIterator[App]:
        """Hold everything up in this process, as `pulse run` does; quicker than a process.

        Args:
            ticks: Seconds between two looks at what is due.
        """
        known = load_settings(self.config, {})
        plan = house_of(known)
        writer = open_writer(known.storage.url, connections=known.storage.connections)
        stop = asyncio.Event()
        app = App(
            house=plan,
            writer=writer,
            channels=channels_of(known, plan),
            codeframe=read_codeframe(),
            model=None,
            slots=known.delivery.slots,
            broadcasts_per_second=known.delivery.broadcast_per_second,
            rates=known.delivery.rates,
            web=known.web,
        )
        if not self.tagger:
            app._coder = Coder(
                writer, model=None, now=now, new_id=new_id,
                command=[sys.executable, "-m", STUBBED, "--serve"], observer=app._metrics,
            )  # fmt: skip
        running: asyncio.Task[None] | None = None
        try:
            with patch("bot.schedule.TICK_SECONDS", ticks):
                running = asyncio.create_task(app.run(stop))
                await self._read()
            yield app
        finally:
            stop.set()
            if running is not None:
                await asyncio.wait_for(running, 20)
            await asyncio.to_thread(writer.close)

    async def pulse(self, *arguments: str, stdin: bytes = b"", cwd: Path = ROOT) -> Ran:
        """Run another command to its end."""
        process = await asyncio.create_subprocess_exec(
            *self._program(stub=False), *arguments, "--config", str(self.config),
            stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=cwd, env=environ(),
        )  # fmt: skip
        out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return Ran(status=process.returncode, out=out.decode(), err=err.decode())

    async def exported(self) -> dict[str, list[dict[str, str]]]:
        """Export everything and give the rows of every table."""
        out = self.folder / "out"
        done = await self.pulse("export", "--out", str(out), "--format", "csv")
        assert done.status == 0, done.err
        tables = {}
        for path in out.glob("*.csv"):
            with path.open(newline="", encoding="utf-8-sig") as file:
                tables[path.stem] = list(csv.DictReader(file))
        return tables

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read the database, also while `pulse run` writes it."""
        return read_rows(self.storage or f"sqlite:///{self.database}", query, *values)

    def change(self, statement: str, *values: object) -> int:
        """Change what is kept, past the store, and give in how many rows."""
        return change_rows(self.storage or f"sqlite:///{self.database}", statement, *values)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody write meanwhile."""
        if self.storage:
            with psycopg.connect(self.storage) as server:
                server.execute("lock table inbound in exclusive mode")
                yield
            return
        with closing(sqlite3.connect(self.database, isolation_level=None)) as other:
            other.execute("begin immediate")
            yield
            other.execute("rollback")

    def untagged(self) -> list[dict[str, Any]]:
        """Give the open answers that no tagger has read."""
        return self.rows(
            "select * from answers where kind = 'text' and text <> '' and tagged_by is null"
        )

    async def until(self, condition: Callable[[], Any], seconds: float = 120.0) -> None:
        """Wait for something to be true of the database."""
        async with asyncio.timeout(seconds):
            while not ((self.storage or self.database.exists()) and condition()):
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """End what still runs."""
        for running in self.running:
            await running.kill()


def environ() -> dict[str, str]:
    """Give the environment without this installation's own variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSE_")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
