"""`pulse outbox`: what was not sent, without a word of it or an address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from dialogues.prompts import Prompt
from storage.open import open_store
from storage.protocol import Address, Receipt, Window
from storage.store import SqlStore
from tests.contract.scenes import wave

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
SECRETS = ("marker-of-words", "address-of")

Pulse = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/pulse.db")
    yield store
    store.close()


@pytest.fixture
def pulse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pulse:
    config = tmp_path / "config.toml"
    config.write_text("")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["outbox", *arguments, "--config", str(config)])
        out, err = capsys.readouterr()
        assert not [secret for secret in SECRETS if secret in out + err]
        assert "Traceback" not in err
        return status, out, err

    return run


def say(store: SqlStore, name: str, *, channel: str = "telegram", **more: Any) -> None:
    address = Address(channel=channel, platform_id=f"address-of-{name}", chat=f"address-of-{name}")
    person = store.welcome(address, respondent_id=name, role="citizen", language="en", on=AT.date())
    store.say(person, [Prompt(text=f"marker-of-words to {name}")], at=AT, **more)


def give_up(store: SqlStore, *, lane: int = 0, error: str = "refused") -> list[int]:
    claimed = store.claim_outbox(
        "telegram", lane=lane, limit=99, now=AT, until=AT + timedelta(minutes=2)
    )
    ids = [one.outbox_id for one in claimed]
    store.settle([Receipt(outbox_id=one, outcome="dead", error=error) for one in ids], now=AT)
    return ids


def listed(pulse: Pulse, *arguments: str) -> list[int]:
    status, out, _ = pulse("list", *arguments, "--json")
    assert status == 0
    return [row["id"] for row in json.loads(out)]


def test_nothing_waits_in_an_empty_outbox(pulse: Pulse) -> None:
    assert pulse("status") == (0, "Everything has been sent.\n", "")
    assert pulse("list") == (0, "Nothing waits.\n", "")
    assert pulse("list", "--state", "dead")[1] == "There is no such message.\n"
    assert pulse("status", "--json")[1] == "[]\n"
    assert pulse("retry", "--all")[1] == "0 messages will be tried again.\n"


def test_it_is_counted_by_channel_lane_and_state(store: SqlStore, pulse: Pulse) -> None:
    for name in ("ann", "bob"):
        say(store, name, lane=1)
    say(store, "sue", channel="slack")
    status, out, _ = pulse("status", "--json")
    assert status == 0
    counted = [(row["channel"], row["lane"], row["state"], row["count"]) for row in json.loads(out)]
    assert counted == [("slack", "reply", "pending", 1), ("telegram", "broadcast", "pending", 2)]
    assert all(row["oldest_seconds"] >= 300 for row in json.loads(out))
    lines = pulse("status")[1].splitlines()
    assert lines[1].split()[:4] == ["telegram", "broadcast", "pending", "2"]
    assert "due for 0:" in lines[1]


def test_what_is_to_come_is_not_late(store: SqlStore, pulse: Pulse) -> None:
    say(store, "ann", lane=1)
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="microseconds")
    store._driver.run("update outbox set due_at = :later", {"later": later})
    assert "first due in 1:" in pulse("status")[1]


def test_a_dead_letter_shows_when_who_and_why(store: SqlStore, pulse: Pulse) -> None:
    say(store, "ann")
    [outbox_id] = give_up(store)
    say(store, "bob")
    status, out, _ = pulse("list", "--state", "dead")
    assert status == 0
    assert out.split() == [
        str(outbox_id), "telegram", "reply", "dead", "given", "up",
        AT.isoformat(timespec="seconds"), "person", "ann", "refused",
    ]  # fmt: skip
    status, out, _ = pulse("show", str(outbox_id))
    assert "The platform will not take this message" in out
    assert f"pulse outbox retry {outbox_id}" in out
    shown = json.loads(pulse("show", str(outbox_id), "--json")[1])
    assert (shown["person"], shown["trouble"], shown["retryable"]) == ("ann", "refused", True)
    assert shown["given_up_at"] == AT.isoformat(timespec="seconds")


def test_only_what_is_asked_for_is_listed(store: SqlStore, pulse: Pulse) -> None:
    store.open_wave(wave("w"))
    say(store, "ann")
    say(store, "bob", lane=1, wave_id="w")
    say(store, "sue", channel="slack")
    assert listed(pulse) == [3, 1, 2]
    assert listed(pulse, "--channel", "slack") == [3]
    assert listed(pulse, "--wave", "w") == [2]
    assert listed(pulse, "--state", "claimed") == []
    assert listed(pulse, "--limit", "1") == [3]
    assert "the first 1; --limit shows more" in pulse("list", "--limit", "1")[1]


def test_a_channel_of_a_cohort_is_not_named(store: SqlStore, pulse: Pulse) -> None:
    store.post(
        "slack", "address-of-place", Prompt(text="marker-of-words"), window=Window(due_at=AT)
    )
    assert "to a channel" in pulse("list")[1]
    assert json.loads(pulse("list", "--json")[1])[0]["person"] is None


def test_what_was_given_up_is_tried_again(store: SqlStore, pulse: Pulse) -> None:
    for name in ("ann", "bob", "cat"):
        say(store, name)
    first, second, third = give_up(store)
    assert pulse("retry", str(first)) == (0, "1 message will be tried again.\n", "")
    assert listed(pulse, "--state", "dead") == [second, third]
    assert pulse("retry", "--all", "--channel", "slack")[1].startswith("0 messages")
    assert pulse("retry", "--all", "--channel", "telegram")[1].startswith("2 messages")
    assert listed(pulse, "--state", "dead") == []
    assert give_up(store) == [first, second, third]


def test_what_can_not_be_tried_again_says_why(store: SqlStore, pulse: Pulse) -> None:
    say(store, "ann")
    status, _, err = pulse("retry", "1")
    assert (status, err) == (1, "pulse: Message 1 was not given up: it waits.\n")
    give_up(store)
    store._driver.run("update outbox set body = null", {})
    status, _, err = pulse("retry", "1")
    assert status == 1
    assert "a newer one took its place" in err
    assert "1 message cannot be" in pulse("retry", "--all")[1]


def test_any_that_is_not_on_its_way_can_be_dropped(store: SqlStore, pulse: Pulse) -> None:
    for name in ("ann", "bob"):
        say(store, name)
    give_up(store)
    say(store, "cat")
    say(store, "dan")
    assert pulse("drop", "1", "3") == (0, "2 messages dropped.\n", "")
    assert pulse("drop", "--all") == (0, "1 message dropped.\n", "")
    assert listed(pulse) == [4]
    store.claim_outbox("telegram", lane=0, limit=9, now=AT, until=AT + timedelta(minutes=2))
    status, _, err = pulse("drop", "4")
    assert (status, err) == (1, "pulse: Message 4 is on its way just now.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "7"), "There is no message 7"),
        (("retry", "7"), "pulse outbox list"),
        (("drop", "7"), "There is no message 7"),
        (("retry",), "or --all"),
        (("drop",), "or --all"),
        (("retry", "1", "--all"), "not both"),
        (("drop", "1", "--wave", "w"), "not both"),
        (("list", "--state", "gone"), "pulse outbox list --help"),
        (("show", "ann"), "pulse outbox show --help"),
        (("show", str(2**63)), "pulse outbox show --help"),
        (("retry", "9" * 30), "pulse outbox retry --help"),
        (("list", "--wave", "monthly\udcff"), "no text"),
    ],
)
def test_mistakes_are_said_in_a_line(
    store: SqlStore, pulse: Pulse, arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = pulse(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") <= 2
