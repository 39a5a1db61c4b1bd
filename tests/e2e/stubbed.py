"""The program `pulse` with a tagger that costs nothing: `python -m tests.e2e.stubbed run ...`."""

from __future__ import annotations

import functools
import json
import sys

VERSION = "stub@1"


def serve() -> None:
    """Speak as `nlp.worker` does, and find one code in every answer."""
    print(json.dumps({"version": VERSION}), flush=True)
    for line in sys.stdin:
        print(json.dumps([_tagged(item["text"]) for item in json.loads(line)]), flush=True)


def _tagged(text: str) -> dict[str, object]:
    coding = {
        "enabler": "shared_goals",
        "stance": "strength",
        "span_text": text[:5],
        "span_start": 0,
        "span_end": len(text[:5]),
        "confidence": 0.5,
    }
    return {"codings": [coding], "error": None}


def main() -> int:
    """Run `pulse` with the stub in place of the tagger's process."""
    import bot.app
    import bot.coding
    from bot.__main__ import main as pulse

    bot.app.Coder = functools.partial(  # type: ignore[misc,assignment]
        bot.coding.Coder, command=[sys.executable, "-m", "tests.e2e.stubbed", "--serve"]
    )
    return pulse()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main())
