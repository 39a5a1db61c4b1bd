"""A backup that any engine can bring back: a zip with a file of JSON lines for each table.

What lives here: writing it in one pass and reading it back, a row at a time. What must not:
a database, or where the file stands.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialogues.errors import StoreError
from storage.backups.manifest import Manifest, read_manifest, write_manifest
from storage.copying import Progress, Source, TableSum, stepping
from storage.digest import Digest, line_reader, line_writer
from storage.tables import in_order

__all__ = ["PortableBackup", "write_portable"]

_MANIFEST = "manifest.json"
_README = "README.txt"

#: Quick, and nearly as small as it gets.
_LEVEL = 3

#: How much is read or written at once, in bytes.
_CHUNK = 1 << 18

_ABOUT = """\
A backup of Commonpulse, made by `pulse backup`. `pulse restore THIS_FILE` brings it back.
It holds what people answered and where they can be reached: guard it.

manifest.json says of which version it is, and of each table how many rows it has and their
digest: the sum, modulo 2 to the power of 128, of the BLAKE2b hashes (16 bytes, big-endian)
of its lines without the line's end.
"""

#: What reading a damaged file can end in.
_BROKEN = (
    EOFError,
    KeyError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_portable(
    path: Path,
    source: Source,
    draft: Manifest,
    *,
    total: int,
    progress: Progress,
) -> Manifest:
    """Write a backup, a row at a time.

    Args:
        path: Of an empty file.
        source: One state of a database.
        draft: What to say of it, but for the tables.
        total: How many rows there are, for ``progress`` only.
        progress: Told how far it is.

    Raises:
        OSError: It cannot be written.
    """
    step = stepping(progress, "copying", total)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
        packed.writestr(_README, _ABOUT)
        sums = []
        for table in in_order(source.columns):
            columns = tuple(source.columns[table.name])
            write, digest = line_writer(columns), Digest()
            with packed.open(_lines_of(table.name), "w", force_zip64=True) as file:
                lines = bytearray()
                for values in source.rows(table.name):
                    line = write(values)
                    digest.add(line)
                    lines += line + b"\n"
                    if len(lines) > _CHUNK:
                        file.write(lines)
                        lines.clear()
                    step()
                file.write(lines)
            sums.append(
                TableSum(name=table.name, columns=columns, rows=digest.rows, digest=digest.hex)
            )
        manifest = replace(draft, tables=tuple(sums))
        packed.writestr(_MANIFEST, write_manifest(manifest))
    return manifest


class PortableBackup:
    """A backup to read from: a ``Source``.

    Args:
        path: Of the file.

    Attributes:
        manifest: What it says of itself.

    Raises:
        StoreError: It is none, is damaged, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._unbroken():
            self._packed = zipfile.ZipFile(path)
        try:
            with self._unbroken():
                self.manifest: Manifest = read_manifest(self._packed.read(_MANIFEST).decode())
        except BaseException:
            self._packed.close()
            raise
        self.migrations = self.manifest.migrations
        self.columns: Mapping[str, tuple[str, ...]] = {
            table.name: table.columns for table in self.manifest.tables
        }
        self.counters: Mapping[str, int] = self.manifest.counters

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Give the rows of a table, values in the order of ``columns``."""
        read = line_reader(self.columns[table])
        with self._unbroken():
            yield from map(read, self._lines(table))

    def verify(self, progress: Progress) -> None:
        """Read it all, and see that it holds what its manifest says.

        Raises:
            StoreError: It does not.
        """
        step = stepping(progress, "reading back", self.manifest.rows)
        for table in self.manifest.tables:
            digest = Digest()
            for line in self._lines(table.name):
                digest.add(line)
                step()
            if (digest.rows, digest.hex) != (table.rows, table.digest):
                raise self._damaged()

    def close(self) -> None:
        """Close the file."""
        self._packed.close()

    def _lines(self, table: str) -> Iterator[bytes]:
        with (
            self._unbroken(),
            self._packed.open(_lines_of(table)) as member,
            io.BufferedReader(member, _CHUNK) as file,  # type: ignore[type-var]
        ):
            for line in file:
                if not line.endswith(b"\n"):
                    raise self._damaged()
                yield line[:-1]

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read ({error.strerror}).") from error
        except _BROKEN:
            raise self._damaged() from None

    def _damaged(self) -> StoreError:
        return StoreError(
            f"{self._path} is damaged or no backup of Commonpulse: what is in it is not what its"
            " manifest says. Nothing was changed; take another backup."
        )


def _lines_of(table: str) -> str:
    return f"tables/{table}.jsonl"
