"""A tagged answer as a page of HTML that stands alone.

What lives here: spaCy's displaCy draws the evidence, the page around it says why. Nothing in
it is loaded from anywhere, and every word of the answer is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from spacy import displacy

from dialogues.coding import Codeframe, Coding, Stance
from nlp.explain import Explanation, Reason, by_cues

__all__ = ["page"]

#: Each is at least ten times as light as the black of its label.
_COLOURS = {Stance.STRENGTH: "#a9dcb5", Stance.GAP: "#f5b8ae", Stance.NEUTRAL: "#f7dc86"}
_NO_STANCE = "#b8d4f0"

#: As displaCy's own, in one line: line breaks of the answer are kept, and those would show.
_TEMPLATE = {
    "span": '<span style="font-weight:bold;display:inline-block;position:relative;'
    'height:{total_height}px">{text}{span_slices}{span_starts}</span> ',
    "slice": '<span style="background:{bg};top:{top_offset}px;height:4px;left:-1px;'
    'width:calc(100% + 6px);position:absolute"></span>',
    "start": '<span style="background:{bg};top:{top_offset}px;height:4px;left:-1px;'
    'width:calc(100% + 6px);position:absolute"><span class="label" style="background:{bg}">'
    "{label}{kb_link}</span></span>",
}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A tagged answer</title>
<style>
body {{ font: 17px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 42rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.3rem; }}
.spans {{ white-space: pre-line; font-size: 1.15rem; }}
.label {{ z-index: 1; color: #000; top: -.5em; padding: 2px 4px; position: absolute;
  font-size: .7em; line-height: 1; border-radius: 3px; white-space: nowrap; }}
h2 {{ font-size: 1.1rem; margin: 1.5rem 0 .3rem; }}
h2 span {{ font-weight: normal; color: #555; }}
dl {{ display: grid; grid-template-columns: 6rem 1fr; gap: .2rem .7rem; margin: 0; }}
dt {{ color: #555; }}
dd {{ margin: 0; }}
.aside {{ color: #555; font-size: .9rem; }}
</style>
</head>
<body>
<h1>{heading}</h1>
{answer}
{body}
<p class="aside">Tagged by {model}. A tag is a suggestion, to be checked by a person.</p>
</body>
</html>
"""


def page(explained: Explanation, codeframe: Codeframe) -> str:
    """Give the page.

    Args:
        explained: What was made of the answer.
        codeframe: Names of the codes.
    """
    names = codeframe.names("en")
    return _PAGE.format(
        heading=escape(explained.answer.question or "An answer"),
        answer=_answer(explained.answer.text, explained.tagged.codings, names),
        body=_body(explained, names),
        model=escape(explained.model),
    )


def _answer(text: str, codings: Sequence[Coding], names: Mapping[str, str]) -> str:
    tokens, bounds = _tokens(text)
    spans, colours = [], {}
    for coding in codings:
        label = escape(_named(coding, names))
        inside = [
            number
            for number, (start, end) in enumerate(bounds)
            if start < coding.span_end and end > coding.span_start
        ]
        if inside:
            spans.append({"start_token": inside[0], "end_token": inside[-1] + 1, "label": label})
            colours[label.upper()] = _colour(coding)
    parsed: dict[str, Any] = {"tokens": tokens, "spans": spans}
    options = {"colors": colours, "template": _TEMPLATE}
    return displacy.render(
        parsed, style="span", manual=True, page=False, jupyter=False, options=options
    )


def _tokens(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Cut a text at its spaces, and keep its line breaks: displaCy puts spaces between."""
    tokens: list[str] = []
    bounds: list[tuple[int, int]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        for word in line.split():
            start = text.index(word, at)
            at = start + len(word)
            tokens.append(word)
            bounds.append((start, at))
        if line.splitlines()[0] != line:
            tokens.append("\n")
            bounds.append((at, at))
    return tokens, bounds


def _named(coding: Coding, names: Mapping[str, str]) -> str:
    name = names[coding.enabler]
    return f"{name}, {coding.stance}" if coding.stance else name


def _colour(coding: Coding) -> str:
    return _COLOURS[coding.stance] if coding.stance else _NO_STANCE


def _body(explained: Explanation, names: Mapping[str, str]) -> str:
    parts = [_section(reason, names) for reason in explained.reasons] or ["<p>No code.</p>"]
    if explained.near_miss is not None:
        missed = explained.near_miss
        parts.append(
            f'<p class="aside">Nearest to being given was {escape(names[missed.enabler])}:'
            f" {missed.score:.2f}, where {missed.threshold:.2f} is needed.</p>"
        )
    if told := by_cues(explained):
        parts.append(f'<p class="aside">{told}</p>')
    return "\n".join(parts)


def _section(reason: Reason, names: Mapping[str, str]) -> str:
    told = [("Evidence", f"“{reason.coding.span_text}”")]
    if reason.words:
        told.append(("Words", ", ".join(reason.words)))
    if reason.phrases:
        told.append(("Wording", ", ".join(f"“{phrase}”" for phrase in reason.phrases)))
    if reason.example is not None:
        stance = reason.example.coding.stance
        words = f"“{reason.example.words}”"
        told.append(("Like", f"{words} ({stance})" if stance else words))
    items = "".join(f"<dt>{term}</dt><dd>{escape(words)}</dd>" for term, words in told)
    return (
        f"<h2>{escape(_named(reason.coding, names))} <span>{reason.coding.confidence:.2f},"
        f" given from {reason.threshold:.2f}</span></h2>\n<dl>{items}</dl>"
    )
