"""Give models the wording and cue phrases of a codeframe, without training them again.

``python -m nlp.adopt [CODEFRAME [DIR...]]``: by default ours, for the models that
ship. A model's version changes with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nlp.codeframe import CODEFRAME_PATH
from nlp.model import adopt
from nlp.shipped import FAST_PATH, MODEL_PATH

__all__ = ["main"]


def main(arguments: Sequence[str]) -> list[str]:
    """Give the versions that come of it."""
    codeframe = Path(arguments[0]) if arguments else CODEFRAME_PATH
    folders = [Path(each) for each in arguments[1:]] or [MODEL_PATH, FAST_PATH]
    return [adopt(folder, codeframe).version for folder in folders]


if __name__ == "__main__":
    sys.stdout.write("\n".join(main(sys.argv[1:])) + "\n")
