"""A wave with people who answered, as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dialogues.coding import Coding, Stance
from dialogues.disposition import Disposition
from dialogues.effects import ConsentRecorded, DispositionSet, ResponseSubmitted
from dialogues.session import Status
from dialogues.survey import Survey
from storage.protocol import Store, Wave
from tests.contract.scenes import (
    AT,
    LATER,
    answered,
    begin,
    go_on,
    person,
    shown,
    wave,
)

SCALE = ["Strongly disagree", "Disagree", "In the middle", "Agree", "Strongly agree"]


def survey(*, anonymous: bool = False, **more: Any) -> Survey:
    """Two scales (one turned round), yes or no, a choice, and words."""
    return Survey.model_validate(
        {
            "survey": "secret" if anonymous else "pulse",
            "title": {"en": "Partnership pulse", "cy": "Pwls y bartneriaeth"},
            "languages": ["en", "cy"],
            "anonymity": "anonymous" if anonymous else "confidential",
            "consent": {"text": "Is that all right?"},
            "question": [
                {
                    "id": "share",
                    "kind": "scale",
                    "labels": SCALE,
                    "enabler": "resources",
                    "dont_know": True,
                    "text": {
                        "en": "Partners here share what they have.",
                        "cy": "Mae partneriaid yma'n rhannu beth sydd ganddyn nhw.",
                    },
                },
                {
                    "id": "alone",
                    "kind": "scale",
                    "labels": SCALE,
                    "enabler": "brokerage",
                    "reversed": True,
                    "text": {
                        "en": "Organisations here mostly work on their own.",
                        "cy": "Mae sefydliadau yma'n gweithio ar eu pennau eu hunain gan amlaf.",
                    },
                },
                {
                    "id": "asked",
                    "kind": "yesno",
                    "enabler": "engagement",
                    "text": "Were you asked what you think?",
                },
                {
                    "id": "who",
                    "kind": "choice",
                    "enabler": "leadership",
                    "text": "Who leads?",
                    "choices": ["The council", "The health board", "Nobody"],
                },
                {"id": "age", "kind": "scale", "labels": SCALE, "text": "No enabler"},
                {"id": "why", "kind": "text", "text": "Why?"},
                {"id": "more", "kind": "text", "text": "What else?"},
            ],
            **more,
        }
    )


def fielded(store: Store, of: Survey, wave_id: str = "w", **changes: Any) -> Wave:
    """Open a wave of a survey."""
    store.keep_survey(of, at=AT)
    made = wave(wave_id, survey_id=of.survey_id, revision=of.revision, **changes)
    store.open_wave(made)
    return made


def invite(store: Store, of: Survey, *names: str, wave_id: str = "w", **about: Any) -> None:
    """Invite people who answer nothing."""
    for name in names:
        respondent = person(store, name, **about)
        store.join(name, "riverside", on=AT.date())
        begin(
            store,
            respondent,
            f"s-{wave_id}-{name}",
            of=of,
            wave_id=wave_id,
            invitation_id=f"i-{wave_id}-{name}",
        )


def answer(
    store: Store,
    of: Survey,
    name: str,
    values: Mapping[str, str | None],
    *,
    wave_id: str = "w",
    loose_id: str | None = None,
    **about: Any,
) -> None:
    """Let somebody agree, answer (None: skipped) and be done; words stand under text questions."""
    respondent = person(store, name, **about)
    store.join(name, "riverside", on=AT.date())
    session_id = f"s-{wave_id}-{name}"
    invitation_id = f"i-{wave_id}-{name}"
    begin(store, respondent, session_id, of=of, wave_id=wave_id, invitation_id=invitation_id)
    go_on(store, respondent, ConsentRecorded(at=AT), shown("First?"), session_id=session_id)
    effects = [
        answered(question_id, value, text=value if value and question_id in TEXTS else "")
        for question_id, value in values.items()
    ]
    done = DispositionSet(disposition=Disposition.COMPLETE, at=LATER)
    go_on(
        store,
        respondent,
        *effects,
        done,
        ResponseSubmitted(at=LATER),
        shown("Thank you."),
        session_id=session_id,
        status=Status.COMPLETE,
        loose_id=loose_id or f"loose-{wave_id}-{name}",
    )


TEXTS = {"why", "more"}


def tag(
    store: Store, codes: Mapping[str, Sequence[tuple[str, str]]], *, coder: str = "m@1"
) -> None:
    """Let a model read all words that are left: each word of the keys stands for codes."""
    while answers := store.untagged(coder, limit=100):
        for one in answers:
            found = [code for word, listed in codes.items() if word in one.text for code in listed]
            codings = [
                Coding(
                    enabler=enabler,
                    stance=Stance(stance),
                    span_text=one.text,
                    span_start=0,
                    span_end=len(one.text),
                    confidence=0.9,
                )
                for enabler, stance in dict.fromkeys(found)
            ]
            ids = [
                f"c-{coder}-{one.response_id}-{one.question_id}-{n}" for n in range(len(codings))
            ]
            store.save_codings(one, codings, coding_ids=ids, coder=coder, at=LATER, error=None)


def close(store: Store, wave_id: str = "w") -> Wave:
    """Close a wave."""
    store.settle_wave(wave_id, at=LATER, min_group=5)
    store.set_wave(wave_id, state="closed", closes_at=LATER)
    closed = store.wave(wave_id)
    assert closed is not None
    return closed


def replaced(made: Wave, **changes: Any) -> Wave:
    return replace(made, **changes)
