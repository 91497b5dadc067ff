"""
Quotes of the message that another one replies to, in the line of the reply.
"""

from __future__ import annotations

import re

from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.text.attribution import oneWord, short

MAX_EXCERPT = 60
"""Maximum length of the beginning of a message in a quote, in bytes of UTF-8."""

_LINK = re.compile(r"https?://\S+")
_QUOTE = re.compile(r"\(re [^()]*\) ")
_ADDRESS = re.compile(r"(?:@\S{1,60}|[^\s:,@]{1,60}[:,])[ ]+(?=\S)")
# The end of a quote can be found only where it has no brackets of its own.
_SQUARE_BRACKETS = str.maketrans("()", "[]")


def excerptOf(text: str) -> str:
    """
    Return the beginning of a text, as it is quoted: a part of the first line, with
    links left out.
    """
    line, lineEnd, _ = text.partition("\n")
    part, rest = splitAt(_LINK.sub("[link]", line), MAX_EXCERPT)
    return f"{part}…" if rest or lineEnd else part


def quoteOf(author: str, excerpt: str, text: str) -> str:
    """
    Build the quote before a reply: C{(re Bob: the beginning…) }, without the name
    when the reply begins with it.

    @param author: the author of the message that is replied to, C{""} for an
        unknown one.
    @param excerpt: the L{excerptOf} that message.
    @param text: the reply.
    """
    name = oneWord(author)
    isNamed = text.startswith((f"{name}: ", f"@{name} "))
    quote = excerpt if isNamed or not author else f"{short(author)}: {excerpt}"
    return f"(re {quote.translate(_SQUARE_BRACKETS)}) "


def withoutReferences(text: str) -> tuple[str, str]:
    """
    Remove the quote at the beginning of a text, and then the name that it may address:
    two relays may write them in two ways.

    @return: the text without the quote, and without either.
    """
    quote = _QUOTE.match(text)
    rest = text[quote.end() :] if quote else text
    address = _ADDRESS.match(rest)
    return rest, rest[address.end() :] if address else rest
