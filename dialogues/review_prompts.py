"""A coder's work in a chat: what stands in the message, and what its buttons mean.

What lives here: prompts out of a draft, and the reading of their buttons' keys. What must not:
keeping anything, or who may do this. Every button says what is to be (this tag holds, that
stance, so many moves left), of which sample and which taking up of an answer: pressed twice,
or late, it does no harm.

The place in a button's token is a letter: ``k`` a tag holds or not, ``s`` its stance, ``w`` its
words, ``a`` the way to another code, ``m`` back from there, ``d`` done, ``p`` skip, ``u`` undo.
The key is ``SAMPLE-DRAFT-REST``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialogues import messages
from dialogues.coding import Code, Codeframe, Stance
from dialogues.prompts import Button, Layout, Press, Prompt, token
from dialogues.reviewing import (
    STANCES,
    Draft,
    Tag,
    add,
    keep,
    move,
    parts,
    sentences,
    set_stance,
    undo,
)
from dialogues.words import fold

__all__ = [
    "NOTHING",
    "REVIEW",
    "Scene",
    "Touched",
    "asks_to_review",
    "changed_by",
    "finished_prompt",
    "moved_prompt",
    "read_touch",
    "review_prompt",
]

#: Stands in place of a session's id in a button's token.
REVIEW = "review"

#: Stands for a draft where there is none.
NOTHING = "none"

#: Sentences, and parts of them, that are offered one by one.
_OFFERED = 8

_STANCE_LETTERS = {Stance.STRENGTH: "s", Stance.GAP: "g", Stance.NEUTRAL: "n"}
_BY_LETTER = {letter: stance for stance, letter in _STANCE_LETTERS.items()}

_NUMERALS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_WORDS = frozenset(fold(word) for word in messages.words("review"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An answer that a coder has in hand.

    Attributes:
        left: Answers that are still to come, this one too.
        note: Said above it; empty for nothing.
    """

    sample_id: str
    question: str
    text: str
    blind: bool
    left: int
    draft: Draft
    codeframe: Codeframe
    language: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A button that was pressed.

    Attributes:
        what: The place in its token.
        rest: What its key says beyond sample and draft; empty for nothing.
    """

    what: str
    sample_id: str
    draft_id: str
    rest: str


def asks_to_review(text: str, *, slash: bool) -> bool:
    """Whether a whole message asks to review.

    Args:
        text: As received.
        slash: Whether commands are written with a slash here.
    """
    stripped = text.strip()
    if slash and not stripped.startswith("/"):
        return False
    return fold(stripped.removeprefix("/").partition("@")[0]) in _WORDS


def read_touch(press: Press | None) -> Touched | None:
    """Read a button of ours; None for any other."""
    if press is None or press.session_id != REVIEW:
        return None
    sample_id, _, more = press.key.partition("-")
    draft_id, _, rest = more.partition("-")
    return Touched(what=press.place, sample_id=sample_id, draft_id=draft_id, rest=rest)


def changed_by(touched: Touched, scene: Scene) -> Draft:
    """Give the draft after a press; as it is where the press is no move, or is nonsense."""
    draft, parts = scene.draft, touched.rest.split("-")
    numbers = [int(part) if part.isdecimal() and len(part) < 5 else -1 for part in parts]
    match touched.what, parts:
        case "k", [_, ("0" | "1") as held]:
            return keep(draft, numbers[0], held == "1")
        case "s", [_, ("s" | "g" | "n") as letter]:
            return set_stance(draft, numbers[0], _BY_LETTER[letter])
        case "w", [_, _]:
            return _moved(scene, *numbers)
        case "a", [_, ("s" | "g" | "n") as letter, _]:
            return _added(scene, numbers[0], _BY_LETTER[letter], numbers[2])
        case "u", [_] if numbers[0] >= 0:
            return undo(draft, numbers[0])
    return draft


def _added(scene: Scene, code_at: int, stance: Stance, place: int) -> Draft:
    codes, places = scene.codeframe.codes, _places(scene.text)
    if not 0 <= code_at < len(codes) or not 0 <= place < len(places):
        return scene.draft
    return add(scene.draft, codes[code_at].key, stance, *places[place])


def _moved(scene: Scene, number: int, place: int) -> Draft:
    places = _places(scene.text)
    if not 0 <= place < len(places):
        return scene.draft
    return move(scene.draft, number, *places[place])


def _places(text: str) -> list[tuple[int, int]]:
    """Give what words a code can be put on: all of them, then sentences and parts of them.

    Where there are too many to choose from, sentences alone.
    """
    whole = sentences(text)
    if not whole:
        return [(0, len(text))]
    everything = whole[0][0], whole[-1][1]
    found = [place for place in parts(text) if place != everything]
    if len(found) > _OFFERED:
        found = [place for place in whole if place != everything][:_OFFERED]
    return [everything, *found]


# Prompts ------------------------------------------------------------------------------


def review_prompt(scene: Scene, touched: Touched | None = None) -> Prompt:
    """Give the message that shows an answer in hand, or a step on the way to another code.

    Args:
        scene: The answer.
        touched: The button that was pressed; None for none.
    """
    if touched is not None and touched.what == "a":
        menu = _menu(scene, touched.rest.split("-"))
        if menu is not None:
            return menu
    if touched is not None and touched.what == "w" and touched.rest.isdecimal():
        return _words_step(scene, "w", touched.rest)
    shown = [tag for tag in scene.draft.tags if tag.kept or tag.suggested is not None]
    lines = [_tag_line(scene, tag) for tag in shown] or [_say(scene, "review_no_tags")]
    buttons: list[Button] = []
    for tag in shown:
        buttons += _tag_buttons(scene, scene.draft.tags.index(tag), tag)
    undo_rest = str(len(scene.draft.before) - 1) if scene.draft.before else "x"
    controls = (
        _button(scene, "review_done", "d"),
        _button(scene, "review_add", "a", "x"),
        _button(scene, "review_undo", "u", undo_rest),
        _button(scene, "review_skip", "p"),
    )
    text = "\n\n".join([*_head(scene), f"“{_marked(scene)}”", "\n".join(lines)])
    return Prompt(text=text, options=tuple(buttons), controls=controls, layout=Layout.OPTIONS)


def finished_prompt(sample_id: str, language: str) -> Prompt:
    """Give the message for a coder for whom nothing is left; an empty sample: there was none."""
    text = messages.say("review_nothing", language)
    if not sample_id:
        return Prompt(text=text)
    undo_button = Button(
        label=messages.say("review_undo", language),
        token=token(REVIEW, "u", f"{sample_id}-{NOTHING}-x"),
    )
    return Prompt(text=text, controls=(undo_button,))


def moved_prompt(language: str) -> Prompt:
    """Give what stands where an answer was shown that is now shown further down the chat."""
    return Prompt(text=messages.say("review_moved", language))


def _head(scene: Scene) -> list[str]:
    key = "review_blind" if scene.blind else "review_head"
    head = _say(scene, key, n=scene.left)
    return [*([scene.note] if scene.note else []), head, scene.question]


def _marked(scene: Scene) -> str:
    """Give the words with the number of each tag at both ends of what carries it."""
    marks: list[tuple[int, int, str]] = []
    for number, tag in enumerate(scene.draft.tags, start=1):
        if tag.kept and tag.end > tag.start:
            numeral = str(number).translate(_NUMERALS)
            marks += [(tag.start, 1, f"[{numeral}"), (tag.end, 0, f"{numeral}]")]
    shown, at = "", 0
    for place, _, mark in sorted(marks):
        shown += scene.text[at:place] + mark
        at = place
    return shown + scene.text[at:]


def _tag_line(scene: Scene, tag: Tag) -> str:
    number = scene.draft.tags.index(tag) + 1
    mark = "✓" if tag.kept else "✗"
    stance = _stance(scene, tag.stance) if tag.stance else ""
    return f"{number} {mark} {_code_name(scene, tag.enabler)}{f': {stance}' if stance else ''}"


def _tag_buttons(scene: Scene, number: int, tag: Tag) -> list[Button]:
    other = "0" if tag.kept else "1"
    key = "review_drop" if tag.kept else "review_keep"
    after = STANCES[(STANCES.index(tag.stance) + 1) % len(STANCES)] if tag.stance else STANCES[0]
    letter = _STANCE_LETTERS[after]
    words = Button(
        label=_say(scene, "review_other_words", n=number + 1),
        token=_token(scene, "w", str(number)),
    )
    return [
        Button(label=_say(scene, key, n=number + 1), token=_token(scene, "k", f"{number}-{other}")),
        Button(
            label=_say(scene, "review_stance", n=number + 1, stance=_stance(scene, after)),
            token=_token(scene, "s", f"{number}-{letter}"),
        ),
        *((words,) if tag.kept and len(_places(scene.text)) > 1 else ()),
    ]


def _menu(scene: Scene, parts: Sequence[str]) -> Prompt | None:
    """Give the step that a press on the way to another code leads to; None for the answer."""
    frame = scene.codeframe
    match parts:
        case ["x"] if len(frame.strands) > 1:
            options = [
                Button(label=_named(scene, strand.name), token=_token(scene, "a", f"t{number}"))
                for number, strand in enumerate(frame.strands)
            ]
            return _step(scene, "review_strand", options)
        case ["x"]:
            return _codes(scene, frame.codes)
        case [word] if word[:1] == "t" and word[1:].isdecimal():
            keys = [strand.key for strand in frame.strands][int(word[1:]) :][:1]
            return _codes(scene, [code for code in frame.codes if code.strand in keys])
        case [word] if word.isdecimal() and int(word) < len(frame.codes):
            name = _named(scene, frame.codes[int(word)].name)
            options = [
                Button(
                    label=_stance(scene, stance),
                    token=_token(scene, "a", _stance_rest(scene, word, letter)),
                )
                for stance, letter in _STANCE_LETTERS.items()
            ]
            return _step(scene, "review_stance_ask", options, code=name)
        case [word, ("s" | "g" | "n") as letter] if word.isdecimal():
            return _words_step(scene, "a", f"{word}-{letter}")
    return None


def _stance_rest(scene: Scene, code: str, letter: str) -> str:
    """Of an answer of one part nobody has to say which."""
    return f"{code}-{letter}-0" if len(_places(scene.text)) == 1 else f"{code}-{letter}"


def _words_step(scene: Scene, what: str, rest: str) -> Prompt:
    """Ask which words; a press says ``rest`` again, and the number of a place."""
    single = _places(scene.text)[1:]
    lines = [f"{number}. {scene.text[a:b]}" for number, (a, b) in enumerate(single, start=1)]
    options = [
        Button(label=str(number), token=_token(scene, what, f"{rest}-{number}"))
        for number in range(1, len(single) + 1)
    ]
    whole = Button(label=_say(scene, "review_whole"), token=_token(scene, what, f"{rest}-0"))
    text = "\n\n".join([*_head(scene), _say(scene, "review_words"), "\n".join(lines)])
    return Prompt(
        text=text,
        options=tuple(options) if single else (whole,),
        controls=(*((whole,) if single else ()), _button(scene, "review_back", "m")),
        layout=Layout.OPTIONS,
    )


def _codes(scene: Scene, codes: Sequence[Code]) -> Prompt:
    every = [code.key for code in scene.codeframe.codes]
    options = [
        Button(
            label=_named(scene, code.name) or code.key,
            token=_token(scene, "a", str(every.index(code.key))),
        )
        for code in codes
    ]
    meanings = "\n".join(
        f"• {_named(scene, code.name) or code.key}: {_named(scene, code.definition)}"
        for code in codes
        if code.definition
    )
    return _step(scene, "review_code", options, below=meanings)


def _step(
    scene: Scene, key: str, options: Sequence[Button], *, below: str = "", **values: object
) -> Prompt:
    parts = [*_head(scene), f"“{scene.text}”", _say(scene, key, **values)]
    return Prompt(
        text="\n\n".join([*parts, *([below] if below else [])]),
        options=tuple(options),
        controls=(_button(scene, "review_back", "m"),),
        layout=Layout.OPTIONS,
    )


def _button(scene: Scene, key: str, what: str, rest: str = "") -> Button:
    return Button(label=_say(scene, key), token=_token(scene, what, rest))


def _token(scene: Scene, what: str, rest: str) -> str:
    ids = f"{scene.sample_id}-{scene.draft.draft_id}"
    return token(REVIEW, what, f"{ids}-{rest}" if rest else ids)


def _code_name(scene: Scene, key: str) -> str:
    try:
        return _named(scene, scene.codeframe.code(key).name) or key
    except KeyError:
        return key


def _named(scene: Scene, words: Mapping[str, str]) -> str:
    return words.get(scene.language) or next(iter(words.values()), "")


def _stance(scene: Scene, stance: Stance) -> str:
    return messages.say(f"stance_{stance.value}", scene.language)


def _say(scene: Scene, key: str, **values: object) -> str:
    return messages.say(key, scene.language, **values)
