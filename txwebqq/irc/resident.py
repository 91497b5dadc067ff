"""
A QQ account that is kept signed on for an IRC user, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txwebqq.errors import CaptchaUnsolved, NotSignedOn, SessionExpired, WebQQError
from txwebqq.irc.letters import Letter, LetterProtocol
from txwebqq.irc.places import Kind, Place
from txwebqq.model import (
    Account,
    Buddy,
    Content,
    Did,
    FriendshipNotice,
    Gid,
    Group,
    GroupNotice,
    KickNotice,
    Number,
    RosterChange,
    Status,
    StatusChange,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol


@dataclass(frozen=True, slots=True)
class Member:
    """
    Somebody in a channel.
    """

    number: int
    name: str
    isAdmin: bool
    uin: Uin


@dataclass(frozen=True, slots=True)
class Room:
    """
    A group or a discussion with its members, by numbers.

    @ivar gid: where to send, as this session calls it.
    @ivar memo: the announcement.
    """

    place: Place
    gid: Gid | Did
    name: str
    memo: str
    members: tuple[Member, ...]


class Host(Protocol):
    """
    Whom a resident tells what happens.
    """

    def arrived(self, resident: Resident) -> None:
        """
        It is signed on, and everybody is known.
        """

    def lost(self, resident: Resident, reason: str, isForGood: bool) -> None:
        """
        It is not signed on any more.
        """

    def letterReceived(self, resident: Resident, letter: Letter) -> None:
        """
        Somebody wrote.
        """

    def appeared(self, resident: Resident, number: int, status: Status) -> None:
        """
        A friend came, went or changed.
        """

    def requested(self, resident: Resident, notice: FriendshipNotice) -> None:
        """
        A step on the way to a friendship.
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
    @ivar people: the friends, by number.
    @ivar rooms: the groups and the discussions.
    @ivar requests: those who want to be friends, by number.
    @ivar isTold: whether the user has been told that it is signed on.
    """

    def __init__(self, number: Number, host: Host) -> None:
        self.number = number
        self.people: dict[int, Uin] = {}
        self.rooms: dict[Place, Room] = {}
        self.requests: dict[int, FriendshipNotice] = {}
        self.isTold = False
        self._numbers: dict[Uin, int] = {}
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
        Say something somewhere.

        @return: fires when it was accepted; fails with L{WebQQError}, with
            L{NotSignedOn} also when nobody is known there.
        """

        async def say() -> None:
            online = self.online
            if place.kind is Kind.PERSON and place.number in self.people:
                await online.sendMessage(self.people[place.number], content)
            elif place.kind is Kind.GROUP and place in self.rooms:
                await online.sendGroupMessage(Gid(self.rooms[place].gid), content)
            elif place in self.rooms:
                await online.sendDiscussionMessage(Did(self.rooms[place].gid), content)
            else:
                raise NotSignedOn(f"{self.number} does not know {place.number}")

        return Deferred.fromCoroutine(say())

    async def learn(self, online: WebQQProtocol) -> None:
        """
        Find out who everybody is.
        """
        self._numbers = {}
        people = {}
        for uin in list(online.buddies):
            people[await self._numberOf(online, uin)] = uin
        rooms = {}
        for group in list(online.groups.values()):
            room = await self._room(online, group)
            rooms[room.place] = room
        for discussion in (await online.fetchDiscussions()).discussions:
            room = await self._discussion(online, discussion)
            rooms[room.place] = room
        self.people, self.rooms, self._online = people, rooms, online

    async def _room(self, online: WebQQProtocol, group: Group) -> Room:
        number = await online.fetchGroupNumber(group.code)
        details = await online.fetchGroup(group.code)
        members = [
            Member(
                await self._numberOf(online, member.uin),
                member.name,
                member.isAdmin or member.uin == details.owner,
                member.uin,
            )
            for member in details.members
        ]
        name = details.markname or details.name
        place = Place(Kind.GROUP, number)
        return Room(place, group.gid, name, details.memo, tuple(members))

    async def _discussion(self, online: WebQQProtocol, did: Did) -> Room:
        details = await online.fetchDiscussion(did)
        members = tuple(
            Member(m.number, m.nick, m.uin == details.owner, m.uin)
            for m in details.members
        )
        return Room(Place(Kind.DISCUSSION, did), did, details.name, "", members)

    async def _numberOf(self, online: WebQQProtocol, uin: Uin) -> int:
        if uin not in self._numbers:
            self._numbers[uin] = await online.fetchNumber(uin)
        return self._numbers[uin]

    def numberOf(self, uin: Uin) -> int | None:
        """
        Who that is, as far as anybody has asked.
        """
        return self._numbers.get(uin)

    async def relearn(self, online: WebQQProtocol) -> None:
        """
        The friend list or the groups are otherwise now.
        """
        await self.learn(online)
        self._host.arrived(self)

    def leave(self) -> None:
        """
        Nobody is signed on any more.
        """
        self._online = None


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
        if place.kind is not Kind.PERSON and place not in self._resident.rooms:
            await self._resident.relearn(self)
        self._host.letterReceived(self._resident, letter)

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self._host.captchaRequired(self._resident, image)

    async def signedOn(self) -> None:
        await self._resident.relearn(self)

    def statusChanged(self, change: StatusChange) -> None:
        number = self._resident.numberOf(change.uin)
        if number is not None:
            self._host.appeared(self._resident, number, change.status)

    async def rosterChanged(self, change: RosterChange) -> None:
        await self._resident.relearn(self)

    def friendshipRequested(self, request: FriendshipNotice) -> None:
        self._host.requested(self._resident, request)

    async def groupChanged(self, notice: GroupNotice) -> None:
        self._host.groupChanged(self._resident, notice)
        await self._resident.relearn(self)

    def kicked(self, notice: KickNotice) -> None:
        self._host.lost(self._resident, f"kicked: {notice.reason}", True)

    def connectionLost(self, reason: Failure) -> None:
        wasOnline = self._resident.isOnline
        self._resident.leave()
        if reason.check(SessionExpired):
            if wasOnline:
                self._host.lost(self._resident, "the session has ended", False)
        elif reason.check(WebQQError) and not reason.check(CaptchaUnsolved):
            self._host.lost(self._resident, reason.getErrorMessage(), True)
