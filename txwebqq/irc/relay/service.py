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
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import LINKS_SCHEMA, MediaLinks, mediaService
from txwebqq.irc.relay.account import RelayAccount
from txwebqq.irc.relay.network import IRCNetwork
from txwebqq.irc.relay.outbox import OUTBOX_SCHEMA, Outbox
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.service import WebQQService
from txwebqq.sqlite.database import MEMORY, Database, Schema

HOUR = 3600
REMEMBERED = 3 * 24 * HOUR
"""The seconds for which nothing is taken twice."""

FAREWELL = 5.0
"""The seconds that a place has to tell whether it has heard the last words."""


RELAY_SCHEMA = Schema(
    OUTBOX_SCHEMA + LINKS_SCHEMA,
    version=1,
    application=0x71717277,
    user="relay",
)
"""What waits, and pictures."""


class RelayService(MultiService):
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
        self._outbox = Outbox(self._database)
        self._clients: list[WebQQClient] = []
        self._rooms: list[BridgedRoom] = []
        self._links: MediaLinks | None = None
        if settings.pictures is not None:
            self._links, shown = mediaService(
                settings.pictures, self._database, reactor
            )
            shown.setServiceParent(self)
        accounts: dict[int, RelayAccount] = {}
        for account in settings.accounts:
            client = connect(reactor, account.server, account.caFile)
            self._clients.append(client)
            number = account.account.number
            accounts[number] = RelayAccount(number, reactor, self._outbox)
            service = WebQQService(
                account.account,
                AccountFactory(accounts[number].qq),
                client,
                reactor,
                era=account.era,
            )
            service.setServiceParent(self)  # type: ignore[no-untyped-call]
        networks: dict[str, IRCNetwork] = {}
        for known in settings.networks:
            networks[known.name] = network = IRCNetwork(known, reactor)
            network.setServiceParent(self)  # type: ignore[no-untyped-call]
        for each in settings.rooms:
            room = BridgedRoom(each, self._outbox, reactor, self._links)
            for group in each.groups:
                room.add(accounts[group.account].link(group, room))
            for channel in each.channels:
                network = networks[channel.network]
                room.add(network.joinChannel(channel.name, each.key, room))
            self._rooms.append(room)
        self._accounts = list(accounts.values())
        self._pacers = [n.pacer for n in networks.values()]
        self._pacers += [d.pacer for d in accounts.values()]
        tidying = TimerService(HOUR, self._tidy)
        tidying.clock = reactor
        tidying.setServiceParent(self)

    def _tidy(self) -> None:
        if self._links is not None:
            self._links.expire()
        self._outbox.forget(int((self._clock.seconds() - REMEMBERED) * 1000))

    def startService(self) -> None:
        """
        Sign on, and join.
        """
        if self._settings.database is None:
            self._log.warn("What waits is in memory alone: give a database.")
        queues = [queue for room in self._rooms for queue in room.queues()]
        for lane, count in self._outbox.queues().items():
            if lane in queues:
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
        for pacer in self._pacers:
            pacer.stop()
        for account in self._accounts:
            account.stop()
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
            await maybeDeferred(super(RelayService, self).stopService)
            # Where there is no connection any more, nothing is being said.
            await silent
            await gatherResults([client.close() for client in self._clients])
            self._database.close()

        return Deferred.fromCoroutine(stop())
