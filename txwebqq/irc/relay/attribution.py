"""
Attribution of relayed messages: the sender's name before each line, and its
recognition in messages that another relay has sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from txwebqq.graphemes import graphemes
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.outbox import MessageKind, OutboxMessage

GAP = "\u200b"
"""A zero width space, which keeps IRC clients from highlighting a nick."""

MAX_NAME = 60
"""Maximum length of a name before a line, in bytes of UTF-8."""

_MIN_TEXT = 40
"""The bytes of text that are sent in a line even where a long prefix leaves
less."""

_ATTRIBUTED = re.compile(
    r"(?:<([^<>]{1,80})>|\[([^\[\]]{1,80})\]|\(([^()]{1,80})\)|\* (\S{1,80})) (.+)",
    re.DOTALL,
)


def withoutHighlight(name: str) -> str:
    """
    Insert a zero width space after the first character of a name, so that its
    owner's client does not highlight it.
    """
    first, *rest = graphemes(name)
    return f"{first}{GAP}{''.join(rest)}"


def short(name: str) -> str:
    """
    Cut a name to L{MAX_NAME} bytes, on one line.
    """
    return splitAt(" ".join(name.split()), MAX_NAME)[0]


def senderPrefix(message: OutboxMessage, isQuiet: bool) -> str:
    """
    Build the text before each line of a message.

    @param isQuiet: whether the name must not highlight its owner.
    """
    if message.kind is MessageKind.SYSTEM:
        return ""
    name = short(message.author) or "?"
    shown = withoutHighlight(name) if isQuiet else name
    return f"* {shown} " if message.kind is MessageKind.ACTION else f"<{shown}> "


def nextLine(text: str, limit: int, encoding: str = "utf-8") -> tuple[str, str]:
    """
    Split a text after its first line, or after the part of that line that fits.

    @param limit: the maximum length of the line, in bytes.
    @return: the line, and the rest of the text.
    """
    line, _, after = text.partition("\n")
    part, left = splitAt(line, max(limit, _MIN_TEXT), encoding)
    rest = f"{left}\n{after}" if left and after else left or after
    return part, rest


def linesOf(text: str, limit: int) -> list[str]:
    """
    Split a text as L{nextLine} does, to its end.
    """
    lines = []
    while text:
        line, text = nextLine(text, limit)
        lines.append(line)
    return lines


def attributions(text: str) -> Iterator[tuple[str, str]]:
    """
    Parse the attributions at the start of a relayed message, the outermost
    first: a message that passed two relays has two.

    @return: each name with the text that follows it.
    """
    while (found := _ATTRIBUTED.fullmatch(text)) is not None:
        text = found[5]
        yield found[1] or found[2] or found[3] or found[4], text


def comparable(text: str) -> str:
    """
    Normalise a text or a name for comparison: without formatting, zero width
    spaces, case, and with single spaces.
    """
    return " ".join(stripFormatting(text).replace(GAP, "").split()).casefold()
