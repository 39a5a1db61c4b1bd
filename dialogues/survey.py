"""The instrument: surveys, questions, choices and the conditions between them.

What lives here: frozen models of a survey file (design section 4) and what the engine
asks of them. What must not: reading files or lines (the shell does), checks across
questions (``checks.py``), conversation (``engine.py``).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialogues.text import Text

__all__ = [
    "Choice",
    "ChoiceQuestion",
    "Condition",
    "Consent",
    "MultichoiceQuestion",
    "NumberQuestion",
    "Option",
    "Question",
    "ScaleQuestion",
    "Survey",
    "TextQuestion",
    "YesNoQuestion",
    "slug",
]

#: What an id of a survey, question or choice may look like.
ID = r"^[a-z0-9][a-z0-9_-]*$"


def slug(words: str) -> str:
    """Make an id of a label: lower case a-z, 0-9 and ``_``; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Condition(_Model):
    """What an earlier answer must be; every key that is given has to hold.

    A skipped, unanswered or never asked question meets only ``answered = false``.
    """

    equals: str | int | float | bool | None = Field(default=None, alias="is")
    one_of: tuple[str | int | float, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str | int | float, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None
    answered: bool | None = None


class Choice(_Model):
    """One choice of a question; its id is what is stored."""

    id: str = Field(pattern=ID, max_length=64)
    text: Text

    @model_validator(mode="before")
    @classmethod
    def _from_label(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"id": slug(value) or "choice", "text": value}
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A thing that can be pressed as an answer.

    Attributes:
        value: What is stored (design section 10): ``1``..``n``, a choice id, ``yes``/``no``.
        text: Its label; None for yes and no, whose words are the bot's own.
    """

    value: str
    text: Text | None


class _Question(_Model):
    id: str = Field(pattern=ID, max_length=64)
    text: Text
    enabler: str | None = None
    show_if: dict[str, Condition] = Field(default_factory=dict)
    required: bool = False
    dont_know: bool = False

    @property
    def options(self) -> tuple[Option, ...]:
        """What can be pressed as an answer, in the order shown; empty for open kinds."""
        return ()


class TextQuestion(_Question):
    """An open question: any words are an answer."""

    kind: Literal["text"]


class ChoiceQuestion(_Question):
    """One of several choices."""

    kind: Literal["choice"]
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=50)

    @property
    def options(self) -> tuple[Option, ...]:
        """The choices."""
        return tuple(Option(value=choice.id, text=choice.text) for choice in self.choices)


class MultichoiceQuestion(_Question):
    """Several of several choices."""

    kind: Literal["multichoice"]
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=50)
    min_choices: int = Field(default=1, ge=1)
    max_choices: int | None = Field(default=None, ge=1)

    @property
    def options(self) -> tuple[Option, ...]:
        """The choices."""
        return tuple(Option(value=choice.id, text=choice.text) for choice in self.choices)

    @property
    def most(self) -> int:
        """How many may be chosen."""
        return len(self.choices) if self.max_choices is None else self.max_choices


class ScaleQuestion(_Question):
    """Points with a label each, stored as 1..n as shown."""

    kind: Literal["scale"]
    labels: tuple[Text, ...] = Field(min_length=2, max_length=11)
    reversed: bool = False

    @property
    def options(self) -> tuple[Option, ...]:
        """The points, the first label being 1."""
        return tuple(
            Option(value=str(point), text=label) for point, label in enumerate(self.labels, start=1)
        )


class NumberQuestion(_Question):
    """A number, within limits where they are given."""

    kind: Literal["number"]
    min: float | None = None
    max: float | None = None
    unit: Text | None = None


class YesNoQuestion(_Question):
    """Yes or no, stored as ``yes`` and ``no``."""

    kind: Literal["yesno"]

    @property
    def options(self) -> tuple[Option, ...]:
        """Yes, then no."""
        return (Option(value="yes", text=None), Option(value="no", text=None))


Question = Annotated[
    TextQuestion
    | ChoiceQuestion
    | MultichoiceQuestion
    | ScaleQuestion
    | NumberQuestion
    | YesNoQuestion,
    Field(discriminator="kind"),
]


class Consent(_Model):
    """What a person agrees to: the essence first, the whole on request."""

    text: Text
    more: Text | None = None


class Survey(_Model):
    """An instrument: questions in order, with what is said before and after.

    Attributes:
        survey_id: The ``survey`` key of the file.
        languages: The first is the default.
    """

    survey_id: str = Field(alias="survey", pattern=ID, max_length=64)
    title: Text
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)
    anonymity: Literal["confidential", "anonymous"] = "confidential"
    intro: Text | None = None
    thanks: Text | None = None
    consent: Consent
    questions: tuple[Question, ...] = Field(alias="question", min_length=1, max_length=200)

    @property
    def default_language(self) -> str:
        """The language that serves where another has no words."""
        return self.languages[0]

    @property
    def anonymous(self) -> bool:
        """Whether a submitted response loses every link to its person."""
        return self.anonymity == "anonymous"

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Question id to question."""
        return {question.id: question for question in self.questions}

    @cached_property
    def revision(self) -> str:
        """Hash of the survey's meaning: 12 hexadecimal digits, the same for the same survey."""
        meaning = json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(meaning.encode()).hexdigest()[:12]

    @cached_property
    def consent_revision(self) -> str:
        """Hash of the consent's words: who agreed to these need not be asked again."""
        words = json.dumps(self.consent.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    def say(self, text: Text | None, language: str) -> str:
        """Give a text of this survey in a language; empty for None."""
        return "" if text is None else text.say(language, self.default_language)
