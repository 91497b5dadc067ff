"""
Groups and channels that are one room: who is told what, and what is kept from
them.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.config.relay import RoomSettings
from txwebqq.irc.protocol.splitting import (
    contentToText,
    lines,
    parseQQAction,
    stripFormatting,
)
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.account import Table
from txwebqq.irc.relay.attribution import linesOf, quiet, short
from txwebqq.irc.relay.channel import Seat
from txwebqq.irc.relay.errors import NotNow, Refused
from txwebqq.irc.relay.loopdetection import Echoes
from txwebqq.irc.relay.members import Audience
from txwebqq.irc.relay.membershipnotices import Moves
from txwebqq.irc.relay.outbox import Piece, Spool, Taken, Tone
from txwebqq.irc.relay.sender import Lane
from txwebqq.ratelimit import RateLimiter

HOLD = 3.0
"""The seconds that words which look relayed wait for those that they may be a
copy of."""

GRACE = 60.0
"""The seconds after which people are told that others cannot hear them."""

NEWS, NEWS_WINDOW = 1, 600.0
"""So many lines of one kind about our own state, in so many seconds."""

ANSWERS, ANSWERS_WINDOW = 3, 60.0

TYPICAL = 380
"""The bytes of text that a line of IRC has room for, about."""

_MAX_NAMED = 30


class Place(Protocol):
    """
    A channel or a group, as far as a room is concerned.
    """

    audience: Audience

    @property
    def title(self) -> str:
        """
        What people call it.
        """

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """

    async def speak(self, piece: Piece) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{NotNow} or L{Refused}.
        """


@dataclass(slots=True)
class _End:
    """
    A place and the way to it.

    @ivar source: names it in the origin of what is said there, the same for
        all relays.
    @ivar isChannel: whether it is one of IRC.
    """

    place: Place
    lane: Lane
    source: str
    isChannel: bool
    moves: Moves
    wait: IDelayedCall | None = None
    isMissed: bool = False


class Room:
    """
    One of them.

    @param links: shows pictures and long texts, L{None} for not at all.
    """

    _log = Logger()

    def __init__(
        self,
        settings: RoomSettings,
        spool: Spool,
        clock: IReactorTime,
        links: MediaLinks | None,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._clock = clock
        self._links = links
        self._ends: list[_End] = []
        self._echoes = Echoes(clock.seconds)
        self._news = RateLimiter(clock.seconds, NEWS, NEWS_WINDOW)
        self._answers = RateLimiter(clock.seconds, ANSWERS, ANSWERS_WINDOW)
        self._held: set[IDelayedCall] = set()
        self._serials = itertools.count(1)
        # Words without an id of their own are not brought to us twice.
        self._run = secrets.token_hex(6)
        self._isStopped = False

    # ---- the places

    def addChannel(self, seat: Seat) -> None:
        """
        A channel is one of the places.
        """
        name = f"irc/{seat.network.settings.name}/{seat.name}"
        self._add(seat, name, True)

    def addTable(self, table: Table) -> None:
        """
        A group or a discussion is one of the places.
        """
        target = table.circle.target
        self._add(table, f"qq/{target.kind.name.lower()}/{target.number}", False)

    def _add(self, place: Place, source: str, isChannel: bool) -> None:
        lane = Lane(
            source,
            self._spool,
            self._clock,
            place.speak,
            lambda reason, isGivenUp: self._stuck(end, reason, isGivenUp),
            self._settings.overflow,
        )
        moves = Moves(self._clock, lambda name, how: self._tellMoved(place, name, how))
        end = _End(place, lane, source, isChannel, moves)
        self._ends.append(end)

    def _endOf(self, place: Place) -> _End:
        [end] = [end for end in self._ends if end.place is place]
        return end

    def lanes(self) -> list[str]:
        """
        What the lanes are called.
        """
        return [end.lane.name for end in self._ends]

    def start(self) -> None:
        """
        Wait for the places; whoever waits too long is told.
        """
        for end in self._ends:
            self.changed(end.place)

    def stop(self) -> Deferred[list[None]]:
        """
        Say nothing more; what comes is still kept.

        @return: fires when nothing is being said.
        """
        self._isStopped = True
        for end in self._ends:
            end.moves.stop()
            if end.wait is not None and end.wait.active():
                end.wait.cancel()
        for held in list(self._held):
            held.cancel()
        self._held.clear()
        return gatherResults([end.lane.stop() for end in self._ends])

    # ---- what happens in channels

    def heard(
        self, seat: Seat, nick: str, text: str, isAction: bool, msgid: str, origin: str
    ) -> None:
        """
        Somebody said something in a channel.
        """
        source = self._endOf(seat)
        text = "\n".join(lines(stripFormatting(text)))
        if origin in [end.source for end in self._ends]:
            self._copied(source)
            return
        if not text or self._isKept(source, nick, text):
            return
        mark = msgid or f"{self._run}.{next(self._serials)}"
        tone = Tone.ACTION if isAction else Tone.WORDS
        piece = self._piece(source, mark, nick, text, tone)
        if self._echoes.isRelayed(text):
            self._take(source, piece, isReady=False)
            self._judgeLater(source, piece.origin, nick, text, tone)
            return
        self._echoes.heard(nick, text)
        self._take(source, piece)

    def _judgeLater(
        self, source: _End, origin: str, name: str, text: str, tone: Tone
    ) -> None:
        # What is kept until we are here again is said then, a copy or not.
        if self._isStopped:
            return

        # The original may be on its way to us by another door.
        def judge() -> None:
            self._held.discard(held)
            with self._kept(source):
                self._judge(source, origin, name, text, tone)

        held = self._clock.callLater(HOLD, judge)
        self._held.add(held)

    # ---- what happens in groups

    def noticed(self, table: Table, mark: str, name: str, text: str) -> None:
        """
        Somebody said something in a group, and it is kept before we ask who.
        """
        source = self._endOf(table)
        if self._isHushed(name, text):
            return
        piece = self._piece(source, mark, name, "\n".join(lines(text)), Tone.WORDS)
        self._take(source, piece, isReady=False)

    def learned(
        self, table: Table, number: int, name: str, message: IncomingMessage
    ) -> None:
        """
        It is known who said it, and what its pictures show.
        """
        source = self._endOf(table)
        with self._kept(source):
            self._learn(source, number, name, message)

    def _learn(
        self, source: _End, number: int, name: str, message: IncomingMessage
    ) -> None:
        links = [self._linkTo(picture) for picture in message.pictures]
        text = "\n".join(lines(contentToText(message.content, links)))
        origin = f"{source.source}|{message.mark}"
        isIgnored = str(number) in self._settings.ignoredNicks
        if not text or isIgnored or self._isKept(source, name, text):
            self._withdraw(source, origin)
            return

        action = parseQQAction(text)
        tone = Tone.WORDS if action is None else Tone.ACTION
        judge = self._judgeLater if self._echoes.isRelayed(text) else self._judge
        judge(source, origin, name, text if action is None else action, tone)

    def _linkTo(self, picture: bytes) -> str:
        return self._links.keep(picture) or "" if self._links and picture else ""

    def _judge(
        self, source: _End, origin: str, name: str, text: str, tone: Tone
    ) -> None:
        if self._echoes.isCopy(text):
            self._copied(source)
            self._withdraw(source, origin)
            return
        self._echoes.heard(name, text)
        name = " ".join(lines(name))
        for end in self._others(source):
            words = self._fitted(text, end)
            self._spool.complete(end.lane.name, origin, name, words, tone)
            end.lane.wake()

    def _fitted(self, text: str, end: _End) -> str:
        if self._links is None or self._settings.longText is LongTextPolicy.BURST:
            return text
        if not end.isChannel or len(linesOf(text, TYPICAL)) <= self._settings.lines:
            return text
        link = self._links.keepText(text)
        if link is None:
            return text
        start = linesOf(text, TYPICAL // 2)[0]
        return f"{start} … {link}"

    def _withdraw(self, source: _End, origin: str) -> None:
        for end in self._others(source):
            self._spool.withdraw(end.lane.name, origin)
            end.lane.wake()

    def _copied(self, source: _End) -> None:
        self._log.debug("A copy in {source}: dropped.", source=source.source)

    # ---- what both have

    def moved(self, place: Place, name: str, how: str) -> None:
        """
        Somebody who speaks came or went, in words that follow the name.
        """
        if not self._settings.joins or self._settings.ignores(name, ""):
            return
        self._endOf(place).moves.moved(name, how)

    def _tellMoved(self, place: Place, name: str, how: str) -> None:
        for end in self._others(self._endOf(place)):
            # Whoever hears of it late does not care.
            if end.place.isUp:
                shown = quiet(short(name)) if end.isChannel else short(name)
                self._say(end, f"{shown} {how}")

    def changed(self, place: Place) -> None:
        """
        We can be heard there, or not any more.
        """
        end = self._endOf(place)
        if place.isUp:
            if end.wait is not None and end.wait.active():
                end.wait.cancel()
            if end.isMissed:
                end.isMissed = False
                self._announce(end, f"{place.title} hears us again")
            end.lane.wake()
        elif end.isMissed or self._isStopped:
            return
        elif end.wait is None or not end.wait.active():
            end.wait = self._clock.callLater(GRACE, self._missed, end)

    def _missed(self, end: _End) -> None:
        text = f"{end.place.title} cannot be reached; what is said is kept for it"
        end.isMissed = self._announce(end, text, "gone")

    def _stuck(self, end: _End, reason: str, isGivenUp: bool) -> None:
        what = "could not be said" if isGivenUp else "waits"
        text = f"something {what} in {end.place.title}: {reason}"
        self._log.warn("{text}", text=text)
        self._announce(end, text, f"stuck {isGivenUp}")

    def _announce(self, about: _End, text: str, kind: str = "") -> bool:
        if kind and not self._news.take((about.source, kind)):
            return False
        for end in self._others(about):
            self._say(end, text)
        return True

    def _say(self, end: _End, text: str) -> None:
        text = "\n".join(lines(text))
        piece = self._piece(
            end, f"{self._run}.{next(self._serials)}", "", text, Tone.NEWS
        )
        with self._kept(end):
            self._spool.take(
                self._inLane(piece, end),
                self._settings.limit,
                OverflowPolicy.REFUSE_NEW,
            )
        end.lane.wake()

    @contextmanager
    def _kept(self, source: _End) -> Iterator[None]:
        # A full disk is no reason to lose the connection as well.
        try:
            yield
        except sqlite3.Error as e:
            self._log.error(
                "What is said in {place} cannot be kept: {reason}.",
                place=source.source,
                reason=str(e),
            )
            if not self._isStopped and self._news.take((source.source, "unkept")):
                self._shout(source, f"what is said here cannot be kept: {e}")

    def _shout(self, end: _End, text: str) -> None:
        async def shout() -> None:
            try:
                await end.place.speak(Piece("", "", 0, "", text, Tone.NEWS))
            except (NotNow, Refused) as e:
                self._log.info("Nobody could be told: {reason}.", reason=str(e))

        Deferred.fromCoroutine(shout()).addErrback(
            lambda failure: self._log.failure("Nobody could be told.", failure)
        )

    def _inLane(self, piece: Piece, end: _End, isReady: bool = True) -> Piece:
        return Piece(
            end.lane.name,
            piece.origin,
            piece.time,
            piece.author,
            piece.text,
            piece.tone,
            isReady,
        )

    def _piece(
        self, source: _End, mark: str, name: str, text: str, tone: Tone
    ) -> Piece:
        now = int(self._clock.seconds() * 1000)
        author = " ".join(lines(name))
        return Piece("", f"{source.source}|{mark}", now, author, text, tone)

    def _others(self, source: _End) -> list[_End]:
        return [end for end in self._ends if end is not source]

    def _take(self, source: _End, piece: Piece, isReady: bool = True) -> None:
        settings = self._settings
        for end in self._others(source):
            with self._kept(source):
                taken = self._spool.take(
                    self._inLane(piece, end, isReady), settings.limit, settings.overflow
                )
                if taken in (Taken.FULL, Taken.INSTEAD):
                    self._full(source, end)
            end.lane.wake()

    def _full(self, source: _End, end: _End) -> None:
        if not self._news.take((source.source, end.source, "full")):
            return
        which = {
            OverflowPolicy.REFUSE_NEW: "what is said now does not reach it",
            OverflowPolicy.DROP_OLDEST: "the oldest of it is left out",
        }[self._settings.overflow]
        text = (
            f"{self._settings.limit} messages wait for {end.place.title}:"
            f" {which} until there is room"
        )
        self._log.warn("{text}", text=text)
        self._say(source, text)

    # ---- what stays where it is

    def _isHushed(self, name: str, text: str) -> bool:
        optOut = self._settings.optOut
        if optOut and text.startswith(optOut):
            return True
        return self._settings.ignores(name, text)

    def _isKept(self, source: _End, name: str, text: str) -> bool:
        if self._isHushed(name, text):
            return True
        answer = self._commands.get(text.strip().lower())
        if answer is None:
            return False
        if self._answers.take(source.source):
            for line in answer(source):
                self._say(source, line)
        return True

    @property
    def _commands(self) -> dict[str, Callable[[_End], list[str]]]:
        return {"!users": self._users, "!status": self._status}

    def _users(self, source: _End) -> list[str]:
        answers = []
        for end in self._others(source):
            names = sorted(short(name) for name in end.place.audience.names.values())
            shown = [quiet(name) if source.isChannel else name for name in names]
            more = len(shown) - _MAX_NAMED
            words = ", ".join(shown[:_MAX_NAMED]) or "nobody"
            after = f" and {more} more" if more > 0 else ""
            answers.append(f"{end.place.title}: {len(shown)}: {words}{after}")
        return answers

    def status(self, place: Place) -> list[str]:
        """
        How it is, in lines for somebody who is there.
        """
        return self._status(self._endOf(place))

    def _status(self, source: _End) -> list[str]:
        answers = []
        for end in self._ends:
            state = "there" if end.place.isUp else "cannot be reached"
            waiting = self._spool.count(end.lane.name)
            limit = self._settings.limit
            answers.append(
                f"{end.place.title}: {state}, {waiting} of at most {limit} wait"
            )
        return answers
