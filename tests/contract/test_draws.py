"""What was drawn: counts of a wave and its pulse, and what each person was given."""

from __future__ import annotations

from storage.protocol import Coverage
from storage.store import SqlStore
from tests.contract.scenes import AT, person, rows, wave
from tests.contract.test_people import erase


def test_draws_add_up_in_a_wave_and_over_its_pulse_and_cohort(store: SqlStore) -> None:
    store.open_wave(wave("one"))
    store.open_wave(wave("two"))
    store.open_wave(wave("elsewhere", cohort="hillside"))
    store.open_wave(wave("other", pulse="weekly"))
    store.open_wave(wave("by hand", pulse=None))
    store.open_wave(wave("by hand too", pulse=None))
    store.add_draws("one", {"goals": 2, "trust": 1, "none": 0})
    store.add_draws("two", {"goals": 1})
    store.add_draws("two", {"goals": 3, "new": 1})
    for wave_id in ("elsewhere", "other", "by hand", "by hand too"):
        store.add_draws(wave_id, {"goals": 50})
    assert store.coverage("one") == Coverage(
        wave={"goals": 2, "trust": 1}, before={"goals": 4, "new": 1}
    )
    assert store.coverage("two") == Coverage(
        wave={"goals": 4, "new": 1}, before={"goals": 2, "trust": 1}
    )
    assert store.coverage("by hand") == Coverage(wave={"goals": 50}, before={})
    assert store.coverage("unheard of") == Coverage(wave={}, before={})


def test_a_draw_can_be_taken_back(store: SqlStore) -> None:
    store.open_wave(wave("w"))
    store.add_draws("w", {"goals": 2})
    store.add_draws("w", {"goals": -1})
    assert store.coverage("w").wave == {"goals": 1}


def test_what_people_were_given_is_theirs_in_each_survey(store: SqlStore) -> None:
    assert store.given_before("pulse", []) == {}
    store.note_given("pulse", {"ann": ("goals", "trust"), "bob": ("new",)})
    store.note_given("other", {"ann": ("x",)})
    store.note_given("pulse", {"ann": ("trust", "goals")})
    store.note_given("pulse", {})
    assert store.given_before("pulse", ["ann", "abe", "cat"]) == {"ann": ("trust", "goals")}
    assert store.given_before("pulse", ["cat", "ann", "bob"]) == {
        "ann": ("trust", "goals"),
        "bob": ("new",),
    }
    assert store.given_before("other", ["bob"]) == {}


def test_it_goes_with_its_person(store: SqlStore) -> None:
    for name in ("ann", "bob"):
        person(store, name)
        store.join(name, "riverside", on=AT.date())
    store.note_given("pulse", {"ann": ("goals",), "bob": ("goals",)})
    store.add_draws("w", {"goals": 2})
    erase(store, "ann")
    assert [row["respondent_id"] for row in rows(store, "drawn")] == ["bob"]
    assert [row["n"] for row in rows(store, "draws")] == [2]
