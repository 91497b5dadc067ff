"""
Events and contents without our extensions, for clients that do not know them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from tests.endtoend.daemons import ROOT
from tests.wire.events.test_envelope import QUOTED
from txwebqq.model import (
    Content,
    Event,
    Face,
    Mention,
    Number,
    Reply,
    Text,
    UnknownSegment,
)
from txwebqq.server.events.extensions import (
    hasReferences,
    withoutExtensions,
    withoutReferences,
    withPlainMentions,
)
from txwebqq.wire.events.envelope import pollTypeOf

EVENTS: list[Any] = list({type(event): event for _, event in QUOTED}.values())
"""An event of each class."""

BOB, CAROL = Mention(Number(10002), "Bob"), Mention(Number(10003), "Carol")


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        ((), ()),
        ((BOB,), (Text("@Bob"),)),
        ((BOB, Text("hi")), (Text("@Bob hi"),)),
        ((BOB, Text(" hi")), (Text("@Bob hi"),)),
        ((BOB, Text("\nhi")), (Text("@Bob\nhi"),)),
        ((BOB, Text(""), Text("hi")), (Text("@Bob hi"),)),
        ((BOB, Text("hi"), Text("you")), (Text("@Bob hiyou"),)),
        ((Text("hey "), BOB), (Text("hey @Bob"),)),
        ((BOB, CAROL), (Text("@Bob @Carol"),)),
        ((BOB, Face(14), CAROL), (Text("@Bob"), Face(14), Text("@Carol"))),
        ((Reply(5), BOB, Reply(6), Text("x")), (Text("@Bob x"),)),
        ((Reply(5), Face(14)), (Face(14),)),
        ((UnknownSegment(["at"]), BOB), (UnknownSegment(["at"]), Text("@Bob"))),
    ],
)
def test_plain(content: Content, plain: Content) -> None:
    """
    A mention is joined to the texts beside it, and a space follows where text does.
    """
    assert withoutReferences(content) == plain
    assert not hasReferences(plain)


def test_kept() -> None:
    """
    Mentions that are kept stay where they are, and so do replies.
    """
    content = (Reply(5), BOB, Text("a"), CAROL, Text("b"))
    assert withPlainMentions(content, lambda mention: mention is BOB) == (
        Reply(5),
        BOB,
        Text("a@Carol b"),
    )


def extensions() -> set[str]:
    """
    Return the poll types that docs/protocol.md calls extensions of ours.
    """
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### 5\.\d+ (.+)\n\n(.*)", text, re.MULTILINE)
    [first] = [
        place
        for place, (_, begin) in enumerate(sections)
        if begin.startswith("This event and the next nine are extensions of ours")
    ]
    return {title for title, _ in sections[first : first + 10]}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events(event: Event) -> None:
    """
    Of each class of events, a client without C{ack} is given all that are documented
    as events of the original service, as they are, and none of the others.
    """
    isExtension = pollTypeOf(event) in extensions()
    assert withoutExtensions([event]) == (() if isExtension else (event,))


def test_eventsWithReferences() -> None:
    """
    In each class of events with a content, mentions are texts and replies are left out;
    all else stays. Events keep their order.
    """
    content = (Reply(5), BOB, Text("hi"))
    written = [
        replace(event, content=content)
        for event in EVENTS
        if hasattr(event, "content") and pollTypeOf(event) not in extensions()
    ]
    assert {pollTypeOf(event) for event in written} == {
        "message",
        "group_message",
        "discu_message",
        "sess_message",
    }
    expected = [replace(event, content=(Text("@Bob hi"),)) for event in written]
    assert withoutExtensions(written) == tuple(expected)
