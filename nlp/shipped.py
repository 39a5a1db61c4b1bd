"""The models that ship, and how a model is named.

What lives here: folders and nothing heavy, so that a configuration can be read without numpy.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FAST_PATH", "MODEL_PATH", "is_shipped", "model_folder"]

MODEL_PATH = Path(__file__).with_name("model")
"""The model that ships with the project."""
FAST_PATH = Path(__file__).with_name("model-fast")
"""The smaller one beside it, which is right less often and many times as fast."""

_SHIPPED = {"": MODEL_PATH, "default": MODEL_PATH, "fast": FAST_PATH}


def is_shipped(name: str) -> bool:
    """Say whether a name is a shipped model's; empty is the default's."""
    return name in _SHIPPED


def model_folder(name: str | Path) -> Path:
    """Give the folder of a model.

    Args:
        name: ``default``, ``fast``, or a folder made by ``pulse train``; a ``Path`` is
            always a folder.
    """
    return _SHIPPED.get(name, Path(name)) if isinstance(name, str) else name
