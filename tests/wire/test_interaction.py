"""
Faces of reactions, mentions and replies on the wire, with hostile input.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Face,
    Mention,
    Number,
    Reply,
    Text,
    UnknownEvent,
    UnknownSegment,
    plainText,
)
from txwebqq.wire.coerce import LIMIT, Expected
from txwebqq.wire.content import decodeReceived, decodeSegment
from txwebqq.wire.events.envelope import decodeEnvelope
from txwebqq.wire.events.interaction import MAX_EMOJI, readFace, writeFace


@pytest.mark.parametrize(
    ("value", "face"),
    [
        (14, Face(14)),
        ("14", Face(14)),
        (0, Face(0)),
        ("👍", Text("👍")),
        ("1\ufe0f⃣", Text("1\ufe0f⃣")),
        ("x" * MAX_EMOJI, Text("x" * MAX_EMOJI)),
    ],
)
def test_face(value: Any, face: Face | Text) -> None:
    """
    A number is an emoticon, also as a text, and any other text is an emoji.
    """
    assert readFace(value) == face
    assert readFace(writeFace(face)) == face


@pytest.mark.parametrize(
    "value", ["", "x" * (MAX_EMOJI + 1), -1, LIMIT, "9" * 99, None, [], {}, 1e300]
)
def test_noFace(value: Any) -> None:
    """
    All else is refused, without a quotation of it.
    """
    with pytest.raises(Expected) as caught:
        readFace(value)
    assert "9" * 9 not in str(caught.value)
    event = {"from_uin": 5, "send_uin": 6, "reacted_id": 7, "op_type": 1, "face": value}
    envelope = {"poll_type": "group_reaction", "value": event}
    assert decodeEnvelope(envelope) == UnknownEvent("group_reaction", event)


@given(st.one_of(st.integers(), st.text(), st.none(), st.floats(), st.binary()))
def test_anyFace(value: Any) -> None:
    """
    Any value is a face that is written as it was read, or refused.
    """
    try:
        face = readFace(value)
    except Expected:
        return
    assert readFace(writeFace(face)) == face


@pytest.mark.parametrize(
    ("element", "segment"),
    [
        (["at", 10002, "Bob"], Mention(Number(10002), "Bob")),
        (["at", 0, ""], Mention(Number(0), "")),
        (["reply", 886022], Reply(886022)),
        (["reply", 0], Reply(0)),
    ],
)
def test_references(element: Any, segment: Any) -> None:
    """
    A mention and a reply are the same in both directions.
    """
    assert decodeSegment(element) == segment
    assert decodeReceived([element, " "])[0] == (segment,)


@pytest.mark.parametrize(
    "element",
    [
        ["at"],
        ["at", 10002],
        ["at", "10002", "Bob"],
        ["at", -1, "Bob"],
        ["at", True, "Bob"],
        ["at", 1.5, "Bob"],
        ["at", LIMIT, "Bob"],
        ["at", 10002, None],
        ["at", 10002, "Bob", 5],
        ["reply"],
        ["reply", "5"],
        ["reply", -1],
        ["reply", False],
        ["reply", LIMIT],
        ["reply", 5, 5],
    ],
)
def test_otherShapes(element: Any) -> None:
    """
    An element of another shape is an unknown one, and costs the others nothing.
    """
    content, _ = decodeReceived(["a", element, "b "])
    assert plainText(content) == "ab"
    assert content[1] == UnknownSegment(element)


def test_malformedRecall() -> None:
    """
    An event without the id of the message is an unknown one.
    """
    value = {"from_uin": 5, "send_uin": 6, "op_uin": 7}
    envelope = json.loads(json.dumps({"poll_type": "message_recalled", "value": value}))
    assert decodeEnvelope(envelope) == UnknownEvent("message_recalled", value)
    with pytest.raises(MalformedReply):
        decodeReceived("at")
