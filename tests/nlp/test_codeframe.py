"""Codeframes: ours says what the manual says, and every mistake is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialogues.coding import Cue, Stance
from nlp.codeframe import CodeframeError, read_codeframe
from nlp.model import read_model

MANUAL = Path(__file__).parents[2] / "docs" / "coding-manual.md"
LEAST = 'codeframe = "tea"\nversion = "1"\n[[code]]\nkey = "hot"\nname = "Hot"\n'


def test_ours_has_the_manuals_keys_in_the_manuals_strands() -> None:
    strands: list[str] = []
    expected: list[tuple[str, str]] = []
    for line in MANUAL.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\w+):", line):
            strands.append(heading.group(1).lower())
        elif strands and (row := re.match(r"\| `(\w+)` \|", line)):
            expected.append((row.group(1), strands[-1]))
    frame = read_codeframe()
    assert len(expected) == 12
    assert [(code.key, code.strand) for code in frame.codes] == expected
    assert [strand.key for strand in frame.strands] == list(dict.fromkeys(s for _, s in expected))


def test_ours_is_whole_in_both_languages() -> None:
    frame = read_codeframe()
    for named in (*frame.strands, *frame.codes):
        assert set(named.name) == {"en", "cy"}, named.key
    for code in frame.codes:
        assert set(code.definition) == {"en", "cy"}, code.key
        assert set(code.not_when) in ({"en", "cy"}, set()), code.key


def test_cue_phrases_are_read_with_their_stances(tmp_path: Path) -> None:
    path = tmp_path / "tea.toml"
    path.write_text(
        'stance_cues = { cy = { negation = ["dim"] } }\n'
        + LEAST
        + 'cues = { cy = { any = ["te"], gap = ["te oer", "oer"] }, fr = ["thé"] }\n'
    )
    frame = read_codeframe(path)
    assert frame.cue_languages == ("cy", "fr")
    assert frame.stance_cues["cy"].negation == ("dim",)
    assert frame.code("hot").cues == {
        "cy": (
            Cue(phrase="te", stance=None),
            Cue(phrase="te oer", stance=Stance.GAP),
            Cue(phrase="oer", stance=Stance.GAP),
        ),
        "fr": (Cue(phrase="thé", stance=None),),
    }


def test_ours_has_phrases_for_every_code_in_welsh() -> None:
    frame = read_codeframe()
    assert all(len(code.cues["cy"]) >= 10 for code in frame.codes)
    assert frame.stance_cues["cy"].negation


def test_a_codeframe_needs_no_strands_and_takes_plain_text_as_english(tmp_path: Path) -> None:
    path = tmp_path / "tea.toml"
    path.write_text(LEAST)
    frame = read_codeframe(path)
    assert frame.codeframe_id == "tea"
    assert frame.strands == ()
    assert frame.code("hot").strand is None
    assert frame.code("hot").name == {"en": "Hot"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("codeframe = ", "not TOML"),
        ('codeframe = "x"\nversion = "1"\n', "code: expected at least one table headed [[code]]"),
        (LEAST.replace('version = "1"', "version = 1"), "version: expected a text, such as"),
        (LEAST.replace('"hot"', '"Hot tea"'), "code 1: key: is 'Hot tea'; expected a-z, 0-9 and _"),
        (LEAST.replace('name = "Hot"', ""), "code 1: name: is missing; expected a text or a table"),
        (LEAST.replace('"Hot"', "{ en = 3 }"), "code 1: name.en: expected a text or a table"),
        (LEAST + 'strand = "x"\n', "code 1: strand: is 'x'; expected the key of a [[strand]]"),
        (LEAST + 'colour = "red"\n', "code 1: colour: unknown key; expected key, strand, name"),
        (LEAST + '[[code]]\nkey = "hot"\nname = "H"\n', "code 2: key: 'hot' is there twice"),
        (LEAST + 'cues = "hot"\n', "code 1: cues: expected a table of languages"),
        (LEAST + 'cues = { Welsh = ["a"] }\n', "code 1: cues.Welsh: expected a language"),
        (LEAST + "cues = { cy = [] }\n", "code 1: cues.cy.any: expected a list of phrases"),
        (LEAST + 'cues = { cy = ["..."] }\n', "code 1: cues.cy.any: '...' is no phrase"),
        (LEAST + 'cues = { cy = { bad = ["a"] } }\n', "code 1: cues.cy.bad: unknown key"),
        ("stance_cues = 3\n" + LEAST, "stance_cues: expected a table of languages"),
        ('stance_cues = { cy = ["a"] }\n' + LEAST, "stance_cues.cy: expected a table with"),
        ('stance_cues = { cy = { gap = "a" } }\n' + LEAST, "stance_cues.cy.gap: expected a list"),
        ("code = 3\n" + LEAST.split("[[")[0], "code: expected tables headed [[code]]"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "frame.toml"
    path.write_text(text)
    with pytest.raises(CodeframeError) as caught:
        read_codeframe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodeframeError, match="cannot be read"):
        read_codeframe(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(CodeframeError, match="not UTF-8 at byte 0"):
        read_codeframe(tmp_path / "bytes.toml")


def test_the_shipped_model_has_the_shipped_codeframe() -> None:
    assert read_model().codeframe == read_codeframe()
