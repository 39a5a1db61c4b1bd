"""`pulse reply`: what organisers answer reaches exactly who wrote of it, and tells nobody who."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.results import Results
from nlp.codeframe import read_codeframe
from storage.open import open_store
from storage.protocol import Store
from storage.writer import Writer
from tests.bot.place import Place
from tests.bot.ports import FakeClock
from tests.bot.test_results import Stopped
from tests.contract.scenes import AT, LATER, wave
from tests.reports.scenes import answer, close, fielded, invite, survey, tag

CONFIG = """
[[cohort]]
name = "riverside"
title = "Riverside"
timezone = "Europe/London"

[[cohort]]
name = "hillside"
"""

NOW = datetime(2026, 12, 20, 12, 0, tzinfo=UTC)
CODES = {
    "lacks": [("resources", "gap")],
    "flows": [("resources", "strength")],
    "talk": [("transparency", "gap")],
}


class Town:
    """An installation with its command line, its store, and what is sent."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG)
        self.url = f"sqlite:///{folder}/pulse.db"
        self.capsys = capsys
        self.clock = FakeClock(NOW)

    def pulse(self, *arguments: str) -> tuple[int, str, str]:
        """Run `pulse reply`."""
        status = main(["reply", *arguments, "--config", str(self.config)])
        out, err = self.capsys.readouterr()
        return status, out, err

    def json(self, *arguments: str) -> Any:
        status, out, err = self.pulse(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    def do(self, job: Callable[[Store], Any]) -> Any:
        """Run a job in the store."""
        store = open_store(self.url)
        try:
            with store.transaction():
                return job(store)
        finally:
            store.close()

    def told(self, run: Callable[[Place], Callable[..., Any]] | None = None) -> dict[str, str]:
        """Let `pulse run` tell everybody, and give who was told what."""
        writer = Writer(lambda: open_store(self.url))
        try:
            place = Place(writer, self.clock, self.url)
            results = Results(
                place.runner.house,
                codeframe=read_codeframe(),
                slashes={},
                now=self.clock,
                draw=lambda _: None,
            )
            results.tick(place.run if run is None else run(place))
            found: dict[str, str] = {}
            for channel in ("telegram", "slack"):
                for chat, prompt in place.deliver(channel):
                    if "You said" in prompt.text or "Dywedoch" in prompt.text:
                        assert chat not in found
                        found[chat.removeprefix("of-")] = prompt.text
            return found
        finally:
            writer.close()


def fielding(store: Store, wave_id: str, answers: dict[str, str], **changes: Any) -> None:
    """A closed wave in which people wrote something."""
    of = survey(anonymous=changes.pop("anonymous", False))
    month = changes.pop("month", 12)
    opens_at = AT.replace(month=month)
    rhythm = replace(wave().rhythm, opens_on=opens_at.date())
    fielded(store, of, wave_id, opens_at=opens_at, rhythm=rhythm, **changes)
    for name, words in answers.items():
        channel = "slack" if name == "sue" else "telegram"
        answer(store, of, name, {"why": words, "share": "3"}, wave_id=wave_id, channel=channel)
    invite(store, of, "silent", wave_id=wave_id)
    tag(store, CODES)
    close(store, wave_id)


DECEMBER = {"ann": "money lacks", "bob": "money flows", "cat": "talk", "sue": "money lacks"}


@pytest.fixture
def town(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Town:
    town = Town(tmp_path, capsys)

    def job(store: Store) -> None:
        fielding(store, "w-11", {"old": "money lacks", "ann": "money lacks"}, month=11)
        fielding(store, "w-12", DECEMBER)

    town.do(job)
    return town


SAY = ("--cohort", "riverside", "--text", "We found a room that is free on Tuesdays.")


# Who gets it -----------------------------------------------------------------------------


def test_it_reaches_who_named_it_in_the_newest_wave_and_nobody_else(town: Town) -> None:
    status, out, err = town.pulse("resources", *SAY, "--stance", "gap", "--by", "Mair")
    assert (status, err) == (0, "")
    assert "To fewer than 5 people who named resources as a gap in w-12." in out
    told = town.told()
    assert set(told) == {"ann", "sue"}
    assert told["ann"] == (
        "You said, we did\n\n"
        "In the Riverside check-in of 1 December you wrote about resources.\n\n"
        "We found a room that is free on Tuesdays.\n\n"
        "Thank you for telling us."
    )
    assert told["ann"] in out
    assert not {"ann", "sue", "lacks"} & set(out.split())
    assert town.told() == {}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"ann", "bob", "sue"}),
        (("--stance", "strength"), {"bob"}),
        (("--wave", "w-11"), {"old", "ann"}),
        (("--wave", "w-11", "--wave", "w-12", "--stance", "gap"), {"old", "ann", "sue"}),
    ],
)
def test_waves_and_stance_say_whose_words_count(
    town: Town, options: tuple[str, ...], expected: set[str]
) -> None:
    assert town.pulse("resources", *SAY, *options)[0] == 0
    assert set(town.told()) == expected


def test_of_several_waves_a_person_hears_of_their_newest(town: Town) -> None:
    town.pulse("resources", *SAY, "--wave", "w-11", "--wave", "w-12")
    told = town.told()
    assert "check-in of 1 December" in told["ann"]
    assert "check-in of 1 November" in told["old"]


def test_who_may_not_be_written_to_is_not_told(town: Town) -> None:
    def job(store: Store) -> None:
        store.opt_out("ann", at=LATER)
        store.leave("bob", "riverside", at=LATER)

    town.do(job)
    town.pulse("resources", *SAY)
    assert set(town.told()) == {"sue"}


def test_a_tag_that_was_rejected_does_not_count(town: Town) -> None:
    sql = "update codings set status = 'rejected' where response_id = 's-w-12-ann'"
    town.do(lambda store: store._driver.run(sql, {}))  # type: ignore[attr-defined]
    town.pulse("resources", *SAY, "--stance", "gap")
    assert set(town.told()) == {"sue"}


def test_each_hears_it_in_their_language(town: Town) -> None:
    town.do(lambda store: store.set_language("ann", "cy"))
    town.do(lambda store: store.set_language("sue", "fr"))
    town.pulse("resources", *SAY, "--text-cy", "Fe ddaethon ni o hyd i ystafell.")
    told = town.told()
    assert told["ann"].startswith("Dywedoch chi, fe wnaethon ni")
    assert "am “adnoddau”.\n\nFe ddaethon ni o hyd" in told["ann"]
    assert "We found a room" in told["sue"]


def test_nobody_is_told_in_quiet_hours(town: Town) -> None:
    quiet = "update waves set quiet_hours = '[1200, 480]'"
    town.do(lambda store: store._driver.run(quiet, {}))  # type: ignore[attr-defined]
    town.pulse("resources", *SAY)
    town.clock.at = NOW.replace(hour=22)
    assert town.told() == {}
    town.clock.at = NOW.replace(hour=8) + timedelta(days=1)
    assert set(town.told()) == {"ann", "bob", "sue"}


@pytest.mark.parametrize("after", range(3, 7))
def test_killed_on_the_way_everybody_is_told_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("bot.notes._BATCH", 1)
    town.told()  # What the waves said goes out before.
    town.pulse("resources", *SAY)
    left = [after]

    def counting(place: Place) -> Callable[..., Any]:
        def run(job: Any) -> Any:
            if not left[0]:
                raise Stopped
            left[0] -= 1
            return place.run(job)

        return run

    with pytest.raises(Stopped):
        town.told(counting)
    first = town.told()
    assert set(first) == {"ann", "bob", "sue"}
    assert town.told() == {}


def test_how_many_wait_for_it_is_not_told_by_its_wave(town: Town) -> None:
    """The messages that wait of a wave are counted by `pulse wave status`."""
    town.told()
    town.pulse("resources", *SAY)
    writer = Writer(lambda: open_store(town.url))
    place = Place(writer, town.clock, town.url)
    Results(place.runner.house, codeframe=read_codeframe(), slashes={}, now=town.clock).tick(
        place.run
    )
    assert place.rows("select distinct wave_id from outbox where state = 'pending'") == [
        {"wave_id": None}
    ]
    writer.close()


# How many, as it may be known ------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "expected"),
    [(1, "fewer than 5"), (4, "fewer than 5"), (5, "about 5"), (7, "about 5"), (13, "about 15")],
)
def test_how_many_get_it_is_told_roughly(town: Town, people: int, expected: str) -> None:
    names = {f"p{number}": "talk" for number in range(people)}
    town.do(lambda store: fielding(store, "w-13", names))
    assert town.json("transparency", *SAY, "--wave", "w-13", "--dry-run")["people"] == expected
    assert town.json("transparency", *SAY, "--wave", "w-13")["people"] == expected
    assert [one["people"] for one in town.json("list")] == [expected]


def test_a_rehearsal_sends_and_keeps_nothing(town: Town) -> None:
    status, out, _ = town.pulse("resources", *SAY, "--dry-run")
    assert status == 0
    assert "Nothing was sent" in out
    assert town.json("list") == []
    assert town.told() == {}


# Anonymous surveys -----------------------------------------------------------------------


def anonymous(store: Store, people: int) -> None:
    names = {f"p{number}": "money lacks" if number < people else "talk" for number in range(9)}
    fielding(store, "w-13", names, anonymous=True)


def test_of_an_anonymous_survey_all_who_were_invited_are_told(town: Town) -> None:
    town.do(lambda store: anonymous(store, 5))
    shown = town.json("resources", *SAY, "--wave", "w-13")
    assert (shown["to_all_invited"], shown["people"]) == (True, "about 10")
    told = town.told()
    assert set(told) == {*(f"p{number}" for number in range(9)), "silent"}
    for text in told.values():
        assert "In the Riverside check-in of 1 December people wrote about resources." in text
        assert "you wrote" not in text


def test_of_too_few_in_an_anonymous_survey_nobody_is_told(town: Town) -> None:
    town.do(lambda store: anonymous(store, 4))
    status, out, err = town.pulse("resources", *SAY, "--wave", "w-13")
    assert (status, out) == (1, "")
    assert "Fewer than 5 people wrote about resources in an anonymous survey" in err
    # With another wave it goes to those who are known to have written of it.
    assert town.pulse("resources", *SAY, "--wave", "w-13", "--wave", "w-12")[0] == 0
    assert set(town.told()) == {"ann", "bob", "sue"}


def test_who_wrote_of_it_by_name_is_not_told_that_people_did(town: Town) -> None:
    def job(store: Store) -> None:
        names = dict.fromkeys(("ann", "p1", "p2", "p3", "p4"), "money lacks")
        fielding(store, "w-13", names, anonymous=True)

    town.do(job)
    town.pulse("resources", *SAY, "--wave", "w-12", "--wave", "w-13")
    told = town.told()
    assert "you wrote" in told["ann"]
    assert "people wrote" in told["p1"]


# What is kept ----------------------------------------------------------------------------


def test_who_answered_when_and_what_is_kept_and_listed(town: Town) -> None:
    assert town.pulse("list") == (0, "There has been no reply yet.\n", "")
    town.pulse("resources", *SAY, "--by", "Mair")
    status, out, _ = town.pulse("list")
    assert status == 0
    assert "riverside  resources  by Mair  to fewer than 5 people, being sent" in out
    assert "We found a room" in out
    town.told()
    (listed,) = town.json("list")
    assert (listed["by"], listed["sent"], listed["waves"]) == ("Mair", True, ["w-12"])
    kept = town.do(lambda store: store._driver.all("select * from replies", {}))
    # An id drawn by chance may hold the letters of a name.
    words = {word for row in kept for word in re.findall(r"\w+", str([*row]))}
    assert not words & DECEMBER.keys()


def test_a_note_can_come_from_a_file(town: Town, tmp_path: Path) -> None:
    note = tmp_path / "note.toml"
    note.write_text(
        'enabler = "resources"\ncohort = "riverside"\nstance = "gap"\nwaves = ["w-11"]\n'
        'by = "Mair"\n'
        '[text]\nen = "We found a room."\ncy = "Fe gawson ni ystafell."\n'
    )
    shown = town.json("--file", str(note), "--stance", "gap", "--dry-run")
    assert (shown["by"], shown["waves"]) == ("Mair", ["w-11"])
    assert set(shown["messages"]) == {"en", "cy"}
    assert town.pulse("--file", str(note))[0] == 0
    assert set(town.told()) == {"old", "ann"}


# What cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("resource", *SAY), 2, "did you mean resources?"),
        (("", *SAY), 2, "Say which enabler it is about: insight"),
        (("resources", "--text", "x"), 2, "--cohort is missing; the configuration has: riverside"),
        (("resources", "--cohort", "x", "--text", "x"), 2, "no cohort 'x'"),
        (("resources", *SAY, "--stance", "bad"), 2, "gap or strength"),
        (("resources", "--cohort", "riverside"), 2, "Say what you did about it"),
        (("resources", "--cohort", "riverside", "--text", "  "), 2, "Say what you did"),
        (("resources", "--cohort", "riverside", "--text", "x" * 1501), 2, "at most 1500"),
        (("resources", *SAY, "--wave", "w-99"), 2, "no wave 'w-99' of riverside"),
        (("resources", *SAY, "--wave", "open"), 1, "open is open: people are still answering"),
        (("insight", *SAY), 1, "No words in a closed wave of riverside were tagged with insight"),
        (("risk", *SAY, "--wave", "w-12", "--stance", "gap"), 1, "No words in w-12 were tagged"),
        (("resources", *SAY, "--file", "no-such.toml"), 2, "no-such.toml"),
    ],
)
def test_what_cannot_be_is_said(
    town: Town, arguments: tuple[str, ...], status: int, words: str
) -> None:
    town.do(lambda store: fielded(store, survey(), "open"))
    ended, out, err = town.pulse(*arguments)
    assert (ended, out) == (status, "")
    assert words in err
    assert town.json("list") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('txt = "x"', "1: txt: "),
        ("\ntext = 3", "2: text: expected text, or a table of languages"),
        ('text = "x"\nwaves = "w"', "2: waves: expected a list of waves"),
        ('text = "x"\nby = 3', "2: by: expected text in quotes"),
        ("text = x", "text"),
    ],
)
def test_mistakes_in_a_file_have_their_line(
    town: Town, tmp_path: Path, text: str, words: str
) -> None:
    note = tmp_path / "note.toml"
    note.write_text(text)
    status, _, err = town.pulse("resources", "--cohort", "riverside", "--file", str(note))
    assert status == 2
    assert words in err
