"""What people are asked and what they answer: everybody always the same.

Everybody has their own answer to each question, so that an answer that went to another
question or to another person shows.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

from tests.fakes.crowd import Action, Exchange, Press, Say
from tests.fakes.people import Message, Person

__all__ = [
    "QUESTIONS",
    "SURVEY",
    "TYPED",
    "acknowledged",
    "ended",
    "mark",
    "meant",
    "platform_id",
    "policy",
]

SURVEY = """
survey = "killed"
title = "Killed survey"
ask_sector = false
thanks = "Thank you. [end]"
consent.text = "May we keep your answers? [consent]"

[[question]]
id = "goals"
kind = "scale"
text = "We want the same. [goals]"
labels = ["Not at all", "A little", "Mostly", "Fully"]
enabler = "shared_goals"

[[question]]
id = "why"
kind = "text"
text = "What makes you say so? [why]"

[[question]]
id = "example"
kind = "text"
text = "Can you give an example? [example]"

[[question]]
id = "meetings"
kind = "number"
text = "How many meetings were there? [meetings]"
min = 0
max = 1000

[[question]]
id = "count"
kind = "number"
text = "How many people came? [count]"
min = 0
max = 1000

[[question]]
id = "sectors"
kind = "multichoice"
text = "Who was there? [sectors]"
choices = ["Council", "Charity", "Business", "Residents"]

[[question]]
id = "service"
kind = "choice"
text = "Which service is it about? [service]"
choices = ["Housing", "Health", "Schools", "Police"]

[[question]]
id = "again"
kind = "yesno"
text = "Would you do it again? [again]"

[[question]]
id = "risk"
kind = "scale"
text = "We talk about what could go wrong. [risk]"
labels = ["Never", "Sometimes", "Often", "Always"]
enabler = "risk"

[[question]]
id = "last"
kind = "text"
text = "What else? [last]"
"""

ORDER = (
    "consent", "goals", "why", "example", "meetings", "count", "sectors", "service", "again",
    "risk", "last", "end",
)  # fmt: skip
QUESTIONS = ORDER[1:-1]
TYPED = {"why", "example", "last"}
OPTIONS = {
    "goals": ["Not at all", "A little", "Mostly", "Fully"],
    "sectors": ["Council", "Charity", "Business", "Residents"],
    "service": ["Housing", "Health", "Schools", "Police"],
    "again": ["Yes", "No"],
    "risk": ["Never", "Sometimes", "Often", "Always"],
}
TEAM = "T0000000001"
_MARK = re.compile(r"\[(\w+)\]")


def draw(person_id: Any, question: str, below: int) -> int:
    """Give a number that this person always gives at this question."""
    return zlib.crc32(f"{person_id}:{question}".encode()) % below


def chosen(person_id: Any, question: str) -> list[str]:
    """Give the labels that this person chooses."""
    options = OPTIONS[question]
    if question != "sectors":
        return [options[draw(person_id, question, len(options))]]
    mask = 1 + draw(person_id, question, 2 ** len(options) - 1)
    return [label for place, label in enumerate(options) if mask & 1 << place]


def meant(person_id: Any, question: str) -> str:
    """Give the value that has to be stored for this person."""
    if question in TYPED:
        return words(person_id, question)
    if question in ("meetings", "count"):
        return str(draw(person_id, question, 1000))
    labels = chosen(person_id, question)
    if question in ("goals", "risk"):
        return str(OPTIONS[question].index(labels[0]) + 1)
    return "|".join(label.lower() for label in labels)


def words(person_id: Any, question: str) -> str:
    """Give what this person types at an open question."""
    return f"{person_id} says at {question}: we meet every month."


def mark(text: str) -> str:
    """Give the question that a message shows; empty when it shows none."""
    found = _MARK.findall(text)
    return found[-1] if found else ""


def ended(message: Message) -> bool:
    """Whether this is the last that somebody is shown."""
    return mark(message.text) == "end"


def policy(person: Person, message: Message) -> Action | None:
    """Answer what is shown, every time the same."""
    question = mark(message.text)
    if question == "consent":
        return Press("I agree")
    if question in TYPED:
        return Say(words(person.id, question))
    if question in ("meetings", "count"):
        return Say(meant(person.id, question))
    if question == "sectors":
        ticked = {label[2:] for label in message.labels if label.startswith("✓ ")}
        wanted = set(chosen(person.id, question))
        for label in OPTIONS[question]:
            if (label in ticked) != (label in wanted):
                return Press(f"✓ {label}" if label in ticked else label)
        return Press("Done")
    if question in OPTIONS:
        return Press(chosen(person.id, question)[0])
    return None


def acknowledged(exchanges: list[Exchange]) -> Iterator[str]:
    """Give the questions after whose answer the person was shown a later one."""
    for exchange in exchanges:
        question = mark(exchange.question)
        if exchange.shown is None or question not in QUESTIONS:
            continue
        following = mark(exchange.shown)
        if following in ORDER and ORDER.index(following) > ORDER.index(question):
            yield question


def platform_id(person_id: Any) -> str:
    """Give a person's id as the database has it: in Slack with the team's."""
    return str(person_id) if isinstance(person_id, int) else f"{TEAM}:{person_id}"
