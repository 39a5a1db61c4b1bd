"""pulse tag --untagged: what no tagger could read, for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from contextvars import copy_context
from pathlib import Path

import pytest

from bot.__main__ import main
from dialogues.effects import Effect
from nlp.languages import NOT_TAGGED
from storage.open import open_store
from tests.contract.scenes import LATER, answered, consented, go_on, person

WELSH = "Doedd neb wedi gofyn i ni"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = copy_context().run(main, ["tag", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def keep(texts: dict[str, tuple[str, str | None]]) -> None:
    """Keep answers by question, each with the error of the model that looked at it."""
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        ann = person(store)
        consented(store, ann)
        said: list[Effect] = [answered(key, text, text=text) for key, (text, _) in texts.items()]
        go_on(store, ann, *said)
        for answer in store.untagged("m@1", limit=9):
            store.save_codings(
                answer, [], coding_ids=[], coder="m@1", at=LATER,
                error=texts[answer.question_id][1],
            )  # fmt: skip


def test_nothing_to_list(run: Run) -> None:
    keep({"why": ("all is well", None)})
    assert run("--untagged") == (
        0, "Every answer could be tagged that a model has looked at.\n", "",
    )  # fmt: skip
    assert run("--untagged", "--json") == (0, "", "")


def test_each_with_its_reason(run: Run) -> None:
    keep({"why": (WELSH, NOT_TAGGED), "more": ("odd\x1b[2J", "the tagger broke on it")})
    status, out, _ = run("--untagged")
    assert status == 0
    assert f"s1/why: not tagged: language (cy)\n  why, as put\n  “{WELSH}”\n" in out
    assert "s1/more: the tagger broke on it\n" in out
    assert "\x1b" not in out
    assert out.endswith("2 answers could not be tagged, and are for people to read.\n")
    records = [json.loads(line) for line in run("--untagged", "--json")[1].splitlines()]
    assert records[0] == {
        "id": "s1/why",
        "question": "why, as put",
        "text": WELSH,
        "error": NOT_TAGGED,
        "language": "cy",
        "model": "m@1",
    }
    assert (records[1]["id"], records[1]["language"]) == ("s1/more", None)


def test_what_still_waits_is_counted(run: Run) -> None:
    keep({"why": ("all is well", None)})
    with closing(open_store("sqlite:///pulse.db")) as store, store.transaction():
        ann = person(store)
        go_on(store, ann, answered("more", "new words", text="new words"))
    assert run("--untagged")[1] == (
        "Every answer could be tagged that a model has looked at. 1 waits for the tagger: "
        "`pulse run` reads it.\n"
    )


def test_it_takes_no_text(run: Run) -> None:
    status, _, err = run("hello", "--untagged")
    assert status == 2
    assert "it takes nothing but --json" in err


def test_it_writes_no_page(run: Run) -> None:
    assert run("--untagged", "--html", "page.html")[0] == 2


def test_an_answer_goes_to_the_configured_model(run: Run) -> None:
    Path("config.toml").write_text('[tagger]\nmodel = "fast"\n')
    versions = {
        json.loads(run("nobody asked us", "--json", *model)[1])["model"]
        for model in ([], ["--model", "fast"])
    }
    assert len(versions) == 1


def test_an_answer_in_another_language_says_so(run: Run) -> None:
    status, out, err = run("Nikt nas nie zapytał przed zamknięciem biblioteki")
    assert (status, out) == (1, "")
    assert "seems to be in another language (pl) than the model knows (en)" in err
