"""`pulse erase`: somebody who cannot write any more is forgotten, as if they had asked for it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.app import new_id
from storage.open import open_store, open_writer
from storage.protocol import Address
from storage.store import SqlStore
from storage.tables import TABLES
from tests.bot.place import Place
from tests.bot.ports import FakeClock
from tests.contract.scenes import AT, LATER, person, rows, tell_all
from tests.database import read_rows

ADDRESS = "telegram:id-of-ann"
SECRETS = ("id-of-ann", "chat-of-ann", "Quixotic")

Pulse = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/pulse.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def pulse(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pulse:
    config = tmp_path / "config.toml"
    config.write_text(f'storage.url = "{url}"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["erase", *arguments, "--config", str(config)])
        out, err = capsys.readouterr()
        assert not [secret for secret in SECRETS if secret in out + err]
        assert "Traceback" not in err
        return status, out, err

    return run


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Somebody sits at a terminal and types."""
    with ExitStack() as opened:

        def types(words: str) -> None:
            ours, theirs = pty.openpty()
            opened.callback(os.close, ours)
            os.write(ours, words.encode())
            terminal = opened.enter_context(os.fdopen(theirs, encoding="utf-8"))
            monkeypatch.setattr(sys, "stdin", terminal)

        yield types


def traces(store: SqlStore, *words: str) -> list[tuple[str, object]]:
    """Values of any table that tell of somebody."""
    return [
        (table.name, value)
        for table in TABLES
        for row in rows(store, table.name)
        for value in row.values()
        if any(re.search(rf"\b{word}\b", str(value)) for word in words)
    ]


@pytest.mark.parametrize("whom", [ADDRESS, "ann", " ann "])
def test_everything_of_a_person_is_erased_and_nothing_of_others(
    store: SqlStore, pulse: Pulse, whom: str
) -> None:
    with store.transaction():
        tell_all(store)
    assert len(traces(store, "ann", "Quixotic")) > 9
    status, out, err = pulse(whom, "--yes", "--silent")
    assert (status, err) == (0, "")
    assert out.startswith("Erased: 1 response, 1 answer, 1 tag, 1 conversation, 1 invitation,")
    assert "They are not told." in out
    assert "anonymously" in out
    assert traces(store, "ann", "id-of-ann", "chat-of-ann", "Quixotic") == []
    assert store.is_suppressed("telegram", "id-of-ann")
    [erasure] = rows(store, "erasures")
    assert (erasure["actor"], erasure["n_responses"]) == ("organiser", 1)
    assert len(store.holdings("bob").responses) == 1


def test_it_can_not_be_done_twice(store: SqlStore, pulse: Pulse) -> None:
    person(store)
    assert pulse(ADDRESS, "--yes")[0] == 0
    status, out, err = pulse(ADDRESS, "--yes")
    assert (status, out) == (2, "")
    assert err == "pulse: Whoever was at this address is erased already.\n"
    assert len(rows(store, "erasures")) == 1


def test_they_are_told_in_their_language_and_the_bare_address_goes_with_it(
    store: SqlStore, pulse: Pulse
) -> None:
    person(store)
    store.set_language("ann", "cy")
    status, out, _ = pulse(ADDRESS, "--yes", "--json")
    assert (status, json.loads(out)["told"]) == (0, True)
    [address] = rows(store, "addresses")
    assert (address["platform_id"], address["leaving"]) == ("id-of-ann", 1)
    [message] = rows(store, "outbox")
    assert message["respondent_id"] == address["respondent_id"] != "ann"
    assert "Mae popeth wedi'i ddileu" in message["body"]
    assert "/dechrau" in message["body"]
    assert message["farewell"] == 1


@pytest.mark.parametrize("reason", ["stop", "unreachable", "silent", "terminal"])
def test_who_is_not_to_be_written_to_is_not_told(
    store: SqlStore, pulse: Pulse, reason: str
) -> None:
    channel = "terminal" if reason == "terminal" else "telegram"
    person(store, channel=channel)
    if reason == "stop":
        store.opt_out("ann", at=LATER)
    if reason == "unreachable":
        store.set_reachable("ann", False, at=LATER)
    more = ["--silent"] if reason == "silent" else []
    status, out, _ = pulse(f"{channel}:id-of-ann", "--yes", "--json", *more)
    assert (status, json.loads(out)["told"]) == (0, False)
    assert rows(store, "addresses") == rows(store, "outbox") == []


# The same as in the chat ----------------------------------------------------------------


def test_it_does_what_forget_in_the_chat_does(url: str, pulse: Pulse) -> None:
    """Two people with the same history: one asks in the chat, the other by the organisers."""
    clock = FakeClock()
    writer = open_writer(url)
    place = Place(writer, clock, url, new_id=new_id)
    place.join("bob", "eve")
    place.tick(clock.at)
    for name in ("bob", "eve"):
        place.answer(name, "/start", "yes", "no", "Quixotic words")
        place.write(name, "hello")
    place.answer("bob", "/forget")
    place.write("bob", "/forget")
    writer.close()
    assert pulse("telegram:id-eve", "--yes")[0] == 0
    erasures = read_rows(url, "select actor, n_responses from erasures order by actor")
    assert [row["actor"] for row in erasures] == ["organiser", "respondent"]
    assert len({row["n_responses"] for row in erasures}) == 1
    assert len(read_rows(url, "select * from suppressed")) == 2
    left = read_rows(url, "select channel, leaving, reachable from addresses")
    assert left == [{"channel": "telegram", "leaving": 1, "reachable": 1}] * 2
    # What waited is dropped; each is told the same.
    messages = read_rows(url, "select body, lane, farewell, state from outbox")
    assert messages == [messages[0]] * 2
    for table in ("respondents", "memberships", "invitations", "responses", "answers", "sessions"):
        assert read_rows(url, f"select * from {table}") == [], table


# Asking back ----------------------------------------------------------------------------


def test_without_a_terminal_it_wants_a_yes(
    store: SqlStore, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(store)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    status, out, err = pulse(ADDRESS)
    assert (status, out) == (2, "")
    assert "--yes" in err
    assert store.respondent("ann") is not None


def test_at_a_terminal_it_says_what_goes_and_asks_back(
    store: SqlStore, pulse: Pulse, at_terminal: Callable[[str], None]
) -> None:
    with store.transaction():
        tell_all(store)
    at_terminal("n\n")
    status, out, err = pulse(ADDRESS)
    assert (status, out.strip()) == (1, "")
    assert "A citizen on Telegram, known since 2026-12-01: 1 response, 1 answer" in err
    assert err.endswith("pulse: Nothing was erased.\n")
    assert store.holdings("ann").responses
    at_terminal(f"{ADDRESS}\ny\n")
    status, out, _ = pulse()
    assert status == 0
    assert out.lstrip().startswith("Erased: 1 response")
    assert store.respondent("ann") is None


def test_who_it_is_can_be_read_from_standard_input(
    store: SqlStore, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(store)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ADDRESS}\n"))
    assert pulse("--yes")[0] == 0
    assert store.respondent("ann") is None


# Whom -----------------------------------------------------------------------------------


def member(store: SqlStore, name: str, platform_id: str) -> None:
    address = Address(channel="slack", platform_id=platform_id, chat=f"D{name}")
    store.welcome(address, respondent_id=name, role="partner", language="en", on=AT.date())


def test_in_slack_the_id_of_a_profile_is_enough(store: SqlStore, pulse: Pulse) -> None:
    member(store, "ann", "T1:U1")
    member(store, "bob", "T1:XU1")
    member(store, "eve", "T1:u1")
    assert pulse("slack:U1", "--yes")[0] == 0
    assert [row["respondent_id"] for row in rows(store, "respondents")] == ["bob", "eve"]
    [message] = rows(store, "outbox")
    assert "type start" in message["body"]


def test_where_two_workspaces_have_it_the_workspace_is_asked_for(
    store: SqlStore, pulse: Pulse
) -> None:
    member(store, "ann", "T1:U1")
    member(store, "bob", "T2:U1")
    status, _, err = pulse("slack:U1", "--yes")
    assert status == 2
    assert "slack:TEAM_ID:MEMBER_ID" in err
    assert pulse("slack:T2:U1", "--yes")[0] == 0
    assert [row["respondent_id"] for row in rows(store, "respondents")] == ["ann"]


@pytest.mark.parametrize(
    ("whom", "words"),
    [
        ("telegram:12", "Nobody is known at this address on Telegram."),
        ("slack:%", "Nobody is known at this address on Slack."),
        ("nobody", "the one that `mydata` shows them"),
        ("telegram:", "Say whom: telegram:ID"),
        ("signal:12", "Say whom: telegram:ID"),
        (" ", "Say whom: telegram:ID"),
    ],
)
def test_who_is_not_known_is_said(store: SqlStore, pulse: Pulse, whom: str, words: str) -> None:
    member(store, "bob", "T1:U1")
    status, out, err = pulse(whom, "--yes")
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert len(rows(store, "respondents")) == 1
