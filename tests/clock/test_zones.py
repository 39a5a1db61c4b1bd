"""Time zones by what people call them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock.zones import is_zone, zones_called
from dialogues.folding import fold


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("EUROPE/PARIS", "Europe/Paris"),
        ("Paris", "Europe/Paris"),
        ("paris.", "Europe/Paris"),
        ("New York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Cardiff", "Europe/London"),
        ("Caerdydd", "Europe/London"),
        ("Llundain", "Europe/London"),
        ("BST", "Europe/London"),
        ("India", "Asia/Kolkata"),
        ("UTC", "UTC"),
        # Two names of one clock are one.
        ("Louisville", "America/Louisville"),
    ],
)
def test_what_means_one_zone(words: str, zone: str) -> None:
    assert zones_called(fold(words)) == ((zone,), True)


@pytest.mark.parametrize(
    ("words", "zones"),
    [
        ("GMT", ("Europe/London", "UTC")),
        ("Birmingham", ("Europe/London", "America/Chicago")),
    ],
)
def test_what_means_several(words: str, zones: tuple[str, ...]) -> None:
    assert zones_called(fold(words)) == (zones, True)


@pytest.mark.parametrize(
    ("words", "zones"),
    [
        ("Londn", ("Europe/London",)),
        ("Pari", ("Europe/Paris",)),
        ("Europe/Pariss", ("Europe/Paris",)),
        ("Xyzzy", ()),
        ("x", ()),
        ("", ()),
        ("Factory", ()),
    ],
)
def test_what_is_not_known_is_suggested_at_most(words: str, zones: tuple[str, ...]) -> None:
    assert zones_called(fold(words)) == (zones, False)


@given(words=st.text(max_size=100))
def test_whatever_is_typed_only_zones_come_of_it(words: str) -> None:
    zones, certain = zones_called(fold(words))
    assert len(zones) <= 4
    assert zones or not certain
    for zone in zones:
        assert is_zone(zone)
        ZoneInfo(zone)
        # What a button carries is found again.
        assert zones_called(fold(zone.replace("_", " "))) == ((zone,), True)


@pytest.mark.parametrize("name", ["", "Europe/Nowhere", "../etc/passwd", "x" * 10_000, "\0"])
def test_what_a_platform_says_may_be_no_zone(name: str) -> None:
    assert not is_zone(name)
