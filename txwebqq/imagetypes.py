"""
Image types, recognised by the first bytes of a file.
"""

from __future__ import annotations

from typing import NamedTuple


class ImageType(NamedTuple):
    """
    An image type.

    @ivar extension: of file names, without the dot.
    @ivar mediaType: for C{Content-Type}.
    """

    extension: str
    mediaType: str


_JPEG = ImageType("jpg", "image/jpeg")
_PNG = ImageType("png", "image/png")
_GIF = ImageType("gif", "image/gif")
_BMP = ImageType("bmp", "image/bmp")

_SIGNATURES = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"BM", _BMP),
)


def imageTypeOf(data: bytes) -> ImageType | None:
    """
    Return the type of an image that all WebQQ clients can show, C{None} for
    other data.

    @param data: at least the first eight bytes.
    """
    for signature, imageType in _SIGNATURES:
        if data.startswith(signature):
            return imageType
    return None


def mediaTypeOf(data: bytes) -> str:
    """
    Return the media type of data, C{application/octet-stream} when
    L{imageTypeOf} does not know it.
    """
    imageType = imageTypeOf(data)
    return "application/octet-stream" if imageType is None else imageType.mediaType
