"""
Contents of messages, CQ codes and emoticons.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.faces import faceNamed
from txwebqq.faces import nameOf as webqqNameOf
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    GroupPicture,
    Mention,
    Number,
    OfflinePicture,
    Reply,
    Text,
    UnknownSegment,
)
from txwebqq.onebot import segments
from txwebqq.onebot.cqcode import (
    escapeText,
    escapeValue,
    formatCQ,
    parseCQ,
    unescape,
)
from txwebqq.onebot.faces import nameOf, numberOf, webqqFace
from txwebqq.onebot.reading import programIdOf
from txwebqq.onebot.segments import (
    EVERYBODY,
    PictureStore,
    readContent,
    readSegments,
    writeContent,
)

TRICKY = st.lists(
    st.sampled_from(
        ["&", "&amp;", "&#91;", "&#93;", "&#44;", "[", "]", ",", "=", "[CQ:"]
    )
    | st.text(st.characters(codec="utf-8"), max_size=3)
).map("".join)
NAMES = st.text(st.sampled_from("abcxyz_"), min_size=1, max_size=6)


def read(message: Any, isPrivate: bool = True) -> Content:
    """
    Read a message.
    """
    return readContent(message, isPrivate, PictureStore())


@given(TRICKY)
def test_escapes(text: str) -> None:
    """
    Escaped text is free of brackets, and comes back.
    """
    assert unescape(escapeText(text)) == unescape(escapeValue(text)) == text
    assert not set("[]") & set(escapeText(text))
    assert not set("[],") & set(escapeValue(text))


@given(
    st.lists(
        st.builds(
            lambda text: {"type": "text", "data": {"text": text}},
            TRICKY.filter(bool),
        )
        | st.builds(
            lambda kind, data: {"type": kind, "data": data},
            NAMES.filter(lambda name: name != "text"),
            st.dictionaries(NAMES, TRICKY, max_size=3),
        ),
        max_size=6,
    )
)
def test_codes(message: list[dict[str, Any]]) -> None:
    """
    Segments come back from their CQ codes, text beside text as one.
    """
    joined: list[dict[str, Any]] = []
    for segment in message:
        if joined and segment["type"] == joined[-1]["type"] == "text":
            text = joined.pop()["data"]["text"] + segment["data"]["text"]
            segment = {"type": "text", "data": {"text": text}}
        joined.append(segment)
    assert parseCQ(formatCQ(message)) == joined


@given(st.text(st.sampled_from("[]CQ:at,=&#91;x ")))
def test_anyCodes(text: str) -> None:
    """
    Any text is parsed, and without codes it is text.
    """
    parsed = parseCQ(text)
    if "[CQ:" not in text:
        assert parsed == (
            [{"type": "text", "data": {"text": unescape(text)}}] * bool(text)
        )


def test_exampleCodes() -> None:
    """
    The examples of the standard.
    """
    assert parseCQ("[CQ:face,id=178]看看我刚拍的照片[CQ:image,file=123.jpg]") == [
        {"type": "face", "data": {"id": "178"}},
        {"type": "text", "data": {"text": "看看我刚拍的照片"}},
        {"type": "image", "data": {"file": "123.jpg"}},
    ]
    assert parseCQ(
        "&#91;震惊&#93;[CQ:share,title=a&#44;b,url=http://x/?a=1&amp;b=2]"
    ) == [
        {"type": "text", "data": {"text": "[震惊]"}},
        {"type": "share", "data": {"title": "a,b", "url": "http://x/?a=1&b=2"}},
    ]
    assert parseCQ("[CQ:shake]") == [{"type": "shake", "data": {}}]


def test_messageForms() -> None:
    """
    A message is a list, a text, or one segment; all else has no segments.
    """
    segment = {"type": "text", "data": {"text": "x"}}
    whole: list[Any] = [[segment], segment, "x", ["x"]]
    for message in whole:
        assert readSegments(message) == [segment]
    none: list[Any] = [
        None,
        1,
        True,
        [None, 1, {}, {"type": None}, {"type": 1}],
        {},
        [],
    ]
    for message in none:
        assert readSegments(message) == []


def test_faces() -> None:
    """
    Emoticons have other numbers, and the same names.
    """
    for number, name in ((51, None), (20, "偷笑"), (39, "再见"), (63, "玫瑰")):
        face = webqqFace(number)
        if name is None:
            assert face is None
        else:
            assert face is not None
            assert (nameOf(number), webqqNameOf(face.id)) == (name, name)
            assert numberOf(face) == number
    # Sent as they are, these would be others.
    rose = faceNamed("玫瑰")
    assert rose is not None
    assert rose.id != 63


@pytest.mark.parametrize("number", range(500))
def test_faceRoundTrip(number: int) -> None:
    """
    An emoticon that both have goes to WebQQ and back by its name; one that WebQQ
    lacks becomes its name.
    """
    segment = {"type": "face", "data": {"id": str(number)}}
    (made,) = read([segment])
    if isinstance(made, Text):
        assert made.text == f"[{nameOf(number)}]"
    else:
        assert isinstance(made, Face)
        (back,) = writeContent([made], PictureStore())
        assert nameOf(int(back["data"]["id"])) == nameOf(number)


def test_webqqFaces() -> None:
    """
    Each emoticon of WebQQ goes to today's QQ as the one of its name, or as its name.
    """
    kept = 0
    for number in range(200):
        (segment,) = writeContent([Face(number)], PictureStore())
        if segment["type"] == "text":
            assert segment["data"]["text"] == f"[{webqqNameOf(number)}]"
        else:
            kept += 1
            assert read([segment]) == (Face(number),)
    assert kept > 80


def test_reading() -> None:
    """
    Segments as content; what WebQQ lacks is a text that says what it is.
    """
    message = [
        {"type": "reply", "data": {"id": "5"}},
        {"type": "at", "data": {"qq": "10001"}},
        {"type": "at", "data": {"qq": 20001, "name": "@Ali"}},
        {"type": "at", "data": {"qq": "all"}},
        {"type": "text", "data": {"text": " hi"}},
        {"type": "face", "data": {"id": 14}},
        {"type": "dice", "data": {"result": "6"}},
        {"type": "file", "data": {"name": "a.txt", "file_id": "/1"}},
        {"type": "json", "data": {"data": '{"prompt": "[分享]看"}'}},
        {"type": "mface", "data": {"summary": "[开心]"}},
        {"type": "novelty", "data": {"x": 1}},
    ]
    assert read(message) == (
        Reply(5),
        Mention(Number(10001), "10001"),
        Mention(Number(20001), "Ali"),
        Mention(Number(0), EVERYBODY),
        Text(" hi"),
        webqqFace(14),
        Text("[骰子 6][文件 a.txt][卡片 分享]看][表情 开心]"),
        UnknownSegment({"type": "novelty", "data": {"x": 1}}),
    )


def test_strangeMentions() -> None:
    """
    A mention or a reply without its number is a text, or nothing.
    """
    datas: list[Any] = [None, {}, {"qq": None}, {"qq": []}, {"qq": ""}]
    for data in datas:
        assert read([{"type": "at", "data": data}]) == ()
    for who in ("0", -5, "Ali", 0):
        assert read([{"type": "at", "data": {"qq": who}}]) == (Text(f"@{who}"),)
    assert read([{"type": "at", "data": {"qq": "x", "name": "Ali"}}]) == (Text("@Ali"),)
    ids: list[Any] = [None, "", "x", 0, [], {}]
    for messageId in ids:
        assert read([{"type": "reply", "data": {"id": messageId}}]) == ()


@pytest.mark.parametrize("messageId", ["5", 5, "-5", -5, str(-(2**31)), 2**31 - 1])
def test_replies(messageId: Any) -> None:
    """
    A reply comes back with the id of the program, as a text.
    """
    (made,) = read([{"type": "reply", "data": {"id": messageId}}])
    assert isinstance(made, Reply)
    assert made.id > 0
    assert programIdOf(made.id) == int(messageId)
    written = writeContent([made], PictureStore())
    assert written == [{"type": "reply", "data": {"id": str(messageId)}}]


def test_writingMentions() -> None:
    """
    Mentions go to groups as such, with a space before a word that follows, and as
    texts to friends, where programs leave them out. The reply comes first.
    """
    ali, everybody = Mention(Number(5), "Ali"), Mention(Number(0), EVERYBODY)

    def write(*content: Any, isPrivate: bool = False) -> list[Any]:
        written = writeContent(content, PictureStore(), isPrivate)
        return [next(iter(segment["data"].values())) for segment in written]

    assert writeContent([ali, everybody], PictureStore()) == [
        {"type": "at", "data": {"qq": "5"}},
        {"type": "at", "data": {"qq": "all"}},
    ]
    assert write(ali, Text("hi")) == ["5", " hi"]
    assert write(ali, Text("你好")) == ["5", " 你好"]
    for text in (" hi", ": hi", "，", "\nhi", "!"):
        assert write(Text("hey "), ali, Text(text)) == ["hey ", "5", text]
    assert write(ali, everybody, Text("a"), Text("b")) == ["5", "all", " a", "b"]
    assert write(Text("a"), Reply(7), ali, Reply(8)) == ["7", "a", "5"]
    assert write(ali, Text("hi"), isPrivate=True) == ["@Ali", " hi"]


def test_pictures() -> None:
    """
    A picture is known by its name, and what it takes to fetch it is remembered.
    """
    pictures = PictureStore()
    message = [{"type": "image", "data": {"file": "A.jpg", "url": "https://x/1"}}]
    assert readContent(message, True, pictures) == (OfflinePicture("A.jpg"),)
    assert readContent(message, False, pictures) == (GroupPicture("A.jpg"),)
    assert pictures.url("A.jpg") == "https://x/1"
    # Sent on, it is its address.
    for segment in (
        OfflinePicture("A.jpg"),
        GroupPicture("A.jpg"),
        CustomFace("A.jpg"),
    ):
        assert writeContent([segment], pictures) == [
            {"type": "image", "data": {"file": "https://x/1", "summary": ""}}
        ]
    with pytest.raises(ValueError, match="not uploaded"):
        writeContent([GroupPicture("B.jpg")], pictures)
    assert readContent([{"type": "image", "data": {}}], True, pictures) == (
        Text("[图片]"),
    )


def test_picturesWithin(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Pictures that are within the messages are remembered up to a size, together; the
    last one is in any case.
    """
    monkeypatch.setattr(segments, "MAX_ADDRESSES", 50)
    pictures = PictureStore()

    def show(name: str, size: int) -> None:
        data = {"file": name, "url": "base64://" + "A" * size}
        readContent([{"type": "image", "data": data}], True, pictures)

    for name in "aabc":
        show(name, 11)
    assert [bool(pictures.url(name)) for name in "abc"] == [False, True, True]
    show("d", 100)
    assert [bool(pictures.url(name)) for name in "bcd"] == [False, False, True]
    show("e", 11)
    show("f", 11)
    assert [bool(pictures.url(name)) for name in "def"] == [False, True, True]


def test_uploaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Uploaded pictures are kept, up to a size; the last one is in any case.
    """
    monkeypatch.setattr(segments, "MAX_UPLOADED", 10)
    monkeypatch.setattr(segments, "MAX_PICTURES", 2)
    pictures = PictureStore()
    for name in "abc":
        pictures.keepUploaded(name, b"1234")
        pictures.keepURL(name, f"http://{name}")
    assert [pictures.uploaded(name) for name in "abc"] == [None, b"1234", b"1234"]
    assert [pictures.url(name) for name in "abc"] == ["", "http://b", "http://c"]
    pictures.keepUploaded("b", b"12")
    pictures.keepUploaded("d", b"1234")
    assert pictures.uploaded("c") == b"1234"
    pictures.keepUploaded("e", b"x" * 50)
    assert pictures.uploaded("e") == b"x" * 50
    pictures.dropUploaded("e")
    pictures.dropUploaded("e")
    pictures.keepUploaded("f", b"1234")
    pictures.keepUploaded("g", b"1234")
    assert pictures.uploaded("f") == b"1234"


def test_writing() -> None:
    """
    A content as segments; segments of today's QQ that an application makes pass.
    """
    pictures = PictureStore()
    pictures.keepUploaded("A.png", b"png")
    content: Content = (
        Text("[CQ:at,qq=all]"),
        GroupPicture("A.png"),
        UnknownSegment({"type": "at", "data": {"qq": "5"}}),
        UnknownSegment({"type": "shake"}),
    )
    assert writeContent(content, pictures) == [
        {"type": "text", "data": {"text": "[CQ:at,qq=all]"}},
        {"type": "image", "data": {"file": "base64://cG5n", "summary": ""}},
        {"type": "at", "data": {"qq": "5"}},
        {"type": "shake", "data": {}},
    ]
    for raw in (["cface", "x"], {}, None, {"type": 1}):
        with pytest.raises(ValueError, match="cannot be sent"):
            writeContent([UnknownSegment(raw)], pictures)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = sorted(segments._DESCRIBED.keys() | {"text", "face", "at", "reply", "image"})
FIELDS = ["text", "id", "qq", "name", "file", "url", "data", "summary", "result"]


@given(
    ANY
    | st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(KINDS) | ANY},
            optional={
                "data": ANY | st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4)
            },
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_anyMessage(message: Any, isPrivate: bool) -> None:
    """
    Any message is read, and what comes of it can be sent or is refused.
    """
    pictures = PictureStore()
    content = readContent(message, isPrivate, pictures)
    for segment in content:
        if isinstance(segment, Text):
            assert len(segment.text) >= 1
    try:
        written = writeContent(content, pictures)
    except ValueError:
        return
    json.dumps(written)
