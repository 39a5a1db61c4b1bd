"""A model directory: everything that a tagger needs, and where it came from.

What lives here: reading, writing and fingerprinting of the directory.

```
encoder.onnx     the encoder, quantised      tokenizer.json   its word pieces
heads.npz        the heads' weights          words.txt        features of the wording
codeframe.toml   the codes                   meta.json        numbers and provenance
matrices.npz     the encoder's matrices, where they are in four bits
```
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialogues.coding import Codeframe
from dialogues.errors import TaggerError
from nlp.answers import CodedAnswer
from nlp.codeframe import read_codeframe
from nlp.decision import Decision
from nlp.fourbits import MATRICES
from nlp.heads import Heads
from nlp.languages import languages_of
from nlp.shipped import MODEL_PATH
from nlp.wording import Wording

__all__ = [
    "Model",
    "ModelError",
    "Provenance",
    "adopt",
    "data_hash",
    "fingerprint",
    "read_model",
    "seen",
    "write_model",
]

_PARTS = ("encoder.onnx", "tokenizer.json", "heads.npz", "words.txt", "codeframe.toml")


class ModelError(TaggerError):
    """A model directory cannot be used; the text says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a model came from.

    Attributes:
        method: ``fine-tuned`` or ``frozen``.
        seed: Of the training.
        files: Names of the files that it learnt from.
        chosen_on: Names of the files on which thresholds were chosen; empty where they
            were chosen by cross-validation over the training files.
        n_answers: Answers that it learnt from.
        data_hash: Of those answers and their codes.
        begun_from: Version of the model whose encoder was gone on from; empty where there was
            none.
    """

    method: str
    seed: int
    files: tuple[str, ...]
    chosen_on: tuple[str, ...]
    n_answers: int
    data_hash: str
    begun_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a directory holds, apart from the encoder, which is opened from its path.

    Attributes:
        path: The directory.
        name: Such as ``commonpulse``.
        version: ``name@hash``; the hash covers the artefact and its training data.
        codeframe: Its codes.
        heads: Their weights.
        wording: The wording's weights.
        decision: Calibration and thresholds.
        provenance: Where it came from.
        languages: Those of the answers that it learnt from or was tuned on, most of them first.
        trained_on: Fingerprints of these answers, sorted.
    """

    path: Path
    name: str
    version: str
    codeframe: Codeframe
    heads: Heads
    wording: Wording
    decision: Decision
    provenance: Provenance
    languages: tuple[str, ...]
    trained_on: np.ndarray


def fingerprint(text: str, question: str | None) -> int:
    """Give 63 bits that tell an answer to a question from others."""
    words = f"{question or ''}\x1f{text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(words).digest()[:8], "big") >> 1


def data_hash(answers: Sequence[CodedAnswer]) -> str:
    """Give the hash of answers with their codes, in the order given."""
    digest = hashlib.sha256()
    for answer in answers:
        codes = [(c.enabler, c.stance, c.span_start, c.span_end) for c in answer.codings]
        line = json.dumps([answer.text, answer.question, codes])
        digest.update(line.encode())
    return digest.hexdigest()[:16]


def seen(model: Model, answers: Sequence[CodedAnswer]) -> int:
    """Count the answers that the model learnt from or was tuned on."""
    prints = np.array([fingerprint(a.text, a.question) for a in answers], dtype=np.int64)
    return int(np.isin(prints, model.trained_on).sum())


def _artefact_hash(path: Path, meta: dict[str, object]) -> str:
    digest = hashlib.sha256()
    for name in _PARTS:
        digest.update((path / name).read_bytes())
    if (path / MATRICES).is_file():
        digest.update((path / MATRICES).read_bytes())
    kept = {key: value for key, value in meta.items() if key != "version"}
    digest.update(json.dumps(kept, sort_keys=True).encode())
    return digest.hexdigest()[:8]


def write_model(
    path: Path,
    *,
    name: str,
    encoder: Path,
    tokenizer: Path,
    codeframe: Path,
    heads: Heads,
    wording: Wording,
    decision: Decision,
    provenance: Provenance,
    trained_on: Sequence[CodedAnswer],
    base: Model | None = None,
) -> Model:
    """Write a model directory; what was in it before is replaced part by part.

    Args:
        path: The directory; made where it is missing.
        name: Of the model.
        encoder: The ONNX file to copy, with what belongs to it beside it.
        tokenizer: The ``tokenizer.json`` to copy.
        codeframe: The codeframe file to copy.
        heads: Weights.
        wording: Weights.
        decision: Calibration and thresholds.
        provenance: Where the model came from.
        trained_on: Answers that it learnt from or was tuned on. Fingerprints of these are kept,
            by which somebody could find out whether a short answer was among them: leave out
            what people said to you.
        base: A model that it was made of; it has seen and knows what that one did.

    Returns:
        The model, as ``read_model`` gives it.
    """
    path.mkdir(parents=True, exist_ok=True)
    matrices = encoder.with_name(MATRICES)
    for source, part in ((encoder, "encoder.onnx"), (tokenizer, "tokenizer.json"),
                         (codeframe, "codeframe.toml"), (matrices, MATRICES)):  # fmt: skip
        if source == matrices and not matrices.is_file():
            (path / part).unlink(missing_ok=True)
        elif source.resolve() != (path / part).resolve():
            shutil.copyfile(source, path / part)
    prints = {fingerprint(a.text, a.question) for a in trained_on}
    languages = languages_of(answer.text for answer in trained_on)
    if base is not None:
        prints |= {int(each) for each in base.trained_on}
        languages = base.languages
    arrays: dict[str, Any] = {
        **heads.arrays(),
        "wording_rarity": wording.rarity.astype(np.float16),
        "wording_weight": wording.weight.astype(np.float16),
        "wording_bias": wording.bias,
        "trained_on": np.array(sorted(prints), dtype=np.int64),
    }
    np.savez_compressed(path / "heads.npz", **arrays)
    (path / "words.txt").write_text("\n".join(wording.features), encoding="utf-8")
    meta: dict[str, object] = {
        "name": name,
        "decision": asdict(decision),
        "provenance": asdict(provenance),
        "languages": languages,
    }
    _write_meta(path, json.loads(json.dumps(meta)))
    return read_model(path)


def adopt(path: Path, codeframe: Path) -> Model:
    """Give a model the wording and cue phrases of a codeframe, without training it again.

    Args:
        path: The model's directory.
        codeframe: A file with the same codes in the same order.

    Returns:
        The model, with another version.

    Raises:
        TaggerError: The model or the file cannot be used, or the codes are others.
    """
    model = read_model(path)
    keys = [code.key for code in read_codeframe(codeframe).codes]
    if keys != [code.key for code in model.codeframe.codes]:
        raise ModelError(f"{codeframe}: has other codes than {path}; train a model for it")
    shutil.copyfile(codeframe, path / "codeframe.toml")
    meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
    meta["languages"] = list(model.languages)
    _write_meta(path, meta)
    return read_model(path)


def _write_meta(path: Path, meta: dict[str, object]) -> None:
    """Write a model's numbers and provenance, and the version that follows from everything."""
    meta["version"] = f"{meta['name']}@{_artefact_hash(path, meta)}"
    (path / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def read_model(path: Path = MODEL_PATH) -> Model:
    """Read a model directory.

    Raises:
        ModelError: Something is missing, or is not what was written.
    """
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        if meta["version"] != f"{meta['name']}@{_artefact_hash(path, meta)}":
            raise ModelError(
                f"{path}: the model's files are not the ones that were written together; "
                "copy the directory anew or train again"
            )
        with np.load(path / "heads.npz", allow_pickle=False) as archive:
            arrays = dict(archive)
        features = (path / "words.txt").read_text(encoding="utf-8")
        decision = meta["decision"]
        provenance = meta["provenance"]
        return Model(
            path=path,
            name=meta["name"],
            version=meta["version"],
            codeframe=read_codeframe(path / "codeframe.toml"),
            heads=Heads.of(arrays),
            wording=Wording(
                features=features.split("\n") if features else [],
                rarity=arrays["wording_rarity"].astype(np.float32),
                weight=arrays["wording_weight"].astype(np.float32),
                bias=arrays["wording_bias"],
            ),
            decision=Decision(**(decision | {"thresholds": tuple(decision["thresholds"])})),
            provenance=Provenance(
                **(provenance | {key: tuple(provenance[key]) for key in ("files", "chosen_on")})
            ),
            # Models that do not say so are older than the question, and learnt English.
            languages=tuple(meta.get("languages", ["en"])),
            trained_on=arrays["trained_on"],
        )
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise ModelError(
            f"{path}: no model here ({missing} is missing); give default, fast, or a directory "
            "made by pulse train"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: not a model that this version can read ({type(error).__name__}); "
            "train it again"
        ) from error
