"""``pulse review`` without a terminal: one command a line, plain text out.

What lives here: reading commands and writing answers as lines, for pipes, screen readers and
tests. What must not: what a move does (``dialogues/reviewing.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from bot.cli.review_picture import code_name, who_says
from bot.cli.texts import plain
from bot.desk import Current, Desk
from bot.jobs import RunJob
from dialogues.coding import Stance
from dialogues.reviewing import Draft, add, keep, move, set_stance
from storage.reviewing import ReviewState

__all__ = ["Lines"]

_HELP = """\
done                              what is kept holds; the next answer comes
remove N, keep N                  the tag with this number does not hold, or does
stance N strength|gap|neutral     another stance
words N THE WORDS                 other words, copied from the answer
add CODE STANCE [THE WORDS]       another code
undo                              the last move, or the answer before
skip                              not this answer
codes                             the codes and what they mean
help, quit                        everything is kept"""

_CHANGED = "These words were changed or erased meanwhile; here is what stands now."


class _WrongCommand(Exception):
    """A line cannot be done; the text says why."""


class Lines:
    """A coder at work, line by line."""

    def __init__(
        self,
        desk: Desk,
        run: RunJob,
        *,
        out: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        """Sit down.

        Args:
            desk: Of whom, and of which sample.
            run: Runs jobs in the store.
            out: Writes a line.
            now: Gives aware UTC.
        """
        self._desk = desk
        self._run = run
        self._out = out
        self._now = now

    def hold(self, lines: Iterable[str]) -> None:
        """Go on until there is nothing left, or no line more."""
        current = self._run(self._desk.current)
        if current is None:
            return
        self._show(current)
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word in ("quit", "q"):
                return
            try:
                after = self._do(word.casefold(), rest.strip(), current)
            except _WrongCommand as wrong:
                self._out(f"! {wrong}")
                continue
            if after is None:
                return
            if after != current:
                current = after
                self._show(current)

    def _do(self, word: str, rest: str, current: Current) -> Current | None:
        match word:
            case "":
                return current
            case "done" | "ok":
                return self._finish(current, "done")
            case "skip":
                return self._finish(current, "skipped")
            case "undo":
                back = self._run(lambda store: self._desk.step_back(store, current))
                if back is None:
                    raise _WrongCommand("There is nothing to take back.")
                return back
            case "help" | "?":
                self._out(_HELP)
                return current
            case "codes":
                for line in self._codes():
                    self._out(line)
                return current
            case _:
                return self._change(current, self._changed(word, rest, current))

    def _changed(self, word: str, rest: str, current: Current) -> Draft:
        draft = current.draft
        if word == "add":
            return self._added(rest, current)
        if word not in ("remove", "keep", "stance", "words"):
            raise _WrongCommand("That is no command; help lists them.")
        head, _, tail = rest.partition(" ")
        numbers = [str(number) for number in range(1, len(draft.tags) + 1)]
        if head not in numbers:
            raise _WrongCommand("Say which tag by its number.")
        number = numbers.index(head)
        if word == "stance":
            return set_stance(draft, number, _stance(tail.strip()))
        if word == "words":
            return move(draft, number, *_place(current.answer.text, tail.strip()))
        return keep(draft, number, word == "keep")

    def _added(self, rest: str, current: Current) -> Draft:
        key, _, more = rest.partition(" ")
        stance, _, words = more.strip().partition(" ")
        known = [code.key for code in self._desk.codeframe.codes]
        if key not in known:
            raise _WrongCommand(f"Say which code: {', '.join(known)}.")
        start, end = _place(current.answer.text, words.strip()) if words.strip() else (0, 0)
        return add(current.draft, key, _stance(stance), start, end)

    def _change(self, current: Current, draft: Draft) -> Current | None:
        changed = self._run(lambda store: self._desk.change(store, current, draft))
        if changed is None:
            self._out(_CHANGED)
            return self._run(self._desk.current)
        return changed

    def _finish(self, current: Current, state: ReviewState) -> Current | None:
        desk, at = self._desk, self._now()
        if not self._run(lambda store: desk.finish(store, current, state, at=at)):
            self._out(_CHANGED)
        return self._run(desk.current)

    def _show(self, current: Current) -> None:
        answer = current.answer
        left = self._run(self._desk.count_left)
        self._out("")
        self._out(f"[{left} to go{', blind' if answer.blind else ''}] {plain(answer.question)}")
        self._out(f"“{plain(answer.text)}”")
        for number, tag in enumerate(current.draft.tags, start=1):
            words = plain(answer.text[tag.start : tag.end])
            quoted = f": “{words}”" if words else ""
            name, stance = code_name(self._desk.codeframe, tag.enabler), tag.stance or "no stance"
            mark = "+" if tag.kept else "-"
            self._out(
                f"  {mark} {number} {name}, {stance}{quoted} ({who_says(answer.suggested, tag)})"
            )
        if not current.draft.tags:
            self._out("  no tags")

    def _codes(self) -> Iterator[str]:
        for code in self._desk.codeframe.codes:
            means = code.definition.get("en") or next(iter(code.definition.values()), "")
            yield f"  {code.key}: {means}" if means else f"  {code.key}"


def _stance(word: str) -> Stance:
    try:
        return Stance(word.casefold())
    except ValueError:
        raise _WrongCommand("Say which stance: strength, gap or neutral.") from None


def _place(text: str, words: str) -> tuple[int, int]:
    at = text.find(words) if words else -1
    if at < 0:
        raise _WrongCommand("Copy the words from the answer, as they stand there.")
    return at, at + len(words)
