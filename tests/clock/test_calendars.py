"""Public holidays by country and region, and hints where a calendar is not known."""

from __future__ import annotations

from datetime import date

import pytest

from bot.clock.calendars import calendar_problem, holiday_of


def test_regions_have_holidays_of_their_own() -> None:
    wales, scotland = holiday_of("GB-WLS"), holiday_of("GB-SCT")
    assert wales is not None
    assert scotland is not None
    assert [wales(date(2027, 1, 4)), scotland(date(2027, 1, 4))] == [False, True]
    assert wales(date(2027, 3, 26))
    assert not wales(date(2027, 3, 25))
    # Christmas falls on a Saturday: the days in its stead.
    assert wales(date(2027, 12, 27))
    assert wales(date(2040, 12, 25))


def test_no_calendar_and_a_calendar_that_is_gone_have_no_holidays() -> None:
    assert holiday_of(None) is None
    assert holiday_of("XX") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gb", "did you mean GB?"),
        ("GB-Wales", "did you mean GB-WLS?"),
        ("GB-wls", "did you mean GB-WLS?"),
        ("GB-WAL", "did you mean GB-WLS?"),
        ("DE-Bayern", "did you mean DE-BY?"),
        ("??", 'such as "GB" or "GB-WLS"'),
        ("GB-Q1", "expected a region of GB: ENG, NIR, SCT, WLS"),
        ("WS-1", '"WS" alone'),
    ],
)
def test_what_is_not_known_gets_a_hint(name: str, hint: str) -> None:
    assert hint in (calendar_problem(name) or "")


@pytest.mark.parametrize("name", ["GB", "GBR", "GB-WLS", "US-CA", "AU-NSW", "WS"])
def test_what_is_known_has_no_problem(name: str) -> None:
    assert calendar_problem(name) is None
