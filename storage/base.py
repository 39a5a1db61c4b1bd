"""What the parts of the store share: the driver, the named queries, the salt, and what a
part needs of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dialogues.codec import decode_survey, encode_prompt
from dialogues.errors import StoreError
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
    """

    def __init__(self, driver: Driver, *, salt: bytes) -> None:
        self.scrub_due = False
        self._driver = driver
        self._salt = salt
        self._sql = queries(driver.engine)
        self._surveys: dict[tuple[str, str], Survey] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside another one it is a part that can fail by itself."""
        scrub_due = self.scrub_due
        try:
            with self._driver.transaction():
                yield
        except BaseException:
            # What was read or set in here may never have been.
            self._surveys.clear()
            self.scrub_due = scrub_due
            raise

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
