"""On a server that notes of each row when it was written: nothing joins an anonymous response
to its person, and nothing that was erased is left in the tables' files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

import storage.stirring
from dialogues.coding import Coding, Said
from dialogues.errors import StoreConflict
from storage.open import open_reader, open_store, open_writer
from storage.postgres_scrub import UNCOUNTED
from storage.reviewing import Drawing, SampleMode
from storage.stirring import MOVED
from storage.store import SqlStore
from storage.tables import TABLES
from tests.contract.scenes import ANONYMOUS, AT, claim, consented, person, rows, tell_all
from tests.contract.test_anonymity import WORDS, answer, submit, wave_of_secrets
from tests.heap import Lying, lying
from tests.postgres import Server

LOOSE = ["responses", "answers", "codings"]


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    """A database of its own, in whose files nothing lies yet."""
    yield postgres.database("stirred")
    postgres.execute("drop database stirred with (force)")


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def lie(postgres: Server) -> Callable[[str], Lying]:
    return lambda table: lying(postgres, "stirred", table)


def marks(store: SqlStore, table: str) -> list[dict[str, Any]]:
    """What the server notes of each row."""
    return [
        dict(row)
        for row in store._driver.all(
            "select cast(cast(xmin as text) as bigint) as xmin,"
            " cast(cast(xmax as text) as bigint) as xmax, ctid,"
            f" * from {table} order by ctid",
            {},
        )
    ]


def tag(store: SqlStore) -> None:
    """Let a tagger find one code in everything."""
    for number, untagged in enumerate(store.untagged("m@1", limit=99)):
        coding = Coding(
            enabler="trust", stance=None, span_text=untagged.text[:3], span_start=0, span_end=3,
            confidence=0.5,
        )  # fmt: skip
        assert store.save_codings(
            untagged, [coding], coding_ids=[f"{untagged.response_id}-{number}"], coder="m@1",
            at=AT, error=None,
        )  # fmt: skip


def hand_in(store: SqlStore, *people: tuple[str, str]) -> None:
    for name, loose_id in people:
        # As the writer does it: a turn is a transaction.
        with store.transaction():
            respondent = answer(store, name)
        with store.transaction():
            submit(store, respondent, loose_id)


def test_rows_of_nobody_share_their_marks_with_nobodys_only(store: SqlStore) -> None:
    wave_of_secrets(store)
    hand_in(store, ("ann", "z-loose"), ("bob", "a-loose"), ("cat", "m-loose"))
    with store.transaction():
        unsent = answer(store, "dan")
    tag(store)
    store.scrub_due = True
    assert store.tidy()
    personal = {
        row["xmin"]
        for table in TABLES
        if table.name not in {*LOOSE, "surveys", "meta"}
        for row in marks(store, table.name)
    }
    for table in LOOSE:
        loose = [row for row in marks(store, table) if row["response_id"] != "s-of-dan"]
        assert len(loose) >= 3
        assert len({row["xmin"] for row in loose}) == 1, table
        # One that was looked at while another was written has its mark: of the same stirring.
        assert {row["xmax"] for row in loose} <= {0, loose[0]["xmin"]}
        assert not {row["xmin"] for row in loose} & personal
        # They lie in the order of their random ids.
        ids = [row["response_id"] for row in loose]
        assert ids == sorted(ids)
        assert set(ids) == {"a-loose", "m-loose", "z-loose"}
    submit(store, unsent, "b-loose")
    assert {row["unstirred"] for row in rows(store, "responses")} == {0, 1}
    assert store.tidy()
    assert len({row["xmin"] for row in marks(store, "responses")}) == 1


def test_no_dead_row_is_left(store: SqlStore, lie: Callable[[str], Lying]) -> None:
    wave_of_secrets(store)
    hand_in(store, ("ann", "xk4"))
    assert lie("sessions").holds("s-of-ann")
    assert len(lie("answers").rows) > len(rows(store, "answers"))
    claim(store)
    assert store.tidy()
    for table in TABLES:
        found = lie(table.name)
        assert len(found.rows) == len(rows(store, table.name)), table.name
        assert found.n_dead == 0, table.name
        assert not found.holds("s-of-ann"), table.name
        assert found.holds(WORDS) == (table.name == "answers"), table.name


def test_what_is_said_of_an_answer_later_is_stirred_too(store: SqlStore) -> None:
    wave_of_secrets(store)
    hand_in(store, ("ann", "xk4"), ("bob", "xk5"))
    assert store.tidy()
    [untagged, _] = store.untagged("m@1", limit=9)
    store.save_codings(untagged, [], coding_ids=[], coder="m@1", at=AT, error=None)
    assert store.scrub_due
    assert len({row["xmin"] for row in marks(store, "answers")}) == 2
    assert store.tidy()
    assert len({row["xmin"] for row in marks(store, "answers")}) == 1
    # What is a person's own is left where it is.
    ann = person(store)
    consented(store, ann, "s-open")
    before = marks(store, "responses")
    store.scrub_due = True
    assert store.tidy()
    assert marks(store, "responses") == before


def test_a_large_wave_is_stirred_in_part(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as it takes to hide among; the newest is as likely as any other of them."""
    monkeypatch.setattr(storage.stirring, "TOGETHER", 10)
    wave_of_secrets(store)
    hand_in(store, *((f"p{number}", f"loose-{number * 37 % 40:02}") for number in range(39)))
    assert store.tidy()
    before = {row["response_id"]: row["xmin"] for row in marks(store, "responses")}
    assert len(set(before.values())) == 1
    hand_in(store, ("ann", "loose-99"))
    assert store.tidy()
    after = {row["response_id"]: row["xmin"] for row in marks(store, "responses")}
    moved = {one for one, xmin in after.items() if xmin != before.get(one)}
    assert len(moved) == 10
    assert "loose-99" in moved
    assert len({after[one] for one in moved}) == 1


def test_waves_hide_nobody_in_one_another(store: SqlStore) -> None:
    """Whoever knows the wave would tell them apart anyway: each stirs its own."""
    wave_of_secrets(store)
    hand_in(store, ("ann", "xk4"))
    assert store.tidy()
    [before] = marks(store, "responses")
    bob = person(store, "bob")
    consented(store, bob, "s-of-bob", of=ANONYMOUS)
    submit(store, bob, "open")
    assert store.tidy()
    kept = {row["response_id"]: row["xmin"] for row in marks(store, "responses")}
    assert kept["xk4"] == before["xmin"]
    assert kept["open"] != before["xmin"]


def test_it_outlives_a_crash(store: SqlStore, url: str) -> None:
    wave_of_secrets(store)
    hand_in(store, ("ann", "xk4"))
    other = open_store(url)
    assert not other.scrub_due
    assert other.tidy()
    assert [row["unstirred"] for row in rows(store, "responses")] == [0]
    other.close()


def test_who_looks_at_an_older_state_puts_it_off(
    store: SqlStore, url: str, lie: Callable[[str], Lying]
) -> None:
    wave_of_secrets(store)
    with store.transaction():
        ann = answer(store, "ann")
    reader = open_reader(url)
    with reader.transaction():
        assert len(rows(reader, "responses")) == 1
        submit(store, ann, "xk4")
        assert not store.tidy()
        assert store.scrub_due
        assert lie("sessions").holds("s-of-ann")
    assert store.tidy()
    assert not lie("sessions").holds("s-of-ann")
    reader.close()


@contextmanager
def going_on_stirring(store: SqlStore) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            # Rows in any order, as nothing of ours takes them: somebody else may have some.
            with suppress(StoreConflict), store.transaction():
                store._driver.run("update responses set unstirred = 1", {})
            store.stir()

    stirring = threading.Thread(target=go_on)
    stirring.start()
    try:
        yield
    finally:
        over.set()
        stirring.join()


def test_a_tagger_beside_it_loses_nothing(store: SqlStore, url: str) -> None:
    """Whoever comes second waits, and the tagger reads again what it finds gone."""
    wave_of_secrets(store)
    hand_in(store, *((f"p{number}", f"xk{number}") for number in range(8)))
    with going_on_stirring(store):
        writer = open_writer(url, connections=1)
        while waiting := writer.submit(lambda s: s.untagged("m@1", limit=99)).result(20):
            for untagged in waiting:
                writer.submit(
                    lambda s, one=untagged: s.save_codings(
                        one, [Coding(enabler="trust", stance=None, span_text="Qui", span_start=0,
                                     span_end=3, confidence=0.5)],
                        coding_ids=[f"c-{one.response_id}"], coder="m@1", at=AT, error=None,
                    )
                ).result(20)  # fmt: skip
        writer.close()
    assert {row["coding_id"] for row in rows(store, "codings")} == {f"c-xk{n}" for n in range(8)}
    assert all(row["tagged_by"] == "m@1" for row in rows(store, "answers") if row["kind"] == "text")


def test_a_coder_beside_it_loses_nothing(store: SqlStore, url: str) -> None:
    wave_of_secrets(store)
    hand_in(store, *((f"p{number}", f"xk{number}") for number in range(8)))
    store.set_wave("w", state="closed")
    writer = open_writer(url, connections=1)

    def draw(s: SqlStore) -> int:
        drawing = Drawing(mode=SampleMode.RANDOM, n=99, seed="x")
        return s.draw_sample(drawing, sample_id="x", at=AT).n_drawn

    def review(s: SqlStore) -> bool:
        one = s.next_to_review("coder:mair", "x")
        if one is None:
            return False
        assert s.keep_draft(one, "coder:mair", "{}")
        coding = Coding(enabler="trust", stance=None, span_text="Qui", span_start=0, span_end=3,
                        confidence=1.0)  # fmt: skip
        assert s.save_review(
            one, [(coding, Said.CONFIRMED)], coder="coder:mair", state="done",
            coding_ids=[f"c-{one.response_id}"], codeframe_version="1", at=AT,
        )  # fmt: skip
        return True

    with going_on_stirring(store):
        assert writer.submit(draw).result(60) == 8
        while writer.submit(review).result(60):
            pass
    writer.close()
    assert {row["response_id"] for row in rows(store, "reviews")} == {f"xk{n}" for n in range(8)}
    assert {row["coding_id"] for row in rows(store, "codings")} == {f"c-xk{n}" for n in range(8)}
    assert len(rows(store, "sampled")) == 8


def test_everything_that_hangs_on_a_response_is_moved(store: SqlStore) -> None:
    children = store._driver.all(
        "select distinct cast(cast(conrelid as regclass) as text) as child from pg_constraint"
        " where contype = 'f' and cast(cast(confrelid as regclass) as text)"
        " in ('responses', 'answers', 'codings')",
        {},
    )
    assert {row["child"] for row in children} | {"responses"} == {table for table, _ in MOVED}


def test_the_server_samples_nobodys_words(store: SqlStore) -> None:
    tell_all(store)
    store._driver.run("analyze", {})
    sampled = store._driver.all(
        "select tablename, attname from pg_stats where schemaname = 'public'", {}
    )
    assert {row["attname"] for row in sampled} & {"respondent_id", "wave_id", "state"}
    assert {row["attname"] for row in sampled} & UNCOUNTED == set()
    words = store._driver.all(
        "select 1 from pg_stats where cast(most_common_vals as text) like '%Quixotic%'"
        " or cast(histogram_bounds as text) like '%Quixotic%'",
        {},
    )
    assert words == []


def test_what_was_erased_is_in_no_file_of_a_table(
    store: SqlStore, lie: Callable[[str], Lying]
) -> None:
    tell_all(store)
    assert lie("answers").holds("Quixotic")
    store.erase("ann", at=AT, erasure_id="e", actor="person", farewell=None, leaving_id="x")
    assert lie("answers").holds("Quixotic")
    assert store.scrub()
    for table in TABLES:
        assert not lie(table.name).holds("Quixotic"), table.name
        assert not lie(table.name).holds("id-of-ann"), table.name


def test_a_writer_tidies_up_by_itself(
    url: str, lie: Callable[[str], Lying], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.tidier.PAUSE_SECONDS", 0.01)
    writer = open_writer(url, connections=2)
    writer.submit(lambda store: hand_in_one(store, "ann", "xk4")).result(20)
    for _ in range(600):
        kept = writer.submit(lambda store: rows(store, "responses")).result(20)
        if kept[0]["unstirred"] == 0 and not lie("sessions").holds("s-of-ann"):
            break
        threading.Event().wait(0.05)
    else:
        pytest.fail("nobody has tidied up")
    # What comes last is dealt with before the end.
    monkeypatch.setattr("storage.tidier.PAUSE_SECONDS", 60.0)
    writer.submit(lambda store: hand_in_one(store, "bob", "xk5")).result(20)
    writer.close()
    assert not lie("sessions").holds("s-of-bob")
    assert len(lie("answers").rows) == 4


def hand_in_one(store: SqlStore, name: str, loose_id: str) -> None:
    wave_of_secrets(store)
    submit(store, answer(store, name), loose_id)


def test_a_program_that_starts_tidies_up_after_the_last_one(
    store: SqlStore, url: str, lie: Callable[[str], Lying]
) -> None:
    tell_all(store)
    store.erase("ann", at=AT, erasure_id="e", actor="person", farewell=None, leaving_id="x")
    assert lie("answers").holds("Quixotic")
    writer = open_writer(url, connections=1)
    writer.tidy()
    writer.close()
    assert not lie("answers").holds("Quixotic")
