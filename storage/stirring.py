"""Stirring: anonymous responses are written anew, many together, in the order of random ids.

PostgreSQL notes of each row which transaction wrote it and where it lies. In a file of SQLite
rows are found in the order of their keys, but inside a page each lies where there was room when
it came: mostly before the one that came last. So the row of a response that was cut loose says
when its person's turn was. Soon after, and whenever a tagger has written about it, a response is
therefore written anew in a transaction of its own, together with others of its wave that are
drawn by chance: all of them where there are few. Who looks at the rows then sees a set of
responses, each as likely as the others to be the new one.

What lives here: which responses those are, and moving their rows. What must not: removing
what is left of the rows before (``Driver.scrub``), or when it is done (``hands.py``,
``tidier.py``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from storage.base import Part

__all__ = ["TOGETHER", "Stirring"]

#: Responses that are written anew together, at least, where a wave has so many. Each is
#: rewritten along with some later ones, so a wave of any size costs the same for each of them.
TOGETHER = 200

#: New responses that are dealt with in one transaction.
_SOME = 500

#: How each engine is told of many ids at once.
_AMONG = {
    "sqlite": "in (select value from json_each(:ids))",
    "postgres": "= any(cast(:ids as text[]))",
}

#: What a response is made of, in an order in which references hold, with the key of each.
MOVED = (
    ("responses", ("response_id",)),
    ("answers", ("response_id", "question_id")),
    ("codings", ("coding_id",)),
    ("sampled", ("sample_id", "response_id", "question_id")),
    ("reviews", ("response_id", "question_id", "coder")),
    ("review_drafts", ("coder", "sample_id")),
    ("member_checks", ("response_id",)),
    ("member_drafts", ("response_id", "question_id")),
)


class Stirring(Part):
    """The verb about loose rows."""

    def stir(self) -> bool:
        """Write anew what was cut loose or written about since the last time; False when
        something is still to be stirred. Not inside a transaction.
        """
        with self.transaction():
            if not self.hold_free({"stir"}):
                return False
            fresh = self._all("unstirred", limit=_SOME)
            if fresh:
                self._write_anew(self._with_companions([dict(row) for row in fresh]))
        self.stir_due = len(fresh) == _SOME
        return not self.stir_due

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
        self._all("hold_answers", ids=self._listed(ids))
        held = [row["response_id"] for row in self._all("hold_responses", ids=self._listed(ids))]
        among = _AMONG[self._driver.engine]
        rows: dict[str, list[dict[str, Any]]] = {}
        for table, key in MOVED:
            # The names are those above.
            sql = f"""select * from {table} where response_id {among}
                order by {", ".join(key)}"""  # noqa: S608
            rows[table] = [dict(row) for row in self._driver.all(sql, {"ids": self._listed(held)})]
        self._run("lift", ids=self._listed(held))
        for table, _ in MOVED:
            if rows[table]:
                columns = list(rows[table][0])
                values = ({**row, "unstirred": 0} for row in rows[table])
                self._driver.load(table, columns, ([row[c] for c in columns] for row in values))
        # The log still holds them as they lay.
        self.scrub_due = True

    def _listed(self, ids: list[str]) -> list[str] | str:
        return json.dumps(ids) if self._driver.engine == "sqlite" else ids
