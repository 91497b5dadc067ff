"""
A QQ account that is kept signed on for an IRC user, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from twisted.python.failure import Failure

from txwebqq.errors import SessionExpired, WebQQError
from txwebqq.irc.qq.actions import Offices
from txwebqq.irc.qq.messages import Letter, LetterProtocol, Words
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Account,
    Did,
    FriendshipNotice,
    GroupNotice,
    GroupStep,
    Number,
    RosterChange,
    Status,
    StatusChange,
    StrangerMessage,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol


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

    def typing(self, resident: Resident, number: int) -> None:
        """
        A friend is typing.
        """

    def shaken(self, resident: Resident, number: int) -> None:
        """
        A friend shakes our window.
        """

    def gone(self, resident: Resident, target: Target) -> None:
        """
        It is in a group or a discussion no longer.
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

    def asksToJoin(self, resident: Resident, number: int, notice: GroupNotice) -> None:
        """
        Somebody wants to be in a group of ours.
        """

    def captchaRequired(self, resident: Resident, image: bytes) -> Awaitable[str]:
        """
        A captcha has to be read.
        """


class Resident(Offices, WebQQFactory):
    """
    Keeps what outlives a sign-on, and builds the protocol of each.

    @ivar requests: those who want to be friends, by number.
    @ivar applications: those who want to join a group, by number and group, in
        this session.
    """

    def __init__(self, number: Number, host: Host) -> None:
        super().__init__(number)
        self.requests: dict[int, FriendshipNotice] = {}
        self.applications: dict[tuple[int, Target], GroupNotice] = {}
        self._host = host

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        return Residence(self, self._host)

    def changed(self) -> None:
        self._host.changed(self)

    async def enter(self, online: WebQQProtocol) -> None:
        """
        Be signed on, and find out who everybody is: uins and gids are others
        now.
        """
        self._online = online
        self._begin()
        self.applications = {}
        await self.learn()
        if self._online is online:
            self._host.arrived(self)

    def leave(self) -> None:
        """
        Nobody is signed on any more.
        """
        self._online = None
        # Another session calls others so.
        self._numbers = {}


class Residence(LetterProtocol):
    """
    One sign-on of a resident.
    """

    def __init__(self, resident: Resident, host: Host) -> None:
        super().__init__(self._take)
        self._resident = resident
        self._host = host

    async def _authorOf(self, message: Words) -> int:
        known = self._resident.numberOf(message.sender)
        return await super()._authorOf(message) if known is None else known

    async def _take(self, letter: Letter) -> None:
        try:
            await self._visit(letter.target)
        finally:
            self._host.letterReceived(self._resident, letter)

    async def _visit(self, target: Target) -> None:
        """
        Learn of a place where we are all at once.
        """
        resident = self._resident
        if target.kind is TargetKind.PERSON or target in resident.rooms:
            return
        if target.kind is TargetKind.DISCUSSION:
            await resident.learnDiscussion(Did(target.number))
        else:
            await resident.learn()
        resident.changed()

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self._host.captchaRequired(self._resident, image)

    async def signedOn(self) -> None:
        await self._resident.enter(self)

    def statusChanged(self, change: StatusChange) -> None:
        number = self._resident.numberOf(change.uin)
        if number is not None:
            self._host.appeared(self._resident, number, change.status)

    def typingNoticed(self, uin: Uin) -> None:
        number = self._resident.numberOf(uin)
        if number is not None:
            self._host.typing(self._resident, number)

    def windowShaken(self, uin: Uin) -> None:
        number = self._resident.numberOf(uin)
        if number is not None:
            self._host.shaken(self._resident, number)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        self._resident.strangers[message.number] = message
        return super().strangerMessageReceived(message)

    async def rosterChanged(self, change: RosterChange) -> None:
        self._resident.part(change.removed)
        await self._resident.meet(uin for uin, _ in change.added)
        self._resident.changed()

    async def friendshipRequested(self, request: FriendshipNotice) -> None:
        number = request.number or await self._resident.identify(request.uin)
        self._host.requested(self._resident, number, request)

    async def groupChanged(self, notice: GroupNotice) -> None:
        resident = self._resident
        if notice.step is GroupStep.REQUESTED:
            number = notice.memberNumber or await resident.identify(notice.member)
            self._host.asksToJoin(resident, number, notice)
            return
        target = Target(TargetKind.GROUP, notice.number)
        await self._resident.learnGroup(notice.group, notice.number)
        if target in self._resident.rooms:
            self._resident.changed()
        else:
            self._host.gone(self._resident, target)
        # Only now its name is known.
        self._host.groupChanged(resident, notice)

    def connectionLost(self, reason: Failure) -> None:
        wasOnline = self._resident.isOnline
        self._resident.leave()
        self._host.left(self._resident)
        if reason.check(SessionExpired):
            if wasOnline:
                self._host.lost(self._resident, "the session has ended", False)
        elif reason.check(WebQQError):
            self._host.lost(self._resident, reason.getErrorMessage(), True)
