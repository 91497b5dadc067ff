"""
Splitting of text into lines and parts.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.protocol.splitting import (
    joinWords,
    splitLines,
    splitLossless,
    splitText,
)


def test_splitLines() -> None:
    """
    Each line is separate, without control characters and blank lines.
    """
    text = "one\r\n\r\nQUIT :x\rtwo\n \nthree\0\x01"
    assert splitLines(text) == ["one", "QUIT :x", "two", "three"]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")),
    st.integers(8, 60),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_splitText(text: str, limit: int, encoding: str) -> None:
    """
    No part is longer than the limit, and only spaces at the cuts are lost.
    """
    parts = splitText(text, limit, encoding)
    assert all(len(part.encode(encoding, "replace")) <= limit for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_cuts() -> None:
    """
    Lines are cut after words, and never within a grapheme.
    """
    assert splitText("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert splitText("茶" * 5, 8) == ["茶茶", "茶茶", "茶"]
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert splitText(f"ab{family}", len(family.encode()) + 1) == ["ab", family]
    assert splitText("", 10) == [""]


@given(text=st.text(alphabet="ab 茶\U0001f600", max_size=40), limit=st.integers(4, 12))
def test_splitLossless(text: str, limit: int) -> None:
    """
    Parts that are joined again are the text, and no part is longer than the
    limit.
    """
    parts = list(splitLossless(text, limit))
    assert "".join(parts) == text
    assert all(len(part.encode()) <= limit for part in parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "看这里：http://example.org/0123456789",
            ["看这里：", "http://example.org/0123456789"],
        ),
        (
            "a http://example.org/0123456789 b",
            ["a", "http://example.org/0123456789", "b"],
        ),
        (
            "http://example.org/" + "x" * 30,
            ["http://example.org/" + "x" * 11, "x" * 19],
        ),
        ("ab http://example.org/" + "x" * 30, None),
        ("  http://example.org/" + "x" * 11, ["http://example.org/" + "x" * 11]),
        (" " * 40 + "x", ["x"]),
    ],
)
def test_links(text: str, parts: list[str] | None) -> None:
    """
    A link that fits on a line of its own is not cut; a longer one is. No part is
    blank.
    """
    found = splitText(text, 30)
    assert all(len(part.encode()) <= 30 for part in found)
    assert all(part.strip() for part in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert parts is None or found == parts
    assert "".join(splitLossless(text, 30)) == text


@given(st.lists(st.text("a小,", min_size=1, max_size=9)), st.sampled_from([" ", ";"]))
def test_joinWords(words: list[str], separator: str) -> None:
    """
    Words are joined in order, in as few texts as they fit into.
    """
    texts = list(joinWords(words, 20, separator=separator))
    assert [word for text in texts for word in text.split(separator)] == words
    assert all(len(t.encode()) <= 20 or separator not in t for t in texts)
    for text, after in pairwise(texts):
        following = after.split(separator)[0]
        assert len(f"{text}{separator}{following}".encode()) > 20
