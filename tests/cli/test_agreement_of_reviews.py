"""pulse agreement on what coders reviewed: coder, tagger and respondent of the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from dialogues.coding import Coding, Said, Source, Stance, coder_id
from nlp.languages import NOT_TAGGED
from storage.open import open_store
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from tests.contract.scenes import AT, LATER, answered, consented, go_on, person

Run = Callable[..., tuple[int, str, str]]

TEXT = "nobody asks and nobody pays"


def coding(enabler: str, stance: Stance = Stance.GAP) -> Coding:
    return Coding(
        enabler=enabler, stance=stance, span_text=TEXT[:6], span_start=0, span_end=6,
        confidence=1.0,
    )  # fmt: skip


RISK, MONEY = coding("risk"), coding("resources")


class Team:
    """Answers of four people, a tagger that read three of them, and who reviewed them."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        for number in range(4):
            session_id = f"s{number}"
            someone = person(store, f"p{number}")
            consented(store, someone, session_id)
            go_on(store, someone, answered("why", TEXT, text=TEXT), session_id=session_id)
        for answer in store.untagged("m@1", limit=9):
            foreign = answer.response_id == "s3"
            store.save_codings(
                answer,
                [] if foreign else [RISK],
                coding_ids=[] if foreign else [answer.response_id],
                coder="m@1",
                at=AT,
                error=NOT_TAGGED if foreign else None,
            )
        self.draw("x")

    def draw(self, sample_id: str, n: int = 9, *, double: float = 1.0) -> None:
        drawing = Drawing(mode=SampleMode.RANDOM, n=n, seed="seed", double_share=double)
        self.store.draw_sample(drawing, sample_id=sample_id, at=AT)

    def reviews(self, name: str, said: dict[str, Sequence[Coding]], *, seen: bool = False) -> None:
        coder = coder_id(name)
        while (one := self.store.next_to_review(coder, "x")) is not None:
            given = said.get(one.response_id)
            number = self.store.last_number(coder)
            assert self.store.save_review(
                one,
                [(each, Said.CONFIRMED) for each in given or ()],
                coder=coder,
                state="skipped" if given is None else "done",
                coding_ids=[f"{coder}-{number}-{n}" for n in range(len(given or ()))],
                codeframe_version="1",
                at=LATER,
            )
        if seen:
            self.store._driver.run(
                "update reviews set blind = 0 where coder = :coder", {"coder": coder}
            )

    def says(self, answer_id: str, one: Coding, said: Said) -> None:
        """Let somebody speak of a tag of their own words."""
        self.store._add_coding(
            one, said, response_id=answer_id, question_id="why",
            coding_id=f"own-{answer_id}-{one.enabler}", coder="respondent",
            source=Source.RESPONDENT, at=LATER,
        )  # fmt: skip


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with closing(open_store("sqlite:///pulse.db")) as store:
        with store.transaction():
            made = Team(store)
            made.reviews("ada", {"s0": [RISK], "s1": [RISK, MONEY], "s2": [], "s3": [RISK]})
            made.reviews("ben", {"s0": [RISK], "s1": [MONEY], "s3": []}, seen=True)
        yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = copy_context().run(main, ["agreement", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def figures(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, err = run(*arguments, "--json")
    assert status == 0, err
    return dict(json.loads(out))


def test_coder_against_coder(team: Team, run: Run) -> None:
    record = figures(run, "--coder", "ada", "--coder", "ben")
    assert (record["first"], record["second"]) == ("ada", "ben")
    # Ben skipped one, which says nothing.
    assert (record["n"], record["first_only"], record["second_only"]) == (3, 1, 0)
    risk = record["per_code"]["risk"]
    assert (risk["n_first"], risk["n_second"], risk["n_both"]) == (3, 1, 1)
    assert [each["id"] for each in record["differences"]] == ["s1/why", "s3/why"]


def test_who_saw_the_tags_agrees_too_much(team: Team, run: Run) -> None:
    status, out, err = run("--coder", "ada", "--coder", "ben")
    assert status == 0
    assert "Warning: 3 of the reviews were made with the tags in view" in err
    assert "3 answers that both coded (1 only the 1st coded)." in out
    status, _, err = run("--coder", "ada", "--coder", "ben", "--blind")
    assert (status, "ada and ben have coded no answer in common" in err) == (2, True)


def test_coder_against_tagger_leaves_out_what_was_not_tagged(team: Team, run: Run) -> None:
    record = figures(run, "--coder", "ada", "--tagger", "--blind")
    assert (record["n"], record["first_only"]) == (3, 1)
    risk = record["per_code"]["risk"]
    assert (risk["n_first"], risk["n_second"], risk["n_both"]) == (2, 3, 2)


def test_respondents_against_tagger(team: Team, run: Run) -> None:
    status, _, err = run("--respondents")
    assert (status, "have coded no answer in common" in err) == (2, True)
    before = figures(run, "--coder", "ada", "--tagger")
    team.says("s0", RISK, Said.CONFIRMED)
    team.says("s1", RISK, Said.REJECTED)
    record = figures(run, "--respondents")
    risk = record["per_code"]["risk"]
    assert (record["n"], risk["n_first"], risk["n_second"], risk["n_both"]) == (2, 1, 2, 1)
    # It is no coder's, so it changes no figure of theirs.
    assert figures(run, "--coder", "ada", "--tagger") == before


def test_respondents_speak_of_what_no_coder_read_and_only_of_what_they_were_shown(
    team: Team, run: Run
) -> None:
    with team.store.transaction():
        someone = person(team.store, "p9")
        consented(team.store, someone, "s9")
        go_on(team.store, someone, answered("why", TEXT, text=TEXT), session_id="s9")
        [answer] = [one for one in team.store.untagged("m@1", limit=9) if one.response_id == "s9"]
        team.store.save_codings(
            answer, [RISK, MONEY], coding_ids=["a", "b"], coder="m@1", at=AT, error=None
        )
    team.says("s9", RISK, Said.CONFIRMED)
    record = figures(run, "--respondents")
    assert (record["n"], record["first_only"], record["second_only"]) == (1, 0, 0)
    assert record["per_code"]["risk"]["n_both"] == 1
    assert record["per_code"]["resources"]["n_second"] == 0
    assert record["differences"] == []


def test_of_one_sample(team: Team, run: Run) -> None:
    team.draw("y", n=2, double=0.0)
    assert figures(run, "--coder", "ada", "--tagger", "--sample", "x")["n"] == 3
    assert figures(run, "--coder", "ada", "--tagger", "--sample", "y")["n"] <= 2


def test_wrong_input_is_said_plainly(team: Team, run: Run) -> None:
    for arguments, says in [
        ([], "Say who is held against whom"),
        (["--tagger"], "Say who is held against whom"),
        (["--coder", "ada"], "Say who is held against whom"),
        (["--coder", "ada", "--coder", "ben", "--tagger"], "Say who is held against whom"),
        (["--respondents", "--tagger"], "Say who is held against whom"),
        (["--respondents", "--sample", "x"], "nobody drew"),
        (["--coder", "ada", "--tagger", "--sample", "z"], "There is no sample z; `pulse review`"),
        (["--respondents", "--blind"], "nobody drew"),
        (
            ["--coder", "ada", "--coder", "eve"],
            "“eve” has reviewed nothing here. Who has: ada, ben",
        ),
        (["--coder", "ada", "--coder", "ada"], "Name two different coders"),
        (["a.jsonl", "b.jsonl", "--blind"], "leave out either them or the options"),
        (["--coder", "ada", "--tagger", "--model", "fast"], "go with files"),
    ]:
        status, _, err = run(*arguments)
        assert status == 2, arguments
        assert says in err, arguments
