"""Kept means on the disk: the sync comes before anybody is told."""

from __future__ import annotations

import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from tests.storage.durable_child import NO_SQLITE


def test_the_log_is_synced_before_a_result_is_given_out(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.durable_child", str(tmp_path / "pulse.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == NO_SQLITE:
        pytest.skip("this Python does not show SQLite's file layer")
    assert done.returncode == 0, done.stderr
    events = done.stdout.split("\n")[:-1]
    assert [event for event, _ in groupby(events)] == [
        "write pulse.db-wal",
        "sync pulse.db-wal",
        "kept",
    ] * 3
