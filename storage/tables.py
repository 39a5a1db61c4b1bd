"""The one list of tables: what is kept, by which key, in an order in which references hold.

What lives here: the list, which backup, restore, migration to another engine, doctor and the
test of erasure go by. A migration that makes a table adds it here; a test fails on a table
that is not listed. What must not: columns (the database itself knows them) and rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["NOT_ERASED", "TABLES", "KeptTable", "in_order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTable:
    """A table.

    Attributes:
        key: Columns that tell its rows apart; rows are read out in this order, never in the
            order in which they came.
        serial: The column that the engine counts up; None for keys that come from outside.
        by_itself: Whether the program fills it when it starts, before anybody said or did
            anything: a database with nothing else in it is as good as empty.
    """

    name: str
    key: tuple[str, ...]
    serial: str | None = None
    by_itself: bool = False


#: What is referred to comes before what refers to it.
TABLES: tuple[KeptTable, ...] = (
    KeptTable(name="meta", key=("key",), by_itself=True),
    KeptTable(name="surveys", key=("survey_id", "revision"), by_itself=True),
    KeptTable(name="respondents", key=("respondent_id",)),
    KeptTable(name="addresses", key=("channel", "platform_id")),
    KeptTable(name="timings", key=("respondent_id",)),
    KeptTable(name="memberships", key=("respondent_id", "cohort")),
    KeptTable(name="consents", key=("respondent_id", "survey_id", "consent_revision")),
    KeptTable(name="suppressed", key=("address_key",)),
    KeptTable(name="erasures", key=("erasure_id",)),
    KeptTable(name="inbound", key=("event_key",)),
    KeptTable(name="waves", key=("wave_id",)),
    KeptTable(name="draws", key=("wave_id", "question_id")),
    KeptTable(name="drawn", key=("respondent_id", "survey_id")),
    KeptTable(name="invitations", key=("invitation_id",)),
    KeptTable(name="dispositions", key=("invitation_id", "seq")),
    KeptTable(name="unsent", key=("wave_id", "respondent_id", "number")),
    KeptTable(name="sessions", key=("session_id",)),
    KeptTable(name="responses", key=("response_id",)),
    KeptTable(name="answers", key=("response_id", "question_id")),
    KeptTable(name="codings", key=("coding_id",)),
    KeptTable(name="samples", key=("sample_id",)),
    KeptTable(name="sampled", key=("sample_id", "response_id", "question_id")),
    KeptTable(name="reviews", key=("response_id", "question_id", "coder")),
    KeptTable(name="review_drafts", key=("coder", "sample_id")),
    KeptTable(name="member_checks", key=("response_id",)),
    KeptTable(name="member_drafts", key=("response_id", "question_id")),
    KeptTable(name="pictures", key=("picture_id",)),
    KeptTable(name="results", key=("wave_id",)),
    KeptTable(name="replies", key=("reply_id",)),
    KeptTable(name="outbox", key=("outbox_id",), serial="outbox_id"),
    KeptTable(name="workers", key=("worker_id",), by_itself=True),
    KeptTable(name="leases", key=("name",), by_itself=True),
    KeptTable(name="paces", key=("pace_key",), by_itself=True),
    KeptTable(name="shares", key=("pace_key", "worker_id"), by_itself=True),
)

#: Tables that name a person (or what is a person's: a response, session or invitation) and
#: that erasing somebody leaves alone, each with the reason. Every other table that does is
#: emptied of them by ``People.erase``, which a test holds.
NOT_ERASED: dict[str, str] = {}


def in_order(names: Iterable[str]) -> list[KeptTable]:
    """Give the tables of these names, in an order in which references hold.

    One that is not listed, of a version that had more tables, comes last, with no key.
    """
    wanted = set(names)
    known = [table for table in TABLES if table.name in wanted]
    others = wanted - {table.name for table in known}
    return [*known, *(KeptTable(name=name, key=()) for name in sorted(others))]
