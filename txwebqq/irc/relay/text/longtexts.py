"""
Texts of many lines as a link.
"""

from __future__ import annotations

from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.relay.text.attribution import linesOf

TYPICAL_LIMIT = 380
"""The typical number of bytes that an IRC line has for the text."""


def linked(text: str, lines: int, links: MediaLinks) -> str:
    """
    Replace a long text by its beginning and a link to all of it.

    @param lines: the maximum number of lines on IRC of a text that is left as it is.
    """
    if len(linesOf(text, TYPICAL_LIMIT)) <= lines:
        return text
    link = links.addText(text)
    if link is None:
        return text
    return f"{linesOf(text, TYPICAL_LIMIT // 2)[0]} … {link}"
