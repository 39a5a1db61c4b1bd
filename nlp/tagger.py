"""The tagger's contract: text to codings.

What lives here: the protocol that the shell and the contract tests rely on. What must
not: spaCy or any model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dialogues.coding import Coding

__all__ = ["Tagged", "Tagger", "ToTag", "provenance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTag:
    """A free-text answer with what it answers.

    Attributes:
        text: As kept, not normalised, not stripped.
        question: The question as it was shown; None where it is not known.
        language: The one that the person chose, as a tag such as ``en``; None where it is not
            known. They may have answered in another.
    """

    text: str
    question: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """What a tagger made of one answer.

    Attributes:
        codings: By descending confidence; empty when no code applies.
        error: Why the text could not be tagged; None when it was. A text with an error
            has no codings.
        pipeline: What read it beside the model, such as ``cues-cy``; None for the model.
    """

    codings: tuple[Coding, ...]
    error: str | None = None
    pipeline: str | None = None


def provenance(version: str, pipeline: str | None) -> str:
    """Name what tagged an answer: ``name@hash``, or ``name@hash+cues-cy``."""
    return version if pipeline is None else f"{version}+{pipeline}"


class Tagger(Protocol):
    """Tags answers. Not thread-safe unless an implementation says so."""

    @property
    def version(self) -> str:
        """Name and version of the model, such as ``commonpulse@3f2a9c01``; changes with it."""
        ...

    def tag(self, answers: Sequence[ToTag]) -> list[Tagged]:
        """Tag answers, in the order given, one result an answer.

        Never raises for a text: one that breaks the model gives an ``error`` and the rest
        go on. Safe to repeat: the same input and model give the same output.
        """
        ...
