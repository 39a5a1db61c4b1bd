"""A picture made small: few colours, packed well. It is kept, sent and sent again."""

from __future__ import annotations

import struct
import zlib
from typing import Any

__all__ = ["smaller"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_PALETTE = 3
_MOST_COLOURS = 256


def smaller(png: bytes) -> bytes:
    """Give the same picture with at most 256 colours, as a PNG with a palette.

    Args:
        png: Eight bits a channel with transparency, not interlaced, on an opaque ground, as
            vl-convert writes it; anything else is given back as it is.
    """
    import numpy as np

    chunks = _chunks(png)
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (depth, kind, interlaced) != (8, _RGBA, 0):
        return png
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    pixels = _unfiltered(rows[:, 0], rows[:, 1:].reshape(height, width, 4))
    if pixels is None:
        return png
    palette, places = _few_colours(pixels[:, :, :3].reshape(-1, 3))
    plain = np.zeros((height, width + 1), np.uint8)
    plain[:, 1:] = places.reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(plain.tobytes(), 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in parts)


def _chunks(png: bytes) -> dict[bytes, bytes]:
    """Give the content of every kind of chunk, put together in order."""
    found: dict[bytes, bytes] = {}
    at = len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        found[kind] = found.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += length + 12
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _unfiltered(filters: Any, rows: Any) -> Any:
    """Undo the filters of a PNG (W3C Portable Network Graphics, section 9).

    Args:
        filters: uint8, shape (height,).
        rows: uint8, shape (height, width, channels).

    Returns:
        As ``rows``; None where there is another filter than none, left and up.
    """
    import numpy as np

    plain = np.zeros_like(rows)
    above = np.zeros_like(rows[0])
    for place, (kind, row) in enumerate(zip(filters.tolist(), rows, strict=True)):
        match kind:
            case 0:
                plain[place] = row
            case 1:
                plain[place] = np.cumsum(row, axis=0, dtype=np.uint8)
            case 2:
                plain[place] = row + above
            case _:
                return None
        above = plain[place]
    return plain


def _few_colours(pixels: Any) -> tuple[bytes, Any]:
    """Give a palette, and for each pixel its place in it.

    Colours that are near each other become one, and that is their mean: the shades at the edges
    of letters grow fewer, flat areas stay as they are.

    Args:
        pixels: uint8, shape (n, 3).
    """
    import numpy as np

    wide = pixels.astype(np.int32)
    for bits in (4, 3, 2):
        coarse = wide >> (8 - bits)
        cells = coarse[:, 0] << 2 * bits | coarse[:, 1] << bits | coarse[:, 2]
        counts = np.bincount(cells, minlength=1 << 3 * bits)
        used = np.flatnonzero(counts)
        if len(used) <= _MOST_COLOURS:
            break
    sums = [np.bincount(cells, weights=wide[:, one], minlength=len(counts)) for one in range(3)]
    means = [np.rint(total[used] / counts[used]).astype(np.uint8) for total in sums]
    places = np.zeros(len(counts), np.uint8)
    places[used] = np.arange(len(used))
    return np.stack(means, axis=1).tobytes(), places[cells]
