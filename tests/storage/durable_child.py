"""Says in which order SQLite writes, syncs and lets the writer say "kept".

Runs in a process of its own: it puts a file system layer of its own beneath SQLite, which
hands everything on to the real one and notes what was asked of it. Prints one line an
event: ``write NAME``, ``sync NAME`` or ``kept``.

Usage: ``python -m tests.storage.durable_child DATABASE``
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sys
from pathlib import Path

from storage.open import open_store
from storage.writer import Writer
from tests.contract.scenes import person

NO_SQLITE = 77

POINTER = ctypes.c_void_p
SYNC = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_int)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, ctypes.c_int, ctypes.c_int64)
OPEN = ctypes.CFUNCTYPE(
    ctypes.c_int, POINTER, POINTER, POINTER, ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)


class Methods(ctypes.Structure):
    """``sqlite3_io_methods``, version 3."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("close", POINTER),
        ("read", POINTER),
        ("write", WRITE),
        ("truncate", POINTER),
        ("sync", SYNC),
        *((f"rest{number}", POINTER) for number in range(13)),
    ]


class File(ctypes.Structure):
    """``sqlite3_file``: what follows belongs to the real layer."""

    _fields_ = [("methods", ctypes.POINTER(Methods))]


class Vfs(ctypes.Structure):
    """``sqlite3_vfs``, version 3."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_size", ctypes.c_int),
        ("next", POINTER),
        ("name", ctypes.c_char_p),
        ("data", POINTER),
        ("open", OPEN),
        *((f"rest{number}", POINTER) for number in range(15)),
    ]


class Layer:
    """Notes writes and syncs, and does them."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.events: list[str] = []
        self._names: dict[int, str] = {}
        self._kept: list[object] = []
        self._methods: dict[int, Methods] = {}
        library.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
        library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
        library.sqlite3_vfs_register.argtypes = [ctypes.POINTER(Vfs), ctypes.c_int]
        real = library.sqlite3_vfs_find(None)
        self._real_open, self._real = real.contents.open, real
        mine = Vfs.from_buffer_copy(real.contents)
        mine.name = b"noting"
        mine.open = OPEN(self._open)
        self._kept.append(mine)
        if library.sqlite3_vfs_register(ctypes.byref(mine), 1):
            raise SystemExit(NO_SQLITE)

    def _open(
        self, _: int, path: int | None, file: int, flags: int, out: ctypes._Pointer[ctypes.c_int]
    ) -> int:
        code: int = self._real_open(ctypes.cast(self._real, POINTER), path, file, flags, out)
        if code == 0:
            name = ctypes.string_at(path).decode() if path else "temporary"
            self._names[file] = Path(name).name
            handle = ctypes.cast(file, ctypes.POINTER(File)).contents
            handle.methods = ctypes.pointer(self._noting(handle.methods))
        return code

    def _noting(self, real: ctypes._Pointer[Methods]) -> Methods:
        key = ctypes.addressof(real.contents)
        if key not in self._methods:
            mine = Methods.from_buffer_copy(real.contents)
            real_write, real_sync = real.contents.write, real.contents.sync

            def write(file: int, data: int, amount: int, offset: int) -> int:
                self.events.append(f"write {self._names[file]}")
                return int(real_write(file, data, amount, offset))

            def sync(file: int, flags: int) -> int:
                self.events.append(f"sync {self._names[file]}")
                return int(real_sync(file, flags))

            mine.write, mine.sync = WRITE(write), SYNC(sync)
            self._methods[key] = mine
        return self._methods[key]


def main(path: str) -> None:
    library = ctypes.CDLL(_sqlite3.__file__ if hasattr(_sqlite3, "__file__") else None)
    if not hasattr(library, "sqlite3_vfs_find"):
        raise SystemExit(NO_SQLITE)
    layer = Layer(library)
    writer = Writer(lambda: open_store(f"sqlite:///{path}"))
    layer.events.clear()
    for name in ["ann", "bob", "cat"]:
        future = writer.submit(lambda store, name=name: person(store, name))
        future.add_done_callback(lambda _: layer.events.append("kept"))
        future.result(30)
    seen = list(layer.events)
    writer.close()
    print("\n".join(seen))


if __name__ == "__main__":
    main(sys.argv[1])
