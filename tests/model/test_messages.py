"""
The text that all messages share.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from txwebqq.model import (
    Code,
    Content,
    Did,
    DiscussionMessage,
    Face,
    Gid,
    GroupMessage,
    HasContent,
    Message,
    Number,
    PastMessage,
    StrangerMessage,
    Text,
    Uin,
)

LIN, ME = Uin(2963008411), Number(300100200)
CONTENT: Content = (Text("hi "), Face(14), Text("there"))

MESSAGES: list[HasContent] = [
    Message(LIN, ME, CONTENT, 0, 1, 2),
    GroupMessage(Gid(3), Code(4), Number(5), LIN, ME, CONTENT, 0, 1, 2),
    DiscussionMessage(Did(6), LIN, ME, CONTENT, 0, 1, 2),
    StrangerMessage(LIN, ME, 3, 0, Number(7), CONTENT, 0, 1, 2),
    PastMessage(LIN, 0, CONTENT),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_text(message: HasContent) -> None:
    """
    The text of a message is that of its text segments.
    """
    assert message.text == "hi there"


@pytest.mark.parametrize("message", MESSAGES)
def test_values(message: Any) -> None:
    """
    Messages have no C{__dict__}, cannot be changed, and can be pickled.
    """
    assert not hasattr(message, "__dict__")
    with pytest.raises(AttributeError):
        message.content = ()
    assert pickle.loads(pickle.dumps(message)) == message
