"""
Nicks and channel names of what people and groups call themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from enum import Enum

MAX_NICK = 30
MAX_CHANNEL = 50

Romanise = Callable[[str], str]
"""Writes Chinese in Latin letters."""


class NickStyle(Enum):
    """
    What nicks are written in.
    """

    UTF8 = "utf-8"
    PINYIN = "pinyin"
    NUMBER = "number"


# What has a meaning in IRC, before a nick, in masks, or between parameters.
_NO_NICK = re.compile(r"[\s!@#&+%~:*?,.$\"'<>/()=;\x00-\x20\x7f]+")
_NO_CHANNEL = re.compile(r"[\s,:\x00-\x20\x7f]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


def nickFor(
    name: str,
    number: int,
    style: NickStyle,
    taken: Container[str],
    romanise: Romanise | None = None,
    limit: int = MAX_NICK,
) -> str:
    """
    A nick that nobody has.

    @param number: stands for whoever's name has nothing for a nick, and tells
        people of one name apart.
    @param romanise: for L{NickStyle.PINYIN}; without it, that is L{NickStyle.NUMBER}.
    """
    name = _written(name, style, romanise)
    return _free(_nick(name) or f"qq{number}", number, taken, limit)


def channelFor(
    name: str,
    number: int,
    style: NickStyle,
    taken: Container[str],
    romanise: Romanise | None = None,
    limit: int = MAX_CHANNEL,
) -> str:
    """
    A channel's name that no other one has; as L{nickFor}.
    """
    name = _written(name, style, romanise)
    seen = _NO_CHANNEL.sub("_", _visible(name)).strip("_")
    return _free(f"#{seen or number}", number, taken, limit)


def _written(name: str, style: NickStyle, romanise: Romanise | None) -> str:
    if style is NickStyle.PINYIN and romanise is not None:
        romanised = romanise(name)
        return romanised if romanised.isascii() else ""
    return name if style is NickStyle.UTF8 else ""


def isNick(text: str, limit: int = MAX_NICK) -> bool:
    """
    Whether somebody may be called so.
    """
    return (
        0 < len(text.encode()) <= limit
        and _visible(text) == text
        and _NO_NICK.search(text) is None
        and not _isOption(text)
    )


def isChannel(text: str, limit: int = MAX_CHANNEL) -> bool:
    """
    Whether a channel may be called so.
    """
    rest = text[1:]
    return (
        text.startswith("#")
        and bool(rest)
        and len(text.encode()) <= limit
        and _visible(rest) == rest
        and _NO_CHANNEL.search(rest) is None
    )


def _visible(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    return "".join(c for c in normal if unicodedata.category(c) not in _UNSEEN)


def _nick(name: str) -> str:
    # What separates words stays a gap, what is only decoration goes.
    spaced = re.sub(r"\s+", "_", name.strip())
    nick = _NO_NICK.sub("", _visible(spaced)).strip("_")
    return f"_{nick}" if _isOption(nick) else nick


def _isOption(nick: str) -> bool:
    # Clients take these for numbers and options.
    return nick[:1].isdigit() or nick[:1] == "-"


def _free(name: str, number: int, taken: Container[str], limit: int) -> str:
    count, ending = 1, ""
    while (free := _cut(name, limit - len(ending)) + ending) in taken:
        ending = f"_{number}" if count == 1 else f"_{number}_{count}"
        count += 1
    return free


def _cut(name: str, limit: int) -> str:
    return name.encode()[:limit].decode("utf-8", "ignore")
