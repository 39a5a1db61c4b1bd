"""Time zones by what people call them: a zone's own name, its city, or a place nearby.

What lives here: telling which zone is meant, from the zones that this machine knows. What must
not: keeping it, or words to people.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from dialogues.folding import fold

__all__ = ["Found", "is_zone", "zones_called"]

#: Names of zones, and whether the words mean one of them for certain.
Found = tuple[tuple[str, ...], bool]

#: How many are suggested.
_MOST = 4

#: Where many people live, and no zone is called so.
_PLACES: dict[str, tuple[str, ...]] = {
    "Europe/London": (
        *("uk", "united kingdom", "britain", "great britain", "england", "wales", "scotland"),
        *("cardiff", "swansea", "newport", "wrexham", "bangor", "edinburgh", "glasgow", "bst"),
        *("manchester", "birmingham", "liverpool", "leeds", "bristol", "cymru", "lloegr"),
        *("yr alban", "llundain", "caerdydd", "abertawe", "casnewydd", "wrecsam", "caeredin"),
        *("manceinion", "lerpwl", "bryste", "prydain", "y deyrnas unedig", "gmt"),
    ),
    "Europe/Dublin": ("ireland", "iwerddon", "dulyn", "cork", "galway"),
    "Europe/Paris": ("france", "ffrainc", "lyon", "marseille", "toulouse"),
    "Europe/Berlin": (
        *("germany", "yr almaen", "munich", "cologne", "hamburg", "frankfurt", "cet"),
    ),
    "Europe/Madrid": ("spain", "sbaen", "barcelona", "valencia", "seville"),
    "Europe/Rome": ("italy", "yr eidal", "rhufain", "milan", "naples", "turin"),
    "Europe/Amsterdam": ("netherlands", "holland", "the hague", "rotterdam", "utrecht"),
    "Europe/Brussels": ("belgium", "antwerp", "ghent", "brwsel"),
    "Europe/Zurich": ("switzerland", "geneva", "basel", "bern"),
    "Europe/Warsaw": ("poland", "gwlad pwyl", "krakow", "gdansk"),
    "Europe/Kyiv": ("ukraine", "lviv", "odesa", "kharkiv"),
    "Europe/Istanbul": ("turkey", "ankara"),
    "America/New_York": ("washington", "boston", "miami", "philadelphia", "atlanta", "est"),
    "America/Chicago": ("houston", "dallas", "austin", "cst"),
    "America/Los_Angeles": ("san francisco", "seattle", "san diego", "california", "pst"),
    "America/Toronto": ("ottawa",),
    "Asia/Kolkata": ("india", "mumbai", "delhi", "new delhi", "bangalore", "bengaluru", "chennai"),
    "Asia/Karachi": ("pakistan", "lahore", "islamabad"),
    "Asia/Dhaka": ("bangladesh",),
    "Asia/Shanghai": ("china", "beijing", "shenzhen"),
    "Asia/Tokyo": ("japan", "osaka", "kyoto"),
    "Africa/Lagos": ("nigeria", "abuja"),
    "Australia/Sydney": ("canberra",),
    "Pacific/Auckland": ("wellington",),
}

#: What people mean by one name, and a machine by another: both are offered.
_ALSO: dict[str, tuple[str, ...]] = {
    "gmt": ("UTC",),
    "bangor": ("America/New_York",),
    "birmingham": ("America/Chicago",),
}

#: Names for machines.
_NOT_FOR_PEOPLE = re.compile(r"(?:Etc|SystemV|posix|right)/.*|Factory|localtime|[^/]*\d[^/]*")


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of exactly this name."""
    return name in _known()


def zones_called(words: str) -> Found:
    """Give the zones that words may mean, and whether they are meant for certain.

    Args:
        words: As ``fold`` gives them.

    Returns:
        One name and True; several names and True where words mean several; else names that
        are called alike, perhaps none, and False.
    """
    named = " ".join(words.replace("_", " ").split())
    by_name, by_city = _index()
    if named in by_name:
        return (by_name[named],), True
    if named in by_city:
        return by_city[named][:_MOST], True
    near = [city for city in by_city if len(named) >= 3 and city.startswith(named)]
    if not near:
        near = get_close_matches(named[:40], by_city, n=_MOST, cutoff=0.75)
        near += get_close_matches(named[:40], by_name, n=_MOST, cutoff=0.8)
    found = [zone for one in near for zone in by_city.get(one) or (by_name[one],)]
    return tuple(dict.fromkeys(found))[:_MOST], False


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Give whole names to zones, and cities and places to the zones that they may mean."""
    names = sorted(name for name in _known() if not _NOT_FOR_PEOPLE.fullmatch(name))
    places = {fold(place) for listed in _PLACES.values() for place in listed}
    by_name = {_said(name): name for name in names if _said(name) not in places}
    cities: dict[str, list[str]] = {}
    for zone, listed in _PLACES.items():
        for place in listed:
            cities.setdefault(fold(place), []).append(zone)
    for name in names:
        area, _, city = name.rpartition("/")
        if area:
            cities.setdefault(_said(city), []).append(name)
    for place, also in _ALSO.items():
        cities[place] += also
    return by_name, {city: tuple(_told_apart(zones)) for city, zones in cities.items()}


def _said(name: str) -> str:
    return fold(name.replace("_", " "))


def _told_apart(zones: list[str]) -> list[str]:
    """Leave out zones that always show the same time as another of a shorter name."""
    if len(zones) == 1:
        return zones
    kept: dict[tuple[object, ...], str] = {}
    for zone in zones:
        shown = _shown(zone)
        if shown not in kept or len(zone) < len(kept[shown]):
            kept[shown] = zone
    return list(kept.values())


@lru_cache(maxsize=1024)
def _shown(name: str) -> tuple[object, ...]:
    """Give what a zone's clock shows through some years, each half month."""
    zone = ZoneInfo(name)
    return tuple(
        datetime(year, month, day, tzinfo=UTC).astimezone(zone).utcoffset()
        for year in range(2025, 2028)
        for month in range(1, 13)
        for day in (1, 15)
    )
