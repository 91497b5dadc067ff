"""
The conversations of C{make chaos} and C{make soak}: accounts of QQ, a user of a gateway
and one in the channel of a relay send messages, and a ledger has what became of each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from tests.ledger.book import Client, Entry, Kind, Ledger, Outcome, Promise, Verdict
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
from tests.ledger.crowdvoices import ChannelUser, CrowdVoice, GatewayUser
from tests.messages import Lost
from tests.network.rawclient import Refused

PATIENCE = 120.0
"""The seconds after which a wait is given up."""

NAMES = {
    GATEWAY: "alice, by the gateway",
    RELAY: "bob, by the relay",
    BOT: "the bot",
}


class CrowdRun(ABC):
    """
    One run.

    @param folder: for the files of the daemons.
    @param pause: the mean of the seconds between two messages of a sender.
    @cvar voiceClass: makes the clients of the accounts.
    @ivar wrongs: what must not be, beside that of the ledger.
    @ivar phases: the seconds after the start at which each phase ended.
    """

    voiceClass = CrowdVoice

    def __init__(
        self,
        folder: Path,
        seed: int,
        crowd: Crowd,
        pause: float,
        configs: Mapping[str, str] = CONFIGS,
    ) -> None:
        self.seed = seed
        self.crowd = crowd
        self.ledger = Ledger()
        self.wrongs: list[str] = []
        self.seconds = 0.0
        self.phases: dict[str, float] = {}
        self._pause = pause
        self._random = Random(f"{seed} run")
        self._site = CrowdSite(folder, crowd.population(), configs)
        self._voices: dict[int, CrowdVoice] = {}
        self._alice = GatewayUser(
            self._site.irc, lambda t: self.ledger.show(t, GATEWAY)
        )
        self._bob = ChannelUser(
            self._site.ircd.port, lambda t: self.ledger.show(t, RELAY)
        )
        self._tasks: list[Deferred[None]] = []
        self._isSending = True
        self._isPaused = False
        self._saidAt: dict[str, float] = {}
        for number in (GATEWAY, RELAY, *crowd.clients):
            isOurs = number in crowd.clients
            promise = Promise.ORDERED if isOurs else Promise.REPEATED
            name = NAMES.get(number, nickOf(number))
            self.ledger.clients[number] = Client(number, name, promise)

    # ---- from beginning to end

    async def play(self) -> Verdict:
        """
        Run, and judge.
        """
        began = reactor.seconds()
        observer: Any = self._logged
        globalLogPublisher.addObserver(observer)
        try:
            await self._play()
        except AssertionError as e:
            self.wrongs.append(f"the run was given up: {e}")
        finally:
            globalLogPublisher.removeObserver(observer)
            await self._clear()
        self.seconds = reactor.seconds() - began
        self.phases = {what: at - began for what, at in self.phases.items()}
        verdict = self.ledger.judge()
        unsettled = [e for e in self.ledger.entries.values() if _isOpen(e)]
        self.wrongs += [f"nobody was told of {e.token}: {e.kind}" for e in unsettled]
        # First what may be the reason of the others.
        verdict.wrongs[:0] = self.wrongs
        verdict.wrongs += [f"a daemon said:\n{bug}" for bug in self._site.bugs()]
        return verdict

    def _logged(self, event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            text = formatEvent(event)
            self.wrongs.append(f"a client said: {text}\n{failure.getTraceback()}")

    @abstractmethod
    async def _play(self) -> None:
        """
        Start all, have messages sent, and stop all.
        """

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
        areOurs = all(voice.online is not None for voice in self._voices.values())
        return areOurs and self._alice.isAttached and self._bob.isRelayed

    async def _deliver(self) -> None:
        """
        Wait until all that was accepted is shown.
        """
        self._isSending = False
        await self._until(lambda: not self._outstanding(), "all is delivered", False)
        # What comes twice comes soon.
        await deferLater(reactor, 3.0)

    def _outstanding(self) -> list[Entry]:
        return [
            entry
            for entry in self.ledger.entries.values()
            if _isOpen(entry)
            or (
                entry.outcome is Outcome.ACCEPTED
                and not entry.recipients.issubset(entry.shown)
            )
        ]

    def _ended(self, phase: str) -> None:
        self.phases[phase] = reactor.seconds()

    async def _stop(self, *names: str) -> None:
        """
        Stop the clients and daemons in order.

        @param names: the daemons beside the server and the IRC server.
        """
        for voice in self._voices.values():
            await voice.stop()
        self._voices.clear()
        await self._alice.stop()
        for name in names:
            await self._end(name)
        await deferLater(reactor, 1.0)

    async def _end(self, name: str) -> None:
        complaint = await self._site.end(name)
        if complaint:
            self.wrongs.append(complaint)

    async def _clear(self) -> None:
        self._isSending = False
        for task in self._tasks:
            task.cancel()
        for voice in self._voices.values():
            await voice.stop()
        await self._site.clear()

    # ---- waiting

    async def _until(
        self, isTrue: Callable[[], bool], what: str, isNeeded: bool = True
    ) -> None:
        deadline = reactor.seconds() + PATIENCE
        while not isTrue():
            if reactor.seconds() > deadline:
                assert not isNeeded, f"not within {PATIENCE:g} s: {what}; {self._off()}"
                return
            await deferLater(reactor, 0.1)

    def _off(self) -> str:
        off = [str(n) for n, voice in self._voices.items() if voice.online is None]
        if not self._alice.isAttached:
            off.append("alice")
        if not self._bob.isRelayed:
            off.append("the relay")
        return f"off line: {', '.join(off) or 'none'}"

    def _begin(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        task = Deferred.fromCoroutine(coroutine)
        task.addErrback(self._ebTask)
        self._tasks.append(task)

    def _ebTask(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.wrongs.append(f"a task has failed: {failure.getTraceback()}")

    async def _wait(self, random: Random, pause: float) -> None:
        await deferLater(reactor, random.uniform(0.0, 2 * pause))

    # ---- people

    async def _attach(self) -> None:
        daemon = self._site.daemonOf("gateway")
        await self._site.processes.answers(self._site.irc, daemon, PATIENCE)
        # Until now she may have read lines of a gateway that was killed before it
        # read that they had arrived.
        self.ledger.killed()
        await self._alice.join(f"#{LOBBY_NAME}")
        self._alice.isAttached = True

    def _add(self, number: int) -> None:
        signedOn = self.ledger.clients[number].signedOn
        voice = self.voiceClass(
            lambda token: self.ledger.show(token, number),
            lambda: signedOn.append(self.ledger.moment()),
            number,
        )
        self._voices[number] = voice
        voice.start(self._site.port, None).addErrback(self._ebTask)

    def _speakAll(self) -> None:
        """
        Let all people speak until C{_isSending} is false.
        """
        for number in self.crowd.clients:
            self._begin(self._speak(number))
        self._begin(self._speakAlice())
        self._begin(self._speakBob())

    async def _speak(self, number: int) -> None:
        random = Random(f"{self.seed} {number} speaks")
        crowd = self.crowd
        while True:
            await self._wait(random, self._pause)
            if not self._isSending:
                return
            voice = self._voices.get(number)
            if self._isPaused or voice is None or voice.online is None:
                continue
            drawn = random.random()
            friend = random.choice(crowd.friendsOf(number))
            if drawn < 0.1:
                await self._say(number, Kind.GROUP, LOBBY, {*crowd.everybody})
            elif drawn < 0.3 and number in crowd.bridge:
                await self._say(number, Kind.GROUP, BRIDGE, {*crowd.bridge, RELAY})
            elif drawn < 0.4 and number in crowd.trip:
                await self._say(number, Kind.DISCUSSION, TRIP, {*crowd.trip})
            elif drawn < 0.5:
                await self._say(number, Kind.FRIEND, GATEWAY, {GATEWAY})
            elif drawn < 0.6 and crowd.hasBot:
                await self._say(number, Kind.FRIEND, BOT, {BOT})
            else:
                await self._say(number, Kind.FRIEND, friend, {friend})

    async def _say(
        self, number: int, kind: Kind, place: int, recipients: set[int]
    ) -> None:
        entry = self.ledger.open(kind, number, place, recipients - {number})
        outcome = Outcome.ACCEPTED
        try:
            try:
                send = await self._voices[number].prepare(kind, place, entry.token)
            except Lost as lost:
                raise Refused(-1) from lost
            await send()
        except Lost:
            outcome = Outcome.UNCERTAIN
        except Refused:
            outcome = Outcome.REFUSED
        self.ledger.settle(entry, outcome)

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


def _isOpen(entry: Entry) -> bool:
    return entry.outcome is Outcome.ASKED
