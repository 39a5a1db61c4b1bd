"""What people type of their own times: an hour, a place, days off, a pause.

What lives here: reading such words in every shipped language. What must not: keeping or acting on
them (the shell), or which time zone a place has (``bot/clock/zones.py``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from dialogues import messages
from dialogues.folding import fold, without_politeness
from dialogues.wishes import (
    AskLength,
    DaysOff,
    Hour,
    PauseUntil,
    Place,
    Quiet,
    Resume,
    Show,
    Unclear,
    Usual,
    Wish,
)

__all__ = ["is_plain", "read_wish", "split_times"]


#: Longer words are no wish, in characters; and nobody pauses for more years than this.
_LONGEST = 100
_YEARS = 10

#: For asking whether words can be a wish at all, on whatever day.
_SOME_DAY = date(2001, 1, 1)


def _folded(*meanings: str) -> tuple[str, ...]:
    """Give the words of meanings, the longest first, so that none hides a longer one."""
    words = {fold(word) for meaning in meanings for word in messages.time_words(meaning)}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def _either(words: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, words))


_HEADS = {
    fold(word): command
    for command in ("times", "pause", "resume")
    for word in messages.words(command)
}
_NOT = re.compile(rf"(?:{_either(_folded('not'))})(?: (.+))?")
_UNTIL = re.compile(rf"(?:{_either(_folded('until'))}) (.+)")
_FOR = re.compile(rf"(?:{_either(_folded('for'))}) (.+)")
_CLOCK = re.compile(
    rf"(?:(?:{_either(_folded('at'))}) )?(?P<hour>\d{{1,2}})(?:[:.h](?P<minute>\d{{2}})|h)?"
    rf" ?(?P<half>{_either(_folded('morning', 'evening'))})?"
)
_BETWEEN = re.compile(
    rf"(?:(?:{_either(_folded('from'))}) )?(.+?)(?: ?[-–] ?| (?:{_either(_folded('to'))}) )(.+)"
)
_LENGTH = re.compile(
    rf"(?:(?P<n>\d{{1,4}}) ?|(?P<word>{_either(_folded(*map(str, range(1, 13))))}) )?"
    rf"(?P<unit>{_either(_folded('day', 'week', 'fortnight', 'month', 'year'))})"
)
_NUMBERED = re.compile(r"(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}))?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|af|il|ydd|fed|ed|eg|ain)? (?:of )?(\D+?)(?: (\d{4}))?"
)
_MONTH_FIRST = re.compile(r"(\D+?) (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?")
_ZONE = re.compile(r"[a-z_]+(?:/[a-z0-9_+-]+)+")

#: Parts of the day that are said instead of an hour, with the hours that the buttons offer.
_PARTS = {
    word: hour * 60
    for part, hour in (("the_morning", 9), ("the_afternoon", 13), ("the_evening", 18))
    for word in _folded(part)
}
_SPELT = re.compile(rf"(?:.* )?(?:{_either(_folded('spelt_time'))})(?: .*)?")
_EVENING = frozenset(_folded("evening"))
_NOON = frozenset(_folded("noon"))
_MIDNIGHT = frozenset(_folded("midnight"))
_USUAL = frozenset(_folded("usual"))
_ANY_DAY = frozenset(_folded("any_day"))
_ANY_HOUR = frozenset(_folded("any_hour"))
_NO_END = frozenset(_folded("no_end"))
_TOMORROW = frozenset(_folded("tomorrow"))
_JOINING = frozenset(_folded("joining"))
_NUMBERS = {word: n for n in range(1, 13) for word in _folded(str(n))}
_UNITS = {
    word: unit for unit in ("day", "week", "fortnight", "month", "year") for word in _folded(unit)
}


def _beginnings(names: tuple[str, ...]) -> dict[str, int]:
    """Give each name and what it is cut to, of three letters or more, with its number."""
    found: dict[str, int] = {}
    for number, name in enumerate(names):
        word = fold(name).removeprefix("dydd ")
        found |= {word[:length]: number for length in range(3, len(word) + 1)}
    return found


_WEEKDAYS: dict[str, frozenset[int]] = {
    **{
        word: frozenset({day})
        for language in messages.LANGUAGES
        for word, day in _beginnings(messages.weekdays(language)).items()
    },
    **{word: frozenset({5, 6}) for word in _folded("weekend")},
    **{word: frozenset(range(5)) for word in _folded("working_day")},
}
_MONTHS: dict[str, int] = {
    word: number + 1
    for language in messages.LANGUAGES
    for word, number in _beginnings(messages.months(language)).items()
}


def split_times(folded: str) -> tuple[str, str]:
    """Part folded words into ``times`` or ``pause`` and what they say of it; ("", "") for
    anything else.
    """
    for head, command in _HEADS.items():
        if command != "resume" and folded.startswith(f"{head} "):
            return command, folded[len(head) + 1 :]
    return "", ""


def is_plain(folded: str) -> bool:
    """Whether folded words are a wish that no answer to an open question looks like."""
    command, wanted = split_times(folded)
    if not command:
        return False
    match _read(command, wanted, _SOME_DAY):
        case Unclear(key=key):
            return key in ("pause_past", "pause_long", "pause_no_day", "times_no_day")
        case Place(words=words):
            return _ZONE.fullmatch(words) is not None
        case Hour():
            return not wanted.isdecimal()
        case _:
            return True


def read_wish(text: str, today: date) -> Wish:
    """Read a message that is one of the commands about times.

    Args:
        text: As received, with or without a slash.
        today: By the person's own clock.
    """
    words = text.strip()
    if words.startswith("/"):
        head, _, rest = words[1:].strip().partition(" ")
        words = f"{head.partition('@')[0]} {rest}"
    folded = without_politeness(fold(words[: _LONGEST * 2]))
    if len(folded) > _LONGEST:
        return Unclear(key="times_unclear")
    command, wanted = split_times(folded)
    if command:
        return _read(command, wanted, today)
    match _HEADS.get(folded) or _HEADS.get(folded.partition(" ")[0]):
        case "pause":
            return AskLength()
        case "resume":
            return Resume()
        case _:
            return Show()


def _read(command: str, wanted: str, today: date) -> Wish:
    plain = " ".join(wanted.replace(",", " ").split())
    return _read_pause(plain, today) if command == "pause" else _read_times(plain)


# Times ----------------------------------------------------------------------------------


def _read_times(wanted: str) -> Wish:
    if wanted in _USUAL:
        return Usual()
    if wanted in _ANY_DAY:
        return DaysOff(days=())
    if wanted in _ANY_HOUR:
        return Quiet(hours=None)
    minute = _minute(wanted)
    if minute is not None:
        return Hour(minute=minute)
    barred = _NOT.fullmatch(wanted)
    if barred is not None:
        return _read_not(barred[1] or "")
    if wanted in _NUMBERS or _SPELT.fullmatch(wanted):
        return Unclear(key="times_spelt")
    if _ZONE.fullmatch(wanted) or not any(mark.isdigit() for mark in wanted):
        return Place(words=wanted)
    return Unclear(key="times_unclear")


def _minute(words: str) -> int | None:
    """Read a time of the day; None when it is none."""
    if words in _NOON:
        return 12 * 60
    if words in _MIDNIGHT:
        return 0
    if words in _PARTS:
        return _PARTS[words]
    found = _CLOCK.fullmatch(words)
    if found is None:
        return None
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in _EVENING else 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _read_not(barred: str) -> Wish:
    between = _BETWEEN.fullmatch(barred)
    if between is not None:
        begins, ends = _minute(between[1]), _minute(between[2])
        if begins is not None and ends is not None:
            same = begins == ends
            return Unclear(key="times_unclear") if same else Quiet(hours=(begins, ends))
    days: set[int] = set()
    for word in re.split(r"[ /&+]+", re.sub(r" ?[-–] ?", "-", barred)):
        named = _days(word)
        if named is None:
            return Unclear(key="times_unclear")
        days |= named
    if len(days) == 7:
        return Unclear(key="times_no_day")
    return DaysOff(days=tuple(sorted(days))) if days else Unclear(key="times_unclear")


def _days(word: str) -> frozenset[int] | None:
    """Read a word of days off; None when it names none, empty where it only joins."""
    if not word or word in _JOINING:
        return frozenset()
    first, mark, last = word.partition("-")
    if mark:
        begins, ends = _days(first), _days(last)
        if begins is None or ends is None or len(begins) != 1 or len(ends) != 1:
            return None
        begin = min(begins)
        return frozenset((begin + step) % 7 for step in range((min(ends) - begin) % 7 + 1))
    return _WEEKDAYS.get(word) or _WEEKDAYS.get(word.removesuffix("s"))


# Pauses ---------------------------------------------------------------------------------


def _read_pause(wanted: str, today: date) -> Wish:
    if wanted in _NO_END:
        return PauseUntil(day=None)
    until = _UNTIL.fullmatch(wanted)
    try:
        day = _named_day(until[1] if until else wanted, today)
    except ValueError:
        return Unclear(key="pause_no_day")
    if day is None and until is None:
        length = _FOR.fullmatch(wanted)
        day = _day_after(length[1] if length else wanted, today)
    if day is None:
        return Unclear(key="pause_unclear")
    if day <= today:
        return Unclear(key="pause_past")
    return PauseUntil(day=day) if day.year <= today.year + _YEARS else Unclear(key="pause_long")


def _day_after(words: str, today: date) -> date | None:
    """Read a length of time from today on; None when it is none."""
    found = _LENGTH.fullmatch(words)
    if found is None:
        return None
    count = int(found["n"]) if found["n"] else _NUMBERS.get(found["word"] or "", 1)
    unit = _UNITS[found["unit"]]
    if count == 0:
        return None
    if unit in ("month", "year"):
        return _months_after(today, count * (12 if unit == "year" else 1))
    days = count * {"day": 1, "week": 7, "fortnight": 14}[unit]
    return date.max if days > 366 * (_YEARS + 1) else today + timedelta(days=days)


def _months_after(today: date, months: int) -> date:
    """Give the same day some months later, or the last of a month that has no such day."""
    years, month = divmod(today.month - 1 + months, 12)
    if years > _YEARS + 1:
        return date.max
    year = today.year + years
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _named_day(words: str, today: date) -> date | None:
    """Read a date or the next weekday of a name; None when it is none.

    Raises:
        ValueError: It is a date of a day that there is not.
    """
    if words in _TOMORROW:
        return today + timedelta(days=1)
    named = _WEEKDAYS.get(re.sub(r"^d?dydd ", "", words))
    if named is not None and len(named) == 1:
        return today + timedelta(days=(min(named) - today.weekday() - 1) % 7 + 1)
    iso = _ISO.fullmatch(words)
    if iso is not None:
        return date(int(iso[1]), int(iso[2]), int(iso[3]))
    numbered = _NUMBERED.fullmatch(words)
    if numbered is not None:
        return _next_such(int(numbered[1]), int(numbered[2]), numbered[3], today)
    first, second = _DAY_FIRST.fullmatch(words), _MONTH_FIRST.fullmatch(words)
    if first is not None and first[2] in _MONTHS:
        return _next_such(int(first[1]), _MONTHS[first[2]], first[3], today)
    if second is not None and second[1] in _MONTHS:
        return _next_such(int(second[2]), _MONTHS[second[1]], second[3], today)
    return None


def _next_such(day: int, month: int, year: str | None, today: date) -> date:
    """Give the day of a month: in its year, or the next one from today on.

    Raises:
        ValueError: There is no such day.
    """
    if year is not None:
        return date(int(year), month, day)
    # A 29 February may be eight years off.
    for one in range(today.year, today.year + 9):
        if 1 <= month <= 12 and 1 <= day <= monthrange(one, month)[1]:
            such = date(one, month, day)
            if such >= today:
                return such
    message = f"month {month} has no day {day}"
    raise ValueError(message)
