"""
Identicons: default avatars, small pictures computed from an account's number.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

CELLS = 5
"""Cells of the pattern in each direction."""

CELL = 6
"""Width and height of a cell, in pixels."""

MARGIN = 5
"""Distance of the pattern from the edge, in pixels."""

SIDE = CELLS * CELL + 2 * MARGIN
"""Width and height of the picture, in pixels: 40, as in WebQQ."""


def identicon(number: int) -> bytes:
    """
    Draw the identicon of a number.

    @return: a PNG picture, always the same for one number, and rarely equal for
        two.
    """
    seed = sha256(b"%d" % number).digest()
    color = bytes(48 + channel // 2 for channel in seed[:3])
    rows = []
    for y in range(SIDE):
        row = bytearray()
        for x in range(SIDE):
            row += color if _isColored(seed, x, y) else b"\xf0\xf0\xf0"
        # Filter type 0 (none) stands at the start of each row.
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


def _isColored(seed: bytes, x: int, y: int) -> bool:
    column, row = (x - MARGIN) // CELL, (y - MARGIN) // CELL
    if not (0 <= column < CELLS and 0 <= row < CELLS):
        return False
    # The right half mirrors the left one, which makes patterns easy to tell apart.
    column = min(column, CELLS - 1 - column)
    return bool(seed[3 + row * 3 + column] & 1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
