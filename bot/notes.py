"""Notes: "you said, we did". What organisers answer goes back to those who wrote of it.

What lives here: to whom a note may go, how many that is as the organisers may know it, its
words, and telling people. Who gets one is looked up when they are told, and kept nowhere. What
must not: the command line (``cli/replying.py``), or quoting anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.house import House
from bot.jobs import RunJob
from bot.timing import window_for
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.errors import CannotError
from dialogues.prompts import Prompt
from dialogues.survey import Survey
from storage.protocol import TELLING, Note, Respondent, Store, Wave
from storage.reports.charts import code_name

__all__ = ["ANY", "Notes", "Plan", "plan_note", "text_of"]

#: Stands for the language of words that serve every other language.
ANY = "*"

#: People told in one transaction.
_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A wave that a note is about.

    Attributes:
        anonymous: Then nobody knows who wrote what, and all who were invited are told.
    """

    wave: Wave
    survey: Survey
    anonymous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """To whom a note would go.

    Attributes:
        waves: Those that it is about, the newest first.
        people: How many get it, as it may be told.
        to_all: Whether it goes to all who were invited in one of them.
    """

    waves: tuple[Wave, ...]
    people: str
    to_all: bool


def plan_note(
    store: Store,
    *,
    cohort: str,
    enabler: str,
    stance: str | None,
    wave_ids: Sequence[str],
    least: int,
) -> Plan:
    """Find whom a note would go to.

    Args:
        store: Read only.
        cohort: Name of a cohort.
        enabler: Key of a code.
        stance: Only words with this stance; None for all.
        wave_ids: Closed waves of the cohort; empty for the newest in which the code is found.
        least: People behind a figure.

    Raises:
        CannotError: Nobody may get it.
    """
    closed = [one for one in store.waves(state="closed") if one.cohort == cohort]
    chosen = [one for one in closed if not wave_ids or one.wave_id in wave_ids]
    counts = {
        one.wave_id: store.count_carriers(one.wave_id, enabler, stance=stance) for one in chosen
    }
    found = [one for one in chosen if counts[one.wave_id]]
    if not wave_ids:
        found = found[:1]
    if not found:
        meant = enabler if stance is None else f"{enabler} as a {stance}"
        where = ", ".join(wave_ids) if wave_ids else f"a closed wave of {cohort}"
        raise CannotError(f"No words in {where} were tagged with {meant}, so nobody gets it.")
    sources = [_source(store, wave) for wave in found]
    told = [one for one in sources if not one.anonymous or counts[one.wave.wave_id] >= least]
    if not told:
        raise CannotError(
            f"Fewer than {least} people wrote about {enabler} in an anonymous survey. To write to"
            " everybody that people wrote about it could point at them, so nothing is sent."
        )
    people = sum(1 for _ in _everybody(store, told, enabler, stance))
    return Plan(
        waves=tuple(one.wave for one in told),
        people=_about(people, least),
        to_all=any(one.anonymous for one in told),
    )


def _about(people: int, least: int) -> str:
    """Say how many, so that nobody can tell who by asking about one wave more or less."""
    if people < least:
        return f"fewer than {least}"
    return f"about {5 * max(1, round(people / 5))}"


def _source(store: Store, wave: Wave) -> _Source:
    survey = store.survey(wave.survey_id, wave.revision)
    if survey is None:
        raise LookupError("the survey of a wave is not kept")
    return _Source(wave=wave, survey=survey, anonymous=survey.anonymous)


def _everybody(
    store: Store, sources: Sequence[_Source], enabler: str, stance: str | None
) -> list[str]:
    """Give everybody who gets a note, by pseudonym."""
    found: list[str] = []
    while some := _some(
        store, sources, enabler, stance, after=found[-1] if found else "", limit=_BATCH
    ):
        found += [one.member.respondent_id for one in some]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Somebody who gets a note, and about which wave."""

    member: Respondent
    source: _Source


def _some(
    store: Store,
    sources: Sequence[_Source],
    enabler: str,
    stance: str | None,
    *,
    after: str,
    limit: int,
) -> list[_Told]:
    """Give people who get a note, by pseudonym, each once: rather about a wave in which they
    are known to have written of it, and about the newest of these.
    """
    found: dict[str, _Told] = {}
    for source in sorted(sources, key=lambda one: one.anonymous):
        wave_id = source.wave.wave_id
        if source.anonymous:
            members = store.audience(wave_id, after=after, limit=limit)
        else:
            members = store.carriers(wave_id, enabler, stance=stance, after=after, limit=limit)
        for member in members:
            found.setdefault(member.respondent_id, _Told(member=member, source=source))
    return [found[name] for name in sorted(found)][:limit]


def text_of(
    words: Mapping[str, str],
    *,
    enabler: str,
    wave: Wave,
    survey: Survey,
    house: House,
    codeframe: Codeframe,
    language: str | None,
    now: datetime,
) -> str:
    """Give the message, in a person's language where it is written in that.

    Args:
        words: Language to text, ``ANY`` for all others.
        enabler: Key of the code.
        wave: What it is about.
        survey: Its survey: if it is anonymous, nobody is told that they wrote of it.
        house: For the title of the cohort.
        codeframe: For the name of the code.
        language: Of the person; None where it is not known.
        now: Aware UTC.
    """
    spoken = language if language and language in words else survey.default_language
    if spoken not in words and ANY not in words:
        spoken = next(iter(words))
    note = words.get(spoken, words.get(ANY, ""))
    cohort = house.cohort(wave.cohort)
    name = code_name(codeframe, enabler, spoken)
    about = messages.say(
        "reply_people" if survey.anonymous else "reply_you",
        spoken,
        cohort=wave.cohort if cohort is None else cohort.title,
        date=messages.day(
            wave.rhythm.opens_on,
            spoken,
            today=now.astimezone(ZoneInfo(wave.timezone)).date(),
        ),
        enabler=f"{name[:1].lower()}{name[1:]}",
    )
    parts = (
        messages.say("reply_title", spoken),
        about,
        note,
        messages.say("reply_thanks", spoken),
    )
    return "\n\n".join(parts)


class Notes:
    """Tells people of notes. Every method that takes a store is one transaction."""

    def __init__(self, house: House, *, codeframe: Codeframe, now: Callable[[], datetime]) -> None:
        self._house = house
        self._codeframe = codeframe
        self._now = now

    def tell(self, note: Note, run: RunJob) -> None:
        """Tell everybody of a note who is still to be told."""
        after = note.told_after
        while after is not None:
            after = run(partial(self._tell_some, note=note, before=after))

    def _tell_some(self, store: Store, note: Note, before: str) -> str | None:
        """Tell some people; give the last of them, None when there is nobody left for us."""
        store.hold(TELLING)
        waves = [wave for wave_id in note.waves if (wave := store.wave(wave_id)) is not None]
        sources = [_source(store, wave) for wave in waves]
        told = _some(store, sources, note.enabler, note.stance, after=before, limit=_BATCH)
        after = told[-1].member.respondent_id if told else None
        if not store.note_told(note.note_id, before=before, after=after):
            return None
        now = self._now()
        for one in told:
            self._say(store, note, one, now)
        return after

    def _say(self, store: Store, note: Note, told: _Told, now: datetime) -> None:
        member, source = told.member, told.source
        text = text_of(
            note.words,
            enabler=note.enabler,
            wave=source.wave,
            survey=source.survey,
            house=self._house,
            codeframe=self._codeframe,
            language=member.language,
            now=now,
        )
        window = window_for(source.wave, store.timing(member.respondent_id), now)
        if window is not None:
            # Not as a message of its wave: how many wait there would tell how many get it.
            store.say(member, [Prompt(text=text)], at=now, lane=1, window=window)
