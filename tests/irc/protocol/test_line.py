"""
Parsing and serialising of IRC lines, and division of a stream into lines.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.protocol.line import (
    MAX_LINE,
    OVERLONG,
    Line,
    LineBuffer,
    MalformedLine,
    Overlong,
    encodedLength,
    encodingOf,
    parse,
    serialise,
)

# Examples of the IRC client protocol and of IRCv3 message tags.
SPLIT = [
    (b"foo bar baz asdf", Line("FOO", ("bar", "baz", "asdf"))),
    (b":coolguy foo bar baz", Line("FOO", ("bar", "baz"), "coolguy")),
    (b"foo bar baz :asdf quux", Line("FOO", ("bar", "baz", "asdf quux"))),
    (b"foo bar baz :", Line("FOO", ("bar", "baz", ""))),
    (b"foo bar baz ::asdf", Line("FOO", ("bar", "baz", ":asdf"))),
    (b":coolguy foo bar baz :  ", Line("FOO", ("bar", "baz", "  "), "coolguy")),
    (
        b"@a=b;c=32;k;rt=ql7 foo",
        Line("FOO", (), "", {"a": "b", "c": "32", "k": "", "rt": "ql7"}),
    ),
    (
        b"@a=b\\\\and\\nk;c=72\\s45;d=gh\\:764 foo",
        Line("FOO", (), "", {"a": "b\\and\nk", "c": "72 45", "d": "gh;764"}),
    ),
    (
        b"@c;h=;a=b :quux ab cd",
        Line("AB", ("cd",), "quux", {"c": "", "h": "", "a": "b"}),
    ),
    (
        b"@tag1=value\\\\ntest COMMAND",
        Line("COMMAND", (), "", {"tag1": "value\\ntest"}),
    ),
    (b"@tag1=value\\1 COMMAND", Line("COMMAND", (), "", {"tag1": "value1"})),
    (b"@tag1=value1\\ COMMAND", Line("COMMAND", (), "", {"tag1": "value1"})),
    (b":src JOIN #chan", Line("JOIN", ("#chan",), "src")),
    (b"MODE   #chan  +o   nick ", Line("MODE", ("#chan", "+o", "nick"))),
    (
        b":a!b@\xe4\xbd\xa0 PRIVMSG x :\xe5\xa5\xbd",
        Line("PRIVMSG", ("x", "好"), "a!b@你"),
    ),
    ("PRIVMSG x :你好".encode("gb18030"), Line("PRIVMSG", ("x", "你好"))),
]


@pytest.mark.parametrize(("raw", "line"), SPLIT)
def test_parse(raw: bytes, line: Line) -> None:
    """
    Lines are parsed as the specifications say.
    """
    assert parse(raw) == line


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b":source",
        b":source :QUIT",
        b" :QUIT",
        b"@tag",
        b"@tag ",
        b"4x2 y",
        b"a\0b",
        b"\xff\xfe c",
    ],
)
def test_malformed(raw: bytes) -> None:
    """
    Data without a command, or with a NUL, is refused.
    """
    with pytest.raises(MalformedLine):
        parse(raw)


@pytest.mark.parametrize(
    "line",
    [
        Line("PRIVMSG", ("a", "x\r\nQUIT")),
        Line("PRIVMSG", ("a", "x\nQUIT")),
        Line("PRIVMSG", ("a", "x\0")),
        Line("PRIVMSG", ("a b", "x")),
        Line("PRIVMSG", ("", "x")),
        Line("PRIVMSG", (":a", "x")),
        Line("PRIV MSG", ("a",)),
        Line("PING", ("a",), "x y"),
        Line("PING", ("a",), "x\r\ny"),
        Line("PING", ("a",), "", {"a b": ""}),
        Line("PING", ("a",), "", {"a": "\0"}),
    ],
)
def test_notInjected(line: Line) -> None:
    """
    A line that would be parsed as another line, or as several, is not serialised.
    """
    with pytest.raises(MalformedLine):
        serialise(line)


words = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n \ufffd"), min_size=1
)
middles = words.filter(lambda word: not word.startswith(":"))
trailings = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\ufffd"))
tags = st.dictionaries(
    st.from_regex(r"\A\+?([a-z.]{1,5}/)?[a-z-]{1,8}\Z"),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    max_size=4,
)
lines = st.builds(
    lambda command, middle, trailing, source, tags: Line(
        command, (*middle, trailing), source, tags
    ),
    st.sampled_from(["PRIVMSG", "TAGMSG", "001"]),
    st.lists(middles, max_size=4),
    trailings,
    st.one_of(st.just(""), words),
    tags,
)


@given(lines)
def test_roundTrip(line: Line) -> None:
    """
    A line that is serialised and parsed is the same.
    """
    raw = serialise(line)
    assert raw.endswith(b"\r\n")
    assert parse(raw[:-2]) == line


@given(lines)
def test_encodedLength(line: Line) -> None:
    """
    The length is that of the serialised line without its tags.
    """
    bare = Line(line.command, line.params, line.source)
    assert encodedLength(line) == len(serialise(bare))


@given(st.binary(max_size=200))
def test_anything(raw: bytes) -> None:
    """
    Any bytes are parsed or refused with MalformedLine.
    """
    try:
        line = parse(raw)
    except MalformedLine:
        return
    assert line.command == line.command.upper()
    assert encodingOf(raw) in ("utf-8", "gb18030")


@given(st.lists(st.binary(max_size=30), max_size=12), st.data())
def test_chunks(parts: list[bytes], data: st.DataObject) -> None:
    """
    The lines of a stream are the same however its data is divided.
    """
    stream = b"\r\n".join(parts) + b"\n"
    whole = LineBuffer(limit=20).feed(stream)
    buffer = LineBuffer(limit=20)
    received: list[bytes | Overlong] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += buffer.feed(stream[:size])
        stream = stream[size:]
    assert received == whole


def test_bounded() -> None:
    """
    An overlong line is not buffered, and the line after it is received.
    """
    buffer = LineBuffer()
    for _ in range(1000):
        assert buffer.feed(b"x" * 1000) == []
        assert len(buffer._rest) <= MAX_LINE
    assert buffer.feed(b"\r\nPING a\r\n") == [OVERLONG, b"PING a"]
    tagged = b"@" + b"a;" * 500_000
    assert buffer.feed(tagged) == []
    assert buffer._rest == b""
    assert buffer.feed(b" PING\r\nPING b\n") == [OVERLONG, b"PING b"]


def test_limits() -> None:
    """
    A line may have 512 bytes without its tags, and no more.
    """
    for tag in (b"", b"@a=b "):
        line = tag + b"x" * (MAX_LINE - 2)
        assert LineBuffer().feed(line + b"\r\n") == [line]
        assert LineBuffer().feed(line + b"x\r\n") == [OVERLONG]


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        (Line("PRIVMSG", ("a", "在吗")), "PRIVMSG a :在吗"),
        (Line("NOTICE", ("a", "x")), "NOTICE a :x"),
        (Line("TOPIC", ("#a", "x")), "TOPIC #a :x"),
        (Line("TOPIC", ("#a",)), "TOPIC #a"),
        (Line("PART", ("#a",)), "PART #a"),
        (Line("PART", ("#a", "x")), "PART #a :x"),
        (Line("QUIT", ("x",)), "QUIT :x"),
        (Line("KICK", ("#a", "b")), "KICK #a b"),
        (Line("KICK", ("#a", "b", "x")), "KICK #a b :x"),
        (Line("ERROR", ("x",)), "ERROR :x"),
        (Line("AWAY", ("x",)), "AWAY :x"),
        (Line("PING", ("x",)), "PING :x"),
        (Line("PONG", ("qq", "x")), "PONG qq :x"),
        (Line("NICK", ("x",)), "NICK :x"),
        (Line("JOIN", ("#a",)), "JOIN #a"),
        (Line("JOIN", ("#a", "10001", "x")), "JOIN #a 10001 :x"),
        (Line("JOIN", ("#a", "key")), "JOIN #a key"),
        (Line("FAIL", ("BATCH", "CODE", "x")), "FAIL BATCH CODE :x"),
        (Line("CAP", ("a", "ACK", "sasl")), "CAP a ACK :sasl"),
        (Line("CAP", ("LS", "302")), "CAP LS 302"),
        (Line("MODE", ("#a", "+o", "b")), "MODE #a +o b"),
        (Line("AUTHENTICATE", ("+",)), "AUTHENTICATE +"),
        (Line("332", ("a", "#a", "x")), "332 a #a :x"),
        (Line("303", ("a", "b")), "303 a :b"),
        (Line("324", ("a", "#a", "+nt")), "324 a #a +nt"),
        (Line("004", ("a", "qq", "x", "i", "nt")), "004 a qq x i nt"),
    ],
)
def test_textHasColon(line: Line, raw: str) -> None:
    """
    A text begins with a colon, also one without spaces; other last parameters
    do not (RFC 2812, 2.3.1 and the messages of 3).
    """
    assert serialise(line) == f"{raw}\r\n".encode()
    assert parse(raw.encode()) == line


@pytest.mark.parametrize(
    ("raw", "before", "text", "encoding"),
    [
        # A server has cut the line inside a character.
        ("hello 你好".encode()[:-1], "utf-8", "hello 你", "utf-8"),
        ("hello 你好".encode()[:-2], "utf-8", "hello 你", "utf-8"),
        ("hello 你".encode()[:-1], "utf-8", "hello ", "utf-8"),
        ("好😀".encode()[:-1], "utf-8", "好", "utf-8"),
        ("你好吗".encode()[:-1], "gb18030", "你好", "utf-8"),
        ("hi 你好".encode("gb18030")[:-1], "utf-8", "hi 你", "gb18030"),
        ("hi 你好".encode("gb18030")[:-1], "gb18030", "hi 你", "gb18030"),
        # A broken byte among others.
        ("你好 ".encode() + b"\xff" + "吗".encode(), "utf-8", "你好 \ufffd吗", "utf-8"),
        # A byte of neither encoding.
        (b"x \xff y", "utf-8", "x \ufffd y", "utf-8"),
        # Clear evidence of the other encoding.
        ("你好".encode("gb18030"), "utf-8", "你好", "gb18030"),
        ("你好".encode(), "gb18030", "你好", "utf-8"),
        ("x 茶".encode(), "gb18030", "x 茶", "utf-8"),
        # The same bytes are a word in both encodings.
        ("模".encode("gb18030"), "gb18030", "模", "gb18030"),
        ("模".encode("gb18030"), "utf-8", "ģ", "utf-8"),
        ("é".encode(), "utf-8", "é", "utf-8"),
    ],
)
def test_encoding(raw: bytes, before: str, text: str, encoding: str) -> None:
    """
    The encoding of a peer changes by clear evidence only, and an incomplete
    character at the end of a line is dropped.
    """
    assert parse(b"PRIVMSG x :" + raw, before).params[1] == text
    assert encodingOf(raw, before) == encoding


@given(st.text("你好abc ,", min_size=1), st.sampled_from(["utf-8", "gb18030"]))
def test_cutAnywhere(text: str, encoding: str) -> None:
    """
    A line that is cut anywhere begins as it did before.
    """
    raw = text.encode(encoding)
    for size in range(len(raw)):
        line = parse(b"PRIVMSG x :" + raw[:size], encoding)
        assert text.startswith(line.params[1])
