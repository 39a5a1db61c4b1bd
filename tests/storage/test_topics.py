"""Words between programs on one PostgreSQL: told after the commit, heard by the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from dialogues.prompts import Prompt
from storage.open import open_writer
from storage.store import SqlStore
from storage.writer import Writer
from tests.contract.scenes import AT, person, wave
from tests.postgres import Server


class Ear:
    """Hears topics and lets a test wait for them."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._more = threading.Condition()

    def __call__(self, topic: str) -> None:
        with self._more:
            self.heard.append(topic)
            self._more.notify_all()

    def until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        with self._more:
            assert self._more.wait_for(lambda: condition(self.heard), 20), self.heard
            return list(self.heard)


@pytest.fixture
def writers(postgres_url: str) -> Iterator[list[Writer]]:
    writers = [open_writer(postgres_url, connections=2) for _ in range(2)]
    yield writers
    for writer in writers:
        writer.close()


@pytest.fixture
def ear(writers: list[Writer]) -> Ear:
    """Hears what the second writer hears."""
    ear = Ear()
    writers[1].listen(ear)
    # Whoever begins to listen looks at everything first.
    ear.until(lambda heard: heard == [""])
    return ear


def say(store: SqlStore, name: str = "ann") -> None:
    store.say(person(store, name), [Prompt(text="Hello."), Prompt(text="Again.")], at=AT)


def test_a_message_for_a_channel_is_heard_of_by_the_other(writers: list[Writer], ear: Ear) -> None:
    writers[0].submit(say).result(20)
    assert ear.until(lambda heard: len(heard) > 1) == ["", "outbox:telegram"]


def test_so_is_a_wave_that_changes(writers: list[Writer], ear: Ear) -> None:
    def pause(store: SqlStore) -> None:
        store.open_wave(wave())
        store.set_wave(wave().wave_id, state="paused")

    writers[0].submit(pause).result(20)
    assert ear.until(lambda heard: len(heard) > 1) == ["", "waves"]


def test_what_is_undone_is_not_told_of_and_nobody_hears_themselves(
    writers: list[Writer], ear: Ear
) -> None:
    def fail(store: SqlStore) -> None:
        store.notify("failed")
        raise ValueError("on purpose")

    assert isinstance(writers[0].submit(fail).exception(20), ValueError)
    writers[1].submit(say).result(20)
    writers[0].submit(lambda store: store.notify("after")).result(20)
    assert ear.until(lambda heard: "after" in heard) == ["", "after"]


def test_words_of_a_short_time_go_out_as_one(
    writers: list[Writer], ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.topics._TOGETHER_SECONDS", 0.5)
    writers[0].submit(lambda store: store.notify("first")).result(20)
    ear.until(lambda heard: "first" in heard)
    for number in range(20):
        writers[0].submit(lambda store, number=number: say(store, f"p{number}")).result(20)
    writers[0].submit(lambda store: store.notify("last")).result(20)
    heard = ear.until(lambda heard: "last" in heard)
    assert heard.count("outbox:telegram") < 5


def test_a_cut_line_is_made_anew_and_everything_is_looked_at(
    postgres: Server, writers: list[Writer], ear: Ear
) -> None:
    postgres.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = 'pulse' and query ilike 'listen%'"
    )
    ear.until(lambda heard: heard == ["", ""])
    writers[0].submit(say).result(20)
    assert ear.until(lambda heard: len(heard) > 2)[2:] == ["outbox:telegram"]


def test_who_ends_tells_what_is_still_to_be_told(postgres_url: str, ear: Ear) -> None:
    writer = open_writer(postgres_url, connections=1)
    writer.submit(say).result(20)
    writer.close()
    writer.close()
    assert ear.until(lambda heard: len(heard) > 1) == ["", "outbox:telegram"]


def test_on_sqlite_there_is_nobody_else_to_hear() -> None:
    writer = open_writer("sqlite://")
    ear = Ear()
    writer.listen(ear)
    writer.submit(say).result(20)
    writer.close()
    assert ear.heard == []
