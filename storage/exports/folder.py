"""The folder of an export: there whole, or not at all.

What lives here: writing beside the target and moving into place. What must not: what is
written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialogues.errors import UserError
from storage.private import private_folder, sync

__all__ = ["MANIFEST", "MARK", "whole_folder"]

#: The file that tells a folder for an export, and lists the rest of it.
MANIFEST = "codebook.json"

#: The key of the manifest that only an export has.
MARK = "commonpulse_export"


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a fresh folder to write to; it becomes ``target`` when the block ends well.

    A new folder is for its owner's eyes only. An earlier export at ``target`` is replaced.
    After an error, a full disk or a kill, ``target`` is what it was before; what a killed
    export left beside it is cleared away by the next one.

    Raises:
        UserError: ``target`` is a file, or holds files that are no earlier export.
        OSError: It cannot be written.
    """
    target = target.resolve()
    _check(target)
    in_place = target.is_dir() and (os.path.ismount(target) or Path.cwd().is_relative_to(target))
    parent = target if in_place else target.parent
    parent.mkdir(parents=True, exist_ok=True)
    with private_folder(parent, f".{target.name}.partial-") as private:
        fresh = private / "export"
        fresh.mkdir(mode=0o700)
        yield fresh
        _to_disk(fresh)
        if in_place:
            _move_files(fresh, target)
        else:
            _swap(fresh, target, aside=private / "before")
            sync(parent)


def _check(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise UserError(f"{target} is a file. Choose another folder with --out.")
    if not target.is_dir():
        return
    unfinished = f".{target.name}.partial-"
    there = {path.name for path in target.iterdir() if not path.name.startswith(unfinished)}
    strange = sorted(there - _files_of_export(target))
    if strange:
        raise UserError(
            f"{target} holds what is not an earlier export ({strange[0]})."
            " Choose another folder with --out."
        )


def _files_of_export(folder: Path) -> set[str]:
    """Give the names of an earlier export's files; empty where there was none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    if not isinstance(manifest, dict) or MARK not in manifest:
        return set()
    return {MANIFEST} | {name for name in manifest[MARK]["files"] if Path(name).name == name}


def _to_disk(folder: Path) -> None:
    for path in folder.iterdir():
        sync(path)
    sync(folder)


def _swap(fresh: Path, target: Path, *, aside: Path) -> None:
    if target.is_dir():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.is_dir():
            aside.rename(target)
        raise


def _move_files(fresh: Path, target: Path) -> None:
    """Move file by file into a folder that cannot be renamed itself: a mount, or the working
    directory. Files that only the earlier export had are removed.
    """
    earlier = _files_of_export(target)
    names = {path.name for path in fresh.iterdir()}
    for name in sorted(names - {MANIFEST}):
        (fresh / name).replace(target / name)
    for name in earlier - names:
        (target / name).unlink(missing_ok=True)
    (fresh / MANIFEST).replace(target / MANIFEST)
    sync(target)
