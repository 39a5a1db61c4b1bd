"""The two bots that are measured: each a process of its own, killed at the end of its round."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.database import read_rows
from tests.fakes.telegram import FakeTelegram

ROOT = Path(__file__).resolve().parents[2]
SURVEY = Path(__file__).with_name("survey.toml")
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int | str) -> float:
    """Give the CPU time that a process has used, all threads, children apart."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def clean_environ() -> dict[str, str]:
    """Give the environment without settings of whoever runs the bench."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PULSE_")}


def rss_mb(pid: int) -> float:
    """Give the most memory that a process has held; 0 once it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Bot:
    """A bot that reads a fake Telegram.

    Args:
        folder: Its own, empty.
        token: Of the fake.
        api_base_url: Of the fake.
    """

    name = ""

    def __init__(self, folder: Path, *, token: str, api_base_url: str) -> None:
        self.folder = folder
        self.token = token
        self.api_base_url = api_base_url
        self.env: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Put into its folder what it needs."""

    def kept(self) -> int:
        """How many answers are on the disk, the bot being dead."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        self.prepare()
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdout=log, stderr=log, env=clean_environ() | self.env
            )
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What the bot said."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    def cpu_seconds(self) -> float:
        """CPU time that its process has used, all threads, children apart."""
        return cpu_seconds(self.pid)

    def rss_mb(self) -> float:
        """The most memory that its process has held."""
        return rss_mb(self.pid)

    async def wait_up(self, fake: FakeTelegram) -> None:
        """Wait until it reads the fake."""
        await fake.wait_polled()

    def kill(self) -> None:
        """Kill it as a power cut would (SIGKILL) and wait for its end. Safe to repeat."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Commonpulse(Bot):
    """``pulse run`` with its defaults.

    Args:
        storage: The address of a database; empty for a file of its own.
    """

    name = "commonpulse"

    def __init__(self, folder: Path, *, token: str, api_base_url: str, storage: str = "") -> None:
        super().__init__(folder, token=token, api_base_url=api_base_url)
        self.storage = storage or f"sqlite:///{folder}/pulse.db"

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "bot", "run", "--config", str(self.folder / "config.toml")]

    def prepare(self) -> None:
        write_config(
            self.folder, token=self.token, api_base_url=self.api_base_url, storage=self.storage
        )

    def kept(self) -> int:
        found = read_rows(self.storage, "select count(*) as n from answers where value is not null")
        return int(found[0]["n"])


class Yardstick(Bot):
    """The usual alternative; see ``yardstick.py``."""

    name = "yardstick"

    @property
    def command(self) -> list[str]:
        words = [self.token, self.api_base_url, str(self.folder / "pickle")]
        return [sys.executable, "-m", "tests.bench.yardstick", *words]

    def kept(self) -> int:
        path = self.folder / "pickle"
        if not path.exists():
            return 0
        # Ours, written a moment ago.
        with path.open("rb") as file:
            return sum(len(data) for data in pickle.load(file)["user_data"].values())


def write_config(
    folder: Path, *, token: str = "", api_base_url: str = "", storage: str = ""
) -> Path:
    """Write a configuration with the bench's survey, and a database in the same folder unless
    its address is given.
    """
    storage = storage or f"sqlite:///{folder}/pulse.db"
    surveys = folder / "surveys"
    surveys.mkdir()
    shutil.copy(SURVEY, surveys / "bench.toml")
    path = folder / "config.toml"
    lines = [
        f'surveys = "{surveys}"',
        "[storage]",
        f'url = "{storage}"',
        *(
            ["[telegram]", f'token = "{token}"', f'api_base_url = "{api_base_url}"']
            if token
            else []
        ),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
