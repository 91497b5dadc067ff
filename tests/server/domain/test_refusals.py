"""
Refusals that several rules share.
"""

from __future__ import annotations

from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_LONG, invisible, tooLong
from txwebqq.wire.command import Refusal


def test_tooLong() -> None:
    """
    Characters are counted, not bytes, and as many as there may be fit.
    """
    assert tooLong(msg=("茶" * 3, 3)) is None
    assert tooLong(msg=("茶" * 4, 3)) == Refusal(
        TOO_LONG, "msg has more than 3 characters"
    )


def test_invisible() -> None:
    """
    The first name with an invisible character is refused, and named.
    """
    assert invisible(name="茶", card=None, nick="tea & é") is None
    # Emoji and words have invisible parts.
    assert invisible(nick="\U0001f468\u200d\U0001f467", name="❤\ufe0f", card="") is None
    for char in "\u202e\n\x00\u2068\ufeff\u200b\u2060\u3164":
        assert invisible(name="tea", card=f"t{char}a", nick=char) == Refusal(
            NO_SUCH_ID, "card has an invisible character"
        )
    assert invisible(nick="\u200d \u200c\ufe0f") is not None
