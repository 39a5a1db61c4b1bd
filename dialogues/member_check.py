"""Member checks: what a person is shown of what was made of their words, and what buttons mean.

What lives here: prompts out of drafts, and the reading of their buttons' keys. What must not:
keeping anything, or when somebody is asked. Every button says what is to be, of which response and
answer, so that pressing it twice, or late, does no harm.

The place in a button's token is a letter: ``r`` all of it is right, ``n`` not quite, ``k`` a code
holds or not, ``s`` its stance, ``a`` the way to another code, ``f`` finish, ``x`` do not ask
(again), ``y`` ask again after all. The key is ``RESPONSE-REST``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dialogues import messages
from dialogues.coding import Codeframe, Stance
from dialogues.folding import fold, without_politeness
from dialogues.prompts import Button, Layout, Press, Prompt, token
from dialogues.reviewing import STANCES, Draft, Tag, add, keep, set_stance

__all__ = [
    "CHECK",
    "Answer",
    "Scene",
    "Touch",
    "as_suggested",
    "ask_prompt",
    "changed_by",
    "done_prompt",
    "edit_prompt",
    "gone_prompt",
    "off_prompt",
    "on_prompt",
    "read_touch",
    "wants_no_checks",
]

#: Stands in place of a session's id in a button's token.
CHECK = "check"

#: How much of an answer, and of the words that carry a code, is quoted, in characters.
_QUOTED = 160

#: What stands around the words of an answer and is none of them.
_ENDS = " \n.!?…"

_LETTERS = {Stance.STRENGTH: "s", Stance.GAP: "g", Stance.NEUTRAL: "n"}
_BY_LETTER = {letter: stance for stance, letter in _LETTERS.items()}

_NO_CHECKS = frozenset(fold(word) for word in messages.words("no_checks"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that its person is asked about.

    Attributes:
        place: Of its question in the survey, from 0.
    """

    place: int
    text: str
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one check is about.

    Attributes:
        answers: By place.
    """

    response_id: str
    answers: tuple[Answer, ...]
    codeframe: Codeframe
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A button that was pressed.

    Attributes:
        what: The place in its token.
        rest: What its key says beyond the response; empty for nothing.
    """

    what: str
    response_id: str
    rest: str


def wants_no_checks(text: str) -> bool:
    """Whether a whole message says that its writer does not want to be asked."""
    return without_politeness(fold(text.strip().removeprefix("/"))) in _NO_CHECKS


def read_touch(press: Press | None) -> Touch | None:
    """Read a button of ours; None for any other."""
    if press is None or press.session_id != CHECK:
        return None
    response_id, _, rest = press.key.partition("-")
    return Touch(what=press.place, response_id=response_id, rest=rest)


def as_suggested(draft: Draft) -> Draft:
    """Give what was suggested, whatever was made of it since."""
    tags = tuple(
        Tag(
            enabler=tag.suggested[0],
            stance=tag.suggested[1],
            start=tag.suggested[2],
            end=tag.suggested[3],
            suggested=tag.suggested,
        )
        for tag in draft.tags
        if tag.suggested is not None
    )
    return replace(draft, tags=tags, before=())


def changed_by(touch: Touch, scene: Scene) -> Answer | None:
    """Give the answer that a press changes, as it is then; None where it changes none."""
    parts = touch.rest.split("-")
    numbers = [int(part) if part.isdecimal() and len(part) < 5 else -1 for part in parts]
    answer = next((one for one in scene.answers if one.place == numbers[0]), None)
    if answer is None:
        return None
    draft = answer.draft
    match touch.what, parts:
        case "k", [_, _, ("0" | "1") as held]:
            draft = keep(draft, numbers[1], held == "1")
        case "s", [_, _, ("s" | "g" | "n") as letter]:
            draft = set_stance(draft, numbers[1], _BY_LETTER[letter])
        case "a", [_, _, ("s" | "g" | "n") as letter]:
            codes = scene.codeframe.codes
            if 0 <= numbers[1] < len(codes):
                # Which words say so nobody is asked.
                draft = add(draft, codes[numbers[1]].key, _BY_LETTER[letter], 0, 0)
    if draft == answer.draft:
        return None
    # There is no way back to earlier moves, so none are kept.
    return replace(answer, draft=replace(draft, before=()))


# Prompts ------------------------------------------------------------------------------


def ask_prompt(scene: Scene) -> Prompt:
    """Ask whether what was heard is right."""
    parts = [_say(scene, "heard_header")]
    for answer in scene.answers:
        lines = [f"• {_heard_line(scene, answer, tag)}" for tag in answer.draft.tags]
        parts.append("\n".join([f"“{_clipped(answer.text)}”", *lines]))
    return Prompt(
        text="\n\n".join([*parts, _say(scene, "check_ask")]),
        options=(
            _button(scene, "check_right", "r"),
            _button(scene, "check_not_quite", "n"),
        ),
        controls=(_button(scene, "check_no_more", "x"),),
        layout=Layout.OPTIONS,
    )


def edit_prompt(scene: Scene, touch: Touch | None = None) -> Prompt:
    """Show what can be put right, or a step on the way to another code.

    Args:
        scene: What it is about.
        touch: The button that was pressed; None for none.
    """
    if touch is not None and touch.what == "a":
        step = _menu(scene, touch.rest)
        if step is not None:
            return step
    parts = [_say(scene, "check_edit")]
    buttons: list[Button] = []
    numbered = _numbered(scene)
    for answer in scene.answers:
        lines = [
            f"{number} {'✓' if tag.kept else '✗'} {_told(scene, tag)}"
            for number, (whose, _, tag) in numbered.items()
            if whose is answer
        ]
        parts.append("\n".join([f"“{_clipped(answer.text)}”", *lines]))
    for number, (answer, at, tag) in numbered.items():
        buttons += _tag_buttons(scene, number, answer, at, tag)
    return Prompt(
        text="\n\n".join(parts),
        options=tuple(buttons),
        controls=(_button(scene, "check_add", "a", "x"), _button(scene, "check_finish", "f")),
        layout=Layout.OPTIONS,
    )


def done_prompt(scene: Scene) -> Prompt:
    """Thank for an answer, which can be changed."""
    return Prompt(text=_say(scene, "check_thanks"), controls=(_button(scene, "check_change", "n"),))


def off_prompt(response_id: str, language: str) -> Prompt:
    """Say that nobody is asked any more, which can be taken back."""
    again = Button(
        label=messages.say("check_again", language), token=token(CHECK, "y", response_id)
    )
    return Prompt(text=messages.say("check_off", language), controls=(again,))


def on_prompt(language: str) -> Prompt:
    """Say that somebody is asked again from now on."""
    return Prompt(text=messages.say("check_on", language))


def gone_prompt(language: str) -> Prompt:
    """Say that what was asked about is not there any more."""
    return Prompt(text=messages.say("check_gone", language))


def _numbered(scene: Scene) -> Mapping[int, tuple[Answer, int, Tag]]:
    """Give number to what is shown of all answers: whose, at which place among its tags, what."""
    shown = (
        (answer, at, tag)
        for answer in scene.answers
        for at, tag in enumerate(answer.draft.tags)
        if tag.kept or tag.suggested is not None
    )
    return dict(enumerate(shown, start=1))


def _tag_buttons(scene: Scene, number: int, answer: Answer, at: int, tag: Tag) -> Iterator[Button]:
    key, held = ("check_drop", "0") if tag.kept else ("check_keep", "1")
    other = Stance.GAP if tag.stance is Stance.STRENGTH else Stance.STRENGTH
    where = f"{answer.place}-{at}"
    yield Button(label=_say(scene, key, n=number), token=_token(scene, "k", f"{where}-{held}"))
    yield Button(
        label=_say(scene, "check_stance", n=number, stance=_stance(scene, other)),
        token=_token(scene, "s", f"{where}-{_LETTERS[other]}"),
    )


def _menu(scene: Scene, rest: str) -> Prompt | None:
    """Give the step that a press on the way to another code leads to; None for the first one."""
    if rest == "x" and len(scene.answers) > 1:
        lines = [f"{n}. “{_clipped(one.text)}”" for n, one in enumerate(scene.answers, start=1)]
        options = [
            Button(label=str(n), token=_token(scene, "a", str(one.place)))
            for n, one in enumerate(scene.answers, start=1)
        ]
        return _step(scene, "check_which_answer", options, "\n".join(lines))
    parts = [str(scene.answers[0].place)] if rest == "x" else rest.split("-")
    place = parts[0]
    if not any(str(one.place) == place for one in scene.answers):
        return None
    codes = scene.codeframe.codes
    match parts:
        case [_]:
            options = [
                Button(label=_named(scene, code.name) or code.key, token=_token(scene, "a", rest))
                for code, rest in ((one, f"{place}-{n}") for n, one in enumerate(codes))
            ]
            meanings = [
                f"• {_named(scene, code.name) or code.key}: {_essence(scene, code.definition)}"
                for code in codes
                if code.definition
            ]
            return _step(scene, "check_which", options, "\n".join(meanings))
        case [_, word] if word.isdecimal() and len(word) < 5 and int(word) < len(codes):
            options = [
                Button(
                    label=_stance(scene, stance),
                    token=_token(scene, "a", f"{place}-{word}-{_LETTERS[stance]}"),
                )
                for stance in STANCES
            ]
            code = codes[int(word)]
            return _step(
                scene, "review_stance_ask", options, code=_named(scene, code.name) or code.key
            )
    return None


def _step(
    scene: Scene, key: str, options: Sequence[Button], below: str = "", **values: object
) -> Prompt:
    return Prompt(
        text="\n\n".join([_say(scene, key, **values), *([below] if below else [])]),
        options=tuple(options),
        controls=(_button(scene, "review_back", "n"),),
        layout=Layout.OPTIONS,
    )


def _heard_line(scene: Scene, answer: Answer, tag: Tag) -> str:
    said = _told(scene, tag)
    evidence = answer.text[tag.start : tag.end].strip()
    if not evidence or evidence.strip(_ENDS) == answer.text.strip(_ENDS):
        return said
    return f"{said}: “{_clipped(evidence)}”"


def _told(scene: Scene, tag: Tag) -> str:
    name = _name(scene, tag.enabler)
    return name if tag.stance is None else f"{name} ({_stance(scene, tag.stance)})"


def _clipped(words: str) -> str:
    """Give words in one line, cut where they are long."""
    line = " ".join(words.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED].rsplit(' ', 1)[0]} …"


def _button(scene: Scene, key: str, what: str, rest: str = "") -> Button:
    return Button(label=_say(scene, key), token=_token(scene, what, rest))


def _token(scene: Scene, what: str, rest: str) -> str:
    return token(CHECK, what, f"{scene.response_id}-{rest}" if rest else scene.response_id)


def _name(scene: Scene, key: str) -> str:
    try:
        return _named(scene, scene.codeframe.code(key).name) or key
    except KeyError:
        return key


def _named(scene: Scene, words: Mapping[str, str]) -> str:
    return words.get(scene.language) or next(iter(words.values()), "")


def _essence(scene: Scene, definition: Mapping[str, str]) -> str:
    """Give a definition without what it lists for coders after a colon."""
    return _named(scene, definition).partition(":")[0].rstrip(".")


def _stance(scene: Scene, stance: Stance) -> str:
    return messages.say(f"stance_{stance.value}", scene.language)


def _say(scene: Scene, key: str, **values: object) -> str:
    return messages.say(key, scene.language, **values)
