"""`pulse run` has its database to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sole import sole_use
from dialogues.errors import CannotError


def test_a_second_one_on_the_same_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "pulse.db"
    with sole_use(database):
        refused = pytest.raises(CannotError, match=r"Another `pulse run` uses .*pulse\.db")
        with refused, sole_use(database):
            pass
        with sole_use(tmp_path / "other.db"), sole_use(None), sole_use(None):
            pass
    with sole_use(database):
        pass


def test_parts_are_held_apart_each_by_one(tmp_path: Path) -> None:
    database = tmp_path / "pulse.db"
    with sole_use(database, ["web", "schedule"]), sole_use(database, ["delivery"]):
        for roles in (["schedule"], ["tagging", "delivery"], ["web"]):
            refused = pytest.raises(CannotError, match=rf"\({roles[-1]}\)\. Stop it first\.$")
            with refused, sole_use(database, roles):
                pass
        with sole_use(database, ["tagging"]):
            pass
    with sole_use(database):
        pass


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match=r"storage\.url"), sole_use(tmp_path / "no" / "pulse.db"):
        pass
