"""A new model reads old answers: nothing is lost, whatever happens meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.retagging import Retagged, retag
from bot.tagger_process import TaggerProcess
from tests.bot.place import Place

#: Speaks as the tagger's process does. Its arguments: its version, and a word that breaks it.
STUB = """
import json, os, sys
print(json.dumps({"version": sys.argv[1]}), flush=True)
for line in sys.stdin:
    texts = [item["text"] for item in json.loads(line)]
    if any(sys.argv[2] in text for text in texts):
        os._exit(3)
    print(json.dumps([
        {"codings": [], "error": "not tagged: language"} if "nikt" in text
        else {"codings": [{"enabler": "trust", "stance": "gap", "span_text": text[:2],
              "span_start": 0, "span_end": 2, "confidence": 0.5, "threshold": 0.3}],
              "error": None, "pipeline": "cues-cy" if "neb" in text else None}
        for text in texts
    ]), flush=True)
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    script = tmp_path / "stub.py"
    script.write_text(STUB)
    return script


def model(stub: Path, version: str, *, breaks_on: str = "die") -> TaggerProcess:
    return TaggerProcess(None, [sys.executable, str(stub), version, breaks_on])


async def read_by(place: Place, process: TaggerProcess) -> Retagged:
    return await retag(
        place.writer,
        process,
        now=place.clock,
        new_id=place.new_id,
        progress=lambda done, total: None,
    )


def say(place: Place, *words: str, first: int = 0) -> None:
    for number, said in enumerate(words, start=first):
        place.join(f"p{number}")
        place.answer(f"p{number}", "/start", "yes", "yes", said)


def coders(place: Place) -> list[tuple[str, str]]:
    rows = place.rows(
        "select a.text, c.coder from answers a join codings c using (response_id, question_id)"
        " order by a.text, c.coder"
    )
    return [(row["text"], row["coder"]) for row in rows]


def last_read_by(place: Place) -> dict[str, str]:
    rows = place.rows("select text, tagged_by from answers where kind = 'text'")
    return {row["text"]: row["tagged_by"] for row in rows}


async def test_tags_are_added_and_the_second_time_nothing_is(place: Place, stub: Path) -> None:
    say(place, "We meet.", "Does neb yn gofyn.", "nikt nie pyta")
    await read_by(place, model(stub, "m@1"))
    before = place.rows("select * from codings order by coding_id")
    done = await read_by(place, model(stub, "m@2"))
    assert done == Retagged(version="m@2", n_read=3, n_tags=2, n_foreign=1)
    assert coders(place) == [
        ("Does neb yn gofyn.", "m@1+cues-cy"),
        ("Does neb yn gofyn.", "m@2+cues-cy"),
        ("We meet.", "m@1"),
        ("We meet.", "m@2"),
    ]
    kept = place.rows("select * from codings where coder like 'm@1%' order by coding_id")
    assert kept == before
    everything = place.rows("select * from codings order by coding_id")
    assert await read_by(place, model(stub, "m@2")) == Retagged(version="m@2")
    assert place.rows("select * from codings order by coding_id") == everything


async def test_what_was_stopped_half_way_goes_on(place: Place, stub: Path) -> None:
    words = [f"We meet {number} times." for number in range(40)]
    say(place, *words)
    process = model(stub, "m@1")
    batches = []

    def stop(done: int, total: int) -> None:
        batches.append((done, total))
        if done:
            process.kill()

    first = await retag(place.writer, process, now=place.clock, new_id=place.new_id, progress=stop)
    assert batches == [(0, 40), (32, 40)]
    assert first.n_read == 32
    assert (await read_by(place, model(stub, "m@1"))).n_read == 8
    assert coders(place) == sorted((text, "m@1") for text in words)


async def test_what_breaks_the_new_model_keeps_what_the_old_one_said(
    place: Place, stub: Path
) -> None:
    say(place, "We meet.", "They meet.")
    await read_by(place, model(stub, "m@1"))
    say(place, "Then They left.", first=2)
    done = await read_by(place, model(stub, "m@2", breaks_on="They"))
    assert (done.n_read, done.n_broken) == (1, 2)
    assert last_read_by(place)["They meet."] == "m@1"
    assert last_read_by(place)["We meet."] == "m@2"
    (error,) = place.rows("select text from answers where tag_error is not null")
    assert error["text"] == "Then They left."
