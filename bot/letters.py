"""What a person sees of their own data.

What lives here: writing a person's holdings as messages. What must not: reading the store,
or leaving anything out that is held.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from bot.house import House
from dialogues import messages
from dialogues.coding import Codeframe, Coding
from dialogues.prompts import Prompt
from dialogues.replies import label_of
from dialogues.survey import Survey
from storage.protocol import AnswerHeld, Holdings, ResponseHeld

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
    """Write everything that is held of a person, newest response first.

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
    mark = "/" if slash else ""
    person = holdings.respondent

    def say(key: str, **values: object) -> str:
        return messages.say(key, language, **values)

    def on(day: date) -> str:
        return messages.day(day, language, today=today)

    lines = [
        say("mydata_header"),
        say(
            "mydata_account",
            channel=person.channel.title(),
            address=holdings.address.platform_id,
        ),
        say("mydata_pseudonym", respondent=person.respondent_id),
        say("mydata_role", role=say(f"role_{person.role}")),
    ]
    if person.language:
        lines.append(say("mydata_language", language=person.language))
    for name in person.cohorts:
        cohort = house.cohort(name)
        lines.append(say("mydata_cohort", title=cohort.title if cohort else name))
    if holdings.n_invitations:
        lines.append(say("mydata_invitations", n=holdings.n_invitations))
    lines.extend(say("mydata_agreed", date=on(agreed)) for agreed in holdings.consented_at)
    for response in holdings.responses:
        survey = survey_of(response.survey_id, response.revision)
        lines.append("")
        title = survey.say(survey.title, language) if survey else response.survey_id
        lines.append(say("mydata_survey", title=title, date=on(response.started_at.date())))
        lines.extend(_answers(response, survey, codeframe, language))
    lines += ["", say("mydata_footer", slash=mark)]
    return [Prompt(text=text) for text in _pages(lines)]


def _answers(
    response: ResponseHeld, survey: Survey | None, codeframe: Codeframe, language: str
) -> list[str]:
    lines = []
    for held in response.answers:
        answer = _answer(held, survey, language)
        lines.append(messages.say("mydata_answer", language, question=held.question, answer=answer))
        lines.extend(
            messages.say(
                "mydata_tag",
                language,
                enabler=_name(codeframe, coding, language),
                stance=messages.say(f"stance_{coding.stance or 'neutral'}", language),
            )
            for coding in held.codings
        )
    return lines


def _answer(held: AnswerHeld, survey: Survey | None, language: str) -> str:
    if held.value is None:
        if held.missing == "dont_know":
            return messages.say("mydata_dont_know", language)
        if held.missing == "skipped":
            return messages.say("mydata_skipped", language)
        return messages.say("mydata_no_answer", language)
    question = survey.by_id.get(held.question_id) if survey else None
    label = label_of(survey, question, held.value, language) if survey and question else held.value
    typed = held.text.strip()
    return f"{label} ({typed})" if typed and typed != label and typed != held.value else label


def _name(codeframe: Codeframe, coding: Coding, language: str) -> str:
    try:
        names = codeframe.code(coding.enabler).name
    except KeyError:
        return coding.enabler
    return names.get(language) or next(iter(names.values()), coding.enabler)


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
