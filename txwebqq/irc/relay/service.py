"""
The relay: groups of QQ and channels of IRC that are one room.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.logger import Logger

from txwebqq.client import WebQQClient, connect
from txwebqq.irc.config.relay import RelaySettings
from txwebqq.irc.qq.medialinks import LINKS_SCHEMA, MediaLinks, mediaService
from txwebqq.irc.relay.account import Delegate
from txwebqq.irc.relay.network import Network
from txwebqq.irc.relay.outbox import SPOOL_SCHEMA, Spool
from txwebqq.irc.relay.room import Room
from txwebqq.service import WebQQService
from txwebqq.sqlite.database import MEMORY, Database, Schema

HOUR = 3600
REMEMBERED = 3 * 24 * HOUR
"""The seconds for which nothing is taken twice."""

FAREWELL = 5.0
"""The seconds that a place has to tell whether it has heard the last words."""


RELAY_SCHEMA = Schema(
    SPOOL_SCHEMA + LINKS_SCHEMA,
    version=1,
    application=0x71717277,
    user="relay",
)
"""What waits, and pictures."""


class Relay(MultiService):
    """
    Keeps the accounts signed on and us in the channels, and says in each place
    what is said in the others of its room.
    """

    _log = Logger()

    def __init__(self, settings: RelaySettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings = settings
        self._clock = reactor
        self._database = Database(settings.database or MEMORY, RELAY_SCHEMA)
        self._spool = Spool(self._database)
        self._clients: list[WebQQClient] = []
        self._rooms: list[Room] = []
        self._links: MediaLinks | None = None
        if settings.pictures is not None:
            self._links, shown = mediaService(
                settings.pictures, self._database, reactor
            )
            shown.setServiceParent(self)
        delegates: dict[int, Delegate] = {}
        for account in settings.accounts:
            client = connect(reactor, account.server, account.caFile)
            self._clients.append(client)
            number = account.account.number
            delegates[number] = Delegate(number, reactor, self._spool)
            service = WebQQService(
                account.account, delegates[number], client, reactor, era=account.era
            )
            service.setServiceParent(self)  # type: ignore[no-untyped-call]
        networks: dict[str, Network] = {}
        for network in settings.networks:
            networks[network.name] = Network(network, reactor)
            networks[network.name].setServiceParent(self)  # type: ignore[no-untyped-call]
        for each in settings.rooms:
            room = Room(each, self._spool, reactor, self._links)
            for group in each.groups:
                room.addTable(delegates[group.account].table(group, room))
            for channel in each.channels:
                seat = networks[channel.network].seat(channel.name, each.key, room)
                room.addChannel(seat)
            self._rooms.append(room)
        self._delegates = list(delegates.values())
        self._paces = [n.pacer for n in networks.values()]
        self._paces += [d.pacer for d in delegates.values()]
        tidying = TimerService(HOUR, self._tidy)
        tidying.clock = reactor
        tidying.setServiceParent(self)

    def _tidy(self) -> None:
        if self._links is not None:
            self._links.expire()
        self._spool.forget(int((self._clock.seconds() - REMEMBERED) * 1000))

    def startService(self) -> None:
        """
        Sign on, and join.
        """
        if self._settings.database is None:
            self._log.warn("What waits is in memory alone: give a database.")
        lanes = [lane for room in self._rooms for lane in room.lanes()]
        for lane, count in self._spool.lanes().items():
            if lane in lanes:
                self._log.info("{count} wait for {lane}.", count=count, lane=lane)
            else:
                self._log.warn(
                    "{count} wait for {lane}, which is in no room any more.",
                    count=count,
                    lane=lane,
                )
        super().startService()  # type: ignore[no-untyped-call]
        for room in self._rooms:
            room.start()

    def stopService(self) -> Deferred[None]:
        """
        Say the words that are half said, and leave.

        @return: fires when nothing is in flight.
        """
        for pacer in self._paces:
            pacer.stop()
        for delegate in self._delegates:
            delegate.stop()
        silent = gatherResults([room.stop() for room in self._rooms])
        heard: Deferred[None] = Deferred()
        patience = self._clock.callLater(FAREWELL, heard.callback, None)

        def hurry(result: object) -> None:
            if patience.active():
                patience.cancel()
                heard.callback(None)

        silent.addCallback(hurry)

        async def stop() -> None:
            await heard
            await maybeDeferred(super(Relay, self).stopService)
            # Where there is no connection any more, nothing is being said.
            await silent
            await gatherResults([client.close() for client in self._clients])
            self._database.close()

        return Deferred.fromCoroutine(stop())
