"""
What the gateway and an IRC client say to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.allowances import Allowance
from txwebqq.errors import WebQQError
from txwebqq.irc.connection import Connection
from txwebqq.irc.history import Entry
from txwebqq.irc.line import (
    MAX_LINE,
    Line,
    fold,
    isWord,
    sized,
)
from txwebqq.irc.nicks import MAX_CHANNEL, MAX_NICK, isNick
from txwebqq.irc.places import SERVICE, Kind, Place
from txwebqq.irc.registration import Registration, Verdict
from txwebqq.irc.text import ME, actionOf, asAction, lines, split, stripFormatting
from txwebqq.irc.user import DESK, Channel, User
from txwebqq.model import Status

GUESSES, GUESSING = 5, 60.0
"""So many wrong passwords are looked at in so many seconds, of an address and
for a user."""

SUPPORT = (
    "CASEMAPPING=rfc1459",
    "CHANMODES=,,,nt",
    f"CHANNELLEN={MAX_CHANNEL}",
    "CHANTYPES=#",
    f"LINELEN={MAX_LINE}",
    "NETWORK=QQ",
    f"NICKLEN={MAX_NICK}",
    "PREFIX=(o)@",
)

# What clients ask by themselves, and what needs no answer here.
_SILENT = frozenset({"PONG", "NOTICE", "TAGMSG"})


class House(Protocol):
    """
    What a client has come to.
    """

    serverName: str
    motd: str
    clock: IReactorTime
    guesses: Allowance

    def came(self, visitor: Visitor) -> None:
        """
        A client has come.
        """

    def went(self, visitor: Visitor) -> None:
        """
        It has gone, and nothing of it is left.
        """

    def admit(self, name: str, password: str) -> bool:
        """
        Whether that is somebody's password.
        """

    def user(self, name: str) -> User:
        """
        Who that is.
        """


class Visitor(Connection):
    """
    One client, from its first words to its last.

    @ivar key: what it calls itself after a slash in its login.
    """

    _log = Logger()

    def __init__(self, house: House, address: str) -> None:
        super().__init__(house.clock, address)
        self._house = house
        self._registration = Registration(self._check, isNick)
        self._user: User | None = None
        self._nick = ""
        self._channels: dict[str, Channel] = {}
        self._parted: set[str] = set()
        self.key = ""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._house.came(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._user is not None:
            self._user.detach(self)
        self._house.went(self)

    def ask(self) -> None:
        """
        Ask whether the client is still there.
        """
        self.sendLine(Line("PING", (self._house.serverName,)))

    def lineRefused(self, reason: str, isLong: bool) -> None:
        """
        Tell what was wrong with a line.
        """
        if isLong:
            self._reply("417", reason)
        else:
            self.sendLine(Line("NOTICE", (self._nick or "*", f"Not taken: {reason}")))

    def _reply(self, numeric: str, *params: str) -> None:
        *middle, last = params
        # What a client has said need not be what can be repeated to it.
        words = [word if isWord(word) else "*" for word in middle]
        text = " ".join(lines(last))
        self.sendLine(
            Line(numeric, (self._nick or "*", *words, text), self._house.serverName)
        )

    def _has(self, capability: str) -> bool:
        return capability in self._registration.capabilities

    # ---- coming in

    def _check(self, login: str, password: str) -> Verdict:
        name, _, self.key = login.partition("/")
        guesses = self._house.guesses
        keys = (f"address {self.address}", f"user {fold(name)}")
        if not all(guesses.isLeft(key) for key in keys):
            return Verdict.LATER
        if self._house.admit(name, password):
            guesses.forgive(keys[0])
            return Verdict.ACCEPTED
        for key in keys:
            guesses.spend(key)
        self._log.info("A wrong password from {address}.", address=self.address)
        return Verdict.REFUSED

    def lineReceived(self, line: Line) -> None:
        """
        Answer what the client says.
        """
        if self._user is None or line.command == "CAP":
            for command, *params in self._registration.heard(line.command, line.params):
                self.sendLine(Line(command, tuple(params), self._house.serverName))
            if self._registration.refused:
                self.leave(self._registration.refused)
            elif self._registration.complete and self._user is None:
                self._welcome()
            return
        handle = getattr(self, f"_irc_{line.command}", None)
        if handle is not None:
            handle(line.params)
        elif line.command not in _SILENT:
            self._reply("421", line.command[:50], "Unknown command")

    def _welcome(self) -> None:
        name = self._registration.user.partition("/")[0]
        user = self._user = self._house.user(name)
        self._nick = self._registration.nick
        self.settle()
        self._reply("001", f"Welcome to QQ, {self._nick}")
        self._reply("002", f"Your host is {self._house.serverName}, running txwebqq")
        self._reply("003", "It stays signed on when you leave")
        self.sendLine(
            Line("004", (self._nick, self._house.serverName, "txwebqq", "i", "nt"))
        )
        self._reply("005", *SUPPORT, "are supported by this server")
        motd = lines(self._house.motd)
        if motd:
            self._reply("375", f"{self._house.serverName} message of the day")
            for text in motd:
                self._reply("372", f"- {text}")
            self._reply("376", "End of message of the day")
        else:
            self._reply("422", "There is no message of the day")
        if user.placeNamed(self._nick) is not None:
            self._rename(user.name)
        user.attach(self)

    def _rename(self, nick: str) -> None:
        self.sendLine(Line("NICK", (nick,), self._mask))
        self._nick = nick

    @property
    def _mask(self) -> str:
        name = self._user.name if self._user is not None else "qq"
        return f"{self._nick}!{name}@{self._house.serverName}"

    def _maskOf(self, nick: str, number: int) -> str:
        return f"{nick}!{number or 'qq'}@{self._house.serverName}"

    # ---- what the user tells

    def show(self, entry: Entry) -> None:
        """
        Somebody said something, now or while nobody was here.
        """
        user = self._known()
        isOwn = entry.sender in user.residents
        if entry.place.kind in (Kind.GROUP, Kind.DISCUSSION):
            target = user.channelOf(entry.place)
            if fold(target) in self._parted:
                return
            if fold(target) not in self._channels:
                # Played back before the account is signed on again.
                self.showChannel(Channel(target, entry.place, "", ()))
        elif isOwn:
            # What another client of ours said to somebody.
            target = user.book.name(entry.place) or str(entry.place.number)
        else:
            target = self._nick
        mask = self._mask if isOwn else self._maskOf(entry.nick, entry.sender)
        self._say(entry, mask, target)

    def _say(self, entry: Entry, mask: str, target: str) -> None:
        tags = {}
        if self._has("server-time"):
            when = datetime.fromtimestamp(entry.time / 1000, UTC)
            tags["time"] = f"{when:%Y-%m-%dT%H:%M:%S}.{entry.time % 1000:03}Z"
        if self._has("message-tags") and entry.msgid:
            tags["msgid"] = entry.msgid
        action = actionOf(entry.text)
        first = Line(entry.command, (target, " :"), mask)
        room = MAX_LINE - sized(first, self.encoding)
        if action is not None:
            room -= len("\x01ACTION \x01")
        for text in lines(action if action is not None else entry.text):
            for piece in split(text, room, self.encoding):
                said = f"\x01ACTION {piece}\x01" if action is not None else piece
                self.sendLine(Line(entry.command, (target, said), mask, tags))

    def showChannel(self, channel: Channel) -> None:
        """
        A channel is there; those who came and went since are told of.
        """
        if fold(channel.name) in self._parted:
            return
        before = self._channels.get(fold(channel.name))
        self._channels[fold(channel.name)] = channel
        if before is None:
            extra = (self._known().name, "QQ") if self._has("extended-join") else ()
            self.sendLine(Line("JOIN", (channel.name, *extra), self._mask))
            self._topic(channel)
            self._names(channel)
            return
        if before.topic != channel.topic:
            self.sendLine(
                Line("TOPIC", (channel.name, channel.topic), self._house.serverName)
            )
        own = self._known().residents
        old = {nick: number for nick, number, _ in before.members if number not in own}
        new = {nick: number for nick, number, _ in channel.members if number not in own}
        for nick in old.keys() - new.keys():
            self.sendLine(Line("PART", (channel.name,), self._maskOf(nick, old[nick])))
        for nick in new.keys() - old.keys():
            number = new[nick]
            extra = (str(number), nick) if self._has("extended-join") else ()
            mask = self._maskOf(nick, number)
            self.sendLine(Line("JOIN", (channel.name, *extra), mask))

    def renamed(self, before: str, place: Place, after: str) -> None:
        """
        Somebody is called otherwise.
        """
        if place.kind is Kind.PERSON:
            mask = self._maskOf(before, place.number)
            self.sendLine(Line("NICK", (after,), mask))
            return
        self._channels.pop(fold(before), None)
        self.sendLine(Line("PART", (before, f"It is {after} now"), self._mask))
        for channel in self._known().channels():
            if channel.place == place:
                self.showChannel(channel)

    def appeared(self, nick: str, number: int, status: Status) -> None:
        """
        Somebody came or went.
        """
        if self._has("away-notify"):
            away = _awayOf(status)
            params = (away,) if away else ()
            self.sendLine(Line("AWAY", params, self._maskOf(nick, number)))

    def _known(self) -> User:
        assert self._user is not None
        return self._user

    # ---- what the client says

    def _irc_PING(self, params: Sequence[str]) -> None:
        self.sendLine(
            Line("PONG", (self._house.serverName, *params[:1]), self._house.serverName)
        )

    def _irc_QUIT(self, params: Sequence[str]) -> None:
        self.leave("Bye")

    def _irc_NICK(self, params: Sequence[str]) -> None:
        nick = params[0] if params else ""
        if not isNick(nick):
            self._reply("432", "*", "Erroneous nickname")
        elif self._known().placeNamed(nick) is not None:
            self._reply("433", nick, "That is somebody on QQ")
        else:
            self._rename(nick)

    def _irc_PRIVMSG(self, params: Sequence[str]) -> None:
        if len(params) < 2 or not params[1]:
            self._reply("412", "No text to send")
            return
        text = params[1]
        action = asAction(text)
        if text.startswith("\x01") and action is None:
            return
        for name in params[0].split(",")[:4]:
            place = self._known().placeNamed(name)
            if place is None:
                self._reply("401", name[:50], "Nobody here is called so")
                continue
            Deferred.fromCoroutine(self._tell(place, name, text))

    async def _tell(self, place: Place, name: str, text: str) -> None:
        user = self._known()
        action = asAction(text)
        words = stripFormatting(text if action is None else f"{ME}{action}")
        try:
            entry = await user.say(place, words, self)
        except WebQQError as e:
            self._reply("404", name, f"It was not delivered: {e}")
        except Exception:
            self._log.failure("A client's words were lost.")
        else:
            if entry is not None and self._has("echo-message"):
                self._say(entry, self._mask, name)

    def _irc_JOIN(self, params: Sequence[str]) -> None:
        for name in (params[0] if params else "").split(","):
            found = [c for c in self._known().channels() if fold(c.name) == fold(name)]
            self._parted.discard(fold(name))
            for channel in found:
                if fold(name) not in self._channels:
                    self.showChannel(channel)
            if name and not found:
                self._reply("403", name[:50], "You are in no group of that name")

    def _irc_PART(self, params: Sequence[str]) -> None:
        for name in (params[0] if params else "").split(","):
            channel = self._channels.pop(fold(name), None)
            if channel is None:
                self._reply("442", name[:50], "You are not there")
            else:
                self._parted.add(fold(name))
                self.sendLine(Line("PART", (channel.name,), self._mask))

    def _irc_NAMES(self, params: Sequence[str]) -> None:
        channel = self._channels.get(fold(params[0])) if params else None
        if channel is not None:
            self._names(channel)
        else:
            self._reply("366", params[0][:50] if params else "*", "End of names")

    def _names(self, channel: Channel) -> None:
        entries = [f"@{self._nick}"] if not channel.members else []
        for nick, number, isAdmin in channel.members:
            prefix = "@" if isAdmin else ""
            isOwn = number in self._known().residents
            shown = self._nick if isOwn else nick
            full = self._has("userhost-in-names")
            mask = self._mask if isOwn else self._maskOf(nick, number)
            entries.append(prefix + (mask if full else shown))
        head = Line(
            "353", (self._nick, "=", channel.name, " :"), self._house.serverName
        )
        room = MAX_LINE - sized(head, self.encoding)
        for piece in split(" ".join(entries), room, self.encoding):
            self._reply("353", "=", channel.name, piece)
        self._reply("366", channel.name, "End of names")

    def _irc_TOPIC(self, params: Sequence[str]) -> None:
        channel = self._channels.get(fold(params[0])) if params else None
        if channel is None:
            self._reply("442", params[0][:50] if params else "*", "You are not there")
        elif len(params) > 1:
            self._reply("482", channel.name, "Groups are administered on QQ")
        else:
            self._topic(channel)

    def _topic(self, channel: Channel) -> None:
        if channel.topic:
            self._reply("332", channel.name, channel.topic)
        else:
            self._reply("331", channel.name, "There is no announcement")

    def _irc_MODE(self, params: Sequence[str]) -> None:
        name = params[0] if params else ""
        if fold(name) == fold(self._nick):
            self._reply("221", "+i")
        elif fold(name) not in self._channels:
            self._reply("403", name[:50] or "*", "You are in no group of that name")
        elif len(params) == 1:
            self._reply("324", name, "+nt")
        elif params[1].lstrip("+") == "b":
            self._reply("368", name, "End of bans")
        else:
            self._reply("482", name, "Groups are administered on QQ")

    def _irc_WHO(self, params: Sequence[str]) -> None:
        name = params[0] if params else "*"
        channel = self._channels.get(fold(name))
        for nick, number, isAdmin in channel.members if channel is not None else ():
            here = "G" if _awayOf(self._known().statusOf(number)) else "H"
            self._reply(
                "352",
                name,
                str(number),
                self._house.serverName,
                self._house.serverName,
                self._nick if number in self._known().residents else nick,
                here + ("@" if isAdmin else ""),
                f"0 {number}",
            )
        self._reply("315", name[:50], "End of WHO")

    def _irc_WHOIS(self, params: Sequence[str]) -> None:
        nick = params[-1] if params else ""
        user = self._known()
        place = user.placeNamed(nick)
        if place is None or place.kind is not Kind.PERSON:
            if place == SERVICE:
                self._reply(
                    "311", DESK, "qq", self._house.serverName, "*", "The gateway"
                )
            else:
                self._reply("401", nick[:50] or "*", "Nobody here is called so")
        else:
            number = place.number
            who = str(number)
            self._reply("311", nick, who, self._house.serverName, "*", f"QQ {who}")
            rooms = [
                channel.name
                for channel in user.channels()
                if number in [member[1] for member in channel.members]
            ]
            for piece in split(" ".join(rooms), 300, self.encoding) if rooms else ():
                self._reply("319", nick, piece)
            away = _awayOf(user.statusOf(number))
            if away:
                self._reply("301", nick, away)
        self._reply("318", nick[:50] or "*", "End of WHOIS")

    def _irc_LIST(self, params: Sequence[str]) -> None:
        for channel in self._known().channels():
            count = str(len(channel.members))
            self._reply("322", channel.name, count, channel.topic)
        self._reply("323", "End of list")

    def _irc_ISON(self, params: Sequence[str]) -> None:
        user = self._known()
        here = []
        for nick in " ".join(params).split()[:50]:
            place = user.placeNamed(nick)
            if place == SERVICE or (
                place is not None
                and place.kind is Kind.PERSON
                and user.statusOf(place.number) not in (None, Status.OFFLINE)
            ):
                here.append(nick)
        self._reply("303", " ".join(here))

    def _irc_AWAY(self, params: Sequence[str]) -> None:
        isAway = bool(params and params[0])
        word = "status away" if isAway else "status online"
        Deferred.fromCoroutine(self._tell(SERVICE, DESK, word))
        self._reply(*(("306", "You are away") if isAway else ("305", "You are back")))


def _awayOf(status: Status | None) -> str:
    if status is None or status in (Status.ONLINE, Status.CALLME):
        return ""
    word: str = status.value
    return word
