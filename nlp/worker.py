"""The tagger in a process of its own, so that reading answers never delays a reply.

One JSON line in, one JSON line out, in order:
``[{"text": ..., "question": ..., "language": ...}, ...]`` gives
``[{"codings": [...], "error": null, "pipeline": null}, ...]``. The first line out is
``{"version": ...}``.
The process ends when its input does, so it never outlives its parent.

What must not be here: the store, or anything that logs what people said.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import IO

from nlp.load import load_tagger
from nlp.tagger import Tagged, Tagger, ToTag

__all__ = ["main", "serve"]


def serve(tagger: Tagger, lines: IO[str], out: IO[str]) -> None:
    """Answer every line until the input ends."""
    _write(out, {"version": tagger.version})
    for line in lines:
        answers = [ToTag(**item) for item in json.loads(line)]
        _write(out, [_tagged(tagged) for tagged in tagger.tag(answers)])


def _tagged(tagged: Tagged) -> dict[str, object]:
    return {
        "codings": [asdict(coding) for coding in tagged.codings],
        "error": tagged.error,
        "pipeline": tagged.pipeline,
    }


def _write(out: IO[str], value: object) -> None:
    out.write(json.dumps(value) + "\n")
    out.flush()


def main() -> None:
    """Serve on standard input and output; the only argument is the model, by default ours."""
    os.nice(10)  # Give way to whoever waits for a reply.
    serve(load_tagger(*sys.argv[1:2]), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
