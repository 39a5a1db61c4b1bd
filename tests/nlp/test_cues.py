"""Codes by cue phrases: the rule, and what it is worth in Welsh."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.coding import Stance
from nlp import adopt as adopting
from nlp.answers import read_answers
from nlp.clauses import Splitter
from nlp.codeframe import read_codeframe
from nlp.cues import CuePipe
from nlp.evaluate import evaluate
from nlp.languages import NOT_TAGGED
from nlp.load import SpacyTagger, load_cues, load_tagger
from nlp.model import ModelError, adopt, read_model
from nlp.shipped import MODEL_PATH
from nlp.tagger import ToTag
from tests.nlp.conftest import Pulse

FRAME = """
codeframe = "tea"
version = "1"
[stance_cues.cy]
strength = ["da"]
gap = ["drwg"]
wish = ["eisiau"]
negation = ["dim", "neb"]
joiners = ["ond"]
[[code]]
key = "drinks"
name = "Drinks"
cues = { cy = ["te", "coffi"], de = ["Tee"] }
[[code]]
key = "wait"
name = "Wait"
[code.cues.cy]
any = ["aros"]
gap = ["aros yn hir", "dim lle"]
strength = ["yn gyflym"]
"""

Given = list[tuple[str, Stance, str, float]]


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tea") / "tea.toml"
    path.write_text(FRAME)
    return path


def coded(frame: Path, text: str, question: str | None = None) -> Given:
    nlp = load_cues(frame, "cy")
    doc = nlp.make_doc(text)
    doc._.question = question
    group = nlp(doc).spans["codes"]
    return [
        (span.label_, Stance(span.id_), span.text, score)
        for span, score in zip(group, group.attrs["scores"], strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("te", "neutral"),
        ("Te da", "strength"),
        ("te drwg", "gap"),
        ("dim te", "gap"),
        ("dim te da", "gap"),
        ("dim te drwg", "strength"),
        ("eisiau te da", "gap"),
        ("mae'r te'n dda ond dim lle", "neutral"),
        ("coffi drwg ond te", "gap"),
        ("te. Dim lle", "neutral"),
        ("te da a drwg", "neutral"),
    ],
)
def test_the_stance_is_told_by_the_words_of_the_clause(frame: Path, text: str, stance: str) -> None:
    given = {key: said for key, said, *_ in coded(frame, text)}
    assert given["drinks"] == stance


def test_without_such_words_the_question_tells_it(frame: Path) -> None:
    assert [each[1] for each in coded(frame, "te", "Beth sy'n ddrwg, yn drwg?")] == ["gap"]
    assert [each[1] for each in coded(frame, "te", "Beth sy'n da?")] == ["strength"]
    assert [each[1] for each in coded(frame, "te drwg", "Beth sy'n da?")] == ["gap"]
    assert [each[1] for each in coded(frame, "te", "Pam?")] == ["neutral"]


def test_a_phrase_that_says_it_itself_is_turned_by_a_negation_outside_of_it(frame: Path) -> None:
    said = {text: [each[1] for each in coded(frame, text)] for text in (
        "yn gyflym", "neb yn gyflym", "dim lle", "dim lle dim mwy", "eisiau: yn gyflym",
    )}  # fmt: skip
    assert said == {
        "yn gyflym": ["strength"],
        "neb yn gyflym": ["gap"],
        "dim lle": ["gap"],
        "dim lle dim mwy": ["gap"],
        "eisiau: yn gyflym": ["strength"],
    }


def test_the_longest_phrase_is_the_evidence_and_each_further_one_makes_it_surer(
    frame: Path,
) -> None:
    assert coded(frame, "Aros yn hir, aros yn hir") == [("wait", Stance.GAP, "Aros yn hir", 0.5)]
    assert coded(frame, "te a choffi, TE") == [("drinks", Stance.NEUTRAL, "te", 0.5)]
    assert coded(frame, "te, coffi") == [("drinks", Stance.NEUTRAL, "coffi", 0.75)]


def test_praise_and_blame_of_one_code_are_two_codings_and_neutral_is_none_beside_them(
    frame: Path,
) -> None:
    assert coded(frame, "te da ond coffi drwg, te") == [
        ("drinks", Stance.STRENGTH, "te", 0.5),
        ("drinks", Stance.GAP, "coffi", 0.5),
    ]


def test_apostrophes_of_either_kind_and_any_case(frame: Path) -> None:
    for text in ("TE'R bore", "te’r bore", "a'r te"):
        assert [each[0] for each in coded(frame, text)] == ["drinks"]
    assert coded(frame, "steil") == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="te dacofimrwgnbl.,'’\n", max_size=60))
def test_no_text_raises_and_evidence_is_of_the_text(text: str) -> None:
    doc = PIPE(Splitter(PIPE_VOCAB, elided=True)(text))
    assert doc.text == text
    group = doc.spans["codes"]
    scores = group.attrs["scores"]
    assert scores == sorted(scores, reverse=True)
    assert len({(span.label_, span.id_) for span in group}) == len(group)
    assert all(span.text for span in group)


PIPE_VOCAB = spacy.blank("xx").vocab
PIPE = CuePipe(PIPE_VOCAB, read_codeframe(), "cy")


def test_a_long_text_is_read_in_time_that_grows_with_it(frame: Path) -> None:
    assert coded(frame, "te da. " * 20_000)[0][0] == "drinks"


def test_welsh_is_tagged_by_phrases_and_says_so(tagger: SpacyTagger) -> None:
    (tagged,) = tagger.tag([ToTag(text="Doedd neb wedi gofyn i ni cyn cau'r llyfrgell")])
    assert tagged.pipeline == "cues-cy"
    assert [(c.enabler, c.stance, c.span_text) for c in tagged.codings] == [
        ("engagement", Stance.GAP, "gofyn i ni")
    ]
    none, english, polish = tagger.tag([
        ToTag(text="Mae hi'n bwrw glaw heddiw eto"),
        ToTag(text="They never asked us before they closed the library", language="cy"),
        ToTag(text="Nikt nas nie zapytał o zdanie"),
    ])  # fmt: skip
    assert (none.codings, none.pipeline, none.error) == ((), "cues-cy", None)
    assert english.pipeline is None
    assert "engagement" in [coding.enabler for coding in english.codings]
    assert (polish.pipeline, polish.error) == (None, NOT_TAGGED)


def test_what_the_welsh_phrases_are_worth(tagger: SpacyTagger) -> None:
    """Forty-eight translations of answers in nlp/data, and thirty plain comments; measured:
    precision 0.91, recall 0.59, stance 0.90.
    """
    codes = [code.key for code in tagger.codeframe.codes]
    answers = read_answers([Path(__file__).with_name("welsh.jsonl")], codes)
    tagged = tagger.tag([ToTag(text=a.text, question=a.question, language="cy") for a in answers])
    assert {each.pipeline for each in tagged} == {"cues-cy"}
    result = evaluate(answers, tagged, codes)
    scores = result.per_code.values()
    right = sum(
        len(answer.keys & {coding.enabler for coding in each.codings})
        for answer, each in zip(answers, tagged, strict=True)
    )
    assert right / sum(score.given for score in scores) > 0.85
    assert right / sum(score.n for score in scores) > 0.5
    assert result.stance_accuracy is not None
    assert result.stance_accuracy > 0.8


def test_every_phrase_of_ours_is_found_as_it_stands() -> None:
    """A phrase that its own tokenizer cuts otherwise would never be."""
    frame = read_codeframe()
    for code in frame.codes:
        for cue in code.cues["cy"]:
            doc = PIPE(Splitter(PIPE_VOCAB, elided=True)(f"x {cue.phrase} x"))
            assert code.key in [span.label_ for span in doc.spans["codes"]], cue


def test_a_language_that_nobody_tells_apart_is_read_where_it_was_chosen(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(MODEL_PATH, model)
    frame = tmp_path / "frame.toml"
    ours = (MODEL_PATH / "codeframe.toml").read_text()
    frame.write_text(ours.replace("[code.cues.cy]", "[code.cues.gv]", 1))
    version = adopting.main([str(frame), str(model)])
    assert version == [read_model(model).version]
    assert version != [read_model().version]
    tagger = load_tagger(model)
    assert tagger.version == version[0]
    (manx,) = tagger.tag([ToTag(text="yn gwrando", language="gv")])
    assert (manx.pipeline, [c.enabler for c in manx.codings]) == ("cues-gv", ["insight"])


def test_other_codes_need_another_model(frame: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(MODEL_PATH, model)
    with pytest.raises(ModelError, match="has other codes than"):
        adopt(model, frame)
    assert read_model(model).version == read_model().version


def test_the_command_names_the_pipeline(pulse: Pulse) -> None:
    record = json.loads(pulse("tag", "arian", "--language", "cy", "--json").stdout)
    assert record["model"].endswith("+cues-cy")
    assert record["model"].startswith("commonpulse@")
    assert "+cues-cy" in pulse("tag", "arian", "--language", "cy").stdout
