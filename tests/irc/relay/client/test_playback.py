"""
Messages that a server or bouncer plays back.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.client.playback import MAX_SKEW, timeOf

SERVER_OFFSET = 5000.0
"""The seconds by which the clock of the server is ahead of ours."""


def stamp(relay: MemoryRelay, seconds: float) -> str:
    """
    Build a time tag: some seconds from now by the clock of the server.
    """
    time = datetime.fromtimestamp(relay.clock.seconds() + SERVER_OFFSET + seconds, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def join(relay: MemoryRelay, isTagged: bool) -> None:
    """
    Join again, on a server that tags its own lines with the time, or not.
    """
    tags = {"time": stamp(relay, 0)} if isTagged else {}
    relay.server.last.send(
        Line("JOIN", ("#cats",), "qqrelay!~relay@host", tags),
        Line("366", ("qqrelay", "#cats", "End"), tags=tags),
    )


def test_unbatched() -> None:
    """
    A message from before the relay joined is not relayed, by the server's clock;
    clocks that differ by some seconds lose nothing.
    """
    relay = MemoryRelay()
    relay.server.offers = "server-time"
    relay.start()
    join(relay, isTagged=True)
    relay.server.bob("yesterday", time=stamp(relay, -86400))
    relay.server.bob("a minute ago", time=stamp(relay, -60))
    relay.server.bob("just now", time=stamp(relay, -MAX_SKEW / 2))
    relay.server.bob("now", time=stamp(relay, 0))
    relay.server.bob("no time")
    relay.server.bob("bad time", time="yesterday")
    relay.settle(5)
    assert relay.qq() == [
        f"<bob> {t}" for t in ("just now", "now", "no time", "bad time")
    ]


def test_untaggedServer() -> None:
    """
    When the server tags messages only, those that come right after the join and
    are old by our clock are not relayed; a wrong clock loses nothing later.
    """
    relay = MemoryRelay()
    relay.server.offers = "server-time"
    relay.start()
    join(relay, isTagged=False)
    old = stamp(relay, -SERVER_OFFSET - 600)
    relay.server.bob("long ago", time=old)
    relay.settle(MAX_SKEW + 5)
    relay.server.bob("now", time=old)
    relay.settle(5)
    assert relay.qq() == ["<bob> now"]


def test_clockSetBack() -> None:
    """
    When the clock of the server is set back, messages are still relayed.
    """
    relay = MemoryRelay()
    relay.server.offers = "server-time"
    relay.start()
    join(relay, isTagged=True)
    before = {"time": stamp(relay, -3600)}
    relay.server.last.send(Line("PONG", ("irc.test", "x"), "irc.test", before))
    relay.server.bob("still here", **before)
    relay.settle(5)
    assert relay.qq() == ["<bob> still here"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00.500Z", 60.5),
        ("1970-01-01T00:01:00", 60.0),
        ("", None),
        ("x", None),
    ],
)
def test_timeOf(text: str, seconds: float | None) -> None:
    """
    A time tag is in UTC; an invalid one counts as none.
    """
    assert timeOf(Line("PRIVMSG", (), "", {"time": text})) == seconds
