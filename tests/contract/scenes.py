"""Short ways to what the contract tests begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dialogues.coding import Coding
from dialogues.effects import (
    AnswerRecorded,
    ConsentRecorded,
    Effect,
    PromptShown,
    QuestionOffered,
    Turn,
)
from dialogues.prompts import Prompt
from dialogues.session import Missing, Session, Status
from dialogues.survey import Survey
from storage.protocol import (
    Address,
    Outgoing,
    Receipt,
    Respondent,
    Rhythm,
    Store,
    StoredSession,
    Timing,
    Unsent,
    Wave,
)
from storage.tables import in_order

AT = datetime(2026, 12, 1, 10, 30, 15, 123456, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
MUCH_LATER = AT + timedelta(hours=1)


def survey(survey_id: str = "pulse", *, anonymous: bool = False) -> Survey:
    return Survey.model_validate(
        {
            "survey": survey_id,
            "title": "Pulse",
            "languages": ["en", "cy"],
            "anonymity": "anonymous" if anonymous else "confidential",
            "consent": {"text": "Is that all right?"},
            "question": [
                {"id": "goals", "kind": "yesno", "text": {"en": "Same goal?", "cy": "Yr un nod?"}},
                {"id": "why", "kind": "text", "text": "Why?"},
                {"id": "more", "kind": "text", "text": "What else?"},
            ],
        }
    )


CONFIDENTIAL = survey()
ANONYMOUS = survey("secret", anonymous=True)


def person(store: Store, name: str = "ann", *, channel: str = "telegram") -> Respondent:
    return store.welcome(
        Address(channel=channel, platform_id=f"id-of-{name}", chat=f"chat-of-{name}"),
        respondent_id=name,
        role="citizen",
        language="en",
        on=AT.date(),
    )


def wave(wave_id: str = "monthly-riverside-2026-12-01", **changes: object) -> Wave:
    plain = Wave(
        wave_id=wave_id,
        pulse="monthly",
        cohort="riverside",
        survey_id=CONFIDENTIAL.survey_id,
        revision=CONFIDENTIAL.revision,
        roles=("citizen", "partner"),
        questions_per_person=4,
        timezone="Europe/London",
        quiet_hours=(20 * 60, 8 * 60),
        state="open",
        opens_at=AT,
        closes_at=AT + timedelta(days=10),
        rhythm=Rhythm(
            opens_on=AT.date(),
            minute=10 * 60,
            next_on=date(2027, 1, 1),
            remind_after=(timedelta(days=2), timedelta(days=5)),
        ),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def blank(session_id: str, of: Survey = CONFIDENTIAL) -> Session:
    return Session(
        session_id=session_id,
        survey_id=of.survey_id,
        revision=of.revision,
        language="en",
        slash=True,
        waved=False,
        status=Status.CONSENTING,
        turn=1,
    )


def shown(text: str, *, in_place: bool = False, lasting: bool = False) -> PromptShown:
    return PromptShown(prompt=Prompt(text=text), in_place=in_place, lasting=lasting)


def answered(
    question_id: str,
    value: str | None,
    *,
    text: str = "",
    edited: bool = False,
    missing: Missing | None = None,
    at: datetime = AT,
) -> AnswerRecorded:
    return AnswerRecorded(
        question_id=question_id,
        question=f"{question_id}, as put",
        value=value,
        text=text,
        missing=missing,
        at=at,
        edited=edited,
    )


def begin(
    store: Store,
    respondent: Respondent,
    session_id: str = "s1",
    *,
    of: Survey = CONFIDENTIAL,
    wave_id: str | None = None,
    invitation_id: str | None = None,
    effects: Sequence[Effect] = (),
    lane: int = 0,
    at: datetime = AT,
    due_at: datetime | None = None,
) -> bool:
    store.keep_survey(of, at=AT)
    return store.begin_session(
        Turn(session=blank(session_id, of), effects=tuple(effects) or (shown("consent?"),)),
        respondent=respondent,
        wave_id=wave_id,
        cohort="riverside" if wave_id else None,
        invitation_id=invitation_id,
        lane=lane,
        at=at,
        due_at=due_at or at,
    )


def stored(store: Store, session_id: str = "s1") -> StoredSession:
    session = store.session(session_id)
    assert session is not None
    return session


def go_on(
    store: Store,
    respondent: Respondent,
    *effects: Effect,
    session_id: str = "s1",
    status: Status = Status.ASKING,
    lane: int = 0,
    at: datetime = LATER,
    loose_id: str = "loose",
) -> None:
    before = stored(store, session_id)
    session = replace(before.session, turn=before.session.turn + 1, status=status)
    store.commit_turn(
        Turn(session=session, effects=effects),
        before=before,
        respondent=respondent,
        lane=lane,
        at=at,
        loose_id=loose_id,
    )


def consented(
    store: Store,
    respondent: Respondent,
    session_id: str = "s1",
    *,
    of: Survey = CONFIDENTIAL,
    wave_id: str | None = None,
    invitation_id: str | None = None,
) -> None:
    """Begin a conversation and agree in it; the first question is offered."""
    begin(
        store,
        respondent,
        session_id,
        of=of,
        wave_id=wave_id,
        invitation_id=invitation_id,
    )
    go_on(
        store,
        respondent,
        ConsentRecorded(at=AT),
        QuestionOffered(question_id="goals", at=AT),
        shown("goals?"),
        session_id=session_id,
    )


def claim(
    store: Store,
    *,
    lane: int = 0,
    limit: int = 10,
    now: datetime = MUCH_LATER,
    channel: str = "telegram",
    chat: str | None = None,
    worker_id: str = "",
) -> list[Outgoing]:
    return store.claim_outbox(
        channel, lane=lane, limit=limit, now=now, until=now + timedelta(seconds=60), chat=chat,
        worker_id=worker_id,
    )  # fmt: skip


def send(store: Store, position: str = "100", *, lane: int = 0) -> list[str]:
    """Claim and send all that can be; give the texts."""
    texts = []
    while messages := claim(store, lane=lane):
        texts += [message.prompt.text for message in messages]
        store.settle(
            [
                Receipt(outbox_id=message.outbox_id, outcome="sent", position=position)
                for message in messages
            ],
            now=MUCH_LATER,
        )
    return texts


def rows(store: Store, table: str) -> list[dict[str, object]]:
    """All that a table holds, past the contract, by its key."""
    [known] = in_order([table])
    return as_they_lie(store, f"{table} order by {', '.join(known.key)}")


def as_they_lie(store: Store, table: str) -> list[dict[str, object]]:
    """All that a table holds, in the order in which it lies on the disk."""
    driver = store._driver  # type: ignore[attr-defined]
    return [dict(row) for row in driver.all(f"select * from {table}", {})]


def tell_all(store: Store) -> None:
    """Two people, Ann and Bob, do everything that leaves a row."""
    store.open_wave(wave())
    for name in ["ann", "bob"]:
        respondent = person(store, name)
        session_id = f"s-of-{name}"
        store.take_event(f"event-of-{name}", on=AT.date())
        store.join(name, "riverside", on=AT.date())
        consented(
            store,
            respondent,
            session_id,
            wave_id=wave().wave_id,
            invitation_id=f"i-of-{name}",
        )
        words = f"Quixotic words of {name}" if name == "ann" else "Plain words"
        go_on(
            store,
            respondent,
            answered("why", words, text=words),
            shown(f"You said {words}"),
            session_id=session_id,
        )
        [untagged] = store.untagged("m@1", limit=9)
        coding = Coding(
            enabler="trust",
            stance=None,
            span_text=words[:8],
            span_start=0,
            span_end=8,
            confidence=0.5,
        )
        store.save_codings(
            untagged, [coding], coding_ids=[f"c-of-{name}"], coder="m@1", at=AT, error=None
        )
        store.say(respondent, [Prompt(text=f"{words}, and more")], at=AT)
        store.set_timing(name, Timing(minute=1080 if name == "ann" else 540))
        store.note_unsent(
            wave().wave_id, [Unsent(respondent_id=name, number=1, reason="away")], at=AT
        )
