"""
The events of a poll, read in one pass and each by itself.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.events.test_envelope import QUOTED
from txwebqq.model import (
    Event,
    Face,
    Font,
    GroupMessage,
    Message,
    Number,
    Text,
    Uin,
    UnknownEvent,
    UnknownSegment,
)
from txwebqq.wire.commands.messages import Poll2, PollResult
from txwebqq.wire.events import poll
from txwebqq.wire.events.envelope import decodeEnvelope

HELLO = {
    "poll_type": "message",
    "value": {"from_uin": 5, "to_uin": 6, "content": ["hello "], "msg_id": 7},
}
SAID = Message(Uin(5), Number(6), (Text("hello"),), 0, 7, 0)


def read(*envelopes: Any) -> tuple[Event, ...]:
    """
    Return the events of a poll with some envelopes, each a JSON value or its text.
    """
    texts = [each if isinstance(each, str) else json.dumps(each) for each in envelopes]
    body = f'{{"retcode":0,"result":[{",".join(texts)}],"ack":9}}'
    result = Poll2.decodeReply(body.encode("utf-8", "surrogateescape"))
    assert isinstance(result, PollResult)
    assert result.ack == 9
    return result.events


@pytest.mark.parametrize(("envelope", "event"), QUOTED)
@pytest.mark.parametrize(
    "odd",
    [None, '{"poll_type":"unknown","value":1}', '{"value":{}}', '"x"', "[]"],
)
def test_quoted(envelope: str, event: Event, odd: str | None) -> None:
    """
    Every kind of event is read, alone, among messages, and beside an odd event.
    """
    assert read(envelope) == (event,)
    odds = [] if odd is None else [odd]
    events = read(HELLO, envelope, *odds, HELLO)
    assert (events[0], events[1], events[-1]) == (SAID, event, SAID)
    assert len(events) == 3 + len(odds)


def changed(content: Any = None, **members: Any) -> dict[str, Any]:
    """
    Return the envelope of a message with other members or content.
    """
    value = {**HELLO["value"], **members}  # type: ignore[dict-item]
    if content is not None:
        value["content"] = content
    return {"poll_type": "message", "value": value}


FONT = {"name": "Arial", "size": "12", "style": [1, 0, 0], "color": "ff0000"}


@pytest.mark.parametrize(
    "content",
    [
        [],
        [""],
        [" "],
        ["a\r\nb\rc\r"],
        [["font", FONT], "a", ["face", 14], ["face", 300], " "],
        ["a", ["font", FONT], ["font", {"name": "other"}], "b "],
        [["font", {"name": 5}], "a "],
        [["font"], "a "],
        [["font", "x", "y"], "a "],
        [["face", 14, 15], "a "],
        [["face", "14"], "a "],
        [["face", -1], "a "],
        [["cface", "a.jpg", ""], "a "],
        [["cface", {"name": "n", "file_id": 5, "server": "1.2.3.4:80"}], " "],
        [["offpic", {"success": 1, "file_path": "/x"}], " "],
        [["new", 1], {"a": 1}, 5, None, "a "],
        ["\ud83d", "\ud83c\udf75 "],
    ],
    ids=repr,
)
def test_content(content: Any) -> None:
    """
    Content is read in one pass as by the codec of messages.
    """
    parsed = json.loads(json.dumps(changed(content)), strict=False)
    slow = decodeEnvelope(parsed)
    assert isinstance(slow, Message)
    fast = read(changed(content))[0]
    assert isinstance(fast, Message)
    if "\ud83d" in content:
        assert fast.content == (Text("\ufffd"), Text("🍵"))
    else:
        assert fast == slow


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"time": True}, {"time": 1}),
        ({"from_uin": "5"}, {}),
        ({"msg_id": 7.0}, {}),
        ({"reply_ip": [None]}, {}),
    ],
)
def test_numbers(members: dict[str, Any], expected: dict[str, int]) -> None:
    """
    Numbers in another notation are numbers, and a boolean is one too.
    """
    (event,) = read(changed(**members))
    assert isinstance(event, Message)
    assert type(event.time) is int
    assert event == Message(
        Uin(5), Number(6), (Text("hello"),), expected.get("time", 0), 7, 0
    )


def test_manyFonts() -> None:
    """
    A sender of ever new fonts takes limited memory, and each message has its own.
    """
    for size in range(3 * poll._MAX_FONTS):
        font = ["font", {**FONT, "size": size}]
        [event] = read(changed([font, "a"]))
        assert isinstance(event, Message)
        assert event.font.size == size
        assert len(poll._fonts) <= poll._MAX_FONTS


def test_fonts() -> None:
    """
    The font of each message is its own.
    """
    red = Font("Arial", 12, bold=True, color="ff0000")
    fonts = [FONT, {**FONT, "color": "0000ff"}, FONT]
    events = read(*(changed([["font", font], "a"]) for font in fonts))
    assert [event.font for event in events if isinstance(event, Message)] == [
        red,
        Font("Arial", 12, bold=True, color="0000ff"),
        red,
    ]


@pytest.mark.parametrize(
    ("odd", "value"),
    [
        ('{"poll_type":"message","value":{"from_uin":-1}}', {"from_uin": -1}),
        ('{"poll_type":"message","value":{"a":1e999}}', '{"a":1e999}'),
        ('{"poll_type":"message","value":"\udcff"}', '"\ufffd"'),
        ('{"poll_type":"message","value":["\\ud800"]}', ["\ufffd"]),
        ('{"poll_type":"message","value":["a\tb"]}', ["a\tb"]),
        ('{"poll_type":"message","value":null}', None),
    ],
)
def test_odd(odd: str, value: Any) -> None:
    """
    An event that cannot be read costs only itself.
    """
    assert read(HELLO, odd, HELLO) == (SAID, UnknownEvent("message", value), SAID)


def test_groups() -> None:
    """
    A message in a group has its numbers in the right places.
    """
    value = {
        "msg_id": 1,
        "from_uin": 2,
        "to_uin": 3,
        "msg_id2": 4,
        "msg_type": 43,
        "group_code": 5,
        "send_uin": 6,
        "seq": 7,
        "time": 8,
        "info_seq": 9,
        "content": ["x", ["face", 1]],
    }
    (event,) = read({"poll_type": "group_message", "value": value})
    assert isinstance(event, GroupMessage)
    numbers = [getattr(event, name) for name in event.__struct_fields__]
    content = (Text("x"), Face(1))
    assert numbers == [2, 5, 9, 6, 3, content, 8, 1, 4, 7, Font(), 43]
    assert UnknownSegment not in map(type, content)


@pytest.mark.parametrize("number", ["1e999", "9" * 5000, '"\udcff"'])
def test_oddFont(number: str) -> None:
    """
    A font that cannot be read loses neither its message nor the others.
    """
    content = f'[["font",{{"size":{number}}}],"hello "]'
    odd = json.dumps(HELLO).replace('["hello "]', content)
    assert read(odd, HELLO) == (SAID, SAID)
