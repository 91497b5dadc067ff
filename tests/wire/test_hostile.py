"""
Random bytes: decoders return a value or raise only L{MalformedReply}, and the value
can be encoded again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.wire import rows
from tests.wire.contact_rows import CONTACT_ROWS
from tests.wire.group_rows import GROUP_ROWS
from tests.wire.history_rows import HISTORY_ROWS
from tests.wire.interaction_rows import INTERACTION_ROWS
from tests.wire.media_rows import MEDIA_ROWS
from tests.wire.rows import CHANNEL, CLIENTID, LIN, SIGNATURE, Row
from txwebqq.errors import MalformedReply
from txwebqq.model import UnknownEvent, UnknownSegment
from txwebqq.wire.coerce import LIMIT
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.messages import (
    GetOnlineBuddies2,
    Poll2,
    PollResult,
    SendBuddyMsg2,
)
from txwebqq.wire.commands.signon import Check, LoginPage, LoginReply
from txwebqq.wire.content import decodeReceived, decodeSent, encodeReceived, encodeSent
from txwebqq.wire.events.envelope import decodeEnvelope, encodeEvent
from txwebqq.wire.form import Form, encodeForm
from txwebqq.wire.jsonp import encodeCall, parseCall, quoteArgument
from txwebqq.wire.jsontext import parseJSON, parseJSONPrefix

ROWS = (
    *GROUP_ROWS,
    *MEDIA_ROWS,
    *CONTACT_ROWS,
    *HISTORY_ROWS,
    *INTERACTION_ROWS,
    *rows.ROWS,
)

few = settings(max_examples=10)
"""For the tests of each command: make fuzz gives all of them many more."""


def checkValue(value: Any) -> None:
    """
    Fail for text that is not UTF-8 and for numbers that a database cannot store, at any
    depth of a value. Raw values may be any JSON.
    """
    match value:
        case str():
            value.encode()
        case bool() | None | bytes() | float():
            pass
        case int():
            assert -LIMIT <= value < LIMIT
        case UnknownEvent() | UnknownSegment():
            raw = value.raw if isinstance(value, UnknownSegment) else value.value
            json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
        case dict():
            for key, item in value.items():
                checkValue(key)
                checkValue(item)
        case list() | tuple():
            for item in value:
                checkValue(item)
        case Struct():
            for name in value.__struct_fields__:
                checkValue(getattr(value, name))


def recodeReply(command: type[Command[Any]], body: bytes) -> None:
    """
    Decode a reply, and encode it again.
    """
    try:
        reply = command.decodeReply(body)
    except MalformedReply:
        return
    checkValue(reply)
    again = command.encodeReply(reply)
    if not isinstance(reply, str):
        command.decodeReply(again)


def recodeRequest(command: type[Command[Any]], query: bytes, body: bytes) -> None:
    """
    Decode a request, and encode it again.
    """
    try:
        request = command.decodeFields(Form.parse(query, body))
    except MalformedReply:
        return
    checkValue(request)
    form = encodeForm(request.encodeFields())
    checkValue(command.decodeFields(Form.parse(form)))


def name(row: Row) -> str:
    """
    Return the name of a row in a report.
    """
    return row.command.__name__


numbers = st.one_of(
    st.integers(),
    st.integers(2**62, 2**65),
    st.just(10**4000),
    st.floats(allow_nan=False, allow_infinity=False),
)
# Lone surrogates become escapes, which JSON allows.
texts = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Cs", "Cc", "Nd", "So"]), max_size=8),
    st.sampled_from(["", "0", "nan", "-1", "null", "9" * 400, "\ud83d", "\ude00"]),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)


def positions(value: Any) -> list[tuple[Any, Any]]:
    """
    Return every member of every array and object in a JSON value.
    """
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        found += [(value, key) for key in value]
        for item in value.values():
            found += positions(item)
    elif isinstance(value, list):
        found += [(value, at) for at in range(len(value))]
        for item in value:
            found += positions(item)
    return found


@st.composite
def mutated(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """
    Draw one of some bodies, with another value at one or two positions of its JSON, or
    with a few other bytes.
    """
    body = draw(st.sampled_from(bodies))
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict) or draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 8)))
        return body[:start] + draw(st.binary(max_size=8)) + body[end:]
    for _ in range(draw(st.integers(1, 2))):
        parent, key = draw(st.sampled_from(positions(value)))
        if draw(st.booleans()):
            parent[key] = draw(values)
        else:
            del parent[key]
            if not value:
                break
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


def bodiesOf(row: Row) -> list[bytes]:
    """
    Return valid replies to a row's request.
    """
    quoted = [b if isinstance(b, bytes) else b.encode() for b, _ in row.quoted]
    refusal = Refusal(121, "words", 5.0, "2c0d")
    command = row.command
    return [*quoted, command.encodeReply(row.reply), command.encodeReply(refusal)]


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_anyReply(row: Row) -> None:
    """
    Random bytes are a reply or L{MalformedReply}.
    """

    @few
    @given(st.binary(max_size=64))
    def check(body: bytes) -> None:
        recodeReply(row.command, body)

    check()


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_mutatedReply(row: Row) -> None:
    """
    A reply with another value at one position is a reply or L{MalformedReply}.
    """

    @settings(max_examples=25)
    @given(mutated(bodiesOf(row)))
    def check(body: bytes) -> None:
        recodeReply(row.command, body)

    check()


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_anyResult(row: Row) -> None:
    """
    Random JSON as C{result} is a reply or L{MalformedReply}.
    """

    @few
    @given(values)
    def check(value: Any) -> None:
        body = json.dumps({"retcode": 0, "result": value}).encode()
        recodeReply(row.command, body)

    check()


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_anyRequest(row: Row) -> None:
    """
    A random query and a random body are a request or L{MalformedReply}.
    """

    @few
    @given(st.binary(max_size=32), st.binary(max_size=64))
    def check(query: bytes, body: bytes) -> None:
        recodeRequest(row.command, query, body)
        recodeRequest(row.command, query, b"r=" + body)
        recodeRequest(row.command, query, b"r={" + body)

    check()


@pytest.mark.parametrize("row", [r for r in ROWS if r.request.encodeFields()], ids=name)
def test_mutatedRequest(row: Row) -> None:
    """
    A request with another value in one parameter is a request or L{MalformedReply}.
    """
    pairs = row.request.encodeFields()

    @settings(max_examples=15)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        changed = list(pairs)
        at = data.draw(st.integers(0, len(changed) - 1))
        field, value = changed[at]
        if field == "r" and value.startswith("{"):
            raw = data.draw(mutated([value.encode()]))
            form = b"r=" + raw
            if data.draw(st.booleans()):
                text = raw.decode("utf-8", "replace")
                form = encodeForm([("r", text), *changed[1:]])
        else:
            text = data.draw(texts)
            changed[at] = field, text.encode("utf-8", "replace").decode()
            form = encodeForm(changed)
        recodeRequest(row.command, b"", form)
        recodeRequest(row.command, form, b"")

    check()


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_randomParameters(row: Row) -> None:
    """
    Parameters of random JSON are a request or L{MalformedReply}.
    """
    names = [field for field, _ in row.request.encodeFields()]
    known = ("to", "group_uin", "content", "msg_id", "status", "ids", "t", "hash")

    @few
    @given(st.dictionaries(st.sampled_from((*known, *names)), values))
    def check(members: dict[str, Any]) -> None:
        recodeRequest(row.command, b"", encodeForm([("r", json.dumps(members))]))

    check()


@given(values)
def test_anyEvent(value: Any) -> None:
    """
    A known type with a random value is an event that can be encoded again.
    """
    for pollType in (
        "message",
        "group_message",
        "sys_g_msg",
        "system_message",
        "message_recalled",
        "group_mute",
        "group_reaction",
        "group_file",
        "group_edit",
        "group_card",
        "friend_edit",
        "group_request_answered",
        "message_sent",
        "x",
    ):
        clean = parseJSON(json.dumps(value))
        event = decodeEnvelope({"poll_type": pollType, "value": clean})
        checkValue(event)
        json.dumps(encodeEvent(event))


@given(st.lists(values))
def test_anyReceived(elements: list[Any]) -> None:
    """
    A random array is a content that can be sent.
    """
    content, font = decodeReceived(parseJSON(json.dumps(elements)))
    checkValue((content, font))
    decodeReceived(encodeReceived(content, font))


@given(st.one_of(st.text(), st.lists(values).map(json.dumps)))
def test_anySent(text: str) -> None:
    """
    A random text is a content that can be passed on, or L{MalformedReply}.
    """
    try:
        content, font = decodeSent(text)
    except MalformedReply:
        return
    checkValue((content, font))
    received = json.loads(json.dumps(encodeReceived(content, font)))
    decodeReceived(received)
    decodeSent(encodeSent(content, font))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_anyText(text: str) -> None:
    """
    Every text arrives: sent, relayed and received.
    """
    sent, font = decodeSent(json.dumps([text, []]))
    received, _ = decodeReceived(json.loads(json.dumps(encodeReceived(sent, font))))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(segment.text for segment in received) == lines  # type: ignore[union-attr]


@given(st.text())
def test_anyCall(text: str) -> None:
    """
    A random text is a call or L{MalformedReply}.
    """
    for source in (text, f"f('{text}')", f"f({text}"):
        try:
            arguments = parseCall(source, "f")
        except MalformedReply:
            continue
        checkValue(arguments)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_anyArgument(text: str) -> None:
    """
    Every text can be an argument; only apostrophes and control characters are
    replaced.
    """
    (read,) = parseCall(encodeCall("f", [quoteArgument(text)]), "f")
    expected = "".join(" " if ord(c) < 32 else c for c in text.replace("'", "’"))
    assert read == expected


@given(st.binary())
def test_anyPage(body: bytes) -> None:
    """
    Random bytes are a login page.
    """
    checkValue(LoginPage.decodeReply(body))
    script = f'g_login_sig=encodeURIComponent("{SIGNATURE}")'.encode()
    assert LoginPage.decodeReply(body + script) in (SIGNATURE, "")


DEEP = 100_000
HUGE = "9" * 4000


BODIES = [
    "[" * DEEP,
    '{"a":' * DEEP,
    '{"retcode":0,"result":' + "[" * DEEP + "]" * DEEP + "}",
    '{"retcode":' + "[" * 500 + "]" * 500 + "}",
    '{"retcode":5,"errmsg":' + "[" * 500 + "]" * 500 + "}",
    '{"retcode":0,"result":' + "[" * 500 + r'"\ud800"' + "]" * 500 + "}",
    '{"retcode":0,"result":' + "[" * 900 + r'"\ud800"' + "]" * 900 + "}",
    '{"retcode":0,"result":[{"uin":' + HUGE + ',"status":"online"}]}',
    '{"retcode":0,"result":[{"uin":' + HUGE * 3 + ',"status":"online"}]}',
    '{"retcode":0,"retcode":0,"result":[],"result":5}',
    '{"retcode":0,"result":[],"x":NaN}',
    '{"retcode":0,"result":[],"x":-Infinity}',
    '{"retcode":0,"result":[],"x":1e999}',
    '\ufeff{"retcode":0}',
    '{"retcode":0}\x00',
]


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_depth(row: Row) -> None:
    """
    Deep, long and invalid JSON raises only L{MalformedReply}.
    """
    for body in BODIES:
        with suppress(MalformedReply):
            row.command.decodeReply(body.encode())


def test_duplicateKeys() -> None:
    """
    Of two members of one name the last counts, as in browsers.
    """
    body = b'{"retcode":5,"retcode":0,"result":5,"result":[]}'
    assert GetOnlineBuddies2.decodeReply(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"r={" * 200_000,
        b"&r={" * 200_000,
        b"&r= " * 200_000,
        b"r=" + b" " * 800_000,
        b"&r=" + b"\n" * 400_000 + b"&r=" + b"\n" * 400_000,
        b"r={" + b'"a":[' * 150_000,
        b"r={}" + b"&" * 800_000,
        b"r={}" + b"&a=b" * 200_000,
        b"r=%7B%7D" + b"%26a" * 200_000,
        b"r=" + b"%" * 800_000,
        b"r={}" + b"%7B" * 200_000,
        b"&" * 800_000,
        b"a&" * 400_000,
        b"r=[" + b'"",' * 200_000,
        b"r={" + b"%22" * 200_000,
        b'r={"content":"' + b"[" * 800_000 + b'"}',
        b'r={"content":"' + b"\\u005b\\u0022" * 60_000 + b'"}',
        b'r={"content":"[\\"' + b"\\\\ " * 200_000 + b'\\"]"}',
        b'r={"content":"' + b"\\ud83d" * 100_000 + b'"}',
        b'r={"content":"' + b"\\ud83d\\ude00" * 60_000 + b'"}',
    ],
    ids=lambda body: body[:12].decode(),
)
def test_linear(body: bytes) -> None:
    """
    Nearly a megabyte of malformed input is decoded at once; a decoder of quadratic time
    would take minutes.
    """
    for command in (SendBuddyMsg2, Poll2, Check):
        with suppress(MalformedReply):
            command.decodeFields(Form.parse(body, body))


@pytest.mark.parametrize(
    "text",
    ["[" * DEEP, '{"a":' * DEEP, "9" * 5000, "NaN", "1e999", "", " ", "{", '"\\ud8'],
)
def test_noPrefix(text: str) -> None:
    """
    A long text that does not begin with JSON is malformed.
    """
    with pytest.raises(MalformedReply):
        parseJSONPrefix(text)
    with pytest.raises(MalformedReply):
        parseJSON(text)


def test_manyEvents() -> None:
    """
    Ten thousand malformed events become ten thousand unknown events.
    """
    broken = '{"poll_type":"message","value":{"content":["' + "x" * 20 + '"]}}'
    body = '{"retcode":0,"result":[' + ",".join([broken] * 10_000) + "]}"
    reply = Poll2.decodeReply(body.encode())
    assert isinstance(reply, PollResult)
    assert len(reply.events) == 10_000
    assert {type(event) for event in reply.events} == {UnknownEvent}


def test_checkValue() -> None:
    """
    The check that the tests above use passes good values, and fails for lone
    surrogates and for numbers that a database cannot store.
    """
    checkValue((CHANNEL, CLIENTID, LIN, LoginReply(0)))
    with pytest.raises(UnicodeEncodeError):
        checkValue("\ud800")
    with pytest.raises(AssertionError):
        checkValue(2**63)
