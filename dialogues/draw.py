"""Planned missingness: which questions of the pool a person is asked.

What lives here: the draw, a pure function of a seed. What must not: chance, or who gets
when (the shell).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from dialogues.survey import Survey

__all__ = ["draw_questions", "pool"]


def pool(survey: Survey) -> tuple[str, ...]:
    """Give the questions that a draw chooses from: those with an enabler that stand alone.

    What depends on one of them (``show_if``) comes with it and is not counted.
    """
    return tuple(
        question.id
        for question in survey.questions
        if question.enabler is not None and not question.show_if
    )


def draw_questions(
    survey: Survey, count: int, *, seed: str, strands: Mapping[str, str]
) -> tuple[str, ...]:
    """Draw ``count`` questions of the pool, spread over the strands.

    Args:
        survey: Whose pool.
        count: How many; more than the pool holds gives all of it.
        seed: The same seed gives the same draw; another person or wave has another.
        strands: Enabler to its strand; an enabler without one counts as a strand.

    Returns:
        Question ids in the survey's order. Every strand has its turn before any has a
        second one.
    """
    ranked: dict[str, list[str]] = {}
    for question_id in pool(survey):
        enabler = survey.by_id[question_id].enabler or ""
        ranked.setdefault(strands.get(enabler, enabler), []).append(question_id)
    for strand, ids in ranked.items():
        ranked[strand] = sorted(ids, key=lambda one: _rank(seed, one))
    order = sorted(ranked, key=lambda strand: _rank(seed, f"strand:{strand}"))
    rounds = max((len(ids) for ids in ranked.values()), default=0)
    drawn = [
        ranked[strand][turn]
        for turn in range(rounds)
        for strand in order
        if turn < len(ranked[strand])
    ]
    chosen = set(drawn[:count])
    return tuple(question.id for question in survey.questions if question.id in chosen)


def _rank(seed: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
