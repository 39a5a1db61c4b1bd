"""Conversations about one's own times, as people read them: ``tests/transcripts/times``.

One for each channel, with a wave that opens amid it. A line ``>`` is what the person types or
presses (in brackets), ``<`` what they are shown, and ``--`` the hour to which the clock moves.
``pytest --update`` writes them anew; read the difference.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialogues.prompts import Button, Prompt
from tests.bot.place import Place

FOLDER = Path(__file__).parents[1] / "transcripts" / "times"
EVE = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)

#: Channel to the language, and what the person does: ``[x]`` presses, ``(x)`` is the time.
TALKS: dict[str, tuple[str, list[str]]] = {
    "telegram": (
        "en",
        [
            *("/times", "[18:00]", "/times Birmingham", "[Europe/London]", "/times not sat sun"),
            *("(2026-12-01 10:00)", "/times 25:00", "/times Xyzzy", "/times Pari"),
            *("[Europe/Paris]", "(2026-12-01 16:59)", "(2026-12-01 17:00)", "[I agree]"),
            *("/pause", "[2 weeks]", "yes", "/times", "(2026-12-09 17:00)", "/resume", "/resume"),
            *("(2026-12-09 17:01)", "/pause until 1 December 2026", "/pause 99 years"),
            *("[Until I say]", "/pause", "[Resume]", "/times", "[As usual]"),
        ],
    ),
    "slack": (
        "en",
        [
            *("pause until 12 January", "(2026-12-01 10:00)", "resume", "(2026-12-01 10:01)"),
            *("yes", "times", "But nobody has time", "[13:00]", "yes"),
            *("times", "times tokyo", "times 9am", "times change slowly here"),
            *("times not 20:00-08:00", "times any hour", "times not mon tue wed thu fri sat sun"),
            *("pause for a bit", "pause 3 days", "times usual", "times", "But nobody has time"),
            "[Not at weekends]",
        ],
    ),
    "terminal": (
        "cy",
        [
            *("amserau", "amserau dim sadwrn sul", "amserau Caerdydd", "amserau 6yh"),
            *("(2026-12-01 10:00)", "saib", "[2 wythnos]", "amserau", "ailddechrau"),
            *("(2026-12-01 18:00)", "amserau 99", "amserau arferol"),
        ],
    ),
}


class Chat:
    """One person's side, written down."""

    def __init__(self, place: Place, channel: str, language: str) -> None:
        self.place = place
        self.channel = channel
        self.lines: list[str] = []
        self.buttons: tuple[Button, ...] = ()
        place.clock.at = EVE
        place.join("ann", channel=channel)
        place.run(lambda store: store.set_language("ann", language))

    def do(self, doing: str) -> None:
        label, hour = re.fullmatch(r"\[(.+)\]", doing), re.fullmatch(r"\((.+)\)", doing)
        if hour:
            self.lines.append(f"-- {hour[1]}")
            self.place.tick(datetime.fromisoformat(hour[1]).replace(tzinfo=UTC))
        elif label:
            self.lines.append(f"> {doing}")
            token = next(one.token for one in self.buttons if one.label == label[1])
            self.place.press("ann", token, channel=self.channel)
        else:
            self.lines.append(f"> {doing}")
            self.place.write("ann", doing, channel=self.channel)
        for _, prompt in self.place.deliver(self.channel):
            self.show(prompt)

    def show(self, prompt: Prompt) -> None:
        self.lines += [f"< {line}".rstrip() for line in prompt.text.split("\n")]
        if prompt.options:
            self.buttons = (*prompt.options, *self.buttons)
            self.lines.append("< " + " ".join(f"[{one.label}]" for one in prompt.options))


@pytest.mark.parametrize("channel", TALKS)
def test_the_conversation_reads_as_it_did(place: Place, channel: str, update: bool) -> None:
    language, doings = TALKS[channel]
    chat = Chat(place, channel, language)
    for doing in doings:
        chat.do(doing)
    written = "\n".join(chat.lines) + "\n"
    path = FOLDER / f"{channel}.txt"
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")


def test_every_transcript_has_its_talk() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TALKS)
