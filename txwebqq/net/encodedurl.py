"""
URLs that treq sends as they are.

Of any other URL treq parses and encodes each part, which takes longer than most
of its work for a request. Hence a subclass of L{URL} that answers the two
methods that treq calls from its text alone.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.python.url import URL

_ENCODED = re.compile(r"[!#-;=?-Z_a-z~]+")
"""URLs without a character that has to be encoded."""


class _EncodedURL(URL):
    """
    A URL whose text is sent as it is. treq parses and encodes each part of any
    other URL, which takes longer than most of its work for a request.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        # treq reads no part of a URL so far; parse it if it does.
        return getattr(URL.from_text(self._text), name)

    def to_uri(self) -> URL:
        return self

    def to_text(self, with_password: bool = False) -> str:
        return self._text


def encodedURL(url: str) -> URL | str:
    """
    Make the value that treq is given for a URL: the text itself when it holds
    characters that have to be encoded.
    """
    return url if _ENCODED.fullmatch(url) is None else _EncodedURL(url)


_LABEL = re.compile("[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z])?")


def isHost(host: str) -> bool:
    """
    Check whether a text is the name of a host.
    """
    labels = host.removesuffix(".").split(".")
    return len(host) < 254 and all(
        len(label) < 64 and _LABEL.fullmatch(label) for label in labels
    )
