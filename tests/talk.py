"""A conversation held in a test: words and presses in, what the person sees out.

The session is encoded and decoded between any two turns, always.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dialogues.codec import decode_session, encode_session
from dialogues.effects import AnswerRecorded, Effect, PromptShown
from dialogues.engine import Opening, start, step
from dialogues.events import (
    ChoicePressed,
    Event,
    Reminded,
    ReplyEdited,
    ReplyReceived,
    ReplyUnreadable,
    WaveClosed,
)
from dialogues.loader import load_survey
from dialogues.prompts import Prompt
from dialogues.survey import Survey

SURVEYS = Path(__file__).parents[1] / "dialogues" / "surveys"
BEGIN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def shipped(survey_id: str) -> Survey:
    return load_survey(tomllib.loads((SURVEYS / f"{survey_id}.toml").read_text()))


def survey_of(*questions: dict[str, Any], **more: Any) -> Survey:
    """Make a small survey."""
    return Survey.model_validate(
        {
            "survey": "small",
            "ask_sector": False,
            "title": "Small survey",
            "consent": {"text": "May we keep your answers?", "more": "The whole text."},
            "thanks": "Thank you.",
            "question": list(questions),
            **more,
        }
    )


class Talk:
    """One person and one survey, with no channel between them."""

    def __init__(self, survey: Survey, **opening: Any) -> None:
        self.survey = survey
        self.at = BEGIN
        self.count = 0
        self.effects: list[Effect] = []
        self.log: list[str] = []
        first = start(
            survey,
            Opening(
                **{
                    "session_id": "abc",
                    "event_id": "e0",
                    "language": "en",
                    "slash": False,
                    "waved": False,
                    **opening,
                }
            ),
            self.at,
        )
        self._session = encode_session(first.session)
        self.took(first.effects)

    @property
    def session(self):
        return decode_session(self._session)

    def took(self, effects: tuple[Effect, ...]) -> None:
        self.effects = list(effects)
        self.log.extend(_written(effect) for effect in effects)

    def happen(self, event: Event) -> list[Effect]:
        turn = step(self.survey, self.session, event)
        self._session = encode_session(turn.session)
        self.took(turn.effects)
        return self.effects

    def _next(self) -> tuple[str, datetime]:
        self.count += 1
        self.at += timedelta(seconds=5)
        return f"e{self.count}", self.at

    def say(self, text: str, *, seen: int | None = None, position: str | None = None) -> str:
        event_id, at = self._next()
        self.log.append(f"> {text}")
        self.happen(
            ReplyReceived(
                event_id=event_id,
                at=at,
                text=text,
                seen_turn=seen,
                position=position or str(self.count),
            )
        )
        return self.shown

    def press(self, label: str, *, prompt: Prompt | None = None) -> str:
        buttons = [*(prompt or self.prompt).options, *(prompt or self.prompt).controls]
        token = next(button.token for button in buttons if button.label == label)
        return self.press_token(token, label)

    def press_token(self, token: str, label: str = "") -> str:
        event_id, at = self._next()
        self.log.append(f"> [{label or token}]")
        self.happen(ChoicePressed(event_id=event_id, at=at, token=token))
        return self.shown

    def edit(self, position: str, text: str) -> str:
        event_id, at = self._next()
        self.log.append(f"> (edits {position}) {text}")
        self.happen(ReplyEdited(event_id=event_id, at=at, text=text, position=position))
        return self.shown

    def photo(self) -> str:
        event_id, at = self._next()
        self.log.append("> (a photo)")
        self.happen(ReplyUnreadable(event_id=event_id, at=at))
        return self.shown

    def remind(self) -> str:
        event_id, at = self._next()
        self.log.append("(reminder)")
        self.happen(Reminded(event_id=event_id, at=at))
        return self.shown

    def close_wave(self) -> str:
        event_id, at = self._next()
        self.log.append("(the wave closes)")
        self.happen(WaveClosed(event_id=event_id, at=at))
        return self.shown

    @property
    def prompts(self) -> list[Prompt]:
        return [effect.prompt for effect in self.effects if isinstance(effect, PromptShown)]

    @property
    def prompt(self) -> Prompt:
        return self.prompts[-1]

    @property
    def shown(self) -> str:
        return self.prompt.text if self.prompts else ""

    def recorded(self) -> list[tuple[str, str | None, str | None]]:
        return [
            (effect.question_id, effect.value, effect.missing)
            for effect in self.effects
            if isinstance(effect, AnswerRecorded)
        ]

    @property
    def answers(self) -> dict[str, str | None]:
        return {given.question_id: given.value for given in self.session.given}

    def transcript(self) -> str:
        return "\n".join(self.log) + "\n"


def _written(effect: Effect) -> str:
    if isinstance(effect, PromptShown):
        prompt = effect.prompt
        mark = " (in place)" if effect.in_place else ""
        lines = [f"< {line}" if line else "<" for line in prompt.text.split("\n")]
        lines[0] = lines[0] + mark
        if prompt.options:
            ticked = (("✓ " if b.ticked else "") + b.label for b in prompt.options)
            lines.append("< " + " ".join(f"[{label}]" for label in ticked))
        if prompt.controls:
            lines.append("< " + " ".join(f"({button.label})" for button in prompt.controls))
        return "\n".join(lines)
    if isinstance(effect, AnswerRecorded):
        what = effect.value if effect.value is not None else f"missing: {effect.missing}"
        edited = ", edited" if effect.edited else ""
        return f"  = {effect.question_id}: {what!r}{edited}"
    name = type(effect).__name__
    named = (getattr(effect, name, None) for name in ("disposition", "question_id", "sector"))
    detail = next((one for one in named if one), None)
    return f"  = {name}" + (f" {detail}" if detail else "")
