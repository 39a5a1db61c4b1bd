"""Looking back: what a person sees who asks for results.

What lives here: which closed waves they may see, which of them they mean, and the message. What
must not: making results (``results.py``), or wording figures (``summary.py``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from bot.house import House
from bot.summary import Summary, language_for, prompt_of, summary_of
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.lobby import LOBBY, RESULTS
from dialogues.prompts import Button, Layout, Prompt, token
from dialogues.words import fold
from storage.protocol import KeptResults, Respondent, Store

__all__ = ["look_back"]

#: Closed waves that can be asked for, and those that have a button.
_MOST = 60
_BUTTONS = 8

#: Characters of a button's label, which a phone shows in full.
_LABEL = 40


def look_back(
    store: Store,
    respondent: Respondent,
    wanted: str,
    *,
    house: House,
    codeframe: Codeframe,
    language: str,
    slash: bool,
    now: datetime,
) -> Prompt:
    """Answer somebody who asks for results.

    Args:
        store: Read only.
        respondent: Who asks.
        wanted: Which, as ``ResultsRequested`` says it; empty for the newest.
        house: The installation: what is not to be shared is not shown.
        codeframe: For the names of codes.
        language: In which to speak.
        slash: Whether commands are written with a slash here.
        now: Aware UTC.
    """

    def say(key: str, **values: object) -> str:
        return messages.say(key, language, slash="/" if slash else "", **values)

    if not respondent.cohorts:
        return Prompt(text=say("results_no_group"))
    kept = [
        one
        for one in store.results_for(respondent.respondent_id, limit=_MOST)
        if house.share(one.wave.pulse) != "off"
    ]
    seen = [
        (one, summary)
        for one in kept
        if (
            summary := _summary(
                store, one, house=house, codeframe=codeframe, language=language, slash=slash,
                now=now,
            )
        )
    ]  # fmt: skip
    if not seen:
        return Prompt(text=say("results_soon", min=house.min_group))
    place = _meant(seen, wanted)
    parts = [] if place is not None else [say("results_unknown")]
    shown, summary = seen[place or 0]
    parts.append(summary.text())
    options = _buttons(seen, place or 0)
    if options:
        parts.append(say("results_earlier"))
    message = prompt_of(shown, summary, "\n\n".join(parts))
    layout = Layout.OPTIONS if options else Layout.PLAIN
    return Prompt(text=message.text, picture=message.picture, options=options, layout=layout)


_Seen = Sequence[tuple[KeptResults, Summary]]


def _summary(
    store: Store,
    kept: KeptResults,
    *,
    house: House,
    codeframe: Codeframe,
    language: str,
    slash: bool,
    now: datetime,
) -> Summary | None:
    survey = store.survey(kept.wave.survey_id, kept.wave.revision)
    if survey is None:
        return None
    return summary_of(
        kept.wave,
        kept.figures,
        survey=survey,
        house=house,
        codeframe=codeframe,
        language=language_for(survey, language),
        slash=slash,
        now=now,
    )


def _meant(seen: _Seen, wanted: str) -> int | None:
    """Give the place of the wave that is meant, 0 being the newest; None when it is none."""
    if not wanted:
        return 0
    if re.fullmatch(r"\d{1,2}", wanted):
        return int(wanted) - 1 if 1 <= int(wanted) <= len(seen) else None
    for place, (kept, summary) in enumerate(seen):
        on = summary.on
        days = {
            fold(messages.day(on, language, today=today))
            for language in messages.LANGUAGES
            for today in (on, on.replace(year=on.year + 1, day=1))
        }
        if wanted in {_key(kept), on.isoformat(), *days}:
            return place
    return None


def _buttons(seen: _Seen, shown: int) -> tuple[Button, ...]:
    """Give a button for each of the other waves, the newest first, with its number."""
    several = len({summary.survey.survey_id for _, summary in seen}) > 1 or (
        len({kept.wave.cohort for kept, _ in seen}) > 1
    )
    buttons: list[Button] = []
    for place, (kept, summary) in enumerate(seen[: _BUTTONS + 1]):
        if place == shown or len(buttons) == _BUTTONS:
            continue
        label = f"{place + 1}. {summary.date}"
        if several:
            label = f"{label}, {summary.cohort}"
        if len(label) > _LABEL:
            label = f"{label[: _LABEL - 1]}…"
        buttons.append(Button(label=label, token=token(LOBBY, RESULTS, _key(kept))))
    return tuple(buttons)


def _key(kept: KeptResults) -> str:
    """Give a short name of a wave, which any button can carry."""
    return hashlib.blake2b(kept.wave.wave_id.encode(), digest_size=6).hexdigest()
