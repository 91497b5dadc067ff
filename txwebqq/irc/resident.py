"""
A QQ account that is kept signed on for an IRC user, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import NotSignedOn, SessionExpired, WebQQError
from txwebqq.irc.letters import Letter, LetterProtocol
from txwebqq.irc.places import Kind, Place
from txwebqq.model import (
    Account,
    Buddy,
    Content,
    Did,
    Discussion,
    FriendshipNotice,
    Gid,
    Group,
    GroupNotice,
    Number,
    RosterChange,
    Status,
    StatusChange,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member:
    """
    Somebody in a channel.
    """

    number: int
    name: str
    isAdmin: bool


@dataclass(frozen=True, slots=True)
class Room:
    """
    A group or a discussion with its members, by numbers.

    @ivar memo: the announcement.
    """

    place: Place
    name: str
    memo: str = ""
    members: tuple[Member, ...] = ()


class Host(Protocol):
    """
    Whom a resident tells what happens.
    """

    def arrived(self, resident: Resident) -> None:
        """
        It is signed on, and everybody is known.
        """

    def changed(self, resident: Resident) -> None:
        """
        It knows others than before, or other things of them.
        """

    def left(self, resident: Resident) -> None:
        """
        It is not signed on any more, for whatever reason.
        """

    def lost(self, resident: Resident, reason: str, isForGood: bool) -> None:
        """
        And nobody wanted that.
        """

    def letterReceived(self, resident: Resident, letter: Letter) -> None:
        """
        Somebody wrote.
        """

    def appeared(self, resident: Resident, number: int, status: Status) -> None:
        """
        A friend came, went or changed.
        """

    def requested(
        self, resident: Resident, number: int, notice: FriendshipNotice
    ) -> None:
        """
        A step of somebody on the way to a friendship.
        """

    def groupChanged(self, resident: Resident, notice: GroupNotice) -> None:
        """
        A step of somebody into or out of a group.
        """

    def captchaRequired(self, resident: Resident, image: bytes) -> Awaitable[str]:
        """
        A captcha has to be read.
        """


class Resident(WebQQFactory):
    """
    Keeps what outlives a sign-on, and builds the protocol of each.

    @ivar number: the account's.
    @ivar people: the friends, by number, as the present session calls them.
    @ivar rooms: the groups and the discussions, as far as they are known; they
        stay when the account is signed off.
    @ivar requests: those who want to be friends, by number.
    """

    _log = Logger()

    def __init__(self, number: Number, host: Host) -> None:
        self.number = number
        self.people: dict[int, Uin] = {}
        self.rooms: dict[Place, Room] = {}
        self.requests: dict[int, FriendshipNotice] = {}
        self._numbers: dict[Uin, int] = {}
        self._ids: dict[Place, Gid | Did] = {}
        self._sending = DeferredLock()
        self._host = host
        self._online: WebQQProtocol | None = None

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        return _Residence(self, self._host)

    @property
    def isOnline(self) -> bool:
        """
        Whether words can be sent.
        """
        return self._online is not None

    @property
    def online(self) -> WebQQProtocol:
        """
        The protocol that is signed on.

        @raise NotSignedOn: when none is.
        """
        if self._online is None:
            raise NotSignedOn(f"{self.number} is not signed on")
        return self._online

    def buddy(self, number: int) -> Buddy | None:
        """
        A friend as the list has them now.
        """
        uin = self.people.get(number)
        if uin is None or self._online is None:
            return None
        return self._online.buddies.get(uin)

    def send(self, place: Place, content: Content) -> Deferred[None]:
        """
        Say something somewhere, after all that was to be said before.

        @return: fires when it was accepted; fails with L{WebQQError}, with
            L{NotSignedOn} also when nobody is known there.
        """

        async def say() -> None:
            online = self.online
            if place.kind is Kind.PERSON and place.number in self.people:
                await online.sendMessage(self.people[place.number], content)
            elif place not in self._ids:
                raise NotSignedOn(f"{self.number} does not know {place.number}")
            elif place.kind is Kind.GROUP:
                await online.sendGroupMessage(Gid(self._ids[place]), content)
            else:
                await online.sendDiscussionMessage(Did(self._ids[place]), content)

        return self._sending.run(lambda: Deferred.fromCoroutine(say()))

    async def enter(self, online: WebQQProtocol) -> None:
        """
        Be signed on, and find out who everybody is: uins and gids are others
        now.
        """
        self._online = online
        self._numbers, self.people, self._ids = {}, {}, {}
        await self.learn()
        if self._online is online:
            self._host.arrived(self)

    def leave(self) -> None:
        """
        Nobody is signed on any more.
        """
        self._online = None

    async def learn(self) -> None:
        """
        Find out who is in the lists. What the server does not tell is left
        out, or as it was.
        """
        online = self.online
        people: dict[int, Uin] = {}
        rooms: dict[Place, Room] = {}
        ids: dict[Place, Gid | Did] = {}
        for uin in list(online.buddies):
            number = await self._tried(self.identify(uin))
            if number is not None:
                people[number] = uin
        for group in list(online.groups.values()):
            number = await self._tried(online.fetchGroupNumber(group.code))
            if number is not None:
                place = Place(Kind.GROUP, number)
                ids[place] = group.gid
                rooms[place] = await self._room(online, place, group)
        discussions = await self._tried(online.fetchDiscussions())
        for did, known in (discussions.discussions if discussions else {}).items():
            place = Place(Kind.DISCUSSION, did)
            ids[place] = did
            rooms[place] = await self._discussion(online, place, known)
        if self._online is online:
            self.people, self.rooms, self._ids = people, rooms, ids

    async def relearn(self) -> None:
        """
        The lists are otherwise now.
        """
        if self.isOnline:
            await self.learn()
            self._host.changed(self)

    async def _room(self, online: WebQQProtocol, place: Place, group: Group) -> Room:
        name = group.markname or group.name
        details = await self._tried(online.fetchGroup(group.code))
        if details is None:
            return self.rooms.get(place, Room(place, name))
        members = []
        for member in details.members:
            number = await self._tried(self.identify(member.uin))
            if number is not None:
                isAdmin = member.isAdmin or member.uin == details.owner
                members.append(Member(number, member.name, isAdmin))
        return Room(place, name, details.memo, tuple(members))

    async def _discussion(
        self, online: WebQQProtocol, place: Place, known: Discussion
    ) -> Room:
        details = await self._tried(online.fetchDiscussion(known.did))
        if details is None:
            return self.rooms.get(place, Room(place, known.name))
        members = tuple(
            Member(m.number, m.nick, m.uin == details.owner) for m in details.members
        )
        return Room(place, details.name, "", members)

    async def _tried(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except WebQQError as e:
            self._log.info(
                "{number} was not told something: {reason}.",
                number=self.number,
                reason=str(e),
            )
            return None

    async def identify(self, uin: Uin) -> int:
        """
        Who that is; asked once in a session. Fails with L{WebQQError}.
        """
        if uin not in self._numbers:
            self._numbers[uin] = await self.online.fetchNumber(uin)
        return self._numbers[uin]

    def numberOf(self, uin: Uin) -> int | None:
        """
        Who that is, as far as anybody has asked.
        """
        return self._numbers.get(uin)


class _Residence(LetterProtocol):
    """
    One sign-on of a resident.
    """

    def __init__(self, resident: Resident, host: Host) -> None:
        super().__init__(self._take)
        self._resident = resident
        self._host = host

    async def _take(self, letter: Letter) -> None:
        place = letter.place
        try:
            if place.kind is not Kind.PERSON and place not in self._resident.rooms:
                await self._resident.relearn()
        finally:
            self._host.letterReceived(self._resident, letter)

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self._host.captchaRequired(self._resident, image)

    async def signedOn(self) -> None:
        await self._resident.enter(self)

    def statusChanged(self, change: StatusChange) -> None:
        number = self._resident.numberOf(change.uin)
        if number is not None:
            self._host.appeared(self._resident, number, change.status)

    async def rosterChanged(self, change: RosterChange) -> None:
        await self._resident.relearn()

    async def friendshipRequested(self, request: FriendshipNotice) -> None:
        number = request.number or await self._resident.identify(request.uin)
        self._host.requested(self._resident, number, request)

    async def groupChanged(self, notice: GroupNotice) -> None:
        self._host.groupChanged(self._resident, notice)
        await self._resident.relearn()

    def connectionLost(self, reason: Failure) -> None:
        wasOnline = self._resident.isOnline
        self._resident.leave()
        self._host.left(self._resident)
        if reason.check(SessionExpired):
            if wasOnline:
                self._host.lost(self._resident, "the session has ended", False)
        elif reason.check(WebQQError):
            self._host.lost(self._resident, reason.getErrorMessage(), True)
