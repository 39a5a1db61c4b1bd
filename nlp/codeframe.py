"""Codeframes from TOML files: ours and anybody else's.

What lives here: reading and checking. A mistake is reported with the file, the key and
what was expected. The values are ``dialogues.coding``'s.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from dialogues.coding import Code, Codeframe, Cue, Stance, StanceCues, Strand
from dialogues.errors import TaggerError

__all__ = ["CODEFRAME_PATH", "CodeframeError", "read_codeframe"]

CODEFRAME_PATH = Path(__file__).with_name("codeframe.toml")
"""The twelve enablers in four strands."""

_KEY = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TOP = ("codeframe", "version", "strand", "code", "stance_cues")
_STRAND = ("key", "name")
_CODE = ("key", "strand", "name", "definition", "not_when", "cues")
_STANCE_CUES = ("strength", "gap", "wish", "negation", "joiners")
_ANY = "any"
_PHRASES = 'expected a list of phrases, such as ["too slow", "red tape"]'


class CodeframeError(TaggerError):
    """A codeframe cannot be used; the text names file, key and what was expected."""


class _Reader:
    """Reads one file and knows what to say."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fail(self, key: str, expected: str) -> CodeframeError:
        return CodeframeError(f"{self._path}: {key}: {expected}")

    def known(self, table: Mapping[str, object], keys: tuple[str, ...], at: str) -> None:
        for key in table:
            if key not in keys:
                raise self.fail(f"{at}{key}", f"unknown key; expected {', '.join(keys)}")

    def words(
        self, table: Mapping[str, object], key: str, at: str, *, needed: bool
    ) -> Mapping[str, str]:
        value = table.get(key)
        expected = 'expected a text or a table of languages, such as { en = "..." }'
        if value is None:
            if needed:
                raise self.fail(f"{at}{key}", f"is missing; {expected}")
            return {}
        if isinstance(value, str):
            value = {"en": value}
        if not isinstance(value, dict) or not value:
            raise self.fail(f"{at}{key}", expected)
        for language, text in value.items():
            if not _LANGUAGE.fullmatch(language) or not isinstance(text, str) or not text.strip():
                raise self.fail(f"{at}{key}.{language}", expected)
        return value

    def key(self, table: Mapping[str, object], at: str) -> str:
        value = table.get("key")
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise self.fail(f"{at}key", f"is {value!r}; expected a-z, 0-9 and _")
        return value

    def text(self, table: Mapping[str, object], key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, f'expected a text, such as {key} = "1"')
        return value

    def phrases(self, value: object, at: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.fail(at, _PHRASES)
        for phrase in value:
            if not isinstance(phrase, str) or not any(map(str.isalnum, phrase)):
                raise self.fail(at, f"{phrase!r} is no phrase; {_PHRASES}")
        return tuple(value)

    def languages(self, table: Mapping[str, object], key: str, at: str) -> Mapping[str, object]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(
                f"{at}{key}", 'expected a table of languages, such as { cy = ["araf"] }'
            )
        for language in value:
            if not _LANGUAGE.fullmatch(language):
                raise self.fail(f"{at}{key}.{language}", "expected a language, such as cy")
        return value

    def cues(self, table: Mapping[str, object], at: str) -> dict[str, tuple[Cue, ...]]:
        found: dict[str, tuple[Cue, ...]] = {}
        for language, value in self.languages(table, "cues", at).items():
            where = f"{at}cues.{language}"
            by_stance = value if isinstance(value, dict) else {_ANY: value}
            self.known(by_stance, (_ANY, *Stance), f"{where}.")
            found[language] = tuple(
                Cue(phrase=phrase, stance=None if stance == _ANY else Stance(stance))
                for stance, listed in by_stance.items()
                for phrase in self.phrases(listed, f"{where}.{stance}")
            )
        return found

    def stance_cues(self, table: Mapping[str, object]) -> dict[str, StanceCues]:
        found: dict[str, StanceCues] = {}
        for language, value in self.languages(table, "stance_cues", "").items():
            at = f"stance_cues.{language}"
            if not isinstance(value, dict):
                raise self.fail(at, f"expected a table with {', '.join(_STANCE_CUES)}")
            self.known(value, _STANCE_CUES, f"{at}.")
            found[language] = StanceCues(
                **{key: self.phrases(listed, f"{at}.{key}") for key, listed in value.items()}
            )
        return found

    def tables(self, table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.fail(key, f"expected tables headed [[{key}]]")
        return value


def _once(reader: _Reader, kind: str, keys: list[str]) -> None:
    for number, key in enumerate(keys, start=1):
        if key in keys[: number - 1]:
            raise reader.fail(f"{kind} {number}: key", f"{key!r} is there twice; keys are unique")


def read_codeframe(path: Path = CODEFRAME_PATH) -> Codeframe:
    """Read a codeframe file.

    Args:
        path: A TOML file as in design section 7; the twelve enablers by default.

    Returns:
        The codeframe, codes and strands in file order.

    Raises:
        CodeframeError: The file cannot be read or something in it is not as expected.
    """
    reader = _Reader(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CodeframeError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise CodeframeError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise CodeframeError(f"{path}: not TOML: {error}") from None
    reader.known(raw, _TOP, "")
    strands = []
    for number, table in enumerate(reader.tables(raw, "strand"), start=1):
        at = f"strand {number}: "
        reader.known(table, _STRAND, at)
        name = reader.words(table, "name", at, needed=True)
        strands.append(Strand(key=reader.key(table, at), name=name))
    _once(reader, "strand", [strand.key for strand in strands])
    codes = []
    for number, table in enumerate(reader.tables(raw, "code"), start=1):
        at = f"code {number}: "
        reader.known(table, _CODE, at)
        strand = table.get("strand")
        if strand is not None and strand not in [each.key for each in strands]:
            raise reader.fail(f"{at}strand", f"is {strand!r}; expected the key of a [[strand]]")
        codes.append(
            Code(
                key=reader.key(table, at),
                strand=None if strand is None else str(strand),
                name=reader.words(table, "name", at, needed=True),
                definition=reader.words(table, "definition", at, needed=False),
                not_when=reader.words(table, "not_when", at, needed=False),
                cues=reader.cues(table, at),
            )
        )
    _once(reader, "code", [code.key for code in codes])
    if not codes:
        raise reader.fail("code", "expected at least one table headed [[code]]")
    return Codeframe(
        codeframe_id=reader.text(raw, "codeframe"),
        version=reader.text(raw, "version"),
        strands=tuple(strands),
        codes=tuple(codes),
        stance_cues=reader.stance_cues(raw),
    )
