"""Clauses: the stretches of an answer of which evidence is made.

What lives here: a tokenizer and clause boundaries that work on any text and language in
time linear in its length. What must not: codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from nlp.wordpieces import MAX_CHARACTERS

__all__ = ["Splitter", "clause_bounds", "make_splitter"]

_ELIDED = re.compile(r"['’]?\w+|[^\w\s]|\s")
_TOKEN = re.compile(r"\w+(?:(?:['’]|(?<=\d)[.,:/](?=\d))\w+)*|[^\w\s]|\s")
_STOPS = frozenset(".!?;:,…\n()[]–—")
_JOINERS = frozenset(
    [
        "and",
        "but",
        "because",
        "so",
        "which",
        "who",
        "when",
        "while",
        "where",
        "though",
        "although",
        "or",
        "then",
        "until",
        "if",
        "whereas",
        "unless",
        "since",
    ]
)

_LINKS = frozenset(["and", "but", "because", "so", "or"])
"""Joiners that coders leave out of what they quote, in nine of ten cases."""


class Splitter:
    """Words, marks and spaces; keeps every character, one token for what lies far beyond.

    spaCy's own rules look at a run of brackets again and again; an answer that is
    nothing else must not hold up everybody's.
    """

    def __init__(self, vocab: Vocab, *, elided: bool = False) -> None:
        """Take the vocabulary that the documents share.

        Args:
            vocab: The vocabulary.
            elided: What follows an apostrophe is a word of its own, as in Welsh and French.
        """
        self.vocab = vocab
        self._token = _ELIDED if elided else _TOKEN

    def __call__(self, text: str) -> Doc:
        """Cut a text; the document's text is the same text."""
        words: list[str] = []
        spaces: list[bool] = []
        for match in self._token.finditer(text[:MAX_CHARACTERS]):
            if match.group() == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(match.group())
                spaces.append(False)
        if text[MAX_CHARACTERS:]:
            words.append(text[MAX_CHARACTERS:])
            spaces.append(False)
        return Doc(self.vocab, words=words, spaces=spaces)

    def to_bytes(self, *, exclude: tuple[str, ...] = ()) -> bytes:
        """There is nothing to save; spaCy asks."""
        return b""

    def from_bytes(self, data: bytes, *, exclude: tuple[str, ...] = ()) -> Splitter:
        """There is nothing to load; spaCy asks."""
        return self


@registry.tokenizers("commonpulse.Splitter.v1")  # type: ignore[untyped-decorator]
def make_splitter(elided: bool = False) -> Callable[[Language], Splitter]:
    """Give the function by which spaCy makes the tokenizer."""

    def create(nlp: Language) -> Splitter:
        return Splitter(nlp.vocab, elided=elided)

    return create


def clause_bounds(doc: Doc, joiners: frozenset[str] = _JOINERS) -> list[tuple[int, int]]:
    """Cut a document into clauses.

    Args:
        doc: The document.
        joiners: Words at which a clause begins, in lower case; those of English by default.

    Returns:
        Token bounds, end exclusive, in order and without overlap: no mark or space at
        either end, and no plain link such as "and" at its beginning, unless it is all there is.
        Texts of marks alone have none.
    """
    bounds: list[tuple[int, int]] = []
    start = 0
    for index in range(len(doc) + 1):
        at_end = index == len(doc)
        word = "" if at_end else doc[index].text
        if not (at_end or word in _STOPS or word.lower() in joiners):
            continue
        words = [at for at in range(start, index) if any(c.isalnum() for c in doc[at].text)]
        if len(words) > 1 and doc[words[0]].text.lower() in _LINKS:
            del words[0]
        if words:
            bounds.append((words[0], words[-1] + 1))
        start = index
    return bounds
