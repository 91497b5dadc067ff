"""
Puppets: IRC connections under the names of QQ users who send messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.protocol.pinyin import pinyinRomaniser
from txwebqq.irc.relay.connection import ConnectionListener, IRCConnection
from txwebqq.irc.relay.text.attribution import oneWord
from txwebqq.irc.relay.text.mentions import MAX_NICK

IDLE = 1800.0
"""The seconds after its last message until a puppet is disconnected, and after
a failed connection until the next attempt."""

MUTED = 60.0
"""The seconds for which a puppet is not used after a message of it failed."""

SUFFIX = "|qq"
"""The end of a puppet's nick."""

_ADDRESSED = re.compile(r"(@?)(\S+?)(?=[:,]?(?:\s|$))")
"""A word at the beginning of a text that may be the nick of a puppet."""


class Puppet(ConnectionListener):
    """
    The connection of one QQ user.

    @ivar connection: L{None} until it is made.
    @ivar welcomedConnection: the same connection, when its registration is
        complete.
    @ivar channels: the casefolded names of the channels that it is in.
    @ivar nickForRelay: the nick that it has for the relay's own connection, which
        hears of a change earlier or later than the puppet's.
    """

    def __init__(self, puppets: Puppets, name: str) -> None:
        self.name = name
        self.connection: IRCConnection | None = None
        self.welcomedConnection: IRCConnection | None = None
        self.channels: set[str] = set()
        self.timer: IDelayedCall | None = None
        self.nickForRelay = ""
        self._puppets = puppets

    def hasNick(self, nick: str, fold: Callable[[str], str]) -> bool:
        """
        Tell whether a nick is that of the puppet, for itself or for the relay.
        """
        connection = self.welcomedConnection
        return connection is not None and fold(nick) in (
            fold(connection.nick),
            fold(self.nickForRelay),
        )

    def welcomed(self, connection: IRCConnection) -> None:
        self.welcomedConnection = connection
        self.nickForRelay = connection.nick

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        # Everything else comes on the relay's own connection as well.
        if line.command == "JOIN" and connection.isMe(line.nick):
            if not self.channels:
                self.nickForRelay = connection.nick
            self.channels.add(connection.fold(line.params[0]))
        elif line.command == "KICK" and connection.isMe(line.params[1]):
            self.channels.discard(connection.fold(line.params[0]))
        elif line.command == "NICK" and connection.isMe(line.params[0]):
            # Under another name its messages would be those of a stranger.
            self._puppets.refuse(self, f"renamed to {connection.nick}")

    def disconnected(self, connection: IRCConnection) -> None:
        self.welcomedConnection = None
        self._puppets.remove(self)


class Puppets:
    """
    The puppets in one channel, as many as the settings of the network allow.
    The relay itself sends the messages of QQ users without a puppet, or with
    one that has not joined yet.

    @param key: the channel key, C{""} for none.
    """

    _log = Logger()

    def __init__(
        self,
        settings: NetworkSettings,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        key: str,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._endpoint = endpoint
        self._key = key
        self._romanise = pinyinRomaniser()
        self._puppets: dict[str, Puppet] = {}
        self._connecting: dict[str, Deferred[object]] = {}
        # The names whose puppet was refused, and the time until which no puppet
        # is used for them.
        self._refused: dict[str, float] = {}
        self._stopping: list[Deferred[None]] = []
        self._isStopped = False

    def hasNick(self, nick: str, fold: Callable[[str], str]) -> bool:
        """
        Tell whether a nick is that of a puppet.
        """
        return any(puppet.hasNick(nick, fold) for puppet in self._puppets.values())

    def withNames(self, text: str, fold: Callable[[str], str]) -> str:
        """
        Replace the nick of a puppet at the beginning of a text, which may be pinyin,
        by the name of the QQ user.
        """
        word = _ADDRESSED.match(text) if self._puppets else None
        if word is None:
            return text
        for puppet in self._puppets.values():
            if puppet.hasNick(word[2], fold):
                return f"{word[1]}{oneWord(puppet.name)}{text[word.end() :]}"
        return text

    def renamed(self, nick: str, newNick: str, fold: Callable[[str], str]) -> None:
        """
        The relay's own connection has been told that a user has another nick.
        """
        for puppet in self._puppets.values():
            if puppet.hasNick(nick, fold):
                puppet.nickForRelay = newNick

    def connectionFor(
        self, name: str, channel: str, nickLimit: int | None
    ) -> IRCConnection | None:
        """
        Find the puppet of a QQ user. When there is none in the channel, connect
        one or let it join, for the next message.

        @param nickLimit: the maximum length of a nick on the server, if known.
        """
        now = self._clock.seconds()
        if self._isStopped or self._refused.get(name, now) > now:
            return None
        puppet = self._puppets.get(name)
        if puppet is None:
            if len(self._puppets) < self._settings.puppets:
                self._connect(name, channel, min(nickLimit or MAX_NICK, MAX_NICK))
            return None
        self._resetIdle(puppet)
        connection = puppet.welcomedConnection
        if connection is None:
            return None
        if connection.fold(channel) not in puppet.channels:
            self._join(connection, channel)
            return None
        return connection

    def mute(self, name: str) -> None:
        """
        Do not use the puppet of a QQ user for L{MUTED} seconds.
        """
        self._refuseFor(MUTED, name)

    def _refuseFor(self, seconds: float, name: str) -> None:
        now = self._clock.seconds()
        self._refused = {
            each: until for each, until in self._refused.items() if until > now
        }
        self._refused[name] = now + seconds

    def _join(self, connection: IRCConnection, channel: str) -> None:
        key = (self._key,) if self._key else ()
        connection.sendLine(Line("JOIN", (channel, *key)))

    def _resetIdle(self, puppet: Puppet) -> None:
        if puppet.timer is not None and puppet.timer.active():
            puppet.timer.reset(IDLE)
        else:
            puppet.timer = self._clock.callLater(IDLE, self._disconnect, puppet)

    def _disconnect(self, puppet: Puppet) -> None:
        if puppet.welcomedConnection is not None:
            puppet.welcomedConnection.leave("Idle")

    def refuse(self, puppet: Puppet, reason: str) -> None:
        """
        Disconnect a puppet that is of no use, and connect none under its name for
        L{IDLE} seconds.
        """
        self._logFailure(puppet.name, reason)
        if puppet.welcomedConnection is not None:
            puppet.welcomedConnection.leave("Renamed")

    def _logFailure(self, name: str, reason: str) -> None:
        self._refuseFor(IDLE, name)
        self._log.info(
            "{network}: no puppet for {name}: {reason}; the relay sends in its"
            " place, retrying after {delay} s.",
            network=self._settings.name,
            name=name,
            reason=reason,
            delay=IDLE,
        )

    def _nicksFor(self, name: str, limit: int) -> list[str]:
        # Many networks allow nicks of ASCII characters only.
        latin = ""
        if not name.isascii() and self._romanise is not None:
            latin = self._romanise(name)
        names = [name, latin] if latin.isascii() and latin else [name]
        limit -= len(SUFFIX)
        return [nickFor(n, 0, NickStyle.UTF8, (), limit=limit) + SUFFIX for n in names]

    def _connect(self, name: str, channel: str, limit: int) -> None:
        puppet = self._puppets[name] = Puppet(self, name)
        nick, *alternatives = self._nicksFor(name, limit)
        factory = Factory.forProtocol(
            lambda: IRCConnection(
                self._settingsFor(nick), puppet, self._clock, nick, alternatives
            )
        )
        factory.noisy = False

        async def connect() -> None:
            connection = await self._endpoint.connect(factory)
            assert isinstance(connection, IRCConnection)
            puppet.connection = connection
            await connection.whenWelcomed()
            self._resetIdle(puppet)
            self._join(connection, channel)

        def failed(failure: Failure) -> None:
            if not self._isStopped:
                self._logFailure(name, failure.getErrorMessage())
            if puppet.connection is None:
                self.remove(puppet)

        def ended(result: object) -> None:
            self._connecting.pop(name, None)

        connecting: Deferred[object] = Deferred.fromCoroutine(connect())
        self._connecting[name] = connecting
        connecting.addErrback(failed).addBoth(ended)

    def _settingsFor(self, nick: str) -> NetworkSettings:
        settings = self._settings
        return NetworkSettings(
            name=f"{settings.name} as {nick}",
            endpoint=settings.endpoint,
            nick=nick,
            user=settings.user,
            realname=settings.realname,
            password=settings.password,
            encoding=settings.encoding,
            relaymsg=False,
        )

    def remove(self, puppet: Puppet) -> None:
        """
        Forget a puppet that is disconnected.
        """
        if puppet.timer is not None and puppet.timer.active():
            puppet.timer.cancel()
        if self._puppets.get(puppet.name) is puppet:
            del self._puppets[puppet.name]
        if not self._puppets:
            stopping, self._stopping = self._stopping, []
            for waiting in stopping:
                waiting.callback(None)

    def stop(self) -> Deferred[list[None]]:
        """
        Disconnect all puppets.

        @return: fires when all are disconnected.
        """
        self._isStopped = True
        for connecting in list(self._connecting.values()):
            connecting.cancel()
        for puppet in list(self._puppets.values()):
            if puppet.connection is not None:
                puppet.connection.leave("The relay is stopping")
        if self._puppets:
            self._stopping.append(Deferred())
        return gatherResults(self._stopping)
