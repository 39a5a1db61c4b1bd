"""What a coder makes of one answer, move by move, until it is done.

What lives here: a draft and its moves, whatever shows it (a terminal, a chat). Every move says
what is to be, not what to change, so making it twice does what making it once does. What must
not: the answer's words (a draft holds places in them), or who is asking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dialogues.coding import Coding, Said, Stance

__all__ = [
    "STANCES",
    "Draft",
    "Tag",
    "add",
    "begin",
    "go_on_from",
    "keep",
    "move",
    "parts",
    "said",
    "sentences",
    "set_stance",
    "shift",
    "undo",
]

#: In the order in which they are offered.
STANCES = (Stance.STRENGTH, Stance.GAP, Stance.NEUTRAL)

#: Moves that can be taken back.
_REMEMBERED = 50

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
_ANY = re.compile(r"\S+")
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…]+(?=\s|$)|(?=\n)|$)")

_PART = re.compile(r".+?(?:[,;:](?=\s)|\s[–—-](?=\s)|$)")

#: A sentence is cut where every part has so many words.
_LEAST_WORDS = 2

_Place = tuple[str, Stance | None, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A code on some words of the answer.

    Attributes:
        start: Code points into the answer's text; ``end`` is exclusive. Both 0 where no words
            are named.
        kept: Whether it holds. What was added and is taken away stays, not kept, so that the
            numbers of the others stay as they are.
        suggested: Enabler, stance and place as they were suggested; None for what was added.
    """

    enabler: str
    stance: Stance | None
    start: int
    end: int
    kept: bool = True
    suggested: _Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a coder makes of an answer so far.

    Attributes:
        draft_id: Fresh for each answer that is taken up, so that an old button is known.
        tags: As they are shown, by number.
        before: What they were before each move, the newest last.
    """

    draft_id: str
    tags: tuple[Tag, ...]
    before: tuple[tuple[Tag, ...], ...] = ()

    @property
    def kept(self) -> tuple[Tag, ...]:
        """Those that hold."""
        return tuple(tag for tag in self.tags if tag.kept)


def begin(draft_id: str, suggested: Iterable[Coding]) -> Draft:
    """Take up an answer: what was suggested holds until the coder says otherwise."""
    tags: dict[tuple[str, Stance | None], Tag] = {}
    for one in suggested:
        place = one.enabler, one.stance, one.span_start, one.span_end
        tag = Tag(
            enabler=one.enabler,
            stance=one.stance,
            start=one.span_start,
            end=one.span_end,
            suggested=place,
        )
        tags.setdefault((one.enabler, one.stance), tag)
    return Draft(draft_id=draft_id, tags=tuple(tags.values()))


def go_on_from(
    draft_id: str, suggested: Iterable[Coding], earlier: Iterable[tuple[Coding, Said]]
) -> Draft:
    """Take an answer up again that was done: with what was suggested and what was said of it."""
    told = {(coding.enabler, coding.stance): (coding, what) for coding, what in earlier}
    confirmed = [coding for coding, what in told.values() if what is Said.CONFIRMED]
    begun = begin(draft_id, suggested).tags
    places = {(tag.enabler, tag.stance) for tag in begun}
    left = [one for one in confirmed if (one.enabler, one.stance) not in places]
    tags = []
    for tag in begun:
        coding, what = told.get((tag.enabler, tag.stance), (None, None))
        if coding is None:
            # Of what was suggested with another stance, what it was changed to is said alone.
            alike = [one for one in (*left, *confirmed) if one.enabler == tag.enabler]
            coding = alike[0] if alike else None
            left = [one for one in left if one is not coding]
        if coding is None or what is Said.REJECTED:
            tags.append(replace(tag, kept=False))
        else:
            tags.append(replace(_tag(coding), suggested=tag.suggested))
    return Draft(draft_id=draft_id, tags=(*tags, *map(_tag, left)))


def _tag(coding: Coding) -> Tag:
    return Tag(
        enabler=coding.enabler,
        stance=coding.stance,
        start=coding.span_start,
        end=coding.span_end,
    )


def keep(draft: Draft, number: int, kept: bool) -> Draft:
    """Let a tag hold, or not."""
    return _changed(draft, number, lambda tag: replace(tag, kept=kept))


def set_stance(draft: Draft, number: int, stance: Stance) -> Draft:
    """Give a tag a stance; then it holds."""
    return _changed(draft, number, lambda tag: replace(tag, stance=stance, kept=True))


def move(draft: Draft, number: int, start: int, end: int) -> Draft:
    """Let other words carry a tag."""
    if not 0 <= start <= end:
        return draft
    return _changed(draft, number, lambda tag: replace(tag, start=start, end=end))


def add(draft: Draft, enabler: str, stance: Stance, start: int, end: int) -> Draft:
    """Add a code; where it is there with this stance already, it holds again."""
    for number, tag in enumerate(draft.tags):
        if (tag.enabler, tag.stance) == (enabler, stance):
            return keep(draft, number, True)
    tag = Tag(enabler=enabler, stance=stance, start=start, end=end)
    return _moved(draft, (*draft.tags, tag))


def undo(draft: Draft, depth: int | None = None) -> Draft:
    """Take back the last move.

    Args:
        draft: As it is.
        depth: How many moves are to be left; None for one less. Fewer already: nothing changes.
    """
    left = len(draft.before) - 1 if depth is None else depth
    if not 0 <= left < len(draft.before):
        return draft
    return replace(draft, tags=draft.before[left], before=draft.before[:left])


def _changed(draft: Draft, number: int, change: Callable[[Tag], Tag]) -> Draft:
    if not 0 <= number < len(draft.tags):
        return draft
    tags = list(draft.tags)
    tags[number] = change(tags[number])
    return _moved(draft, tuple(tags))


def _moved(draft: Draft, tags: tuple[Tag, ...]) -> Draft:
    if tags == draft.tags:
        return draft
    return replace(draft, tags=tags, before=(*draft.before, draft.tags)[-_REMEMBERED:])


def said(draft: Draft, text: str) -> list[tuple[Coding, Said]]:
    """Give what is said of an answer: codings that hold, and suggestions that do not.

    One for each enabler and stance. A suggestion whose stance was changed is no rejection of
    its enabler, and so only what it was changed to is said.

    Args:
        draft: What the coder makes of it.
        text: The answer's words.
    """
    held: dict[tuple[str, Stance | None], tuple[Coding, Said]] = {}
    for tag in draft.kept:
        coding = _coding(text, tag.enabler, tag.stance, tag.start, tag.end)
        held.setdefault((tag.enabler, tag.stance), (coding, Said.CONFIRMED))
    for tag in draft.tags:
        if tag.suggested is not None and not tag.kept:
            coding = _coding(text, *tag.suggested)
            held.setdefault(tag.suggested[:2], (coding, Said.REJECTED))
    return list(held.values())


def _coding(text: str, enabler: str, stance: Stance | None, start: int, end: int) -> Coding:
    return Coding(
        enabler=enabler,
        stance=stance,
        span_text=text[start:end],
        span_start=start,
        span_end=end,
        confidence=1.0,
    )


# Words --------------------------------------------------------------------------------


def shift(text: str, start: int, end: int, *, first: int = 0, last: int = 0) -> tuple[int, int]:
    """Move the ends of some words by whole words; at least one stays.

    Args:
        text: The answer.
        start: Where they begin.
        end: Where they end, exclusive.
        first: How many words the beginning moves, on or (negative) back.
        last: Likewise the end.
    """
    words = _spans(_WORD, text) or _spans(_ANY, text)
    if not words:
        return start, end
    inside = [n for n, (a, b) in enumerate(words) if a < max(end, start + 1) and b > start]
    at, to = (inside[0], inside[-1]) if inside else (0, 0)
    at = min(max(at + first, 0), to)
    to = max(min(to + last, len(words) - 1), at)
    # What was not moved stays as it was, with its marks.
    new_start = words[at][0] if first or not inside else start
    new_end = words[to][1] if last or not inside else end
    return min(new_start, words[to][0]), max(new_end, words[at][1])


def sentences(text: str) -> list[tuple[int, int]]:
    """Give where the sentences of a text are, without the space around them."""
    return _spans(_SENTENCE, text)


def parts(text: str) -> list[tuple[int, int]]:
    """Give where the sentences of a text are, each before its own parts where it has some.

    A part ends at a comma, semicolon, colon or dash.
    """
    found = []
    for start, end in sentences(text):
        cut = [(start + a, start + b) for a, b in _spans(_PART, text[start:end])]
        if any(len(_WORD.findall(text[a:b])) < _LEAST_WORDS for a, b in cut):
            cut = []
        found += [(start, end), *(cut if len(cut) > 1 else ())]
    return found


def _spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    found = []
    for match in pattern.finditer(text):
        words = match[0].strip()
        if words and any(sign.isalnum() for sign in words):
            start = match.start() + match[0].index(words)
            found.append((start, start + len(words)))
        elif words and pattern is _ANY:
            found.append(match.span())
    return found
