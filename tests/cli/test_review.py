"""`pulse review`: through a pipe, and at a terminal with real keys."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.__main__ import main
from dialogues.coding import Coding, Stance
from storage.open import open_store
from storage.protocol import UntaggedAnswer
from storage.store import SqlStore
from tests.contract.scenes import AT, answered, consented, go_on, person
from tests.database import read_rows
from tests.e2e.house import ROOT, environ

BUDGET = "We share one budget, but nobody tells residents why."
BINS = "They emptied the bins. Nobody asked us."

TAGS = {
    BUDGET: [("resources", Stance.STRENGTH, "share one budget"), ("risk", Stance.GAP, "nobody")],
    BINS: [("engagement", Stance.GAP, "Nobody asked us")],
}


def tag(store: SqlStore, answer: UntaggedAnswer) -> None:
    codings = [
        Coding(
            enabler=enabler, stance=stance, span_text=words,
            span_start=answer.text.index(words), span_end=answer.text.index(words) + len(words),
            confidence=0.75, threshold=0.5,
        )
        for enabler, stance, words in TAGS[answer.text]
    ]  # fmt: skip
    ids = [f"{answer.response_id}-{number}" for number in range(len(codings))]
    store.save_codings(answer, codings, coding_ids=ids, coder="m@1", at=AT, error=None)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What came of a command."""

    status: int
    out: str
    err: str


class Desk:
    """A folder with a database in which two people have answered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/pulse.db"
        self.config = folder / "config.toml"
        self.config.write_text(f'storage.url = "{self.url}"\n')
        store = open_store(self.url)
        for name, text in [("ann", BUDGET), ("bob", BINS)]:
            consented(store, person(store, name), f"s-{name}")
            said = answered("why", text, text=text)
            respondent = store.respondent(name)
            assert respondent is not None
            go_on(store, respondent, said, session_id=f"s-{name}")
        for answer in store.untagged("m@1", limit=9):
            tag(store, answer)
        store.close()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "bot", "review", *arguments, "--config", str(self.config)]

    def pulse(self, *arguments: str, lines: str = "") -> Ran:
        """Run it here, reading lines."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name, stream in [("stdin", io.StringIO(lines)), ("stdout", out), ("stderr", err)]:
                patch.setattr(sys, name, stream)
            status = main(["review", *arguments, "--config", str(self.config)])
        assert "Traceback" not in err.getvalue()
        return Ran(status=status, out=out.getvalue(), err=err.getvalue())

    def rows(self, query: str) -> list[dict[str, object]]:
        return read_rows(self.url, query)

    def said(self, coder: str = "mair") -> list[tuple[object, ...]]:
        """What a coder has said."""
        found = self.rows(
            "select response_id, enabler, stance, span_text, status from codings"
            f" where coder = 'coder:{coder}' order by response_id, enabler, stance"
        )
        return [tuple(row.values()) for row in found]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


GOLDEN = Path(__file__).with_name("review.txt")


def test_a_review_through_a_pipe_is_the_same_every_time(desk: Desk, update: bool) -> None:
    lines = "\n".join(
        [
            "what",
            "remove 1",
            "stance 2 neutral",
            "words 2 nobody tells residents why",
            "add transparency gap nobody tells residents why",
            "add insight",
            "undo",
            "add transparency gap tells residents why",
            f"stance {'9' * 5000} gap",
            "words 2 not in it",
            "done",
            "undo",
            "done",
            "skip",
        ]
    )
    piped = subprocess.run(
        desk.command(*DRAW), input=lines, capture_output=True, text=True, timeout=60, cwd=ROOT,
        env=environ(), check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stderr) == (0, "")
    shown = re.sub(r"Sample \w{16}", "Sample ID", piped.stdout)
    if update:
        GOLDEN.write_text(shown)
    assert shown == GOLDEN.read_text()
    assert desk.said() == [
        ("s-ann", "resources", "strength", "share one budget", "rejected"),
        ("s-ann", "risk", "neutral", "nobody tells residents why", "confirmed"),
        ("s-ann", "transparency", "gap", "tells residents why", "confirmed"),
    ]
    states = desk.rows("select response_id, state from reviews order by response_id")
    assert [row["state"] for row in states] == ["done", "skipped"]


def test_what_was_begun_is_gone_on_with(desk: Desk) -> None:
    done = desk.pulse(*DRAW, lines="remove 1\n")
    assert "You have done 0 of this sample. 2 to go for you: go on with --resume." in done.out
    done = desk.pulse("--coder", "mair", "--resume", lines="done\ndone\n")
    assert "You have done 2 of this sample. Nothing is left for you; 2 of 2 are done in all." in (
        done.out
    )
    assert [row[1:] for row in desk.said()] == [
        ("resources", "strength", "share one budget", "rejected"),
        ("risk", "gap", "nobody", "confirmed"),
        ("engagement", "gap", "Nobody asked us", "confirmed"),
    ]
    done = desk.pulse("--coder", "mair", "--resume")
    assert done.status == 2
    assert "There is nothing for mair to read. Draw answers first" in done.err


def test_two_read_the_same_and_see_nothing(desk: Desk) -> None:
    done = desk.pulse("--sample", "random", "--double", "1", "--seed", "one")
    assert "2 of 2 answers that nobody had read, by random, 2 of them for two, seed one." in (
        done.out
    )
    assert "Each was to be drawn with probability 1." in done.out
    for coder in ["mair", "bob"]:
        done = desk.pulse("--coder", coder, "--resume", lines="done\nadd risk gap\ndone\n")
        assert "You have done 2 of this sample." in done.out
        assert done.out.count("blind") == 3
        assert "sure" not in done.out
    assert len(desk.said("mair")) == len(desk.said("bob")) == 1
    listed = json.loads(desk.pulse("--json").out)
    assert [(one["done"], one["by_coder"], one["seed"]) for one in listed] == [
        (2, {"mair": 2, "bob": 2}, "one")
    ]
    assert "random: 2 of 2 done (bob 2, mair 2), seed one" in desk.pulse().out


def test_what_was_read_before_is_not_drawn_for_two(desk: Desk) -> None:
    desk.pulse("--coder", "mair", "--sample", "random", "--n", "1", lines="done\n")
    done = desk.pulse("--sample", "random", "--double", "0.9", "--seed", "one")
    assert "2 of 2 answers, by random, 1 of them for two, seed one." in done.out
    assert "2 were to be for two, but somebody has seen the others already" in done.out
    done = desk.pulse("--sample", "random", "--blind", "--seed", "one")
    assert "1 of 1 answers that nobody had read, by random, seed one." in done.out
    desk.pulse("--coder", "mair", "--resume", lines="done\n")
    done = desk.pulse("--sample", "random", "--blind")
    assert done.status == 1
    assert "no answers of this kind that nobody has read yet" in done.err


def test_disagreements_are_settled_by_another(desk: Desk) -> None:
    desk.pulse("--sample", "random", "--double", "1", "--seed", "one")
    desk.pulse("--coder", "mair", "--resume", lines="add resources gap\ndone\ndone\n")
    desk.pulse("--coder", "bob", "--resume", lines="done\ndone\n")
    done = desk.pulse("--coder", "both", "--sample", "disagreements", lines="done\n")
    assert "2 of 2 answers, by disagreement" in done.out
    assert "resources, gap" in done.out.lower()
    assert "(mair)" in done.out


def test_skipped_answers_come_again_when_asked_for(desk: Desk) -> None:
    desk.pulse("--coder", "mair", "--sample", "random", lines="skip\nskip\n")
    done = desk.pulse("--coder", "mair", "--skipped", lines="done\nskip\n")
    assert "You have done 1 of this sample, 1 skipped (--skipped gives again)." in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sample", "rnd"], "There is no sample 'rnd'; choose random"),
        (["--sample", "code"], "--sample code needs --code, one of: insight,"),
        (["--sample", "random", "--code", "risk"], "--code goes with --sample code"),
        (["--coder", "Mair B"], "cannot be a coder's name"),
        (["--coder", "mair", "--resume"], "Draw answers first"),
        (["--coder", "mair", "--id", "x"], "There is no sample x"),
        (["--sample", "random", "--resume"], "give either"),
        (["--sample", "disagreement", "--blind"], "has to see it"),
    ],
)
def test_what_cannot_be_done_is_said(desk: Desk, arguments: list[str], words: str) -> None:
    done = desk.pulse(*arguments)
    assert done.status == 2
    assert words in done.err
    assert desk.rows("select * from samples") == []


def test_nothing_to_draw_keeps_nothing(desk: Desk) -> None:
    done = desk.pulse("--sample", "random", "--wave", "none")
    assert (done.status, done.out) == (1, "")
    assert "Nothing was drawn" in done.err
    assert desk.rows("select * from samples") == []
    assert "No answers have been drawn yet" in desk.pulse().out


def test_a_coder_is_one_of_those_listed_and_reads_no_words_of_their_own(desk: Desk) -> None:
    with desk.config.open("a") as config:
        config.write('[[coder]]\nname = "mair"\ntelegram = 77\nslack = "U1"\n')
    store = open_store(desk.url)
    store._driver.run("update addresses set platform_id = '77' where respondent_id = 'ann'", {})
    store.close()
    done = desk.pulse("--coder", "mari", "--sample", "random")
    assert "did you mean mair?" in done.err
    done = desk.pulse("--coder", "mair", "--sample", "random", lines="done\ndone\n")
    assert BUDGET not in done.out
    assert "You have done 1 of this sample." in done.out


# At a terminal -----------------------------------------------------------------------


def _without_size() -> dict[str, str]:
    """The size of the window counts, not that of a terminal around the tests."""
    return {name: value for name, value in environ().items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """`pulse review` as a person at a terminal has it."""

    def __init__(self, desk: Desk, *arguments: str, rows: int = 30, columns: int = 100) -> None:
        self.shown = ""
        self.ours, theirs = pty.openpty()
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            desk.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT,
            env=_without_size() | {"TERM": "xterm-256color"}, process_group=0,
        )  # fmt: skip
        os.close(theirs)

    @property
    def frame(self) -> str:
        """What stands on the screen."""
        last = self.shown.rsplit("\x1b[H", 1)[-1]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last)

    def until(self, *words: str, without: str = "") -> str:
        """Read until all of it stands on the screen, and give that."""
        while not all(one in self.frame for one in words) or (without and without in self.frame):
            ready, _, _ = select.select([self.ours], [], [], 30)
            assert ready, f"waited for {words!r}:\n{self.frame}"
            try:
                self.shown += os.read(self.ours, 65536).decode("utf-8", "replace")
            except OSError:
                raise AssertionError(f"ended before {words!r}:\n{self.frame}") from None
        return self.frame

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self.ours, key.encode())

    def end(self) -> int:
        return self.process.wait(30)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def sit_down(desk: Desk) -> Iterator[Callable[..., Terminal]]:
    begun: list[Terminal] = []

    def begin(*arguments: str, **size: int) -> Terminal:
        begun.append(Terminal(desk, *arguments, **size))
        return begun[-1]

    yield begin
    for terminal in begun:
        terminal.close()


DRAW = ["--coder", "mair", "--sample", "random", "--seed", "one"]

ENTER, ESC, TAB, LEFT, RIGHT, DOWN = "\r", "\x1b", "\t", "\x1b[D", "\x1b[C", "\x1b[B"


def test_a_review_at_a_terminal_with_every_key(
    desk: Desk, sit_down: Callable[..., Terminal]
) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("why, as put", "1 ✓ Resources, strength", "2 ✓ Risk")
    assert "\x1b[" in terminal.shown
    # Marked in the text, each with its number.
    assert "We ¹share one budget, but ²nobody tells" in terminal.frame
    terminal.press("?")
    terminal.until("it does not hold (again: it does)")
    terminal.press("z")
    terminal.until("1 ✓ Resources")
    terminal.press("z")
    terminal.until("That key means nothing here")
    terminal.press("x")
    terminal.until("1 ✗ Resources")
    terminal.press("u")
    terminal.until("1 ✓ Resources", "Taken back.")
    terminal.press("x", TAB)
    terminal.until("1 ✗ Resources", "▸ 2 ✓ Risk")
    terminal.press("t")
    terminal.until("neutral")
    terminal.press("w")
    terminal.until("move the end by a word", "Tab: the other end")
    terminal.press(RIGHT, RIGHT)
    terminal.until("“nobody tells residents”")
    terminal.press(TAB, LEFT)
    terminal.until("“but nobody tells residents”")
    terminal.press(RIGHT, ENTER)
    terminal.until("“nobody tells residents”", "Enter done")
    # Another code: by its letter, with its meaning in view.
    terminal.press("a", "l")
    terminal.until("▸ l Transparency", "Openness")
    terminal.press("k", DOWN, ENTER)
    terminal.until("Transparency:   1 strength")
    terminal.press(ENTER)
    terminal.until("1, 2 or 3 says which.")
    terminal.press("2")
    terminal.until("3 ✓ Transparency, gap: “We share one budget")
    terminal.press(ENTER)
    terminal.until("▸ 3 ✓ Transparency", "added", "Enter done")
    terminal.press("a", ESC)
    terminal.until("Enter done")
    terminal.press(ENTER)
    terminal.until("1 ✓ Engagement", "1 done, 1 to go", "Kept. u takes it back.")
    terminal.press("s")
    terminal.until("You have done 1 of this sample, 1 skipped (--skipped gives again).")
    assert terminal.end() == 0
    assert desk.said() == [
        ("s-ann", "resources", "strength", "share one budget", "rejected"),
        ("s-ann", "risk", "neutral", "nobody tells residents", "confirmed"),
        ("s-ann", "transparency", "gap", BUDGET, "confirmed"),
    ]


def test_undo_goes_back_to_the_answer_before(desk: Desk, sit_down: Callable[..., Terminal]) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    terminal.press("u")
    terminal.until("There is nothing to take back.")
    terminal.press("x", ENTER)
    terminal.until("1 ✓ Engagement")
    terminal.press("u")
    terminal.until("1 ✗ Resources", "Back to the answer before.")
    assert desk.rows("select * from reviews") == []
    terminal.press("q")
    terminal.until("2 to go for you")
    assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_however_it_ends_every_move_is_kept(
    desk: Desk, sit_down: Callable[..., Terminal], number: signal.Signals
) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    terminal.press(ENTER)
    terminal.until("1 ✓ Engagement")
    terminal.press("x")
    terminal.until("1 ✗ Engagement")
    terminal.process.send_signal(number)
    terminal.end()
    assert "Traceback" not in terminal.shown
    again = sit_down("--coder", "mair", "--resume")
    again.until("1 ✗ Engagement", without="Resources")
    again.press(ENTER)
    again.until("You have done 2 of this sample.")
    assert [row[0] for row in desk.said()] == ["s-ann", "s-ann", "s-bob"]


def test_asked_to_end_it_gives_the_terminal_back(
    sit_down: Callable[..., Terminal],
) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert termios.tcgetattr(terminal.ours)[3] & termios.ICANON


def test_a_coder_can_put_it_aside_and_come_back(
    desk: Desk, sit_down: Callable[..., Terminal]
) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    for mark in ("✗", "✓"):
        terminal.press("\x1a")
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert termios.tcgetattr(terminal.ours)[3] & termios.ICANON
        assert termios.tcgetattr(terminal.ours)[6][termios.VSUSP] == b"\x1a"
        while "\x1b[?1049l" not in terminal.shown:
            terminal.shown += os.read(terminal.ours, 65536).decode("utf-8", "replace")
        terminal.shown = ""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until("Enter done")
        assert "\x1b[?1049h" in terminal.shown
        terminal.press("x")
        terminal.until(f"1 {mark} Resources")


def test_a_terminal_that_goes_away_ends_it(desk: Desk, sit_down: Callable[..., Terminal]) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    terminal.press("\x04")
    terminal.until("means nothing here")
    os.close(terminal.ours)
    terminal.ours = os.open(os.devnull, os.O_RDONLY)
    terminal.end()
    assert desk.rows("select * from reviews") == []


def test_a_small_window_shows_a_long_answer_piece_by_piece(
    desk: Desk, sit_down: Callable[..., Terminal]
) -> None:
    long = " ".join(f"word{number}" for number in range(400))
    store = open_store(desk.url)
    store._driver.run("update answers set text = :text where response_id = 's-ann'", {"text": long})
    store._driver.run("delete from codings", {})
    store.close()
    terminal = sit_down(*DRAW, rows=20, columns=60)
    terminal.until("word0", "PgUp/PgDn: lines 1 to", "No tags")
    assert "word399" not in terminal.frame
    for _ in range(8):
        terminal.press("\x1b[6~")
    terminal.until("word399", "Enter done")
    # Made wider, all of it fits again.
    fcntl.ioctl(terminal.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    terminal.until("word0", "word399", without="PgUp")


def test_words_that_change_meanwhile_are_shown_anew(
    desk: Desk, sit_down: Callable[..., Terminal]
) -> None:
    terminal = sit_down(*DRAW)
    terminal.until("1 ✓ Resources")
    store = open_store(desk.url)
    ann = store.respondent("ann")
    assert ann is not None
    go_on(
        store, ann, answered("why", "New words.", text="New words.", edited=True),
        session_id="s-ann",
    )  # fmt: skip
    store.close()
    terminal.press(ENTER)
    terminal.until("New words.", "changed or erased meanwhile", "No tags")
    assert desk.rows("select * from reviews") == []


def test_words_that_would_move_the_cursor_are_only_shown(
    desk: Desk, sit_down: Callable[..., Terminal]
) -> None:
    text, words = "\x1b[2J\x1b]0;x\x07We \u202eshare\r one budget", "share\r one"
    store = open_store(desk.url)
    store._driver.run("update answers set text = :text where response_id = 's-ann'", {"text": text})
    start = text.index(words)
    store._driver.run(
        "update codings set span_start = :start, span_end = :end where enabler = 'resources'",
        {"start": start, "end": start + len(words)},
    )
    store._driver.run("delete from codings where enabler <> 'resources'", {})
    store.close()
    terminal = sit_down(*DRAW)
    terminal.until("\ufffd[2J\ufffd]0;x\ufffdWe \ufffd¹share\ufffd one budget", "“share\ufffd one”")
    assert "\x1b[2J" not in terminal.shown
    terminal.press("q")
    terminal.until("2 to go for you")
    done = desk.pulse("--coder", "mair", "--resume", lines="quit\n")
    assert "“\ufffd[2J\ufffd]0;x\ufffdWe \ufffdshare\ufffd one budget”" in done.out
    assert not set(done.out) & {"\x1b", "\r", "\x07", "\u202e"}
