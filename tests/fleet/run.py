"""
A run of C{make chaos-fleet}: accounts at several server processes with one database
send messages, while processes, the database and the load balancer are killed, stopped
for some seconds and started again, in an order by a seed.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.fleet.site import FleetSite
from tests.ledger.book import Kind, Verdict
from tests.ledger.clientsrun import ClientsRun
from tests.ledger.crowd import Crowd, nickOf
from tests.ledger.crowdvoices import CrowdVoice
from tests.ledger.voices import TOKEN, Listening
from txwebqq.model import Event, Message

PASSWORDS = "/login"
"""The path of the requests with the digest of a password."""

SIGN_ONS = "/channel/login2"
"""The path of the requests that begin a session, or a session again."""

DOWN = (0.0, 5.0)
"""The seconds for which a killed process is away, at least and at most."""

PAUSES = (1.0, 12.0)
"""The seconds for which a process is stopped: HAProxy gives its clients to others after
some five."""

GAPS = (2.0, 12.0)
"""The seconds between two troubles."""


class Trouble(Enum):
    """
    An event that clients must not notice.
    """

    KILL = "process killed"
    PAUSE = "process stopped for some seconds"
    RESTART = "process restarted"
    FAST = "PostgreSQL restarted (fast)"
    IMMEDIATE = "PostgreSQL restarted (immediate)"
    RELOAD = "HAProxy reloaded"
    CRASH = "HAProxy killed"


AT_PROCESSES = (Trouble.KILL, Trouble.PAUSE, Trouble.RESTART)


@dataclass(frozen=True)
class Size:
    """
    The size of a run.

    @ivar pause: the mean of the seconds between two messages of a sender.
    """

    accounts: int
    minutes: float
    processes: int = 3
    pause: float = 12.0
    isSQLite: bool = False


class Recognising(Listening):
    """
    Reports the nick that the client knows the sender of a message by.
    """

    factory: FleetVoice

    def eventReceived(self, event: Event) -> object:
        if isinstance(event, Message):
            buddy = self.buddies.get(event.sender)
            for token in TOKEN.findall(event.text):
                self.factory.recognised(token, "" if buddy is None else buddy.nick)
        return super().eventReceived(event)


class FleetVoice(CrowdVoice):
    """
    A client with the usual patience.
    """

    protocol = Recognising
    faster = 1.0
    recognised: Callable[[str, str], object]


class FleetChaos(ClientsRun):
    """
    One run.

    @ivar troubles: how often each kind of trouble came.
    @ivar requests: the requests to HAProxy, by path and status.
    """

    voiceClass = FleetVoice

    def __init__(self, folder: Path, seed: int, size: Size) -> None:
        crowd = Crowd(size.accounts, hasIRC=False)
        people = crowd.population()
        self._site = FleetSite(folder, people, size.processes, size.isSQLite)
        super().__init__(seed, crowd, size.pause, self._site)
        self.ledger.mayBeLate = True
        self.size = size
        self.troubles: Counter[Trouble] = Counter()
        self.requests: Counter[tuple[str, str]] = Counter()

    async def play(self) -> Verdict:
        verdict = await super().play()
        self.requests = self._site.requests()
        accounts = len(self.crowd.clients)
        for path in (PASSWORDS, SIGN_ONS):
            count = sum(n for (each, _), n in self.requests.items() if each == path)
            if count != accounts:
                wrong = f"{count} requests for {path} by {accounts} accounts"
                verdict.wrongs.insert(0, wrong)
        return verdict

    async def _play(self) -> None:
        await self._site.start()
        for number in self.crowd.clients:
            self._add(number)
            voice = self._voices[number]
            assert isinstance(voice, FleetVoice)
            voice.recognised = self._recognised
            # A server answers each, and does nothing else meanwhile.
            await deferLater(reactor, 0.02)
        await self._until(self._areOnline, "all are signed on")
        self._ended("sign-on")
        self._speakAll()
        end = reactor.seconds() + self.size.minutes * 60
        for trouble, n in self._plan():
            await deferLater(reactor, self._random.uniform(*GAPS))
            if reactor.seconds() > end:
                break
            self.troubles[trouble] += 1
            self.ledger.killed()
            await self._make(trouble, n)
        self._ended("troubles")
        self._isSending = False
        for number in self.crowd.clients:
            friend = self.crowd.friendsOf(number)[0]
            self._begin(self._say(number, Kind.FRIEND, friend, {friend}))
        await self._deliver()
        await self._until(self._areOnline, "all are on line at the end")
        self._ended("delivery")

    def _recognised(self, token: str, nick: str) -> None:
        entry = self.ledger.entries.get(token)
        if entry is not None and nick != nickOf(entry.sender):
            sender = nick or "an unknown id"
            self.wrongs.append(f"{token} of {entry.sender} has come from {sender}")

    def _plan(self) -> Iterator[tuple[Trouble, int]]:
        """
        Generate troubles without end, each with the number of a process: all kinds in a
        new order each time, those of processes for each of them.
        """
        random = Random(f"{self.seed} troubles")
        count = self.size.processes
        once = [each for each in Trouble if each not in AT_PROCESSES]
        if self.size.isSQLite:
            once = [Trouble.RELOAD, Trouble.CRASH]
        round_ = [(each, n) for each in AT_PROCESSES for n in range(count)]
        round_ += [(each, 0) for each in once]
        while True:
            random.shuffle(round_)
            yield from round_

    async def _make(self, trouble: Trouble, n: int) -> None:
        site = self._site
        server = site.serverOf(n)
        match trouble:
            case Trouble.KILL:
                server.signal("KILL")
                await server.ended
                await deferLater(reactor, self._random.uniform(*DOWN))
                site.launch(n)
                await site.listens(n)
            case Trouble.PAUSE:
                server.signal("STOP")
                await deferLater(reactor, self._random.uniform(*PAUSES))
                server.signal("CONT")
            case Trouble.RESTART:
                server.signal("TERM")
                code = await server.exits()
                if code != 0:
                    self.wrongs.append(f"a process has stopped with exit code {code}")
                site.launch(n)
                await site.listens(n)
            case Trouble.FAST:
                await site.restartPostgreSQL(signal.SIGINT)
            case Trouble.IMMEDIATE:
                await site.restartPostgreSQL(signal.SIGQUIT)
            case Trouble.RELOAD:
                site.balancer.reload()
            case Trouble.CRASH:
                await site.balancer.end("KILL")
                await site.balancer.start()
