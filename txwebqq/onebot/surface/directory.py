"""
Friends, groups and members of one sign-on, by their permanent numbers.

A discussion counts as a group. Where a group has the number of a discussion, the
discussion is left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from twisted.internet.defer import (
    Deferred,
    DeferredLock,
    DeferredSemaphore,
    gatherResults,
)
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from txwebqq.errors import WebQQError
from txwebqq.model import Buddy, Code, Did, Gid, Uin
from txwebqq.protocol import WebQQProtocol

T = TypeVar("T")

MAX_REQUESTS = 4
"""Maximum number of look-ups that are in flight at once."""

FRESH = 300.0
"""Seconds after which the members of a group are fetched again: servers other than ours
do not tell of a new card."""

NO_GROUP = "the account is in no group with this number"


class UnknownContact(WebQQError):
    """
    The account knows nobody with a number, or is in no such group.
    """


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """
    A member of a group or discussion.

    @ivar role: C{owner}, C{admin} or C{member}.
    """

    number: int
    uin: Uin
    nick: str
    card: str = ""
    role: str = "member"
    gender: str = "unknown"
    area: str = ""

    @property
    def name(self) -> str:
        """
        The name to show in the group.
        """
        return self.card or self.nick or str(self.number)


@dataclass(frozen=True, slots=True)
class GroupId:
    """
    A group or discussion that the account is in.

    @ivar id: the did of a discussion, else the gid.
    @ivar code: L{None} for a discussion.
    """

    number: int
    id: Gid | Did
    code: Code | None


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """
    A group or discussion with its members.

    @ivar members: by number.
    @ivar fetched: when it was fetched, by the clock.
    @ivar version: the version of a discussion, 0 for a group.
    """

    id: GroupId
    name: str
    memo: str = ""
    owner: int = 0
    created: int = 0
    members: dict[int, MemberInfo] = field(default_factory=dict)
    fetched: float = 0.0
    version: int = 0

    def named(self, name: str) -> int:
        """
        Return the number of the member with a name, 0 if there is none or several.
        """
        found = [each.number for each in self.members.values() if each.name == name]
        return found[0] if len(found) == 1 else 0


class Directory:
    """
    Finds numbers and members for one sign-on.

    @ivar friends: the uins of the friends by number.
    """

    _log = Logger()

    def __init__(self, protocol: WebQQProtocol, clock: IReactorTime) -> None:
        self._protocol = protocol
        self._clock = clock
        self.friends: dict[int, Uin] = {}
        self._numbers: dict[Uin, int] = {}
        self._lookups: dict[Uin, DeferredLock] = {}
        self._slots = DeferredSemaphore(MAX_REQUESTS)
        self._groups: dict[int, GroupId] = {}
        self._details: dict[int, GroupInfo] = {}

    @property
    def groups(self) -> list[GroupId]:
        """
        The groups and discussions of the account.
        """
        return list(self._groups.values())

    async def load(self) -> None:
        """
        Fetch the numbers of the friends and groups.
        """
        await self.addFriends(list(self._protocol.buddies))
        await self.loadGroups()

    async def loadGroups(self) -> None:
        """
        Fetch the numbers of the groups and the list of the discussions again.
        """
        protocol = self._protocol
        found: dict[int, GroupId] = {}
        groups = list(protocol.groups.values())
        numbers = await self._each(
            lambda group: self._slots.run(protocol.fetchGroupNumber, group.code), groups
        )
        for group, number in zip(groups, numbers, strict=True):
            if number is not None:
                found[number] = GroupId(number, group.gid, group.code)
        listed = await self._tried(protocol.fetchDiscussions())
        for did in listed.discussions if listed else ():
            if did in found:
                self._log.warn(
                    "A discussion has the number of a group and is left out (account"
                    " {account}): {number}.",
                    account=protocol.account.number,
                    number=did,
                )
                continue
            found[did] = GroupId(did, did, None)
        if listed is None:
            found = {**{n: g for n, g in self._groups.items() if not g.code}, **found}
        self._groups = found
        self._details = {n: g for n, g in self._details.items() if n in found}

    async def addFriends(self, uins: Iterable[Uin]) -> list[int]:
        """
        Add friends.

        @return: their numbers.
        """
        each = list(uins)
        numbers = await self._each(self.number, each)
        added = [(n, uin) for n, uin in zip(numbers, each, strict=True) if n]
        for number, uin in added:
            self.friends[number] = uin
        return [number for number, _ in added]

    def removeFriends(self, uins: Iterable[Uin]) -> None:
        """
        Remove friends.
        """
        gone = set(uins)
        self.friends = {n: uin for n, uin in self.friends.items() if uin not in gone}

    def friend(self, number: int) -> Buddy | None:
        """
        Return a friend, L{None} if the account is none.
        """
        uin = self.friends.get(number)
        return None if uin is None else self._protocol.buddies.get(uin)

    async def number(self, uin: Uin) -> int:
        """
        Return the number of an account, which is asked for once.

        @raise WebQQError: when it cannot be fetched.
        """
        if uin == Uin(self._protocol.account.number):
            return uin
        lock = self._lookups.setdefault(uin, DeferredLock())
        await lock.acquire()
        try:
            if uin not in self._numbers:
                number = await self._slots.run(self._protocol.fetchNumber, uin)
                self._numbers[uin] = number
            return self._numbers[uin]
        finally:
            lock.release()
            if not lock.locked:
                self._lookups.pop(uin, None)

    async def numberOr(self, uin: Uin, default: int = 0) -> int:
        """
        Return the number of an account, or C{default} when it cannot be fetched:
        better an event of an unknown account than a lost one.
        """
        if not uin:
            return default
        number = await self._tried(Deferred.fromCoroutine(self.number(uin)))
        return number or default

    def groupNumber(self, place: int) -> int:
        """
        Return the number of the group with a gid or the discussion with a did, 0 if
        the account is not in it.
        """
        return next((g.number for g in self._groups.values() if g.id == place), 0)

    def groupId(self, number: int) -> GroupId:
        """
        Return the ids of a group or discussion.

        @raise UnknownContact: when the account is not in it.
        """
        found = self._groups.get(number)
        if found is None:
            raise UnknownContact(NO_GROUP)
        return found

    async def group(
        self, number: int, isFresh: bool = False, version: int = 0
    ) -> GroupInfo:
        """
        Return a group or discussion with its members.

        @param isFresh: whether to fetch it, though it is known.
        @param version: of a discussion, if it is known.

        @raise UnknownContact: when the account is not in it.
        @raise WebQQError: when it cannot be fetched.
        """
        if number not in self._groups:
            await self.loadGroups()
        ids = self.groupId(number)
        known = self._details.get(number)
        if known is not None and not isFresh and version in (0, known.version):
            age = self._clock.seconds() - known.fetched
            if age < FRESH:
                return known
        try:
            fetched = await self._fetch(ids)
        except WebQQError:
            if known is None or isFresh:
                raise
            return known
        self._details[number] = fetched
        return fetched

    def memberOf(self, group: int, number: int) -> MemberInfo | None:
        """
        Return a member as known, L{None} for one of whom nothing was fetched.
        """
        known = self._details.get(group)
        return None if known is None else known.members.get(number)

    def forget(self, number: int) -> None:
        """
        Fetch a group or discussion again when it is next asked for.
        """
        self._details.pop(number, None)

    def remove(self, number: int) -> None:
        """
        Remove a group or discussion that the account is not in any more.
        """
        self.forget(number)
        self._groups.pop(number, None)

    async def _fetch(self, ids: GroupId) -> GroupInfo:
        now = self._clock.seconds()
        members: dict[int, MemberInfo]
        if ids.code is None:
            discussion = await self._slots.run(
                self._protocol.fetchDiscussion, Did(ids.id)
            )
            members = {
                m.number: MemberInfo(
                    m.number,
                    m.uin,
                    m.nick,
                    role="owner" if m.uin == discussion.owner else "member",
                )
                for m in discussion.members
            }
            for each in members.values():
                self._numbers[each.uin] = each.number
            owner = self._numbers.get(discussion.owner, 0)
            return GroupInfo(
                ids,
                discussion.name,
                "",
                owner,
                0,
                members,
                now,
                version=discussion.version,
            )
        group = await self._slots.run(self._protocol.fetchGroup, ids.code)
        numbers = await self._each(self.number, [m.uin for m in group.members])
        members = {}
        for member, number in zip(group.members, numbers, strict=True):
            if number is None:
                continue
            role = "admin" if member.isAdmin else "member"
            members[number] = MemberInfo(
                number,
                member.uin,
                member.nick,
                member.card,
                "owner" if member.uin == group.owner else role,
                member.gender,
                member.city,
            )
        owner = await self.numberOr(group.owner)
        name, memo, created = group.name, group.memo, group.created
        return GroupInfo(ids, name, memo, owner, created, members, now)

    async def findMember(self, number: int) -> tuple[GroupId, MemberInfo] | None:
        """
        Find a group or discussion that an account is in, groups first.
        """
        for ids in sorted(self.groups, key=lambda each: each.code is None):
            try:
                group = await self.group(ids.number)
            except WebQQError:
                continue
            if number in group.members:
                return ids, group.members[number]
        return None

    async def _each(
        self, fetch: Callable[[T], Awaitable[int]], items: list[T]
    ) -> list[int | None]:
        async def one(item: T) -> int | None:
            return await self._tried(fetch(item))

        return await gatherResults([Deferred.fromCoroutine(one(i)) for i in items])

    async def _tried(self, requested: Awaitable[T]) -> T | None:
        try:
            return await requested
        except WebQQError as e:
            self._log.info(
                "Fetching a contact failed (account {number}): {reason}; it is left"
                " out or stays as it was.",
                number=self._protocol.account.number,
                reason=str(e),
            )
            return None
