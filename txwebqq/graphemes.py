"""
Grapheme clusters: characters as readers count them, which must not be cut
apart.

The rules are those of Unicode's annex 29, as far as they follow from the
categories that Python knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from unicodedata import category, combining

JOINER = 0x200D


class _Kind(Enum):
    OTHER = auto()
    RETURN = auto()
    CONTROL = auto()
    EXTEND = auto()
    JOINER = auto()
    SPACING = auto()
    PREPEND = auto()
    FLAG = auto()
    PICTURE = auto()
    INDIC = auto()
    HANGUL_L = auto()
    HANGUL_V = auto()
    HANGUL_T = auto()
    HANGUL_LV = auto()
    HANGUL_LVT = auto()


_PREPENDED = frozenset((*range(0x600, 0x606), 0x6DD, 0x70F, 0x8E2, 0x110BD, 0x110CD))
_SPACING = frozenset((0xE33, 0xEB3))
_PICTURES = frozenset((0xA9, 0xAE, 0x203C, 0x2049, 0x2122, 0x2139, 0x3030, 0x303D))


@lru_cache(maxsize=4096)
def _kindOf(character: str) -> _Kind:
    code = ord(character)
    if code < 0x300:
        if code in _PICTURES:
            return _Kind.PICTURE
        if code == 13:
            return _Kind.RETURN
        # The soft hyphen is a control character too.
        isControl = code < 32 or 127 <= code < 160 or code == 0xAD
        return _Kind.CONTROL if isControl else _Kind.OTHER
    if code == JOINER:
        return _Kind.JOINER
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F or code == 0x200C:
        return _Kind.EXTEND
    if 0x1F1E6 <= code <= 0x1F1FF:
        return _Kind.FLAG
    if code in _PREPENDED:
        return _Kind.PREPEND
    hangul = _hangulOf(code)
    if hangul is not None:
        return hangul
    kind = category(character)
    if kind in ("Mn", "Me"):
        return _Kind.EXTEND
    if kind == "Mc" or code in _SPACING:
        return _Kind.SPACING
    if kind in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return _Kind.CONTROL
    if code in _PICTURES or kind == "So" or 0x1F000 <= code <= 0x1FAFF:
        return _Kind.PICTURE
    return _Kind.INDIC if kind == "Lo" and 0x900 <= code < 0xE00 else _Kind.OTHER


def _hangulOf(code: int) -> _Kind | None:
    if 0xAC00 <= code <= 0xD7A3:
        return _Kind.HANGUL_LVT if (code - 0xAC00) % 28 else _Kind.HANGUL_LV
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return _Kind.HANGUL_L
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return _Kind.HANGUL_V
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return _Kind.HANGUL_T
    return None


_ATTACHED = {_Kind.EXTEND, _Kind.JOINER, _Kind.SPACING}
_CUT_OFF = {_Kind.CONTROL, _Kind.RETURN}
_HANGUL = {
    _Kind.HANGUL_L: {
        _Kind.HANGUL_L,
        _Kind.HANGUL_V,
        _Kind.HANGUL_LV,
        _Kind.HANGUL_LVT,
    },
    _Kind.HANGUL_LV: {_Kind.HANGUL_V, _Kind.HANGUL_T},
    _Kind.HANGUL_V: {_Kind.HANGUL_V, _Kind.HANGUL_T},
    _Kind.HANGUL_LVT: {_Kind.HANGUL_T},
    _Kind.HANGUL_T: {_Kind.HANGUL_T},
}

_VIRAMA = 9
"""The combining class of the signs that join two Indic consonants."""


def graphemes(text: str) -> Iterator[str]:
    """
    Split a text into characters, each with its accents, the parts of an emoji,
    or both halves of a flag. Joined they are the text again.
    """
    if text.isascii() and "\r" not in text:
        yield from text
        return
    start = 0
    for at in range(1, len(text)):
        if _isBoundary(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _isBoundary(text: str, start: int, at: int) -> bool:
    """
    Check that a character which begins at C{start} ends before C{at}.
    """
    before, after = _kindOf(text[at - 1]), _kindOf(text[at])
    if before is _Kind.RETURN:
        return text[at] != "\n"
    if before is _Kind.CONTROL or after in _CUT_OFF:
        return True
    if after in _ATTACHED or before is _Kind.PREPEND:
        return False
    if before is _Kind.JOINER and after is _Kind.PICTURE:
        return _kindOf(text[start]) is not _Kind.PICTURE
    if before is _Kind.FLAG and after is _Kind.FLAG:
        return (at - start) % 2 == 0
    if after is _Kind.INDIC and before in (_Kind.EXTEND, _Kind.JOINER):
        return not _isConjunct(text, start, at)
    return after not in _HANGUL.get(before, ())


def _isConjunct(text: str, start: int, at: int) -> bool:
    if _kindOf(text[start]) is not _Kind.INDIC:
        return False
    last = at - 1
    while last > start and combining(text[last]) != _VIRAMA:
        if _kindOf(text[last]) is not _Kind.JOINER:
            return False
        last -= 1
    return last > start
