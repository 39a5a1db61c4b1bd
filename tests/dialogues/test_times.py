"""What people type of their own times, read in both languages, and never misread as an answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues import messages
from dialogues.folding import fold
from dialogues.prompts import read_token, token
from dialogues.times import is_plain, read_wish, split_times
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
    typed,
)
from dialogues.words import command_in

TUESDAY = date(2026, 12, 1)
UNCLEAR = Unclear(key="times_unclear")


def hour(hours: int, minutes: int = 0) -> Hour:
    return Hour(minute=60 * hours + minutes)


def days(*listed: int) -> DaysOff:
    return DaysOff(days=listed)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("times", Show()),
        ("My times", Show()),
        ("/times@our_bot", Show()),
        ("amserau?", Show()),
        ("times 18:00", hour(18)),
        ("/times 18.30", hour(18, 30)),
        ("/times@our_bot 18:00", hour(18)),
        ("Times 6pm", hour(18)),
        ("times at 6:30 p.m.", hour(18, 30)),
        ("times 12am", hour(0)),
        ("times 12 pm", hour(12)),
        ("times 9", hour(9)),
        ("times noon", hour(12)),
        ("times 18:00 please", hour(18)),
        ("times evening", hour(18)),
        ("times in the morning", hour(9)),
        ("amserau prynhawn", hour(13)),
        ("amserau gyda'r nos", hour(18)),
        ("times half past six", Unclear(key="times_spelt")),
        ("times six o'clock", Unclear(key="times_spelt")),
        ("times six", Unclear(key="times_spelt")),
        ("amserau hanner awr wedi chwech", Unclear(key="times_spelt")),
        ("times 9 in the morning", hour(9)),
        ("amserau 6yh", hour(18)),
        ("amserau am 9 y bore", hour(9)),
        ("times hanner dydd", hour(12)),
        ("times 24:00", UNCLEAR),
        ("times 13pm", UNCLEAR),
        ("times 18:75", UNCLEAR),
        ("times 18:00 or 19:00", UNCLEAR),
        ("times Paris", Place(words="paris")),
        ("times Europe/Paris", Place(words="europe/paris")),
        ("times São Paulo", Place(words="sao paulo")),
        ("times Etc/GMT+5", Place(words="etc/gmt+5")),
        ("times not mon fri", days(0, 4)),
        ("times not on Mondays, and Fridays", days(0, 4)),
        ("times never sat & sun", days(5, 6)),
        ("times not mon-wed", days(0, 1, 2)),
        ("times not fri - mon", days(0, 4, 5, 6)),
        ("times not at weekends", days(5, 6)),
        ("times not weekdays", days(0, 1, 2, 3, 4)),
        ("amserau dim llun a gwener", days(0, 4)),
        ("amserau dim ar ddydd Llun", days(0)),
        ("times dim dydd Sadwrn na dydd Sul", days(5, 6)),
        ("times dim ar benwythnosau", days(5, 6)),
        ("times not mon tue wed thu fri sat sun", Unclear(key="times_no_day")),
        ("times not today", UNCLEAR),
        ("times not", UNCLEAR),
        ("times not and", UNCLEAR),
        ("times any day", days()),
        ("times bob dydd", days()),
        ("times not 20:00-08:00", Quiet(hours=(1200, 480))),
        ("times not between 8pm and 8am", Quiet(hours=(1200, 480))),
        ("amserau dim rhwng 20:00 a 08:00", Quiet(hours=(1200, 480))),
        ("times not from 12 to 13:30", Quiet(hours=(720, 810))),
        ("times not 8:00-8:00", UNCLEAR),
        ("times any hour", Quiet(hours=None)),
        ("times usual", Usual()),
        ("amserau arferol", Usual()),
    ],
)
def test_times(text: str, wish: Wish) -> None:
    assert read_wish(text, TUESDAY) == wish


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("pause 3 days", "2026-12-04"),
        ("/pause@our_bot 2 weeks", "2026-12-15"),
        ("pause for two weeks", "2026-12-15"),
        ("Pause 2w", "2026-12-15"),
        ("pause week", "2026-12-08"),
        ("pause a fortnight", "2026-12-15"),
        ("pause for a couple of months", "2027-02-01"),
        ("pause 1 year", "2027-12-01"),
        ("take a break 10 days", "2026-12-11"),
        ("saib 2 wythnos", "2026-12-15"),
        ("saib am bythefnos", "2026-12-15"),
        ("saib am fis", "2027-01-01"),
        ("oedi tri diwrnod", "2026-12-04"),
        ("pause until 12 January", "2027-01-12"),
        ("pause until the 12th of January", "2027-01-12"),
        ("pause until Jan 12, 2028", "2028-01-12"),
        ("pause until 12 january 2027", "2027-01-12"),
        ("pause until 2 December", "2026-12-02"),
        ("pause 2027-01-12", "2027-01-12"),
        ("pause until 29 February", "2028-02-29"),
        ("pause until tomorrow", "2026-12-02"),
        ("pause until Monday", "2026-12-07"),
        ("pause until tuesday", "2026-12-08"),
        ("saib tan 12 Ionawr", "2027-01-12"),
        ("saib tan y 12fed Ionawr", "2027-01-12"),
        ("saib tan ddydd Llun", "2026-12-07"),
        ("saib tan dydd Llun", "2026-12-07"),
        ("pause until I say so", "ever"),
        ("saib nes i mi ddweud", "ever"),
        ("pause until 30 February", "pause_no_day"),
        ("pause until 31 April 2027", "pause_no_day"),
        ("pause until 2027-02-30", "pause_no_day"),
        ("pause until 12/13/2027", "pause_no_day"),
        ("pause until 29 February 2028", "2028-02-29"),
        ("pause until 12/01/2027", "2027-01-12"),
        ("pause until 1.2.2027", "2027-02-01"),
        ("pause until 3/11", "2027-11-03"),
        ("pause for two weeks please", "2026-12-15"),
        ("Saib 2 wythnos, os gwelwch yn dda", "2026-12-15"),
        ("pause until later", None),
        ("pause until 2 weeks", None),
        ("pause 0 days", None),
        ("pause please 3", None),
        ("pause until 30 November 2026", "pause_past"),
        ("pause until 1 December", "pause_past"),
        ("pause until 2020-01-12", "pause_past"),
        ("pause until 0001-01-01", "pause_past"),
        ("pause 99 years", "pause_long"),
        ("pause 9999 days", "pause_long"),
        ("pause 9999 months", "pause_long"),
        ("pause until 9999-12-31", "pause_long"),
    ],
)
def test_pauses(text: str, until: str | None) -> None:
    wish = read_wish(text, TUESDAY)
    if until is None:
        assert wish == Unclear(key="pause_unclear")
    elif until == "ever":
        assert wish == PauseUntil(day=None)
    elif until.startswith("pause"):
        assert wish == Unclear(key=until)
    else:
        assert wish == PauseUntil(day=date.fromisoformat(until))


@pytest.mark.parametrize(
    ("today", "text", "until"),
    [
        (date(2027, 1, 31), "pause 1 month", date(2027, 2, 28)),
        (date(2028, 1, 31), "pause a month", date(2028, 2, 29)),
        (date(2027, 12, 31), "pause 2 months", date(2028, 2, 29)),
        (date(2028, 2, 29), "pause 1 year", date(2029, 2, 28)),
        (date(2026, 12, 31), "pause until 1 january", date(2027, 1, 1)),
        (date(2096, 3, 1), "pause until 29 feb", date(2104, 2, 29)),
    ],
)
def test_months_end_as_the_calendar_has_them(today: date, text: str, until: date) -> None:
    assert read_wish(text, today) == PauseUntil(day=until)


@pytest.mark.parametrize("text", ["pause", "/pause", "Pause.", "saib", "take a break"])
def test_a_pause_alone_asks_how_long(text: str) -> None:
    assert read_wish(text, TUESDAY) == AskLength()


@pytest.mark.parametrize("text", ["resume", "/resume now", "unpause", "ailddechrau", "/RESUME@bot"])
def test_resume(text: str) -> None:
    assert read_wish(text, TUESDAY) == Resume()


@pytest.mark.parametrize(
    ("text", "at_closed", "at_open"),
    [
        ("times", "times", "times"),
        ("amserau", "times", "times"),
        ("my times", "times", None),
        ("times 18:00", "times", "times"),
        ("times 6pm", "times", "times"),
        ("times 3", "times", None),
        ("times Europe/Paris", "times", "times"),
        ("times Paris", "times", None),
        ("/times Paris", "times", "times"),
        ("times change", "times", None),
        ("times not mon fri", "times", "times"),
        ("times usual", "times", "times"),
        ("Times that suit me would be good", None, None),
        ("times are hard for the likes of us", None, None),
        ("timesheets", None, None),
        ("pause", "pause", "pause"),
        ("pause 2 weeks", "pause", "pause"),
        ("pause until 12 January", "pause", "pause"),
        ("pause until 12 January, please", "pause", "pause"),
        ("pause until 2020-01-12", "pause", "pause"),
        ("pause for thought", "pause", None),
        ("pause the whole programme until it is safe", None, None),
        ("resume", "resume", "resume"),
        ("resume the old service", None, None),
        ("/resume the old service", "resume", "resume"),
        ("saib", "pause", "pause"),
        ("oedi", "pause", None),
    ],
)
def test_what_is_a_command_and_what_an_answer(
    text: str, at_closed: str | None, at_open: str | None
) -> None:
    assert command_in(text, at_open_question=False) == at_closed
    assert command_in(text, at_open_question=True) == at_open


minutes = st.integers(0, 24 * 60 - 1)
wishes = st.one_of(
    st.builds(Hour, minute=minutes),
    st.builds(
        DaysOff, days=st.sets(st.integers(0, 6), max_size=6).map(lambda one: tuple(sorted(one)))
    ),
    st.builds(
        Quiet,
        hours=st.none() | st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]),
    ),
    st.builds(Usual),
    st.builds(Show),
    st.builds(AskLength),
    st.builds(Resume),
    st.builds(Place, words=st.sampled_from(["paris", "new york", "america/new_york"])),
    st.builds(
        PauseUntil,
        day=st.none() | st.integers(1, 9 * 365).map(lambda n: TUESDAY + timedelta(days=n)),
    ),
)


@given(wish=wishes, slash=st.booleans(), shout=st.booleans())
def test_what_is_written_is_read_as_it_was_meant(wish: Wish, slash: bool, shout: bool) -> None:
    said = f"{'/' if slash else ''}{typed(wish)}"
    assert read_wish(said.upper() if shout else said, TUESDAY) == wish


@given(wish=wishes)
def test_what_a_button_carries_is_read_as_it_was_meant(wish: Wish) -> None:
    carried = token("lobby", "t", typed(wish).replace(" ", "_"))
    assert len(carried) <= 64
    pressed = read_token(carried)
    assert pressed is not None
    read = read_wish(pressed.key.replace("_", " "), TUESDAY)
    if isinstance(wish, Place):
        assert read == Place(words=wish.words.replace("_", " "))
    else:
        assert read == wish


PIECES = [
    *("times", "pause", "resume", "amserau", "saib", "/times", "/pause@bot", "not", "dim", "until"),
    *("tan", "for", "am", "at", "mon", "llun", "weekend", "fri-mon", "-", "–", "to", "and", "a"),
    *("18:00", "99:99", "6pm", "12am", "9", "0", "2w", "weeks", "mis", "12", "january", "ionawr"),
    *("2027-01-12", "0000-00-00", "9999-99-99", "29 feb", "31st", "tomorrow", "usual", "i say"),
    *("٣", "²", "½", "\u200f", "İ", "ß", "🕕", "1" * 90, "x" * 120, ",", ".", "/", "\n", "\0"),
]


@given(
    text=st.one_of(
        st.text(),
        st.text(max_size=40).map(lambda text: f"times {text}"),
        st.text(max_size=40).map(lambda text: f"pause {text}"),
        st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join),
    ),
    today=st.dates(date(1990, 1, 1), date(2900, 12, 31)),
)
def test_no_text_breaks_it(text: str, today: date) -> None:
    wish = read_wish(text, today)
    if isinstance(wish, PauseUntil) and wish.day is not None:
        assert today < wish.day <= date(today.year + 10, 12, 31)
    if isinstance(wish, DaysOff):
        assert len(wish.days) < 7
    if isinstance(wish, Unclear):
        assert messages.has(wish.key)
    command, _ = split_times(fold(text))
    assert is_plain(fold(text)) <= (command != "")
    command_in(text, at_open_question=True)


def test_no_two_languages_call_different_days_or_months_alike() -> None:
    for names in (messages.weekdays, messages.months):
        found: dict[str, int] = {}
        for language in messages.LANGUAGES:
            for number, name in enumerate(names(language)):
                word = fold(name).removeprefix("dydd ")
                for length in range(3, len(word) + 1):
                    assert found.setdefault(word[:length], number) == number, word
