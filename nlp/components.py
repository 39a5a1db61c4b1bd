"""The pipeline's components: clauses, encoder, wording, coder.

What lives here: spaCy factories with their default settings, and how results lie on a
document. What must not: arithmetic (``heads.py``, ``decision.py``).

On the document: ``doc._.question`` is set before the pipeline runs; ``doc.spans["codes"]``
holds one span a code afterwards, the surest first: its words are the evidence, ``label_``
the code, ``id_`` the stance (empty where none was learnt), and the group's
``attrs["scores"]`` the confidences in the same order.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from dialogues.coding import Stance
from nlp.clauses import clause_bounds
from nlp.decision import best_clauses
from nlp.encoder import Encoder, Floats
from nlp.model import Model, read_model
from nlp.wordpieces import WordPieces

__all__ = [
    "CLAUSES",
    "CODER",
    "ENCODER",
    "WORDING",
    "Clauses",
    "Coder",
    "EncoderPipe",
    "WordingPipe",
    "make_clauses",
    "make_coder",
    "make_encoder",
    "make_wording",
]

CLAUSES = {"spans_key": "clauses"}
ENCODER = {"model": "", "threads": 1}
WORDING = {"model": ""}
CODER = {"model": "", "clauses_key": "clauses", "spans_key": "codes"}

_STANCES = list(Stance)

for _name in ("question", "states", "offsets", "wording"):
    Doc.set_extension(_name, default=None, force=True)


@lru_cache(maxsize=2)
def _read_once(path: Path, written_at: int) -> Model:
    return read_model(path)


def _model(path: str) -> Model:
    meta = Path(path) / "meta.json"
    return _read_once(Path(path), meta.stat().st_mtime_ns if meta.exists() else 0)


class Clauses:
    """Marks the clauses of an answer in ``doc.spans``."""

    def __init__(self, spans_key: str) -> None:
        """Take the key in ``doc.spans``."""
        self._spans_key = spans_key

    def __call__(self, doc: Doc) -> Doc:
        """Mark the clauses."""
        doc.spans[self._spans_key] = [doc[start:end] for start, end in clause_bounds(doc)]
        return doc


class EncoderPipe:
    """Reads question and answer: ``doc._.states`` a window, ``doc._.offsets`` of all pieces."""

    def __init__(self, model: Path, threads: int) -> None:
        """Open the encoder of a model directory."""
        self._pieces = WordPieces(model / "tokenizer.json")
        self._encoder = Encoder(model / "encoder.onnx", threads=threads)

    def __call__(self, doc: Doc) -> Doc:
        """Read the answer; one without a word piece has no states."""
        windows = self._pieces.windows(doc.text, doc._.question)
        doc._.states = [self._encoder.states(window) for window in windows]
        doc._.offsets = [offset for window in windows for offset in window.offsets]
        return doc


class WordingPipe:
    """Hears the very words: ``doc._.wording``, logits of the codes."""

    def __init__(self, model: Model) -> None:
        """Take the weights of a model."""
        self._wording = model.wording

    def __call__(self, doc: Doc) -> Doc:
        """Hear the words."""
        doc._.wording = self._wording.logits(doc.text, doc._.question)
        return doc


class Coder:
    """Gives codes, stances and evidence: spans in ``doc.spans``."""

    def __init__(self, model: Model, clauses_key: str, spans_key: str) -> None:
        """Take the heads and thresholds of a model."""
        self._heads = model.heads
        self._decision = model.decision
        self._keys = [code.key for code in model.codeframe.codes]
        self._clauses_key = clauses_key
        self._spans_key = spans_key

    def _evidence(self, doc: Doc, logits: Floats) -> Span:
        clauses = list(doc.spans[self._clauses_key])
        bounds = [(clause.start_char, clause.end_char) for clause in clauses]
        best = best_clauses(logits, doc._.offsets, bounds, doc.text, self._decision.evidence_floor)
        if best is not None:
            return doc[clauses[best[0]].start : clauses[best[1]].end]
        start, end = doc._.offsets[0][0], doc._.offsets[-1][1]
        span = doc.char_span(start, end, alignment_mode="expand")
        return doc[:] if span is None else span

    def __call__(self, doc: Doc) -> Doc:
        """Code the answer, the surest code first."""
        if not doc._.states:
            doc.spans[self._spans_key] = SpanGroup(doc, attrs={"scores": []})
            return doc
        reading = self._heads.read(doc._.states)
        given = self._decision.probabilities(reading.codes, doc._.wording)
        spans, scores = [], []
        for code in np.argsort(-given, kind="stable"):
            if given[code] < self._decision.thresholds[code]:
                continue
            quoted = self._evidence(doc, reading.tokens[:, code])
            stance = ""
            if reading.stances is not None:
                stance = _STANCES[int(reading.stances[code].argmax())]
            spans.append(
                Span(doc, quoted.start, quoted.end, label=self._keys[code], span_id=stance)
            )
            scores.append(float(given[code]))
        doc.spans[self._spans_key] = SpanGroup(
            doc, name=self._spans_key, spans=spans, attrs={"scores": scores}
        )
        return doc


@Language.factory("commonpulse_clauses", default_config=CLAUSES, assigns=["doc.spans"])
def make_clauses(nlp: Language, name: str, spans_key: str) -> Clauses:
    """Make the component that marks clauses."""
    return Clauses(spans_key)


@Language.factory(
    "commonpulse_encoder", default_config=ENCODER, assigns=["doc._.states", "doc._.offsets"]
)
def make_encoder(nlp: Language, name: str, model: str, threads: int) -> EncoderPipe:
    """Make the component that reads question and answer."""
    return EncoderPipe(Path(model), threads)


@Language.factory("commonpulse_wording", default_config=WORDING, assigns=["doc._.wording"])
def make_wording(nlp: Language, name: str, model: str) -> WordingPipe:
    """Make the component that hears the very words."""
    return WordingPipe(_model(model))


@Language.factory(
    "commonpulse_coder",
    default_config=CODER,
    requires=["doc.spans", "doc._.states", "doc._.offsets", "doc._.wording"],
    assigns=["doc.spans"],
)
def make_coder(nlp: Language, name: str, model: str, clauses_key: str, spans_key: str) -> Coder:
    """Make the component that gives codes."""
    return Coder(_model(model), clauses_key, spans_key)
