"""Public holidays, by country and region (the ``holidays`` library).

What lives here: reading a calendar's name, such as ``GB-WLS``, and asking it for a day. What
must not: what follows from a holiday (``fitting.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

__all__ = ["calendar_problem", "holiday_of"]


@lru_cache(maxsize=64)
def holiday_of(name: str | None) -> Callable[[date], bool] | None:
    """Give what says of a day whether it is a public holiday; None for no calendar.

    A calendar that this version does not have (any more) has no holidays.
    """
    if name is None or calendar_problem(name) is not None:
        return None
    import holidays  # Takes half a second, which only those pay who have a calendar.

    country, _, region = name.partition("-")
    calendar = holidays.country_holidays(country, subdiv=region or None)

    def is_holiday(day: date) -> bool:
        return day in calendar

    return is_holiday


@lru_cache(maxsize=64)
def calendar_problem(name: str) -> str | None:
    """Say what was expected instead of a calendar's name; None where there is nothing wrong."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=True)
    country, _, region = name.partition("-")
    expected = "expected a country and perhaps a region"
    if country not in known:
        regions_called = _regions_called(name)
        if regions_called:
            return f"{expected}; did you mean {' or '.join(regions_called)}?"
        near = _nearest(country.upper(), known)
        hint = f"; did you mean {near}?" if near else ' such as "GB" or "GB-WLS"'
        return f"{expected}{hint}"
    regions = known[country]
    if not region or region in regions:
        return None
    if not regions:
        return f'expected "{country}" alone: its calendar has no regions'
    aliases = holidays.country_holidays(country).get_subdivision_aliases()
    by_name = {alias.casefold(): code for code, names in aliases.items() for alias in names}
    by_name |= {code.casefold(): code for code in regions}
    near = _nearest(region.casefold(), by_name)
    if near:
        return f"{expected}; did you mean {country}-{by_name[near]}?"
    return f"expected a region of {country}: {', '.join(regions[:20])}"


def _regions_called(words: str) -> list[str]:
    """Give calendars of regions that have this code or name, at most three."""
    import holidays

    word = words.strip().casefold()
    found: list[str] = []
    for country, regions in holidays.list_supported_countries(include_aliases=False).items():
        named = {code.casefold(): code for code in regions}
        for code, names in holidays.country_holidays(country).get_subdivision_aliases().items():
            named |= {one.casefold(): code for one in names}
        if word in named:
            found.append(f"{country}-{named[word]}")
    return found[:3]


def _nearest(word: str, known: object) -> str | None:
    near = get_close_matches(word, list(known), n=1, cutoff=0.5)  # type: ignore[call-overload]
    return near[0] if near else None
