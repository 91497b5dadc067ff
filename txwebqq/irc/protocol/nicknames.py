"""
Nicks and channel names derived from the names of QQ accounts and groups.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from enum import Enum

MAX_NICK = 30
"""Maximum length of a nick, in bytes."""

MAX_CHANNEL = 50
"""Maximum length of a channel name, in bytes."""

Romanise = Callable[[str], str]
"""A function that transcribes Chinese to Latin letters."""


class NickStyle(Enum):
    """
    Characters used for nicks: those of the name, pinyin, or the QQ number.
    """

    UTF8 = "utf-8"
    PINYIN = "pinyin"
    NUMBER = "number"


# Characters with a meaning in IRC: before nicks, in masks, between parameters.
_NO_NICK = re.compile(r"[\s!@#&+%~:*?,.$\"'<>/()=;\x00-\x20\x7f]+")
_NO_CHANNEL = re.compile(r"[\s,:\x00-\x20\x7f]+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


def nickFor(
    name: str,
    number: int,
    style: NickStyle,
    taken: Container[str],
    romanise: Romanise | None = None,
    limit: int = MAX_NICK,
) -> str:
    """
    Derive a free nick from the name of an account.

    @param number: the account's number: the nick when no character of the name
        can be used, and a suffix when the nick is taken.
    @param romanise: for L{NickStyle.PINYIN}; without it that style is
        L{NickStyle.NUMBER}.
    """
    name = _transcribed(name, style, romanise)
    return _free(_cleanNick(name) or f"qq{number}", number, taken, limit)


def channelFor(
    name: str,
    number: int,
    style: NickStyle,
    taken: Container[str],
    romanise: Romanise | None = None,
    limit: int = MAX_CHANNEL,
) -> str:
    """
    Derive a free channel name from the name of a group, as L{nickFor} does.
    """
    name = _transcribed(name, style, romanise)
    clean = _NO_CHANNEL.sub("_", _visible(name)).strip("_")
    return _free(f"#{clean or number}", number, taken, limit)


def _transcribed(name: str, style: NickStyle, romanise: Romanise | None) -> str:
    if style is NickStyle.PINYIN and romanise is not None:
        romanised = romanise(name)
        return romanised if romanised.isascii() else ""
    return name if style is NickStyle.UTF8 else ""


def isNick(text: str, limit: int = MAX_NICK) -> bool:
    """
    Return whether a text is a valid nick.
    """
    return (
        0 < len(text.encode()) <= limit
        and _visible(text) == text
        and _NO_NICK.search(text) is None
        and not _isOption(text)
    )


def isChannel(text: str, limit: int = MAX_CHANNEL) -> bool:
    """
    Return whether a text is a valid channel name.
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
    visible = (c for c in text if unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFC", "".join(visible))


def _cleanNick(name: str) -> str:
    # Spaces between words become underscores; decoration is removed.
    spaced = re.sub(r"\s+", "_", name.strip())
    # Marks that were apart may be in the wrong order now, hence NFC once more.
    nick = unicodedata.normalize("NFC", _NO_NICK.sub("", _visible(spaced))).strip("_")
    return f"_{nick}" if _isOption(nick) else nick


def _isOption(nick: str) -> bool:
    # Clients read these as numbers and options.
    return nick[:1].isdigit() or nick[:1] == "-"


def _free(name: str, number: int, taken: Container[str], limit: int) -> str:
    count, suffix = 1, ""
    while (free := _truncated(name, limit - len(suffix)) + suffix) in taken:
        suffix = f"_{number}" if count == 1 else f"_{number}_{count}"
        count += 1
    return free


def _truncated(name: str, limit: int) -> str:
    return name.encode()[:limit].decode("utf-8", "ignore")
