"""People's own times, from the chat: shown, changed, paused and resumed.

What lives here: what a command about times does and what is answered. What must not: reading its
words (``dialogues/times.py``), or when a message then comes (``clock``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from bot.clock.fitting import within
from bot.clock.planning import zone_of
from bot.clock.wall import minute_of
from bot.clock.zones import zones_called
from bot.house import CohortPlan, House, PulsePlan
from bot.replanning import Replanned, replan
from dialogues import messages
from dialogues.lobby import LOBBY, TIMES
from dialogues.prompts import Button, Layout, Prompt, token
from dialogues.times import read_wish
from dialogues.wishes import (
    AskLength,
    DaysOff,
    Hour,
    PauseUntil,
    Place,
    Quiet,
    Resume,
    Show,
    Unclear,
    Usual,
    Wish,
    typed,
)
from storage.protocol import NO_END, Respondent, Store, Timing

__all__ = ["OwnTimes"]

#: What the buttons say is typed, by what they are labelled with.
_HOURS = (Hour(minute=9 * 60), Hour(minute=13 * 60), Hour(minute=18 * 60))
_LENGTHS = {
    "button_week": "pause 1 week",
    "button_two_weeks": "pause 2 weeks",
    "button_month": "pause 1 month",
    "button_no_end": typed(PauseUntil(day=None)),
}
_WEEKEND = DaysOff(days=(5, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTimes:
    """One person who asks about their times, in one transaction.

    Attributes:
        slash: Whether commands are written with a slash here.
        new_id: Gives a fresh id.
        now: Aware UTC.
    """

    store: Store
    respondent: Respondent
    house: House
    language: str
    slash: bool
    new_id: Callable[[], str]
    now: datetime

    def answer(self, said: str) -> Prompt:
        """Do what a command about times asks for, and give what is answered.

        What cannot be read or done changes nothing.

        Args:
            said: As ``TimingRequested`` has it.
        """
        timing = self._kept()
        wish = read_wish(said, self._today(timing))
        match wish:
            case Show():
                return self._shown(timing)
            case AskLength():
                return self._ask_length(timing, "pause_ask")
            case Unclear(key=key):
                if key.startswith("pause"):
                    return self._ask_length(timing, key)
                return self._with_changes(timing, self._say(key))
            case Resume() if timing.paused_until is None:
                stopped = self.respondent.opted_out
                return Prompt(text=self._say("times_stopped" if stopped else "resume_not_paused"))
            case Place(words=words):
                return self._placed(timing, words)
            case Hour() | DaysOff() | Quiet() | Usual() | PauseUntil() | Resume():
                return self._changed(_with(timing, wish), wish)
            case _:
                assert_never(wish)

    def _kept(self) -> Timing:
        """Give what is kept of them; a pause that is over is none."""
        timing = self.store.timing(self.respondent.respondent_id)
        until = timing.paused_until
        over = until is not None and until <= self._today(timing)
        return replace(timing, paused_until=None) if over else timing

    # Changing -------------------------------------------------------------------------

    def _placed(self, timing: Timing, words: str) -> Prompt:
        zones, certain = zones_called(words)
        if certain and len(zones) == 1:
            return self._changed(replace(timing, timezone=zones[0]), Place(words=words))
        key = "times_which_place" if certain else "times_no_place"
        if not certain and zones:
            key = "times_like_place"
        buttons = tuple(self._button(zone, f"times {zone}") for zone in zones)
        return self._prompt(self._say(key), buttons)

    def _changed(self, timing: Timing, wish: Wish) -> Prompt:
        self.store.set_timing(self.respondent.respondent_id, timing)
        replanned = replan(
            self.store,
            self.respondent,
            budget=self.house.budget,
            new_id=self.new_id,
            now=self.now,
        )
        if self.respondent.opted_out:
            lines = [] if isinstance(wish, Resume) else [self._say("times_set_stopped")]
            return Prompt(text="\n".join([*lines, self._say("times_stopped")]))
        lines = [self._done(timing, wish)]
        if timing.minute is not None and timing.quiet and within(timing.minute, timing.quiet):
            lines.append(self._say("times_in_quiet", time=_clock(timing.quiet[1])))
        lines += self._following(timing, replanned)
        if isinstance(wish, Resume | PauseUntil):
            return Prompt(text="\n".join(lines))
        if timing.paused_until is not None:
            lines.append(self._paused(timing))
        lines.append(self._say("times_more"))
        return Prompt(text="\n".join(lines))

    def _done(self, timing: Timing, wish: Wish) -> str:
        zone = self._zone(timing)
        match wish:
            case Hour(minute=minute):
                return self._say("times_set_hour", time=_clock(minute), zone=zone.key)
            case Place():
                return self._say("times_set_zone", zone=zone.key, time=self._time(zone))
            case DaysOff(days=()):
                return self._say("times_set_any_day")
            case DaysOff(days=days):
                return self._say("times_set_days", days=self._days(days))
            case Quiet(hours=None):
                return self._say("times_set_any_hour")
            case Quiet(hours=(begins, ends)):
                return self._say("times_set_quiet", begins=_clock(begins), ends=_clock(ends))
            case PauseUntil(day=None):
                return self._say("pause_set_open")
            case PauseUntil(day=date() as day):
                return self._say("pause_set", date=self._on(day, timing))
            case Resume():
                return self._say("resume_set")
            case _:
                return self._say("times_set_usual", zone=zone.key)

    def _following(self, timing: Timing, replanned: Replanned) -> list[str]:
        """Say what becomes of what waits."""
        lines = []
        if replanned.next_at is not None:
            local = replanned.next_at.astimezone(self._zone(timing))
            if replanned.next_at <= self.now:
                lines.append(self._say("times_next_now"))
            else:
                day = self._on(local.date(), timing)
                lines.append(self._say("times_next", date=day, time=f"{local:%H:%M}"))
        if replanned.dropped:
            lines.append(self._say("times_dropped"))
        return lines

    # Showing --------------------------------------------------------------------------

    def _shown(self, timing: Timing) -> Prompt:
        zone = self._zone(timing)
        whose = "times_zone_group"
        if zone.key == timing.timezone:
            whose = "times_zone_own"
        elif zone.key == timing.told_timezone:
            whose = "times_zone_told"
        platform = self.respondent.channel.title()
        lines = [
            self._say("times_header"),
            self._say(whose, zone=zone.key, time=self._time(zone), platform=platform),
            self._hour(timing),
            self._say("times_days", days=self._days(timing.days_off))
            if timing.days_off
            else self._say("times_days_none"),
        ]
        if timing.quiet is not None:
            begins, ends = map(_clock, timing.quiet)
            lines.append(self._say("times_quiet", begins=begins, ends=ends))
        lines += self._kept_free()
        if timing.paused_until is not None:
            lines.append(self._paused(timing))
        if self.respondent.opted_out:
            lines = [self._say("times_stopped"), "", *lines]
        return self._with_changes(timing, "\n".join([*lines, "", self._say("times_how")]))

    def _hour(self, timing: Timing) -> str:
        if timing.minute is not None:
            return self._say("times_hour", time=_clock(timing.minute))
        usual = sorted({minute_of(pulse.cron) for pulse, _ in self._asking()})
        if not usual:
            return self._say("times_hour_usual")
        return self._say("times_hour_usual_at", times=", ".join(map(_clock, usual)))

    def _kept_free(self) -> list[str]:
        """Say when nobody is written to, in all the check-ins they get and in some of them."""
        each = [
            {
                *pulse.days_off,
                *cohort.days_off,
                *(["holidays"] if cohort.holidays is not None else []),
                *([pulse.quiet_hours] if pulse.quiet_hours is not None else []),
            }
            for pulse, cohort in self._asking()
        ]
        if not each:
            return []
        always = set.intersection(*each)
        sometimes = set.union(*each) - always
        return [
            self._say(key, listed=self._listed(free))
            for key, free in (("times_free", always), ("times_free_some", sometimes))
            if free
        ]

    def _listed(self, free: Collection[object]) -> str:
        """List weekdays, public holidays and hours, in this order."""
        names = messages.weekdays(self.language)
        listed = [names[day] for day in range(len(names)) if day in free]
        if "holidays" in free:
            listed.append(self._say("times_holidays"))
        for hours in sorted(one for one in free if isinstance(one, tuple)):
            listed.append(
                self._say("times_from_to", begins=_clock(hours[0]), ends=_clock(hours[1]))
            )
        return ", ".join(listed)

    def _asking(self) -> list[tuple[PulsePlan, CohortPlan]]:
        return self.house.pulses_for(self.respondent.cohorts, self.respondent.role)

    def _with_changes(self, timing: Timing, text: str) -> Prompt:
        """Put the common changes under a text, as far as they change something."""
        days = DaysOff(days=()) if timing.days_off else _WEEKEND
        label = "button_any_day" if timing.days_off else "button_no_weekend"
        buttons = [
            self._button(_clock(hour.minute), typed(hour))
            for hour in _HOURS
            if hour.minute != timing.minute
        ]
        buttons.append(self._button(self._say(label), typed(days)))
        if _with(timing, Usual()) != timing:
            buttons.append(self._button(self._say("button_usual"), typed(Usual())))
        if timing.paused_until is None:
            buttons.append(self._button(self._say("button_pause"), typed(AskLength())))
        else:
            buttons.append(self._button(self._say("button_resume"), typed(Resume())))
        return self._prompt(text, tuple(buttons))

    def _ask_length(self, timing: Timing, key: str) -> Prompt:
        text = self._say(key)
        buttons = [self._button(self._say(label), said) for label, said in _LENGTHS.items()]
        if timing.paused_until is not None:
            text = f"{self._paused(timing)}\n{text}"
            buttons.append(self._button(self._say("button_resume"), typed(Resume())))
        if self.respondent.opted_out:
            text = f"{self._say('times_stopped')}\n{text}"
        return self._prompt(text, tuple(buttons))

    def _paused(self, timing: Timing) -> str:
        until = timing.paused_until
        if until is None or until == NO_END:
            return self._say("times_paused_open")
        return self._say("times_paused", date=self._on(until, timing))

    # Words ----------------------------------------------------------------------------

    def _prompt(self, text: str, buttons: tuple[Button, ...]) -> Prompt:
        layout = Layout.OPTIONS if buttons else Layout.PLAIN
        return Prompt(text=text, options=buttons, layout=layout)

    def _button(self, label: str, said: str) -> Button:
        return Button(label=label, token=token(LOBBY, TIMES, said.replace(" ", "_")))

    def _zone(self, timing: Timing) -> ZoneInfo:
        own = [one for one in self.house.cohorts if one.name in self.respondent.cohorts]
        nearest = next(iter([*own, *self.house.cohorts]), None)
        return zone_of(timing, "UTC" if nearest is None else nearest.timezone)

    def _today(self, timing: Timing) -> date:
        return self.now.astimezone(self._zone(timing)).date()

    def _time(self, zone: ZoneInfo) -> str:
        return f"{self.now.astimezone(zone):%H:%M}"

    def _on(self, day: date, timing: Timing) -> str:
        return messages.day(day, self.language, today=self._today(timing))

    def _days(self, days: tuple[int, ...]) -> str:
        names = messages.weekdays(self.language)
        return ", ".join(names[day] for day in days)

    def _say(self, key: str, **values: object) -> str:
        return messages.say(key, self.language, slash="/" if self.slash else "", **values)


def _with(timing: Timing, wish: Wish) -> Timing:
    """Give the timing as a wish makes it."""
    match wish:
        case Hour(minute=minute):
            return replace(timing, minute=minute)
        case DaysOff(days=days):
            return replace(timing, days_off=days or None)
        case Quiet(hours=hours):
            return replace(timing, quiet=hours)
        case Usual():
            return replace(timing, timezone=None, minute=None, quiet=None, days_off=None)
        case PauseUntil(day=day):
            return replace(timing, paused_until=NO_END if day is None else day)
        case Resume():
            return replace(timing, paused_until=None)
        case _:
            return timing


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
