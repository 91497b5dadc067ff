"""
A run of C{make chaos}: a server with faults on purpose, a gateway, a relay with an IRC
server, and many clients; the daemons are killed at moments by a seed.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from tests.endtoend.daemons import Daemon, freePort
from tests.irc.servers import Ircd, writeConfig
from tests.ledger.book import Client, Entry, Kind, Ledger, Outcome, Promise, Verdict
from tests.ledger.crowd import (
    BRIDGE,
    CHANNEL,
    FAULTS,
    GATEWAY,
    GATEWAY_CONFIG,
    IRC_PASSWORD,
    LOBBY,
    LOBBY_NAME,
    RELAY,
    RELAY_CONFIG,
    TRIP,
    Crowd,
    nickOf,
)
from tests.ledger.crowdvoices import ChannelUser, CrowdVoice, GatewayUser
from tests.ledger.people import passwordOf
from tests.ledger.site import Site
from tests.messages import Lost
from tests.network.rawclient import Refused

PATIENCE = 120.0
"""The seconds after which a wait is given up."""

FRESH = 2.0
"""The seconds for which a line of the channel may not have been read by a relay."""

SPARE = 8
"""The persistent connections that an idle daemon may have more than at the start."""

FILES = 2
"""The files of its database that a server opens when it writes."""

_FAULT = re.compile(r"Fault (\d+) on purpose: (\S+) at")


@dataclass(frozen=True)
class Size:
    """
    The amount of accounts, faults and kills.

    @ivar pause: the mean of the seconds between two messages of a sender.
    """

    accounts: int
    faults: int
    kills: int
    pause: float = 4.0


class Chaos:
    """
    One run.

    @param folder: for the files of the daemons.
    @ivar phases: the seconds after the start at which each phase ended.
    """

    def __init__(self, folder: Path, seed: int, size: Size) -> None:
        self.seed = seed
        self.size = size
        self.crowd = Crowd(size.accounts)
        self.ledger = Ledger()
        self.wrongs: list[str] = []
        self.killed: Counter[str] = Counter()
        self.seconds = 0.0
        self.phases: dict[str, float] = {}
        self._folder = folder
        self._random = Random(f"{seed} chaos")
        self._site = Site(folder, False, self.crowd.population())
        processes = self._processes = self._site.processes
        self._irc = freePort()
        self._ircd = Ircd(processes, "ngircd")
        ports = {"qq": self._site.port, "irc": self._irc, "ircd": self._ircd.port}
        writeConfig(folder, GATEWAY_CONFIG.format(**ports), "gateway.toml")
        writeConfig(folder, RELAY_CONFIG.format(**ports), "relay.toml")
        writeConfig(folder, FAULTS, "faults.toml")
        for name, password in (
            ("alice.irc", IRC_PASSWORD),
            ("gateway.qq", passwordOf(GATEWAY)),
            ("relay.qq", passwordOf(RELAY)),
        ):
            processes.secret(name, password)
        self._daemons: dict[str, Daemon] = {}
        self._voices: dict[int, CrowdVoice] = {}
        self._alice = GatewayUser(self._irc, lambda t: self.ledger.show(t, GATEWAY))
        self._bob = ChannelUser(self._ircd.port, lambda t: self.ledger.show(t, RELAY))
        self._tasks: list[Deferred[None]] = []
        self._isSending = True
        self._saidAt: dict[str, float] = {}
        names = {GATEWAY: "alice, by the gateway", RELAY: "bob, by the relay"}
        for number in (GATEWAY, RELAY, *self.crowd.clients):
            isOurs = number in self.crowd.clients
            promise = Promise.ORDERED if isOurs else Promise.REPEATED
            name = names.get(number, nickOf(number))
            self.ledger.clients[number] = Client(number, name, promise)

    def faults(self) -> Counter[str]:
        """
        Count the faults so far, by kind.
        """
        kinds: Counter[str] = Counter()
        for daemon in self._processes.daemons:
            kinds.update(kind for _, kind in _FAULT.findall(daemon.output))
        return kinds

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
        verdict.wrongs += self.wrongs
        verdict.wrongs += [f"a daemon said:\n{bug}" for bug in self._site.bugs()]
        return verdict

    def _logged(self, event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            text = formatEvent(event)
            self.wrongs.append(f"a client said: {text}\n{failure.getTraceback()}")

    async def _play(self) -> None:
        # The reactor opens descriptors of its own for the first process.
        await self._processes.run(sys.executable, "-c", "").exits()
        calls, files = len(reactor.getDelayedCalls()), _filesOf(os.getpid())
        await self._ircd.start()
        await self._site.start()
        idle = self._filesOf("server")
        await self._bob.join(CHANNEL)
        self._startRelay()
        self._startGateway()
        for number in self.crowd.clients:
            self._add(number)
        await self._until(self._areOnline, "all are signed on")
        busy = {name: self._filesOf(name) for name in ("gateway", "relay")}
        self._ended("sign-on")
        await self._storm()
        self._ended("faults")
        await self._calm()
        self._ended("delivery")
        for name, before in busy.items():
            after = self._filesOf(name)
            if after > before + SPARE:
                self.wrongs.append(f"the {name} has {after} descriptors, had {before}")
        await self._stop()
        after = self._filesOf("server")
        if after > idle + FILES:
            self.wrongs.append(f"the server has {after} descriptors, had {idle}")
        await self._end("server")
        await self._bob.stop()
        await self._ircd.kill()
        await deferLater(reactor, 0.5)
        left = reactor.getDelayedCalls()
        if len(left) > calls:
            self.wrongs.append(f"the clients have left delayed calls: {left}")
        more = _filesOf(os.getpid()) - files
        if more:
            self.wrongs.append(f"the clients have left descriptors: {dict(more)}")

    async def _storm(self) -> None:
        """
        Send messages with faults and kills.
        """
        await self._kill("server", ["--faults=faults.toml"])
        for number in self.crowd.clients:
            self._begin(self._speak(number))
        self._begin(self._speakAlice())
        self._begin(self._speakBob())
        names = ["server", "gateway", "relay"]
        count = self.size.kills
        victims = [names[n % 3] for n in range(count)]
        self._random.shuffle(victims)
        most = self.size.faults
        moments = sorted(self._random.randrange(most) for _ in victims)
        for moment, victim in zip(moments, victims, strict=True):
            await self._untilFaults(moment)
            await self._kill(victim)
        await self._untilFaults(most)

    async def _calm(self) -> None:
        """
        End the faults, and send a last message of each account.
        """
        self._isSending = False
        await self._kill("server", [])
        await self._until(self._areOnline, "all are on line again")
        self._ended("return")
        for number in self.crowd.clients:
            friend = self.crowd.friendsOf(number)[0]
            self._begin(self._say(number, Kind.FRIEND, friend, {friend}))
        self._begin(self._sayAlice(self.crowd.clients[0]))
        self._sayBob()
        await self._until(lambda: not self._outstanding(), "all is delivered", False)
        # What comes twice comes soon.
        await deferLater(reactor, 3.0)

    def _areOnline(self) -> bool:
        areOurs = all(voice.online is not None for voice in self._voices.values())
        return areOurs and self._alice.isAttached and self._bob.isRelayed

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

    async def _stop(self) -> None:
        """
        Stop the clients, the gateway and the relay in order.
        """
        for voice in self._voices.values():
            await voice.stop()
        self._voices.clear()
        await self._alice.stop()
        for name in ("gateway", "relay"):
            await self._end(name)
        await deferLater(reactor, 1.0)

    async def _end(self, name: str) -> None:
        daemon = self._daemonOf(name)
        daemon.signal("TERM")
        code = await daemon.exits()
        if code != 0:
            self.wrongs.append(f"the {name} has stopped with exit code {code}")

    async def _clear(self) -> None:
        self._isSending = False
        for task in self._tasks:
            task.cancel()
        for voice in self._voices.values():
            await voice.stop()
        for daemon in self._processes.daemons:
            daemon.signal("KILL")
            await daemon.ended
        for n, daemon in enumerate(self._processes.daemons):
            (self._folder / f"{n}.log").write_text(daemon.output, encoding="utf-8")

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

    async def _untilFaults(self, count: int) -> None:
        deadline = reactor.seconds() + 60.0 + self.size.faults
        while (faults := self.faults().total()) < count:
            assert reactor.seconds() < deadline, f"only {faults} faults; {self._off()}"
            await deferLater(reactor, 0.3)

    def _begin(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        task = Deferred.fromCoroutine(coroutine)
        task.addErrback(self._ebTask)
        self._tasks.append(task)

    def _ebTask(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.wrongs.append(f"a task has failed: {failure.getTraceback()}")

    # ---- daemons

    def _daemonOf(self, name: str) -> Daemon:
        if name != "server":
            return self._daemons[name]
        assert self._site.daemon is not None
        return self._site.daemon

    def _filesOf(self, name: str) -> int:
        transport: Any = self._daemonOf(name).transport
        return _filesOf(transport.pid).total()

    def _startGateway(self) -> None:
        argv = ("webqq-irc", "--config", "gateway.toml")
        self._daemons["gateway"] = self._processes.twistd(*argv)
        self._begin(self._attach())

    def _startRelay(self) -> None:
        argv = ("webqq-irc", "--config", "relay.toml")
        self._daemons["relay"] = self._processes.twistd(*argv)

    async def _attach(self) -> None:
        await self._processes.answers(self._irc, self._daemons["gateway"])
        # Until now she may have read lines of a gateway that was killed before it
        # read that they had arrived.
        self.ledger.killed()
        await self._alice.join(f"#{LOBBY_NAME}")
        self._alice.isAttached = True

    async def _kill(self, name: str, options: list[str] | None = None) -> None:
        """
        Kill a daemon, and start it again.

        @param options: the options of the server from now on.
        """
        if name == "gateway":
            # Its user is not in the middle of a registration.
            await self._until(lambda: self._alice.isAttached, "alice is attached")
        self.killed[name] += 1
        self.ledger.killed()
        if name == "server":
            if options is not None:
                self._site.options = options
            if self._site.options:
                seed = (self.seed * 1000 + self._site.boot) % 10**9
                self._site.options = [self._site.options[0], f"--faults-seed={seed}"]
            await self._site.kill()
            await self._site.start()
            return
        daemon = self._daemons[name]
        daemon.signal("KILL")
        await daemon.ended
        if name == "gateway":
            self._alice.detached()
            self._startGateway()
            return
        now = reactor.seconds()
        for token, at in self._saidAt.items():
            entry = self.ledger.entries[token]
            if now - at < FRESH and not entry.shown:
                self.ledger.settle(entry, Outcome.UNCERTAIN)
        self._startRelay()

    # ---- speaking

    def _add(self, number: int) -> None:
        voice = CrowdVoice(
            lambda token: self.ledger.show(token, number), lambda: None, number
        )
        self._voices[number] = voice
        voice.start(self._site.port, None).addErrback(self._ebTask)

    async def _wait(self, random: Random, pause: float) -> None:
        await deferLater(reactor, random.uniform(0.0, 2 * pause))

    async def _speak(self, number: int) -> None:
        random = Random(f"{self.seed} {number} speaks")
        crowd = self.crowd
        while True:
            await self._wait(random, self.size.pause)
            if not self._isSending:
                return
            if self._voices[number].online is None:
                continue
            drawn = random.random()
            friend = random.choice(crowd.friendsOf(number))
            if drawn < 0.1:
                await self._say(number, Kind.GROUP, LOBBY, {*crowd.clients, GATEWAY})
            elif drawn < 0.3 and number in crowd.bridge:
                await self._say(number, Kind.GROUP, BRIDGE, {*crowd.bridge, RELAY})
            elif drawn < 0.4 and number in crowd.trip:
                await self._say(number, Kind.DISCUSSION, TRIP, {*crowd.trip})
            elif drawn < 0.5:
                await self._say(number, Kind.FRIEND, GATEWAY, {GATEWAY})
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
            await self._wait(random, self.size.pause / 4)
            if not self._isSending:
                return
            if self._alice.isAttached:
                isToAll = random.random() < 0.2
                friend = random.choice(self.crowd.clients)
                await self._sayAlice(LOBBY if isToAll else friend)

    async def _sayAlice(self, place: int) -> None:
        kind, target, recipients = Kind.FRIEND, nickOf(place), {place}
        if place == LOBBY:
            kind, target = Kind.GROUP, f"#{LOBBY_NAME}"
            recipients = {*self.crowd.clients}
        entry = self.ledger.open(kind, GATEWAY, place, recipients)
        self.ledger.settle(entry, await self._alice.tell(target, entry.token))

    async def _speakBob(self) -> None:
        random = Random(f"{self.seed} bob")
        while True:
            await self._wait(random, self.size.pause / 4)
            if not self._isSending:
                return
            if self._bob.isRelayed:
                self._sayBob()

    def _sayBob(self) -> None:
        entry = self.ledger.open(Kind.LINE, RELAY, BRIDGE, self.crowd.bridge)
        self._saidAt[entry.token] = reactor.seconds()
        self._bob.tell(entry.token)
        self.ledger.settle(entry, Outcome.ACCEPTED)


def _isOpen(entry: Entry) -> bool:
    return entry.outcome is Outcome.ASKED


def _filesOf(pid: int) -> Counter[str]:
    """
    Count the descriptors of a process, by the kinds or names of their files.
    """
    files: Counter[str] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # The one that lists them is gone by now.
        with suppress(OSError):
            files[str(link.readlink()).partition(":[")[0]] += 1
    return files
