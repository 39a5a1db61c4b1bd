"""Planned missingness: which questions of the pool a person is asked.

What lives here: the draw, a pure function of a seed and of what was drawn before. What must
not: chance, or who gets when (the shell).

Two ways to draw. A *balanced* draw covers all alike: what is covered least comes first, so
that in a wave any two enablers are drawn equally often or one of them once more, at every
moment, and over the waves of a cohort too (as long as nobody gets more questions than there
are enablers, and the pool stays the same). Between what is covered alike it takes one of each
strand before a second of any, then what this person was asked longest ago, or never. A draw *by
chance* looks at nobody else: every question has the same chance, spread over the strands; who
is known gets first what they never had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialogues.survey import Survey

__all__ = ["Pool", "draw_balanced", "draw_by_chance", "newest_last", "pool_of", "share_out"]

#: With how many others somebody tries to exchange a question.
_EXCHANGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The questions that a draw chooses from.

    Attributes:
        ids: In the survey's order.
        enablers: The enabler of each, as a number counted from 0.
        strands: The strand of each, likewise.
        by_enabler: Places in ``ids`` of each enabler's questions.
        by_strand: And of each strand's.
    """

    ids: tuple[str, ...]
    enablers: tuple[int, ...]
    strands: tuple[int, ...]
    by_enabler: tuple[tuple[int, ...], ...] = field(init=False)
    by_strand: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_enabler", _places(self.enablers))
        object.__setattr__(self, "by_strand", _places(self.strands))


def pool_of(survey: Survey, strands: Mapping[str, str]) -> Pool:
    """Give a survey's pool.

    Args:
        survey: Whose.
        strands: Enabler to its strand; an enabler without one counts as a strand.
    """
    enablers = [survey.by_id[one].enabler or "" for one in survey.pool]
    return Pool(
        ids=survey.pool,
        enablers=_numbered(enablers),
        strands=_numbered([strands.get(enabler, enabler) for enabler in enablers]),
    )


def _numbered(names: Sequence[object]) -> tuple[int, ...]:
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return tuple(order[name] for name in names)


def _places(groups: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(place for place, group in enumerate(groups) if group == number)
        for number in range(max(groups, default=-1) + 1)
    )


def draw_balanced(
    of: Pool,
    count: int,
    *,
    seed: str,
    wave: Mapping[str, int],
    before: Mapping[str, int],
    asked: Sequence[str] = (),
) -> tuple[str, ...]:
    """Draw the questions that are covered least.

    Args:
        of: Chosen from.
        count: How many; more than the pool holds gives all of it.
        seed: Decides what nothing else does; another person or wave has another.
        wave: How often each question was drawn in this wave so far; 0 where missing.
        before: How often in earlier waves of the same pulse and cohort.
        asked: What this person was given earlier, the newest last.

    Returns:
        Question ids in the survey's order.
    """
    if count >= len(of.ids):
        return of.ids
    in_wave = [wave.get(one, 0) for one in of.ids]
    in_all = [n + before.get(one, 0) for n, one in zip(in_wave, of.ids, strict=True)]
    rank = [*zip(_recency(of, asked), _ranks(seed, len(of.ids)), strict=True)]
    given: list[int] = []
    # Every enabler once, then every one that has another question, and so on.
    for offered in _offers(of, in_wave, in_all, rank):
        # Those that are covered alike are all given, or some of them are chosen.
        given += _chosen(of, offered, count - len(given), given, rank)
        if len(given) == count:
            break
    return tuple([of.ids[place] for place in sorted(given)])


def share_out(
    of: Pool, draws: Sequence[tuple[str, ...]], asked: Sequence[Sequence[str]]
) -> list[tuple[str, ...]]:
    """Let people who were drawn for at once exchange what they had last time.

    Two of them exchange questions of one strand where that spares one of them a question that
    they were given last time, and the other gets none of theirs. So every question stays drawn
    as often as it was, and everybody's draw as spread.

    Args:
        of: The pool that was drawn from.
        draws: One a person, each in the survey's order.
        asked: What each person was given earlier, the newest last; in the same order.

    Returns:
        The draws, in the same order.
    """
    strands = dict(zip(of.ids, of.strands, strict=True))
    now = [set(drawn) for drawn in draws]
    last = [
        set(given[-len(drawn) :]) if drawn else set()
        for drawn, given in zip(draws, asked, strict=True)
    ]
    everybody = range(len(draws))
    for one in everybody:
        for again in [two for two in draws[one] if two in now[one] and two in last[one]]:
            others = [(one + step) % len(draws) for step in everybody[1 : _EXCHANGES + 1]]
            found = next(
                (
                    (other, instead)
                    for other in others
                    if again not in now[other] and again not in last[other]
                    for instead in of.ids
                    if instead in now[other]
                    and strands[instead] == strands[again]
                    and instead not in now[one]
                    and instead not in last[one]
                ),
                None,
            )
            if found is not None:
                other, instead = found
                now[one] = now[one] - {again} | {instead}
                now[other] = now[other] - {instead} | {again}
    return [tuple(question for question in of.ids if question in drawn) for drawn in now]


def _offers(
    of: Pool, in_wave: list[int], in_all: list[int], rank: Sequence[object]
) -> Iterator[list[int]]:
    """Give the questions that are covered alike, the least covered first."""
    if len(of.by_enabler) == len(of.ids):
        yield from _by_coverage(zip(in_wave, in_all, range(len(of.ids)), strict=True))
        return
    rows = [
        sorted(row, key=lambda one: (in_wave[one], in_all[one], rank[one])) for row in of.by_enabler
    ]
    for turn in range(max(map(len, rows))):
        yield from _by_coverage(
            (sum(in_wave[one] for one in row), sum(in_all[one] for one in row), row[turn])
            for row in rows
            if turn < len(row)
        )


def _by_coverage(covered: Iterable[tuple[int, int, int]]) -> Iterator[list[int]]:
    """Group (in the wave, in all, place) by the first two, the least first."""
    alike: dict[tuple[int, int], list[int]] = {}
    for in_wave, in_all, place in covered:
        key = (in_wave, in_all)
        if key in alike:
            alike[key].append(place)
        else:
            alike[key] = [place]
    for key in sorted(alike):
        yield alike[key]


def _chosen(
    of: Pool, offered: list[int], count: int, given: list[int], rank: Sequence[Any]
) -> list[int]:
    """Choose ``count`` of the questions that are offered, spread over the strands."""
    if len(offered) <= count:
        return offered
    strands = of.strands
    taken = [0] * len(of.by_strand)
    for place in given:
        taken[strands[place]] += 1
    rows: list[list[int]] = [[] for _ in of.by_strand]
    # The first of a strand comes last in its row, to be taken from the end.
    for place in sorted(offered, key=rank.__getitem__, reverse=True):
        rows[strands[place]].append(place)
    chosen = []
    for _ in range(count):
        # Where a strand has most left to give, somebody later would get two of it.
        best = min(
            (taken[strand], -len(row), rank[row[-1]], strand)
            for strand, row in enumerate(rows)
            if row
        )[3]
        chosen.append(rows[best].pop())
        taken[best] += 1
    return chosen


def _recency(of: Pool, asked: Sequence[str]) -> list[tuple[int, int]]:
    """Rank each question by how lately a person was given it: never, then longest ago.

    Of those never given, the one comes first that follows in its strand on the person's
    newest. People who had different questions of a strand so have different ones again, and
    nobody is left with what they had last time.
    """
    ranks = [(-1, 0)] * len(of.ids)
    if not asked:
        return ranks
    when = {one: at for at, one in enumerate(asked)}
    times = [when.get(one, -1) for one in of.ids]
    for members in of.by_strand:
        newest = max(members, key=times.__getitem__)
        if times[newest] >= 0:
            at = members.index(newest)
            for step in range(len(members)):
                place = members[(at + step) % len(members)]
                ranks[place] = (times[place], step)
    return ranks


def _ranks(seed: str, count: int) -> list[bytes]:
    """Give ``count`` ranks by chance, the same for the same seed."""
    digest = hashlib.shake_256(seed.encode()).digest(8 * count)
    return [digest[8 * place : 8 * place + 8] for place in range(count)]


def draw_by_chance(
    of: Pool, count: int, *, seed: str, asked: Sequence[str] = ()
) -> tuple[str, ...]:
    """Draw questions without regard to anybody else's, each with the same chance.

    Args:
        of: Chosen from.
        count: How many; more than the pool holds gives all of it.
        seed: The same seed gives the same draw.
        asked: What this person was given earlier, the newest last. The rest comes first, and
            where that is not enough, what was given longest ago.

    Returns:
        Question ids in the survey's order, as evenly over the strands as there are of each.

    Source: systematic sampling from a list in random order within and between strata, as in
        W. G. Cochran, *Sampling Techniques*, 1977, chapter 8.
    """
    fresh = [place for place, one in enumerate(of.ids) if one not in asked]
    if len(fresh) <= count:
        given = [one for one in asked if one in of.ids][: count - len(fresh)]
        return tuple(one for one in of.ids if one not in asked or one in given)
    size = len(fresh)
    strands = _numbered([of.strands[place] for place in fresh])
    ranks = _ranks(seed, 2 * size + 1)
    row = sorted(range(size), key=lambda at: (ranks[size + strands[at]], ranks[at]))
    start = int.from_bytes(ranks[-1]) % size
    chosen = {fresh[row[(start + step * size // count) % size]] for step in range(count)}
    return tuple(one for place, one in enumerate(of.ids) if place in chosen)


def newest_last(asked: Sequence[str], drawn: Sequence[str]) -> tuple[str, ...]:
    """Give what a person was given so far, the newest last."""
    return (*(one for one in asked if one not in drawn), *drawn)
