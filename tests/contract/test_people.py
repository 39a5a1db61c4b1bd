"""People: where they are reached, what is held, and that nothing is left after erasing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialogues.coding import Coding, Stance
from dialogues.disposition import Disposition
from dialogues.effects import LanguageChosen, OptedOut, SectorGiven
from dialogues.errors import StoreError
from dialogues.prompts import Prompt
from dialogues.states import State
from storage.protocol import Address, ConsentHeld, InvitationHeld, Receipt, Respondent, StateHeld
from storage.sql import migrations
from storage.store import SqlStore
from tests.contract.scenes import (
    AT,
    CONFIDENTIAL,
    LATER,
    answered,
    begin,
    claim,
    consented,
    go_on,
    person,
    rows,
    send,
    tell_all,
    wave,
)

TABLES = [
    table
    for script in migrations().values()
    for table in re.findall(r"^create table (\w+)", script, re.MULTILINE)
]


def erase(store: SqlStore, name: str = "ann", *, farewell: Prompt | None = None) -> int:
    return store.erase(
        name, at=AT, erasure_id="e1", actor="person", farewell=farewell, leaving_id="nobody"
    )


def test_a_new_person_is_kept_and_known_again(store: SqlStore) -> None:
    assert store.respondent_at("telegram", "id-of-ann") is None
    ann = person(store)
    assert ann == Respondent(
        respondent_id="ann",
        channel="telegram",
        role="citizen",
        sector=None,
        language="en",
        cohorts=(),
        opted_out=False,
        reachable=True,
    )
    assert store.respondent_at("telegram", "id-of-ann") == store.respondent("ann") == ann
    assert store.respondent_at("slack", "id-of-ann") is None
    assert store.respondent("bob") is None


def test_who_is_known_stays_who_they_are_and_is_written_to_in_the_new_chat(
    store: SqlStore,
) -> None:
    ann = person(store)
    address = Address(channel="telegram", platform_id="id-of-ann", chat="other")
    again = store.welcome(address, respondent_id="x", role="partner", language="cy", on=AT.date())
    assert again == ann
    assert store.respondent("x") is None
    assert store.holdings("ann").address == address


def test_cohorts_are_joined_once_and_left(store: SqlStore) -> None:
    person(store)
    assert store.join("ann", "riverside", on=AT.date())
    assert not store.join("ann", "riverside", on=AT.date())
    assert store.join("ann", "hillside", on=AT.date())
    ann = store.respondent("ann")
    assert ann is not None
    assert ann.cohorts == ("hillside", "riverside")
    store.leave("ann", "riverside", at=AT)
    ann = store.respondent("ann")
    assert ann is not None
    assert ann.cohorts == ("hillside",)


def test_members_come_in_pages_without_those_who_may_not_be_written_to(store: SqlStore) -> None:
    for name in ["eve", "ann", "dan", "bob", "cat"]:
        person(store, name)
        store.join(name, "riverside", on=AT.date())
    store.join("ann", "hillside", on=AT.date())
    store.opt_out("bob", at=AT)
    store.set_reachable("dan", False, at=AT)
    page = store.members("riverside", roles=["citizen", "partner"], limit=2)
    assert [member.respondent_id for member in page] == ["ann", "cat"]
    assert page[0].cohorts == ("hillside", "riverside")
    rest = store.members("riverside", roles=["citizen"], after="cat", limit=2)
    assert [member.respondent_id for member in rest] == ["eve"]
    assert store.members("riverside", roles=["partner"]) == []
    assert store.members("riverside", roles=["citizen_"]) == []
    assert len(store.members("riverside", roles=[])) == 3


def test_members_on_a_channel_are_given_with_their_place_there(store: SqlStore) -> None:
    for name, channel in [("sue", "slack"), ("ann", "telegram"), ("tom", "slack")]:
        person(store, name, channel=channel)
        store.join(name, "riverside", on=AT.date())
    person(store, "ron", channel="slack")
    store.join("ron", "hillside", on=AT.date())
    store.opt_out("sue", at=AT)
    store.set_reachable("tom", False, at=AT)
    assert store.members_on("riverside", "slack") == [("id-of-sue", "sue"), ("id-of-tom", "tom")]
    assert store.members_on("riverside", "terminal") == []


def test_the_uninvited_are_members_without_an_invitation_in_the_wave(store: SqlStore) -> None:
    store.open_wave(wave("w1"))
    store.open_wave(wave("w2"))
    for name in ["ann", "bob", "cat", "dan"]:
        person(store, name)
        if name != "dan":
            store.join(name, "riverside", on=AT.date())
    store.opt_out("cat", at=AT)
    ann = store.respondent("ann")
    assert ann is not None
    begin(store, ann, wave_id="w1", invitation_id="i1")
    names = {
        wave_id: [member.respondent_id for member in store.uninvited(wave_id, roles=["citizen"])]
        for wave_id in ["w1", "w2", "w3"]
    }
    assert names == {"w1": ["bob"], "w2": ["ann", "bob"], "w3": []}
    assert store.uninvited("w2", roles=["partner"]) == []
    assert len(store.uninvited("w2", roles=["citizen"], limit=1)) == 1


def test_opting_out_drops_broadcasts_and_is_taken_back(store: SqlStore) -> None:
    ann = person(store)
    store.say(ann, [Prompt(text="a pulse")], at=AT, lane=1)
    store.say(ann, [Prompt(text="goodbye")], at=AT)
    store.opt_out("ann", at=AT)
    opted_out = store.respondent("ann")
    assert opted_out is not None
    assert opted_out.opted_out
    assert send(store) == ["goodbye"]
    assert send(store, lane=1) == []
    store.opt_in("ann")
    assert store.respondent("ann") == ann


def test_a_turn_can_opt_out_and_choose_a_language(store: SqlStore) -> None:
    ann = person(store)
    consented(store, ann)
    store.say(ann, [Prompt(text="a pulse")], at=AT, lane=1)
    go_on(store, ann, LanguageChosen(language="cy"), OptedOut(at=AT))
    assert store.respondent("ann") == replace(ann, language="cy", opted_out=True)
    assert rows(store, "responses")[0]["language"] == "cy"
    assert send(store, lane=1) == []
    store.set_language("ann", "en")
    assert store.respondent("ann") == replace(ann, opted_out=True)


def test_who_cannot_be_reached_is_sent_nothing_more(store: SqlStore) -> None:
    ann = person(store)
    store.say(ann, [Prompt(text="one"), Prompt(text="two")], at=AT)
    store.set_reachable("ann", False, at=AT)
    assert store.respondent("ann") == replace(ann, reachable=False)
    assert claim(store) == []
    store.set_reachable("ann", True, at=AT)
    assert claim(store) == []


def test_everything_held_can_be_shown(store: SqlStore) -> None:
    ann = person(store)
    store.open_wave(wave())
    begin(store, ann, "s0", wave_id=wave().wave_id, invitation_id="i1", at=AT - timedelta(days=9))
    consented(store, ann)
    go_on(store, ann, answered("goals", "yes"), answered("why", "We talk", text="We talk"))
    go_on(store, ann, answered("goals", "no", edited=True))
    store.join("ann", "riverside", on=AT.date())
    store.note_reminder("i1")
    store.note_state("i1", State.REFUSED, at=AT)
    store.opt_out("ann", at=AT)
    [untagged] = store.untagged("m@1", limit=9)
    coding = Coding(
        enabler="trust",
        stance=Stance.STRENGTH,
        span_text="talk",
        span_start=3,
        span_end=7,
        confidence=0.9,
    )
    store.save_codings(untagged, [coding], coding_ids=["c"], coder="m@1", at=AT, error=None)
    held = store.holdings("ann")
    assert held.respondent == replace(ann, opted_out=True, cohorts=("riverside",))
    assert held.address.chat == "chat-of-ann"
    assert (held.joined_on, held.opted_out_at) == (AT.date(), AT)
    assert held.memberships == (("riverside", AT.date()),)
    assert held.consents == (
        ConsentHeld(survey_id="pulse", revision=CONFIDENTIAL.revision, agreed_at=AT),
    )
    assert held.invitations == (
        InvitationHeld(
            survey_id="pulse",
            revision=CONFIDENTIAL.revision,
            wave_id=wave().wave_id,
            invited_at=AT - timedelta(days=9),
            reminders=1,
            disposition=Disposition.REFUSAL,
            disposition_at=AT,
            history=(
                StateHeld(
                    state=State.CONTACTED,
                    at=AT - timedelta(days=9),
                    channel="telegram",
                    reason=None,
                ),
                StateHeld(state=State.REFUSED, at=AT, channel="telegram", reason=None),
            ),
        ),
    )
    assert [one.session.session_id for one in held.sessions] == ["s1", "s0"]
    [response] = held.responses
    assert (response.response_id, response.disposition) == ("s1", Disposition.UNKNOWN)
    goals = response.answers[0]
    assert (goals.asked_at, goals.answered_at, goals.n_edits) == (AT, AT, 1)
    assert (response.survey_id, response.revision) == ("pulse", CONFIDENTIAL.revision)
    assert response.started_at == AT
    assert [(answer.question_id, answer.value) for answer in response.answers] == [
        ("goals", "no"),
        ("why", "We talk"),
    ]
    assert [kept.coding for kept in response.answers[1].codings] == [coding]
    assert [one.coding for _, one in store.codings_of("s1")] == [coding]


def test_nothing_is_held_of_nobody(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="Nobody"):
        store.holdings("ann")
    with pytest.raises(StoreError, match="Nobody"):
        erase(store)


def test_erasing_leaves_no_trace_in_any_table(store: SqlStore) -> None:
    tell_all(store)
    assert traces(store) != []
    assert erase(store) == 1
    assert traces(store) == []
    [note] = rows(store, "erasures")
    assert (note["erasure_id"], note["actor"], note["n_responses"]) == ("e1", "person", 1)
    # Somebody else's are all there still.
    assert len(store.holdings("bob").responses) == 1


def test_who_was_forgotten_is_not_enrolled_until_they_come_back(store: SqlStore) -> None:
    person(store)
    assert not store.is_suppressed("telegram", "id-of-ann")
    erase(store)
    assert store.is_suppressed("telegram", "id-of-ann")
    assert not store.is_suppressed("slack", "id-of-ann")
    assert store.respondent_at("telegram", "id-of-ann") is None
    person(store)
    assert not store.is_suppressed("telegram", "id-of-ann")


@pytest.mark.parametrize("outcome", ["sent", "dead", "gone"])
def test_the_address_goes_with_the_last_word(store: SqlStore, outcome: str) -> None:
    person(store)
    erase(store, farewell=Prompt(text="It is all gone."))
    store.scrub_due = False
    assert store.respondent_at("telegram", "id-of-ann") is None
    [message] = claim(store)
    assert (message.chat, message.respondent_id) == ("chat-of-ann", "nobody")
    store.settle([Receipt(outbox_id=message.outbox_id, outcome="retry", retry_at=LATER)], now=LATER)
    assert len(rows(store, "addresses")) == 1
    [message] = claim(store)
    store.settle([Receipt(outbox_id=message.outbox_id, outcome=outcome)], now=LATER)
    assert rows(store, "addresses") == rows(store, "outbox") == []
    assert store.scrub_due


def test_who_comes_back_before_the_last_word_gets_it_and_is_somebody_new(
    store: SqlStore,
) -> None:
    person(store)
    erase(store, farewell=Prompt(text="It is all gone."))
    back = store.welcome(
        Address(channel="telegram", platform_id="id-of-ann", chat="c2"),
        respondent_id="new",
        role="citizen",
        language=None,
        on=AT.date(),
    )
    store.say(back, [Prompt(text="Hello")], at=AT)
    assert send(store) == ["It is all gone.", "Hello"]
    assert store.respondent_at("telegram", "id-of-ann") == back
    assert store.holdings("new").address.chat == "c2"


def test_consent_is_to_these_words_of_this_survey(store: SqlStore) -> None:
    ann = person(store)
    agreed = ("ann", CONFIDENTIAL.survey_id, CONFIDENTIAL.consent_revision)
    assert not store.has_consented(*agreed)
    consented(store, ann)
    assert store.has_consented(*agreed)
    assert not store.has_consented("ann", CONFIDENTIAL.survey_id, "other words")
    assert not store.has_consented("ann", "other survey", CONFIDENTIAL.consent_revision)
    assert not store.has_consented("bob", *agreed[1:])


def traces(store: SqlStore) -> list[object]:
    """Values of any table that tell of Ann."""
    return [
        value
        for table in TABLES
        for row in rows(store, table)
        for value in row.values()
        if any(word in str(value) for word in ["ann", "Quixotic"])
    ]


def test_a_day_is_taken_from_any_zone(store: SqlStore) -> None:
    """Half past midnight in Cardiff in summer is still the day before in UTC."""
    person(store)
    at = datetime.fromisoformat("2026-07-02T00:30:00+01:00")
    store.erase("ann", at=at, erasure_id="e", actor="person", farewell=None, leaving_id="nobody")
    assert rows(store, "suppressed")[0]["since"] == "2026-07-01"
    assert rows(store, "erasures")[0]["erased_at"] == "2026-07-01T23:30:00.000000+00:00"
    assert at.astimezone(UTC).date().isoformat() == "2026-07-01"


def test_a_sector_is_kept_with_the_person_and_the_response_under_way(store: SqlStore) -> None:
    ann = person(store)
    assert not store.has_agreed("ann")
    consented(store, ann, "s0")
    assert store.has_agreed("ann")
    consented(store, ann, "s1")
    go_on(store, ann, SectorGiven(sector="business", role="partner"), session_id="s1")
    assert store.respondent("ann") == replace(ann, sector="business", role="partner")
    kept = {row["response_id"]: (row["sector"], row["role"]) for row in rows(store, "responses")}
    assert kept == {"s0": (None, "citizen"), "s1": ("business", "partner")}
    go_on(store, ann, SectorGiven(sector="undisclosed", role=None), session_id="s1")
    assert store.respondent("ann") == replace(ann, sector="undisclosed", role="partner")
    store.set_sector("ann", "citizen", "citizen")
    assert store.respondent("ann") == replace(ann, sector="citizen", role="citizen")
    assert rows(store, "responses")[1]["sector"] == "undisclosed"
