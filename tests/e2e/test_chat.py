"""`pulse chat`: through a pipe, and at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from dialogues.prompts import Prompt
from storage.open import open_store
from storage.protocol import Address
from tests.e2e.house import ROOT, House, environ

Build = Callable[..., House]

QUESTIONS = """
survey = "small"
title = "Small survey"
ask_sector = false
languages = ["en", "cy"]
thanks = { en = "Thank you.", cy = "Diolch." }
consent.text = { en = "May we keep your answers?", cy = "Gawn ni gadw eich atebion?" }

[[question]]
id = "goals"
kind = "scale"
text = { en = "We want the same.", cy = "Rydyn ni eisiau'r un peth." }
labels = [
  { en = "Not at all", cy = "Ddim o gwbl" },
  { en = "A little", cy = "Ychydig" },
  { en = "Fully", cy = "Yn llwyr" },
]

[[question]]
id = "who"
kind = "multichoice"
text = { en = "Who was there?", cy = "Pwy oedd yno?" }
choices = [
  { id = "council", text = { en = "Council", cy = "Cyngor" } },
  { id = "charity", text = { en = "Charity", cy = "Elusen" } },
]

[[question]]
id = "why"
kind = "text"
text = { en = "What makes you say so?", cy = "Pam?" }
"""

TRANSCRIPTS = Path(__file__).with_name("transcripts")


@pytest.fixture
def house(build: Build) -> House:
    return build(surveys=[QUESTIONS])


def said(out: str, house: House) -> str:
    """Give what was printed, with the folder's name left out."""
    return out.replace(str(house.folder), "FOLDER")


async def test_a_conversation_through_a_pipe_is_the_same_every_time(
    house: House, update: bool
) -> None:
    lines = "1\nperhaps\n3\n1, 2\n\nWe share one budget, but nobody tells residents why.\n"
    done = await house.pulse("chat", stdin=lines.encode())
    assert (done.status, done.err) == (0, "")
    talk, heading, heard = said(done.out, house).partition("This is what we heard:")
    golden = TRANSCRIPTS / "chat.txt"
    if update:
        golden.write_text(talk + heading + "\n")
    assert talk + heading + "\n" == golden.read_text()
    assert "Resources" in heard
    assert "Kept in FOLDER/pulse.db" in heard
    assert "\x1b" not in done.out
    answers = house.rows("select question_id, value from answers order by place")
    assert [row["value"] for row in answers[:2]] == ["3", "council|charity"]
    assert house.rows("select disposition from responses") == [{"disposition": "complete"}]
    assert house.rows("select count(*) n from codings")[0]["n"] > 0


async def test_at_the_end_a_person_says_whether_they_were_heard_right(build: Build) -> None:
    house = build(surveys=[QUESTIONS + "member_check = true\n"])
    lines = "yes\n3\n1\nNobody tells residents why.\n2\n1\nadd something\n7\n2\nfinish\n"
    done = await house.pulse("chat", stdin=lines.encode())
    assert (done.status, done.err) == (0, "")
    assert done.out.count("This is what we heard:") == 1
    assert "Is that right?" in done.out
    assert "Thank you. We keep what you say beside what the program heard.\n" in done.out
    own = house.rows("select enabler, stance, status from codings where source = 'respondent'")
    assert {"enabler": "agility", "stance": "gap", "status": "confirmed"} in own
    assert [row["status"] for row in own].count("rejected") == 1


async def test_the_end_of_the_input_keeps_the_part_that_was_said(house: House) -> None:
    done = await house.pulse("chat", "small", stdin=b"yes\n3")
    assert (done.status, done.err) == (0, "")
    assert "Kept in" in done.out
    assert "export" in done.out
    answers = house.rows("select question_id, value from answers order by place")
    assert answers == [
        {"question_id": "goals", "value": "3"},
        {"question_id": "who", "value": None},
    ]


async def test_who_asks_for_results_in_the_terminal_goes_on_with_the_survey(house: House) -> None:
    done = await house.pulse("chat", "small", stdin=b"yes\nresults\n3")
    assert (done.status, done.err) == (0, "")
    assert "You are not part of a group here yet, so there are no results" in done.out
    answers = house.rows("select question_id, value from answers order by place")
    assert answers[0] == {"question_id": "goals", "value": "3"}


async def test_a_number_answers_what_was_offered_last_and_then_the_survey_again(
    house: House,
) -> None:
    lines = b"yes\ntimes\n3\npause\npause 2 weeks\n2\n"
    done = await house.pulse("chat", "small", stdin=lines)
    assert (done.status, done.err) == (0, "")
    assert "I will write to you at 18:00" in done.out
    assert house.rows("select minute from timings") == [{"minute": 1080}]
    answers = house.rows("select question_id, value from answers order by place")
    assert answers[0] == {"question_id": "goals", "value": "2"}


async def test_no_input_at_all_is_no_mistake(house: House) -> None:
    done = await house.pulse("chat")
    assert (done.status, done.err) == (0, "")
    assert house.rows("select * from responses") == []


async def test_odd_bytes_and_endless_lines_are_borne(house: House) -> None:
    lines = b"yes\n\xff\xfe\x00\n3\n1\n" + b"x" * 100_000 + b"\n\xe9t\xe9 \xf0\x9f\x91\x8d\x00 ok\n"
    done = await house.pulse("chat", "small", stdin=lines)
    assert (done.status, done.err) == (0, "")
    assert "too long" in done.out
    (why,) = house.rows("select text from answers where question_id = 'why'")
    assert why["text"] == "�t� 👍� ok"


async def test_another_language(house: House) -> None:
    done = await house.pulse("chat", "small", "--language", "cy", stdin=b"ydw\n3\n1\nIawn.\n")
    assert done.status == 0
    assert "Diolch." in done.out
    assert house.rows("select language from responses") == [{"language": "cy"}]


async def test_a_language_that_the_survey_does_not_speak(house: House) -> None:
    done = await house.pulse("chat", "--language", "fr")
    assert done.status == 2
    assert "does not speak 'fr'; it has: en" in done.err


async def test_what_was_erased_is_not_said_to_be_kept(house: House) -> None:
    done = await house.pulse("chat", "small", stdin=b"yes\n3\nforget\nforget\n")
    assert done.status == 0
    assert "Everything is erased" in done.out
    assert "Kept in" not in done.out
    assert "`pulse chat` begins a new one" in done.out


async def test_what_an_earlier_terminal_was_not_shown_is_shown_to_nobody(house: House) -> None:
    store = open_store(f"sqlite:///{house.database}")
    for name, hours in (("one", 1), ("two", 0)):
        at = datetime.now(UTC) - timedelta(hours=hours)
        person = store.welcome(
            Address(channel="terminal", platform_id=name, chat=name),
            respondent_id=name,
            role="citizen",
            language="en",
            on=at.date(),
        )
        store.say(person, [Prompt(text="Private words of another")], at=at)
    store.close()
    done = await house.pulse("chat", "small", stdin=b"mydata\n")
    assert (done.status, done.err) == (0, "")
    assert "Private words" not in done.out
    waiting = house.rows("select respondent_id from outbox where body like '%Private%'")
    assert waiting == [{"respondent_id": "two"}]


def test_an_output_that_nobody_reads_any_more_ends_it_quietly(house: House) -> None:
    with begin(house, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.write(b"yes\n" * 20)
            process.stdin.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


def test_an_output_that_cannot_be_written_is_said_once(house: House) -> None:
    with Path("/dev/full").open("wb") as full, begin(house, stdout=full) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(b"yes\n" * 20)
            process.stdin.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(30) == 1
    assert said == "pulse: The output cannot be written: No space left on device.\n"


def begin(house: House, *, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Begin a chat whose input and output are the test's own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "chat", "small", "--config", str(house.config)],
        stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, cwd=ROOT, env=environ(),
    )  # fmt: skip


async def test_a_survey_that_is_not_there(house: House) -> None:
    done = await house.pulse("chat", "nowhere")
    assert done.status == 2
    assert "small" in done.err
    assert "Traceback" not in done.err


@pytest.fixture
def sit_down() -> Iterator[Callable[[House], Terminal]]:
    """Begin a chat at a terminal; it is ended after the test."""
    begun: list[Terminal] = []

    def begin(house: House) -> Terminal:
        begun.append(Terminal(house))
        return begun[-1]

    yield begin
    for terminal in begun:
        terminal.close()


class Terminal:
    """`pulse chat` as a person at a terminal has it."""

    def __init__(self, house: House) -> None:
        self.shown = ""
        self.read = 0
        ours, theirs = pty.openpty()
        self.ours = ours
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "chat", "--config", str(house.config)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT,
            env={**environ(), "TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)

    def until(self, words: str) -> None:
        """Read until something is shown."""
        while words not in self.shown[self.read :]:
            ready, _, _ = select.select([self.ours], [], [], 30)
            assert ready, f"waited for {words!r}:\n{self.shown}"
            try:
                self.shown += os.read(self.ours, 65536).decode("utf-8", "replace")
            except OSError:
                raise AssertionError(f"ended before {words!r}:\n{self.shown}") from None
        self.read = self.shown.index(words, self.read) + len(words)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self.ours, line.encode() + b"\n")

    def end(self) -> int:
        """Wait for the end and give the exit status."""
        return self.process.wait(20)

    def close(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


def test_a_person_at_a_terminal_gets_a_list_to_choose_from(
    build: Build, sit_down: Callable[[House], Terminal]
) -> None:
    house = build(surveys=[QUESTIONS, QUESTIONS.replace('"small"', '"other"')])
    terminal = sit_down(house)
    terminal.until("Which survey")
    terminal.until("> ")
    terminal.type("9")
    terminal.until("number from 1 to 2")
    terminal.type("2")
    terminal.until("May we keep your answers?")
    terminal.until("> ")
    terminal.type("1")
    terminal.until("We want the same.")
    terminal.until("> ")
    os.write(terminal.ours, b"\x04")
    terminal.until("Kept in")
    assert terminal.end() == 0
    assert "\x1b[" in terminal.shown
    assert house.rows("select survey_id from responses") == [{"survey_id": "other"}]


def test_an_interruption_from_the_keyboard_is_no_traceback(
    build: Build, sit_down: Callable[[House], Terminal]
) -> None:
    terminal = sit_down(build(surveys=[QUESTIONS]))
    terminal.until("> ")
    terminal.type("")
    terminal.until("May we keep your answers?")
    terminal.until("> ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() in {0, 130}
    assert "Traceback" not in terminal.shown
