"""The kill test in full: `make soak`, or `pytest -m soak tests/soak/test_kill.py -s`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.killing import kill_while_answering, line


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seed", "lost_replies", "hooks"), [(1, 0.0, False), (2, 0.05, False), (3, 0.05, True)]
)
async def test_fifty_people_lose_nothing_while_the_process_is_killed(
    tmp_path: Path, seed: int, lost_replies: float, hooks: bool
) -> None:
    tally = await kill_while_answering(
        tmp_path / "house",
        people=50,
        kills=24,
        seed=seed,
        up=(0.5, 6.0),
        think=(1.0, 8.0),
        lost_replies=lost_replies,
        hooks=hooks,
    )
    print(f"\nkill test, seed {seed}: {line(tally)}")
    assert tally.complete == 50
    assert tally.kills >= 20
