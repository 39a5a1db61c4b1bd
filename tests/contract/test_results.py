"""Results and notes: kept once, told once, and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.protocol import Note, Store
from storage.reports import Span, WaveFigures
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, MUCH_LATER, person, rows
from tests.reports.scenes import answer, close, fielded, invite, survey, tag

FIGURES = WaveFigures(least=5, invited=20, took_part=Span(low=12, high=12, of=20))
NOTE = Note(
    note_id="r1",
    cohort="riverside",
    enabler="resources",
    stance="gap",
    waves=("w",),
    words={"*": "We found a room.", "cy": "Fe gawson ni ystafell."},
    author="mair",
    people="fewer than 5",
    made_at=AT,
    told_after="",
)


def keep(store: Store, wave_id: str = "w", *, telling: bool = True) -> bool:
    return store.keep_results(
        wave_id, FIGURES, pictures={"en": "p1"}, telling=telling, at=MUCH_LATER
    )


def test_a_picture_is_kept_once_and_given_as_it_was(store: SqlStore) -> None:
    content = bytes(range(256)) * 40
    picture_id = store.keep_picture(content, at=AT)
    assert store.keep_picture(content, at=AT) == picture_id
    assert store.keep_picture(b"another", at=AT) != picture_id
    assert store.picture(picture_id) == content
    assert store.picture("none") is None
    assert len(rows(store, "pictures")) == 2


def erase(store: Store, name: str) -> None:
    store.erase(
        name,
        at=LATER,
        erasure_id=f"e-{name}",
        actor="respondent",
        farewell=None,
        leaving_id=f"x-{name}",
    )


# When they are due -----------------------------------------------------------------------


def test_results_are_due_once_the_words_are_read_or_time_has_passed(store: SqlStore) -> None:
    of = survey()
    fielded(store, of)
    answer(store, of, "ann", {"share": "4", "why": "money"})

    def due(*, before: object = AT) -> list[str]:
        return store.results_due(before=before, limit=9)  # type: ignore[arg-type]

    tag(store, {})
    answer(store, of, "bob", {"why": "time"})
    assert due(before=MUCH_LATER) == []  # It is open.
    close(store)
    assert due() == []  # Bob's words wait.
    assert due(before=LATER - timedelta(microseconds=1)) == []
    assert due(before=LATER) == ["w"]
    tag(store, {})
    assert due() == ["w"]
    assert keep(store)
    assert due(before=MUCH_LATER) == []


def test_the_wave_that_closed_first_comes_first(store: SqlStore) -> None:
    of = survey()
    for number, wave_id in enumerate(("b", "a", "c")):
        fielded(store, of, wave_id)
        close(store, wave_id)
        store.set_wave(wave_id, closes_at=AT + timedelta(hours=number))
    assert store.results_due(before=AT, limit=9) == ["b", "a", "c"]
    assert store.results_due(before=AT, limit=2) == ["b", "a"]


def test_a_wave_can_be_closed_without_a_word(store: SqlStore) -> None:
    of = survey()
    for wave_id in ("w", "other"):
        fielded(store, of, wave_id)
    store.hush("w")
    assert (store.hushed("w"), store.hushed("other"), store.hushed("none")) == (True, False, False)


# What is kept ----------------------------------------------------------------------------


def test_results_are_kept_once_and_stay_as_they_are(store: SqlStore) -> None:
    of = survey()
    fielded(store, of)
    wave = close(store)
    assert store.results("w") is None
    assert keep(store)
    other = replace(FIGURES, invited=21)
    assert not store.keep_results("w", other, pictures={}, telling=False, at=MUCH_LATER)
    kept = store.results("w")
    assert kept is not None
    assert (kept.wave, kept.figures, kept.pictures) == (wave, FIGURES, {"en": "p1"})
    assert (kept.made_at, kept.told_after) == (MUCH_LATER, "")


def test_a_person_sees_the_closed_waves_of_their_cohorts_newest_first(store: SqlStore) -> None:
    of = survey()
    for number, (wave_id, cohort) in enumerate(
        [
            ("first", "riverside"),
            ("second", "riverside"),
            ("elsewhere", "hill"),
            ("third", "valley"),
        ]
    ):
        fielded(store, of, wave_id, cohort=cohort, opens_at=AT + timedelta(days=number))
        close(store, wave_id)
        keep(store, wave_id)
    fielded(store, of, "open", opens_at=AT + timedelta(days=9))
    person(store)
    person(store, "bob")
    for cohort in ("riverside", "valley"):
        store.join("ann", cohort, on=AT.date())
    seen = [one.wave.wave_id for one in store.results_for("ann", limit=9)]
    assert seen == ["third", "second", "first"]
    assert len(store.results_for("ann", limit=2)) == 2
    assert store.results_for("bob", limit=9) == []
    # A longer one that opened before and closed after.
    store.set_wave("first", closes_at=MUCH_LATER)
    seen = [one.wave.wave_id for one in store.results_for("ann", limit=9)]
    assert seen == ["first", "third", "second"]
    store.set_wave("first", closes_at=LATER)
    store.leave("ann", "valley", at=LATER)
    assert [one.wave.wave_id for one in store.results_for("ann", limit=9)] == ["second", "first"]


# Telling ---------------------------------------------------------------------------------


def test_who_was_invited_and_may_be_written_to_is_told(store: SqlStore) -> None:
    of = survey()
    fielded(store, of)
    invite(store, of, "dan", "gone", "left", "stopped", "uma")
    answer(store, of, "bob", {"share": "4"}, channel="slack")
    person(store, "never-invited")
    store.join("never-invited", "riverside", on=AT.date())
    store.set_reachable("gone", False, at=LATER)
    store.leave("left", "riverside", at=LATER)
    store.opt_out("stopped", at=LATER)
    close(store)
    audience = store.audience("w", after="", limit=9)
    assert [(one.respondent_id, one.channel) for one in audience] == [
        ("bob", "slack"),
        ("dan", "telegram"),
        ("uma", "telegram"),
    ]
    assert [one.respondent_id for one in store.audience("w", after="bob", limit=1)] == ["dan"]
    assert store.audience("w", after="uma", limit=9) == []


def test_only_the_first_to_note_it_tells_people(store: SqlStore) -> None:
    of = survey()
    for wave_id in ("w", "silent"):
        fielded(store, of, wave_id)
        close(store, wave_id)
        keep(store, wave_id, telling=wave_id == "w")
    assert [one.wave.wave_id for one in store.untold_results()] == ["w"]
    assert store.tell_on("w", before="", after="bob")
    assert not store.tell_on("w", before="", after="bob")
    assert [one.told_after for one in store.untold_results()] == ["bob"]
    assert store.tell_on("w", before="bob", after=None)
    assert store.untold_results() == []
    assert not store.tell_on("w", before="bob", after=None)
    assert not store.tell_on("silent", before="", after="bob")


@pytest.mark.parametrize(("gone", "told"), [("bob", "ann"), ("ann", "bob"), ("dan", "bob")])
def test_who_is_erased_in_the_middle_is_named_no_more_and_telling_goes_on(
    store: SqlStore, gone: str, told: str
) -> None:
    of = survey()
    fielded(store, of)
    invite(store, of, "ann", "bob", "dan", "uma")
    close(store)
    keep(store)
    store.keep_note(NOTE)
    store.tell_on("w", before="", after="bob")
    store.note_told(NOTE.note_id, before="", after="bob")
    erase(store, gone)
    [kept], [note] = store.untold_results(), store.untold_notes()
    assert (kept.told_after, note.told_after) == (told, told)
    left = [one.respondent_id for one in store.audience("w", after=told, limit=9)]
    assert left == [name for name in ("dan", "uma") if name != gone]
    assert gone not in str((rows(store, "results"), rows(store, "replies")))


def test_where_all_who_were_told_are_erased_telling_goes_on_with_the_rest(store: SqlStore) -> None:
    of = survey()
    fielded(store, of)
    invite(store, of, "ann", "bob", "dan")
    close(store)
    keep(store)
    store.tell_on("w", before="", after="bob")
    for name in ("ann", "bob"):
        erase(store, name)
    [kept] = store.untold_results()
    assert kept.told_after == ""
    assert [one.respondent_id for one in store.audience("w", after="", limit=9)] == ["dan"]
    # Who told them before does not tell them again.
    assert not store.tell_on("w", before="bob", after="dan")


# Notes -----------------------------------------------------------------------------------


def test_notes_are_kept_and_told_once(store: SqlStore) -> None:
    store.keep_note(NOTE)
    later = replace(NOTE, note_id="r2", stance=None, made_at=LATER)
    store.keep_note(later)
    assert store.notes() == [later, NOTE]
    assert store.untold_notes() == [NOTE, later]
    assert store.note_told("r1", before="", after="bob")
    assert not store.note_told("r1", before="", after="bob")
    assert store.note_told("r1", before="bob", after=None)
    assert store.untold_notes() == [later]
    assert store.notes()[1] == replace(NOTE, told_after=None)


@pytest.mark.parametrize(("stance", "expected"), [("gap", ["ann"]), (None, ["ann", "bob"])])
def test_a_note_goes_to_whose_words_carry_the_code(
    store: SqlStore, stance: str | None, expected: list[str]
) -> None:
    of = survey()
    fielded(store, of)
    fielded(store, of, "other")
    answer(store, of, "ann", {"why": "money lacks", "more": "money lacks"})
    answer(store, of, "bob", {"why": "money flows"})
    answer(store, of, "cat", {"why": "talk"})
    for name in ("gone", "left", "stopped"):
        answer(store, of, name, {"why": "money lacks, money flows"})
    answer(store, of, "dan", {"why": "money lacks"}, wave_id="other")
    tag(
        store,
        {
            "lacks": [("resources", "gap")],
            "flows": [("resources", "strength")],
            "talk": [("transparency", "gap")],
        },
    )
    store.set_reachable("gone", False, at=LATER)
    store.leave("left", "riverside", at=LATER)
    store.opt_out("stopped", at=LATER)
    close(store)
    found = store.carriers("w", "resources", stance=stance, after="", limit=9)
    assert [one.respondent_id for one in found] == expected
    assert store.count_carriers("w", "resources", stance=stance) == len(expected) + 3
    assert store.carriers("w", "resources", stance=stance, after="ann", limit=9) == found[1:]
    store._driver.run("update codings set status = 'rejected' where response_id = 's-w-ann'", {})
    after = store.carriers("w", "resources", stance=stance, after="", limit=9)
    assert [one.respondent_id for one in after] == expected[1:]


def test_of_what_was_cut_loose_nobody_is_known(store: SqlStore) -> None:
    of = survey(anonymous=True)
    fielded(store, of)
    for name in ("ann", "bob"):
        answer(store, of, name, {"why": "money"})
    tag(store, {"money": [("resources", "gap")]})
    close(store)
    assert store.carriers("w", "resources", stance="gap", after="", limit=9) == []
    assert store.count_carriers("w", "resources", stance="gap") == 2
    assert len(store.audience("w", after="", limit=9)) == 2


def test_who_erases_everything_leaves_the_results_as_they_were_shown(store: SqlStore) -> None:
    of = survey()
    fielded(store, of)
    answer(store, of, "ann", {"share": "4"})
    close(store)
    keep(store)
    store.keep_note(NOTE)
    before = (rows(store, "results"), rows(store, "replies"))
    erase(store, "ann")
    assert (rows(store, "results"), rows(store, "replies")) == before
    assert "ann" not in str(before)
    assert store.audience("w", after="", limit=9) == []
