"""
Client tags.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.protocol.clienttags import REPLY, allowsTag, repliedTo


@pytest.mark.parametrize(
    ("capability", "denied", "isAllowed"),
    [
        ("message-tags", None, True),
        ("batch", None, False),
        ("message-tags", "", True),
        ("message-tags", "draft/react,typing", True),
        ("message-tags", "draft/reply", False),
        ("message-tags", "*", False),
        ("message-tags", "*,-typing", False),
        ("message-tags", "*,-draft/reply", True),
    ],
)
def test_denied(capability: str, denied: str | None, isAllowed: bool) -> None:
    """
    C{CLIENTTAGDENY} names the tags that a server removes, or those that it does not.
    """
    support = {} if denied is None else {"CLIENTTAGDENY": denied}
    assert allowsTag({capability: ""}, support, REPLY) is isAllowed


def test_reply() -> None:
    """
    The tag is known under its draft name and the later one.
    """
    assert repliedTo({"+draft/reply": "a", "+reply": "b"}) == "b"
    assert repliedTo({"+draft/reply": "a", "+reply": ""}) == "a"
    assert repliedTo({"msgid": "b"}) == ""
