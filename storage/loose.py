"""Anonymous responses that are nobody's any more, and what of them could still name somebody.

What lives here: withholding what too few people share. What must not: cutting a response
loose (``turns.py``), or when a wave is settled (``waves.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from storage.base import Part

__all__ = ["WITHHELD", "Loose", "withhold"]

#: Stands where a value would give its person away.
WITHHELD = "withheld"

#: What is known of a person beside their answers, what is most useful first.
_ABOUT = ("language", "channel", "role", "sector")


def withhold(
    known: Sequence[tuple[str | None, ...]], *, min_group: int
) -> list[tuple[str | None, ...]]:
    """Blank values until every combination that is left is shared by enough people.

    Column after column, values that fewer than ``min_group`` of those alike so far share are
    withheld. So that what is withheld does not name them either, they are hidden among others:
    at least ``min_group`` are withheld together, or none. Fewer people than that keep nothing.

    Args:
        known: A row for each person, in an order that tells nothing of them.
        min_group: People behind every combination.

    Returns:
        The rows, in the same order.

    Source: local suppression to k-anonymity, after L. Sweeney, "Achieving k-anonymity privacy
        protection using generalization and suppression", 2002.
    """
    rows = [list(row) for row in known]
    alike = [list(range(len(rows)))]
    for column in range(len(rows[0]) if rows else 0):
        finer: list[list[int]] = []
        for group in alike:
            by_value: dict[str | None, list[int]] = defaultdict(list)
            for place in group:
                by_value[rows[place][column]].append(place)
            shared = sorted(by_value.values(), key=len)
            hidden = [place for few in shared if len(few) < min_group for place in few]
            shared = [many for many in shared if len(many) >= min_group]
            if 0 < len(hidden) < min_group and shared:
                lacking = min_group - len(hidden)
                largest = shared.pop()
                among = lacking if len(largest) - lacking >= min_group else len(largest)
                hidden += largest[:among]
                shared += [largest[among:]]
            for place in hidden:
                rows[place][column] = WITHHELD
            finer += [many for many in (hidden, *shared) if many]
        alike = finer
    return [tuple(row) for row in rows]


class Loose(Part):
    """What the parts of the store that let go of a response share."""

    def _withhold_rare(self, wave_id: str, *, min_group: int) -> None:
        """Withhold what fewer than ``min_group`` loose responses of a wave share."""
        found = self._all("loose_responses", wave_id=wave_id)
        known = [tuple(row[name] for name in _ABOUT) for row in found]
        kept = withhold(known, min_group=min_group)
        for row, before, after in zip(found, known, kept, strict=True):
            if before != after:
                self._withhold(row["response_id"], dict(zip(_ABOUT, after, strict=True)))

    def _withhold_all(self, response_id: str) -> None:
        """Withhold whatever is known of the person behind a loose response."""
        self._withhold(response_id, dict.fromkeys(_ABOUT, WITHHELD))

    def _withhold(self, response_id: str, kept: dict[str, str | None]) -> None:
        self._run("withhold", response_id=response_id, **kept)
        self._ruffle(response_id)
        if kept["language"] == WITHHELD:
            self._word_anew(response_id)

    def _ruffle(self, response_id: str) -> None:
        """Note that a loose response was written about, so that it is stirred anew."""
        if self._run("ruffle", response_id=response_id):
            self.stir_due = self.scrub_due = True

    def _word_anew(self, response_id: str) -> None:
        """Put the questions of a response in the survey's first language, as everybody's."""
        for row in self._all("wording", response_id=response_id):
            survey = self._kept(row["survey_id"], row["revision"])
            question = survey.by_id[row["question_id"]]
            self._run(
                "word_anew",
                response_id=response_id,
                question_id=question.id,
                question=survey.say(question.text, survey.default_language),
            )
