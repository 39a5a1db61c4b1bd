"""What bringing back a backup must not undo: that people asked to be forgotten, or to stop.

A backup is of some time ago. Who was erased since is in it again, who said stop since would
be written to again, and what waited to be sent then has been sent since. Where the database
that it takes the place of can be read, that is put right from there, in the same transaction.

What lives here: that. What must not: files, or where the earlier database lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from storage.driver import Driver
from storage.earlier import Earlier, pages
from storage.records import read_instant, write_instant
from storage.store import SqlStore

__all__ = ["ACTOR", "Carried", "carry_over", "drop_waiting"]

#: Who erases again, in the list of erasures.
ACTOR = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was put right.

    Attributes:
        related: Whether the earlier database is the one that the backup was made of; where
            it is not, nothing was put right.
        erased: People who were erased again.
        stopped: People who said stop since and are not written to.
        settled: Messages that waited in the backup and had been dealt with since.
    """

    related: bool = True
    erased: int = 0
    stopped: int = 0
    settled: int = 0


def carry_over(
    driver: Driver,
    earlier: Earlier,
    *,
    at: datetime,
    new_id: Callable[[], str],
) -> Carried:
    """Put right in a restored database what the earlier one knows better.

    Args:
        driver: Of the restored one, in a transaction, its tables up to date.
        earlier: The one that it takes the place of.
        at: Now, aware.
        new_id: Gives a fresh id.
    """
    row = driver.one("select value from meta where key = 'salt'", {})
    salt = None if row is None else row["value"]
    if salt is None or earlier.salt() != salt:
        return Carried(related=False)
    store = SqlStore(driver, salt=bytes.fromhex(salt))
    _take_over(driver, earlier, "erasures", ("erased_at", "actor", "n_responses"))
    _take_over(driver, earlier, "suppressed", ("since",))
    return Carried(
        erased=_erase_again(store, driver, earlier, at=at, new_id=new_id),
        stopped=_stop_again(store, earlier),
        settled=_settle(driver, earlier, at=at),
    )


def drop_waiting(driver: Driver) -> int:
    """Drop every message that waits to be sent, and give how many."""
    row = driver.one("select count(*) as n from outbox where state in ('pending', 'claimed')", {})
    driver.run("delete from outbox where state in ('pending', 'claimed')", {})
    # An address that stayed for a last word only.
    driver.run("delete from addresses where leaving = 1", {})
    return 0 if row is None else int(row["n"])


def _take_over(driver: Driver, earlier: Earlier, table: str, columns: tuple[str, ...]) -> None:
    for row in earlier.rows(table, columns):
        names = list(row.keys())
        driver.run(
            f"insert into {table} ({', '.join(names)})"  # noqa: S608
            f" values ({', '.join(f':{name}' for name in names)}) on conflict do nothing",
            {name: row[name] for name in names},
        )


def _erase_again(
    store: SqlStore,
    driver: Driver,
    earlier: Earlier,
    *,
    at: datetime,
    new_id: Callable[[], str],
) -> int:
    """Erase who asked to be forgotten since; who came back after that is a new person."""
    erased = 0
    for row in pages(driver, "addresses", ("respondent_id",), where="leaving = 0"):
        channel, platform_id = row["channel"], row["platform_id"]
        gone = store.is_suppressed(channel, platform_id)
        back = False
        if not gone:
            now = earlier.one(
                "addresses", ("respondent_id",), channel=channel, platform_id=platform_id
            )
            back = now is not None and now["respondent_id"] != row["respondent_id"]
        if not (gone or back):
            continue
        store.erase(
            row["respondent_id"],
            at=at,
            erasure_id=new_id(),
            actor=ACTOR,
            farewell=None,
            leaving_id=new_id(),
        )
        if back:
            store.lift_suppression(channel, platform_id)
        erased += 1
    for row in pages(driver, "addresses", ("respondent_id",), where="leaving = 1"):
        # The bare address of somebody erased stays for a last word, until that was said.
        key = {"channel": row["channel"], "platform_id": row["platform_id"]}
        now = earlier.one("addresses", ("respondent_id",), **key)
        if now is None or now["respondent_id"] != row["respondent_id"]:
            mine = {"respondent_id": row["respondent_id"]}
            driver.run("delete from outbox where respondent_id = :respondent_id", mine)
            driver.run("delete from addresses where respondent_id = :respondent_id", mine)
    return erased


def _stop_again(store: SqlStore, earlier: Earlier) -> int:
    stopped = 0
    for row in earlier.rows("respondents", ("opted_out_at",), where="opted_out_at is not null"):
        known = store.respondent(row["respondent_id"])
        if known is not None and not known.opted_out:
            store.opt_out(row["respondent_id"], at=read_instant(row["opted_out_at"]))
            stopped += 1
    return stopped


def _settle(driver: Driver, earlier: Earlier, *, at: datetime) -> int:
    """Take over how messages ended that waited when the backup was made."""
    settled = 0
    last = earlier.counted("outbox", "outbox_id")
    columns = ("respondent_id", "session_id", "turn", "state", "position", "error")
    same = ("respondent_id", "session_id", "turn")
    for row in pages(driver, "outbox", same, where="state in ('pending', 'claimed')"):
        outbox_id = row["outbox_id"]
        if outbox_id > last:
            continue
        now = earlier.one("outbox", columns, outbox_id=outbox_id)
        if now is None:
            driver.run("delete from outbox where outbox_id = :id", {"id": outbox_id})
            settled += 1
        elif now["state"] not in {"pending", "claimed"} and all(now[of] == row[of] for of in same):
            sent = now["state"] == "sent"
            # What was given up keeps its words: it can be tried again.
            driver.run(
                "update outbox set state = :state, claimed_until = null, claimed_by = null,"
                " position = :position, error = :error, dead_at = :dead_at,"
                " body = case when :sent = 1 then null else body end where outbox_id = :id",
                {
                    "state": now["state"],
                    "position": now["position"],
                    "error": now["error"],
                    "dead_at": None if sent else write_instant(at),
                    "sent": int(sent),
                    "id": outbox_id,
                },
            )
            settled += 1
    return settled
