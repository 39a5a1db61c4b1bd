"""Codes, codeframes and codings: what is said of the words of an answer.

Values only. Taggers (``nlp``) and people make codings; the store keeps them; nothing
here knows spaCy, a database or a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Code",
    "Codeframe",
    "Coding",
    "Cue",
    "KeptCoding",
    "Said",
    "Source",
    "Stance",
    "StanceCues",
    "Strand",
    "coder_id",
    "coder_name",
]

_PERSON = "coder:"


class Stance(StrEnum):
    """Whether the enabler is there, missing, or mentioned with no judgement."""

    STRENGTH = "strength"
    GAP = "gap"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """A group of codes.

    Attributes:
        key: a-z, 0-9 and _; unique in the codeframe.
        name: Language to name.
    """

    key: str
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Words that speak of a code, in a language for which there is no model.

    Attributes:
        phrase: One word or several, in any case.
        stance: What the phrase itself says, as "too slow" does; None where that hangs on the
            words around it.
    """

    phrase: str
    stance: Stance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceCues:
    """Words by which a cue's stance is told, in one language. Each is a phrase in any case.

    Attributes:
        strength: That something is there or works.
        gap: That something is missing or hinders.
        wish: That something is asked for, and so is missing.
        negation: That turn what they stand beside into its opposite.
        joiners: Single words at which a new clause begins.
    """

    strength: tuple[str, ...] = ()
    gap: tuple[str, ...] = ()
    wish: tuple[str, ...] = ()
    negation: tuple[str, ...] = ()
    joiners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One entry of a codeframe; in ours, an enabler.

    Attributes:
        key: a-z, 0-9 and _; unique in the codeframe.
        strand: Key of its strand; None in a codeframe without strands.
        name: Language to name.
        definition: Language to definition; empty where none is given.
        not_when: Language to when not to use it; empty where none is given.
        cues: Language to the phrases that speak of it; empty where none are given.
    """

    key: str
    strand: str | None
    name: Mapping[str, str]
    definition: Mapping[str, str]
    not_when: Mapping[str, str]
    cues: Mapping[str, tuple[Cue, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codeframe:
    """The list of codes that a tagger and its coders use.

    Attributes:
        codeframe_id: Its name, such as ``collaborative-capacity``.
        version: As written in the file.
        strands: In file order; empty where the codeframe has none.
        codes: In file order.
        stance_cues: Language to the words by which a cue's stance is told.
    """

    codeframe_id: str
    version: str
    strands: tuple[Strand, ...]
    codes: tuple[Code, ...]
    stance_cues: Mapping[str, StanceCues] = field(default_factory=dict)

    @property
    def cue_languages(self) -> tuple[str, ...]:
        """The languages in which some code has cue phrases, sorted."""
        return tuple(sorted({language for code in self.codes for language in code.cues}))

    def names(self, language: str) -> dict[str, str]:
        """Give each code's name by its key, in a language, or else in the first that it has."""
        return {
            code.key: code.name.get(language) or next(iter(code.name.values()))
            for code in self.codes
        }

    def code(self, key: str) -> Code:
        """Give the code with this key.

        Raises:
            KeyError: The codeframe has no such code.
        """
        for code in self.codes:
            if code.key == key:
                return code
        raise KeyError(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One code on one answer, by one coder.

    The field for the quoted words is called ``span`` here because ``evidence`` is one of
    the codes; files call it ``evidence`` (design section 7).

    Attributes:
        enabler: Key of the code.
        stance: Strength, gap or neutral; None where the data or model has no stance.
        span_text: Exactly ``text[span_start:span_end]``; empty where no evidence is given.
        span_start: Code points into the kept text.
        span_end: Code points, exclusive.
        confidence: Calibrated probability in [0, 1]; 1.0 for a person.
        threshold: The least confidence at which the tagger gives this code; None for a
            person, and where it is not known.
    """

    enabler: str
    stance: Stance | None
    span_text: str
    span_start: int
    span_end: int
    confidence: float
    threshold: float | None = None


class Source(StrEnum):
    """Who says what an answer holds."""

    TAGGER = "tagger"
    CODER = "coder"
    RESPONDENT = "respondent"


class Said(StrEnum):
    """What is said of a coding: a tagger suggests, people confirm (also what they changed or
    added) or reject.
    """

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCoding:
    """A coding as it is kept: with who gave it, when, and whether it holds.

    Attributes:
        coder: A tagger's ``name@hash``, or a person's ``coder:NAME``.
        coded_at: ISO 8601 in UTC; of a loose anonymous response the day alone.
    """

    coding: Coding
    coder: str
    source: Source
    status: Said
    coded_at: str


def coder_id(name: str) -> str:
    """Give what stands for a person as coder, beside taggers and respondents."""
    return f"{_PERSON}{name}"


def coder_name(coder: str) -> str:
    """Give a person's name as they are called in the configuration; a tagger's as it is."""
    return coder.removeprefix(_PERSON)
