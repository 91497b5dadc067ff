"""
Contents that cannot be sent to every recipient are changed or refused.
"""

from __future__ import annotations

import json

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.model import Text, UnknownSegment
from txwebqq.server.events.sanitize import sanitizeContent


def test_content() -> None:
    """
    Halves of surrogate pairs are joined or replaced, and content that is not
    JSON is refused.
    """
    assert sanitizeContent((Text("\ud83d\ude00"), Text("\ud83d"))) == (
        Text("\U0001f600"),
        Text("\ufffd"),
    )
    for raw in (float("nan"), ["x", float("inf")], json.loads("[" * 20 + "]" * 20)):
        with pytest.raises(MalformedReply):
            sanitizeContent((UnknownSegment(raw),))
