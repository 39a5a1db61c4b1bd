"""Words that are commands, and words that mean yes, no and the like.

What lives here: telling a command from an answer. What must not: acting on it
(``engine.py``). A command counts only as a whole message: "stop the buses" is an answer.
"""

from __future__ import annotations

import re
from enum import StrEnum

from dialogues import messages
from dialogues.folding import fold, without_politeness
from dialogues.times import is_plain, split_times

__all__ = [
    "TIMES",
    "Command",
    "command_in",
    "fold",
    "means",
    "results_wanted",
    "start_code",
    "unknown_command",
]


class Command(StrEnum):
    """What a person may ask for at any time."""

    START = "start"
    STOP = "stop"
    BACK = "back"
    SKIP = "skip"
    HELP = "help"
    MYDATA = "mydata"
    FORGET = "forget"
    PRIVACY = "privacy"
    LANGUAGE = "language"
    RESULTS = "results"
    ROLE = "role"
    TIMES = "times"
    PAUSE = "pause"
    RESUME = "resume"


#: The commands about when somebody is written to.
TIMES = frozenset({Command.TIMES, Command.PAUSE, Command.RESUME})

#: Words after these commands that are no wish of a known form: a place has no more.
_PLACE = 3

_ONE_COMMAND = re.compile(r"/[a-zA-Z_]{2,32}(@\w+)?")

#: At an open question only these are commands; the rest could be somebody's answer.
_AT_OPEN_QUESTION: dict[Command, tuple[str, ...]] = {
    Command.STOP: ("stop", "stopio", "unsubscribe"),
    Command.BACK: ("back", "go back", "yn ol", "nol", "mynd yn ol"),
    Command.SKIP: ("skip", "hepgor"),
    Command.HELP: ("help", "cymorth"),
    Command.MYDATA: ("mydata", "fy nata", "fynata"),
    Command.FORGET: ("forget", "anghofio"),
    Command.PRIVACY: ("privacy", "preifatrwydd"),
    Command.LANGUAGE: ("language", "iaith"),
    Command.RESULTS: ("results", "canlyniadau"),
    Command.ROLE: ("role", "rol"),
    Command.TIMES: ("times", "amserau"),
    Command.PAUSE: ("pause", "saib"),
    Command.RESUME: ("resume", "ailddechrau"),
}


#: No command and no word with a meaning is as long as this, in characters.
_LONGEST = 100


_BY_WORD: dict[str, Command] = {
    fold(word): command for command in Command for word in messages.words(command.value)
}
_BY_WORD_AT_OPEN = {word: command for command, words in _AT_OPEN_QUESTION.items() for word in words}
_RESULTS = frozenset(fold(word) for word in messages.words(Command.RESULTS.value))

#: Results by number or by date, which no answer looks like.
_WHICH_RESULTS = re.compile(
    rf"(?:{'|'.join(sorted(map(re.escape, _RESULTS)))}) (?:\d{{1,2}}|\d{{4}}-\d{{2}}-\d{{2}}|"
    rf"\d{{1,2}} (?:{'|'.join(sorted({fold(name) for name in messages.month_names()}))})"
    r"(?: \d{4})?)"
)
_MEANINGS: dict[str, frozenset[str]] = {
    meaning: frozenset(fold(word) for word in messages.words(meaning))
    for meaning in (
        "more",
        "yes",
        "no",
        "agree",
        "decline",
        "not_now",
        "dont_know",
        "done",
        "send",
        "erase",
        "keep",
        "sector_state",
        "sector_civil_society",
        "sector_business",
        "sector_citizen",
        "sector_undisclosed",
    )
}


def command_in(text: str, *, at_open_question: bool) -> Command | None:
    """Give the command that a whole message is; None when it is something else.

    Args:
        text: As received. A leading slash makes any known word a command everywhere,
            whatever follows it; a bot's name (``/stop@our_bot``) is passed over.
        at_open_question: Whether free words are waited for, where fewer words count.
    """
    stripped = text.strip()
    if stripped.startswith("/"):
        head = stripped[1:_LONGEST].split(maxsplit=1)
        if not head:
            return None
        whole = _BY_WORD.get(fold(stripped[1:_LONGEST]))
        return whole or _BY_WORD.get(fold(head[0].partition("@")[0]))
    if len(stripped) > _LONGEST:
        return None
    folded = without_politeness(fold(stripped))
    if _WHICH_RESULTS.fullmatch(folded):
        return Command.RESULTS
    times, wanted = split_times(folded)
    short = not at_open_question and len(wanted.split()) <= _PLACE
    if wanted and (short or is_plain(folded)):
        return Command(times)
    return (_BY_WORD_AT_OPEN if at_open_question else _BY_WORD).get(folded)


def results_wanted(text: str) -> str:
    """Give which results a message asks for (``/results 2``, ``results 1 November``), folded;
    empty where it says no more than that it wants some.
    """
    folded = fold(text.strip().removeprefix("/")[:_LONGEST])
    head, _, rest = folded.partition(" ")
    return rest if head.partition("@")[0] in _RESULTS else ""


def unknown_command(text: str) -> bool:
    """Whether a message is a slash and one word that is no command of ours."""
    return bool(_ONE_COMMAND.fullmatch(text.strip())) and (
        command_in(text, at_open_question=True) is None
    )


def start_code(text: str) -> str | None:
    """Give the code of ``/start CODE`` (a deep link); None when there is none."""
    head = text.strip().split(maxsplit=1)
    if len(head) == 2 and head[0].startswith("/"):
        command = fold(head[0][1:].partition("@")[0])
        return head[1].strip() if command == Command.START else None
    return None


def means(text: str, *meanings: str) -> bool:
    """Whether a whole message has one of these meanings, such as ``yes`` or ``dont_know``."""
    if len(text) > _LONGEST:
        return False
    folded = fold(text)
    said = {folded, without_politeness(folded)}
    return any(not said.isdisjoint(_MEANINGS[meaning]) for meaning in meanings)
