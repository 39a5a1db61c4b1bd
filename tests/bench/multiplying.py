"""Many people's years in a database, out of a few people's that were lived through the product.

A few people answer in one wave after another, through the runner and a real store, with the
sweeper at work; what they leave is multiplied: every row once for each copy, under ids as long
and as random as real ones. So each row is of real length, and stays so whatever is changed.
"""

from __future__ import annotations

import hashlib
import json
import random
import tomllib
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.app import new_id
from bot.house import PulsePlan
from bot.sweeping import Sweeper
from dialogues.coding import Coding, Stance
from dialogues.loader import load_survey
from storage.copying import DatabaseSource
from storage.driver import Driver
from storage.open import open_store
from storage.protocol import Store
from storage.schema import set_counter
from storage.tables import TABLES
from storage.writer import Writer
from tests.bench.bots import ROOT, SURVEY
from tests.bot.place import Place
from tests.bot.ports import FakeClock

__all__ = ["PEOPLE", "Lived", "fill", "live"]

#: People whose lives are multiplied, and the waves that they go through.
PEOPLE = 8
WAVES = 10

#: Nobody answers always: of so many invitations nothing comes, and so many break off.
_IGNORED, _BROKEN_OFF = 0.15, 0.05

#: How far one copy's ids are from the next one's: far, and in no order.
_STRIDE = 0x9E3779B97F4A7C15F39CC0605CEDC835

#: Tables whose rows are one person's; all others are copied as they are.
_SHARED = frozenset({
    "meta", "surveys", "waves", "draws", "pictures", "results", "replies", "workers", "leases",
    "paces", "shares",
})  # fmt: skip

_IDS = ("respondent_id", "session_id", "invitation_id", "response_id", "coding_id", "event_key")


@dataclass(slots=True)
class Lived:
    """What a few people left behind.

    Attributes:
        columns: Of each table.
        rows: Of each table, in the order in which they came.
        answers: How many answers are among them.
        swept: How many rows of each table were swept out on the way.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: dict[str, list[Sequence[Any]]] = field(default_factory=dict)
    answers: int = 0
    swept: Counter[str] = field(default_factory=Counter)


def _words() -> list[str]:
    lines = (ROOT / "nlp" / "data" / "answers-a.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def live(*, people: int = PEOPLE, waves: int = WAVES, seed: int = 0) -> Lived:
    """Let a few people go through their waves, one a month; give what they leave."""
    chance, words = random.Random(seed), _words()
    clock = FakeClock(datetime(2026, 1, 1, 11, tzinfo=UTC))
    writer = Writer(lambda: open_store("sqlite://"))
    try:
        place = Place(writer, clock, "sqlite://", new_id=new_id)
        survey = load_survey(tomllib.loads(SURVEY.read_text()))
        pulse = PulsePlan(
            name="monthly", survey_id=survey.survey_id, cohorts=("riverside",),
            roles=("citizen",), cron="0 10 1 * *", remind_after=(timedelta(days=2),),
            close_after=timedelta(days=10),
        )  # fmt: skip
        place.set_up(pulse, more=(survey,))
        names = [new_id() for _ in range(people)]
        place.join(*names)
        lived = Lived()
        sweeper = Sweeper(now=clock)
        for month in range(1, waves + 1):
            clock.at = datetime(2026, month, 1, 11, tzinfo=UTC)
            place.tick()
            _sweep(place, sweeper, lived)
            place.texts()
            for name in names:
                _answer(place, name, chance, words)
            place.run(lambda store: _tag(store, clock.at))
            clock.pass_(days=3)
            place.tick()
            place.texts()
            if month < waves:
                clock.pass_(days=10)
                place.tick()
                place.texts()
        place.run(lambda store: _read(store._driver, lived))  # type: ignore[attr-defined]
        return lived
    finally:
        writer.close()


def _answer(place: Place, name: str, chance: random.Random, words: list[str]) -> None:
    drawn = chance.random()
    if drawn < _IGNORED:
        return
    said = ["I agree", *(str(chance.randint(1, 5)) for _ in range(2)), "yes"]
    said += [str(chance.randint(1, 5)), chance.choice(words)]
    place.answer(name, *(said[:3] if drawn < _IGNORED + _BROKEN_OFF else said))


def _tag(store: Store, at: datetime) -> None:
    for answer in store.untagged("bench@1", limit=1000):
        codings = [
            Coding(
                enabler=enabler, stance=Stance.STRENGTH, span_text=answer.text[:span],
                span_start=0, span_end=min(span, len(answer.text)), confidence=0.875,
            )
            for enabler, span in (("information", 40), ("brokerage", 60))
        ]  # fmt: skip
        ids = [new_id() for _ in codings]
        store.save_codings(answer, codings, coding_ids=ids, coder="bench@1", at=at, error=None)


def _sweep(place: Place, sweeper: Sweeper, lived: Lived) -> None:
    def counts(store: Store) -> Counter[str]:
        return Counter({
            table: sum(1 for _ in DatabaseSource(store._driver).rows(table))  # type: ignore[attr-defined]
            for table in ("inbound", "outbox")
        })  # fmt: skip

    before = place.run(counts)
    sweeper.tick(place.run)
    lived.swept += before - place.run(counts)


def _read(driver: Driver, lived: Lived) -> None:
    source = DatabaseSource(driver)
    for table in TABLES:
        if table.name in source.columns:
            lived.columns[table.name] = tuple(source.columns[table.name])
            lived.rows[table.name] = list(source.rows(table.name))
    missing = lived.columns["answers"].index("missing")
    lived.answers = sum(row[missing] is None for row in lived.rows["answers"])


class _Id:
    """An id, and as many others of the same length as are wanted, in no order."""

    def __init__(self, old: str) -> None:
        digest = hashlib.blake2b(old.encode(), digest_size=16).digest()
        self._hex = len(old) == 32
        self._length = len(old)
        self._bits = 128 if self._hex else 80
        self._first = int.from_bytes(digest[: self._bits // 8])

    def copy(self, number: int) -> str:
        """Give the one for a copy."""
        value = (self._first + number * _STRIDE) % 2**self._bits
        if self._hex:
            return f"{value:032x}"
        return b32encode(value.to_bytes(10)).decode().lower()[: self._length]


class _Copies:
    """The rows of a table, once for each copy."""

    def __init__(self, lived: Lived, table: str, copies: int, ids: Mapping[str, _Id]) -> None:
        self._columns = lived.columns[table]
        self._rows = lived.rows[table]
        self._copies = copies
        self._ids = ids

    def __iter__(self) -> Iterator[Sequence[Any]]:
        number = 0
        for row in self._rows:
            inside = sorted({value for value in row if value in self._ids})
            changes = [
                (place, self._change(column, value, inside))
                for place, (column, value) in enumerate(zip(self._columns, row, strict=True))
            ]
            changing = [(place, change) for place, change in changes if change is not None]
            for copy in range(self._copies):
                number += 1
                values = list(row)
                for place, change in changing:
                    values[place] = change(copy, number)
                yield values

    def _change(
        self, column: str, value: Any, inside: list[str]
    ) -> Callable[[int, int], Any] | None:
        """Give what stands in a column of a copy, by its number and that of the row; None where
        it is the same in all.
        """
        if column == "outbox_id":
            return lambda _copy, number: number
        if not isinstance(value, str):
            return None
        if column in {"platform_id", "chat"}:
            return partial(_account, value.rpartition("-")[2])
        if value in self._ids:
            return lambda copy, _number: self._ids[value].copy(copy)
        if any(one in value for one in inside):
            return lambda copy, _number: self._within(value, inside, copy)
        return None

    def _within(self, text: str, inside: list[str], copy: int) -> str:
        for one in inside:
            text = text.replace(one, self._ids[one].copy(copy))
        return text


def _account(name: str, copy: int, _number: int) -> str:
    """Give an account on Telegram: ten digits."""
    person = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=2).digest())
    return str(1_000_000_000 + person * 100_000 + copy)


def fill(driver: Driver, lived: Lived, *, copies: int) -> int:
    """Fill an empty database with so many lives for each; give how many rows that is."""
    ids = {
        value: _Id(value)
        for table, rows in lived.rows.items()
        for row in rows
        for column, value in zip(lived.columns[table], row, strict=True)
        if column in _IDS and value is not None and value != "cut"
    }
    n_rows = 0
    driver.run("delete from meta where key <> 'salt'", {})
    if driver.engine == "sqlite":
        # Else what does not fit into its small memory is written again and again.
        driver.one("pragma cache_size = -400000", {})
    for table in TABLES:
        rows = lived.rows.get(table.name)
        if not rows or table.name == "meta":
            continue
        with driver.transaction():
            shared = table.name in _SHARED
            driver.load(
                table.name,
                lived.columns[table.name],
                rows if shared else _Copies(lived, table.name, copies, ids),
            )
            n_rows += len(rows) * (1 if shared else copies)
            if table.serial is not None:
                set_counter(driver, table.name, table.serial, len(rows) * copies)
    if driver.engine == "sqlite":
        driver.one("pragma cache_size = -2000", {})
    return n_rows
