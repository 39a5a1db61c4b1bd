"""How a wave stands, as those who run it read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.cli import standing as terminal
from bot.standing import WaveStanding, people
from dialogues.states import Cause
from storage.protocol import InvitationCounts, Retention, ToSend
from tests.contract.scenes import AT, wave

COUNTS = InvitationCounts(
    invited=1000,
    consented=60,
    by_disposition={"unknown": 960, "complete": 30, "partial": 5, "refusal": 5},
    by_state={"queued": 400, "contacted": 535, "started": 25, "completed": 30, "partial": 5,
              "refused": 5},
    by_channel={"telegram": 1000},
    waiting=410,
    to_send=(ToSend(channel="telegram", due=300, later=100, last_due_at=AT + timedelta(hours=3)),),
    retention=Retention(before="the-one-before", answered=40, invited=38, again=30, entered=5),
)  # fmt: skip
RATES = {"telegram": 30.0, "slack": 4.0}


def stands(counts: InvitationCounts = COUNTS, **changes: object) -> WaveStanding:
    plain = WaveStanding(wave=wave(), counts=counts, now=AT, rates=RATES, not_invited={})
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_it_is_said_in_lines() -> None:
    assert terminal.lines(stands()) == [
        "monthly-riverside-2026-12-01 (open, opened 2026-12-01 10:30 Europe/London,"
        " closes 2026-12-11 10:30 Europe/London)",
        "  sending      600 of 1,000 invitations sent; 300 messages to send and 100 that wait for"
        " people's own hours, done at about 2026-12-01 13:30 Europe/London",
        "  invitations  queued 400, contacted 535, started 25, completed 30, partial 5, refused 5",
        "  rates        participation 3% complete (RR1), 4% with partial (RR2), contact 4%,"
        " refusal 0%",
        "               60 agreed: completion 50%, break-off 0%",
        "  panel        30 of 40 who answered the-one-before have answered again (75% retention),"
        " 5 are new",
    ]


def test_who_is_not_invited_is_said_with_the_reason() -> None:
    everything = stands(not_invited={cause.value: 1 for cause in Cause} | {"fatigue": 1200})
    said = terminal.lines(everything)[2]
    assert said.startswith(
        "  not invited  1 away, 1 closed before, 1 on days off, 1,200 asked enough"
    )
    assert len(said.split(",")) == len(Cause) + 1
    assert everything.as_json()["not_invited"]["fatigue"] == 1200  # type: ignore[index]


def test_who_was_never_asked_is_not_said_to_be() -> None:
    counts = replace(
        COUNTS,
        invited=3,
        by_disposition={"screened_out": 5, "unknown": 2, "non_contact": 1},
        by_state={"rejected": 5, "queued": 1, "contacted": 1, "failed": 1},
    )
    some = stands(counts, not_invited={"fatigue": 5})
    assert some.sending().startswith(
        "1 of 3 invitations sent, 1 not sent or not delivered; 300 messages to send"
    )
    nobody = replace(
        counts, invited=0, by_disposition={"screened_out": 5}, by_state={"rejected": 5}, to_send=()
    )
    assert stands(nobody, not_invited={"fatigue": 5}).sending() == "nobody is invited"
    assert stands(nobody).sending() == "nobody was invited yet"


def test_one_is_one() -> None:
    one = ToSend(channel="telegram", due=1, later=0, last_due_at=AT)
    alone = stands(replace(COUNTS, to_send=(one,)))
    assert "; 1 message to send, done" in alone.sending()
    both = stands(replace(COUNTS, to_send=(replace(one, later=1),)))
    assert "; 1 message to send and 1 that waits for people's own hours" in both.sending()
    paused = stands(replace(COUNTS, to_send=(one,)), wave=wave(state="paused"))
    assert paused.sending().endswith("; 1 message waits until it is resumed")
    assert people(1) == "1 person"


def test_sending_is_done_when_the_slowest_channel_is() -> None:
    both = replace(
        COUNTS,
        to_send=(
            ToSend(channel="slack", due=400, later=0, last_due_at=AT),
            ToSend(channel="telegram", due=3000, later=0, last_due_at=AT),
        ),
    )
    assert stands(both).done_at == AT + timedelta(seconds=100)
    alone = replace(COUNTS, to_send=(ToSend(channel="telegram", due=300, later=0, last_due_at=AT),))
    assert stands(alone).done_at == AT + timedelta(seconds=10)
    assert stands(alone, measured=10.0).done_at == AT + timedelta(seconds=30)
    assert stands(replace(COUNTS, to_send=())).done_at is None
    assert stands(alone, wave=wave(state="paused")).done_at is None
    assert "wait until it is resumed" in stands(alone, wave=wave(state="paused")).sending()


@pytest.mark.parametrize(
    ("by_channel", "noun"),
    [({"slack": 9}, "response"), ({"telegram": 9}, "participation"),
     ({"slack": 9, "telegram": 1}, "participation"), ({"slack": 9, "telegram": 0}, "response")],
)  # fmt: skip
def test_only_of_a_list_one_speaks_of_response(by_channel: dict[str, int], noun: str) -> None:
    assert stands(replace(COUNTS, by_channel=by_channel)).responses().startswith(f"{noun} ")


def test_a_watch_ends_with_the_wave_and_says_what_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_EVERY", 0.0)
    empty = replace(COUNTS, by_state={"contacted": 1000}, to_send=(), waiting=0)
    looks = [stands(), stands(), stands(empty), stands(empty, wave=wave(state="closed"))]
    remaining = iter(looks)
    terminal.watch(lambda: [next(remaining)])
    assert next(remaining, None) is None
    out = capsys.readouterr().out
    assert out.count("monthly-riverside-2026-12-01 (open") == 2
    assert out.count("monthly-riverside-2026-12-01 (closed") == 1
    assert "1,000 of 1,000 invitations sent" in out


def test_for_a_program_everything_is_a_number() -> None:
    shown = stands().as_json()
    assert shown["sending"] == {
        "invitations_sent": 600,
        "invitations_to_send": 400,
        "invitations_failed": 0,
        "messages_due": 300,
        "messages_later": 100,
        "last_due_at": "2026-12-01T13:30:15+00:00",
        "done_at": "2026-12-01T13:30:15+00:00",
    }
    assert shown["denominator"] == "self-selected"
    assert shown["panel"] == {
        "before": "the-one-before", "answered": 40, "invited": 38, "again": 30, "entered": 5,
    }  # fmt: skip
