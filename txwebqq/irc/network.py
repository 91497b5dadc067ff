"""
An IRC network, and our seats in its channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    clientFromString,
    wrapClientTLS,
)
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.audience import Audience
from txwebqq.irc.guest import Guest
from txwebqq.irc.handshake import RELAYMSG
from txwebqq.irc.line import Line
from txwebqq.irc.nicks import Style, nickFor
from txwebqq.irc.pace import Pace
from txwebqq.irc.puppets import Puppets
from txwebqq.irc.refusals import NotNow, Refused
from txwebqq.irc.relayconfig import NetworkSettings
from txwebqq.irc.spool import Piece, Tone
from txwebqq.irc.text import asAction
from txwebqq.irc.wording import nextLine, opening
from txwebqq.tls import Authorities, Verifying

ORIGIN_TAG = "+txwebqq/origin"
"""Where words were said first, for other relays."""

REGAIN = 60.0
"""The seconds between two attempts to get our nick back."""

FIRST_REJOIN, LONGEST_REJOIN = 5.0, 300.0
SETTLED = 600.0
"""Whoever was in a channel for so long is new to being kicked."""

networkBackoff = backoffPolicy(initialDelay=5.0, maxDelay=300.0, factor=2.0)

_TLS = re.compile(r"tls:([A-Za-z0-9.-]+|(?:[0-9A-Fa-f]*\\:)+[0-9A-Fa-f]*):([0-9]{1,5})")
_CANNOT_JOIN = frozenset(
    {"403", "405", "437", "471", "473", "474", "475", "476", "477", "489", "520"}
)


def endpointOf(settings: NetworkSettings, reactor: Any) -> IStreamClientEndpoint:
    """
    How a network is reached. C{tls:} is verified, and nothing else is
    encrypted.

    @raise InvalidConfiguration: when the endpoint is none.
    """
    text = settings.endpoint
    if text.startswith("tls:"):
        found = _TLS.fullmatch(text)
        if found is None:
            raise InvalidConfiguration(f"{text}: it is written tls:HOST:PORT")
        host = found[1].replace("\\:", ":")
        verifying = Verifying(Authorities(settings.authorities))
        creator = verifying.creatorForNetloc(host.encode("ascii"), int(found[2]))
        endpoint = HostnameEndpoint(reactor, host, int(found[2]))
        wrapped: IStreamClientEndpoint = wrapClientTLS(creator, endpoint)
        return wrapped
    if text.startswith("ssl:"):
        raise InvalidConfiguration(f"{text}: ssl: verifies nobody, tls: does")
    try:
        plain: IStreamClientEndpoint = clientFromString(reactor, text)
    except (ValueError, TypeError, OSError, LookupError) as e:
        raise InvalidConfiguration(f"{text}: no client endpoint: {e}") from e
    return plain


class Listener(Protocol):
    """
    Who wants to know what happens in a channel.
    """

    def heard(
        self, seat: Seat, nick: str, text: str, isAction: bool, msgid: str, origin: str
    ) -> None:
        """
        Somebody said something.
        """

    def moved(self, seat: Seat, nick: str, how: str) -> None:
        """
        Somebody who speaks came or went, in words that follow the nick.
        """

    def changed(self, seat: Seat) -> None:
        """
        We can be heard there, or not any more.
        """


class Seat:
    """
    A channel of a network, with or without us.

    @ivar audience: the others.
    """

    def __init__(
        self, network: Network, name: str, key: str, listener: Listener
    ) -> None:
        self.network = network
        self.name = name
        self.key = key
        self.listener = listener
        self.audience = Audience(network.clock.seconds)
        self.isJoined = False
        self.since = 0.0
        self.delay = FIRST_REJOIN
        self.retry: IDelayedCall | None = None
        self.names: list[str] = []

    @property
    def title(self) -> str:
        """
        What people call it.
        """
        return self.name

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """
        return self.isJoined

    async def speak(self, piece: Piece) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{NotNow} or L{Refused}.
        """
        return await self.network.speak(self, piece)


class Network(MultiService):
    """
    Keeps us in the channels of one network.

    @ivar pace: how fast we may speak there.
    """

    _log = Logger()

    def __init__(self, settings: NetworkSettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.clock: IReactorTime = reactor
        self.pace = Pace(reactor, settings.burst, settings.seconds)
        self._endpoint = endpointOf(settings, reactor)
        self._guest: Guest | None = None
        self._seats: list[Seat] = []
        self._regaining: IDelayedCall | None = None
        self._puppets: dict[str, Puppets] = {}
        self._isStopped = False
        self._attempts = 0
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
        self._cancel(self._regaining)
        for seat in self._seats:
            self._cancel(seat.retry)
            self._lost(seat)

    def _lost(self, seat: Seat) -> None:
        seat.audience.set(())
        if seat.isJoined:
            seat.isJoined = False
            seat.listener.changed(seat)

    def _join(self, seat: Seat) -> None:
        if self._guest is not None:
            key = (seat.key,) if seat.key else ()
            self._guest.send(Line("JOIN", (seat.name, *key)))

    def _joinLater(self, seat: Seat) -> None:
        if self.clock.seconds() - seat.since > SETTLED:
            seat.delay = FIRST_REJOIN
        seat.since = self.clock.seconds()
        self._cancel(seat.retry)
        seat.retry = self.clock.callLater(seat.delay, self._join, seat)
        seat.delay = min(seat.delay * 2, LONGEST_REJOIN)

    def _regain(self) -> None:
        guest = self._guest
        if guest is None or self._isStopped or guest.isMe(self.settings.nick):
            return
        if self.settings.nickserv:
            words = f"GHOST {self.settings.nick} {self.settings.nickserv}"
            guest.send(Line("PRIVMSG", ("NickServ", words)))
        guest.send(Line("NICK", (self.settings.nick,)))
        self._cancel(self._regaining)
        self._regaining = self.clock.callLater(REGAIN, self._regain)

    def lineReceived(self, guest: Guest, line: Line) -> None:
        """
        Do what a line wants.
        """
        handle = getattr(self, f"_heard_{line.command}", None)
        if handle is not None:
            handle(guest, line)
        elif line.command in _CANNOT_JOIN and len(line.params) > 2:
            for seat in self._at(guest, line.params[1]):
                self._log.warn(
                    "{name} does not let us into {channel}: {reason}.",
                    name=self.settings.name,
                    channel=seat.name,
                    reason=line.params[-1],
                )
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
                self._moved(guest, seat, line.nick, "has joined")

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
            self._gone(guest, seat, line.nick, "has left")

    def _heard_KICK(self, guest: Guest, line: Line) -> None:
        for seat in self._at(guest, line.params[0]):
            self._gone(guest, seat, line.params[1], f"was kicked by {line.nick}")

    def _gone(self, guest: Guest, seat: Seat, nick: str, how: str) -> None:
        if guest.isMe(nick):
            self._log.warn(
                "{name}: we are not in {channel} any more.",
                name=self.settings.name,
                channel=seat.name,
            )
            self._lost(seat)
            self._joinLater(seat)
        elif seat.audience.went(guest.fold(nick)):
            self._moved(guest, seat, nick, how)

    def _moved(self, guest: Guest, seat: Seat, nick: str, how: str) -> None:
        if seat.audience.isActive(guest.fold(nick)):
            seat.listener.moved(seat, nick, how)

    def _heard_QUIT(self, guest: Guest, line: Line) -> None:
        for seat in self._seats:
            if seat.audience.went(guest.fold(line.nick)):
                self._moved(guest, seat, line.nick, "has quit")
        self._freed(guest, line.nick)

    def _heard_NICK(self, guest: Guest, line: Line) -> None:
        nick = line.params[0]
        for seat in self._seats:
            key = guest.fold(line.nick)
            if key in seat.audience.names:
                self._moved(guest, seat, line.nick, f"is {nick} now")
                seat.audience.renamed(key, guest.fold(nick), nick)
        self._freed(guest, line.nick)

    def _freed(self, guest: Guest, nick: str) -> None:
        wanted = self.settings.nick
        if guest.fold(nick) == guest.fold(wanted) and not guest.isMe(wanted):
            guest.send(Line("NICK", (wanted,)))

    def _heard_PRIVMSG(self, guest: Guest, line: Line) -> None:
        if self._isOurs(guest, line.nick):
            return
        if guest.isMe(line.tags.get("draft/relaymsg", "")):
            return
        text = line.params[1]
        action = asAction(text)
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

    # ---- saying

    async def speak(self, seat: Seat, piece: Piece) -> str:
        """
        As L{Seat.speak}.
        """
        if not seat.isJoined:
            raise NotNow(f"we are not in {seat.name}")
        await self.pace.turn()
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
        nick = nickFor(piece.author, 0, Style.UTF8, (), limit=24) + f"{separator}qq"
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
