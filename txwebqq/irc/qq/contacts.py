"""
Whom a QQ account knows, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from twisted.internet.defer import (
    Deferred,
    DeferredLock,
    DeferredSemaphore,
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

ASKING = 10
"""How many questions are asked at once."""


@dataclass(frozen=True, slots=True)
class Member:
    """
    Somebody in a channel.
    """

    number: int
    name: str
    isAdmin: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """
    A group or a discussion with its members, by numbers.

    @ivar memo: the announcement.
    """

    target: Target
    name: str
    memo: str = ""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class _SessionIds:
    """
    What the present session calls a room and its members.

    @ivar code: a group's; L{None} for a discussion.
    """

    id: Gid | Did
    code: Code | None
    uins: dict[int, Uin]


class ContactDirectory:
    """
    What outlives a session is by number; what the session calls it is learned
    after each sign-on.

    @ivar number: the account's.
    @ivar people: the friends, by number, as the present session calls them.
    @ivar conversations: the groups and the discussions, as far as they are known; they
        stay when the account is signed off.
    @ivar strangers: those who are no friends and wrote in this session.
    """

    _log = Logger()

    def __init__(self, number: Number) -> None:
        self.number = number
        self.people: dict[int, Uin] = {}
        self.conversations: dict[Target, Conversation] = {}
        self.strangers: dict[int, StrangerMessage] = {}
        self._numbers: dict[Uin, Number] = {}
        self._sessionIds: dict[Target, _SessionIds] = {}
        self._online: WebQQProtocol | None = None
        self._begin()

    def _begin(self) -> None:
        self._numbers, self.people, self.strangers = {}, {}, {}
        self._sessionIds = {}
        self._asked: dict[Uin, DeferredLock] = {}
        self._questions = DeferredSemaphore(ASKING)
        self._groups = DeferredSemaphore(ASKING)

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

    def knows(self, target: Target) -> bool:
        """
        Whether one can talk there, when the account is signed on.
        """
        if target.kind is TargetKind.PERSON:
            return target.number in self.people or target.number in self.strangers
        return target in self.conversations

    def sharesGroupWith(self, number: int) -> bool:
        """
        Whether somebody is in a group or a discussion with us.
        """
        return any(number in each.uins for each in self._sessionIds.values())

    def idOf(self, target: Target) -> Gid | Did:
        """
        What the session calls a room.

        @raise NotSignedOn: when it calls it nothing.
        """
        return self._addressOf(target).id

    def codeOf(self, target: Target) -> Code:
        """
        What a group's details are asked by; likewise.
        """
        code = self._addressOf(target).code
        if code is None:
            raise NotSignedOn(f"{target.number} is no group")
        return code

    def _addressOf(self, target: Target) -> _SessionIds:
        ids = self._sessionIds.get(target)
        if ids is None or self._online is None:
            raise NotSignedOn(f"{self.number} does not know {target.number}")
        return ids

    def memberOf(self, target: Target, number: int) -> Uin | None:
        """
        What the session calls a member of a room.
        """
        return self._addressOf(target).uins.get(number)

    def sharedGroup(self, number: int) -> tuple[Target, Uin] | None:
        """
        A room that somebody is in with us; groups come before discussions.
        """
        found = [p for p, each in self._sessionIds.items() if number in each.uins]
        found.sort(key=lambda target: target.kind)
        return (found[0], self._sessionIds[found[0]].uins[number]) if found else None

    # ---- finding out

    async def learn(self) -> None:
        """
        Find out who is in the lists. What the server does not tell is left
        out, or as it was.
        """
        online = self.online
        await self.addFriends(online.buddies)
        known = await gatherResults(
            [self._learned(self._learnGroup, g) for g in online.groups.values()]
        )
        found = await self._tried(self._ask(online.fetchDiscussions))
        known += await gatherResults(
            [
                self._learned(self.learnDiscussion, did)
                for did in (found.discussions if found else ())
            ]
        )
        if self._online is online and found is not None:
            self.conversations = {
                p: self.conversations[p]
                for p in known
                if p is not None and p in self.conversations
            }

    def _learned(
        self, learn: Callable[[T], Awaitable[Target | None]], what: T
    ) -> Deferred[Target | None]:
        async def learned() -> Target | None:
            return await learn(what)

        return self._groups.run(lambda: Deferred.fromCoroutine(learned()))

    async def addFriends(self, uins: Iterable[Uin]) -> None:
        """
        Friends are in the list.
        """
        people = self.people
        for number, uin in (await self._identified(uins)).items():
            people[number] = uin

    def removeFriends(self, uins: Iterable[Uin]) -> None:
        """
        They are not any more.
        """
        for uin in uins:
            number = self._numbers.get(uin)
            if number is not None:
                self.people.pop(number, None)

    async def _identified(self, uins: Iterable[Uin]) -> dict[int, Uin]:
        each = list(uins)
        asked = [Deferred.fromCoroutine(self._tried(self.identify(u))) for u in each]
        numbers = await gatherResults(asked)
        pairs = zip(numbers, each, strict=True)
        return {number: uin for number, uin in pairs if number is not None}

    async def learnGroup(self, gid: Gid, number: Number) -> None:
        """
        A group has changed, begun or ended.
        """
        group = self.online.groups.get(gid)
        if group is not None:
            await self._learnGroup(group)
        else:
            self.forget(Target(TargetKind.GROUP, number))

    def forget(self, target: Target) -> None:
        """
        We are not there any more.
        """
        self.conversations.pop(target, None)
        self._sessionIds.pop(target, None)

    async def _learnGroup(self, group: Group) -> Target | None:
        online, code = self.online, group.code
        number = await self._tried(self._ask(lambda: online.fetchGroupNumber(code)))
        if number is None:
            return None
        target = Target(TargetKind.GROUP, number)
        details = await self._tried(self._ask(lambda: online.fetchGroup(code)))
        name = group.markname or (details.name if details else group.name)
        if details is None:
            conversation = self.conversations.get(target, Conversation(target, name))
            self._enter(online, conversation, _SessionIds(group.gid, code, {}))
            return target
        uins = await self._identified(member.uin for member in details.members)
        numbers = {uin: number for number, uin in uins.items()}
        members = tuple(
            Member(numbers[m.uin], m.name, m.isAdmin or m.uin == details.owner)
            for m in details.members
            if m.uin in numbers
        )
        conversation = Conversation(target, name, details.memo, members)
        self._enter(online, conversation, _SessionIds(group.gid, code, uins))
        return target

    async def learnDiscussion(self, did: Did) -> Target | None:
        """
        A discussion has changed or begun.
        """
        online = self.online
        target = Target(TargetKind.DISCUSSION, did)
        details = await self._tried(self._ask(lambda: online.fetchDiscussion(did)))
        if details is None:
            known = online.discussions.get(did)
            conversation = self.conversations.get(
                target, Conversation(target, known.name if known else "")
            )
            self._enter(online, conversation, _SessionIds(did, None, {}))
            return target
        members = tuple(
            Member(m.number, m.nick, m.uin == details.owner) for m in details.members
        )
        uins: dict[int, Uin] = {m.number: m.uin for m in details.members}
        # Its name is all that it says of itself.
        conversation = Conversation(target, details.name, details.name, members)
        self._enter(online, conversation, _SessionIds(did, None, uins))
        return target

    def _enter(
        self, online: WebQQProtocol, conversation: Conversation, ids: _SessionIds
    ) -> None:
        # What was asked in another session is not true in this one.
        if self._online is online:
            self.conversations[conversation.target] = conversation
            self._sessionIds[conversation.target] = ids

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

    def _ask(self, question: Callable[[], Deferred[T]]) -> Deferred[T]:
        return self._questions.run(question)

    def identify(self, uin: Uin) -> Deferred[Number]:
        """
        Who that is; asked once in a session. Fails with L{WebQQError}.
        """
        numbers, asked = self._numbers, self._asked
        lock = asked.setdefault(uin, DeferredLock())

        async def find() -> Number:
            if uin not in numbers:
                numbers[uin] = await self._ask(lambda: self.online.fetchNumber(uin))
            return numbers[uin]

        def done(result: T) -> T:
            if not lock.locked:
                asked.pop(uin, None)
            return result

        return lock.run(lambda: Deferred.fromCoroutine(find())).addBoth(done)

    def numberOf(self, uin: Uin) -> int | None:
        """
        Who that is, as far as anybody has asked.
        """
        return self._numbers.get(uin)
