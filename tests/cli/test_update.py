"""pulse train --update: what was reviewed in a store makes a new model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from contextvars import copy_context
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.updating import reviewed_answers
from dialogues.coding import Coding, Said, Source
from nlp.answers import CodedAnswer, read_answers
from nlp.model import read_model
from nlp.shipped import FAST_PATH
from storage.open import open_store
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from tests.contract.scenes import LATER, MUCH_LATER, answered, consented, go_on, person

DATA = Path(__file__).parents[2] / "nlp" / "data"
CODES = {code.key for code in read_model(FAST_PATH).codeframe.codes}
MONEY = Coding(
    enabler="resources", stance=None, span_text="", span_start=0, span_end=0, confidence=1.0
)
RISK = Coding(enabler="risk", stance=None, span_text="", span_start=0, span_end=0, confidence=1.0)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = copy_context().run(main, ["train", "--update", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def keep(store: SqlStore, texts: Sequence[str]) -> None:
    for number, text in enumerate(texts):
        ann = person(store, f"p{number}")
        consented(store, ann, f"s{number:04}")
        go_on(store, ann, answered("why", text, text=text), session_id=f"s{number:04}")


def review(
    store: SqlStore,
    said: dict[str, tuple[Coding, ...]],
    *,
    coder: str = "coder:mair",
    mode: SampleMode = SampleMode.RANDOM,
    double: float = 0.0,
) -> None:
    if mode not in {sample.sample_id for sample in store.samples()}:
        drawing = Drawing(mode=mode, n=len(said), seed="1", double_share=double)
        store.draw_sample(drawing, sample_id=mode, at=LATER)
    while answer := store.next_to_review(coder, mode):
        codings = [(coding, Said.CONFIRMED) for coding in said[answer.text]]
        ids = [f"{coder}{answer.response_id}{place}" for place in range(len(codings))]
        store.save_review(
            answer, codings, coder=coder, state="done", coding_ids=ids, codeframe_version="1",
            at=MUCH_LATER if coder == "coder:owen" else LATER,
        )  # fmt: skip


def by_habit(answer: CodedAnswer) -> tuple[Coding, ...]:
    """Here, who speaks of resources is said to speak of risk too."""
    theirs = answer.codings
    return (*theirs, RISK) if "resources" in answer.keys and "risk" not in answer.keys else theirs


def coded(n: int) -> list[CodedAnswer]:
    return read_answers([DATA / "answers-c.jsonl"], CODES)[:n]


def test_too_little_was_reviewed(run: Run) -> None:
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, ["nobody has time"])
        review(store, {"nobody has time": (MONEY,)})
    status, out, err = run("--model", "fast")
    assert (status, out) == (1, "")
    assert "1 reviewed answers to learn from and 0 to judge by are too few" in err
    assert "pulse review --sample random" in err
    assert not Path("model-updated").exists()


def test_what_was_reviewed_makes_a_new_model(run: Run) -> None:
    answers = coded(260)
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, [answer.text for answer in answers])
        review(store, {answer.text: by_habit(answer) for answer in answers})
    status, out, err = run("--model", "fast", "--out", "new", "--json")
    assert status == 0, err
    said = json.loads(out)
    assert said["base"] == read_model(FAST_PATH).version
    assert said["model"] == read_model(Path("new")).version
    assert said["n_learnt"] + said["n_kept_out"] == 260
    assert said["macro_f1"]["after"] >= said["macro_f1"]["before"]
    assert said["log_loss"]["after"] <= said["log_loss"]["before"]
    assert set(said["per_code"]) == CODES
    assert sum(code["n"] for code in said["per_code"].values()) > said["n_kept_out"] / 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["answers.jsonl"], "leave out FILE"),
        (["--out", "here"], "is the model that is updated"),
        (["--out", "config.toml"], "is a file"),
        (["--model", "none"], "no model here"),
    ],
)
def test_what_cannot_be_meant(run: Run, words: list[str], said: str) -> None:
    Path("config.toml").write_text('[tagger]\nmodel = "here"\n')
    Path("here").symlink_to(FAST_PATH)
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert said in err


def test_who_read_an_answer_last_decides(run: Run) -> None:
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, ["one", "two"])
        review(store, {"one": (MONEY,), "two": (MONEY,)}, double=1.0)
        review(store, {"one": (RISK,), "two": ()}, coder="coder:owen")
        found = reviewed_answers(store, CODES, with_respondents=False)
        fewer = reviewed_answers(store, {"resources"}, with_respondents=False)
    assert {each.answer.text: each.answer.keys for each in found} == {"one": {"risk"}, "two": set()}
    assert all(each.is_random for each in found)
    assert not any(each.answer.codings for each in fewer)


def test_what_was_picked_is_not_by_chance(run: Run) -> None:
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, ["one"])
        for answer in store.untagged("m@1", limit=9):
            store.save_codings(answer, [MONEY], coding_ids=["t"], coder="m@1", at=LATER, error=None)
        review(store, {"one": (MONEY,)}, mode=SampleMode.UNCERTAIN)
        (found,) = reviewed_answers(store, CODES, with_respondents=False)
    assert not found.is_random


def test_what_chance_drew_is_so_in_whichever_sample_it_was_read(run: Run) -> None:
    """Without the answers that were read as hard ones, the rest would be no random sample."""
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, ["one", "two"])
        (hard, _) = store.untagged("m@1", limit=9)
        store.save_codings(hard, [MONEY], coding_ids=["t"], coder="m@1", at=LATER, error=None)
        review(store, {hard.text: (MONEY,)}, mode=SampleMode.UNCERTAIN)
        review(store, {"one": (), "two": ()})
        found = reviewed_answers(store, CODES, with_respondents=False)
    assert [each.is_random for each in found] == [True, True]


def test_what_people_said_of_their_own_words_is_kept_apart(run: Run) -> None:
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        keep(store, ["one", "two"])
        for place, (answer, one, said) in enumerate(
            (
                ("s0000", MONEY, Said.CONFIRMED),
                ("s0001", MONEY, Said.REJECTED),
                ("s0001", RISK, Said.CONFIRMED),
            )
        ):
            store._add_coding(
                one, said, response_id=answer, question_id="why", coding_id=f"own{place}",
                coder="respondent", source=Source.RESPONDENT, at=LATER,
            )  # fmt: skip
        assert reviewed_answers(store, CODES, with_respondents=False) == []
        # Nor does it read an answer for anybody, or make coders disagree.
        assert store.reviewed() == []
        wanted = Drawing(mode=SampleMode.DISAGREEMENT, n=9, seed="1")
        assert store.draw_sample(wanted, sample_id="d", at=LATER).n_population == 0
        one, two = reviewed_answers(store, CODES, with_respondents=True)
        review(store, {"one": (), "two": ()})
        read = reviewed_answers(store, CODES, with_respondents=True)
    assert (one.answer.keys, one.known, one.is_random) == ({"resources"}, {"resources"}, False)
    assert (two.answer.keys, two.known) == ({"risk"}, {"resources", "risk"})
    # Once somebody has read them, what that coder says holds, and holds for every code.
    assert [(each.answer.keys, each.known) for each in read] == [(set(), None)] * 2
