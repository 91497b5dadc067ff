"""
The channels that are to be joined on one connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from txwebqq.irc.protocol.line import Line

MAX_CHANNELS = 10
"""Maximum number of channels in one C{JOIN}, if the server names none."""

_MAX_PARAMS = 300
"""Maximum length of the channels and keys of one C{JOIN}, in bytes."""

_MAX_DIGITS = 9
"""Maximum length of a limit that the server names, in digits."""


class JoinQueue:
    """
    Joins many channels with few lines, which are sent at the pace of the network.

    @param send: sends the line that a function builds, when a line may be sent;
        no line for C{None}.
    @param support: the tokens of C{RPL_ISUPPORT} (005).
    """

    def __init__(
        self,
        send: Callable[[Callable[[], Line | None]], None],
        support: Mapping[str, str],
    ) -> None:
        self._send = send
        self._support = support
        # The channels that wait, with their keys.
        self._waiting: dict[str, str] = {}
        self._isScheduled = False

    def add(self, channel: str, key: str) -> None:
        """
        Join a channel.

        @param key: the channel key, C{""} for none.
        """
        self._waiting[channel] = key
        self._schedule()

    def _schedule(self) -> None:
        if not self._isScheduled:
            self._isScheduled = True
            self._send(self._nextLine)

    def _nextLine(self) -> Line | None:
        self._isScheduled = False
        limit = targetLimit(self._support, "JOIN", MAX_CHANNELS)
        # Keys belong to the first channels of the line.
        waiting = sorted(self._waiting.items(), key=lambda each: not each[1])
        channels: list[str] = []
        keys: list[str] = []
        size = 0
        for channel, key in waiting:
            size += len(channel.encode()) + len(key.encode()) + 2
            if channels and (len(channels) >= limit or size > _MAX_PARAMS):
                break
            channels.append(channel)
            keys += [key] if key else []
            del self._waiting[channel]
        if self._waiting:
            self._schedule()
        if not channels:
            return None
        params = [",".join(channels), ",".join(keys)]
        return Line("JOIN", tuple(param for param in params if param))


def targetLimit(support: Mapping[str, str], command: str, default: int) -> int:
    """
    Return the maximum number of targets of a command by C{TARGMAX}, or by the
    older C{MAXTARGETS}, which is about messages.
    """
    if command == "PRIVMSG":
        default = limitOf(support.get("MAXTARGETS", "")) or default
    for entry in support.get("TARGMAX", "").split(","):
        name, colon, limit = entry.partition(":")
        if name.upper() == command and colon:
            return limitOf(limit) or default
    return default


def limitOf(text: str) -> int | None:
    """
    Parse a limit in C{RPL_ISUPPORT}.

    @return: L{None} for 0, for a text that is no number, and for a number that is
        too long.
    """
    isNumber = text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) or None if isNumber else None
