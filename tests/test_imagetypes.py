"""
Image types.
"""

from __future__ import annotations

import pytest

from txwebqq.imagetypes import imageTypeOf, mediaTypeOf


@pytest.mark.parametrize(
    ("data", "extension", "mediaType"),
    [
        (b"\xff\xd8\xff\xe0", "jpg", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
        (b"GIF87a", "gif", "image/gif"),
        (b"GIF89a", "gif", "image/gif"),
        (b"BM6", "bmp", "image/bmp"),
    ],
)
def test_known(data: bytes, extension: str, mediaType: str) -> None:
    """
    An image is recognised by its first bytes.
    """
    assert imageTypeOf(data) == (extension, mediaType)
    assert mediaTypeOf(data) == mediaType


@pytest.mark.parametrize("data", [b"", b"<svg>", b"\x89PN", b" BM", b"GIF88a"])
def test_unknown(data: bytes) -> None:
    """
    Other data has no image type, and the media type of any binary data.
    """
    assert imageTypeOf(data) is None
    assert mediaTypeOf(data) == "application/octet-stream"
