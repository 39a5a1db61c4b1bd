"""What the shell knows of this installation: cohorts, surveys and the words about it.

What lives here: looking things up in the configuration. What must not: the store, the
clock, or any decision about the dialogue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.clock.fatigue import Budget
from bot.coders import CoderPlan
from dialogues import messages
from dialogues.survey import Survey
from dialogues.text import Text

__all__ = ["CohortPlan", "House", "PulsePlan", "Share"]

#: Who is told of results; see ``House.share``.
Share = Literal["both", "channel", "direct", "ask", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan:
    """A partnership, place or panel, as configured.

    Attributes:
        timezone: IANA name.
        place: The Slack channel whose members are its partners; None without.
        code: The deep link's code that joins it; None without.
        survey_id: Open at any time when no wave is; None without.
        days_off: Weekdays on which nothing is sent, Monday 0.
        holidays: Calendar of public holidays on which nothing is sent, such as ``GB-WLS``;
            None for none.
    """

    name: str
    title: str
    timezone: str
    place: str | None = None
    code: str | None = None
    survey_id: str | None = None
    days_off: tuple[int, ...] = ()
    holidays: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PulsePlan:
    """A survey that goes out again and again, as configured.

    Attributes:
        cron: Five fields, read in everybody's own time zone.
        quiet_hours: Local (from, until) in minutes after midnight when nothing is sent;
            None for none. From may be later than until: then it spans midnight.
        days_off: Weekdays on which nothing is sent, beside those of the cohort.
        remind_after: After everybody's own invitation, in order.
        close_after: After the opening; None when it closes as the next wave opens.
        questions_per_person: Questions of the pool each person gets; None for all.
        seed: Of the draw, for who writes it down beforehand; None for a new one each wave.
        share: Who is told of the results; None as the installation says.
    """

    name: str
    survey_id: str
    cohorts: tuple[str, ...]
    roles: tuple[str, ...]
    cron: str
    quiet_hours: tuple[int, int] | None = None
    days_off: tuple[int, ...] = ()
    remind_after: tuple[timedelta, ...] = ()
    close_after: timedelta | None = None
    questions_per_person: int | None = None
    seed: str | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The installation.

    Attributes:
        budget: How often one person is invited; None for as often as pulses come.
        coders: Who may review answers in the chat.
    """

    surveys: Mapping[str, Survey]
    cohorts: Sequence[CohortPlan] = ()
    pulses: Sequence[PulsePlan] = ()
    contact: str = ""
    kept: Text | None = None
    min_group: int = 5
    results: Share = "both"
    budget: Budget | None = None
    coders: Sequence[CoderPlan] = ()

    def cohort(self, name: str) -> CohortPlan | None:
        """Give a cohort by name; None when the configuration has none of that name."""
        return next((cohort for cohort in self.cohorts if cohort.name == name), None)

    def cohort_of_code(self, code: str) -> CohortPlan | None:
        """Give the cohort that a deep link's code joins; None when it joins none."""
        return next((cohort for cohort in self.cohorts if cohort.code == code), None)

    def cohort_of_place(self, place: str) -> CohortPlan | None:
        """Give the cohort whose members are a place's; None when there is none."""
        return next((cohort for cohort in self.cohorts if cohort.place == place), None)

    def pulse(self, name: str | None) -> PulsePlan | None:
        """Give a pulse by name; None when the configuration has none of that name."""
        return next((pulse for pulse in self.pulses if pulse.name == name), None)

    def pulses_for(self, cohorts: Collection[str], role: str) -> list[tuple[PulsePlan, CohortPlan]]:
        """Give the pulses that ask people of some cohorts and a role, each with such a cohort."""
        return [
            (pulse, cohort)
            for pulse in self.pulses
            if role in pulse.roles
            for cohort in self.cohorts
            if cohort.name in cohorts and cohort.name in pulse.cohorts
        ]

    def share(self, pulse: str | None) -> Share:
        """Say who is told of the results of a pulse's waves: ``both`` the cohort's channel and
        its people, ``channel`` or ``direct`` one of them, ``ask`` who asks, ``off`` nobody.

        As the configuration says now: results are not out before they are out.
        """
        plan = self.pulse(pulse)
        return self.results if plan is None or plan.share is None else plan.share

    def standing_survey(self, cohort: CohortPlan | None) -> Survey | None:
        """Give the survey that may be answered at any time: the cohort's own, else the only
        one there is.
        """
        if cohort is not None and cohort.survey_id is not None:
            return self.surveys.get(cohort.survey_id)
        return next(iter(self.surveys.values())) if len(self.surveys) == 1 else None

    def privacy(self, language: str, *, slash: bool) -> str:
        """Say who runs this and what is kept."""
        contact = (
            messages.say("privacy_contact", language, contact=self.contact)
            if self.contact
            else messages.say("privacy_no_contact", language)
        )
        kept = self.kept.say(language, messages.LANGUAGES[0]) if self.kept else ""
        kept = (
            messages.say("privacy_kept", language, kept=kept)
            if kept
            else messages.say("privacy_kept_unknown", language)
        )
        mark = "/" if slash else ""
        return messages.say("privacy", language, contact=contact, kept=kept, slash=mark)
