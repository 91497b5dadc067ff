"""
Content of messages, as it is sent and as it is received.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    Font,
    GroupPicture,
    OfflinePicture,
    Segment,
    Text,
    UnknownSegment,
    plainText,
)
from txwebqq.wire.content import (
    decodeReceived,
    decodeSent,
    encodeReceived,
    encodeSent,
    sizeOf,
)
from txwebqq.wire.jsontext import encodeJSON

PLAIN = Font()
LOUD = Font("微软雅黑", 24, bold=True, underline=True, color="ff0080")
FONT = '["font",{"name":"宋体","size":"10","style":[0,0,0],"color":"000000"}]'

TEXTS = [
    "hi",
    'he said "hi"',
    "back\\slash \\n \\\\",
    "it's",
    '",["font",',
    '["x",[]]',
    "]}&r={",
    "100% + a=b & c;",
    "line\nbreak\n",
    "\ttab\x00nul\x1f\x7f",
    " padded ",
    "trailing   ",
    "   ",
    "\n",
    "中文，全角\u3000空格",
    "😀👨‍👩‍👧 \U0010ffff",
    "\u202eمرحبا שלום\u200f",
    "e\u0301 \u00e9",
    "\u2028\u2029\ufeff\ufffd\ufffe\uffff",
    "x" * 20_000,
    "好" * 20_000,
    "\\u4f60",
    "\\ud83d",
]


def relayed(content: Content, font: Font = PLAIN) -> tuple[Content, Font]:
    """
    Return a content as a recipient decodes it, after the server.
    """
    sent, itsFont = decodeSent(encodeSent(content, font))
    wire = encodeJSON(encodeReceived(sent, itsFont))
    return decodeReceived(json.loads(wire))


@pytest.mark.parametrize("text", TEXTS, ids=[*map(str, range(len(TEXTS)))])
def test_text(text: str) -> None:
    """
    Text arrives unchanged, with trailing spaces.
    """
    assert relayed((Text(text),)) == ((Text(text),), PLAIN)
    assert decodeSent(encodeSent((Text(text),), PLAIN)) == ((Text(text),), PLAIN)


SEGMENTS: list[tuple[Segment, Any, Any]] = [
    (Text("a"), "a", "a"),
    (Face(14), ["face", 14], ["face", 14]),
    (Face(0), ["face", 0], ["face", 0]),
    (
        GroupPicture("587D.jPg"),
        ["cface", "group", "587D.jPg"],
        ["cface", {"name": "587D.jPg", "file_id": 0, "key": "", "server": ""}],
    ),
    (CustomFace("5E10.jpg"), ["cface", "5E10.jpg"], ["cface", "5E10.jpg", ""]),
    (UnknownSegment(["pic_id", "5E10"]), ["pic_id", "5E10"], ["pic_id", "5E10"]),
    (UnknownSegment(["cface_idx", 1]), ["cface_idx", 1], ["cface_idx", 1]),
    (UnknownSegment(["face", -1]), ["face", -1], ["face", -1]),
    (UnknownSegment(["face", True]), ["face", True], ["face", True]),
    (UnknownSegment(["face", 2**63]), ["face", 2**63], ["face", 2**63]),
    (UnknownSegment({"a": None}), {"a": None}, {"a": None}),
    (UnknownSegment(None), None, None),
    (UnknownSegment(5), 5, 5),
]


@pytest.mark.parametrize(("segment", "sent", "received"), SEGMENTS)
def test_segments(segment: Segment, sent: Any, received: Any) -> None:
    """
    Each type of segment has one form when sent and one when received.
    """
    content = (Text("x"), segment, Text("y"))
    assert json.loads(encodeSent(content, PLAIN))[:-1] == ["x", sent, "y"]
    assert encodeReceived(content, PLAIN)[1:] == ["x", received, "y "]
    assert decodeSent(json.dumps(["x", sent, "y"])) == (content, PLAIN)
    assert decodeReceived([["font", {}], "x", received, "y "]) == (content, PLAIN)


def test_offlinePicture() -> None:
    """
    A photo is sent with its name and size, and received with its path only.
    """
    photo = OfflinePicture("/27d736df", "Beaver.bmp", 14173)
    sent = encodeSent((photo, Text("x")), PLAIN)
    assert json.loads(sent)[0] == ["offpic", "/27d736df", "Beaver.bmp", 14173]
    assert decodeSent(sent) == ((photo, Text("x")), PLAIN)
    assert relayed((photo,)) == ((OfflinePicture("/27d736df"),), PLAIN)


def test_fontBothWays() -> None:
    """
    The font is last when sent, with its size as a string, and first when received.
    """
    content = (Text("x"),)
    assert json.loads(encodeSent(content, LOUD)) == [
        "x",
        [
            "font",
            {
                "name": "微软雅黑",
                "size": "24",
                "style": [1, 0, 1],
                "color": "ff0080",
            },
        ],
    ]
    assert encodeReceived(content, LOUD) == [
        [
            "font",
            {
                "size": 24,
                "color": "ff0080",
                "style": [1, 0, 1],
                "name": "微软雅黑",
            },
        ],
        "x ",
    ]
    assert relayed(content, LOUD) == (content, LOUD)


def test_atLeastOneString() -> None:
    """
    A content without text is sent with an empty string, without which servers refused
    it, and received without.
    """
    content = (Face(14), Face(1))
    assert json.loads(encodeSent(content, PLAIN))[:-1] == [
        ["face", 14],
        ["face", 1],
        "",
    ]
    assert relayed(content) == (content, PLAIN)
    assert relayed(()) == ((), PLAIN)


def test_padding() -> None:
    """
    A received message ends with one space: in its last text, or of its own.
    """
    assert encodeReceived((Text("a"),), PLAIN)[1:] == ["a "]
    assert encodeReceived((Text("a"), Face(1)), PLAIN)[1:] == ["a", ["face", 1], " "]
    assert encodeReceived((), PLAIN)[1:] == [" "]


@pytest.mark.parametrize(
    ("elements", "content", "font"),
    [
        (
            (
                '[["font",{"size":9,"color":"000000","style":[0,0,0],'
                '"name":"\\u5B8B\\u4F53"}],"\\u5728\\u5417 "]'
            ),
            (Text("在吗"),),
            Font(size=9),
        ),
        (
            (
                '[["font",{"size":10,"color":"808080","style":[0,0,0],'
                '"name":"\\u65B0\\u5B8B\\u4F53"}],"123",["face",1],'
                '"2343",["face",3]," "]'
            ),
            (Text("123"), Face(1), Text("2343"), Face(3)),
            Font("新宋体", color="808080"),
        ),
        (
            (
                '[["font",{"size":13,"color":"004faa","style":[0,0,0],"name":"STKaiti"}],'
                '"ooo "]'
            ),
            (Text("ooo"),),
            Font("STKaiti", 13, color="004faa"),
        ),
        # The earliest servers ended in CR, earlier ones in nothing.
        ('[["font",{}],"hi\\r"]', (Text("hi"),), PLAIN),
        ('[["font",{}],"hi"]', (Text("hi"),), PLAIN),
        ('[["font",{}],"a\\rb\\r\\nc\\nd "]', (Text("a\nb\nc\nd"),), PLAIN),
        ('[["font",{}],"two  "]', (Text("two "),), PLAIN),
        ('[["font",{}],"a ","b "]', (Text("a "), Text("b")), PLAIN),
        ('[["font",{}]," "]', (), PLAIN),
        ('[["font",{}],""]', (), PLAIN),
        ('[["font",{}]]', (), PLAIN),
        ("[]", (), PLAIN),
        (
            (
                '[["font",{}],["cface",{"name":"{99820253-D7C7-8EDC-3F1E-53B08AE5C390}.jpg",'
                '"file_id":2610173877,"key":"kYcHT8iFXBGKgETy",'
                '"server":"183.60.50.34:80"}]," "]'
            ),
            (
                GroupPicture(
                    "{99820253-D7C7-8EDC-3F1E-53B08AE5C390}.jpg",
                    2610173877,
                    "kYcHT8iFXBGKgETy",
                    "183.60.50.34:80",
                ),
            ),
            PLAIN,
        ),
        (
            '[["font",{}],["cface","5E10B9BCA2BDF8489CB3239DFFA745B5.jpg",""]," "]',
            (CustomFace("5E10B9BCA2BDF8489CB3239DFFA745B5.jpg"),),
            PLAIN,
        ),
        (
            (
                '[["font",{}],["offpic",{"success":1,'
                '"file_path":"/7acccf74-0fcd-4bbd-b885-03a5cc2f7507"}]," "]'
            ),
            (OfflinePicture("/7acccf74-0fcd-4bbd-b885-03a5cc2f7507"),),
            PLAIN,
        ),
        (
            (
                '[["font",{}],["offpic",{"success":0}],["pic_id","5E10"],'
                '["image","jpg",0],["cface_idx",1]," "]'
            ),
            (
                UnknownSegment(["offpic", {"success": 0}]),
                UnknownSegment(["pic_id", "5E10"]),
                UnknownSegment(["image", "jpg", 0]),
                UnknownSegment(["cface_idx", 1]),
            ),
            PLAIN,
        ),
        # A group's "super emoticon".
        ('[""]', (), PLAIN),
    ],
)
def test_received(elements: str, content: Content, font: Font) -> None:
    """
    Arrays of Tencent's servers are decoded as protocol.md 4 explains them.
    """
    assert decodeReceived(json.loads(elements)) == (content, font)


@pytest.mark.parametrize("elements", [None, "text", 5, {"0": "text"}, True])
def test_notReceived(elements: Any) -> None:
    """
    A content that is no array is malformed.
    """
    with pytest.raises(MalformedReply):
        decodeReceived(elements)


@pytest.mark.parametrize(
    ("sent", "content", "font"),
    [
        ('["text"]', (Text("text"),), PLAIN),
        ('["text",[]]', (Text("text"),), PLAIN),
        (f'["text",{FONT}]', (Text("text"),), PLAIN),
        (f'[{FONT},"text"]', (Text("text"),), PLAIN),
        (
            f'["开会\\n",["face",14],"马上",{FONT}]',
            (Text("开会\n"), Face(14), Text("马上")),
            PLAIN,
        ),
        (
            (
                '["hi",["font",{"name":"Arial","size":12,"style":[1,0,0],'
                '"color":"ff0000"}]]'
            ),
            (Text("hi"),),
            Font("Arial", 12, bold=True, color="ff0000"),
        ),
        # One client writes everything beyond ASCII as escapes, another & and +.
        (r'["\u9a6c\u4e0a \u0026\u002B",[]]', (Text("马上 &+"),), PLAIN),
        ('["bare\nbreak\tand tab",[]]', (Text("bare\nbreak\tand tab"),), PLAIN),
        ('["bare\nbreak",["face",14]]', (Text("bare\nbreak"), Face(14)), PLAIN),
        (' [ "a" , [ ] ] ', (Text("a"),), PLAIN),
        (r'["\ud83d\ude00 \ud83d"]', (Text("😀 \ufffd"),), PLAIN),
        ("[]", (), PLAIN),
        ('[""]', (), PLAIN),
        ("[[]]", (), PLAIN),
        # Neither an array nor JSON: plain text.
        ("hello", (Text("hello"),), PLAIN),
        ('"hello"', (Text('"hello"'),), PLAIN),
        ("", (Text(""),), PLAIN),
        ("5", (Text("5"),), PLAIN),
    ],
)
def test_sent(sent: str, content: Content, font: Font) -> None:
    """
    Contents that clients of the time sent are decoded as they meant them.
    """
    assert decodeSent(sent) == (content, font)


UNESCAPED = [
    "a \\ b",
    'he said "hi"',
    '"',
    '""',
    '"],["',
    '",[] is a tail',
    'quote at the end"',
    "C:\\Windows",
    'x",["face",14]',
    'a ["font"] b "c"',
    "\\",
]


@pytest.mark.parametrize("text", UNESCAPED)
def test_unescaped(text: str) -> None:
    """
    Text and font arrive from the three clients that do not escape quotation marks and
    backslashes.
    """
    font = '["font",{"name":"Arial","size":"12","style":[1,0,0],"color":"ff0000"}]'
    arial = Font("Arial", 12, bold=True, color="ff0000")
    broken = 0
    for sent, expected in (
        (f'["{text}"]', PLAIN),
        (f'["{text}",[]]', PLAIN),
        (f'["{text}", [ ] ]', PLAIN),
        (f'["{text}",{font}]', arial),
        (f'["{text}", {font} ]', arial),
    ):
        try:
            json.loads(sent)
        except ValueError:
            broken += 1
            assert decodeSent(sent) == ((Text(text),), expected)
    assert broken


@pytest.mark.parametrize(
    "sent",
    [
        "[NaN]",
        '["x",Infinity]',
        "[[1e999]]",
        '["x"',
        '["',
        '["]',
        "[x]",
        "[" * 100_000,
        '["x"' + ",[" * 100_000,
    ],
)
def test_noContent(sent: str) -> None:
    """
    Text that is neither JSON nor in the form of those clients is malformed.
    """
    with pytest.raises(MalformedReply):
        decodeSent(sent)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "Arial",
        {"name": "Arial", "size": 10, "color": "000000"},
        {"name": "Arial", "size": 10, "style": [0, 0], "color": "000000"},
        {"name": "Arial", "size": 10, "style": 5, "color": "000000"},
        {"name": "Arial", "size": 10, "style": [[], {}, 0], "color": "000000"},
        {"name": "Arial", "size": "big", "style": [0, 0, 0], "color": "000000"},
        {"name": "Arial", "size": -1, "style": [0, 0, 0], "color": "000000"},
        {"name": "Arial", "size": 10**6, "style": [0, 0, 0], "color": "000000"},
        {"name": "Arial", "size": 10, "style": [0, 0, 0], "color": "0" * 100},
        {"name": "A" * 1000, "size": 10, "style": [0, 0, 0], "color": "000000"},
        {"name": {}, "size": 10, "style": [0, 0, 0], "color": "000000"},
    ],
)
def test_brokenFont(value: Any) -> None:
    """
    A malformed font is replaced by the default, and the text arrives.
    """
    elements = [["font", value], "x "]
    assert decodeReceived(elements) == ((Text("x"),), PLAIN)
    assert decodeSent(json.dumps(elements)) == ((Text("x "),), PLAIN)


def test_fontForms() -> None:
    """
    Sizes and styles are numbers or strings; of two fonts the first counts.
    """
    value = {"name": "Arial", "size": "12", "style": ["1", True, 0], "color": "ff0000"}
    other = {"name": "Tahoma", "size": 8, "style": [0, 0, 0], "color": "000000"}
    font = Font("Arial", 12, bold=True, italic=True, color="ff0000")
    elements = [["font", value], ["font", other], "x"]
    assert decodeReceived(elements) == ((Text("x"),), font)
    assert decodeSent(json.dumps(elements)) == ((Text("x"),), font)


def test_plainText() -> None:
    """
    The text of a message is its text segments, joined.
    """
    content, _ = decodeReceived([["font", {}], "a", ["face", 1], "b", " "])
    assert plainText(content) == "ab"


def test_size() -> None:
    """
    Text counts as UTF-8, other segments as their JSON.
    """
    assert sizeOf((Text("宋x"),)) == 4
    assert sizeOf((Face(14),)) == len('["face",14]')
