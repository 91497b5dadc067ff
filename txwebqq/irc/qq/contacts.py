"""
Friends, groups and discussions of one QQ account, keyed by permanent number.

Session ids (uin, gid, code) change at every sign-on and are fetched again after
each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from twisted.internet.defer import (
    Deferred,
    DeferredLock,
    DeferredSemaphore,
    FirstError,
    gatherResults,
)
from twisted.logger import Logger

from txwebqq.errors import NotSignedOn, WebQQError
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Buddy,
    Code,
    Did,
    Gid,
    Group,
    Number,
    StrangerMessage,
    Uin,
)
from txwebqq.protocol import WebQQProtocol

T = TypeVar("T")
R = TypeVar("R")

MAX_REQUESTS = 4
"""Maximum number of requests that are in flight at once. More would hardly be
answered faster, and each takes memory and perhaps a connection."""

MAX_CONVERSATIONS = 2
"""Maximum number of groups and discussions that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Member:
    """
    A member of a group or discussion.

    @ivar number: the permanent number.
    """

    number: int
    name: str
    isAdmin: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """
    A group or discussion with its members.

    @ivar memo: the announcement of a group, the name of a discussion.
    """

    target: Target
    name: str
    memo: str = ""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class _SessionIds:
    """
    The session ids of a group or discussion and of its members.

    @ivar code: the group code; C{None} for a discussion.
    @ivar uins: the members' uins by number.
    """

    id: Gid | Did
    code: Code | None
    uins: dict[int, Uin]


class ContactDirectory:
    """
    The contacts of one account: C{sessionStarted} and C{sessionEnded} mark the
    sign-ons, the C{fetch} methods ask the server.

    @ivar number: the account's number.
    @ivar friends: uins of the friends by number.
    @ivar conversations: groups and discussions that are known; kept while the
        account is signed off.
    @ivar temporaryChats: the last message of each temporary chat of this
        session, by the sender's number.
    """

    _log = Logger()

    def __init__(self, number: Number) -> None:
        self.number = number
        self.conversations: dict[Target, Conversation] = {}
        self._protocol: WebQQProtocol | None = None
        self._reset()

    def _reset(self) -> None:
        self.friends: dict[int, Uin] = {}
        self.temporaryChats: dict[int, StrangerMessage] = {}
        self._numbers: dict[Uin, Number] = {}
        self._sessionIds: dict[Target, _SessionIds] = {}
        self._lookups: dict[Uin, DeferredLock] = {}
        self._requestSlots = DeferredSemaphore(MAX_REQUESTS)

    def sessionStarted(self, protocol: WebQQProtocol) -> None:
        """
        Use a protocol that has signed on, and drop the ids of the last session.
        """
        self._protocol = protocol
        self._reset()

    def sessionEnded(self) -> None:
        """
        Drop the protocol.
        """
        self._protocol = None
        # The next session gives these uins to other accounts.
        self._numbers = {}

    def isSession(self, protocol: WebQQProtocol) -> bool:
        """
        Return whether a protocol is the one that is signed on now.
        """
        return self._protocol is protocol

    @property
    def isOnline(self) -> bool:
        """
        Whether the account is signed on.
        """
        return self._protocol is not None

    @property
    def online(self) -> WebQQProtocol:
        """
        The protocol that is signed on.

        @raise NotSignedOn: when the account is not signed on.
        """
        if self._protocol is None:
            raise NotSignedOn(f"{self.number} is not signed on")
        return self._protocol

    def friend(self, number: int) -> Buddy | None:
        """
        Return a friend as the friend list has it now, C{None} while signed off.
        """
        uin = self.friends.get(number)
        if uin is None or self._protocol is None:
            return None
        return self._protocol.buddies.get(uin)

    def friendName(self, number: int) -> str | None:
        """
        Return the private name of a friend, or else the nick; C{""} for a friend
        who has neither, L{None} for no friend.
        """
        # Not Buddy.name, which is an id of the session then.
        buddy = self.friend(number)
        return None if buddy is None else buddy.markname or buddy.nick

    def knows(self, target: Target) -> bool:
        """
        Return whether messages can be sent to a target while the account is
        signed on.
        """
        if target.kind is TargetKind.CONTACT:
            return target.number in self.friends or target.number in self.temporaryChats
        return target in self.conversations

    def numberOf(self, uin: Uin) -> int | None:
        """
        Return the number of a uin if it has been fetched in this session.
        """
        return self._numbers.get(uin)

    def sessionIdOf(self, target: Target) -> Gid | Did:
        """
        Return the session id of a group or discussion.

        @raise NotSignedOn: when the session has no id for it.
        """
        return self._idsOf(target).id

    def codeOf(self, target: Target) -> Code:
        """
        Return the group code of a group.

        @raise NotSignedOn: when the session has none for it.
        """
        code = self._idsOf(target).code
        if code is None:
            raise NotSignedOn(f"{target.number} is not a group")
        return code

    def memberUin(self, target: Target, number: int) -> Uin | None:
        """
        Return the uin of a member of a group or discussion.

        @raise NotSignedOn: when the session has no id for the conversation.
        """
        return self._idsOf(target).uins.get(number)

    def _idsOf(self, target: Target) -> _SessionIds:
        ids = self._sessionIds.get(target)
        if ids is None or self._protocol is None:
            raise NotSignedOn(f"{self.number} does not know {target.number}")
        return ids

    def sharesGroupWith(self, number: int) -> bool:
        """
        Return whether an account is a member of a group or discussion of ours.
        """
        return any(number in each.uins for each in self._sessionIds.values())

    def sharedGroup(self, number: int) -> tuple[Target, Uin] | None:
        """
        Return a group or discussion of ours that an account is a member of, and
        its uin there; groups come before discussions.
        """
        found = [t for t, each in self._sessionIds.items() if number in each.uins]
        found.sort(key=lambda target: target.kind)
        return (found[0], self._sessionIds[found[0]].uins[number]) if found else None

    async def fetchAll(self) -> None:
        """
        Fetch the friends' numbers and all groups and discussions. A group or
        discussion that cannot be fetched stays as it was.
        """
        online = self.online
        await self.addFriends(online.buddies)
        fetched = await _each(
            self._fetchGroup, list(online.groups.values()), MAX_CONVERSATIONS
        )
        listed = await self._tried(self._request(online.fetchDiscussions))
        dids = list(listed.discussions) if listed else []
        fetched += await _each(self.fetchDiscussion, dids, MAX_CONVERSATIONS)
        if self._protocol is online and listed is not None:
            self.conversations = {
                target: self.conversations[target]
                for target in fetched
                if target is not None and target in self.conversations
            }

    async def fetch(self, target: Target) -> None:
        """
        Fetch a known group or discussion again.

        @raise NotSignedOn: when the session has no id for it.
        """
        if target.kind is TargetKind.GROUP:
            gid = Gid(self.sessionIdOf(target))
            await self.fetchGroup(gid, Number(target.number))
        else:
            await self.fetchDiscussion(Did(target.number))

    async def fetchGroup(self, gid: Gid, number: Number) -> None:
        """
        Fetch a group that has changed; remove it when the group list does not
        have it any more.
        """
        group = self.online.groups.get(gid)
        if group is not None:
            await self._fetchGroup(group)
        else:
            self.remove(Target(TargetKind.GROUP, number))

    async def _fetchGroup(self, group: Group) -> Target | None:
        online, code = self.online, group.code
        number = await self._tried(self._request(lambda: online.fetchGroupNumber(code)))
        if number is None:
            return None
        target = Target(TargetKind.GROUP, number)
        details = await self._tried(self._request(lambda: online.fetchGroup(code)))
        name = group.markname or (details.name if details else group.name)
        if details is None:
            conversation = self.conversations.get(target, Conversation(target, name))
            self._set(online, conversation, _SessionIds(group.gid, code, {}))
            return target
        uins = await self._numbered(member.uin for member in details.members)
        numbers = {uin: number for number, uin in uins.items()}
        members = tuple(
            Member(
                numbers[m.uin], m.card or m.nick, m.isAdmin or m.uin == details.owner
            )
            for m in details.members
            if m.uin in numbers
        )
        conversation = Conversation(target, name, details.memo, members)
        self._set(online, conversation, _SessionIds(group.gid, code, uins))
        return target

    async def fetchDiscussion(self, did: Did) -> Target | None:
        """
        Fetch a discussion that is new or has changed.
        """
        online = self.online
        target = Target(TargetKind.DISCUSSION, did)
        details = await self._tried(self._request(lambda: online.fetchDiscussion(did)))
        if details is None:
            known = online.discussions.get(did)
            conversation = self.conversations.get(
                target, Conversation(target, known.name if known else "")
            )
            self._set(online, conversation, _SessionIds(did, None, {}))
            return target
        members = tuple(
            Member(m.number, m.nick, m.uin == details.owner) for m in details.members
        )
        uins: dict[int, Uin] = {m.number: m.uin for m in details.members}
        # A discussion has no announcement, so its name stands for one.
        conversation = Conversation(target, details.name, details.name, members)
        self._set(online, conversation, _SessionIds(did, None, uins))
        return target

    def edit(self, target: Target, name: str | None, memo: str | None) -> bool:
        """
        Set the name and the announcement of a known group; L{None} leaves one as it
        is.

        @return: whether the group is known.
        """
        known = self.conversations.get(target)
        if known is None:
            return False
        self.conversations[target] = replace(
            known,
            name=known.name if name is None else name,
            memo=known.memo if memo is None else memo,
        )
        return True

    def rename(self, target: Target, number: int, name: str) -> None:
        """
        Set the name of a member of a known group.
        """
        known = self.conversations.get(target)
        if known is None:
            return
        members = tuple(
            replace(member, name=name) if member.number == number else member
            for member in known.members
        )
        self.conversations[target] = replace(known, members=members)

    async def fetchAnnouncements(self) -> bool:
        """
        Fetch the announcements of all groups, of whose changes servers other than
        ours tell nobody.
        An empty answer leaves an announcement as it was, since it may mean that
        the server does not know the group.

        @return: whether one has changed.
        """
        groups = [each for each in self._sessionIds if each.kind is TargetKind.GROUP]
        changes = await _each(self._fetchAnnouncement, groups, MAX_CONVERSATIONS)
        return any(changes)

    async def _fetchAnnouncement(self, target: Target) -> Target | None:
        """
        Fetch the announcement of a group.

        @return: the group if it has another announcement now.
        """

        async def fetched() -> str:
            code = self.codeOf(target)
            return await self._request(lambda: self.online.fetchGroupNotice(code))

        memo = await self._tried(fetched())
        conversation = self.conversations.get(target)
        if not memo or conversation is None or conversation.memo == memo:
            return None
        self.conversations[target] = replace(conversation, memo=memo)
        return target

    def _set(
        self, online: WebQQProtocol, conversation: Conversation, ids: _SessionIds
    ) -> None:
        # A reply to another session's request has ids of that session.
        if self._protocol is online:
            self.conversations[conversation.target] = conversation
            self._sessionIds[conversation.target] = ids

    def remove(self, target: Target) -> None:
        """
        Remove a group or discussion that the account is not in any more.
        """
        self.conversations.pop(target, None)
        self._sessionIds.pop(target, None)

    async def addFriends(self, uins: Iterable[Uin]) -> None:
        """
        Add friends, fetching their numbers.
        """
        friends = self.friends
        for number, uin in (await self._numbered(uins)).items():
            friends[number] = uin

    def removeFriends(self, uins: Iterable[Uin]) -> None:
        """
        Remove friends.
        """
        for uin in uins:
            number = self._numbers.get(uin)
            if number is not None:
                self.friends.pop(number, None)

    async def _numbered(self, uins: Iterable[Uin]) -> dict[int, Uin]:
        async def numberOf(uin: Uin) -> Number | None:
            known = self._numbers.get(uin)
            return known or await self._tried(self.fetchNumber(uin))

        each = list(uins)
        numbers = await _each(numberOf, each, MAX_REQUESTS)
        pairs = zip(numbers, each, strict=True)
        return {number: uin for number, uin in pairs if number is not None}

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        """
        Fetch the number of a uin, at most once in a session.

        @return: fires with the number; fails with L{WebQQError}.
        """
        numbers, lookups = self._numbers, self._lookups
        lock = lookups.setdefault(uin, DeferredLock())

        async def find() -> Number:
            if uin not in numbers:
                numbers[uin] = await self._request(lambda: self.online.fetchNumber(uin))
            return numbers[uin]

        def done(result: T) -> T:
            if not lock.locked:
                lookups.pop(uin, None)
            return result

        return lock.run(lambda: Deferred.fromCoroutine(find())).addBoth(done)

    def _request(self, request: Callable[[], Deferred[T]]) -> Deferred[T]:
        return self._requestSlots.run(request)

    async def _tried(self, requested: Awaitable[T]) -> T | None:
        try:
            return await requested
        except WebQQError as e:
            self._log.info(
                "Fetching a contact failed (account {number}): {reason};"
                " it is left out or stays as it was.",
                number=self.number,
                reason=str(e),
            )
            return None


async def _each(
    fetch: Callable[[T], Awaitable[R]], items: Collection[T], limit: int
) -> list[R]:
    """
    Fetch each of some items, at most C{limit} at once.

    @return: the results in the order of the items.

    @raise NotSignedOn: when the session has ended meanwhile.
    """
    results: dict[int, R] = {}
    rest = enumerate(items)

    async def work() -> None:
        for position, item in rest:
            results[position] = await fetch(item)

    workers = [Deferred.fromCoroutine(work()) for _ in range(min(limit, len(items)))]
    try:
        await gatherResults(workers, consumeErrors=True)
    except FirstError as e:
        # When the session has ended, callers expect that error itself.
        e.subFailure.raiseException()
    return [results[position] for position in range(len(items))]
