"""
How words are put on the other side, and known again.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.attribution import (
    attributions,
    comparable,
    linesOf,
    nextLine,
    senderPrefix,
    short,
    withoutHighlight,
)
from txwebqq.irc.relay.loopdetection import REMEMBERED_SECONDS, LoopDetector
from txwebqq.irc.relay.outbox import MessageKind, OutboxMessage
from txwebqq.irc.relay.registration import CHUNK, ClientRegistration
from txwebqq.net.pacing import Pacer

WORDS = st.text(st.sampled_from("ab c茶é\u0301👨\u200d👩🇨🇳\n"), max_size=200)


@given(WORDS, st.integers(40, 120))
def test_lines(text: str, room: int) -> None:
    """
    No line is longer than there is room, none has a line end in it, and
    nothing but spaces is lost.
    """
    lines = linesOf(text, room)
    assert all(len(line.encode()) <= room and "\n" not in line for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_narrow() -> None:
    """
    Where names leave no room at all, there is some all the same.
    """
    said, rest = nextLine("茶" * 100, 1)
    assert (said, rest) == ("茶" * 13, "茶" * 87)


@pytest.mark.parametrize(
    ("kind", "isQuiet", "wanted"),
    [
        (MessageKind.TEXT, False, "<小明> "),
        (MessageKind.TEXT, True, "<小\u200b明> "),
        (MessageKind.ACTION, True, "* 小\u200b明 "),
        (MessageKind.SYSTEM, True, ""),
    ],
)
def test_opening(kind: MessageKind, isQuiet: bool, wanted: str) -> None:
    """
    Each line begins with a name that calls nobody.
    """
    assert senderPrefix(OutboxMessage("", "", 0, "小明", "x", kind), isQuiet) == wanted


def test_names() -> None:
    """
    Names are as long as there is room for, and whole characters; a name made
    quiet is still plainly the same.
    """
    assert len(short("茶" * 100).encode()) <= 60
    assert withoutHighlight("👨\u200d👩x") == "👨\u200d👩\u200bx"
    assert comparable(withoutHighlight("Bob")) == comparable("\x02bob")
    assert senderPrefix(OutboxMessage("", "", 0, "", "x"), isQuiet=False) == "<?> "


def test_attributions() -> None:
    """
    Who said it, under however many names.
    """
    assert list(attributions("<a> [b] * c waves")) == [
        ("a", "[b] * c waves"),
        ("b", "* c waves"),
        ("c", "waves"),
    ]
    assert list(attributions("[微笑]茶")) == []
    assert list(attributions("a < b > c")) == []


def test_copies() -> None:
    """
    What somebody has just said is known again, also a part of it that is long
    enough; not what others said, and not for ever.
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


def test_wholeChunks() -> None:
    """
    A SASL answer that ends with its last whole chunk is closed by a plus.
    """
    settings = NetworkSettings(
        "home", "tcp:x:1", "relay", saslUser="a", saslPassword="x" * 296
    )
    registration = ClientRegistration(settings, "relay")
    blob, plus = registration.lineReceived(Line("AUTHENTICATE", ("+",)))
    assert len(blob.params[0]) == CHUNK
    assert plus.params == ("+",)


def test_nicks() -> None:
    """
    When all nicks are taken it gives up.
    """
    registration = ClientRegistration(
        NetworkSettings("home", "tcp:x:1", "relay"), "relay"
    )
    for count in range(1, 6):
        [line] = registration.lineReceived(Line("433", ("*", "relay", "Taken")))
        assert line.params == ("relay" + "_" * count,)
    assert registration.lineReceived(Line("433", ("*", "relay", "Taken"))) == []
    assert registration.failure


def test_paceStopped() -> None:
    """
    Whoever waits for a turn when all is over gets none, and at once.
    """
    clock = Clock()
    pacer = Pacer(clock, 1, 60.0)
    turns: list[Deferred[None]] = [pacer.acquire() for _ in range(3)]
    failed: list[Failure] = []
    for turn in turns:
        turn.addErrback(failed.append)
    pacer.stop()
    assert [failure.type for failure in failed] == [CancelledError, CancelledError]
    assert clock.getDelayedCalls() == []
