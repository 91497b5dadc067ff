"""
What is said, between QQ and IRC.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.protocol.splitting import (
    contentToText,
    lines,
    parseAction,
    splitLossless,
    splitText,
    stripFormatting,
    textToContent,
)
from txwebqq.model import Content, Face, GroupPicture, OfflinePicture, Text, plainText


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ((Text("hi "),), "hi"),
        ((Text("茶"), Face(14), Text("?")), "茶[微笑]?"),
        ((GroupPicture("a.png"), Text(" look")), "[图片] look"),
        ((OfflinePicture("/x"),), "[图片]"),
        ((), ""),
    ],
)
def test_shown(content: Content, text: str) -> None:
    """
    Faces have their names, and pictures a word.
    """
    assert contentToText(content) == text


def test_read() -> None:
    """
    Names in brackets are faces; colours and control characters are gone.
    """
    assert textToContent("\x0304,05red\x0f and \x02bold\x02 [微笑]\x07") == (
        Text("red and bold "),
        Face(14),
    )
    assert textToContent("[nothing] of that") == (Text("[nothing] of that"),)


def test_stripFormatting() -> None:
    """
    A colour takes its digits with it, and no more.
    """
    assert stripFormatting("\x03123 \x04FF00AAx\x04 \x1di\x1d") == "3 x i"


def test_lines() -> None:
    """
    Each line stands alone, and nothing can be smuggled in.
    """
    text = "one\r\n\r\nQUIT :x\rtwo\n \nthree\0\x01"
    assert lines(text) == ["one", "QUIT :x", "two", "three"]


def test_action() -> None:
    """
    Actions are known with and without their last mark.
    """
    assert parseAction("\x01ACTION waves\x01") == "waves"
    assert parseAction("\x01ACTION waves") == "waves"
    assert parseAction("\x01VERSION\x01") is None
    assert parseAction("ACTION waves") is None


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")),
    st.integers(8, 60),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_split(text: str, room: int, encoding: str) -> None:
    """
    No piece is too long, and nothing but spaces at the cuts is lost.
    """
    pieces = splitText(text, room, encoding)
    assert all(len(piece.encode(encoding, "replace")) <= room for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_words() -> None:
    """
    Lines are cut after words, and never within what looks like one character.
    """
    assert splitText("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert splitText("茶" * 5, 8) == ["茶茶", "茶茶", "茶"]
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert splitText(f"ab{family}", len(family.encode()) + 1) == ["ab", family]
    assert splitText("", 10) == [""]


def test_faithful() -> None:
    """
    What is shown and read again says the same.
    """
    content = (Text("a"), Face(14), Text("b"))
    assert textToContent(contentToText(content)) == content
    assert plainText(textToContent("no faces")) == "no faces"


@given(text=st.text(alphabet="ab 茶\U0001f600", max_size=40), room=st.integers(4, 12))
def test_cuts(text: str, room: int) -> None:
    """
    Pieces that are put together again fit, and are what they were.
    """
    pieces = list(splitLossless(text, room))
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= room for piece in pieces)
