"""
Somebody who uses the gateway: their QQ accounts, what they call everybody,
and the IRC clients that they have open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol
from zlib import crc32

from twisted.internet.defer import Deferred, fail

from txwebqq.errors import CaptchaUnsolved, NotSignedOn
from txwebqq.irc.desk import Desk
from txwebqq.irc.gatewayconfig import UserSettings
from txwebqq.irc.history import Entry, History
from txwebqq.irc.letters import Letter
from txwebqq.irc.line import fold
from txwebqq.irc.links import Links
from txwebqq.irc.names import Book, NameTaken
from txwebqq.irc.nicks import Romanise, channelFor, isChannel, isNick, nickFor
from txwebqq.irc.places import SERVICE, Kind, Place
from txwebqq.irc.resident import Resident, Room
from txwebqq.irc.text import lines, read, shown
from txwebqq.model import (
    FriendshipNotice,
    FriendshipStep,
    GroupNotice,
    Number,
    Status,
)
from txwebqq.service import WebQQService

DESK = "*qq"
"""The nick of the service."""

_STEPS = {
    FriendshipStep.PASSED: "lets you have them for a friend",
    FriendshipStep.PASSED_AND_ADDED: "is your friend now",
    FriendshipStep.REJECTED: "does not want to be your friend",
    FriendshipStep.ADDED: "has added you",
    FriendshipStep.ADDED_UNSIGNED: "has added you",
}


class Screen(Protocol):
    """
    An IRC client that is attached.

    @ivar key: tells the clients of one user apart.
    """

    key: str

    def show(self, entry: Entry) -> None:
        """
        Somebody said something.
        """

    def showChannel(self, channel: Channel) -> None:
        """
        A channel is there, or otherwise than it was.
        """

    def renamed(self, before: str, place: Place, after: str) -> None:
        """
        Somebody is called otherwise.
        """

    def appeared(self, nick: str, number: int, status: Status) -> None:
        """
        Somebody came or went.
        """


@dataclass(frozen=True, slots=True)
class Channel:
    """
    A group, as IRC sees it.

    @ivar members: nick, number, and whether an operator.
    """

    name: str
    place: Place
    topic: str
    members: tuple[tuple[str, int, bool], ...]


class _Taken(Container[str]):
    """
    The names that are somebody's, our user's own ones among them.
    """

    def __init__(self, book: Container[str], own: frozenset[str]) -> None:
        self._book = book
        self._own = own

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._book or fold(name) in self._own)


class User:
    """
    One of them. Their accounts stay signed on when all clients have left.

    @param seconds: the time, in Unix seconds.
    @param romanise: writes Chinese in Latin letters.
    @param links: shows pictures, L{None} for not at all.

    @ivar residents: the accounts, by number.
    @ivar services: what keeps them signed on, likewise.
    """

    def __init__(
        self,
        settings: UserSettings,
        book: Book,
        history: History,
        seconds: Callable[[], float],
        romanise: Romanise | None = None,
        links: Links | None = None,
    ) -> None:
        self._links = links
        self.settings = settings
        self._romanise = romanise
        self.name = settings.name
        self.book = book
        self.residents: dict[int, Resident] = {}
        self.services: dict[int, WebQQService] = {}
        self.screens: list[Screen] = []
        self._history = history
        self._seconds = seconds
        self._taken = _Taken(book, frozenset({fold(self.name), fold(DESK)}))
        self._captchas: list[Deferred[str]] = []
        for account in settings.accounts:
            number = account.account.number
            self.residents[number] = Resident(number, self)

    # ---- clients

    def attach(self, screen: Screen) -> None:
        """
        A client has come: show it what there is, then what it has missed.
        """
        self.screens.append(screen)
        for channel in self.channels():
            screen.showChannel(channel)
        for entry in self._history.missed(self.name, screen.key, 200):
            screen.show(entry)
        self._history.see(self.name, screen.key, self._history.last(self.name))

    def detach(self, screen: Screen) -> None:
        """
        A client has gone.
        """
        if screen in self.screens:
            self.screens.remove(screen)

    def _record(self, entry: Entry, besides: Screen | None = None) -> Entry | None:
        kept = self._history.append(entry)
        if kept is not None:
            for screen in list(self.screens):
                if screen is not besides:
                    screen.show(kept)
                self._history.see(self.name, screen.key, kept.serial)
        return kept

    # ---- names

    def nickOf(self, number: int, name: str) -> str:
        """
        What somebody is called, for ever from the first time on.
        """
        if number in self.residents:
            return self.name
        place = Place(Kind.PERSON, number)
        style = self.settings.style
        return self.book.claim(
            place, lambda _: nickFor(name, number, style, self._taken, self._romanise)
        )

    def placeNamed(self, name: str) -> Place | None:
        """
        Who or what is called so.
        """
        return SERVICE if fold(name) == fold(DESK) else self.book.place(name)

    def rename(self, place: Place, name: str) -> str:
        """
        Call somebody otherwise; what is wrong with that, or C{""}.
        """
        isRoom = place.kind is not Kind.PERSON
        own = (fold(self.name), fold(DESK))
        if fold(name) in own or not (isChannel if isRoom else isNick)(name):
            return f"{name} cannot be taken for that"
        before = self.book.name(place) or ""
        try:
            self.book.rename(place, name)
        except NameTaken as e:
            return str(e)
        for screen in list(self.screens):
            screen.renamed(before, place, name)
        return ""

    # ---- channels

    def channels(self) -> list[Channel]:
        """
        All of them, one for a group that several accounts are in.
        """
        rooms: dict[Place, Room] = {}
        for resident in self.residents.values():
            rooms.update(resident.rooms)
        return [self._channel(room) for room in rooms.values()]

    def channelOf(self, place: Place, name: str = "") -> str:
        """
        What a group or a discussion is called, likewise.
        """
        style = self.settings.style
        return self.book.claim(
            place,
            lambda taken: channelFor(name, place.number, style, taken, self._romanise),
        )

    def _channel(self, room: Room) -> Channel:
        name = self.channelOf(room.place, room.name)
        members = {
            self.nickOf(member.number, member.name): (member.number, member.isAdmin)
            for member in room.members
        }
        topic = " ".join(lines(room.memo))
        return Channel(
            name,
            room.place,
            topic,
            tuple((nick, *who) for nick, who in members.items()),
        )

    def residentOf(self, place: Place) -> Resident | None:
        """
        Which account talks there; one that is signed on before others.
        """
        known = [
            resident
            for resident in self.residents.values()
            if place in resident.rooms
            or (place.kind is Kind.PERSON and place.number in resident.people)
        ]
        known.sort(key=lambda resident: not resident.isOnline)
        return known[0] if known else None

    def statusOf(self, number: int) -> Status | None:
        """
        How a friend appears, L{None} where that is not known.
        """
        for resident in self.residents.values():
            buddy = resident.buddy(number)
            if buddy is not None:
                return buddy.status
        return None

    # ---- saying

    async def say(self, place: Place, text: str, by: Screen) -> Entry | None:
        """
        Say what a client has typed; fails as L{Resident.send}.

        @return: what is kept of it.
        """
        if place == SERVICE:
            await Desk(self, partial(self._answer, by)).do(text)
            return None
        resident = self.residentOf(place)
        if resident is None:
            raise NotSignedOn("none of your accounts knows them")
        await resident.send(place, read(text))
        number = resident.number
        return self._record(self._entry(place, number, number, self.name, text), by)

    def tell(self, text: str) -> None:
        """
        Tell news as the service: also those who are not here now.
        """
        for line in lines(text):
            self._record(self._entry(SERVICE, 0, 0, DESK, line, command="NOTICE"))

    def _answer(self, screen: Screen, text: str) -> None:
        for line in lines(text):
            screen.show(self._entry(SERVICE, 0, 0, DESK, line, command="NOTICE"))

    def _entry(
        self,
        place: Place,
        account: int,
        sender: int,
        nick: str,
        text: str,
        at: int | None = None,
        command: str = "PRIVMSG",
    ) -> Entry:
        now = int((self._seconds() if at is None else at) * 1000)
        return Entry(
            self.name, place, now, Number(account), Number(sender), nick, text, command
        )

    def latest(self, place: Place, count: int) -> list[Entry]:
        """
        What was said there last.
        """
        return self._history.latest(self.name, place, count)

    def listed(self) -> list[str]:
        """
        Everybody, a line each.
        """
        people = [
            f"{self.nickOf(number, buddy.name)}: {number}, {buddy.status.value}"
            for resident in self.residents.values()
            for number in resident.people
            if (buddy := resident.buddy(number)) is not None
        ]
        rooms = [f"{c.name}: {c.place.number}" for c in self.channels()]
        return sorted(people) + sorted(rooms)

    # ---- accounts

    def signOn(self, number: int) -> None:
        """
        Have an account signed on.
        """
        self.services[number].signOn()

    def signOff(self, number: int) -> Deferred[None]:
        """
        Have it signed off, until somebody wants it back.
        """
        return self.services[number].signOff()

    def solve(self, text: str) -> bool:
        """
        Give what somebody has read to whoever waits first.
        """
        if not self._captchas:
            return False
        self._captchas.pop(0).callback(text)
        return True

    # ---- what residents tell

    def captchaRequired(self, resident: Resident, image: bytes) -> Awaitable[str]:
        """
        Ask for a captcha to be read.
        """
        link = self._link(image)
        if link is None:
            self.tell(
                f"{resident.number} cannot be signed on: the server wants a captcha"
                " read, and the gateway has no pictures-listen to show it by"
            )
            return fail(CaptchaUnsolved("nobody could see it"))
        self.tell(f"{resident.number} is asked to read a captcha: {link}")
        self.tell("Answer with: captcha TEXT")
        answer: Deferred[str] = Deferred(self._captchas.remove)
        self._captchas.append(answer)
        return answer

    def _link(self, picture: bytes) -> str | None:
        return self._links.keep(picture) if picture and self._links else None

    def arrived(self, resident: Resident) -> None:
        """
        It is signed on, and everybody is known.
        """
        self.tell(
            f"{resident.number} is signed on: {len(resident.people)} friends,"
            f" {len(resident.rooms)} groups"
        )
        self.changed(resident)

    def changed(self, resident: Resident) -> None:
        """
        It knows others than before, or other things of them.
        """
        for number in resident.people:
            buddy = resident.buddy(number)
            if buddy is not None:
                self.nickOf(number, buddy.name)
        for channel in self.channels():
            for screen in list(self.screens):
                screen.showChannel(channel)

    def lost(self, resident: Resident, reason: str, isForGood: bool) -> None:
        """
        It is not signed on any more.
        """
        then = (
            f"login {resident.number} signs it on again"
            if isForGood
            else "it is being signed on again"
        )
        self.tell(f"{resident.number} has lost its connection ({reason}); {then}")

    def letterReceived(self, resident: Resident, letter: Letter) -> None:
        """
        Somebody wrote.
        """
        place = letter.place
        name = self._nameOf(resident, letter)
        nick = self.nickOf(letter.author, name)
        links = [self._link(picture) or "" for picture in letter.pictures]
        text = shown(letter.content, links)
        origin = f"{letter.author} {letter.time} {crc32(text.encode()):x}"
        entry = self._entry(
            place,
            resident.number,
            letter.author,
            nick,
            text,
            letter.time,
        )
        if place.kind is not Kind.PERSON:
            # Each of our accounts in a group is told.
            entry = replace(entry, origin=origin)
        self._record(entry)

    def _nameOf(self, resident: Resident, letter: Letter) -> str:
        buddy = resident.buddy(letter.author)
        if buddy is not None:
            return buddy.name
        room = resident.rooms.get(letter.place)
        members: Iterable[tuple[int, str]] = (
            ((m.number, m.name) for m in room.members) if room else ()
        )
        return dict(members).get(letter.author, "")

    def appeared(self, resident: Resident, number: int, status: Status) -> None:
        """
        A friend came, went or changed.
        """
        buddy = resident.buddy(number)
        if buddy is not None:
            nick = self.nickOf(number, buddy.name)
            for screen in list(self.screens):
                screen.appeared(nick, number, status)

    def requested(
        self, resident: Resident, number: int, notice: FriendshipNotice
    ) -> None:
        """
        A step of somebody on the way to a friendship.
        """
        if notice.step is FriendshipStep.REQUESTED:
            resident.requests[number] = notice
            self.tell(
                f"{number} wants to be a friend of {resident.number}: {notice.text}"
            )
            self.tell(f"accept {number}, or deny {number}")
            return
        words = f" ({notice.text})" if notice.text else ""
        self.tell(f"{number} {_STEPS[notice.step]}{words}")

    def groupChanged(self, resident: Resident, notice: GroupNotice) -> None:
        """
        A step of somebody into or out of a group.
        """
        where = self.channelOf(Place(Kind.GROUP, notice.number))
        who = f" {notice.memberNumber}" if notice.memberNumber else ""
        words = f" ({notice.text})" if notice.text else ""
        step = notice.step.value.removeprefix("group_").replace("_", " ")
        self.tell(f"{resident.number} in {where}: {step}{who}{words}")
