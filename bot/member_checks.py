"""Member checks: people are asked, once a response, whether what was made of their words is right.

What lives here: when somebody is asked, whose press it is, and what follows from it. Truth is in
rows: a response waits for its check from the turn that completes it, and is asked about once,
however often this runs. What must not: words and buttons (``dialogues/member_check.py``), or the
clock (``schedule.py`` ticks).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.clock.planning import alone, hours_of, window_at
from bot.jobs import RunJob
from dialogues import messages
from dialogues.codec import Unreadable, decode_draft, encode_draft
from dialogues.coding import Codeframe
from dialogues.member_check import (
    Answer,
    Scene,
    Touch,
    as_suggested,
    ask_prompt,
    changed_by,
    done_prompt,
    edit_prompt,
    gone_prompt,
    off_prompt,
    on_prompt,
    read_touch,
    wants_no_checks,
)
from dialogues.moves import BEGUN
from dialogues.prompts import Prompt, read_token
from dialogues.reviewing import begin, said
from dialogues.survey import Survey
from storage.checking import Asking, Heard, ToCheck
from storage.protocol import Respondent, Store, Window

__all__ = ["Check", "MemberChecks"]

#: How long after the end of a response its person may be asked. Later they have gone.
_PATIENCE = timedelta(hours=1)

#: Responses looked at in one go.
_BATCH = 100

#: How many of a person's conversations are looked at.
_RECENT = 8


class MemberChecks:
    """Asks who is to be asked. Every method that takes a store is one transaction."""

    def __init__(
        self, *, codeframe: Codeframe, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._codeframe = codeframe
        self._now = now
        self._new_id = new_id

    def tick(self, run: RunJob) -> None:
        """Ask everybody whose words were read by now."""
        after = ""
        while found := run(partial(self._waiting, after=after)):
            for one in found:
                run(partial(self._look, one=one))
            after = found[-1].response_id

    def _waiting(self, store: Store, after: str) -> list[ToCheck]:
        overdue = self._now() - _PATIENCE
        return store.waiting_checks(overdue=overdue, after=after, limit=_BATCH)

    def _look(self, store: Store, one: ToCheck) -> None:
        """Ask a person, put it off while they are answering something, or let it be."""
        store.hold_people([one.respondent_id])
        now = self._now()
        person = store.respondent(one.respondent_id)
        survey = store.survey(one.survey_id, one.revision)
        window = self._window(store, one, now)
        if person is None or survey is None or window is None or not _may_ask(store, person):
            store.move_check(one.response_id, "off", at=now, before="waiting")
        elif not _is_busy(store, one):
            check = Check(
                store=store,
                respondent=person,
                codeframe=self._codeframe,
                new_id=self._new_id,
                now=now,
            )
            check.ask(one.response_id, survey, window=window, lane=1)

    def _window(self, store: Store, one: ToCheck, now: datetime) -> Window | None:
        """Give when the question may leave, beginning now; None where now is not the time."""
        until = one.since + _PATIENCE
        timing = store.timing(one.respondent_id)
        wave = None if one.wave_id is None else store.wave(one.wave_id)
        if wave is None:
            window = alone(timing, now, until)
        else:
            window = window_at(hours_of(wave, timing), now, until)
        return window if isinstance(window, Window) and window.due_at <= now else None


def _may_ask(store: Store, person: Respondent) -> bool:
    reachable = person.reachable and not person.opted_out
    return reachable and store.wants_checks(person.respondent_id)


def _is_busy(store: Store, one: ToCheck) -> bool:
    """Whether a person is in the middle of another conversation."""
    return any(
        stored.session.status in BEGUN
        for stored in store.recent_sessions(one.respondent_id, limit=_RECENT)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One person who is asked, or answers, in one transaction.

    Attributes:
        new_id: Gives a fresh id.
        now: Aware UTC.
    """

    store: Store
    respondent: Respondent
    codeframe: Codeframe
    new_id: Callable[[], str]
    now: datetime

    def ask(self, response_id: str, survey: Survey, *, window: Window, lane: int) -> bool:
        """Ask about a response that waits for it; False where there is nothing to ask about.

        Args:
            response_id: Whose words were read.
            survey: Says about which answers.
            window: When the question may leave.
            lane: 1 for one that comes of our own accord.
        """
        heard = [
            replace(one, body=encode_draft(begin(response_id, one.suggested)))
            for one in self.store.answers_to_check(response_id)
            if one.question_id in survey.checked and one.suggested
        ]
        if not heard:
            self.store.move_check(response_id, "off", at=self.now, before="waiting")
            return False
        if not self.store.move_check(response_id, "asked", at=self.now, before="waiting"):
            return False
        for one in heard:
            self.store.keep_heard(response_id, one, one.body)
        prompt = ask_prompt(self._scene(response_id, heard))
        self.store.show_check(
            self.respondent, response_id, prompt, window=window, lane=lane, in_place=False
        )
        return True

    def take_words(self, text: str) -> bool:
        """Ask no more where words say so to somebody who was asked; False for any other words."""
        if not wants_no_checks(text) or not self.store.was_asked(self.respondent.respondent_id):
            return False
        self.store.set_checks(self.respondent.respondent_id, False)
        told = self._last(off_prompt("any", self._language(None)))
        self.store.say(self.respondent, [told], at=self.now)
        return True

    def take_press(self, pressed: str) -> bool:
        """Do what a button of a check says; False where it is another's."""
        touch = read_touch(read_token(pressed))
        if touch is None:
            return False
        language = self._language(touch.response_id)
        if touch.what == "y":
            self.store.set_checks(self.respondent.respondent_id, True)
        asking = self.store.asking(touch.response_id)
        if asking is None or asking.respondent_id != self.respondent.respondent_id:
            # Of a response that was erased, or of none.
            told = on_prompt(language) if touch.what == "y" else gone_prompt(language)
            self.store.say(self.respondent, [told], at=self.now)
        else:
            self._take_touch(touch, asking, language)
        return True

    def _take_touch(self, touch: Touch, asking: Asking, language: str) -> None:
        scene = self._scene(touch.response_id, asking.heard)
        if touch.what == "y":
            self._show(asking, on_prompt(language))
        elif touch.what == "x":
            self.store.set_checks(self.respondent.respondent_id, False)
            if asking.state != "done":
                self.store.move_check(asking.response_id, "off", at=self.now)
            self._show(asking, self._last(off_prompt(touch.response_id, language)))
        elif asking.state == "off":
            self._show(asking, self._last(off_prompt(touch.response_id, language)))
        elif not scene.answers:
            self._show(asking, gone_prompt(language))
        elif touch.what in ("r", "f"):
            self._finish(asking, scene, all_right=touch.what == "r")
        else:
            answer = changed_by(touch, scene)
            if answer is not None:
                scene = self._keep(asking, scene, answer)
            self._show(asking, edit_prompt(scene, None if answer else touch))

    def _finish(self, asking: Asking, scene: Scene, *, all_right: bool) -> None:
        """Keep what the person says, as codings of their own."""
        for answer in scene.answers:
            if all_right:
                answer = replace(answer, draft=as_suggested(answer.draft))
                self._keep(asking, scene, answer)
            codings = said(answer.draft, answer.text)
            self.store.save_heard(
                asking.response_id,
                _of(asking, answer),
                codings,
                coding_ids=[self.new_id() for _ in codings],
                at=self.now,
            )
        self.store.move_check(asking.response_id, "done", at=self.now, before="asked")
        self._show(asking, self._last(done_prompt(scene)))

    def _keep(self, asking: Asking, scene: Scene, answer: Answer) -> Scene:
        body = encode_draft(answer.draft)
        self.store.keep_heard(asking.response_id, _of(asking, answer), body)
        answers = (answer if one.place == answer.place else one for one in scene.answers)
        return replace(scene, answers=tuple(answers))

    def _show(self, asking: Asking, prompt: Prompt) -> None:
        self.store.show_check(
            self.respondent,
            asking.response_id,
            prompt,
            window=Window(due_at=self.now),
            lane=0,
            in_place=True,
        )

    def _last(self, prompt: Prompt) -> Prompt:
        """Give a last message; a conversation in a terminal is over with it."""
        is_over = self.respondent.channel == "terminal"
        return replace(prompt, controls=()) if is_over else prompt

    def _scene(self, response_id: str, heard: list[Heard] | tuple[Heard, ...]) -> Scene:
        answers = []
        for one in heard:
            try:
                draft = decode_draft(one.body)
            except Unreadable:
                continue
            answers.append(Answer(place=one.place, text=one.text, draft=draft))
        return Scene(
            response_id=response_id,
            answers=tuple(answers),
            codeframe=self.codeframe,
            language=self._language(response_id),
        )

    def _language(self, response_id: str | None) -> str:
        """Give the person's language, or else that in which they gave the response."""
        stored = None if response_id is None else self.store.session(response_id)
        given = stored.session.language if stored else messages.LANGUAGES[0]
        return self.respondent.language or given


def _of(asking: Asking, answer: Answer) -> Heard:
    return next(one for one in asking.heard if one.place == answer.place)
