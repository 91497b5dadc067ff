"""
IRC formatting codes and CTCP ACTION, and conversion between formatting codes
and QQ fonts.

A QQ message has one font, so formatting becomes a font only when it covers the
whole of a message.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.model import Font

BOLD, ITALIC, UNDERLINE, COLOR, HEX_COLOR = "\x02", "\x1d", "\x1f", "\x03", "\x04"

_PLAIN = Font()

COLORS = (
    "ffffff",
    "000000",
    "00007f",
    "009300",
    "ff0000",
    "7f0000",
    "9c009c",
    "fc7f00",
    "ffff00",
    "00fc00",
    "009393",
    "00ffff",
    "0000fc",
    "ff00ff",
    "7f7f7f",
    "d2d2d2",
)
"""RGB values of the IRC colours 0 to 15."""

_FORMATTING = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    "|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_ACTION = re.compile("\x01ACTION ?(.*?)\x01?", re.DOTALL)
_CODE = re.compile(
    "\x02|\x1d|\x1f|\x03(?:([0-9]{1,2})(?:,[0-9]{1,2})?)?"
    "|\x04(?:([0-9A-Fa-f]{6})(?:,[0-9A-Fa-f]{6})?)?|[\x0f\x11\x16\x1e]"
)
_PREFIX = re.compile("(?:\x02|\x1d|\x1f|\x03[0-9]{2})+")


def stripFormatting(text: str) -> str:
    """
    Remove the formatting codes from a text.
    """
    return _FORMATTING.sub("", text)


def parseAction(text: str) -> str | None:
    """
    Return the text of a CTCP ACTION (C{/me}), C{None} for any other text.
    """
    found = _ACTION.fullmatch(text)
    return None if found is None else found[1]


def fontOf(text: str) -> Font:
    """
    Return the font that all lines of a text are formatted as, the default font
    when the formatting changes within the text.
    """
    if text.isprintable():
        # Nearly all texts have no codes.
        return _PLAIN
    found = {_fontOfLine(line) for line in re.split("\r\n|\r|\n", text) if line.strip()}
    return found.pop() if len(found) == 1 else _PLAIN


def _fontOfLine(line: str) -> Font:
    font, at = _PLAIN, 0
    while (code := _CODE.match(line, at)) is not None:
        at = code.end()
        match code[0][0]:
            case "\x02":
                font = replace(font, bold=not font.bold)
            case "\x1d":
                font = replace(font, italic=not font.italic)
            case "\x1f":
                font = replace(font, underline=not font.underline)
            case "\x03" | "\x04":
                font = replace(font, color=_color(code[1], code[2]))
            case "\x0f":
                font = _PLAIN
    rest = line[at:].rstrip("\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f")
    return font if _CODE.search(rest) is None else _PLAIN


def _color(number: str | None, digits: str | None) -> str:
    if digits:
        return digits.lower()
    if number and int(number) < len(COLORS):
        return COLORS[int(number)]
    return _PLAIN.color


def formatted(text: str, font: Font) -> str:
    """
    Put the formatting codes of a font before each line of a text.
    """
    codes = BOLD * font.bold + ITALIC * font.italic + UNDERLINE * font.underline
    nearest = _nearest(font.color)
    if COLORS[nearest] != _PLAIN.color:
        codes += f"{COLOR}{nearest:02}"
    return "\n".join(codes + line for line in splitLines(text)) if codes else text


def _nearest(color: str) -> int:
    if re.fullmatch("[0-9A-Fa-f]{6}", color) is None:
        color = _PLAIN.color

    def distance(number: int) -> int:
        return sum(
            (int(color[i : i + 2], 16) - int(COLORS[number][i : i + 2], 16)) ** 2
            for i in (0, 2, 4)
        )

    return min(range(len(COLORS)), key=distance)


def prefixOf(line: str) -> str:
    """
    Return the codes that L{formatted} has put before a line.
    """
    found = _PREFIX.match(line)
    return found[0] if found else ""
