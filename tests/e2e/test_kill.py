"""The kill test in short; in full it is `tests/soak/test_kill.py`."""

from __future__ import annotations

from pathlib import Path

from tests.soak.killing import kill_while_answering, line


async def test_nobody_loses_an_answer_while_the_process_is_killed(tmp_path: Path) -> None:
    tally = await kill_while_answering(
        tmp_path / "house",
        people=10,
        kills=4,
        seed=7,
        up=(1.0, 2.0),
        think=(0.05, 0.6),
        patience=1.5,
        limits=False,
        timeout=60,
    )
    print(line(tally))
    assert tally.complete == 10
    assert tally.acknowledged_before_a_kill > 0
