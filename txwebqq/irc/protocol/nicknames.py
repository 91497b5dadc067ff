"""
Nicks and channel names derived from the names of QQ accounts and groups, and
the form in which a name is shown to others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from enum import Enum
from functools import lru_cache

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
_SERVICES = frozenset({"global", "services"})
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Me"})
# Letters, marks and symbols that are drawn as nothing.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_VARIATIONS = frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
_UNSEEN = _BLANK | _VARIATIONS
# Brackets that look like those around the name of a sender.
_ROUND_BRACKETS = str.maketrans(
    "<\uff1c\u2039\u3008\u2329\u27e8\u276e\u2770\ufe64\u1438\u02c2"
    ">\uff1e\u203a\u3009\u232a\u27e9\u276f\u2771\ufe65\u1433\u02c3",
    "(" * 11 + ")" * 11,
)
_MAX_MARKS = 3
"""Maximum number of accents on one character of a shown name."""


def displayName(name: str) -> str:
    """
    Return a name as it is shown to others, on one line: without characters that
    cannot be seen, that change the direction of the text or the colour, and with
    round brackets in the place of angle brackets. So no name looks like two
    senders, and names that look the same are the same.

    @return: C{""} when nothing of the name can be seen.
    """
    shown: list[str] = []
    marks = 0
    for at, character in enumerate(name):
        kind = unicodedata.category(character)
        if kind.startswith("Z") or character in "\t\r\n":
            character = " "
        elif not _isShown(character, kind, shown, name[at + 1 : at + 2]):
            continue
        marks = marks + 1 if kind in _MARKS else 0
        if marks <= _MAX_MARKS:
            shown.append(character)
    text = unicodedata.normalize("NFC", "".join(shown).translate(_ROUND_BRACKETS))
    return " ".join(text.split())


def _isShown(character: str, kind: str, before: list[str], after: str) -> bool:
    last = before[-1] if before else " "
    if character == _JOINER:
        # It joins the parts of an emoji; between letters it cannot be seen.
        return bool(after) and unicodedata.category(after) == "So" and last != " "
    if kind in _INVISIBLE or character in _BLANK:
        return False
    if character in _VARIATIONS:
        return unicodedata.category(last) == "So"
    # A mark at the beginning would be drawn on the bracket before it.
    return kind not in _MARKS or last != " "


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
    name = displayName(_transcribed(name, style, romanise))
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


@lru_cache(maxsize=4096)
def isServiceNick(text: str) -> bool:
    """
    Return whether a nick is, or looks like, that of a service of IRC networks,
    such as C{NickServ}: users, and clients by themselves, send their passwords
    to it.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded in _SERVICES or folded.endswith("serv")


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
    visible = (
        c
        for c in text
        if unicodedata.category(c) not in _INVISIBLE and c not in _UNSEEN
    )
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
