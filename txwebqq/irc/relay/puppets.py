"""
Connections of their own for those who speak on QQ.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.relay.connection import IRCConnection

IDLE = 1800.0
"""The seconds of silence after which somebody's connection is closed."""

MUTED = 60.0
"""The seconds for which somebody is spoken for who may not speak."""

SUFFIX = "|qq"


class Puppet:
    """
    One of them.

    @ivar connection: welcomed or not.
    @ivar relayConnection: the same, once it is welcomed.
    @ivar channels: the folded names of those it is in.
    """

    def __init__(self, house: Puppets, name: str) -> None:
        self.name = name
        self.relayConnection: IRCConnection | None = None
        self.connection: IRCConnection | None = None
        self.channels: set[str] = set()
        self.timer: IDelayedCall | None = None
        self._house = house

    def welcomed(self, connection: IRCConnection) -> None:
        """
        It is in.
        """
        self.relayConnection = connection

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        """
        Note in which channels it is; all else the relay's own connection
        hears as well.
        """
        if line.command == "JOIN" and connection.isMe(line.nick):
            self.channels.add(connection.fold(line.params[0]))
        elif line.command == "KICK" and connection.isMe(line.params[1]):
            self.channels.discard(connection.fold(line.params[0]))

    def left(self, connection: IRCConnection) -> None:
        """
        It is gone.
        """
        self.relayConnection = None
        self._house.left(self)


class Puppets:
    """
    Those of one network, as many as are allowed. Whoever has none, or has one
    that is not there yet, is spoken for by the relay itself.
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
        self._puppets: dict[str, Puppet] = {}
        self._coming: dict[str, Deferred[object]] = {}
        # Of these the network has refused the nick, or more connections; until
        # when they are not tried again.
        self._refused: dict[str, float] = {}
        self._gone: list[Deferred[None]] = []
        self._isStopped = False

    def isOurs(self, nick: str, fold: Callable[[str], str]) -> bool:
        """
        Whether that is the nick of one of them.
        """
        return any(
            puppet.relayConnection is not None
            and fold(puppet.relayConnection.nick) == fold(nick)
            for puppet in self._puppets.values()
        )

    def connectionFor(self, name: str, channel: str) -> IRCConnection | None:
        """
        The connection of somebody, if it is in a channel; if not, that is
        seen to.
        """
        now = self._clock.seconds()
        if self._isStopped or self._refused.get(name, now) > now:
            return None
        puppet = self._puppets.get(name)
        if puppet is None:
            if len(self._puppets) < self._settings.puppets:
                self._come(name, channel)
            return None
        self._stay(puppet)
        connection = puppet.relayConnection
        if connection is None:
            return None
        if connection.fold(channel) not in puppet.channels:
            self._join(connection, channel)
            return None
        return connection

    def mute(self, name: str) -> None:
        """
        Somebody's connection cannot be used, for a while.
        """
        now = self._clock.seconds()
        self._refused = {who: till for who, till in self._refused.items() if till > now}
        self._refused[name] = now + MUTED

    def _join(self, connection: IRCConnection, channel: str) -> None:
        key = (self._key,) if self._key else ()
        connection.send(Line("JOIN", (channel, *key)))

    def _stay(self, puppet: Puppet) -> None:
        if puppet.timer is not None and puppet.timer.active():
            puppet.timer.reset(IDLE)
        else:
            puppet.timer = self._clock.callLater(IDLE, self._dismiss, puppet)

    def _dismiss(self, puppet: Puppet) -> None:
        if puppet.relayConnection is not None:
            puppet.relayConnection.leave("Silent for a while")

    def _come(self, name: str, channel: str) -> None:
        puppet = self._puppets[name] = Puppet(self, name)
        nick = nickFor(name, 0, NickStyle.UTF8, (), limit=24) + SUFFIX
        factory = Factory.forProtocol(
            lambda: IRCConnection(self._own(nick), puppet, self._clock, nick)
        )
        factory.noisy = False

        async def come() -> None:
            connection = await self._endpoint.connect(factory)
            assert isinstance(connection, IRCConnection)
            puppet.connection = connection
            await connection.whenWelcomed()
            self._stay(puppet)
            self._join(connection, channel)

        def failed(failure: object) -> None:
            reason = getattr(failure, "getErrorMessage", str)()
            self._log.info("No connection for a speaker: {why}.", why=reason)
            self._refused[name] = self._clock.seconds() + IDLE
            if puppet.connection is None:
                self.left(puppet)

        def came(result: object) -> None:
            self._coming.pop(name, None)

        coming: Deferred[object] = Deferred.fromCoroutine(come())
        self._coming[name] = coming
        coming.addErrback(failed).addBoth(came)

    def _own(self, nick: str) -> NetworkSettings:
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

    def left(self, puppet: Puppet) -> None:
        """
        One of them is gone.
        """
        if puppet.timer is not None and puppet.timer.active():
            puppet.timer.cancel()
        if self._puppets.get(puppet.name) is puppet:
            del self._puppets[puppet.name]
        if not self._puppets:
            gone, self._gone = self._gone, []
            for waiting in gone:
                waiting.callback(None)

    def stop(self) -> Deferred[list[None]]:
        """
        All of them go.

        @return: fires when they have.
        """
        self._isStopped = True
        for coming in list(self._coming.values()):
            coming.cancel()
        for puppet in list(self._puppets.values()):
            if puppet.connection is not None:
                puppet.connection.leave("The relay is stopping")
        if self._puppets:
            self._gone.append(Deferred())
        return gatherResults(self._gone)
