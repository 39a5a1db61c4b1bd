"""Tagging off the reply path: what is unread is read, whatever the tagger's process does."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import coding as module
from bot.coding import Coder
from tests.bot.place import Place

#: Speaks as the tagger's process does. "die" breaks it, "refuse" is an answer it cannot tag.
STUB = """
import json, os, sys, time
print(json.dumps({"version": "stub@1"}), flush=True)
for line in sys.stdin:
    texts = [item["text"] for item in json.loads(line)]
    with open(sys.argv[1], "a") as log:
        log.write(json.dumps(texts) + "\\n")
    if any("die" in text for text in texts):
        os._exit(3)
    if any("hang" in text for text in texts):
        time.sleep(600)
    code = {"enabler": "shared_goals", "stance": "gap", "span_text": "", "span_start": 0,
            "span_end": 2, "confidence": 0.5}
    print(json.dumps([
        {"codings": [], "error": "cannot"} if "refuse" in text
        else {"codings": [code | {"span_text": text[:2]}], "error": None}
        for text in texts
    ]), flush=True)
"""


@pytest.fixture
def stub(tmp_path: Path) -> list[str]:
    script = tmp_path / "stub.py"
    script.write_text(STUB)
    return [sys.executable, str(script), str(tmp_path / "batches")]


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.02)


@asynccontextmanager
async def coding(place: Place, command: list[str]) -> AsyncIterator[Coder]:
    coder = Coder(place.writer, model=None, now=place.clock, new_id=place.new_id, command=command)
    task = asyncio.create_task(coder.run())
    try:
        yield coder
    finally:
        await coder.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def say(place: Place, name: str, words: str) -> None:
    place.join(name)
    place.answer(name, "/start", "yes", "yes", words)


def codes(place: Place) -> dict[str, str | None]:
    rows = place.rows(
        "select a.text, c.span_text from answers a left join codings c"
        " using (response_id, question_id) where a.kind = 'text'"
    )
    return {row["text"]: row["span_text"] for row in rows}


async def test_what_is_unread_is_read(place: Place, stub: list[str]) -> None:
    say(place, "ann", "We meet.")
    async with coding(place, stub):
        await until(lambda: codes(place) == {"We meet.": "We"})
        say(place, "ben", "Nobody asks.")
        await until(lambda: codes(place)["Nobody asks."] == "No")
    (row, _) = place.rows("select * from codings order by span_text desc")
    assert (row["coder"], row["status"], row["stance"]) == ("stub@1", "suggested", "gap")


async def test_other_languages_are_read_by_phrases_or_not_at_all_and_say_so(place: Place) -> None:
    """With the tagger's own process."""
    welsh, polish = "Dim digon o arian na staff", "Nikt nas nie zapytał o zdanie"
    say(place, "ann", welsh)
    say(place, "ben", polish)
    coder = Coder(place.writer, model=None, now=place.clock, new_id=place.new_id)
    task = asyncio.create_task(coder.run())
    async with asyncio.timeout(60):
        while place.rows("select 1 from answers where kind = 'text' and tagged_by is null"):
            await asyncio.sleep(0.05)
    await coder.stop()
    await task
    rows = place.rows("select text, tagged_by, tag_error from answers where kind = 'text'")
    said = {row["text"]: (row["tagged_by"].partition("+")[2], row["tag_error"]) for row in rows}
    assert said == {welsh: ("cues-cy", None), polish: ("", "not tagged: language")}
    (code,) = place.rows("select * from codings")
    assert (code["enabler"], code["stance"]) == ("resources", "gap")
    assert code["coder"].endswith("+cues-cy")
    (read,) = place.rows("select tagged_by from answers where tag_error is null and kind = 'text'")
    assert read["tagged_by"] == code["coder"]


def test_what_reads_answers_is_not_in_the_process_that_replies() -> None:
    code = (
        "import sys, bot.app, bot.cli.running, bot.coding; "
        "print(*sorted({'spacy', 'onnxruntime', 'numpy', 'sklearn'} & set(sys.modules)))"
    )
    root = Path(module.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.split() == []


async def test_nothing_to_read_starts_no_process(place: Place, stub: list[str]) -> None:
    async with coding(place, stub) as coder:
        await asyncio.sleep(0.2)
        assert not coder._process.is_running


async def test_an_answer_that_breaks_the_process_is_set_aside_and_the_rest_go_on(
    place: Place, stub: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for name, words in (("ann", "We meet."), ("ben", "die, said Ben"), ("cat", "refuse me")):
        say(place, name, words)
    async with coding(place, stub):
        await until(
            lambda: (
                not place.rows(
                    "select 1 from answers where tagged_by is null and text <> '' and kind = 'text'"
                )
            )
        )
    assert codes(place) == {"We meet.": "We", "die, said Ben": None, "refuse me": None}
    troubles = place.rows("select text, tag_error from answers where tag_error is not null")
    assert {row["text"] for row in troubles} == {"die, said Ben", "refuse me"}
    assert "said Ben" not in caplog.text


async def test_short_answers_do_not_wait_for_long_ones(
    place: Place, stub: list[str], tmp_path: Path
) -> None:
    """Nor is a batch of long ones taken for stuck; and a long one is not put off for good."""
    long = "We meet and meet. " * 170
    words = {"ann": f"a {long}", "ben": f"b {long}", "cat": "We meet.", "dan": f"d {long}"}
    words["eve"] = "Nobody asks."
    for name, text in words.items():
        say(place, name, text)
    async with coding(place, stub):
        await until(lambda: len(codes(place)) == 5 and None not in codes(place).values())
    batches = [json.loads(line) for line in (tmp_path / "batches").read_text().splitlines()]
    assert batches[0] == ["We meet.", "Nobody asks.", batches[0][2]]
    assert len(batches) == 3
    assert sorted(text for batch in batches for text in batch) == sorted(words.values())


async def test_after_a_crash_only_what_was_not_read_is_read(
    place: Place, stub: list[str], tmp_path: Path
) -> None:
    long = "hang on " * 500
    say(place, "ann", "We meet.")
    say(place, "ben", long)

    def batches() -> list[list[str]]:
        path = tmp_path / "batches"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    async with coding(place, stub):
        await until(lambda: len(batches()) == 2)
    assert codes(place) == {"We meet.": "We", long: None}
    calm = [sys.executable, "-c", STUB.replace('"hang"', '"never"'), stub[2]]
    async with coding(place, calm):
        await until(lambda: codes(place)[long] == "ha")
    assert [len(batch) for batch in batches()] == [1, 1, 1]
    assert batches()[0] == ["We meet."]
    assert len(place.rows("select * from codings")) == 2


async def test_stopping_does_not_wait_for_an_answer_that_takes_long(
    place: Place, stub: list[str], tmp_path: Path
) -> None:
    say(place, "ann", "hang on")
    async with coding(place, stub) as coder:
        await until((tmp_path / "batches").exists)
        await coder.stop()
        await until(lambda: not coder._process.is_running)
    assert place.rows("select tagged_by from answers where kind = 'text'") == [{"tagged_by": None}]
    batches = (tmp_path / "batches").read_text().splitlines()
    assert [json.loads(line) for line in batches] == [["hang on"]]


async def test_a_tagger_that_does_not_start_is_said_and_tried_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    say(place, "ann", "We meet.")
    async with coding(place, [sys.executable, "-c", "raise SystemExit(1)"]):
        await until(lambda: caplog.text.count("pulse tag hello") >= 2)
    assert codes(place) == {"We meet.": None}


async def test_a_tagger_that_is_not_there_is_said_and_tried_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    say(place, "ann", "We meet.")
    async with coding(place, ["/nonexistent/python"]):
        await until(lambda: caplog.text.count("No such file") >= 2)
    assert codes(place) == {"We meet.": None}


@pytest.mark.parametrize("first", ["oh no", "[]", "{}", "null"])
async def test_a_process_that_is_no_tagger_is_said_and_tried_again(
    place: Place, caplog: pytest.LogCaptureFixture, first: str
) -> None:
    say(place, "ann", "We meet.")
    async with coding(place, [sys.executable, "-c", f"print({first!r})"]):
        await until(lambda: caplog.text.count("pulse tag hello") >= 2)


@pytest.mark.parametrize("reply", ["oh no", "{}", "[]", '[{"codings": [{}], "error": null}]'])
async def test_a_reply_that_cannot_be_read_sets_the_answer_aside(
    place: Place, caplog: pytest.LogCaptureFixture, reply: str
) -> None:
    say(place, "ann", "We meet.")
    script = f"""import sys
print('{{"version": "stub@1"}}', flush=True)
for line in sys.stdin: print({reply!r}, flush=True)"""
    async with coding(place, [sys.executable, "-c", script]):
        await until(lambda: place.rows("select 1 from answers where tag_error is not null"))
    assert "We meet" not in caplog.text


async def test_a_defect_of_ours_is_said_without_words_and_tagging_goes_on(
    place: Place,
    stub: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(place, "ann", "We meet.")

    def broken(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise RuntimeError("We meet.")

    monkeypatch.setattr(Coder, "_save", broken)
    async with coding(place, stub):
        await until(lambda: codes(place) == {"We meet.": "We"})
    assert "Tagging broke, answers wait: RuntimeError" in caplog.text
    assert "We meet" not in caplog.text


async def test_changed_words_are_read_anew(place: Place, stub: list[str]) -> None:
    say(place, "ann", "We meet.")
    async with coding(place, stub):
        await until(lambda: codes(place) == {"We meet.": "We"})
        place.edit("ann", place.said["ann"], "Nobody asks.")
        await until(lambda: codes(place) == {"Nobody asks.": "No"})
