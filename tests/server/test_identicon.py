"""
Default avatars.
"""

from __future__ import annotations

import struct
import zlib

from txwebqq.server.identicon import SIDE, identicon


def test_identicon() -> None:
    """
    An identicon is a PNG picture, always the same for one number and different for
    others.
    """
    picture = identicon(10001)
    assert picture == identicon(10001)
    assert len({identicon(number) for number in range(10001, 10101)}) == 100
    assert struct.unpack(">II", picture[16:24]) == (SIDE, SIDE)
    start = picture.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", picture[start - 8 : start - 4])
    rows = zlib.decompress(picture[start : start + length])
    assert len(rows) == SIDE * (1 + 3 * SIDE)
