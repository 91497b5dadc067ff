"""
A run in which accounts with clients in the process of the test send messages to each
other, and a ledger has what became of each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import Any, Protocol

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from tests.ledger.book import Client, Entry, Kind, Ledger, Outcome, Promise, Verdict
from tests.ledger.crowd import BRIDGE, LOBBY, TRIP, Crowd, nickOf
from tests.ledger.crowdvoices import CrowdVoice
from tests.messages import Lost
from tests.network.rawclient import Refused

PATIENCE = 120.0
"""The seconds after which a wait is given up."""


class Daemons(Protocol):
    """
    The processes of a run.

    @ivar port: the port that clients connect to.
    """

    @property
    def port(self) -> int: ...

    def bugs(self) -> Iterable[str]:
        """
        Return the first traceback of each process.
        """

    async def clear(self) -> None:
        """
        End what still runs.
        """


class ClientsRun(ABC):
    """
    One run.

    @param pause: the mean of the seconds between two messages of a sender.
    @param daemons: the processes.
    @cvar voiceClass: makes the clients of the accounts.
    @ivar wrongs: what must not be, beside that of the ledger.
    @ivar phases: the seconds after the start at which each phase ended.
    """

    voiceClass = CrowdVoice

    def __init__(self, seed: int, crowd: Crowd, pause: float, daemons: Daemons) -> None:
        self.seed = seed
        self.crowd = crowd
        self.ledger = Ledger()
        self.wrongs: list[str] = []
        self.seconds = 0.0
        self.phases: dict[str, float] = {}
        self._pause = pause
        self._random = Random(f"{seed} run")
        self._daemons = daemons
        self._voices: dict[int, CrowdVoice] = {}
        self._tasks: list[Deferred[None]] = []
        self._isSending = True
        self._isPaused = False
        for number in crowd.clients:
            client = Client(number, nickOf(number), Promise.ORDERED)
            self.ledger.clients[number] = client

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
        verdict.wrongs += [f"a daemon said:\n{bug}" for bug in self._daemons.bugs()]
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

    async def _clear(self) -> None:
        self._isSending = False
        for task in self._tasks:
            task.cancel()
        await self._stopVoices()
        await self._daemons.clear()

    async def _stopVoices(self) -> None:
        for voice in self._voices.values():
            await voice.stop()
        self._voices.clear()

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

    # ---- accounts

    def _areOnline(self) -> bool:
        return all(voice.online is not None for voice in self._voices.values())

    def _add(self, number: int) -> None:
        signedOn = self.ledger.clients[number].signedOn
        voice = self.voiceClass(
            lambda token: self.ledger.show(token, number),
            lambda: signedOn.append(self.ledger.moment()),
            number,
        )
        self._voices[number] = voice
        voice.start(self._daemons.port, None).addErrback(self._ebTask)

    def _speakAll(self) -> None:
        """
        Let all accounts speak until C{_isSending} is false.
        """
        for number in self.crowd.clients:
            self._begin(self._speak(number))

    async def _speak(self, number: int) -> None:
        random = Random(f"{self.seed} {number} speaks")
        while True:
            await self._wait(random, self._pause)
            if not self._isSending:
                return
            voice = self._voices.get(number)
            if self._isPaused or voice is None or voice.online is None:
                continue
            kind, place, recipients = self._drawn(number, random)
            await self._say(number, kind, place, recipients)

    def _drawn(self, number: int, random: Random) -> tuple[Kind, int, set[int]]:
        """
        Draw the next message of an account.

        @return: its kind, the number of the friend or group, and the recipients.
        """
        crowd = self.crowd
        drawn = random.random()
        friend = random.choice(crowd.friendsOf(number))
        if drawn < 0.05:
            return Kind.GROUP, LOBBY, {*crowd.everybody}
        if drawn < 0.15 and number in crowd.bridge:
            return Kind.GROUP, BRIDGE, {*crowd.bridge}
        if drawn < 0.25 and number in crowd.trip:
            return Kind.DISCUSSION, TRIP, {*crowd.trip}
        return Kind.FRIEND, friend, {friend}

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


def _isOpen(entry: Entry) -> bool:
    return entry.outcome is Outcome.ASKED
