"""Results: once a wave is closed and read, its cohort is told what it said.

What lives here: when results are made and who is told of them, and the jobs that do it. Truth
is in rows: results are made once for a wave and stay as they are; who was told is a mark that
moves on in one transaction with the messages, so that a crash tells nobody twice. What must
not: counting (``storage.reports``), words (``summary.py``), or the clock (``schedule.py``
ticks).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.house import House
from bot.jobs import RunJob
from bot.notes import Notes
from bot.summary import Summary, language_for, prompt_of, summary_of
from bot.timing import window_for
from dialogues.coding import Codeframe
from dialogues.errors import StoreError
from dialogues.prompts import Prompt
from dialogues.survey import Survey
from storage.protocol import TELLING, KeptResults, Store, Wave
from storage.reports.charts import Chart
from storage.reports.drawing import draw_apart
from storage.reports.figures import WaveFigures, figures_of

__all__ = ["Results"]

log = logging.getLogger(__name__)

#: How long results wait for words that no model has read yet.
_PATIENCE = timedelta(minutes=15)

#: Results of waves that closed longer ago go to nobody by themselves: after a long stop of
#: ours, or a wave of before there were results. They can be asked for.
_NEWS = timedelta(days=7)

#: Waves dealt with in a tick, and people in a transaction.
_WAVES = 4
_BATCH = 100

_PLACES = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What is known of a wave when its results are made."""

    wave: Wave
    survey: Survey
    figures: WaveFigures


class Results:
    """Makes results and tells people. Every method that takes a store is one transaction."""

    def __init__(
        self,
        house: House,
        *,
        codeframe: Codeframe,
        slashes: Mapping[str, bool],
        now: Callable[[], datetime],
        draw: Callable[[Sequence[Chart]], list[bytes] | None] = draw_apart,
    ) -> None:
        """Make it.

        Args:
            house: The installation.
            codeframe: What words are tagged with.
            slashes: Channel to whether commands are written with a slash there.
            now: Gives aware UTC.
            draw: Draws pictures, outside of any transaction; None where that fails.
        """
        self._house = house
        self._codeframe = codeframe
        self._slashes = slashes
        self._now = now
        self._draw = draw
        self._notes = Notes(house, codeframe=codeframe, now=now)
        self._troubled: set[str] = set()

    def tick(self, run: RunJob) -> None:
        """Make the results that are due, and tell who is still to be told of results and of
        notes.
        """
        before = self._now() - _PATIENCE
        for wave_id in run(lambda store: store.results_due(before=before, limit=_WAVES)):
            self._passing_over(wave_id, partial(self._make, wave_id, run))
        for kept in run(lambda store: store.untold_results()):
            self._passing_over(kept.wave.wave_id, partial(self._tell, kept, run))
        for note in run(lambda store: store.untold_notes()):
            self._passing_over(note.note_id, partial(self._notes.tell, note, run))

    def _passing_over(self, what: str, work: Callable[[], None]) -> None:
        """Let one thing fail and the rest go on; the log has its id, the first time.

        A store that does not work fails everything, and is tried again at the next tick.
        """
        try:
            work()
        except StoreError:
            raise
        except Exception as trouble:
            if what not in self._troubled:
                self._troubled.add(what)
                log.error("Nobody is told of %s: %s", what, type(trouble).__name__)

    # Making -------------------------------------------------------------------------------

    def _make(self, wave_id: str, run: RunJob) -> None:
        made = run(partial(self._figures, wave_id=wave_id))
        pictures = self._pictures(made)
        if run(partial(self._keep, made=made, pictures=pictures)):
            log.info("Made the results of %s", wave_id)

    def _figures(self, store: Store, wave_id: str) -> _Made:
        wave = store.wave(wave_id)
        survey = None if wave is None else store.survey(wave.survey_id, wave.revision)
        if wave is None or survey is None:
            raise LookupError("the wave or its survey is not kept")
        figures = figures_of(store, wave_id, survey, self._codeframe, least=self._house.min_group)
        return _Made(wave=wave, survey=survey, figures=figures)

    def _pictures(self, made: _Made) -> dict[str, bytes]:
        """Draw the picture in every language of the survey."""
        charts = {
            language: summary.chart()
            for language in made.survey.languages
            if (summary := self._summary(made, language)) and made.figures.took_part is not None
        }
        drawn = {language: chart for language, chart in charts.items() if chart is not None}
        if not drawn:
            return {}
        pictures = self._draw(list(drawn.values()))
        if pictures is None:
            log.warning("The picture of %s could not be drawn", made.wave.wave_id)
            return {}
        return dict(zip(drawn, pictures, strict=True))

    def _summary(self, made: _Made, language: str) -> Summary:
        return summary_of(
            made.wave,
            made.figures,
            survey=made.survey,
            house=self._house,
            codeframe=self._codeframe,
            language=language,
            slash=False,
            now=self._now(),
        )

    def _keep(self, store: Store, made: _Made, pictures: Mapping[str, bytes]) -> bool:
        """Keep results for good, and post them to the cohort's place."""
        wave, now = made.wave, self._now()
        share = self._house.share(wave.pulse)
        closed_at = wave.closes_at or now
        news = now - closed_at <= _NEWS and made.figures.invited > 0
        news = news and not store.hushed(wave.wave_id)
        kept = store.keep_results(
            wave.wave_id,
            made.figures,
            pictures={
                language: store.keep_picture(content, at=now)
                for language, content in pictures.items()
            },
            telling=news and share in ("direct", "both"),
            at=now,
        )
        cohort = self._house.cohort(wave.cohort)
        place = None if cohort is None else cohort.place
        if kept and news and share in ("channel", "both") and place is not None:
            self._post(store, made, place)
        return kept

    def _post(self, store: Store, made: _Made, place: str) -> None:
        kept = store.results(made.wave.wave_id)
        if kept is None:
            return
        language = made.survey.default_language
        summary = self._summary(made, language)
        prompt = prompt_of(kept, summary, summary.text(in_place=True))
        wave = made.wave
        window = window_for(wave, None, self._now())
        if window is not None:
            store.post(_PLACES, place, prompt, window=window, wave_id=wave.wave_id)

    # Telling ------------------------------------------------------------------------------

    def _tell(self, kept: KeptResults, run: RunJob) -> None:
        """Tell everybody of a wave who is still to be told."""
        after = kept.told_after
        while after is not None:
            after = run(partial(self._tell_some, kept=kept, before=after))

    def _tell_some(self, store: Store, kept: KeptResults, before: str) -> str | None:
        """Tell some people; give the last of them, None when there is nobody left for us."""
        store.hold(TELLING)
        wave = kept.wave
        survey = store.survey(wave.survey_id, wave.revision)
        members = store.audience(wave.wave_id, after=before, limit=_BATCH)
        wanted = self._house.share(wave.pulse) in ("direct", "both")
        after = members[-1].respondent_id if members and wanted else None
        if not store.tell_on(wave.wave_id, before=before, after=after):
            return None
        if after is None or survey is None:
            return None
        now = self._now()
        prompts: dict[tuple[str, bool], Prompt] = {}
        for member in members:
            language = language_for(survey, member.language)
            slash = self._slashes.get(member.channel, False)
            if (language, slash) not in prompts:
                summary = summary_of(
                    wave,
                    kept.figures,
                    survey=survey,
                    house=self._house,
                    codeframe=self._codeframe,
                    language=language,
                    slash=slash,
                    now=now,
                )
                prompts[language, slash] = prompt_of(kept, summary, summary.text())
            window = window_for(wave, store.timing(member.respondent_id), now)
            if window is not None:
                store.say(
                    member,
                    [prompts[language, slash]],
                    at=now,
                    lane=1,
                    wave_id=wave.wave_id,
                    window=window,
                )
        return after
