"""
The relay service: QQ accounts, IRC networks, and the rooms that join groups of
the ones and channels of the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.logger import Logger

from txwebqq.accounts import AccountMaker, keepingBeside, makeAccount
from txwebqq.irc.config.relay import RelaySettings
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import LINKS_SCHEMA, MediaLinks, mediaService
from txwebqq.irc.relay.account import RelayAccount
from txwebqq.irc.relay.network import IRCNetwork
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.storage.messageids import MESSAGE_IDS_SCHEMA, MessageIds
from txwebqq.irc.relay.storage.outbox import OUTBOX_SCHEMA, Outbox
from txwebqq.operation.captchas.options import NO_WAY
from txwebqq.sqlite.database import MEMORY, Database, Schema

HOUR = 3600
REMEMBERED = 3 * 24 * HOUR
"""The seconds for which the origins of messages are remembered, so that a
message is not relayed twice."""

CONFIRMATION_TIMEOUT = 5.0
"""The seconds that the relay waits at its end for the confirmation of messages
that were sent."""

RELAY_SCHEMA = Schema(
    OUTBOX_SCHEMA + MESSAGE_IDS_SCHEMA + LINKS_SCHEMA,
    version=3,
    application=0x71717277,
    user="relay",
)
"""The database: the outbox, ids of messages, pictures and long texts."""


RELOADABLE = {
    "at-limit": "overflow",
    "ignore-nicks": "ignoredNicks",
    "ignore-text": "ignoredTexts",
    "joins": "joins",
    "max-lines": "lines",
    "opt-out": "optOut",
}
"""The keys of a room that can change while the relay runs, and their fields."""


class RelayService(MultiService):
    """
    Keeps the accounts signed on and the channels joined, and relays messages
    between the targets of each room.

    @param make: makes the services of the accounts.
    @param captchaAdvice: the sentence that tells where captchas are answered.

    @ivar networks: the IRC networks, by name.
    """

    _log = Logger()

    def __init__(
        self,
        settings: RelaySettings,
        reactor: Any,
        make: AccountMaker = makeAccount,
        captchaAdvice: str = NO_WAY,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings = settings
        self._clock = reactor
        self._database = Database(settings.database or MEMORY, RELAY_SCHEMA)
        self._outbox = Outbox(self._database)
        self._ids = MessageIds(self._database)
        self._rooms: list[BridgedRoom] = []
        self._links: MediaLinks | None = None
        if settings.pictures is not None:
            self._links, site = mediaService(settings.pictures, self._database, reactor)
            site.setServiceParent(self)
        make = keepingBeside(make, settings.database)
        accounts: dict[int, RelayAccount] = {}
        for account in settings.accounts:
            number = account.account.number
            accounts[number] = RelayAccount(
                number,
                reactor,
                self._outbox,
                account.burst,
                account.seconds,
                getattr(account.access, "server", "") or "onebot",
                captchaAdvice,
            )
            service = make(
                account.account,
                account.access,
                AccountFactory(accounts[number].qq),
                reactor,
            )
            service.setServiceParent(self)  # type: ignore[no-untyped-call]
        networks: dict[str, IRCNetwork] = {}
        self.networks = networks
        for known in settings.networks:
            networks[known.name] = network = IRCNetwork(known, reactor)
            network.setServiceParent(self)  # type: ignore[no-untyped-call]
        for each in settings.rooms:
            room = BridgedRoom(each, self._outbox, self._ids, reactor, self._links)
            for group in each.groups:
                room.add(accounts[group.account].link(group, room))
            for channel in each.channels:
                network = networks[channel.network]
                room.add(network.joinChannel(channel.name, each.key, room))
            self._rooms.append(room)
        self._accounts = list(accounts.values())
        if self._links is not None:
            fetchers = {number: each.qq for number, each in accounts.items()}
            self._links.files.accounts.update(fetchers)
        self._pacers = [n.pacer for n in networks.values()]
        self._pacers += [a.pacer for a in accounts.values()]
        expiry = TimerService(HOUR, self._expire)
        expiry.clock = reactor
        expiry.setServiceParent(self)

    def reload(self, settings: RelaySettings) -> dict[str, bool]:
        """
        Change which messages are relayed in the rooms that there are.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        applied = {}
        for position, (room, new) in enumerate(
            zip(self._rooms, settings.rooms, strict=False), 1
        ):
            old = room.settings
            if (old.groups, old.channels) != (new.groups, new.channels):
                continue
            room.settings = room.notices.settings = replace(
                old, **{field: getattr(new, field) for field in RELOADABLE.values()}
            )
            for key in RELOADABLE:
                applied[f"relay.room {position}.{key}"] = False
        return applied

    def _expire(self) -> None:
        if self._links is not None:
            self._links.expire()
        before = int((self._clock.seconds() - REMEMBERED) * 1000)
        self._outbox.forget(before)
        self._ids.forget(before)

    def queued(self) -> dict[str, int]:
        """
        Count the messages that wait, for each target of a room.
        """
        counts = self._outbox.queues()
        queues = (queue for room in self._rooms for queue in room.queues())
        return {queue: counts.get(queue, 0) for queue in queues}

    def startService(self) -> None:
        if self._settings.database is None:
            self._log.warn(
                "No database is configured: queued messages are lost when the relay"
                " stops."
            )
        queues = [queue for room in self._rooms for queue in room.queues()]
        for queue, count in self._outbox.queues().items():
            if queue in queues:
                self._log.info(
                    "{count} messages are queued for {queue}.", count=count, queue=queue
                )
            else:
                self._log.warn(
                    "{count} messages are queued for {queue}, which is in no room of"
                    " the configuration: they are not sent.",
                    count=count,
                    queue=queue,
                )
        super().startService()  # type: ignore[no-untyped-call]
        for room in self._rooms:
            room.start()

    def stopService(self) -> Deferred[None]:
        """
        Wait for the messages that are being sent, then sign off and leave the
        networks.

        @return: fires when nothing is in flight and the database is closed.
        """
        for pacer in self._pacers:
            pacer.stop()
        for account in self._accounts:
            account.stop()
        idle = gatherResults([room.stop() for room in self._rooms])
        idleOrLate: Deferred[None] = Deferred()
        timeout = self._clock.callLater(CONFIRMATION_TIMEOUT, idleOrLate.callback, None)

        def isIdle(result: object) -> None:
            if timeout.active():
                timeout.cancel()
                idleOrLate.callback(None)

        idle.addCallback(isIdle)

        async def stop() -> None:
            await idleOrLate
            await maybeDeferred(super(RelayService, self).stopService)
            # Fires now at the latest, because all connections are closed.
            await idle
            self._database.close()

        return Deferred.fromCoroutine(stop())
