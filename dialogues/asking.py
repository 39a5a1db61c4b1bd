"""What is put to the person: the prompts of every status.

What lives here: words and buttons for where a conversation stands. What must not: moving
it (``engine.py``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import ceil

from dialogues import messages
from dialogues.events import Reminded
from dialogues.prompts import Button, Layout, Prompt, token
from dialogues.replies import option_labels
from dialogues.routing import fill, path, progress, question_before
from dialogues.sector import Sector, sector_label
from dialogues.session import Aside, Session, Status
from dialogues.survey import (
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
    TextQuestion,
)
from dialogues.text import Text
from dialogues.words import Command, fold

__all__ = [
    "CONSENT",
    "FORGET",
    "LANGUAGE",
    "SECTOR",
    "SUBMIT",
    "ask_again",
    "ask_consent",
    "ask_consent_again",
    "ask_forget",
    "ask_language",
    "ask_more",
    "ask_question",
    "ask_sector",
    "ask_submit",
    "language_called",
    "language_name",
    "note",
    "own_words",
    "question_words",
    "remind",
]

#: Places of the bot's own questions in a button's token.
CONSENT, LANGUAGE, FORGET, SUBMIT, SECTOR = "c", "l", "f", "s", "w"

#: A command written with a slash, such as ``/stop``.
_COMMAND = re.compile(rf"(?<![\w/])/({'|'.join(Command)})\b")

#: Seconds that a question takes, by the surveys' README: a tap, and an answer in words.
_TAP_SECONDS, _WORDS_SECONDS = 8, 40


def note(session: Session, key: str, **values: object) -> Prompt:
    """Say one sentence of the bot's own, with nothing to press."""
    slash = "/" if session.slash else ""
    return Prompt(text=messages.say(key, session.language, slash=slash, **values))


def own_words(survey: Survey, session: Session, text: Text | None) -> str:
    """Say a survey's words about itself, its commands written as they are written here.

    A survey for Telegram says "send /stop"; Slack would take that for a command of its own.
    """
    said = survey.say(text, session.language)
    return said if session.slash else _COMMAND.sub(r"\1", said)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _button(session: Session, place: str | int, key: str, label: str) -> Button:
    return Button(
        label=messages.say(label, session.language), token=token(session.session_id, place, key)
    )


def ask_consent(survey: Survey, session: Session, *, lead: str = "") -> Prompt:
    """Ask for consent; somebody who agreed to these words before is only invited."""
    language = session.language
    if session.agreed_before:
        return Prompt(
            text=_joined(lead, _invitation(survey, session)),
            options=(
                _button(session, CONSENT, "agree", "button_start"),
                _button(session, CONSENT, "decline", "button_not_now"),
            ),
            layout=Layout.OPTIONS,
        )
    anonymous = messages.say("anonymous_note", language) if survey.anonymous else ""
    if session.waved:
        first = _invitation(survey, session, key="invitation_first")
    else:
        first = survey.say(survey.title, language)
    return Prompt(
        text=_joined(
            lead,
            first,
            own_words(survey, session, survey.consent.text),
            anonymous,
        ),
        options=_consent_buttons(survey, session, more=True),
        layout=Layout.OPTIONS,
    )


def ask_consent_again(survey: Survey, session: Session, key: str) -> Prompt:
    """Ask for consent in one sentence, where the words above can still be read."""
    said = note(session, "invite_again" if session.agreed_before else key)
    return replace(ask_consent(survey, session), text=said.text)


def _consent_buttons(survey: Survey, session: Session, *, more: bool) -> tuple[Button, ...]:
    agree = _button(session, CONSENT, "agree", "button_agree")
    decline = _button(session, CONSENT, "decline", "button_decline")
    if more and survey.consent.more is not None:
        return (_button(session, CONSENT, "more", "button_more"), agree, decline)
    return (agree, decline)


def ask_more(survey: Survey, session: Session) -> Prompt:
    """Give the whole text of the consent, and ask again."""
    whole = own_words(survey, session, survey.consent.more or survey.consent.text)
    anonymous = messages.say("anonymous_note", session.language) if survey.anonymous else ""
    return Prompt(
        text=_joined(whole, anonymous),
        options=_consent_buttons(survey, session, more=False),
        layout=Layout.OPTIONS,
    )


def _seconds(question: Question) -> int:
    return _WORDS_SECONDS if isinstance(question, TextQuestion) else _TAP_SECONDS


def _invitation(survey: Survey, session: Session, *, key: str = "invitation") -> str:
    """Say what comes and how long it takes."""
    language = session.language
    questions = path(survey, session)
    ids = {question.id for question in questions}
    # What may follow on an answer is asked of about half the people.
    maybe = [
        question
        for question in survey.questions
        if question.id not in ids and question.show_if and ids.issuperset(question.show_if)
    ]
    seconds = sum(map(_seconds, questions)) + sum(map(_seconds, maybe)) / 2
    seconds += _TAP_SECONDS if session.ask_sector else 0
    minutes = max(1, ceil(seconds / 60))
    count = len(questions)
    by_count = "questions_one" if count == 1 else "questions_many"
    by_minutes = {1: "minutes_one", 2: "minutes_two"}.get(minutes, "minutes_many")
    return messages.say(
        key,
        language,
        title=survey.say(survey.title, language),
        questions=messages.say(by_count, language, n=count),
        minutes=messages.say(by_minutes, language, n=minutes),
    )


def question_words(survey: Survey, session: Session, question: Question) -> str:
    """Give a question's words as this person sees them, piping filled in."""
    return fill(survey, session, survey.say(question.text, session.language))


def ask_question(
    survey: Survey, session: Session, question: Question, *, lead: str = "", hint: bool = True
) -> Prompt:
    """Put a question.

    Args:
        survey: Whose question.
        session: As it stands.
        question: The question.
        lead: Said before it; may be empty.
        hint: Whether to say how to answer; not where ``lead`` says it already.
    """
    language = session.language
    index = survey.questions.index(question)
    labels = option_labels(survey, question, language)
    ticks = isinstance(question, MultichoiceQuestion)
    options = []
    for number, label in enumerate(labels):
        ticked = ticks and question.options[number].value in session.selected
        key = f"{number}{'-' if ticked else '+'}" if ticks else number
        options.append(
            Button(label=label, token=token(session.session_id, index, key), ticked=ticked)
        )
    if ticks:
        options.append(_button(session, index, "done", "button_done"))
    return Prompt(
        text=_joined(
            lead,
            _numbered(survey, session, question),
            _hint(survey, session, question) if hint else "",
        ),
        options=tuple(options),
        controls=_controls(survey, session, question, index),
        layout=_layout(question),
    )


def _numbered(survey: Survey, session: Session, question: Question) -> str:
    words = question_words(survey, session, question)
    placed = progress(survey, session, question)
    if placed is None:
        return words
    count = messages.say("progress", session.language, n=placed[0], total=placed[1])
    return f"{count}\n{words}"


def _layout(question: Question) -> Layout:
    if isinstance(question, MultichoiceQuestion):
        return Layout.TICKS
    if isinstance(question, ScaleQuestion):
        return Layout.SCALE
    return Layout.OPTIONS if question.options else Layout.PLAIN


def _hint(survey: Survey, session: Session, question: Question) -> str:
    """Say how to answer where buttons do not show it, the first time such a question comes."""
    kinds = [
        survey.by_id[asked.question_id].kind
        for asked in session.asked
        if asked.question_id in survey.by_id and asked.question_id != question.id
    ]
    if question.kind in kinds:
        return ""
    if isinstance(question, TextQuestion):
        return messages.say("hint_text", session.language)
    if isinstance(question, MultichoiceQuestion):
        return messages.say("hint_multichoice", session.language)
    if isinstance(question, NumberQuestion):
        if question.unit is None:
            return messages.say("hint_number", session.language)
        unit = survey.say(question.unit, session.language)
        return messages.say("hint_number_unit", session.language, unit=unit)
    return ""


def _controls(
    survey: Survey, session: Session, question: Question, index: int
) -> tuple[Button, ...]:
    controls = []
    if question.dont_know:
        controls.append(_button(session, index, "dk", "button_dont_know"))
    if not question.required:
        controls.append(_button(session, index, "skip", "button_skip"))
    if question_before(survey, session) is not None:
        controls.append(_button(session, index, "back", "button_back"))
    return tuple(controls)


def ask_submit(session: Session, *, lead: str = "") -> Prompt:
    """Ask whether an anonymous response may be handed in."""
    return Prompt(
        text=_joined(lead, messages.say("submit_ask", session.language)),
        options=(
            _button(session, SUBMIT, "send", "button_send"),
            _button(session, SUBMIT, "back", "button_back"),
        ),
        layout=Layout.OPTIONS,
    )


def ask_sector(session: Session, *, lead: str = "", key: str = "sector_ask") -> Prompt:
    """Ask who the person answers as."""
    return Prompt(
        text=_joined(lead, messages.say(key, session.language)),
        options=tuple(
            Button(
                label=sector_label(sector, session.language),
                token=token(session.session_id, SECTOR, sector.value),
            )
            for sector in Sector
        ),
        layout=Layout.OPTIONS,
    )


def ask_language(survey: Survey, session: Session, *, again: bool = False) -> Prompt:
    """Ask which language the person would like."""
    return Prompt(
        text=messages.say("language_again" if again else "language_ask", session.language),
        options=tuple(
            Button(
                label=language_name(language),
                token=token(session.session_id, LANGUAGE, language),
            )
            for language in survey.languages
        ),
        layout=Layout.OPTIONS,
    )


def language_called(survey: Survey, words: str) -> str | None:
    """Give the survey's language that somebody names; None when they name none of them."""
    folded = fold(words)
    for language in survey.languages:
        names = (language, language_name(language), *messages.language_words(language))
        if folded in {fold(name) for name in names}:
            return language
    return None


def language_name(language: str) -> str:
    """Give a language's own name, or its tag where we do not know it."""
    key = f"language_name_{language}"
    return messages.say(key, language) if messages.has(key) else language


def ask_forget(session: Session) -> Prompt:
    """Ask once more before everything is erased."""
    slash = "/" if session.slash else ""
    return Prompt(
        text=messages.say("forget_ask", session.language, slash=slash),
        options=(
            _button(session, FORGET, "erase", "button_erase"),
            _button(session, FORGET, "keep", "button_keep"),
        ),
        layout=Layout.OPTIONS,
    )


def ask_again(
    survey: Survey, session: Session, *, lead: str = "", hint: bool = True
) -> Prompt | None:
    """Put again what the conversation waits for; None when it waits for nothing."""
    if session.aside is Aside.FORGET:
        return _after(lead, ask_forget(session))
    if session.aside is Aside.LANGUAGE:
        return _after(lead, ask_language(survey, session))
    if session.aside is Aside.SECTOR:
        return ask_sector(session, lead=lead, key="sector_ask_again")
    if session.status is Status.CONSENTING:
        return ask_consent(survey, session, lead=lead)
    if session.status is Status.PLACING:
        return ask_sector(session, lead=lead)
    if session.status is Status.SUBMITTING:
        return ask_submit(session, lead=lead)
    if session.status is Status.ASKING and session.at is not None:
        question = survey.by_id[session.at]
        return ask_question(survey, session, question, lead=lead, hint=hint)
    return None


def _after(lead: str, prompt: Prompt) -> Prompt:
    return replace(prompt, text=_joined(lead, prompt.text))


def remind(survey: Survey, session: Session, event: Reminded) -> Prompt | None:
    """Remind of what is waited for; None when nothing is."""
    begun = session.status in (Status.PLACING, Status.ASKING, Status.SUBMITTING)
    key = "reminder_begun" if begun else "reminder"
    title = survey.say(survey.title, session.language)
    if event.until is None:
        lead = messages.say(f"{key}_open", session.language, title=title)
    else:
        when = messages.day(event.until, session.language, today=event.at.date())
        if event.minute is not None:
            time = f"{event.minute // 60:02}:{event.minute % 60:02}"
            when = messages.say("day_at", session.language, time=time, date=when)
        lead = messages.say(key, session.language, title=title, date=when)
    if session.status is Status.CONSENTING and session.agreed_before:
        buttons = ask_consent(survey, session)
        return Prompt(text=lead, options=buttons.options, layout=buttons.layout)
    return ask_again(survey, session, lead=lead)
