"""Stirring: anonymous responses are written anew, many together, in the order of random ids.

A server such as PostgreSQL notes of each row which transaction wrote it and where it lies.
The row of a response that was cut loose says the same as the rows that its person's turn left
behind, and so would join the two. Soon after, and whenever a tagger has written about it, a
response is therefore written anew in a transaction of its own, together with others of its
wave that are drawn by chance: all of them where there are few. Who looks at the rows then
sees a set of responses, each as likely as the others to be the new one.

What lives here: which responses those are, and moving their rows. What must not: removing
the dead rows that are left (``Driver.scrub``). On SQLite nothing is noted, and nothing is due.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from storage.base import Part

__all__ = ["TOGETHER", "Stirring"]

#: Responses that are written anew together, at least, where a wave has so many. Each is
#: rewritten along with some later ones, so a wave of any size costs the same for each of them.
TOGETHER = 200

#: New responses that are dealt with in one transaction.
_SOME = 500

#: What a response is made of, in an order in which references hold, with the key of each.
MOVED = (
    ("responses", ("response_id",)),
    ("answers", ("response_id", "question_id")),
    ("codings", ("coding_id",)),
)


class Stirring(Part):
    """The verb about loose rows."""

    def stir(self) -> bool:
        """Write anew what was cut loose or written about since the last time; False when
        something is still to be stirred. Not inside a transaction.
        """
        if not self._leaves_marks:
            return True
        with self.transaction():
            if not self.hold_free({"stir"}):
                return False
            fresh = self._all("unstirred", limit=_SOME)
            if fresh:
                self._write_anew(self._with_companions([dict(row) for row in fresh]))
        return len(fresh) < _SOME

    def _with_companions(self, fresh: list[dict[str, Any]]) -> list[str]:
        """Give the ids of these and of those among which they hide."""
        by_wave: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        for row in fresh:
            by_wave[row["survey_id"], row["wave_id"]].add(row["response_id"])
        for (survey_id, wave_id), ids in by_wave.items():
            if len(ids) < TOGETHER:
                # Some of these may be drawn too, which would make them too few by as many.
                found = self._all(
                    "companions", survey_id=survey_id, wave_id=wave_id, limit=TOGETHER
                )
                others = [row["response_id"] for row in found if row["response_id"] not in ids]
                ids.update(others[: TOGETHER - len(ids)])
        return sorted(one for ids in by_wave.values() for one in ids)

    def _write_anew(self, ids: list[str]) -> None:
        """Write rows anew; a tagger at one of them waits, and finds its answer gone."""
        self._all("hold_answers", ids=ids)
        held = [row["response_id"] for row in self._all("hold_responses", ids=ids)]
        rows: dict[str, list[dict[str, Any]]] = {}
        for table, key in MOVED:
            # The names are those above.
            sql = f"""select * from {table} where response_id = any(cast(:ids as text[]))
                order by {", ".join(key)}"""  # noqa: S608
            rows[table] = [dict(row) for row in self._driver.all(sql, {"ids": held})]
        self._run("lift", ids=held)
        for table, _ in MOVED:
            if rows[table]:
                columns = list(rows[table][0])
                values = ({**row, "unstirred": 0} for row in rows[table])
                self._driver.load(table, columns, ([row[c] for c in columns] for row in values))
