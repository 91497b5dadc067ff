"""
A run of C{make soak}: steady work without faults, while the sizes of the daemons are
read.

Besides the messages of the ledger, accounts sign off and on, IRC clients connect and
disconnect, groups are made, left and dissolved, and pictures and files are sent and
fetched: so what a daemon keeps for a session, a connection or a transfer has to be
freed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

from twisted.internet import reactor
from twisted.internet.defer import DeferredLock
from twisted.internet.task import deferLater

from tests.irc.servers import IRCUser
from tests.ledger.book import Client, Kind, Outcome, Promise
from tests.ledger.crowd import (
    BOT,
    BOTS_CONFIG,
    CHANNEL,
    GATEWAY,
    GATEWAY_CONFIG,
    IRC_PASSWORD,
    LOBBY,
    LOBBY_NAME,
    PICTURES,
    RELAY_CONFIG,
    Crowd,
)
from tests.ledger.crowdrun import NAMES, CrowdRun
from tests.ledger.measures import TITLES, Curve, Measure, fetch, shown
from tests.messages import Lost
from tests.soak.people import SoakBot, SoakVoice
from txwebqq.errors import WebQQError

DAEMONS = ("server", "gateway", "relay", "bots")

CONFIGS = {
    "gateway": GATEWAY_CONFIG.replace("[gateway]\n", f"[gateway]\n{PICTURES}"),
    "relay": RELAY_CONFIG,
    "bots": BOTS_CONFIG,
}

LIMIT = 0.03
"""The share by which the means of a size in the second and in the last third of the
time may differ."""

MORE, FEWER = 0.5, 1.0
"""The descriptors, and the delayed calls, by which they may grow or shrink in any case:
they are few, a leak is of whole ones, and one connection less is none."""

INTERVAL = 2.0
"""The seconds between two readings."""

PAUSES = 6
"""The pauses, two in each third."""

PAUSE = 35.0
"""The seconds of a pause: clients close connections that they have not used for twenty
seconds."""

QUIET = 9.0
"""The seconds at the end of a pause in which nothing is left of the work before."""

_LINK = re.compile(r"http://127\.0\.0\.1:(\d+)(/\S+)")


def drifts(name: str, curve: Curve, total: float) -> Iterator[str]:
    """
    Generate a line for each size of a daemon that was not flat.
    """
    for measure in Measure:
        drift = curve.drift(measure, total)
        isFew = measure in (Measure.DESCRIPTORS, Measure.CALLS)
        if isFew and -FEWER <= drift.late - drift.early <= MORE:
            continue
        if abs(drift.share) > LIMIT:
            early, late = shown(measure, drift.early), shown(measure, drift.late)
            yield (
                f"the {name} is not flat: {TITLES[measure]} {early} in the second"
                f" third, {late} in the last, {drift.share:+.1%}"
            )


class Soak(CrowdRun):
    """
    One run.

    @param minutes: its time, without the sign-on and the last deliveries.
    @ivar curves: the sizes of the daemons.
    @ivar isWatched: whether they are complete.
    @ivar done: what was done, beside the messages.
    """

    voiceClass = SoakVoice

    def __init__(
        self,
        folder: Path,
        seed: int,
        accounts: int,
        minutes: float,
        pause: float = 2.0,
    ) -> None:
        super().__init__(folder, seed, Crowd(accounts, hasBot=True), pause, CONFIGS)
        self.total = minutes * 60
        self.isWatched = False
        self.curves = {name: Curve() for name in DAEMONS}
        self.done: Counter[str] = Counter()
        self._bot = SoakBot(
            self._site.ports["http"], lambda token: self.ledger.show(token, BOT)
        )
        self._busy: set[int] = set()
        self._gatewayLock = DeferredLock()
        self._began = 0.0
        self.ledger.clients[BOT] = Client(BOT, NAMES[BOT], Promise.ONCE)
        for number in self.crowd.clients:
            # One that starts again knows nothing of what it was shown, and the
            # server may not have been told so when the one before signed off.
            self.ledger.clients[number].promise = Promise.REPEATED

    async def _play(self) -> None:
        await self._bot.start(self._site.ports["post"])
        await self._open("gateway", "relay", "bots")
        self._ended("sign-on")
        self._began = reactor.seconds()
        self._speakAll()
        self._begin(self._speakBot())
        for each, pause in (
            (self._signOff, 3.0),
            (self._reconnectAlice, 20.0),
            (self._connectToGateway, 4.0),
            (self._joinChannel, 4.0),
            (self._makeGroup, 6.0),
            (self._sendPicture, 3.0),
            (self._sendFile, 4.0),
            (self._openLinks, 3.0),
        ):
            self._begin(self._repeat(each, pause))
        await self._watch()
        self._ended("work")
        self._isSending = False
        await self._until(lambda: not self._busy, "all is done")
        await self._areBack("all are on line again", *DAEMONS)
        await self._deliver()
        self._ended("delivery")
        for name, curve in self.curves.items():
            self.wrongs += drifts(name, curve, self.total)
        await self._stop("gateway", "relay", "bots")
        await self._end("server")
        await self._bot.stop()
        await self._bob.stop()

    async def _clear(self) -> None:
        await self._bot.stop()
        await super()._clear()

    async def _watch(self) -> None:
        """
        Read the sizes until the time is over, and begin and end the pauses.
        """
        step = self.total / PAUSES
        pause, quiet = min(PAUSE, step / 2), min(QUIET, step / 4)
        while (moment := reactor.seconds() - self._began) < self.total:
            left = step - moment % step
            self._isPaused = left < pause
            for name, curve in self.curves.items():
                try:
                    curve.add(moment, await self._site.reading(name), left < quiet)
                except Lost as e:
                    self.wrongs.append(f"the {name} did not tell its sizes: {e}")
            await deferLater(reactor, min(INTERVAL, quiet / 2))
        self._isPaused = False
        self.isWatched = True

    async def _repeat(
        self, action: Callable[[Random], Awaitable[None]], pause: float
    ) -> None:
        """
        Repeat an action until nobody sends any more.

        @param pause: the mean of the seconds between.
        """
        name = action.__name__
        random = Random(f"{self.seed} {name}")
        while True:
            await self._wait(random, pause)
            if not self._isSending:
                return
            if not self._isPaused:
                await action(random)

    def _free(self, random: Random) -> SoakVoice | None:
        """
        Return a client that nothing else is done with now.
        """
        free = [
            voice
            for number, voice in self._voices.items()
            if number not in self._busy and voice.online is not None
        ]
        if not free:
            return None
        voice = random.choice(free)
        assert isinstance(voice, SoakVoice)
        return voice

    # ---- sessions and connections

    async def _signOff(self, random: Random) -> None:
        voice = self._free(random)
        if voice is None:
            return
        number = voice.number
        self._busy.add(number)
        del self._voices[number]
        # A message that is being sent is answered.
        await deferLater(reactor, 0.5)
        await voice.stop()
        await deferLater(reactor, random.uniform(0.0, 2.0))
        self._add(number)
        self._busy.discard(number)
        self.done["sign-offs and sign-ons"] += 1

    async def _reconnectAlice(self, random: Random) -> None:
        if not self._alice.isAttached:
            return
        # Her other connection would be shown what she misses.
        await self._gatewayLock.acquire()
        self._alice.isAttached = False
        await deferLater(reactor, 0.5)
        await self._alice.stop()
        self._alice.detached()
        await deferLater(reactor, random.uniform(0.0, 2.0))
        await self._attach()
        self._gatewayLock.release()
        self.done["reconnections to the gateway"] += 1

    async def _connectToGateway(self, random: Random) -> None:
        user = IRCUser(
            *(self._site.irc, "alice", "server-time"),
            password=f"alice:{IRC_PASSWORD}",
        )
        await self._gatewayLock.acquire()
        await user.join(f"#{LOBBY_NAME}")
        await deferLater(reactor, random.uniform(0.0, 2.0))
        await user.stop()
        await deferLater(reactor, 0.2)
        self._gatewayLock.release()
        self.done["short connections to the gateway"] += 1

    async def _joinChannel(self, random: Random) -> None:
        user = IRCUser(self._site.ircd.port, "carol")
        await user.join(CHANNEL)
        await deferLater(reactor, random.uniform(0.0, 2.0))
        user.send("QUIT", "bye")
        await deferLater(reactor, 0.2)
        await user.stop()
        self.done["short stays in the channel"] += 1

    # ---- groups, pictures and files

    async def _makeGroup(self, random: Random) -> None:
        owner = self._free(random)
        if owner is None:
            return
        friend = self._voices.get(random.choice(self.crowd.friendsOf(owner.number)))
        if not isinstance(friend, SoakVoice) or friend.number in self._busy:
            return
        pair = {owner.number, friend.number}
        self._busy |= pair
        name = f"group{self.done['groups']}"
        try:
            dissolve = await owner.makeGroup(name, [friend.number, GATEWAY, BOT])
            await deferLater(reactor, 1.0)
            if friend.online is not None:
                await friend.leaveGroup(name)
            await dissolve()
            self.done["groups"] += 1
        except WebQQError as e:
            self.wrongs.append(f"a group: {e!r}")
        finally:
            self._busy -= pair

    async def _sendPicture(self, random: Random) -> None:
        await self._transfer(random, "pictures", Kind.GROUP, Kind.FRIEND)

    async def _sendFile(self, random: Random) -> None:
        await self._transfer(random, "files", Kind.FILE, Kind.FILE)

    async def _transfer(
        self, random: Random, what: str, toGroup: Kind, toFriend: Kind
    ) -> None:
        voice = self._free(random)
        if voice is None:
            return
        number = voice.number
        near = [*self.crowd.friendsOf(number)[:2], GATEWAY]
        place = LOBBY if random.random() < 0.3 else random.choice(near)
        recipients = {place}
        if place == LOBBY:
            recipients = {*self.crowd.everybody} - {number}
        kind = toGroup if place == LOBBY else toFriend
        entry = self.ledger.open(kind, number, place, recipients)
        more = random.randbytes(random.randrange(1000, 50_000))
        self._busy.add(number)
        try:
            send = voice.sendPicture if what == "pictures" else voice.sendFile
            await send(place, entry.token, more)
            self.ledger.settle(entry, Outcome.ACCEPTED)
            self.done[what] += 1
        except WebQQError as e:
            self.ledger.settle(entry, Outcome.UNCERTAIN)
            self.wrongs.append(f"{what}: {e!r}")
        finally:
            self._busy.discard(number)

    async def _openLinks(self, random: Random) -> None:
        """
        Open the newest link that the gateway has shown.
        """
        if not self._alice.isAttached:
            # She waits for lines, which are cleared below.
            return
        for line in reversed(self._alice.lines):
            found = _LINK.search(line.params[-1]) if line.params else None
            if found is None:
                continue
            self._alice.lines.clear()
            try:
                answer = await fetch(int(found[1]), found[2])
            except Lost as e:
                self.wrongs.append(f"a link: {e}")
                return
            if answer.status == 200:
                self.done["links opened"] += 1
            else:
                self.wrongs.append(f"the link {found[0]}: status {answer.status}")
            return

    # ---- the bot

    async def _speakBot(self) -> None:
        random = Random(f"{self.seed} bot")
        while True:
            await self._wait(random, self._pause / 2)
            if not self._isSending:
                return
            if not self._isPaused:
                await self._sayBot(random.choice([*self.crowd.clients, LOBBY]))

    async def _sayBot(self, place: int) -> None:
        kind, recipients = Kind.FRIEND, {place}
        if place == LOBBY:
            kind, recipients = Kind.GROUP, {*self.crowd.everybody} - {BOT}
        entry = self.ledger.open(kind, BOT, place, recipients)
        self.ledger.settle(entry, await self._bot.tell(place, entry.token))
