"""What a person sees of their own data.

What lives here: writing a person's holdings as messages. What must not: reading the store,
or leaving anything out that is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from bot.house import House
from dialogues import messages
from dialogues.coding import Codeframe, KeptCoding, Said, Source
from dialogues.disposition import Disposition
from dialogues.folding import fold
from dialogues.prompts import Prompt
from dialogues.replies import label_of
from dialogues.sector import Sector, sector_label
from dialogues.session import Session, Status
from dialogues.states import State
from dialogues.survey import Survey
from storage.protocol import (
    NO_END,
    AnswerHeld,
    Holdings,
    InvitationHeld,
    ResponseHeld,
    Timing,
)

__all__ = ["LETTER", "my_data"]

#: The longest message of a letter, in characters, within every platform's limit.
LETTER = 3_000

SurveyOf = Callable[[str, str], Survey | None]


def my_data(
    holdings: Holdings,
    *,
    house: House,
    survey_of: SurveyOf,
    codeframe: Codeframe,
    language: str,
    slash: bool,
    today: date,
) -> list[Prompt]:
    """Write everything that is held of a person, survey by survey.

    Args:
        holdings: As the store gives them.
        house: For the titles of cohorts.
        survey_of: Gives a kept revision by (survey_id, revision).
        codeframe: For the names of codes.
        language: In which to write.
        slash: Whether commands are written with a slash here.
        today: To write dates by.

    Returns:
        One or several messages, in order, none longer than ``LETTER``.
    """
    letter = _Letter(holdings, house, survey_of, codeframe, language, today)
    footer = messages.say("mydata_footer", language, slash="/" if slash else "")
    lines = [*letter.person(), *letter.surveys(), "", footer]
    return [Prompt(text=text) for text in _pages(lines)]


class _Letter:
    """The lines of one person's letter."""

    def __init__(
        self,
        holdings: Holdings,
        house: House,
        survey_of: SurveyOf,
        codeframe: Codeframe,
        language: str,
        today: date,
    ) -> None:
        self.holdings = holdings
        self.house = house
        self.survey_of = survey_of
        self.codeframe = codeframe
        self.language = language
        self.today = today

    def person(self) -> Iterator[str]:
        """Say what is held of the person apart from surveys."""
        held, person = self.holdings, self.holdings.respondent
        address = held.address
        yield self._say("mydata_header")
        yield self._say(
            "mydata_account", channel=person.channel.title(), address=address.platform_id
        )
        yield self._say("mydata_pseudonym", respondent=person.respondent_id)
        yield self._say("mydata_since", date=self._on(held.joined_on))
        yield self._say("mydata_role", role=self._say(f"role_{person.role}"))
        if person.sector is not None:
            label = sector_label(Sector(person.sector), self.language)
            yield self._say("mydata_sector", sector=label)
        if person.language:
            yield self._say("mydata_language", language=person.language)
        yield from self._times_of(held.timing)
        for name, since in held.memberships:
            cohort = self.house.cohort(name)
            title = cohort.title if cohort else name
            yield self._say("mydata_cohort", title=title, date=self._on(since))
        if held.unchecked:
            yield self._say("mydata_unchecked")
        if held.opted_out_at is not None:
            yield self._say("mydata_stopped", date=self._on(held.opted_out_at.date()))

    def _times_of(self, timing: Timing) -> Iterator[str]:
        """Say when the person wants to be written to, as far as they or their platform said."""
        if timing.timezone is not None:
            yield self._say("mydata_zone", zone=timing.timezone)
        if timing.told_timezone is not None:
            platform = self.holdings.respondent.channel.title()
            yield self._say("mydata_zone_told", platform=platform, zone=timing.told_timezone)
        if timing.minute is not None:
            yield self._say("mydata_hour", time=_clock(timing.minute))
        if timing.days_off:
            names = messages.weekdays(self.language)
            days = ", ".join(names[day] for day in timing.days_off)
            yield self._say("mydata_days_off", days=days)
        if timing.quiet is not None:
            begins, ends = map(_clock, timing.quiet)
            yield self._say("mydata_quiet", begins=begins, ends=ends)
        if timing.paused_until == NO_END:
            yield self._say("mydata_paused_open")
        elif timing.paused_until is not None:
            yield self._say("mydata_paused", date=self._on(timing.paused_until))

    def surveys(self) -> Iterator[str]:
        """Say what is held about each survey, the newest first."""
        held = self.holdings
        answered = [one.survey_id for one in held.responses]
        talked = [one.session.survey_id for one in held.sessions]
        asked = [one.survey_id for one in reversed(held.invitations)]
        agreed = [one.survey_id for one in reversed(held.consents)]
        for survey_id in dict.fromkeys([*answered, *talked, *asked, *agreed]):
            yield ""
            yield from self._survey(survey_id)

    def _survey(self, survey_id: str) -> Iterator[str]:
        held = self.holdings
        for invitation in held.invitations:
            if invitation.survey_id == survey_id:
                yield self._invitation(invitation)
                yield from self._history(invitation)
                yield from self._unsent(invitation)
        responded = {response.response_id for response in held.responses}
        for stored in held.sessions:
            session = stored.session
            own = stored.invitation_id is None and session.session_id not in responded
            if session.survey_id == survey_id and own:
                key = "mydata_refused" if session.status is Status.REFUSED else "mydata_put"
                title = self._title(survey_id, session.revision)
                yield self._say(key, title=title, date=self._on(stored.updated_at.date()))
        for consent in held.consents:
            if consent.survey_id == survey_id:
                title = self._title(survey_id, consent.revision)
                yield self._say(
                    "mydata_consent", title=title, date=self._on(consent.agreed_at.date())
                )
                survey = self.survey_of(survey_id, consent.revision)
                if survey is not None and survey.anonymous:
                    yield self._say("mydata_anonymous")
        for response in held.responses:
            if response.survey_id == survey_id:
                yield from self._response(response)

    def _invitation(self, invitation: InvitationHeld) -> str:
        title = self._title(invitation.survey_id, invitation.revision)
        if invitation.history and invitation.history[-1].state is State.REJECTED:
            asked_on = self._on(invitation.invited_at.date())
            return self._say("mydata_not_asked", title=title, date=asked_on)
        outcome = self._outcome(invitation.disposition)
        if invitation.disposition_at is not None:
            outcome = f"{outcome}, {self._on(invitation.disposition_at.date())}"
        return self._say(
            "mydata_invited",
            title=title,
            date=self._on(invitation.invited_at.date()),
            n=invitation.reminders,
            outcome=outcome,
        )

    def _unsent(self, invitation: InvitationHeld) -> Iterator[str]:
        """Say which reminders were not sent; of the invitation itself its history says it."""
        for one in self.holdings.unsent:
            if one.wave_id == invitation.wave_id and one.number > 0:
                yield self._say(
                    "mydata_unsent",
                    n=one.number,
                    date=self._on(one.noted_at.date()),
                    cause=self._say(f"cause_{one.reason.value}"),
                )

    def _history(self, invitation: InvitationHeld) -> Iterator[str]:
        steps = []
        day = invitation.invited_at.date()
        for step in invitation.history:
            said = {
                "state": self._say(f"state_{step.state.value}"),
                "time": self._time(step.at, day),
            }
            if step.reason is None:
                steps.append(self._say("mydata_step", **said))
            else:
                cause = self._say(f"cause_{step.reason.value}")
                steps.append(self._say("mydata_step_why", **said, cause=cause))
            day = step.at.date()
        if steps:
            yield self._say("mydata_history", steps=", ".join(steps))

    def _response(self, response: ResponseHeld) -> Iterator[str]:
        survey = self.survey_of(response.survey_id, response.revision)
        begun = response.started_at.date()
        yield self._say(
            "mydata_survey",
            title=self._title(response.survey_id, response.revision),
            date=self._on(begun),
            outcome=self._outcome(response.disposition),
        )
        talk = self._talk(response)
        for held in response.answers:
            yield self._say(
                "mydata_answer",
                question=held.question,
                answer=self._answer(held, survey),
                times=self._times(held, begun),
            )
            if talk is not None and talk.at == held.question_id and talk.selected:
                ticked = self._label(survey, held.question_id, "|".join(talk.selected))
                yield self._say("mydata_ticked", answer=ticked)
            for read_at in held.read_at:
                yield self._say("mydata_read", date=self._on(read_at.date()))
            for coding in held.codings:
                yield self._coding(coding)
        if response.check_at is not None:
            key = "mydata_check_done" if response.check == "done" else "mydata_check_asked"
            yield self._say(key, date=self._on(response.check_at.date()))

    def _talk(self, response: ResponseHeld) -> Session | None:
        """Give the conversation in which a response was given."""
        for stored in self.holdings.sessions:
            if stored.session.session_id == response.response_id:
                return stored.session
        return None

    def _answer(self, held: AnswerHeld, survey: Survey | None) -> str:
        if held.value is None:
            if held.missing == "dont_know":
                return self._say("mydata_dont_know")
            if held.missing == "skipped":
                return self._say("mydata_skipped")
            return self._say("mydata_no_answer")
        label = self._label(survey, held.question_id, held.value)
        typed = held.text.strip()
        same = fold(typed) in ("", fold(label), fold(held.value))
        return label if same else f"{label} ({typed})"

    def _label(self, survey: Survey | None, question_id: str, value: str) -> str:
        question = survey.by_id.get(question_id) if survey else None
        if survey is None or question is None:
            return value
        return label_of(survey, question, value, self.language)

    def _times(self, held: AnswerHeld, begun: date) -> str:
        times = [self._say("mydata_asked", time=self._time(held.asked_at, begun))]
        if held.answered_at is not None:
            times.append(self._say("mydata_answered", time=self._time(held.answered_at, begun)))
        if held.n_edits:
            times.append(self._say("mydata_changed", n=held.n_edits))
        return ", ".join(times)

    def _time(self, at: datetime, begun: date) -> str:
        """Write an instant; its day only where it is not that on which the response began."""
        at = at.astimezone(UTC)
        return f"{at:%H:%M}" if at.date() == begun else f"{self._on(at.date())} {at:%H:%M}"

    def _coding(self, kept: KeptCoding) -> str:
        coding = kept.coding
        try:
            names = self.codeframe.code(coding.enabler).name
        except KeyError:
            names = {}
        said = {
            "enabler": names.get(self.language) or next(iter(names.values()), coding.enabler),
            "stance": self._say(f"stance_{coding.stance or 'neutral'}"),
            "evidence": coding.span_text,
        }
        if kept.source is Source.RESPONDENT:
            rejected = kept.status is Said.REJECTED
            return self._say("mydata_tag_you_not" if rejected else "mydata_tag_you", **said)
        if kept.status is Said.REJECTED:
            return self._say("mydata_tag_not", **said)
        if kept.source is Source.TAGGER:
            return self._say("mydata_tag", percent=round(100 * coding.confidence), **said)
        return self._say("mydata_tag_person", **said)

    def _title(self, survey_id: str, revision: str) -> str:
        survey = self.survey_of(survey_id, revision)
        return survey.say(survey.title, self.language) if survey else survey_id

    def _outcome(self, disposition: Disposition) -> str:
        return self._say(f"outcome_{disposition.value}")

    def _on(self, day: date) -> str:
        return messages.day(day, self.language, today=self.today)

    def _say(self, key: str, **values: object) -> str:
        return messages.say(key, self.language, **values)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _pages(lines: list[str]) -> list[str]:
    """Put lines together into pages of at most ``LETTER`` characters."""
    pages: list[str] = []
    page = ""
    for line in lines:
        for piece in _cut(line):
            if page and len(page) + 1 + len(piece) > LETTER:
                pages.append(page.strip("\n"))
                page = piece
            else:
                page = f"{page}\n{piece}" if page else piece
    pages.append(page.strip("\n"))
    return [page for page in pages if page]


def _cut(line: str) -> list[str]:
    return [line[start : start + LETTER] for start in range(0, len(line), LETTER)] or [""]
