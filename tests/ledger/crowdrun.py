"""
The conversations of C{make chaos} and C{make soak}: accounts of QQ, a user of a gateway
and one in the channel of a relay send messages, and a ledger has what became of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.ledger.book import Client, Kind, Outcome, Promise
from tests.ledger.clientsrun import PATIENCE, ClientsRun
from tests.ledger.crowd import (
    BOT,
    BRIDGE,
    CHANNEL,
    GATEWAY,
    LOBBY,
    LOBBY_NAME,
    RELAY,
    TRIP,
    Crowd,
    nickOf,
)
from tests.ledger.crowdsite import CONFIGS, CrowdSite
from tests.ledger.crowdvoices import ChannelUser, GatewayUser

NAMES = {
    GATEWAY: "alice, by the gateway",
    RELAY: "bob, by the relay",
    BOT: "the bot",
}


class CrowdRun(ClientsRun):
    """
    One run.

    @param folder: for the files of the daemons.
    @param configs: the configuration files of daemons.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        crowd: Crowd,
        pause: float,
        configs: Mapping[str, str] = CONFIGS,
    ) -> None:
        self._site = CrowdSite(folder, crowd.population(), configs)
        super().__init__(seed, crowd, pause, self._site)
        self._alice = GatewayUser(
            self._site.irc, lambda t: self.ledger.show(t, GATEWAY)
        )
        self._bob = ChannelUser(
            self._site.ircd.port, lambda t: self.ledger.show(t, RELAY)
        )
        self._saidAt: dict[str, float] = {}
        for number in (GATEWAY, RELAY):
            client = Client(number, NAMES[number], Promise.REPEATED)
            self.ledger.clients[number] = client

    async def _open(self, *names: str) -> None:
        """
        Start the daemons, and sign on.

        @param names: the daemons beside the server and the IRC server.
        """
        await self._site.start("ircd")
        await self._site.start("server")
        await self._bob.join(CHANNEL)
        for name in names:
            await self._site.start(name)
        self._begin(self._attach())
        for number in self.crowd.clients:
            self._add(number)
        await self._areBack("all are signed on", *names)

    async def _areBack(self, what: str, *names: str) -> None:
        """
        Wait until all accounts are on line, and daemons are ready.
        """
        await self._until(self._areOnline, what)
        for name in names:
            deadline = reactor.seconds() + PATIENCE
            while problem := await self._site.problem(name):
                assert reactor.seconds() < deadline, f"not ready: {name}: {problem}"
                await deferLater(reactor, 0.2)

    def _areOnline(self) -> bool:
        isOurs = super()._areOnline()
        return isOurs and self._alice.isAttached and self._bob.isRelayed

    async def _stop(self, *names: str) -> None:
        """
        Stop the clients and daemons in order.

        @param names: the daemons beside the server and the IRC server.
        """
        await self._stopVoices()
        await self._alice.stop()
        for name in names:
            await self._end(name)
        await deferLater(reactor, 1.0)

    async def _end(self, name: str) -> None:
        complaint = await self._site.end(name)
        if complaint:
            self.wrongs.append(complaint)

    def _off(self) -> str:
        off = [super()._off()]
        if not self._alice.isAttached:
            off.append("alice")
        if not self._bob.isRelayed:
            off.append("the relay")
        return ", ".join(off)

    # ---- people

    async def _attach(self) -> None:
        daemon = self._site.daemonOf("gateway")
        await self._site.processes.answers(self._site.irc, daemon, PATIENCE)
        # Until now she may have read lines of a gateway that was killed before it
        # read that they had arrived.
        self.ledger.killed()
        await self._alice.join(f"#{LOBBY_NAME}")
        self._alice.isAttached = True

    def _speakAll(self) -> None:
        super()._speakAll()
        self._begin(self._speakAlice())
        self._begin(self._speakBob())

    def _drawn(self, number: int, random: Random) -> tuple[Kind, int, set[int]]:
        crowd = self.crowd
        drawn = random.random()
        friend = random.choice(crowd.friendsOf(number))
        if drawn < 0.1:
            return Kind.GROUP, LOBBY, {*crowd.everybody}
        if drawn < 0.3 and number in crowd.bridge:
            return Kind.GROUP, BRIDGE, {*crowd.bridge, RELAY}
        if drawn < 0.4 and number in crowd.trip:
            return Kind.DISCUSSION, TRIP, {*crowd.trip}
        if drawn < 0.5:
            return Kind.FRIEND, GATEWAY, {GATEWAY}
        if drawn < 0.6 and crowd.hasBot:
            return Kind.FRIEND, BOT, {BOT}
        return Kind.FRIEND, friend, {friend}

    async def _speakAlice(self) -> None:
        random = Random(f"{self.seed} alice")
        while True:
            await self._wait(random, self._pause / 4)
            if not self._isSending:
                return
            if self._alice.isAttached and not self._isPaused:
                isToAll = random.random() < 0.2
                friend = random.choice(self.crowd.clients)
                await self._sayAlice(LOBBY if isToAll else friend)

    async def _sayAlice(self, place: int) -> None:
        kind, target, recipients = Kind.FRIEND, nickOf(place), {place}
        if place == LOBBY:
            kind, target = Kind.GROUP, f"#{LOBBY_NAME}"
            recipients = {*self.crowd.everybody} - {GATEWAY}
        entry = self.ledger.open(kind, GATEWAY, place, recipients)
        self.ledger.settle(entry, await self._alice.tell(target, entry.token))

    async def _speakBob(self) -> None:
        random = Random(f"{self.seed} bob")
        while True:
            await self._wait(random, self._pause / 4)
            if not self._isSending:
                return
            if self._bob.isRelayed and not self._isPaused:
                self._sayBob()

    def _sayBob(self) -> None:
        entry = self.ledger.open(Kind.LINE, RELAY, BRIDGE, self.crowd.bridge)
        self._saidAt[entry.token] = reactor.seconds()
        self._bob.tell(entry.token)
        self.ledger.settle(entry, Outcome.ACCEPTED)
