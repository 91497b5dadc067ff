"""
An IRC network, and our seats in its channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line, isMiddleParam
from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.protocol.splitting import parseAction, splitAt
from txwebqq.irc.relay.attribution import nextLine, opening
from txwebqq.irc.relay.channel import FIRST_REJOIN, Listener, Seat
from txwebqq.irc.relay.commands import Reception
from txwebqq.irc.relay.connection import Guest
from txwebqq.irc.relay.errors import NotNow, Refused
from txwebqq.irc.relay.outbox import Piece, Tone
from txwebqq.irc.relay.puppets import Puppets
from txwebqq.irc.relay.registration import RELAYMSG
from txwebqq.net.clientendpoint import clientEndpoint
from txwebqq.net.pacing import Pacer

ORIGIN_TAG = "+txwebqq/origin"
"""Where words were said first, for other relays."""

REGAIN = 60.0
"""The seconds between two attempts to get our nick back."""

LONGEST_REJOIN = 300.0
UNANSWERED = 60.0
"""The seconds after which somebody who has not let us in is asked again."""

SETTLED = 600.0
"""Whoever was in a channel, or on the network, for so long is new to being
kicked."""

_PLAYBACK = frozenset({"chathistory", "znc.in/playback"})
_SPLITS = frozenset({"netsplit", "netjoin"})
_MAX_BATCHES = 100

networkBackoff = backoffPolicy(initialDelay=5.0, maxDelay=300.0, factor=2.0)

_CANNOT_JOIN = frozenset(
    {"403", "405", "437", "439", "471", "473", "474", "475", "476", "477", "489", "520"}
)


class Network(MultiService):
    """
    Keeps us in the channels of one network.

    @ivar pacer: how fast we may speak there.
    """

    _log = Logger()

    def __init__(self, settings: NetworkSettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.clock: IReactorTime = reactor
        self.pacer = Pacer(reactor, settings.burst, settings.seconds)
        self._endpoint = clientEndpoint(settings.endpoint, settings.caFile, reactor)
        self._guest: Guest | None = None
        self._seats: list[Seat] = []
        self._regaining: IDelayedCall | None = None
        self._puppets: dict[str, Puppets] = {}
        self._isStopped = False
        self._attempts = 0
        self._since = 0.0
        # What each is of; bouncers play back in them what we heard before.
        self._batches: dict[str, str] = {}
        self._reception = Reception(reactor.seconds)
        self._cannotRelay = False
        factory = Factory.forProtocol(
            lambda: Guest(settings, self, reactor, settings.nick)
        )
        factory.noisy = False
        self._client = ClientService(
            self._endpoint,
            factory,
            retryPolicy=self._delay,
            clock=reactor,
        )
        self._client.setServiceParent(self)

    def _delay(self, attempts: int) -> float:
        # Twisted takes whoever is not let in for connected, and begins anew.
        seconds = float(networkBackoff(min(self._attempts, 20)))
        self._attempts += 1
        return seconds

    def seat(self, name: str, key: str, listener: Listener) -> Seat:
        """
        Be in a channel.
        """
        seat = Seat(self, name, key, listener)
        self._seats.append(seat)
        self._puppets[name] = Puppets(self.settings, self.clock, self._endpoint, key)
        return seat

    def stopService(self) -> Deferred[None]:
        """
        Leave the network.

        @return: fires when all connections are closed.
        """
        self._isStopped = True
        self._cancel(self._regaining)
        for seat in self._seats:
            self._cancel(seat.retry)
        if self._guest is not None:
            self._guest.leave("The relay is stopping")

        async def stop() -> None:
            for puppets in self._puppets.values():
                await puppets.stop()
            await maybeDeferred(super(Network, self).stopService)

        return Deferred.fromCoroutine(stop())

    def _cancel(self, call: IDelayedCall | None) -> None:
        if call is not None and call.active():
            call.cancel()

    # ---- what the connection tells

    def welcomed(self, guest: Guest) -> None:
        """
        We are in.
        """
        self._guest = guest
        self._since = self.clock.seconds()
        self._batches = {}
        self._cannotRelay = False
        self._log.info(
            "{name}: in as {nick}.", name=self.settings.name, nick=guest.nick
        )
        if self.settings.nickserv:
            # They know the nick that is asked for, not the one that we got.
            words = f"IDENTIFY {self.settings.nick} {self.settings.nickserv}"
            if guest.isMe(self.settings.nick):
                words = f"IDENTIFY {self.settings.nickserv}"
            guest.send(Line("PRIVMSG", ("NickServ", words)))
        self._regain()
        for seat in self._seats:
            self._join(seat)

    def left(self, guest: Guest) -> None:
        """
        The connection is gone.
        """
        if self._guest is guest:
            self._guest = None
            if self.clock.seconds() - self._since > SETTLED:
                self._attempts = 0
        self._cancel(self._regaining)
        for seat in self._seats:
            self._cancel(seat.retry)
            self._lost(seat)

    def _lost(self, seat: Seat) -> None:
        seat.audience.set(())
        seat.names = []
        if seat.isJoined:
            seat.isJoined = False
            seat.listener.changed(seat)

    def _join(self, seat: Seat) -> None:
        if self._guest is not None:
            key = (seat.key,) if seat.key else ()
            self._guest.send(Line("JOIN", (seat.name, *key)))
            self._cancel(seat.retry)
            seat.retry = self.clock.callLater(UNANSWERED, self._join, seat)

    def _joinLater(self, seat: Seat) -> None:
        if self.clock.seconds() - seat.since > SETTLED:
            seat.delay = FIRST_REJOIN
        seat.since = self.clock.seconds()
        self._cancel(seat.retry)
        seat.retry = self.clock.callLater(seat.delay, self._join, seat)
        seat.delay = min(seat.delay * 2, LONGEST_REJOIN)

    def _regain(self) -> None:
        guest = self._guest
        if guest is None or self._isStopped or self._isNamed(guest):
            return
        if self.settings.nickserv:
            words = f"GHOST {self.settings.nick} {self.settings.nickserv}"
            guest.send(Line("PRIVMSG", ("NickServ", words)))
        guest.send(Line("NICK", (self.settings.nick,)))
        self._regainLater()

    def _isNamed(self, guest: Guest) -> bool:
        wanted = self.settings.nick
        longest = guest.support.get("NICKLEN", "")
        # Servers cut what is too long for them.
        if longest.isdecimal():
            wanted = wanted.encode()[: int(longest)].decode("utf-8", "ignore")
        return guest.isMe(wanted)

    def _regainLater(self) -> None:
        self._cancel(self._regaining)
        self._regaining = self.clock.callLater(REGAIN, self._regain)

    def lineReceived(self, guest: Guest, line: Line) -> None:
        """
        Do what a line wants.
        """
        if self._batchOf(line) in _PLAYBACK and line.command != "BATCH":
            return
        handle = getattr(self, f"_heard_{line.command}", None)
        if handle is not None:
            handle(guest, line)
        elif line.command in _CANNOT_JOIN and len(line.params) > 2:
            for seat in self._at(guest, line.params[1]):
                if seat.isJoined:
                    continue
                self._log.warn(
                    "{name} does not let us into {channel}: {reason}.",
                    name=self.settings.name,
                    channel=seat.name,
                    reason=line.params[-1],
                )
                self._joinLater(seat)

    def _batchOf(self, line: Line) -> str:
        return self._batches.get(line.tags.get("batch", ""), "")

    def _heard_BATCH(self, guest: Guest, line: Line) -> None:
        reference = line.params[0]
        if reference.startswith("-"):
            self._batches.pop(reference[1:], None)
        elif len(line.params) > 1 and len(self._batches) < _MAX_BATCHES:
            kind = self._batchOf(line) or line.params[1]
            self._batches[reference[1:]] = kind

    def _heard_470(self, guest: Guest, line: Line) -> None:
        # A room is in the channel that was meant, or in none.
        _, wanted, other, *_ = line.params
        for seat in self._at(guest, wanted):
            self._log.warn(
                "{name} sends us from {channel} to {other}, where we do not stay.",
                name=self.settings.name,
                channel=seat.name,
                other=other,
            )
            if isMiddleParam(other) and not any(self._at(guest, other)):
                guest.send(Line("PART", (other,)))
            self._joinLater(seat)

    def _at(self, guest: Guest, channel: str) -> Iterator[Seat]:
        for seat in self._seats:
            if guest.fold(seat.name) == guest.fold(channel):
                yield seat

    def _isOurs(self, guest: Guest, nick: str) -> bool:
        return guest.isMe(nick) or any(
            puppets.isOurs(nick, guest.fold) for puppets in self._puppets.values()
        )

    def _heard_JOIN(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[0]):
            if guest.isMe(line.nick):
                seat.isJoined = True
                seat.since = self.clock.seconds()
                self._cancel(seat.retry)
                name = self.settings.name
                self._log.info("{name}: in {at}.", name=name, at=seat.name)
                seat.listener.changed(seat)
            elif not self._isOurs(guest, line.nick):
                seat.audience.came(guest.fold(line.nick), line.nick)
                self._moved(guest, seat, line, line.nick, "has joined")

    def _heard_353(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[2]):
            for word in line.params[3].split():
                nick = word.lstrip("~&@%+!*").partition("!")[0]
                if not self._isOurs(guest, nick):
                    seat.names.append(nick)

    def _heard_366(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[1]):
            seat.audience.set((guest.fold(nick), nick) for nick in seat.names)
            seat.names = []

    def _heard_PART(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[0]):
            self._gone(guest, seat, line, line.nick, "has left")

    def _heard_KICK(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[0]):
            how = f"was kicked by {line.nick}"
            self._gone(guest, seat, line, line.params[1], how)

    def _gone(self, guest: Guest, seat: Seat, line: Line, nick: str, how: str) -> None:
        if guest.isMe(nick):
            self._log.warn(
                "{name}: we are not in {channel} any more.",
                name=self.settings.name,
                channel=seat.name,
            )
            self._lost(seat)
            self._joinLater(seat)
        elif seat.audience.went(guest.fold(nick)):
            self._moved(guest, seat, line, nick, how)

    def _moved(self, guest: Guest, seat: Seat, line: Line, nick: str, how: str) -> None:
        if self._batchOf(line) in _SPLITS:
            return
        if seat.audience.isActive(guest.fold(nick)):
            seat.listener.moved(seat, nick, how)

    def _heard_QUIT(self, guest: Guest, line: Line) -> None:
        for seat in self._seats:
            if seat.audience.went(guest.fold(line.nick)):
                self._moved(guest, seat, line, line.nick, "has quit")
        self._freed(guest, line.nick)

    def _heard_NICK(self, guest: Guest, line: Line) -> None:
        nick = line.params[0]
        for seat in self._seats:
            key = guest.fold(line.nick)
            if key in seat.audience.names:
                self._moved(guest, seat, line, line.nick, f"is {nick} now")
                seat.audience.renamed(key, guest.fold(nick), nick)
        if not guest.isMe(nick):
            self._freed(guest, line.nick)
        elif not self._isNamed(guest):
            # Services call us otherwise until we have identified.
            self._regainLater()

    def _freed(self, guest: Guest, nick: str) -> None:
        wanted = self.settings.nick
        if guest.fold(nick) == guest.fold(wanted) and not guest.isMe(wanted):
            guest.send(Line("NICK", (wanted,)))

    def _heard_PRIVMSG(self, guest: Guest, line: Line) -> None:
        if self._isOurs(guest, line.nick):
            return
        if guest.isMe(line.params[0]):
            self._asked(guest, line)
            return
        if guest.isMe(line.tags.get("draft/relaymsg", "")):
            return
        text = line.params[1]
        action = parseAction(text)
        if text.startswith("\x01") and action is None:
            return
        for seat in self._at(guest, line.params[0]):
            seat.audience.spoke(guest.fold(line.nick))
            seat.listener.heard(
                seat,
                line.nick,
                text if action is None else action,
                action is not None,
                line.tags.get("msgid", ""),
                line.tags.get(ORIGIN_TAG, ""),
            )

    def _asked(self, guest: Guest, line: Line) -> None:
        key = guest.fold(line.nick)
        theirs = [s for s in self._seats if key in s.audience.names]
        answers = self._reception.answers(
            line.params[1],
            [seat.name for seat in theirs],
            lambda: [words for seat in theirs for words in seat.listener.status(seat)],
        )
        if not isMiddleParam(line.nick):
            return
        for answer in answers:
            said = Line("NOTICE", (line.nick, ""))
            words, _ = splitAt(answer, guest.room(said), self.settings.encoding)
            guest.send(Line("NOTICE", (line.nick, words)))

    # ---- saying

    async def speak(self, seat: Seat, piece: Piece) -> str:
        """
        As L{Seat.speak}.
        """
        if not seat.isJoined:
            raise NotNow(f"we are not in {seat.name}")
        try:
            await self.pacer.acquire()
        except CancelledError as e:
            raise NotNow("we are leaving") from e
        guest = self._guest
        if guest is None or not seat.isJoined:
            raise NotNow(f"we are not in {seat.name}")
        voice = None
        if piece.tone is not Tone.NEWS:
            voice = self._puppets[seat.name].voice(piece.author, seat.name)
        if voice is not None:
            line, rest = self._plain(voice, seat, piece, "")
            try:
                await voice.say(seat.name, line)
            except (NotNow, Refused) as e:
                # Nobody would tell us when the puppet can speak again.
                self._log.info("A puppet cannot speak: {reason}.", reason=str(e))
                self._puppets[seat.name].mute(piece.author)
            else:
                return rest
        if guest is not self._guest or not seat.isJoined:
            raise NotNow(f"we are not in {seat.name}")
        if self._mayRelay(guest, piece):
            line, rest = self._relayed(guest, seat, piece)
            try:
                await guest.say(seat.name, line)
            except Refused as e:
                self._log.warn(
                    "{name} refuses RELAYMSG: {reason}.",
                    name=self.settings.name,
                    reason=str(e),
                )
                self._cannotRelay = True
            else:
                return rest
        line, rest = self._plain(guest, seat, piece, opening(piece, isQuiet=True))
        await guest.say(seat.name, line)
        return rest

    def _plain(
        self, guest: Guest, seat: Seat, piece: Piece, start: str
    ) -> tuple[Line, str]:
        line = Line("PRIVMSG", (seat.name, ""), tags=self._tags(guest, piece))
        isAction = piece.tone is Tone.ACTION and not start
        return self._filled(line, guest.room(line), start, piece.text, isAction)

    def _relayed(self, guest: Guest, seat: Seat, piece: Piece) -> tuple[Line, str]:
        separator = (guest.capabilities[RELAYMSG] or "/")[0]
        nick = nickFor(piece.author, 0, NickStyle.UTF8, (), limit=24) + f"{separator}qq"
        line = Line("RELAYMSG", (seat.name, nick, ""), tags=self._tags(guest, piece))
        seen = Line("PRIVMSG", (seat.name, ""))
        isAction = piece.tone is Tone.ACTION
        room = min(guest.room(line), guest.room(seen, nick))
        return self._filled(line, room, "", piece.text, isAction)

    def _filled(
        self, line: Line, room: int, start: str, text: str, isAction: bool
    ) -> tuple[Line, str]:
        frame = "\x01ACTION {}\x01" if isAction else "{}"
        encoding = self.settings.encoding
        room -= len(start.encode(encoding, "replace")) + len(frame) - 2
        said, rest = nextLine(text, room, encoding)
        words = frame.format(start + said)
        return Line(line.command, (*line.params[:-1], words), tags=line.tags), rest

    def _mayRelay(self, guest: Guest, piece: Piece) -> bool:
        isOffered = RELAYMSG in guest.capabilities and not self._cannotRelay
        return isOffered and piece.tone is not Tone.NEWS

    def _tags(self, guest: Guest, piece: Piece) -> dict[str, str]:
        source, bar, _ = piece.origin.partition("|")
        if not bar or "message-tags" not in guest.capabilities:
            return {}
        return {ORIGIN_TAG: source}
