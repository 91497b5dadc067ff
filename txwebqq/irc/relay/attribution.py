"""
How the words of somebody over there are put here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from txwebqq.graphemes import graphemes
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.outbox import MessageKind, OutboxMessage

GAP = "\u200b"
"""What a nick has in it that is not to be taken for a call: no width at all."""

MAX_NAME = 60
"""The bytes that a name may take from each line."""

_SHORTEST = 40
_WRAPPED = re.compile(
    r"(?:<([^<>]{1,80})>|\[([^\[\]]{1,80})\]|\(([^()]{1,80})\)|\* (\S{1,80})) (.+)",
    re.DOTALL,
)


def withoutHighlight(name: str) -> str:
    """
    A name that looks as it did, and calls nobody.
    """
    first, *rest = graphemes(name)
    return f"{first}{GAP}{''.join(rest)}"


def short(name: str) -> str:
    """
    As much of a name as fits before each line, on one line.
    """
    return splitAt(" ".join(name.split()), MAX_NAME)[0]


def senderPrefix(message: OutboxMessage, isQuiet: bool) -> str:
    """
    What stands before each line of a piece.
    """
    if message.kind is MessageKind.SYSTEM:
        return ""
    name = short(message.author) or "?"
    shown = withoutHighlight(name) if isQuiet else name
    return f"* {shown} " if message.kind is MessageKind.ACTION else f"<{shown}> "


def nextLine(text: str, room: int, encoding: str = "utf-8") -> tuple[str, str]:
    """
    The first line of a text, or as much of it as so many bytes hold, and the
    rest of the text.
    """
    line, _, after = text.partition("\n")
    said, left = splitAt(line, max(room, _SHORTEST), encoding)
    rest = f"{left}\n{after}" if left and after else left or after
    return said, rest


def linesOf(text: str, room: int) -> list[str]:
    """
    All lines of a text.
    """
    lines = []
    while text:
        line, text = nextLine(text, room)
        lines.append(line)
    return lines


def unwrapped(text: str) -> Iterator[tuple[str, str]]:
    """
    Who says what, if a text is what a relay makes of somebody's words; then
    the same of that text, and so on.
    """
    while (found := _WRAPPED.fullmatch(text)) is not None:
        text = found[5]
        yield found[1] or found[2] or found[3] or found[4], text


def comparable(text: str) -> str:
    """
    What is left of a text or a name on whatever way it has come.
    """
    return " ".join(stripFormatting(text).replace(GAP, "").split()).casefold()
