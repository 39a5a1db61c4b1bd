"""``pulse review`` at a terminal: one answer at a time, every move one key.

What lives here: what a key means, and what is on the screen. What must not: what a move does
(``dialogues/reviewing.py``) or how it is kept (``bot/desk.py``): every move is kept before the
next key is read, so that nothing is lost however this ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from rich.console import Console, ConsoleRenderable
from rich.control import Control
from rich.rule import Rule
from rich.text import Text

from bot.cli.review_picture import LETTERS, code_name, codes_menu, fitted, marked, tag_lines
from bot.cli.texts import plain
from bot.desk import Current, Desk
from bot.jobs import RunJob
from dialogues.coding import Stance
from dialogues.reviewing import (
    STANCES,
    Draft,
    Tag,
    add,
    keep,
    move,
    sentences,
    set_stance,
    shift,
)
from storage.reviewing import ReviewState

__all__ = ["Screen"]

_HELP = """\
Enter   done: what is ticked holds, and the next answer comes
Tab ↓   the next tag          Shift-Tab ↑   the one before
x       it does not hold (again: it does)
t       another stance: strength, gap, neutral
w       other words
a       add a code
u       undo: the last move, or the answer before
s       skip this answer
q       quit; everything is kept
A number goes to that tag. Any key leaves this page."""

_KEYS = {
    "tags": "Enter done  Tab next  x remove  t stance  w words  a add  u undo  s skip  q quit  ?",
    "codes": "letter or ↑↓: look at a code   Enter: take it   Esc: leave it",
    "stance": "{code}:   1 strength   2 gap   3 neutral   Esc: leave it",
    "words": "←→: move the {edge} by a word   Tab: the other end   Enter: these words   "
             "Esc: leave it",
}  # fmt: skip

#: An answer of so few characters is marked whole when a code is added.
_SHORT = 80


class _Mode(Enum):
    TAGS = auto()
    CODES = auto()
    STANCE = auto()
    WORDS = auto()
    HELP = auto()


class _Showing(Protocol):
    """Something that shows a screen, such as rich's ``ScreenContext``."""

    def update(self, *renderables: ConsoleRenderable) -> None:
        """Show it."""
        ...


@dataclass(slots=True)
class _View:
    """What is looked at, and chosen so far; nothing that would be missed."""

    mode: _Mode = _Mode.TAGS
    selected: int = 0
    code_at: int = 0
    adding: tuple[str, Stance] | None = None
    start: int = 0
    end: int = 0
    edge: str = "end"
    scroll: int | None = None
    note: str = field(default="")


class Screen:
    """A coder at work."""

    def __init__(
        self,
        desk: Desk,
        run: RunJob,
        *,
        console: Console,
        now: Callable[[], datetime],
    ) -> None:
        """Sit down.

        Args:
            desk: Of whom, and of which sample.
            run: Runs jobs in the store.
            console: The terminal.
            now: Gives aware UTC.
        """
        self._desk = desk
        self._run = run
        self._console = console
        self._now = now
        self._view = _View()
        self._current: Current | None = None
        self._standing = run(desk.standing)
        self._size = console.size
        self._most = 0

    def hold(self, keys: Callable[[], str | None], showing: _Showing) -> None:
        """Go on until there is nothing left, or the coder quits."""
        self._take_up()
        while self._current is not None:
            self.draw(showing)
            key = keys()
            if key is None or not self._press(key):
                return

    def redraw_if_resized(self, showing: _Showing) -> None:
        """Draw again where the window has another size."""
        if self._console.size != self._size:
            self.draw(showing)

    def _take_up(self, note: str = "") -> None:
        self._current = self._run(self._desk.current)
        self._standing = self._run(self._desk.standing)
        self._view = _View(note=note)

    # Keys -----------------------------------------------------------------------------

    def _press(self, key: str) -> bool:
        """Do what a key means; False to quit."""
        current = self._current
        if current is None:
            return False
        view = self._view
        view.note = ""
        if key in ("page-up", "page-down"):
            step = max(self._console.height // 2, 1)
            view.scroll = (view.scroll or 0) + (step if key == "page-down" else -step)
            view.scroll = min(max(view.scroll, 0), self._most)
            return True
        match view.mode:
            case _Mode.TAGS:
                return self._press_tags(key, current)
            case _Mode.CODES:
                self._press_codes(key)
            case _Mode.STANCE:
                self._press_stance(key, current)
            case _Mode.WORDS:
                self._press_words(key, current)
            case _Mode.HELP:
                view.mode = _Mode.TAGS
        return True

    def _press_tags(self, key: str, current: Current) -> bool:
        view, tags = self._view, current.draft.tags
        has_tag = view.selected < len(tags)
        if key == "q":
            return False
        if key in ("enter", "c"):
            self._finish(current, "done")
        elif key == "s":
            self._finish(current, "skipped")
        elif key == "u":
            self._step_back(current)
        elif key in ("?", "h"):
            view.mode = _Mode.HELP
        elif key == "a":
            view.mode = _Mode.CODES
        elif key in ("tab", "down", "j") and tags:
            self._select((view.selected + 1) % len(tags))
        elif key in ("back-tab", "up", "k") and tags:
            self._select((view.selected - 1) % len(tags))
        elif key.isdecimal() and 1 <= int(key) <= len(tags):
            self._select(int(key) - 1)
        elif key in ("x", "delete", "backspace") and has_tag:
            tag = tags[view.selected]
            self._change(keep(current.draft, view.selected, not tag.kept))
        elif key == "t" and has_tag:
            self._change(set_stance(current.draft, view.selected, _after(tags[view.selected])))
        elif key == "w" and has_tag:
            tag = tags[view.selected]
            self._choose_words(tag.start, tag.end)
        elif key in ("x", "t", "w", "delete", "backspace"):
            view.note = "There is no tag here yet; a adds one."
        else:
            view.note = "That key means nothing here; ? lists those that do."
        return True

    def _select(self, number: int) -> None:
        self._view.selected = number
        self._view.scroll = None

    def _press_codes(self, key: str) -> None:
        view, codes = self._view, self._desk.codeframe.codes
        if key == "esc":
            view.mode = _Mode.TAGS
        elif key == "enter":
            view.mode = _Mode.STANCE
        elif key in ("down", "tab"):
            view.code_at = (view.code_at + 1) % len(codes)
        elif key in ("up", "back-tab"):
            view.code_at = (view.code_at - 1) % len(codes)
        elif len(key) == 1 and key in LETTERS[: len(codes)]:
            view.code_at = LETTERS.index(key)

    def _press_stance(self, key: str, current: Current) -> None:
        chosen = {"1": 0, "s": 0, "2": 1, "g": 1, "3": 2, "n": 2}.get(key)
        if key == "esc":
            self._view.mode = _Mode.TAGS
        elif chosen is not None:
            enabler = self._desk.codeframe.codes[self._view.code_at].key
            self._view.adding = enabler, STANCES[chosen]
            self._choose_words(*_first_words(current.answer.text))
        else:
            self._view.note = "1, 2 or 3 says which."

    def _choose_words(self, start: int, end: int) -> None:
        view = self._view
        view.mode, view.start, view.end, view.edge = _Mode.WORDS, start, end, "end"

    def _press_words(self, key: str, current: Current) -> None:
        view, text = self._view, current.answer.text
        by = {"right": 1, "l": 1, "left": -1, "h": -1}.get(key)
        if key == "esc":
            view.mode, view.adding = _Mode.TAGS, None
        elif key in ("tab", "back-tab"):
            view.edge = "start" if view.edge == "end" else "end"
        elif by is not None:
            first, last = (by, 0) if view.edge == "start" else (0, by)
            view.start, view.end = shift(text, view.start, view.end, first=first, last=last)
        elif key == "enter":
            adding = view.adding
            view.mode, view.adding = _Mode.TAGS, None
            if adding is None:
                self._change(move(current.draft, view.selected, view.start, view.end))
                return
            changed = add(current.draft, *adding, view.start, view.end)
            places = [(tag.enabler, tag.stance) for tag in changed.tags]
            self._change(changed)
            self._select(places.index(adding))

    # What follows ---------------------------------------------------------------------

    def _change(self, draft: Draft) -> None:
        current, desk = self._current, self._desk
        if current is None:
            return
        changed = self._run(lambda store: desk.change(store, current, draft))
        if changed is None:
            self._take_up("These words were changed or erased meanwhile; here is what stands now.")
        else:
            self._current = changed
            self._view.selected = min(self._view.selected, max(len(changed.draft.tags) - 1, 0))

    def _finish(self, current: Current, state: ReviewState) -> None:
        desk, at = self._desk, self._now()
        if not self._run(lambda store: desk.finish(store, current, state, at=at)):
            self._take_up("These words were changed or erased meanwhile; here is what stands now.")
            return
        self._take_up("Kept. u takes it back." if state == "done" else "Skipped. u takes it back.")

    def _step_back(self, current: Current) -> None:
        desk = self._desk
        within = bool(current.draft.before)
        back = self._run(lambda store: desk.step_back(store, current))
        if back is None:
            self._view.note = "There is nothing to take back."
            return
        selected = self._view.selected if within else 0
        self._current = back
        self._standing = self._run(desk.standing)
        note = "Taken back." if within else "Back to the answer before."
        self._view = _View(selected=min(selected, max(len(back.draft.tags) - 1, 0)), note=note)

    # Drawing --------------------------------------------------------------------------

    def draw(self, showing: _Showing) -> None:
        """Draw what there is to see."""
        current = self._current
        if current is None:
            return
        self._size = self._console.size
        self._console.control(Control.home())
        view = self._view
        if view.mode is _Mode.HELP:
            showing.update(Text(_HELP))
            return
        tags, selected, edge = current.draft.tags, view.selected, ""
        if view.mode is _Mode.WORDS:
            tags, selected, edge = self._with_words(tags), self._words_of(tags), view.edge
        above = self._above(current, marked(current.answer.text, tags, selected, edge=edge))
        scroll = view.scroll
        if scroll is None:
            scroll = self._line_of(current, tags, selected)
        shown, self._most = fitted(
            self._console, above, self._below(current, tags, selected), scroll=scroll
        )
        view.scroll = min(scroll, self._most)
        showing.update(shown)

    def _words_of(self, tags: tuple[Tag, ...]) -> int:
        return self._view.selected if self._view.adding is None else len(tags)

    def _with_words(self, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
        """Give the tags as they would be with the words that are being chosen."""
        view = self._view
        if view.adding is not None:
            enabler, stance = view.adding
            return (*tags, Tag(enabler=enabler, stance=stance, start=view.start, end=view.end))
        draft = move(Draft(draft_id="", tags=tags), view.selected, view.start, view.end)
        return draft.tags

    def _above(self, current: Current, text: Text) -> list[ConsoleRenderable]:
        standing = self._standing
        blind = ", blind: nobody's tags are shown" if current.answer.blind else ""
        return [
            Rule(f"{standing.done} done, {standing.left} to go{blind}", style="dim", align="left"),
            Text(plain(current.answer.question), style="italic"),
            Text(),
            text,
            Text(),
        ]

    def _below(
        self, current: Current, tags: tuple[Tag, ...], selected: int
    ) -> list[ConsoleRenderable]:
        view, frame = self._view, self._desk.codeframe
        parts: list[ConsoleRenderable] = [Rule(style="dim")]
        if view.mode is _Mode.CODES:
            parts += codes_menu(frame, view.code_at)
        else:
            parts += tag_lines(current, tags, selected, frame)
        parts.append(Text(view.note, style="yellow"))
        code = code_name(frame, frame.codes[view.code_at].key)
        keys = _KEYS[view.mode.name.lower()]
        parts.append(Text(keys.format(code=code, edge=view.edge), style="dim"))
        return parts

    def _line_of(self, current: Current, tags: tuple[Tag, ...], selected: int) -> int:
        """Give a line from which the words of a tag are seen."""
        if not 0 <= selected < len(tags):
            return 0
        answer = current.answer
        before = [Text(plain(answer.question)), Text(plain(answer.text[: tags[selected].start]))]
        options = self._console.options.update(height=None)
        lines = sum(len(self._console.render_lines(part, options)) for part in before)
        return max(lines - self._console.height // 4, 0)


def _after(tag: Tag) -> Stance:
    if tag.stance is None:
        return STANCES[0]
    return STANCES[(STANCES.index(tag.stance) + 1) % len(STANCES)]


def _first_words(text: str) -> tuple[int, int]:
    """Give where to begin marking: a short answer whole, else its first sentence."""
    found = sentences(text)
    if not found:
        return 0, len(text)
    first, last = found[0], found[-1]
    return (first[0], last[1]) if len(text) <= _SHORT else first
