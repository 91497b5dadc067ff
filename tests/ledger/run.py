"""
A chat on a bad day: a real server that is killed over and over, clients of all
kinds behind fault proxies, and a ledger of it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.ledger.book import (
    INCURABLE_CLOSED,
    INCURABLE_CLOSED_TLS,
    INCURABLE_KEPT,
    POLL,
    Client,
    Entry,
    Kind,
    Ledger,
    Outcome,
    Promise,
    Verdict,
)
from tests.ledger.people import (
    ACK,
    CLOSING,
    COMMON,
    EVERYBODY,
    FRIENDS,
    IDS,
    NAMES,
    OURS,
    PLAIN,
    SLEEPER,
    SPEAKER,
    STRANGER,
    TRIP,
    passwordOf,
)
from tests.ledger.site import POLL_TIMEOUT, Signal, Site
from tests.ledger.voices import (
    ANSWERS,
    MESSAGES,
    STRANGE,
    TOKEN,
    OurVoice,
    RawVoice,
    Voice,
)
from tests.messages import Asker, Lost
from tests.network.faultproxy import FaultProxy, endpointTo
from tests.network.faults import Ending, Exchange, Fault, Lottery, Manner, manners
from tests.network.rawclient import Habit, Polled, RawClient, Refused

RATE = 0.36
"""The share of polls that go wrong."""

SHARE = 15
"""The number of faults of which our client meets at least one: it waits after
each, and other clients do not."""

SENDS = (
    "/channel/send_buddy_msg2",
    "/channel/send_qun_msg2",
    "/channel/send_discu_msg2",
    "/channel/send_sess_msg2",
)

# The retcodes after which a client has to sign on.
_DEAD = (100, 103, 108, 109, 110, 120, 121, 100000, 100006)

# The retcode for the refusal of a request that does not wait.
_NOT_ASKED = 100001

# Those who sign on and speak before anybody else after a restart.
_EARLY = (SPEAKER, STRANGER)

_ENDS = (Ending.CLOSED, Ending.TORN, Ending.RESET)


@dataclass(frozen=True)
class Size:
    """
    The amount of events and faults in a run.

    @ivar incurable: whether clients that can only poll also get faults that
        cannot be cured.
    @ivar pause: the most seconds between two messages of a sender.
    """

    faults: int
    kills: int
    isSecure: bool = False
    incurable: bool = False
    pause: float = 0.06

    @property
    def bound(self) -> float:
        """
        The seconds after which a run is given up.
        """
        return 60.0 + self.kills * 15.0 + self.faults * 1.0


def mannersFor(number: int, size: Size) -> tuple[Manner, ...]:
    """
    The faults that a client meets.
    """
    isMerciful = not size.incurable
    if number == CLOSING and isMerciful:
        swallowing = (Fault.ANSWER_LOST, Fault.ANSWER_CUT)
        others = [fault for fault in Fault if fault not in swallowing]
        curable = () if size.isSecure else manners(swallowing, _ENDS, (Ending.RESET,))
        return manners(others, _ENDS, _ENDS) + curable
    if number == PLAIN and isMerciful:
        return manners(Fault, _ENDS, _ENDS)
    return manners(Fault, _ENDS, (*_ENDS, Ending.LEFT))


def incurableFor(number: int, size: Size) -> frozenset[tuple[Fault, Ending]]:
    """
    List the faults that may cost a client events.
    """
    if number == CLOSING:
        return INCURABLE_CLOSED_TLS if size.isSecure else INCURABLE_CLOSED
    return INCURABLE_KEPT if number in (IDS, PLAIN) else frozenset()


class Run:
    """
    One bad day.

    @param folder: for the server's files.
    @ivar seconds: how long it took.
    """

    def __init__(self, folder: Path, seed: int, size: Size) -> None:
        self.seed = seed
        self.size = size
        self.ledger = Ledger()
        self.site = Site(folder, size.isSecure)
        self.proxies: dict[int, FaultProxy] = {}
        self.raw: dict[int, RawClient] = {}
        self.seconds = 0.0
        self._voices: dict[int, Voice] = {}
        self._random = Random(f"{seed} run")
        self._isSending = True
        self._isStopping = False
        self._happened = Signal()
        self._tasks: list[Deferred[None]] = []
        self._troubles: list[Failure] = []
        # The occasion on which the server is to be killed, and its end.
        self._occasion: str | None = None
        self._dead: Deferred[None] = Deferred()
        # For each account, the process at which it is signed on.
        self._boots: dict[int, int] = {}
        # The polls without news in a row.
        self._idle: dict[int, int] = {}
        # Requests that wait for an answer, with the process that took them.
        self._asked: dict[tuple[Kind, int], int] = {}
        # Those of them that are not on their way any more.
        self._answerable: set[tuple[Kind, int]] = set()
        self._ours: OurVoice | None = None
        # Whether others than the early ones may sign on.
        self._isOpen = True

    @property
    def faults(self) -> int:
        """
        The faults so far.
        """
        return sum(proxy.counts.total() for proxy in self.proxies.values())

    # ---- from beginning to end

    async def play(self) -> Verdict:
        """
        Play the day.
        """
        began = reactor.seconds()
        playing = Deferred.fromCoroutine(self._play())
        try:
            await playing.addTimeout(self.size.bound, reactor, self._late)
        finally:
            await self._clear()
        self.seconds = reactor.seconds() - began
        verdict = self.ledger.judge()
        for number, client in self.raw.items():
            verdict.wrongs += [f"{NAMES[number]} {c}" for c in client.complaints]
        verdict.wrongs += [f"the server said:\n{bug}" for bug in self.site.bugs()]
        return verdict

    def _late(self, result: object, seconds: float) -> NoReturn:
        loud = [NAMES[n] for n in EVERYBODY if self._idle.get(n, 0) < 2]
        raise AssertionError(
            f"seed {self.seed}: no end within {seconds:g} s, {self.faults} faults,"
            f" {len(self.ledger.kills)} kills; not quiet: {', '.join(loud)}"
        )

    async def _play(self) -> None:
        await self.site.start()
        for number in EVERYBODY:
            await self._add(number)
        for number, client in self.raw.items():
            self._begin(self._receive(number, client))
        for number in (SPEAKER, STRANGER, OURS, ACK, PLAIN):
            self._begin(self._speak(number))
        kills, faults = self.size.kills, self.size.faults
        for n in range(1, kills + 1):
            await self._untilFaults(faults * n // (kills + 1))
            await self._killOnce()
        await self._untilFaults(faults)
        await self._quieten()

    async def _quieten(self) -> None:
        """
        End the faults and the messages, and let everybody poll until nothing
        comes any more.
        """
        self._isSending = False
        for proxy in self.proxies.values():
            assert isinstance(proxy.plan, Lottery)
            proxy.plan.rate = 0.0
        self._idle.clear()
        self._happened.fire()
        await self._until(lambda: all(self._idle.get(n, 0) > 1 for n in EVERYBODY))
        self._isStopping = True

    async def _clear(self) -> None:
        self._isSending, self._isStopping = False, True
        for task in self._tasks:
            task.cancel()
        if self._ours is not None:
            await self._ours.stop()
        await self.site.kill()
        for client in self.raw.values():
            client.direct.close()
            client.polling.close()
        for proxy in self.proxies.values():
            await proxy.close()

    async def _untilFaults(self, count: int) -> None:
        ours = self.proxies[OURS].counts
        await self._until(
            lambda: self.faults >= count and ours.total() >= count // SHARE
        )

    async def _until(self, isTrue: Callable[[], bool]) -> None:
        while not isTrue():
            if self._troubles:
                self._troubles[0].raiseException()
            await self._happened.wait()

    def _begin(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        task = Deferred.fromCoroutine(coroutine)
        task.addErrback(self._ebTask)
        self._tasks.append(task)

    def _ebTask(self, failure: Failure) -> None:
        if self._isStopping and failure.check(CancelledError, Lost, Refused):
            return
        self._troubles.append(failure)
        self._happened.fire()

    # ---- killing

    async def _killOnce(self) -> None:
        """
        Kill the server when it hurts, and start it again.
        """
        self._dead = Deferred()
        self._occasion = self._random.choice(("asked", "sent", "given", "passed"))
        await self._dead
        self._isOpen = False
        await self.site.start()
        # Some messages are sent before those who get them are back.
        wait = self._random.choice((0.0, 0.0, 0.4))
        self._happened.fire()
        reactor.callLater(wait, self._open)

    def _open(self) -> None:
        self._isOpen = True
        self._happened.fire()

    def _reached(self, occasion: str) -> None:
        """
        Kill the server if it is to be killed on this occasion.
        """
        if self._occasion == occasion and self.site.isUp:
            self._occasion = None
            self.ledger.killed()
            self.site.kill().chainDeferred(self._dead)

    # ---- clients

    async def _add(self, number: int) -> None:
        client = Client(number, NAMES[number], Promise.ONCE)
        self.ledger.clients[number] = client
        port, authority = self.site.port, self.site.authority
        if number not in _EARLY:
            proxy = await self._proxy(number)
            port = proxy.port
            client.exchanges = proxy.exchanges
        if number == OURS:
            client.promise = Promise.ORDERED
            self._voices[number] = self._ours = OurVoice(
                self._shownOurs, self._signedOnOurs
            )
            self._ours.start(port, authority).addErrback(self._ebTask)
            return
        habit = Habit.ACK
        if number in (IDS, PLAIN, CLOSING):
            habit = Habit.IDS if number == IDS else Habit.NEITHER
            client.promise = Promise.REPEATED
            client.incurable = incurableFor(number, self.size)
            client.namesIds = number == IDS
        raw = self.raw[number] = RawClient(
            number,
            passwordOf(number),
            habit,
            Asker(lambda: endpointTo(self.site.port, authority)),
            Asker(lambda: endpointTo(port, authority), number != CLOSING),
            COMMON,
        )
        self._voices[number] = RawVoice(raw)

    async def _proxy(self, number: int) -> FaultProxy:
        lottery = Lottery(
            Random(f"{self.seed} {number}"),
            RATE,
            mannersFor(number, self.size),
            (POLL, *SENDS) if number == OURS else (POLL,),
        )
        proxy = self.proxies[number] = FaultProxy(
            self.site.port,
            lottery,
            self.site.certificate,
            self.site.authority,
            (0.0, POLL_TIMEOUT / 4),
            self.ledger.moment,
        )
        proxy.faultDone = lambda exchange: self._happened.fire()
        proxy.answerRead = lambda exchange: self._answerRead(number, exchange)
        await proxy.listen()
        return proxy

    def _answerRead(self, number: int, exchange: Exchange) -> None:
        if exchange.request.path != POLL or exchange.answer is None:
            return
        if TOKEN.search(exchange.answer.body.decode()) is not None:
            self._reached("given")
            # It is passed on in this turn of the reactor.
            reactor.callLater(0, self._reached, "passed")
        if number == OURS:
            self._noteIdle(number, b'"retcode":102' in exchange.answer.body)

    def _noteIdle(self, number: int, isIdle: bool) -> None:
        self._idle[number] = self._idle.get(number, 0) + 1 if isIdle else 0
        self._happened.fire()

    def _signedOnOurs(self) -> None:
        self._boots[OURS] = self.site.boot
        self.ledger.clients[OURS].signedOn.append(self.ledger.moment())
        self._happened.fire()
        self._begin(self._refuseAll(OURS, self.site.boot))

    def _shownOurs(self, token: str) -> None:
        entry = self.ledger.show(token, OURS)
        if entry is not None and self._isSending:
            self._begin(self._refuse(OURS, entry.kind))

    # ---- receiving

    async def _receive(self, number: int, client: RawClient) -> None:
        random = Random(f"{self.seed} {number} turns")
        while not self._isStopping:
            while not (self.site.isUp and (self._isOpen or number in _EARLY)):
                await self._happened.wait()
            try:
                if self._boots.get(number) != self.site.boot:
                    boot = self.site.boot
                    self.ledger.clients[number].signedOn.append(self.ledger.moment())
                    await client.signOn()
                    self._boots[number] = boot
                    self._happened.fire()
                    await self._refuseAll(number, boot)
                await self._polled(number, await client.poll())
                if self._isSending and number not in _EARLY:
                    await self._turn(number, client, random)
            except Lost:
                pass
            except Refused as refused:
                if refused.retcode not in _DEAD:
                    raise
                self._boots.pop(number, None)

    async def _polled(self, number: int, polled: Polled) -> None:
        if polled.retcode in _DEAD:
            self._boots.pop(number, None)
            return
        self._noteIdle(number, polled.retcode == 102)
        for event in polled.events:
            if event["poll_type"] == "kick_message":
                self._boots.pop(number, None)
            for token in TOKEN.findall(json.dumps(event["value"])):
                entry = self.ledger.show(token, number)
                if entry is not None and self._isSending:
                    await self._refuse(number, entry.kind)

    async def _turn(self, number: int, client: RawClient, random: Random) -> None:
        """
        Interrupt the polling now and then: relink, sign on elsewhere, or sign
        off for a while.
        """
        drawn = random.random()
        rest = 0.1 if number == SLEEPER else 0.01
        if drawn < 0.01:
            await client.relink()
        elif drawn < 0.02:
            self._boots.pop(number, None)
        elif drawn < 0.02 + rest:
            self._boots.pop(number, None)
            await client.signOff()
            wanted = len(self.ledger.entries) + random.randrange(5, 30)
            while self._isSending and len(self.ledger.entries) < wanted:
                await self._happened.wait()

    # ---- refusing

    async def _refuseAll(self, number: int, boot: int) -> None:
        """
        Refuse what was asked before the server was killed, since it may not be
        asked again as long as it waits.
        """
        for kind in ANSWERS:
            asked = self._asked.get((kind, number))
            if asked is not None and asked < boot and self._isSending:
                await self._refuse(number, kind)

    async def _refuse(self, number: int, kind: Kind) -> None:
        answer = ANSWERS.get(kind)
        if answer is None or (kind, number) not in self._answerable:
            return
        # Not twice at once.
        self._answerable.discard((kind, number))
        entry = self.ledger.open(answer, number, STRANGER, {STRANGER})
        retcode = await self._send(number, entry, STRANGER)
        if retcode in (0, _NOT_ASKED):
            self._asked.pop((kind, number), None)
        else:
            self._answerable.add((kind, number))

    # ---- sending

    async def _speak(self, number: int) -> None:
        random = Random(f"{self.seed} {number} speaks")
        while True:
            await deferLater(reactor, random.uniform(0.0, self.size.pause))
            if not self._isSending:
                return
            kind = random.choice(STRANGE if number == STRANGER else MESSAGES)
            if number == SPEAKER and random.random() < 0.2:
                kind = random.choice((Kind.SIGNATURE, Kind.FILE))
            target = random.choice([one for one in EVERYBODY if one != number])
            if not self.site.isUp or self._boots.get(number) != self.site.boot:
                await self._happened.wait()
            elif _isPossible(kind, number, target):
                await self._say(number, kind, target)

    async def _say(self, number: int, kind: Kind, target: int) -> None:
        place, recipients = target, {target}
        if kind is Kind.GROUP:
            place, recipients = COMMON, {*EVERYBODY}
        elif kind is Kind.DISCUSSION:
            place, recipients = TRIP, {*FRIENDS}
        elif kind is Kind.SIGNATURE:
            place, recipients = number, {*FRIENDS}
        elif kind in ANSWERS:
            if (kind, target) in self._asked:
                return
            self._asked[kind, target] = self.site.boot
        entry = self.ledger.open(kind, number, place, recipients - {number})
        self._reached("asked")
        retcode = await self._send(number, entry, target)
        if kind not in ANSWERS:
            return
        if retcode:
            self._asked.pop((kind, target), None)
            return
        self._answerable.add((kind, target))
        if entry.shown and self._isSending:
            await self._refuse(target, kind)

    async def _send(self, number: int, entry: Entry, target: int) -> int | None:
        """
        Send an event, and note the result.

        @return: the code of the answer, -1 when it was not even sent, L{None}
            when nobody knows.
        """
        outcome, retcode = Outcome.ACCEPTED, 0
        try:
            try:
                send = await self._voices[number].prepare(
                    entry.kind, target, entry.token
                )
            except Lost as lost:
                raise Refused(-1) from lost
            await send()
        except Lost:
            outcome = Outcome.UNCERTAIN
        except Refused as refused:
            outcome, retcode = Outcome.REFUSED, refused.retcode
            if retcode in _DEAD and number != OURS:
                self._boots.pop(number, None)
        self.ledger.settle(entry, outcome)
        if outcome is Outcome.ACCEPTED:
            self._reached("sent")
        self._happened.fire()
        return None if outcome is Outcome.UNCERTAIN else retcode


def _isPossible(kind: Kind, sender: int, target: int) -> bool:
    areFriends = STRANGER not in (sender, target)
    if kind in (Kind.FRIEND, Kind.FILE):
        return areFriends
    return not areFriends if kind is Kind.STRANGER else True
