"""
Reactions as the values of tags, and their states.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.gateway.interaction.reactions import (
    MAX_REACTIONS,
    ReactionStates,
    parseReaction,
    reactionText,
)
from txwebqq.model import Face, Text


@pytest.mark.parametrize(
    ("value", "face"),
    [
        ("[微笑]", Face(14)),
        ("微笑", Face(14)),
        (":Smile:", Face(14)),
        (" smile ", Face(14)),
        ("[face200]", Face(200)),
        ("👍", Text("👍")),
        ("👍🏽", Text("👍🏽")),
        ("👩‍👩‍👧‍👦", Text("👩‍👩‍👧‍👦")),
        ("🇨🇳", Text("🇨🇳")),
        ("1️⃣", Text("1️⃣")),
        ("❤️", Text("❤️")),
        ("lol", None),
        (":)", None),
        ("1", None),
        ("", None),
        ("[]", None),
        ("好", None),
        ("👍 👍", None),
        ("👍" * 17, None),
        ("[nonsense]", None),
    ],
)
def test_parsed(value: str, face: Face | Text | None) -> None:
    """
    A reaction is an emoji or the name of an emoticon; QQ has no others.
    """
    assert parseReaction(value) == face
    if face is not None:
        assert parseReaction(reactionText(face)) == face


def test_hostile() -> None:
    """
    A reaction of QQ has no characters that cannot be in a tag.
    """
    assert reactionText(Text("\0👍\r\n")) == "👍"


def test_states() -> None:
    """
    A reaction is new once until it is taken back; only the latest are remembered.
    """
    states = ReactionStates()
    for isSet in (True, False, True):
        assert states.change(1, 10002, "👍", isSet)
        assert not states.change(1, 10002, "👍", isSet)
    assert states.change(1, 10003, "👍", True)
    for serial in range(MAX_REACTIONS):
        states.change(serial + 2, 10002, "👍", True)
    assert states.change(1, 10003, "👍", True)
