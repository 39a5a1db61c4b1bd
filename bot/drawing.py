"""Who is asked which questions of a pool: the draw, with the counts that balance it.

What lives here: keeping counts and what people were given while a transaction draws for one
person or for many. What must not: the draw itself (``dialogues/draw.py``), or who is asked at
all (``waves.py``, ``visit.py``).

In a wave the draw is balanced (see there) and its seed stands in the wave's row, so that the
seed, the people in order and what was drawn before give the same questions again. Those who are
invited together exchange what they had last time. Outside waves the draw is by chance, and who
is known gets first what they never had.

In an anonymous survey every draw is by chance alone, and nothing of it is kept: a draw that
looked at the others' would tell who came first and who last. Where three people have shared
out a pool of twelve, a fourth who joins on another day would be known by having what the
counts had least of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from dialogues.draw import draw_balanced, draw_by_chance, newest_last, pool_of, share_out
from dialogues.survey import Survey
from storage.protocol import Store, Wave

__all__ = ["Drawer"]


class Drawer:
    """Draws questions of one survey for one person after another, within one transaction.

    ``save`` keeps what was drawn and belongs to the same transaction; without it nothing is
    counted. On an engine with several writers the wave's counts are held until its end, so
    two workers never draw by the same counts.
    """

    def __init__(
        self,
        store: Store,
        survey: Survey,
        wave: Wave | None,
        *,
        count: int | None,
        strands: Mapping[str, str],
        new_id: Callable[[], str],
    ) -> None:
        """Make ready to draw.

        Args:
            store: Of this transaction.
            survey: Whose pool.
            wave: In which is drawn; None outside waves.
            count: Questions for each person; None for all, and then nothing is drawn.
            strands: Enabler to its strand.
            new_id: Gives a seed by chance.
        """
        self._store = store
        self._survey = survey
        self._count = count
        self._new_id = new_id
        self._pool = pool_of(survey, strands)
        self._wave = wave
        self._balanced = wave is not None and wave.seed is not None and not survey.anonymous
        self._new: Counter[str] = Counter()
        self._before: dict[str, tuple[str, ...]] = {}
        self._given: dict[str, tuple[str, ...]] = {}
        self._drawn: dict[str, tuple[str, ...]] = {}
        self._in_wave: Counter[str] = Counter()
        self._earlier: Mapping[str, int] = {}
        if count is not None and wave is not None and self._balanced:
            store.hold(f"draws:{wave.wave_id}")
            coverage = store.coverage(wave.wave_id)
            self._in_wave = Counter(coverage.wave)
            self._earlier = coverage.before

    def draw_all(self, respondent_ids: Sequence[str]) -> None:
        """Draw for many at once; ``draw`` then gives each what was drawn for them.

        Those who were drawn for together exchange what they had last time, as far as they
        can, so ask for as many at once as one transaction holds.
        """
        self._recall(respondent_ids)
        drawn = [self.draw(one) or () for one in respondent_ids]
        if not self._balanced:
            return
        before = [self._before[one] for one in respondent_ids]
        shared = share_out(self._pool, drawn, before)
        for one, questions in zip(respondent_ids, shared, strict=True):
            self._note(one, questions)

    def draw(self, respondent_id: str) -> tuple[str, ...] | None:
        """Draw for a person; None where everybody is asked everything."""
        if respondent_id in self._drawn:
            return self._drawn[respondent_id]
        count = self._count
        if count is None:
            return None
        if self._survey.anonymous:
            return draw_by_chance(self._pool, count, seed=self._new_id())
        if respondent_id not in self._before:
            self._recall([respondent_id])
        asked = self._before[respondent_id]
        if self._balanced and self._wave is not None:
            drawn = draw_balanced(
                self._pool,
                count,
                seed=f"{self._wave.seed}\0{self._wave.wave_id}\0{respondent_id}",
                wave=self._in_wave,
                before=self._earlier,
                asked=asked,
            )
            self._in_wave.update(drawn)
            self._new.update(drawn)
        else:
            drawn = draw_by_chance(self._pool, count, seed=self._new_id(), asked=asked)
        self._note(respondent_id, drawn)
        return drawn

    def _recall(self, respondent_ids: Sequence[str]) -> None:
        if self._count is not None and not self._survey.anonymous:
            found = self._store.given_before(self._survey.survey_id, respondent_ids)
            self._before |= {one: found.get(one, ()) for one in respondent_ids}

    def _note(self, respondent_id: str, drawn: tuple[str, ...]) -> None:
        self._drawn[respondent_id] = drawn
        self._given[respondent_id] = newest_last(self._before[respondent_id], drawn)

    def take_back(self, respondent_id: str) -> None:
        """Count a draw no more: the person was in the wave already."""
        drawn = self._drawn.pop(respondent_id, ())
        self._given.pop(respondent_id, None)
        if self._balanced:
            self._in_wave.subtract(drawn)
            self._new.subtract(drawn)

    def save(self) -> None:
        """Keep what was drawn since the last time."""
        if self._wave is not None and self._balanced:
            self._store.add_draws(self._wave.wave_id, self._new)
        self._store.note_given(self._survey.survey_id, self._given)
        self._before |= self._given
        self._new, self._given, self._drawn = Counter(), {}, {}
