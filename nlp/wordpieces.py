"""Question and answer as word pieces, in windows that the encoder can read.

What lives here: pair encoding and the cutting of long answers. What must not: the
encoder. The training and the tagger cut texts by this code alone, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

__all__ = ["MAX_CHARACTERS", "MAX_PIECES", "MAX_QUESTION_PIECES", "MAX_WINDOWS", "Window",
           "WordPieces"]  # fmt: skip

MAX_PIECES = 192
"""Word pieces the encoder reads at once: question, answer and three marks."""
MAX_QUESTION_PIECES = 60
MAX_WINDOWS = 48
"""Windows of one answer that are read: about 25,000 characters of English."""
MAX_CHARACTERS = 100_000
"""What lies beyond is never cut into word pieces: a bound on time, not on meaning."""

_MARKS = ((("<s>",), ("</s>", "</s>"), ("</s>",)), (("[CLS]",), ("[SEP]",), ("[SEP]",)))
"""Before the question, between it and the answer, after the answer: MPNet's, which has BERT's
too and never learnt them, and BERT's."""
_BREAKS = frozenset(".!?;,:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of an answer behind its question, ready for the encoder.

    Attributes:
        ids: ``[CLS] question [SEP] answer [SEP]``, or as the encoder has its marks; at most
            ``MAX_PIECES``.
        segments: 0 for the question and its marks, 1 for the answer and the last mark.
        first: Index in ``ids`` of the answer's first piece in this window.
        offsets: Of the answer's pieces: start and end in the text, code points.
    """

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


class WordPieces:
    """Cuts text as the encoder was taught to."""

    def __init__(self, path: Path) -> None:
        """Read a ``tokenizer.json``.

        Args:
            path: The file.
        """
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        vocabulary = self._tokenizer.get_vocab()
        marks = next(each for each in _MARKS if each[0][0] in vocabulary)
        self._before, self._between, self._after = (
            tuple(vocabulary[mark] for mark in each) for each in marks
        )

    def windows(self, text: str, question: str | None) -> list[Window]:
        """Cut a question and an answer.

        Args:
            text: The answer as kept.
            question: None where it is not known.

        Returns:
            In text order, at most ``MAX_WINDOWS``; none where the text has no piece.
            A window ends after a punctuation mark where there is one in its second half.
        """
        asked = self._tokenizer.encode(
            (question or "")[:2000], add_special_tokens=False
        ).ids[:MAX_QUESTION_PIECES]  # fmt: skip
        answer = self._tokenizer.encode(text[:MAX_CHARACTERS], add_special_tokens=False)
        ids, offsets = answer.ids, answer.offsets
        head = (*self._before, *asked, *self._between)
        room = MAX_PIECES - len(head) - len(self._after)
        windows: list[Window] = []
        start = 0
        while start < len(ids) and len(windows) < MAX_WINDOWS:
            end = start + room
            if end < len(ids):
                marks = (
                    i
                    for i in range(end, start + room // 2, -1)
                    if text[offsets[i - 1][0]] in _BREAKS
                )
                end = next(marks, end)
            piece_ids = ids[start:end]
            windows.append(
                Window(
                    ids=(*head, *piece_ids, *self._after),
                    segments=(0,) * len(head) + (1,) * (len(piece_ids) + 1),
                    first=len(head),
                    offsets=tuple(offsets[start:end]),
                )
            )
            start = end
        return windows
