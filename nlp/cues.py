"""Codes by cue phrases, for a language in which there is no model.

What lives here: a spaCy component and its rule. What must not: phrases (``codeframe.toml``).

The rule. A code is given where one of its phrases stands in the answer. Its confidence says how
many different ones do: one is 0.5, and each further one halves what is missing to 1; that is no
probability that was measured. The evidence is the longest of them. The stance is the phrase's
own; where it has none, that of the words for there and missing in the same clause, or else in
the question. A negation in the clause that is not the phrase's own turns it round, and alone
says that something is missing, as does a wish. Neutral is a code only where no phrase says more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import filter_spans
from spacy.vocab import Vocab

from dialogues.coding import Codeframe, Stance, StanceCues
from nlp.clauses import Splitter, clause_bounds
from nlp.codeframe import read_codeframe

__all__ = ["CUES", "LEAST", "CuePipe", "make_cues", "pipeline_name"]

CUES = {"codeframe": "", "language": "", "spans_key": "codes"}

LEAST = 0.5
"""The confidence of a code for which one phrase speaks."""

_SIGNS = {Stance.STRENGTH: 1, Stance.GAP: -1, Stance.NEUTRAL: 0}
_STRENGTH, _GAP, _WISH, _NEGATION = "strength", "gap", "wish", "negation"

if not Doc.has_extension("question"):
    Doc.set_extension("question", default=None)


def pipeline_name(language: str) -> str:
    """Name the pipeline in the provenance of its tags."""
    return f"cues-{language}"


@lru_cache(maxsize=4)
def _read_once(path: Path, written_at: int) -> Codeframe:
    return read_codeframe(path)


def _patterns(split: Splitter, phrases: Iterable[str]) -> list[Doc]:
    """Give the phrases as documents, with either apostrophe."""
    written = {way for each in phrases for way in (each.replace("’", "'"), each.replace("'", "’"))}
    return [split(phrase) for phrase in sorted(written)]


class CuePipe:
    """Gives codes, stances and evidence by cue phrases: spans in ``doc.spans``."""

    def __init__(
        self, vocab: Vocab, codeframe: Codeframe, language: str, spans_key: str = "codes"
    ) -> None:
        """Take the phrases of one language."""
        self._spans_key = spans_key
        words = codeframe.stance_cues.get(language, StanceCues())
        self._joiners = frozenset(word.lower() for word in words.joiners)
        self._split = Splitter(vocab, elided=True)
        self._labels: list[tuple[str, Stance | None]] = []
        self._cues = PhraseMatcher(vocab, attr="LOWER")
        for code in codeframe.codes:
            for stance in (None, *Stance):
                phrases = [c.phrase for c in code.cues.get(language, ()) if c.stance == stance]
                if phrases:
                    self._cues.add(str(len(self._labels)), _patterns(self._split, phrases))
                    self._labels.append((code.key, stance))
        self._words = PhraseMatcher(vocab, attr="LOWER")
        for label, listed in (
            (_STRENGTH, words.strength), (_GAP, words.gap), (_WISH, words.wish),
            (_NEGATION, words.negation),
        ):  # fmt: skip
            if listed:
                self._words.add(label, _patterns(self._split, listed))

    def _found(self, doc: Doc) -> dict[str, list[tuple[Span, Stance | None]]]:
        """Give each code's phrases in the order of the text, the longest where several overlap."""
        found: dict[str, dict[tuple[int, int], Stance | None]] = {}
        for match, start, end in self._cues(doc):
            key, stance = self._labels[int(doc.vocab.strings[match])]
            spans = found.setdefault(key, {})
            spans[start, end] = stance if stance is not None else spans.get((start, end))
        return {
            key: [
                (span, spans[span.start, span.end])
                for span in filter_spans([doc[start:end] for start, end in spans])
            ]
            for key, spans in found.items()
        }

    def _sign(self, words: Sequence[str], own: Stance | None) -> int | None:
        """Tell whether words speak of something there (1) or missing (-1); None for neither."""
        signs = {1 for word in words if word == _STRENGTH} | {-1 for w in words if w == _GAP}
        sign = _SIGNS[own] if own is not None else sum(signs) if signs else None
        if _WISH in words:
            return -1
        if _NEGATION in words:
            return -sign if sign else -1
        return sign

    def _clauses(self, doc: Doc) -> Callable[[Span], list[str]]:
        """Give what tells which words for there, missing and not are in a cue's clause."""
        starts = [start for start, _ in clause_bounds(doc, self._joiners)]
        by_clause: dict[int, list[Span]] = {}
        for word in filter_spans(self._words(doc, as_spans=True)):
            by_clause.setdefault(bisect_right(starts, word.start), []).append(word)

        def beside(cue: Span) -> list[str]:
            near = by_clause.get(bisect_right(starts, cue.start), [])
            within = {w.label_ for w in near if w.start < cue.end and w.end > cue.start}
            outside = [w.label_ for w in near if w.end <= cue.start or w.start >= cue.end]
            return [word for word in outside if word != _NEGATION or word not in within]

        return beside

    def _asked(self, question: str | None) -> int | None:
        if not question:
            return None
        words = filter_spans(self._words(self._split(question), as_spans=True))
        return self._sign([word.label_ for word in words], None)

    def __call__(self, doc: Doc) -> Doc:
        """Code the answer, the surest code first."""
        asked, beside = self._asked(doc._.question), self._clauses(doc)
        given: list[tuple[float, Span]] = []
        for key, cues in self._found(doc).items():
            by_stance: dict[Stance, list[Span]] = {}
            for cue, own in cues:
                sign = self._sign(beside(cue), own)
                by_stance.setdefault(_stance_of(sign, asked), []).append(cue)
            if len(by_stance) > 1:
                by_stance.pop(Stance.NEUTRAL, None)
            for stance, spans in by_stance.items():
                different = {span.text.lower() for span in spans}
                best = max(spans, key=lambda span: (len(span.text), -span.start))
                coded = Span(doc, best.start, best.end, label=key, span_id=stance.value)
                given.append((1 - LEAST ** len(different), coded))
        given.sort(key=lambda each: (-each[0], each[1].start, each[1].label_, each[1].id_))
        doc.spans[self._spans_key] = SpanGroup(
            doc,
            name=self._spans_key,
            spans=[span for _, span in given],
            attrs={"scores": [score for score, _ in given]},
        )
        return doc


def _stance_of(sign: int | None, asked: int | None) -> Stance:
    """Give the stance of what the words say, or else of what was asked."""
    known = (asked or 0) if sign is None else sign
    return Stance.STRENGTH if known > 0 else Stance.GAP if known < 0 else Stance.NEUTRAL


@Language.factory("commonpulse_cues", default_config=CUES, assigns=["doc.spans"])
def make_cues(nlp: Language, name: str, codeframe: str, language: str, spans_key: str) -> CuePipe:
    """Make the component that gives codes by cue phrases."""
    path = Path(codeframe)
    return CuePipe(nlp.vocab, _read_once(path, path.stat().st_mtime_ns), language, spans_key)
