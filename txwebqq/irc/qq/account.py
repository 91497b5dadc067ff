"""
A QQ account that is kept signed on for an IRC user, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from twisted.python.failure import Failure

from txwebqq.errors import SessionExpired, WebQQError
from txwebqq.irc.qq.actions import AccountActions
from txwebqq.irc.qq.messages import IncomingMessage, MessageProtocol, Words
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


class AccountListener(Protocol):
    """
    Whom a resident tells what happens.
    """

    def signedOn(self, account: QQAccount) -> None:
        """
        It is signed on, and everybody is known.
        """

    def changed(self, account: QQAccount) -> None:
        """
        It knows others than before, or other things of them.
        """

    def signedOff(self, account: QQAccount) -> None:
        """
        It is not signed on any more, for whatever reason.
        """

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        """
        And nobody wanted that.
        """

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Somebody wrote.
        """

    def presenceChanged(self, account: QQAccount, number: int, status: Status) -> None:
        """
        A friend came, went or changed.
        """

    def typing(self, account: QQAccount, number: int) -> None:
        """
        A friend is typing.
        """

    def shaken(self, account: QQAccount, number: int) -> None:
        """
        A friend shakes our window.
        """

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        It is in a group or a discussion no longer.
        """

    def friendshipRequested(
        self, account: QQAccount, number: int, notice: FriendshipNotice
    ) -> None:
        """
        A step of somebody on the way to a friendship.
        """

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        """
        A step of somebody into or out of a group.
        """

    def joinRequested(
        self, account: QQAccount, number: int, notice: GroupNotice
    ) -> None:
        """
        Somebody wants to be in a group of ours.
        """

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        """
        A captcha has to be read.
        """


class QQAccount(AccountActions, WebQQFactory):
    """
    Keeps what outlives a sign-on, and builds the protocol of each.

    @ivar requests: those who want to be friends, by number.
    @ivar applications: those who want to join a group, by number and group, in
        this session.
    """

    def __init__(self, number: Number, listener: AccountListener) -> None:
        super().__init__(number)
        self.requests: dict[int, FriendshipNotice] = {}
        self.applications: dict[tuple[int, Target], GroupNotice] = {}
        self._listener = listener

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        return AccountProtocol(self, self._listener)

    def changed(self) -> None:
        self._listener.changed(self)

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
            self._listener.signedOn(self)

    def leave(self) -> None:
        """
        Nobody is signed on any more.
        """
        self._online = None
        # Another session calls others so.
        self._numbers = {}


class AccountProtocol(MessageProtocol):
    """
    One sign-on of a resident.
    """

    def __init__(self, account: QQAccount, listener: AccountListener) -> None:
        super().__init__(self._take)
        self._account = account
        self._listener = listener

    async def _authorOf(self, message: Words) -> int:
        known = self._account.numberOf(message.sender)
        return await super()._authorOf(message) if known is None else known

    async def _take(self, message: IncomingMessage) -> None:
        try:
            await self._visit(message.target)
        finally:
            self._listener.messageReceived(self._account, message)

    async def _visit(self, target: Target) -> None:
        """
        Learn of a place where we are all at once.
        """
        account = self._account
        if target.kind is TargetKind.PERSON or target in account.conversations:
            return
        if target.kind is TargetKind.DISCUSSION:
            await account.learnDiscussion(Did(target.number))
        else:
            await account.learn()
        account.changed()

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self._listener.captchaRequired(self._account, image)

    async def signedOn(self) -> None:
        await self._account.enter(self)

    def statusChanged(self, change: StatusChange) -> None:
        number = self._account.numberOf(change.uin)
        if number is not None:
            self._listener.presenceChanged(self._account, number, change.status)

    def typingNoticed(self, uin: Uin) -> None:
        number = self._account.numberOf(uin)
        if number is not None:
            self._listener.typing(self._account, number)

    def windowShaken(self, uin: Uin) -> None:
        number = self._account.numberOf(uin)
        if number is not None:
            self._listener.shaken(self._account, number)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        self._account.strangers[message.number] = message
        return super().strangerMessageReceived(message)

    async def rosterChanged(self, change: RosterChange) -> None:
        self._account.removeFriends(change.removed)
        await self._account.addFriends(uin for uin, _ in change.added)
        self._account.changed()

    async def friendshipRequested(self, request: FriendshipNotice) -> None:
        number = request.number or await self._account.identify(request.uin)
        self._listener.friendshipRequested(self._account, number, request)

    async def groupChanged(self, notice: GroupNotice) -> None:
        account = self._account
        if notice.step is GroupStep.REQUESTED:
            number = notice.memberNumber or await account.identify(notice.member)
            self._listener.joinRequested(account, number, notice)
            return
        target = Target(TargetKind.GROUP, notice.number)
        await self._account.learnGroup(notice.group, notice.number)
        if target in self._account.conversations:
            self._account.changed()
        else:
            self._listener.leftGroup(self._account, target)
        # Only now its name is known.
        self._listener.groupChanged(account, notice)

    def connectionLost(self, reason: Failure) -> None:
        wasOnline = self._account.isOnline
        self._account.leave()
        self._listener.signedOff(self._account)
        if reason.check(SessionExpired):
            if wasOnline:
                self._listener.connectionLost(
                    self._account, "the session has ended", False
                )
        elif reason.check(WebQQError):
            self._listener.connectionLost(self._account, reason.getErrorMessage(), True)
