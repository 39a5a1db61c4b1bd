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

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from dialogues.text import Text

__all__ = [
    "PLACEHOLDER",
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

#: ``{question_id}`` in a text stands for the answer that was given there.
PLACEHOLDER = re.compile(r"\{([a-z0-9][a-z0-9_-]*)\}")


def slug(words: str) -> str:
    """Make an id of a label: lower case a-z, 0-9 and ``_``; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _shown_in(text: Text) -> set[str]:
    """Give the questions whose answers a text shows, in any language."""
    return {one for words in text.root.values() for one in PLACEHOLDER.findall(words)}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Value = StrictBool | StrictInt | StrictFloat | StrictStr


class Condition(_Model):
    """What an earlier answer must be; every key that is given has to hold.

    A skipped, unanswered or never asked question meets only ``answered = false``.
    """

    equals: Value | None = Field(default=None, alias="is", description="it is this value")
    one_of: tuple[Value, ...] | None = Field(
        default=None, alias="in", description="it is one of these values"
    )
    not_in: tuple[Value, ...] | None = Field(
        default=None, description="it was answered, with none of these values"
    )
    at_least: StrictFloat | None = Field(
        default=None, description="the number or scale point is this or more"
    )
    at_most: StrictFloat | None = Field(
        default=None, description="the number or scale point is this or less"
    )
    answered: StrictBool | None = Field(
        default=None, description="`true`: it was answered; `false`: it was not"
    )


class Choice(_Model):
    """One choice of a question; its id is what is stored."""

    id: str = Field(
        pattern=ID,
        max_length=64,
        description="what is stored; a slug of the label where only a label is given",
    )
    text: Text = Field(description="the label; best at most 24 characters, it is a button")

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
    id: str = Field(
        pattern=ID,
        max_length=64,
        description="a-z, 0-9, _ and -; unique in the survey, and never used for other words later",
    )
    text: Text = Field(description="the words; `{id}` puts in the answer to an earlier question")
    enabler: str | None = Field(
        default=None, description="key of the code that it measures, of the codeframe"
    )
    show_if: dict[str, Condition] = Field(
        default_factory=dict,
        description="ids of earlier questions, and what each answer must be for this to be asked",
    )
    required: StrictBool = Field(
        default=False, description="`true`: it cannot be skipped; stopping is always possible"
    )
    dont_know: StrictBool = Field(
        default=False, description="offers “Don't know”: a missing reason, never a score"
    )

    @property
    def options(self) -> tuple[Option, ...]:
        """What can be pressed as an answer, in the order shown; empty for open kinds."""
        return ()


class TextQuestion(_Question):
    """An open question: any words are an answer."""

    kind: Literal["text"]
    member_check: StrictBool = Field(
        default=False,
        description="`true`: once the answer is read, its person is asked whether what was heard in"
        " it is right",
    )


class ChoiceQuestion(_Question):
    """One of several choices."""

    kind: Literal["choice"]
    choices: tuple[Choice, ...] = Field(
        min_length=2, max_length=50, description="labels, or tables of `id` and `text`"
    )

    @property
    def options(self) -> tuple[Option, ...]:
        """The choices."""
        return tuple(Option(value=choice.id, text=choice.text) for choice in self.choices)


class MultichoiceQuestion(_Question):
    """Several of several choices."""

    kind: Literal["multichoice"]
    choices: tuple[Choice, ...] = Field(
        min_length=2, max_length=50, description="labels, or tables of `id` and `text`"
    )
    min_choices: StrictInt = Field(default=1, ge=1, description="the fewest that may be chosen")
    max_choices: StrictInt | None = Field(
        default=None, ge=1, description="the most that may be chosen; all where it is left out"
    )

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
    labels: tuple[Text, ...] = Field(
        min_length=2, max_length=11, description="one for each point, the first being 1"
    )
    reversed: StrictBool = Field(
        default=False, description="`true`: agreeing is the bad news; scores turn round"
    )

    @property
    def options(self) -> tuple[Option, ...]:
        """The points, the first label being 1."""
        return tuple(
            Option(value=str(point), text=label) for point, label in enumerate(self.labels, start=1)
        )


class NumberQuestion(_Question):
    """A number, within limits where they are given."""

    kind: Literal["number"]
    min: StrictFloat | None = Field(default=None, description="the least that is taken")
    max: StrictFloat | None = Field(default=None, description="the most that is taken")
    unit: Text | None = Field(default=None, description="what is counted, such as hours")


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

    text: Text = Field(description="the essence, at most 500 characters")
    more: Text | None = Field(default=None, description="the whole, behind the button “More”")


class Survey(_Model):
    """An instrument: questions in order, with what is said before and after.

    Attributes:
        survey_id: The ``survey`` key of the file.
        languages: The first is the default.
    """

    survey_id: str = Field(
        alias="survey",
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        max_length=64,
        description="its id: a-z, 0-9 and -",
    )
    title: Text = Field(description="what people see as its name")
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")], ...] = (
        Field(
            default=("en",),
            min_length=1,
            description="the first serves where another has no words",
        )
    )
    anonymity: Literal["confidential", "anonymous"] = Field(
        default="confidential",
        description="`anonymous`: once sent, nothing joins the answers to the person",
    )
    intro: Text | None = Field(
        default=None,
        description="said before the first question; `{min_group}` puts in `results.min_group`"
        " here, in `thanks` and in the consent",
    )
    thanks: Text | None = Field(default=None, description="said after the last one")
    consent: Consent = Field(description="what a person agrees to, before anything is kept")
    ask_sector: StrictBool = Field(
        default=True,
        description="whether people are asked once who they answer as; `false` where the survey"
        " asks it itself",
    )
    questions: tuple[Question, ...] = Field(
        alias="question", min_length=1, max_length=200, description="the questions, in order"
    )

    @property
    def default_language(self) -> str:
        """The language that serves where another has no words."""
        return self.languages[0]

    @property
    def anonymous(self) -> bool:
        """Whether a submitted response loses every link to its person."""
        return self.anonymity == "anonymous"

    @cached_property
    def checked(self) -> frozenset[str]:
        """The questions whose people are asked whether they were heard right; none in an
        anonymous survey, where nobody is known who could be asked.
        """
        return frozenset(
            question.id
            for question in self.questions
            if isinstance(question, TextQuestion) and question.member_check and not self.anonymous
        )

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Question id to question."""
        return {question.id: question for question in self.questions}

    @cached_property
    def depends(self) -> dict[str, frozenset[str]]:
        """Question id to those that it stands on: its conditions ask for their answers, or its
        words show them, in any language.
        """
        return {
            question.id: frozenset({*question.show_if, *_shown_in(question.text)})
            & self.by_id.keys() - {question.id}
            for question in self.questions
        }

    @cached_property
    def drawn_with(self) -> dict[str, frozenset[str]]:
        """Question id to the questions of the pool that have to be drawn for it to be asked:
        itself, or those that it stands on; none where it is asked of everybody.
        """
        found: dict[str, frozenset[str]] = {}
        for question in self.questions:
            below = [found.get(one, frozenset()) for one in self.depends[question.id]]
            found[question.id] = frozenset().union(*below)
            alone = not question.show_if and not found[question.id]
            if question.enabler is not None and alone:
                found[question.id] = frozenset({question.id})
        return found

    @cached_property
    def pool(self) -> tuple[str, ...]:
        """The questions that a draw chooses from, in order: those with an enabler and without a
        condition that show no answer to another of them. What stands on one comes with it.
        """
        return tuple(one for one, roots in self.drawn_with.items() if one in roots)

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
