"""
Transcription of Chinese names to pinyin, by the optional pypinyin.
"""

from __future__ import annotations

from txwebqq.irc.protocol.nicknames import Romanise


def pinyinRomaniser() -> Romanise | None:
    """
    Return the function that transcribes names, L{None} without pypinyin.
    """
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        return None
    return lambda name: "".join(word.capitalize() for word in lazy_pinyin(name))
