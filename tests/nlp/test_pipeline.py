"""The spaCy pipeline: its components, its settings, what lies on the document."""

from __future__ import annotations

from spacy.language import Language

from nlp.components import CLAUSES, CODER, ENCODER, WORDING
from nlp.load import load_pipeline

GOLDEN = [
    ("commonpulse_clauses", {"spans_key": "clauses"}, CLAUSES),
    ("commonpulse_encoder", {"model": "", "threads": 1}, ENCODER),
    ("commonpulse_wording", {"model": ""}, WORDING),
    ("commonpulse_coder", {"model": "", "clauses_key": "clauses", "spans_key": "codes"}, CODER),
]


def test_the_factories_and_their_default_settings() -> None:
    for name, expected, written in GOLDEN:
        meta = Language.get_factory_meta(name)
        assert expected == written == meta.default_config, name


def test_the_pipeline_is_assembled_from_its_file() -> None:
    nlp = load_pipeline()
    assert nlp.pipe_names == [name for name, _, _ in GOLDEN]
    assert nlp.analyze_pipes()["problems"] == {name: [] for name in nlp.pipe_names}


def test_a_document_carries_its_codes() -> None:
    nlp = load_pipeline()
    doc = nlp.make_doc(
        "They did not ask us before they shut it. The lift was mended within an hour."
    )
    doc._.question = "How are things?"
    group = nlp(doc).spans["codes"]
    assert [clause.text for clause in doc.spans["clauses"]] == [
        "They did not ask us before they shut it",
        "The lift was mended within an hour",
    ]
    found = {span.label_: (span.id_, span.text) for span in group}
    assert found["engagement"] == ("gap", "They did not ask us before they shut it")
    assert found["agility"][0] == "strength"
    assert list(group.attrs["scores"]) == sorted(group.attrs["scores"], reverse=True)
