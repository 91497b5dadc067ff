"""
Attribution of relayed messages: the sender's name before each line, and its
recognition in messages that another relay has sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from txwebqq.graphemes import graphemes
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.nicknames import displayName
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.storage.outbox import MessageKind, OutboxMessage

GAP = "\u200b"
"""A zero width space, which keeps IRC clients from highlighting a nick."""

MAX_NAME = 60
"""Maximum length of a name before a line, in bytes of UTF-8."""

_MIN_TEXT = 40
"""The bytes of text that are sent in a line even where a long prefix leaves
less."""

_MAX_RELAYS = 4
"""The number of relays that a message has passed, at most: each of its names is
compared with many others."""

_ATTRIBUTED = re.compile(
    r"(?:<([^<>]{1,80})>|\[([^\[\]]{1,80})\]|\(([^()]{1,80})\)|\* (\S{1,80})) (.+)",
    re.DOTALL,
)


def withoutHighlight(name: str) -> str:
    """
    Insert a zero width space after the first character of a name, so that its
    owner's client does not highlight it.
    """
    first = next(graphemes(name), "")
    return f"{first}{GAP}{name[len(first) :]}"


def short(name: str) -> str:
    """
    Return the shown form of a name, cut to L{MAX_NAME} bytes; C{?} when nothing
    of it can be seen.
    """
    return splitAt(displayName(name), MAX_NAME)[0] or "?"


def oneWord(name: str) -> str:
    """
    Return the L{short} form of a name with underscores for spaces. Where a name
    stands without brackets, a space would make its end look like the text.
    """
    return "_".join(short(name).split())


def senderPrefix(message: OutboxMessage, isQuiet: bool) -> str:
    """
    Build the text before each line of a message.

    @param isQuiet: whether the name must not highlight its owner.
    """
    if message.kind is MessageKind.SYSTEM:
        return ""
    isAction = message.kind is MessageKind.ACTION
    name = oneWord(message.author) if isAction else short(message.author)
    shown = withoutHighlight(name) if isQuiet else name
    return f"* {shown} " if isAction else f"<{shown}> "


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
    first: a message that passed two relays has two. At most L{_MAX_RELAYS} of
    them.

    @return: each name with the text that follows it.
    """
    for _ in range(_MAX_RELAYS):
        found = _ATTRIBUTED.fullmatch(text)
        if found is None:
            return
        text = found[5]
        yield found[1] or found[2] or found[3] or found[4], text


def quoted(text: str) -> str:
    """
    Put a bar before each line but the first that begins with a name, as a
    relayed message does: all lines are of the same sender.
    """
    first, *others = text.split("\n")
    marked = (
        f"| {line}" if next(attributions(line), None) is not None else line
        for line in others
    )
    return "\n".join([first, *marked])


def comparableName(name: str) -> str:
    """
    Normalise a name for comparison: the name in an attribution and the name of
    its author become the same.
    """
    return comparable(oneWord(name))


def comparable(text: str) -> str:
    """
    Normalise a text for comparison: without formatting, zero width spaces, case,
    and with single spaces.
    """
    return " ".join(stripFormatting(text).replace(GAP, "").split()).casefold()
