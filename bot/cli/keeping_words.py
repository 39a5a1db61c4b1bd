"""What backup, restore and migrate say when they are done.

What lives here: sentences and JSON about what was done. What must not: doing it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.backups.making import Made
    from storage.backups.restoring import Restored
    from storage.copying import TableSum

__all__ = [
    "made_json",
    "made_words",
    "moved_json",
    "moved_words",
    "restored_json",
    "restored_words",
]

_GUARD = (
    "It holds what people answered and where they can be reached: guard it as you guard the"
    " database, and delete it when its time is up."
)


def made_words(made: Made, removed: Sequence[Path]) -> str:
    """Say what was backed up, and where it is."""
    manifest = made.manifest
    lines = [
        f"Backed up to {made.path}: {_counted(manifest.rows, 'row')} in"
        f" {_counted(len(manifest.tables), 'table')}, {made.size:,} bytes, read back and found"
        " equal.",
        _GUARD,
        "Who asks to be forgotten from now on stays in it; `pulse restore --replace` erases them"
        " again.",
    ]
    if removed:
        lines.append(f"Removed {_counted(len(removed), 'older backup')}.")
    return "\n".join(lines)


def made_json(made: Made, removed: Sequence[Path]) -> str:
    """Write the same as JSON."""
    return _json(
        {
            "file": str(made.path),
            "format": made.form,
            "bytes": made.size,
            "made_at": made.manifest.made_at.isoformat(),
            "migrations": list(made.manifest.migrations),
            "tables": _tables(made.manifest.tables),
            "removed": [str(path) for path in removed],
        }
    )


def restored_words(restored: Restored, file: Path, where: str) -> str:
    """Say what was brought back, and what was put right in it."""
    manifest = restored.manifest
    of = "a copy without checksums"
    if manifest is not None:
        of = f"made {manifest.made_at:%Y-%m-%d %H:%M} UTC by version {manifest.program}"
    rows = sum(table.rows for table in restored.tables)
    lines = [
        f"Brought back {file} ({of}) into {where}: {_counted(rows, 'row')} in"
        f" {_counted(len(restored.tables), 'table')}, each compared.",
    ]
    if restored.kept:
        lines.append(
            f"What was there is kept: {restored.kept}. Delete it when you no longer need it."
        )
    lines += _carried_words(restored)
    if restored.dropped:
        lines.append(f"Left out: {_counted(restored.dropped, 'message')} that waited to be sent.")
    if restored.waiting:
        lines.append(
            f"{_counted(restored.waiting, 'message')} wait to be sent, and `pulse run` sends them."
        )
        if restored.carried is None or not restored.carried.related:
            lines.append(
                "Some of them may have gone out since the backup was made: to leave them out,"
                " do the same again with --replace --drop-waiting."
            )
    lines.append(
        "What was said after the backup was made is not in it. `pulse doctor` looks at it all."
    )
    return "\n".join(lines)


def _carried_words(restored: Restored) -> list[str]:
    carried = restored.carried
    if carried is not None and carried.related:
        return [
            f"From what was there: {_counted(carried.erased, 'person', 'people')} who asked to be"
            f" forgotten since were erased again; {carried.stopped:,} who said stop since are not"
            f" written to; {_counted(carried.settled, 'message')} that had gone out or were"
            " dropped since are not sent again."
        ]
    forgotten = (
        "Who asked to be forgotten, or said stop, after the backup was made is in it as before."
    )
    if restored.unreadable:
        return [
            f"{forgotten} What was there cannot be read any more, so nobody could be erased again:"
            " if you know who it was, ask them to send `forget` once more."
        ]
    if carried is not None:
        return [
            f"{forgotten} What was there is another installation's, so it says nothing of them."
        ]
    return [
        f"{forgotten} If you still have the database of later, bring the backup back in its place"
        " with --replace: then they are erased again by themselves."
    ]


def restored_json(restored: Restored, file: Path, where: str) -> str:
    """Write the same as JSON."""
    manifest, carried = restored.manifest, restored.carried
    return _json(
        {
            "file": str(file),
            "to": where,
            "made_at": None if manifest is None else manifest.made_at.isoformat(),
            "program": None if manifest is None else manifest.program,
            "tables": _tables(restored.tables),
            "kept": restored.kept or None,
            "kept_readable": not restored.unreadable,
            "carried": None
            if carried is None
            else {
                "related": carried.related,
                "erased": carried.erased,
                "stopped": carried.stopped,
                "settled": carried.settled,
            },
            "waiting": restored.waiting,
            "dropped": restored.dropped,
        }
    )


def moved_words(tables: Sequence[TableSum], source: str, target: str) -> str:
    """Say what was copied, table by table, and what to do next."""
    width = max(len(table.name) for table in tables)
    lines = [f"  {table.name:<{width}}  {table.rows:>12,} rows  {table.digest}" for table in tables]
    rows = sum(table.rows for table in tables)
    return "\n".join(
        (
            *lines,
            f"Copied {_counted(rows, 'row')} from {source} to {target}; counts and checksums of"
            " every table are equal on both.",
            f"{source} is as it was. Next: set storage.url to the new address, run `pulse doctor`,"
            " then start `pulse run`. Delete the old database when you no longer need it.",
        )
    )


def moved_json(tables: Sequence[TableSum], source: str, target: str) -> str:
    """Write the same as JSON."""
    return _json({"from": source, "to": target, "equal": True, "tables": _tables(tables)})


def _tables(tables: Sequence[TableSum]) -> list[dict[str, Any]]:
    return [{"table": table.name, "rows": table.rows, "digest": table.digest} for table in tables]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
