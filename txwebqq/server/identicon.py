"""
The avatar of whoever has none of their own: a small picture made of a number.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

CELLS, CELL, MARGIN = 5, 6, 5
"""A pattern of so many cells, of so many dots, so far from the edge."""

SIDE = CELLS * CELL + 2 * MARGIN
"""Forty dots, like the avatars of WebQQ."""


def identicon(number: int) -> bytes:
    """
    A PNG picture, always the same for a number and seldom for two.
    """
    seed = sha256(b"%d" % number).digest()
    ink = bytes(48 + channel // 2 for channel in seed[:3])
    rows = []
    for y in range(SIDE):
        row = bytearray()
        for x in range(SIDE):
            row += ink if _isInk(seed, x, y) else b"\xf0\xf0\xf0"
        # Each row begins with the number of its filter: none.
        rows.append(b"\0" + bytes(row))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _isInk(seed: bytes, x: int, y: int) -> bool:
    column, row = (x - MARGIN) // CELL, (y - MARGIN) // CELL
    if not (0 <= column < CELLS and 0 <= row < CELLS):
        return False
    # The right half mirrors the left one, as faces do.
    column = min(column, CELLS - 1 - column)
    return bool(seed[3 + row * 3 + column] & 1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
