"""
Contents without mentions and replies, for clients that do not know them.
"""

from __future__ import annotations

import pytest

from txwebqq.model import Content, Face, Mention, Number, Reply, Text, UnknownSegment
from txwebqq.server.events.extensions import (
    hasReferences,
    withoutReferences,
    withPlainMentions,
)

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
