"""Coded answers: JSONL lines that people coded, read and checked.

What lives here: the file format that ``pulse train`` and ``pulse evaluate`` read. What
must not: models. Our own coded answers are in ``nlp/data``; other people's may lack
``question``, ``stance`` and ``evidence``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogues.coding import Coding, Stance
from dialogues.errors import TaggerError

__all__ = ["AnswersError", "CodedAnswer", "read_answers"]


_HALF = re.compile("[\ud800-\udfff]")


class AnswersError(TaggerError):
    """A file of coded answers cannot be used; the text names the file and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedAnswer:
    """One answer with the codes that a person gave it.

    Attributes:
        answer_id: As in the file; ``FILE:LINE`` where the line has none.
        text: As in the file, half characters replaced, as where answers are kept.
        question: None where the line has none.
        codings: In file order, unique per enabler and stance; a coding without stance
            or evidence has ``stance`` None or an empty span.
        role: Who answered, such as ``citizen``; None where the line does not say.
        channel: Where, such as ``slack``; None likewise.
    """

    answer_id: str
    text: str
    question: str | None
    codings: tuple[Coding, ...]
    role: str | None = None
    channel: str | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The codes that the answer carries."""
        return frozenset(coding.enabler for coding in self.codings)


def _coding(raw: object, text: str, keys: frozenset[str], where: str) -> Coding:
    if isinstance(raw, str):
        raw = {"enabler": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("enabler"), str):
        raise AnswersError(f'{where}: a code is an object with "enabler", such as '
                           '{"enabler": "risk"}')  # fmt: skip
    key = raw["enabler"]
    if key not in keys:
        raise AnswersError(f"{where}: the codeframe has no code {key!r}")
    stance = raw.get("stance")
    if stance is not None and stance not in list(Stance):
        raise AnswersError(
            f"{where}: stance is {stance!r}; expected one of {', '.join(Stance)}, or no stance"
        )
    evidence = _whole(raw.get("evidence") or "")
    if not isinstance(evidence, str) or evidence not in text:
        raise AnswersError(f"{where}: the evidence of {key!r} is not in the text word for word")
    start = text.index(evidence) if evidence else 0
    given = raw.get("start")
    if isinstance(given, int) and evidence and text[given : given + len(evidence)] == evidence:
        start = given
    return Coding(
        enabler=key,
        stance=None if stance is None else Stance(stance),
        span_text=evidence,
        span_start=start,
        span_end=start + len(evidence),
        confidence=1.0,
    )


def _whole(value: object) -> object:
    """Give a text in which no half of a character is left; anything else as it is."""
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else value


def _text(raw: dict[str, object], key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) and value else None


def _answer(line: str, keys: frozenset[str], where: str) -> CodedAnswer:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise AnswersError(f"{where}: not JSON ({error})") from None
    except RecursionError:
        raise AnswersError(f"{where}: not JSON that can be read (too deep)") from None
    text = _whole(raw.get("text")) if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(text, str):
        raise AnswersError(f'{where}: expected an object with "text" and "codes"')
    codes = raw.get("codes")
    if not isinstance(codes, list):
        raise AnswersError(f'{where}: "codes" is missing; an answer without a code has []')
    question = _whole(raw.get("question"))
    if question is not None and not isinstance(question, str):
        raise AnswersError(f'{where}: "question" has to be text')
    unique: dict[tuple[str, Stance | None], Coding] = {}
    for code in codes:
        coding = _coding(code, text, keys, where)
        unique.setdefault((coding.enabler, coding.stance), coding)
    return CodedAnswer(
        answer_id=where if raw.get("id") is None else str(raw["id"]),
        text=text,
        question=question or None,
        codings=tuple(unique.values()),
        role=_text(raw, "role"),
        channel=_text(raw, "channel"),
    )


def read_answers(paths: Sequence[Path], keys: Iterable[str]) -> list[CodedAnswer]:
    """Read files of coded answers.

    Args:
        paths: JSONL files, UTF-8; empty lines are passed over.
        keys: The codes of the codeframe.

    Returns:
        The answers in the order of files and lines.

    Raises:
        AnswersError: A file or line cannot be used; the message names it.
    """
    allowed = frozenset(keys)
    answers: list[CodedAnswer] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except OSError as error:
            raise AnswersError(f"{path}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError as error:
            raise AnswersError(f"{path}: not UTF-8 at byte {error.start}") from None
        answers += [
            _answer(line, allowed, f"{path}:{number}")
            for number, line in enumerate(lines, start=1)
            if line.strip()
        ]
    return answers
