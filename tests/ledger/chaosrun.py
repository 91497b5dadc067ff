"""
A run of C{make chaos}: a server makes requests go wrong on purpose, and the daemons are
killed, ended and stopped for some seconds, at moments by a seed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.irc.servers import writeConfig
from tests.ledger.book import Kind, Outcome
from tests.ledger.crowd import CHANNEL, FAULTS, Crowd
from tests.ledger.crowdrun import CrowdRun
from tests.ledger.crowdsite import ownFiles
from tests.ledger.measures import Measure, Reading, Tolerance, growths

DAEMONS = ("server", "gateway", "relay", "ircd")

OURS = ("server", "gateway", "relay")
"""The daemons whose sizes are read."""

FRESH = 5.0
"""The seconds for which a line of the channel may not have been read by a relay."""

FILES = 2
"""The files of its database that a server opens when it writes."""

PAUSES = (1.0, 5.0)
"""The seconds for which a daemon is stopped, at least and at most."""

KEEP_ALIVE = 8
"""The persistent connections, and their timers, that a daemon may have more than at the
start."""

TOLERANCES = {
    Measure.DESCRIPTORS: Tolerance(0.0, KEEP_ALIVE),
    Measure.CALLS: Tolerance(0.0, KEEP_ALIVE),
    # A process of some minutes still fills its caches; the soak test is stricter.
    Measure.MEMORY: Tolerance(0.15, 0.0),
    Measure.BLOCKS: Tolerance(0.15, 0.0),
}
"""The growth between the sign-on of all and the end that is no leak."""

FAULTY = {
    **TOLERANCES,
    Measure.DESCRIPTORS: Tolerance(0.25, KEEP_ALIVE),
    Measure.CALLS: Tolerance(0.0, 16),
}
"""The same while there are faults, after which clients connect again."""

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


class Chaos(CrowdRun):
    """
    One run.

    @ivar killed: the daemons and the signals that they were sent.
    @ivar before: the sizes of the daemons when all had signed on.
    @ivar after: the same at the end.
    """

    def __init__(self, folder: Path, seed: int, size: Size) -> None:
        super().__init__(folder, seed, Crowd(size.accounts), size.pause)
        self.size = size
        self.killed: Counter[tuple[str, str]] = Counter()
        self.before: dict[str, Reading] = {}
        self.after: dict[str, Reading] = {}
        writeConfig(folder, FAULTS, "faults.toml")

    def faults(self) -> Counter[str]:
        """
        Count the faults so far, by kind.
        """
        kinds: Counter[str] = Counter()
        for daemon in self._site.processes.daemons:
            kinds.update(kind for _, kind in _FAULT.findall(daemon.output))
        return kinds

    async def _play(self) -> None:
        # The reactor opens descriptors of its own for the first process.
        await self._site.processes.run(sys.executable, "-c", "").exits()
        calls, files = len(reactor.getDelayedCalls()), ownFiles()
        await self._open("gateway", "relay")
        self.before = await self._site.quiet(*OURS)
        self._ended("sign-on")
        await self._storm()
        self._ended("faults")
        await self._calm()
        self._ended("delivery")
        self.after |= await self._site.quiet(*OURS)
        for name in OURS:
            before, after = self.before[name], self.after[name]
            self.wrongs += growths(name, before, after, TOLERANCES)
        await self._stop("gateway", "relay")
        await self._end("server")
        await self._bob.stop()
        await self._site.end("ircd", "KILL")
        await deferLater(reactor, 0.5)
        left = reactor.getDelayedCalls()
        if len(left) > calls:
            self.wrongs.append(f"the clients have left delayed calls: {left}")
        more = ownFiles() - files
        if more:
            self.wrongs.append(f"the clients have left descriptors: {dict(more)}")

    async def _storm(self) -> None:
        """
        Send messages with faults, kills and pauses.
        """
        await self._restart("server", "KILL", ["--faults=faults.toml"])
        self._speakAll()
        most = self.size.faults
        for moment, victim, signal in sorted(self._plan()):
            await self._untilFaults(moment)
            if signal == "STOP":
                await self._pauseDaemon(victim)
            else:
                await self._restart(victim, signal)
        await self._untilFaults(most)

    def _plan(self) -> Iterator[tuple[int, str, str]]:
        """
        Generate the number of faults before each kill or pause, with the daemon and the
        signal.
        """
        kills = self.size.kills
        for n in range(kills):
            signal = self._random.choice(("KILL", "TERM"))
            yield self._moment(), DAEMONS[n % len(DAEMONS)], signal
        for n in range(kills // 2):
            yield self._moment(), DAEMONS[n % len(DAEMONS)], "STOP"

    def _moment(self) -> int:
        return self._random.randrange(self.size.faults)

    async def _calm(self) -> None:
        """
        End the faults, and send a last message of each account.
        """
        self._isSending = False
        # The next server has not met any fault.
        await deferLater(reactor, 1.0)
        faulty = await self._site.quiet("server")
        before, self.after["server with faults"] = (
            self.before["server"],
            faulty["server"],
        )
        self.before["server with faults"] = before
        self.wrongs += growths("server with faults", before, faulty["server"], FAULTY)
        await self._restart("server", "KILL", [])
        await self._areBack("all are on line again", *OURS)
        self._ended("return")
        for number in self.crowd.clients:
            friend = self.crowd.friendsOf(number)[0]
            self._begin(self._say(number, Kind.FRIEND, friend, {friend}))
        self._begin(self._sayAlice(self.crowd.clients[0]))
        self._sayBob()
        await self._deliver()

    async def _untilFaults(self, count: int) -> None:
        deadline = reactor.seconds() + 60.0 + self.size.faults
        while (faults := self.faults().total()) < count:
            assert reactor.seconds() < deadline, f"only {faults} faults; {self._off()}"
            await deferLater(reactor, 0.3)

    # ---- kills and pauses

    async def _pauseDaemon(self, name: str) -> None:
        """
        Stop a daemon for some seconds.
        """
        self.killed[name, "STOP"] += 1
        daemon = self._site.daemonOf(name)
        daemon.signal("STOP")
        await deferLater(reactor, self._random.uniform(*PAUSES))
        daemon.signal("CONT")

    async def _restart(
        self, name: str, signal: str, faults: list[str] | None = None
    ) -> None:
        """
        Kill or end a daemon, and start it again.

        @param faults: the options of the server for faults from now on.
        """
        if name == "gateway":
            # Its user is not in the middle of a registration.
            await self._until(lambda: self._alice.isAttached, "alice is attached")
        if signal == "TERM" and name in OURS:
            # Python itself would end by the signal while it starts.
            await self._site.answers(name)
        self.killed[name, signal] += 1
        self.ledger.killed()
        if name == "server":
            site = self._site
            if faults is not None:
                site.faults = faults
            if site.faults:
                seed = (self.seed * 1000 + site.boot) % 10**9
                site.faults = [site.faults[0], f"--faults-seed={seed}"]
        moment = reactor.seconds()
        complaint = await self._site.end(name, signal)
        if complaint:
            self.wrongs.append(complaint)
        match name:
            case "gateway":
                self._alice.detached()
                await self._site.start(name)
                self._begin(self._attach())
            case "relay":
                self._doubtLines(moment)
                await self._site.start(name)
            case "ircd":
                self._doubtLines(moment)
                await self._restartIrcd()
            case _:
                await self._site.start(name)

    async def _restartIrcd(self) -> None:
        """
        Start the IRC server again, and let its user join the channel before the relay
        can: nobody would read what the relay sends before.
        """
        self._bob.detached()
        await deferLater(reactor, Random(self.seed).uniform(0.0, 3.0))
        relay = self._site.daemonOf("relay")
        relay.signal("STOP")
        await self._site.start("ircd")
        await self._bob.join(CHANNEL)
        relay.signal("CONT")

    def _doubtLines(self, moment: float) -> None:
        """
        Note that lines of the channel may not have reached the relay.

        @param moment: the time at which it, or the IRC server, was sent a signal.
        """
        for token, at in self._saidAt.items():
            entry = self.ledger.entries[token]
            if at > moment - FRESH and not entry.shown:
                self.ledger.settle(entry, Outcome.UNCERTAIN)
