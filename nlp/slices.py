"""Kinds of answers, so that a tagger can be judged on each.

What lives here: how an answer's register, length and question are told from its words, and how
it is rewritten in another register, by rules that anybody can read. What must not: figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dialogues.coding import Code
from nlp.answers import CodedAnswer

__all__ = [
    "LENGTHS",
    "QUESTIONS",
    "REGISTERS",
    "cue_words",
    "length_of",
    "question_of",
    "register_of",
    "rewritten",
]

SECOND, SLANG, PLAIN = "second-language English and creoles", "slang and text speak", "other"
REGISTERS = (SECOND, SLANG, PLAIN)

#: Grammar that few grow up with in standard English: "she know", "they not listen", "is nice lady",
#: "explained me", "dem". By far not all of it, and nobody's origin.
_SECOND = [
    r"(?<!did )(?<!does )(?<!do )(?<!can )(?<!could )(?<!would )(?<!will )(?<!should )(?<!made )"
    r"(?<!make )(?<!let )(?<!help )(?<!see )(?<!saw )(?<!hear )(?<!had )(?<!that )(?<!may )"
    r"\b(?:he|she|nobody|somebody|everybody) (?:ask|call|come|explain|give|go|have|help|know|like"
    r"|listen|make|need|phone|say|send|speak|take|tell|understand|want|work|write)\b",
    r"\b(?:i|we|they|you|he|she|people) not (?:ask|come|explain|give|go|have|know|like|listen|need"
    r"|say|speak|tell|understand|want)\b",
    r"\bno (?:dey|fit|have time|know who|understand|speak)\b",
    r"(?:^|[.!?,:] )is (?:nice|good|bad|very|too|not|for|big|same|my|only|problem)\b",
    r"\b(?:dem|dey|wey|wetin|abeg|una)\b",
    r"\bexplain(?:ed)? me\b|\bsaid? me\b|\bmust to\b|\b(?:informations|advices)\b",
    r"\bdidn't (?!need|feed|heed|speed|bleed)\w+ed\b",
    r"\b(?:i am|i'm) (?:translator|cleaner|nurse|driver|carer|teacher)\b",
]
_SLANG = [
    r"\b(?:innit|cos|coz|bcs|idk|tbh|tbf|ngl|lol|lmao|wiv|dunno|gonna|wanna|gotta|nowt|owt|summat"
    r"|yeh|yh|nah|bruv|soz|defo|deffo|literally|thx|pls|ppl|wat|wot|omg|wtf|smh|fr fr|reet|bloody"
    r"|flipping|skint|peng|bare|mates|naw|aye|wee|lass|lassies|nae|dinnae|canny)\b",
    r"\b(?:ur|u|n|w|wi|b4|m8|2day|em)\b(?![’'.-])",
]

_REWRITTEN = {
    SECOND: (
        (r"\b(?:a|an|the) (?=\w)", ""),
        (r"\b(?:did|does|do|is|was|are|were|has|have|had|wo|would|could|ca)n['’]t\b", "not"),
        (r"\b(he|she|it) (ask|come|get|give|go|help|know|listen|make|need|say|take|tell|want"
         r"|work)(?:e?s)\b", r"\1 \2"),
        (r"\b(?:is|are|am|was|were) (?=\w+ing\b)", ""),
        (r"(?<=\w)['’](?:ve|re|m|ll|d)\b", ""),
    ),
    SLANG: (
        (r"\bbecause\b", "cos"), (r"\byour\b", "ur"), (r"\byou\b", "u"), (r"\band\b", "n"),
        (r"\bwith\b", "w"), (r"\bto be honest\b", "tbh"), (r"\bsomething\b", "summat"),
        (r"\bnothing\b", "nowt"), (r"\bplease\b", "pls"), (r"\bbefore\b", "b4"),
        (r"\bgoing to\b", "gonna"), (r"\bwhat\b", "wat"), (r"\bthough\b", "tho"),
        (r"['’]", ""), (r"\.(?=\s|$)", ""),
    ),
}  # fmt: skip

LENGTHS = ("up to 30 characters", "31 to 80", "more than 80")
QUESTIONS = ("yes or no", "what", "how", "who, where, when", "why", "a topic, or none known")

_FIRST = {
    "what": "what", "which": "what", "whats": "what",
    "how": "how", "who": "who, where, when", "whose": "who, where, when",
    "where": "who, where, when", "when": "who, where, when", "why": "why",
}  # fmt: skip
# fmt: off
_YES_NO = frozenset((
    "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can", "could",
    "would", "will", "should", "may", "might", "am",
))
_COMMON = frozenset((
    "what", "when", "where", "which", "that", "this", "they", "their", "them", "there", "then",
    "than", "with", "without", "from", "into", "have", "does", "being", "been", "whether",
    "work", "others", "other", "know", "like", "help", "used", "beyond", "ordinary",
))
# fmt: on
_WORD = re.compile(r"[a-z]{4,}")


def register_of(text: str) -> str:
    """Tell the register of an answer by marks in its words; ``PLAIN`` where there are none."""
    lower = text.lower().replace("’", "'")
    for register, marks in ((SECOND, _SECOND), (SLANG, _SLANG)):
        if any(re.search(mark, lower) for mark in marks):
            return register
    return PLAIN


def rewritten(text: str, register: str) -> str:
    """Give a text as somebody might write it in a register; in ``PLAIN`` as it is.

    The rules change how it is said, and not what: articles, endings and auxiliaries go, or words
    are cut short as on a phone.
    """
    for mark, instead in _REWRITTEN.get(register, ()):
        text = re.sub(mark, instead, text, flags=re.IGNORECASE)
    text = re.sub(r" {2,}", " ", text).strip()
    return text.lower() if register == SLANG else text


def length_of(text: str) -> str:
    """Tell how long an answer is."""
    return LENGTHS[(len(text) > 30) + (len(text) > 80)]


def question_of(answer: CodedAnswer) -> str:
    """Tell what kind of question an answer answers, by its last sentence's first word."""
    asked = [part for part in re.split(r"[.!?:]\s*", (answer.question or "").lower()) if part]
    first = re.match(r"[a-z]+", asked[-1].strip("“\"'")) if asked else None
    word = first.group() if first else ""
    if word in _YES_NO:
        return QUESTIONS[0]
    return _FIRST.get(word, QUESTIONS[-1])


def cue_words(code: Code, language: str = "en") -> Callable[[str], bool]:
    """Give what tells whether a text holds a word of a code's name or definition.

    Words count by their first five letters, and common ones do not.
    """
    told = f"{_said(code.name, language)} {_said(code.definition, language)}".lower()
    stems = tuple({word[:5] for word in _WORD.findall(told) if word not in _COMMON})

    def holds(text: str) -> bool:
        return any(word.startswith(stems) for word in _WORD.findall(text.lower()))

    return holds


def _said(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or next(iter(words.values()), "")
