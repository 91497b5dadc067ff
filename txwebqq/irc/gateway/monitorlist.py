"""
The C{MONITOR} list of one client.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txwebqq.irc.gateway.directory import NameDirectory
from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line, isMiddleParam
from txwebqq.irc.protocol.splitting import joinWords, splitText

MAX_MONITORED = 100
"""Maximum number of nicks in a list."""

MAX_NICKS_LENGTH = 300
"""Maximum length of the nicks in one numeric, in bytes."""


class MonitorList:
    """
    The nicks that a client monitors, and for each whether it was online when
    the client was last told.
    """

    def __init__(self, builder: LineBuilder, directory: NameDirectory) -> None:
        self._builder = builder
        self._directory = directory
        # Nick as the client wrote it, and whether online, by the folded nick.
        self._monitored: dict[str, tuple[str, bool]] = {}

    def add(self, nicks: Sequence[str]) -> Iterable[Line]:
        """
        Add nicks, and list which of them are online; 734 for the rest when the
        list is full.
        """
        added: list[str] = []
        for position, nick in enumerate(nicks):
            key = casefold(nick)
            if not nick or len(nick) > MAX_NICKS_LENGTH or nick.startswith(":"):
                continue
            if key not in self._monitored and len(self._monitored) >= MAX_MONITORED:
                yield from self._statesOf(added)
                yield self._full(nicks[position:])
                return
            self._monitored[key] = nick, self.isOnline(nick)
            added.append(key)
        yield from self._statesOf(added)

    def _full(self, nicks: Sequence[str]) -> Line:
        builder = self._builder
        rest = splitText(",".join(nicks), MAX_NICKS_LENGTH, builder.encoding)[0]
        return builder.fromServer(
            "734",
            builder.nick,
            str(MAX_MONITORED),
            rest if isMiddleParam(rest) else "*",
            "Monitor list is full",
        )

    def remove(self, nicks: Iterable[str]) -> None:
        """
        Remove nicks from the list.
        """
        for nick in nicks:
            self._monitored.pop(casefold(nick), None)

    def clear(self) -> None:
        """
        Remove all nicks from the list.
        """
        self._monitored.clear()

    def listed(self) -> Iterable[Line]:
        """
        Return the 732 and 733 replies that list the nicks.
        """
        yield from self._numerics("732", [nick for nick, _ in self._monitored.values()])
        yield self._builder.numeric("733", "End of MONITOR list")

    def states(self) -> Iterable[Line]:
        """
        Return the 730 and 731 replies for all nicks.
        """
        return self._statesOf(self._monitored)

    def changes(self) -> Iterable[Line]:
        """
        Return the 730 and 731 replies for nicks that are now online or offline
        and were not before.
        """
        online: list[str] = []
        offline: list[str] = []
        for key, (nick, wasOnline) in self._monitored.items():
            isOnline = self.isOnline(nick)
            if isOnline != wasOnline:
                self._monitored[key] = nick, isOnline
                (online if isOnline else offline).append(nick)
        yield from self._online(online)
        yield from self._numerics("731", offline)

    def isOnline(self, nick: str) -> bool:
        """
        Check whether a nick is the client's own, the bot's, or that of a
        friend who is online.
        """
        return self._builder.isOwnNick(nick) or self._directory.isOnline(nick)

    def _statesOf(self, keys: Iterable[str]) -> Iterable[Line]:
        states = [self._monitored[key] for key in keys]
        yield from self._online([nick for nick, isOnline in states if isOnline])
        yield from self._numerics(
            "731", [nick for nick, isOnline in states if not isOnline]
        )

    def _online(self, nicks: Iterable[str]) -> Iterable[Line]:
        return self._numerics("730", [self._mask(nick) for nick in nicks])

    def _mask(self, nick: str) -> str:
        target = self._directory.targetNamed(nick)
        if target is not None:
            return self._builder.contactMask(nick, target.number)
        return self._builder.userMask if self._builder.isOwnNick(nick) else nick

    def _numerics(self, numeric: str, nicks: Sequence[str]) -> Iterable[Line]:
        for some in joinWords(nicks, MAX_NICKS_LENGTH, separator=","):
            yield self._builder.numeric(numeric, some)
