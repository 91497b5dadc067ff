"""
Loop detection.
"""

from __future__ import annotations

from twisted.internet.task import Clock

from txwebqq.irc.relay.text.loopdetection import REMEMBERED_SECONDS, LoopDetector


def test_copies() -> None:
    """
    A remembered message is recognised behind its author's name, also by a part
    of it that is long enough; not that of another author, and only for a time.
    """
    clock = Clock()
    detector = LoopDetector(clock.seconds)
    detector.remember("Bob", "the quick brown fox jumps over the lazy dog")
    assert detector.isCopy("<relay> <b\u200bob> jumps over the lazy dog")
    assert not detector.isCopy("<bob> the")
    assert not detector.isCopy("<eve> jumps over the lazy dog")
    assert not detector.isCopy("jumps over the lazy dog")
    clock.advance(REMEMBERED_SECONDS + 1)
    assert not detector.isCopy("<bob> jumps over the lazy dog")
