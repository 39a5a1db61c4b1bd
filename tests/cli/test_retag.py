"""pulse tag --retag: a new model reads what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from contextvars import copy_context
from pathlib import Path

import pytest

from bot.__main__ import main
from dialogues.coding import Coding, Stance
from nlp.model import read_model
from nlp.shipped import FAST_PATH
from storage.open import open_store
from tests.contract.scenes import LATER, answered, consented, go_on, person, rows

WORDS = "Nobody asked us before they closed the library, and we only heard from the paper."
OLD = Coding(
    enabler="trust", stance=Stance.GAP, span_text="Nobody", span_start=0, span_end=6, confidence=0.9
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = copy_context().run(main, ["tag", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def keep(text: str) -> None:
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        ann = person(store)
        consented(store, ann)
        go_on(store, ann, answered("why", text, text=text))
        (answer,) = store.untagged("m@1", limit=9)
        store.save_codings(answer, [OLD], coding_ids=["c"], coder="m@1", at=LATER, error=None)


def kept() -> list[dict[str, object]]:
    with closing(open_store("sqlite:///pulse.db")) as store:
        return rows(store, "codings")


def test_a_new_model_adds_its_tags(run: Run) -> None:
    keep(WORDS)
    before = kept()
    version = read_model(FAST_PATH).version
    status, out, _ = run("--retag", "--model", "fast")
    assert status == 0
    assert out.startswith(f"{version} read 1 answer and gave ")
    assert 'model = "fast"' in out
    added = [row for row in kept() if row["coder"] == version]
    assert added != []
    assert [row for row in kept() if row["coder"] == "m@1"] == before
    everything = kept()
    status, out, _ = run("--retag", "--model", "fast")
    assert (status, out.splitlines()[0]) == (0, f"{version} has read every answer already.")
    assert kept() == everything


def test_the_configured_model_reads_where_none_is_named(run: Run) -> None:
    Path("config.toml").write_text('[tagger]\nmodel = "fast"\n')
    keep(WORDS)
    status, out, _ = run("--retag", "--json")
    assert status == 0
    said = json.loads(out)
    assert (said["version"], said["n_read"]) == (read_model(FAST_PATH).version, 1)
    assert said["n_tags"] == len(kept()) - 1


def test_what_is_no_model_is_said_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    keep(WORDS)
    status, out, err = run("--retag", "--model", str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert "no model here" in err
    assert len(kept()) == 1


@pytest.mark.parametrize("other", [["words"], ["--jsonl"], ["--untagged"], ["-q", "Why?"]])
def test_it_takes_no_words(run: Run, other: list[str]) -> None:
    status, _, err = run("--retag", *other)
    assert status == 2
    assert "--retag reads what is kept" in err
