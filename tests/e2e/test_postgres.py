"""Whole conversations with everything kept in PostgreSQL: the same tests as on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_conversations import (
    ann,
    sue,
    test_an_edit_changes_the_answer_on_both_platforms,
    test_both_platforms_at_once_with_presses_and_typed_answers,
    test_commands_tell_and_change_what_is_kept,
    test_repeated_updates_change_nothing_and_say_nothing,
    test_two_quick_messages_answer_one_question,
)
from tests.e2e.test_process import (
    test_sigterm_amid_traffic_ends_well_and_the_restart_goes_on,
)
from tests.e2e.test_results import (
    test_a_cohort_hears_what_it_said_and_what_was_done,
)
from tests.e2e.test_waves import (
    test_a_wave_from_opening_to_closing_on_both_platforms,
    test_an_anonymous_wave_leaves_nothing_that_joins,
)
from tests.e2e.test_webhooks import (
    test_fifty_people_at_once,
    test_one_persons_updates_at_once_are_each_kept_once,
)

__all__ = [
    "ann",
    "sue",
    "test_a_cohort_hears_what_it_said_and_what_was_done",
    "test_a_wave_from_opening_to_closing_on_both_platforms",
    "test_an_anonymous_wave_leaves_nothing_that_joins",
    "test_an_edit_changes_the_answer_on_both_platforms",
    "test_both_platforms_at_once_with_presses_and_typed_answers",
    "test_commands_tell_and_change_what_is_kept",
    "test_fifty_people_at_once",
    "test_one_persons_updates_at_once_are_each_kept_once",
    "test_repeated_updates_change_nothing_and_say_nothing",
    "test_sigterm_amid_traffic_ends_well_and_the_restart_goes_on",
    "test_two_quick_messages_answer_one_question",
]


@pytest.fixture
async def build(tmp_path: Path, postgres_url: str) -> AsyncIterator[Callable[..., House]]:
    """Make an installation on PostgreSQL; what it runs is ended after the test."""
    made: list[House] = []

    def make(**options: Any) -> House:
        house = House(tmp_path / f"house-{len(made)}", storage=postgres_url, **options)
        made.append(house)
        return house

    yield make
    for house in made:
        await house.close()
