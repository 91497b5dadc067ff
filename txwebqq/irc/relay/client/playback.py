"""
Recognition of messages that a server or bouncer plays back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from txwebqq.irc.protocol.line import Line

MAX_SKEW = 30.0
"""The seconds by which a message may be older than our join: the servers of a
network have different clocks."""

_BATCHES = frozenset({"chathistory", "znc.in/playback"})
_MAX_BATCHES = 100
_MESSAGES = frozenset({"PRIVMSG", "NOTICE", "TAGMSG"})


class PlaybackFilter:
    """
    The open batches of one connection, and the server's time at the joins: what
    is in a batch of history, or is older than our join, was said while the relay
    was not in the channel.

    @param now: the time in seconds, by our clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # The type of each open batch, or of the outermost one around it.
        self._batches: dict[str, str] = {}
        self._serverTime: float | None = None
        # The server's time at each join, and ours where it sent none.
        self._joins: dict[str, tuple[float | None, float]] = {}

    def batchTypeOf(self, line: Line) -> str:
        """
        Return the type of the batch that a line is in, C{""} for none.
        """
        return self._batches.get(line.tags.get("batch", ""), "")

    def lineReceived(self, line: Line) -> None:
        """
        Record the batches and the time of a line.
        """
        if line.command == "BATCH":
            self._batchReceived(line)
        elif line.command not in _MESSAGES:
            time = timeOf(line)
            if time is not None:
                self._serverTime = max(time, self._serverTime or time)
            if time is not None and line.command == "PONG":
                self._clockRead(time)

    def _clockRead(self, time: float) -> None:
        # No PONG is played back: before our joins, the clock was set back.
        for channel, (joined, ours) in self._joins.items():
            if joined is not None and time < joined:
                self._joins[channel] = time, ours

    def _batchReceived(self, line: Line) -> None:
        reference = line.params[0]
        if reference.startswith("-"):
            self._batches.pop(reference[1:], None)
        elif len(line.params) > 1 and len(self._batches) < _MAX_BATCHES:
            self._batches[reference[1:]] = self.batchTypeOf(line) or line.params[1]

    def joined(self, channel: str) -> None:
        """
        Record the time at which a channel was joined.

        @param channel: its casefolded name.
        """
        self._joins[channel] = self._serverTime, self._now()

    def isPlayedBack(self, line: Line, channel: str = "") -> bool:
        """
        Tell whether a message is history.

        @param channel: the casefolded name of its channel.
        """
        if self.batchTypeOf(line) in _BATCHES:
            return True
        time = timeOf(line) if line.command in _MESSAGES else None
        if time is None or channel not in self._joins:
            return False
        serverTime, ours = self._joins[channel]
        if serverTime is not None:
            return time < serverTime - MAX_SKEW
        # The server tags messages only. Its clock may be wrong for long, a
        # playback comes at once.
        isSoon = self._now() - ours <= MAX_SKEW
        return isSoon and time < ours - MAX_SKEW


def timeOf(line: Line) -> float | None:
    """
    Parse the C{time} tag of a line, to Unix seconds; C{None} without a valid one.
    """
    text = line.tags.get("time", "")
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        # The specification has UTC only.
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
