"""
Content of QQ messages as IRC text, and IRC text as content.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.qq.content import contentToText, fileToText, textToContent
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


@pytest.mark.parametrize(
    ("name", "size", "text"),
    [
        ("a.txt", 0, "[文件] a.txt (0 bytes)"),
        ("a.txt", 1, "[文件] a.txt (1 byte)"),
        ("a  b\r\n.txt", 1023, "[文件] a b .txt (1023 bytes)"),
        ("\x0304,05red\x02.txt", 1024, "[文件] red.txt (1.0 KiB)"),
        ("\ud800", 5 * 1024 * 1024, "[文件] \ufffd (5.0 MiB)"),
        ("x" * 300, 3 << 30, f"[文件] {'x' * 200} (3.0 GiB)"),
    ],
)
def test_file(name: str, size: int, text: str) -> None:
    """
    A file is its name on one line and its size.
    """
    assert fileToText(name, size) == text
