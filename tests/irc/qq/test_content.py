"""
Content of QQ messages as IRC text, and IRC text as content.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.qq.content import contentToText, fileToText, textToContent
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    GroupPicture,
    OfflinePicture,
    Text,
    plainText,
)


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


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ((GroupPicture("a"), Text("look")), "http://x/1.png look"),
        ((GroupPicture("a"), Text(""), Text("茶")), "http://x/1.png 茶"),
        ((Text("look"), OfflinePicture("/a"), Face(14)), "look http://x/1.png [微笑]"),
        ((GroupPicture("a"), GroupPicture("b")), "http://x/1.png http://x/2.gif"),
        ((Text("a\n"), GroupPicture("a"), Text("\nb")), "a\nhttp://x/1.png\nb"),
        ((Text("a "), GroupPicture("a"), Text(" b")), "a http://x/1.png b"),
        (
            (GroupPicture("a"), Text("茶"), GroupPicture("b"), CustomFace("c")),
            "http://x/1.png 茶 http://x/2.gif [图片]",
        ),
    ],
)
def test_links(content: Content, text: str) -> None:
    """
    Links to pictures are words of their own, so that clients find their ends.
    """
    links = ["http://x/1.png", "http://x/2.gif", ""]
    assert contentToText(content, links) == text


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
