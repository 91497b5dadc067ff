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


def test_replies() -> None:
    """
    A reply is recognised whichever way a relay writes the quote and the name at its
    beginning.
    """
    detector = LoopDetector(Clock().seconds)
    detector.remember("小明", "@Relay yes, of course")
    assert detector.isCopy("<小明> @Relay yes, of course")
    assert detector.isCopy("<小明> (re bob: hello) yes, of course")
    assert detector.isCopy("<relay> <小明> (re hello) bob: yes, of course")
    assert not detector.isCopy("<小明> (re yes, of course) no")
