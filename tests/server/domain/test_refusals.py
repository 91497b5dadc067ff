"""
Refusals that several rules share.
"""

from __future__ import annotations

from txwebqq.server.domain.refusals import TOO_LONG, tooLong
from txwebqq.wire.command import Refusal


def test_tooLong() -> None:
    """
    Characters are counted, not bytes, and as many as there may be fit.
    """
    assert tooLong(msg=("茶" * 3, 3)) is None
    assert tooLong(msg=("茶" * 4, 3)) == Refusal(
        TOO_LONG, "msg has more than 3 characters"
    )
