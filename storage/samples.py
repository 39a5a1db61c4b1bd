"""Samples: which answers people are to review, drawn so that it can be said how likely each was.

What lives here: drawing. What must not: reviews (``reviews.py``), or chance: a seed and the ids
of the answers decide, so the same seed draws the same on every engine.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from dialogues.coding import Coding, KeptCoding, Source
from storage.codings import Codings
from storage.driver import Record
from storage.loose import WITHHELD
from storage.records import read_instant, read_kept_coding, write_day, write_instant
from storage.reviewing import (
    Drawing,
    MemberCheck,
    Reviewed,
    ReviewHeld,
    Sample,
    Sampled,
    SampleMode,
)

__all__ = ["Samples", "distance_between"]

#: An answer that could be drawn: what comes first, chance among equals, and its ids.
_Candidate = tuple[float, int, str, str]

#: Answers that are read differently, each with its distance and how many have read it.
_Disputed = dict[tuple[str, str], tuple[float, int]]

_QUERIES = {
    SampleMode.RANDOM: "eligible_answers",
    SampleMode.UNCERTAIN: "uncertain_answers",
    SampleMode.CODE: "coded_answers",
}


class Samples(Codings):
    """The verbs about samples."""

    def draw_sample(self, drawing: Drawing, *, sample_id: str, at: datetime) -> Sample:
        """Draw answers to be reviewed, and keep which; see the contract."""
        # What is stirred meanwhile would be gone for a moment.
        self.hold("stir")
        disputed = self._disputed(drawing)
        on = write_day(at.astimezone(UTC))
        touched = self._ids("touched_answers") if drawing.blind or drawing.double_share else set()
        candidates = self._candidates(drawing, disputed, on)
        if drawing.all_blind:
            candidates = (one for one in candidates if one[2:] not in touched)
        n_population, drawn = _smallest(candidates, drawing.n)
        chosen = [(response_id, question_id) for *_, response_id, question_id in drawn]
        is_random = drawing.mode is SampleMode.RANDOM
        probability = len(chosen) / n_population if is_random and chosen else None
        doubled = set() if disputed else _doubled(chosen, drawing, touched)
        wanted = [1 + disputed[one][1] if disputed else 1 + (one in doubled) for one in chosen]
        sample = Sample(
            sample_id=sample_id,
            drawing=drawing,
            drawn_at=at,
            n_population=n_population,
            n_drawn=len(chosen),
            n_shared=sum(n > 1 for n in wanted),
        )
        self._run(
            "add_sample",
            sample_id=sample_id,
            mode=drawing.mode.value,
            at=write_instant(at),
            seed=drawing.seed,
            blind=int(drawing.blind),
            double_share=drawing.double_share,
            survey_id=drawing.survey_id,
            wave_id=drawing.wave_id,
            cohort=drawing.cohort,
            enabler=drawing.enabler,
            n_population=n_population,
            n_drawn=len(chosen),
        )
        self._many(
            "add_sampled",
            [
                {
                    "sample_id": sample_id,
                    "response_id": one[0],
                    "question_id": one[1],
                    "place": place,
                    "probability": probability,
                    "coders_wanted": n,
                }
                for place, (one, n) in enumerate(zip(chosen, wanted, strict=True), start=1)
            ],
        )
        for response_id in sorted({one[0] for one in chosen}):
            self._ruffle(response_id)
        return sample

    def sample(self, sample_id: str) -> Sample | None:
        """Give a sample; None when there is none."""
        row = self._one("sample", sample_id=sample_id)
        return None if row is None else _read_sample(row)

    def samples(self) -> list[Sample]:
        """Give every sample, the newest first."""
        return [_read_sample(row) for row in self._all("samples")]

    def reviewed(self, *, sample_id: str | None = None) -> list[Reviewed]:
        """Give the answers that somebody has reviewed; see the contract."""
        codings: dict[tuple[str, str], list[KeptCoding]] = defaultdict(list)
        for row in self._all("reviewed_codings", sample_id=sample_id):
            codings[row["response_id"], row["question_id"]].append(read_kept_coding(row))
        rows = self._all("reviewed_answers", sample_id=sample_id)
        by_answer = groupby(rows, key=lambda row: (row["response_id"], row["question_id"]))
        return [_read_reviewed([*same], codings[ids]) for ids, same in by_answer]

    def member_checks(self) -> list[MemberCheck]:
        """Give what people said of the tags of their own words; see the contract."""
        by_answer = groupby(
            self._all("member_checks"), key=lambda row: (row["response_id"], row["question_id"])
        )
        checks = []
        for (response_id, question_id), same in by_answer:
            rows = list(same)
            kept = [read_kept_coding(row) for row in rows]
            checks.append(
                MemberCheck(
                    response_id=response_id,
                    question_id=question_id,
                    question=rows[0]["question"],
                    text=rows[0]["text"],
                    codings=tuple(one for one in kept if one.source is Source.RESPONDENT),
                    suggested=tuple(one.coding for one in kept if one.source is Source.TAGGER),
                )
            )
        return checks

    def _candidates(self, drawing: Drawing, disputed: _Disputed, on: str) -> Iterator[_Candidate]:
        if drawing.mode is SampleMode.DISAGREEMENT:
            for ids, (distance, _) in disputed.items():
                yield distance, _chance(drawing.seed, *ids), *ids
            return
        params = {
            "survey_id": drawing.survey_id,
            "wave_id": drawing.wave_id,
            "cohort": drawing.cohort,
            "on": on,
        }
        if drawing.mode is SampleMode.CODE:
            params["enabler"] = drawing.enabler
        for row in self._driver.each(self._sql[_QUERIES[drawing.mode]], params):
            ids = row["response_id"], row["question_id"]
            yield float(row["distance"]), _chance(drawing.seed, *ids), *ids

    def _disputed(self, drawing: Drawing) -> _Disputed:
        """Give what coders read otherwise than each other, or than the tagger, where that is
        to be drawn: who disagrees, and how many have read it.
        """
        found: _Disputed = {}
        if drawing.mode is not SampleMode.DISAGREEMENT:
            return found
        awaited = self._ids("awaited_blind")
        for one in self.reviewed():
            wanted = (
                (one.response_id, one.question_id) not in awaited
                and drawing.survey_id in (None, one.survey_id)
                and drawing.wave_id in (None, one.wave_id)
                and drawing.cohort in (None, one.cohort)
            )
            distance = distance_between(one) if wanted else None
            if distance is not None:
                n_read = sum(review.state == "done" for review in one.reviews)
                found[one.response_id, one.question_id] = distance, n_read
        return found

    def _ids(self, query: str) -> set[tuple[str, str]]:
        return {(row["response_id"], row["question_id"]) for row in self._all(query)}


def _read_reviewed(rows: list[Record], codings: list[KeptCoding]) -> Reviewed:
    """Read an answer with its reviews, each of which is a row."""
    row = rows[0]
    sampled = None
    if row["drawn_in"] is not None:
        sampled = Sampled(
            sample_id=row["drawn_in"],
            place=row["place"],
            probability=row["probability"],
            coders_wanted=row["coders_wanted"],
        )
    return Reviewed(
        response_id=row["response_id"],
        question_id=row["question_id"],
        survey_id=row["survey_id"],
        wave_id=row["wave_id"],
        cohort=row["cohort"],
        role=row["role"],
        channel=row["channel"],
        question=row["question"],
        text=row["text"],
        language=None if row["language"] == WITHHELD else row["language"],
        tagged_by=row["tagged_by"],
        sampled=sampled,
        reviews=tuple(
            ReviewHeld(
                coder=one["coder"],
                sample_id=one["sample_id"],
                number=one["number"],
                blind=bool(one["blind"]),
                settles=bool(one["settles"]),
                state=one["state"],
                reviewed_at=one["reviewed_at"],
                codeframe_version=one["codeframe_version"],
            )
            for one in rows
        ),
        codings=tuple(codings),
    )


def distance_between(one: Reviewed) -> float | None:
    """Say who disagrees about an answer: 0 coders with each other, 1 a coder with the tagger;
    None where nobody does. Codes and stances count, and not which words carry them. Who read it
    as a disagreement has settled it: what was said before counts no more, nor the tagger.
    """
    done = [review for review in one.reviews if review.state == "done"]
    settled = max((o for o in done if o.settles), key=lambda o: o.reviewed_at, default=None)
    if settled is not None:
        done = [settled, *(o for o in done if o.reviewed_at > settled.reviewed_at)]
    said = [_codes(one.given_by(review.coder)) for review in done]
    if any(codes != said[0] for codes in said[1:]):
        return 0.0
    tagger = None if settled else one.tagged_by
    if said and tagger is not None and said[0] != _codes(_suggested(one, tagger)):
        return 1.0
    return None


def _suggested(one: Reviewed, tagger: str) -> Iterable[Coding]:
    kept = (c for c in one.codings if c.source is Source.TAGGER and c.coder == tagger)
    return (c.coding for c in kept)


def _codes(codings: Iterable[Coding]) -> frozenset[tuple[str, str | None]]:
    return frozenset((one.enabler, one.stance) for one in codings)


def _smallest(candidates: Iterable[_Candidate], n: int) -> tuple[int, list[_Candidate]]:
    """Give how many there are, and the first ``n`` of them in order; memory holds no more."""
    count = 0

    def counted() -> Iterator[_Candidate]:
        nonlocal count
        for one in candidates:
            count += 1
            yield one

    first = heapq.nsmallest(n, counted())
    return count, first


def _doubled(
    chosen: list[tuple[str, str]], drawing: Drawing, touched: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Give those that two coders read: a share of all, by chance among what nobody has read."""
    n = round(drawing.double_share * len(chosen))
    fresh = [one for one in chosen if one not in touched]
    return set(heapq.nsmallest(n, fresh, key=lambda ids: _chance(f"{drawing.seed} twice", *ids)))


def _chance(seed: str, response_id: str, question_id: str) -> int:
    words = "\0".join((seed, response_id, question_id)).encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=16).digest())


def _read_sample(row: Record) -> Sample:
    return Sample(
        sample_id=row["sample_id"],
        drawing=Drawing(
            mode=SampleMode(row["mode"]),
            n=row["n_drawn"],
            seed=row["seed"],
            double_share=row["double_share"],
            blind=bool(row["blind"]),
            survey_id=row["survey_id"],
            wave_id=row["wave_id"],
            cohort=row["cohort"],
            enabler=row["enabler"],
        ),
        drawn_at=read_instant(row["drawn_at"]),
        n_population=row["n_population"],
        n_drawn=row["n_drawn"],
        n_shared=row["n_shared"],
    )
