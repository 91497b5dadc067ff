"""
Pictures of captchas.

They need the package C{captcha}, which C{txwebqq[server]} installs.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.errors import InvalidConfiguration

WIDTH, HEIGHT = 130, 53
"""The size of WebQQ's own pictures."""


def captchaRenderer() -> Callable[[str], bytes]:
    """
    What makes a JPEG picture of a text.

    @raise InvalidConfiguration: when the package is missing.
    """
    try:
        from captcha.image import ImageCaptcha
    except ImportError as e:
        raise InvalidConfiguration(
            "captchas need the package captcha: "
            "pip install 'txwebqq[server]', or use --captcha never "
            "and --signup closed"
        ) from e
    image = ImageCaptcha(width=WIDTH, height=HEIGHT, font_sizes=(36, 40, 44))

    def paint(text: str) -> bytes:
        return image.generate(text, format="jpeg").getvalue()

    return paint
