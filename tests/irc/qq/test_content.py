"""
Content of QQ messages as IRC text, and IRC text as content.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.qq.content import contentToText, textToContent
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
def test_contentToText(content: Content, text: str) -> None:
    """
    Faces become their names, pictures without a link a word.
    """
    assert contentToText(content) == text


def test_textToContent() -> None:
    """
    Names of faces in brackets become faces; colours and control characters are
    removed.
    """
    assert textToContent("\x0304,05red\x0f and \x02bold\x02 [微笑]\x07") == (
        Text("red and bold "),
        Face(14),
    )
    assert textToContent("[nothing] of that") == (Text("[nothing] of that"),)


def test_roundTrip() -> None:
    """
    Content that is converted to text and back is the same.
    """
    content = (Text("a"), Face(14), Text("b"))
    assert textToContent(contentToText(content)) == content
    assert plainText(textToContent("no faces")) == "no faces"
