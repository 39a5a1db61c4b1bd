"""The kill test in short; in full it is `tests/soak/test_kill.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.killing import kill_while_answering, line


@pytest.mark.parametrize("hooks", [False, True], ids=["asking", "hooks"])
async def test_nobody_loses_an_answer_while_the_process_is_killed(
    tmp_path: Path, hooks: bool
) -> None:
    tally = await kill_while_answering(
        tmp_path / "house",
        people=10,
        kills=4,
        seed=7,
        up=(1.0, 2.0),
        think=(0.05, 0.6),
        patience=1.5,
        limits=False,
        hooks=hooks,
        timeout=60,
    )
    print(line(tally))
    assert tally.complete == 10
    assert tally.acknowledged_before_a_kill > 0
