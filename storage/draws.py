"""What was drawn: how often each question in a wave, and what each person was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.base import Part
from storage.values import Coverage

__all__ = ["Draws"]


class Draws(Part):
    """The verbs about planned missingness."""

    def coverage(self, wave_id: str) -> Coverage:
        """Give how often each question was drawn; see the contract."""
        wave, before = {}, {}
        for row in self._all("coverage", wave_id=wave_id):
            if row["in_wave"]:
                wave[row["question_id"]] = int(row["in_wave"])
            if row["before"]:
                before[row["question_id"]] = int(row["before"])
        return Coverage(wave=wave, before=before)

    def add_draws(self, wave_id: str, counts: Mapping[str, int]) -> None:
        """Count questions that were drawn in a wave."""
        for question_id in sorted(counts):
            if counts[question_id]:
                self._run(
                    "add_draws", wave_id=wave_id, question_id=question_id, n=counts[question_id]
                )

    def given_before(
        self, survey_id: str, respondent_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Give what people were given of a survey's pool; see the contract."""
        if not respondent_ids:
            return {}
        wanted = set(respondent_ids)
        rows = self._all("given_before", survey_id=survey_id, first=min(wanted), last=max(wanted))
        return {
            row["respondent_id"]: tuple(row["questions"].split("|"))
            for row in rows
            if row["respondent_id"] in wanted
        }

    def note_given(self, survey_id: str, given: Mapping[str, Sequence[str]]) -> None:
        """Note what people have been given of a survey's pool by now, the newest last."""
        self._many(
            "note_given",
            [
                {
                    "respondent_id": respondent_id,
                    "survey_id": survey_id,
                    "questions": "|".join(given[respondent_id]),
                }
                for respondent_id in sorted(given)
            ],
        )
