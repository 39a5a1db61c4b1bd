"""What a closed wave said, in words: the message, the words for its picture, and the picture.

What lives here: wording figures for people. What must not: the store, sending, or a figure
that did not come out of ``storage.reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.house import House
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.prompts import Picture, Prompt
from dialogues.survey import Survey
from storage.protocol import KeptResults, Wave
from storage.reports.charts import (
    Chart,
    chart_of,
    code_name,
    counted,
    favour,
    said,
    share_words,
)
from storage.reports.figures import Mention, Statement, WaveFigures
from storage.reports.suppression import Span

__all__ = ["LONGEST", "Summary", "language_for", "prompt_of", "summary_of"]

#: UTF-16 units of the message: under a picture Telegram takes 1024 of them.
LONGEST = 900

#: UTF-16 units of the words for a picture.
_LONGEST_ALT = 1000

#: Statements from the best and from the least, characters of each, and enablers of each sort:
#: the first that gives a message short enough is taken.
_LEVELS = (
    (2, 2, 120, 3),
    (2, 2, 90, 3),
    (2, 1, 90, 3),
    (1, 1, 90, 3),
    (1, 1, 60, 2),
    (1, 1, 40, 1),
    (0, 0, 0, 1),
    (0, 0, 0, 0),
)

#: As many statements are listed together, without saying which go best.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The results of one wave in one language.

    Attributes:
        cohort: Its title.
        on: The local day of the wave.
        today: To write the date by.
        slash: Whether commands are written with a slash where it is read.
    """

    figures: WaveFigures
    survey: Survey
    codeframe: Codeframe
    cohort: str
    on: date
    today: date
    language: str
    slash: bool = False

    @property
    def title(self) -> str:
        """Its title: what was asked, whom and when."""
        return self._say("results_title", survey=self._survey(), cohort=self.cohort, date=self.date)

    @property
    def date(self) -> str:
        """Its day, as people say it."""
        return messages.day(self.on, self.language, today=self.today)

    def text(self, *, in_place: bool = False) -> str:
        """Give the message, at most ``LONGEST`` long.

        Args:
            in_place: Whether it is read in a channel of many.
        """
        if self.figures.took_part is None:
            return f"{self.title}\n\n{self._say('results_few')}"
        more = "results_more_place" if in_place else "results_more"
        after = f"{self._say('results_next')}\n{self._say(more, slash='/' if self.slash else '')}"
        for level in _LEVELS:
            parts = (self.title, self.took_part(), *self._middle(*level), after)
            text = "\n\n".join(part for part in parts if part)
            if _units(text) <= LONGEST:
                return text
        return _shortened(text, LONGEST)

    def took_part(self) -> str:
        """Say how many took part."""
        span = self.figures.took_part
        if span is None:
            return ""
        key = "results_took_part" if span.exact else "results_took_part_at_least"
        return self._say(key, n=span.low, total=self.figures.invited)

    def alt(self) -> str:
        """Give the words for the picture: all that it shows, as far as there is room."""
        told = [one for one in self.figures.statements if one.share is not None]
        parts = [f"“{said(one, self.survey, self.language)}” {self._share(one)}" for one in told]
        for one in self.figures.mentions:
            counts = [
                f"{self._say(f'chart_{key}')} {counted(span, self.language)}"
                for key, span in (("strength", one.strength), ("gap", one.gap))
                if span is not None
            ]
            parts.append(f"{self._code(one.enabler)}: {', '.join(counts)}")
        words = f"{self.took_part()} {'; '.join(parts)}."
        return _shortened(self._say("chart_alt", words=words), _LONGEST_ALT)

    def chart(self) -> Chart | None:
        """Give what the picture shows; None where there is nothing to draw."""
        return chart_of(
            self.figures,
            survey=self.survey,
            codeframe=self.codeframe,
            title=self._say("chart_title", cohort=self.cohort),
            subtitle=f"{self._survey()}, {self.date}. {self.took_part()}",
            language=self.language,
        )

    # The parts of the message ---------------------------------------------------------------

    def _middle(self, best: int, least: int, longest: int, names: int) -> list[str]:
        ranked = sorted(
            (one for one in self.figures.statements if one.share is not None),
            key=lambda one: -favour(one),
        )
        parts = []
        if longest and len(ranked) <= _FEW:
            parts.append(self._listed("results_all", ranked, longest))
        elif longest:
            going = _going(ranked, best, least)
            parts.append(self._listed("results_best", going[0], longest))
            parts.append(self._listed("results_least", going[1], longest))
        mentions = self.figures.mentions
        named = [
            self._named("results_strengths", [(one, one.strength) for one in mentions], names),
            self._named("results_gaps", [(one, one.gap) for one in mentions], names),
        ]
        lines = [line for line in named if line]
        if lines:
            parts.append("\n".join((self._say("results_words"), *lines)))
        if not ranked and not mentions:
            parts.append(self._say("results_none_told"))
        return parts

    def _listed(self, key: str, statements: Sequence[Statement], longest: int) -> str:
        lines = [
            self._say(
                "results_statement",
                text=_shortened(said(one, self.survey, self.language), longest),
                share=self._share(one),
            )
            for one in statements
        ]
        return "\n".join((self._say(key), *lines)) if lines else ""

    def _named(self, key: str, counts: Sequence[tuple[Mention, Span | None]], most: int) -> str:
        """List the enablers that most people named; ties by their order in the codeframe."""
        told = [(one, span) for one, span in counts if span is not None]
        told.sort(key=lambda pair: -pair[1].low)
        names = [
            self._say(
                "results_named",
                enabler=self._code(one.enabler),
                n=counted(span, self.language),
            )
            for one, span in told[:most]
        ]
        return self._say(key, listed=", ".join(names)) if names else ""

    def _share(self, statement: Statement) -> str:
        return share_words(statement, self.survey, self.language)

    def _code(self, key: str) -> str:
        return code_name(self.codeframe, key, self.language)

    def _survey(self) -> str:
        return self.survey.say(self.survey.title, self.language)

    def _say(self, key: str, **values: object) -> str:
        return messages.say(key, self.language, **values)


def language_for(survey: Survey, wanted: str | None) -> str:
    """Give the language in which somebody is told of a survey's results."""
    return wanted if wanted in survey.languages else survey.default_language


def summary_of(
    wave: Wave,
    figures: WaveFigures,
    *,
    survey: Survey,
    house: House,
    codeframe: Codeframe,
    language: str,
    slash: bool,
    now: datetime,
) -> Summary:
    """Give the results of a wave in a language."""
    cohort = house.cohort(wave.cohort)
    return Summary(
        figures=figures,
        survey=survey,
        codeframe=codeframe,
        cohort=wave.cohort if cohort is None else cohort.title,
        on=wave.rhythm.opens_on,
        today=now.astimezone(ZoneInfo(wave.timezone)).date(),
        language=language,
        slash=slash,
    )


def prompt_of(kept: KeptResults, summary: Summary, text: str) -> Prompt:
    """Give the message, with the picture in its language where there is one."""
    picture_id = kept.pictures.get(summary.language)
    picture = None if picture_id is None else Picture(picture_id=picture_id, alt=summary.alt())
    return Prompt(text=text, picture=picture)


def _going(
    ranked: Sequence[Statement], best: int, least: int
) -> tuple[list[Statement], list[Statement]]:
    """Give what goes best, best first, and what goes least well, that first.

    Only what is more good than bad goes well, and nothing goes least well that goes no worse
    than what goes best.
    """
    judged = [one for one in ranked if one.choice is None]
    well = [one for one in judged if favour(one) > 0.5][:best]
    bound = favour(well[-1]) if well else 1.0
    worse = [one for one in judged[::-1] if favour(one) < bound]
    return well, worse[:least]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shortened(text: str, most: int) -> str:
    """Cut a text at a word, with dots, where it is longer than so many UTF-16 units."""
    if _units(text) <= most:
        return text
    while _units(text) > most - 1:
        text = text[: len(text) - max(1, (_units(text) - most + 1) // 2)]
    head, space, _ = text.rpartition(" ")
    return (head if space and len(head) > most // 2 else text).rstrip(" ,;.:") + "…"
