"""What the parts of the store share: the driver, the named queries, the salt, and what a
part needs of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dialogues.codec import decode_survey, encode_prompt
from dialogues.errors import StoreConflict, StoreError
from dialogues.prompts import Prompt
from dialogues.survey import Survey
from storage.clock import Window
from storage.driver import Driver, Params, Record
from storage.records import write_instant, write_maybe
from storage.sql import queries

__all__ = ["Part", "put_out"]


class Part:
    """A part of the store.

    Args:
        driver: A connection whose tables are up to date.
        salt: Of the keyed hashes; empty where nothing is hashed because nothing is written.

    Attributes:
        scrub_due: Whether something was erased that may still stand in the database's log.
        stir_due: Whether a response was cut loose, or written about, and may still lie where
            its time can be told.
    """

    def __init__(self, driver: Driver, *, salt: bytes) -> None:
        self.scrub_due = False
        self.stir_due = False
        self._within = False
        self._impatient = False
        self._held: frozenset[int] = frozenset()
        self._topics: frozenset[str] = frozenset()
        self._driver = driver
        self._salt = salt
        self._sql = queries(driver.engine)
        self._surveys: dict[tuple[str, str], Survey] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside another one it is a part that can fail by itself."""
        outermost, scrub_due = not self._within, self.scrub_due
        held, topics = self._held, self._topics
        self._within = True
        try:
            with self._driver.transaction():
                yield
        except BaseException:
            # What was read or set in here may never have been.
            self._surveys.clear()
            self.scrub_due, self._held, self._topics = scrub_due, held, topics
            raise
        finally:
            if outermost:
                self._within, self._held = False, frozenset()

    # Beside others --------------------------------------------------------------------

    def hold(self, *keys: str) -> None:
        """Keep everybody else from these keys until the transaction ends; see the contract."""
        numbers = {self._number(key) for key in keys} - self._held
        if not numbers:
            return
        had = self._driver.lock(sorted(numbers), wait=not self._impatient)
        self._held |= had
        if had != numbers:
            raise StoreConflict

    def hold_free(self, keys: Iterable[str]) -> set[str]:
        """Take those of these keys that nobody holds, and give them; waits for nobody."""
        numbers = {self._number(key): key for key in keys}
        if not numbers:
            return set()
        had = self._driver.lock(sorted(numbers), wait=False)
        self._held |= had
        return {key for number, key in numbers.items() if number in had}

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Let ``hold`` wait for nobody in here: it raises ``StoreConflict`` instead."""
        self._impatient = True
        try:
            yield
        finally:
            self._impatient = False

    def notify(self, topic: str) -> None:
        """Leave word of something for whoever waits for it; see the contract."""
        self._topics |= {topic}

    def take_topics(self) -> frozenset[str]:
        """Give what was left word of since this was last asked. Not inside a transaction."""
        topics, self._topics = self._topics, frozenset()
        return topics

    def _number(self, key: str) -> int:
        """Give the number of a key's lock, which tells nothing of it."""
        return int.from_bytes(bytes.fromhex(self._hashed("lock", key))[:8], signed=True)

    def survey(self, survey_id: str, revision: str) -> Survey | None:
        """Give a kept revision (cached); None when it was never kept."""
        key = (survey_id, revision)
        survey = self._surveys.get(key)
        if survey is None:
            row = self._one("survey", survey_id=survey_id, revision=revision)
            if row is None:
                return None
            survey = self._surveys[key] = decode_survey(row["document"])
        return survey

    def _kept(self, survey_id: str, revision: str) -> Survey:
        survey = self.survey(survey_id, revision)
        if survey is None:
            raise StoreError(f"Revision {revision} of {survey_id} was not kept before its use.")
        return survey

    def _put_out(
        self,
        prompt: Prompt,
        *,
        respondent_id: str,
        channel: str,
        window: Window,
        lane: int,
        session_id: str | None = None,
        wave_id: str | None = None,
        turn: int = 0,
        in_place: bool = False,
        lasting: bool = True,
        farewell: bool = False,
        chat: str | None = None,
        number: int | None = None,
    ) -> None:
        row = put_out(
            prompt,
            respondent_id=respondent_id,
            channel=channel,
            window=window,
            lane=lane,
            session_id=session_id,
            wave_id=wave_id,
            turn=turn,
            in_place=in_place,
            lasting=lasting,
            farewell=farewell,
            number=number,
            chat=chat,
        )
        self._run("put_out", **row)
        self.notify(f"outbox:{channel}")

    def _hashed(self, *words: str) -> str:
        """Give the keyed hash of something that is not to be kept itself."""
        digest = hashlib.blake2b("\0".join(words).encode(), key=self._salt, digest_size=16)
        return digest.hexdigest()

    def _one(self, query: str, /, **params: Any) -> Record | None:
        return self._driver.one(self._sql[query], params)

    def _all(self, query: str, /, **params: Any) -> list[Record]:
        return self._driver.all(self._sql[query], params)

    def _run(self, query: str, /, **params: Any) -> int:
        return self._driver.run(self._sql[query], params)

    def _many(self, query: str, /, params: Sequence[Params]) -> None:
        if params:
            self._driver.many(self._sql[query], params)


def put_out(
    prompt: Prompt,
    *,
    respondent_id: str,
    channel: str,
    window: Window,
    lane: int,
    session_id: str | None = None,
    wave_id: str | None = None,
    turn: int = 0,
    in_place: bool = False,
    lasting: bool = True,
    farewell: bool = False,
    number: int | None = None,
    chat: str | None = None,
) -> dict[str, Any]:
    """Give the parameters of the query ``put_out`` for a message."""
    return {
        "respondent_id": respondent_id,
        "channel": channel,
        "session_id": session_id,
        "wave_id": wave_id,
        "turn": turn,
        "lane": lane,
        "body": encode_prompt(prompt),
        "in_place": int(in_place),
        "lasting": int(lasting),
        "farewell": int(farewell),
        "due_at": write_instant(window.due_at),
        "quiet_at": write_maybe(window.quiet_at),
        "expires_at": write_maybe(window.expires_at),
        "number": number,
        "chat": chat,
    }
