"""
The WebQQ protocol of a L{QQAccount}: replaces the session ids of events by
permanent numbers and passes the events on to the account's listener.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from txwebqq.errors import CaptchaUnsolved, SessionExpired, WebQQError
from txwebqq.interfaces import IEventHold
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.messages import PICTURES, AnyMessage, IncomingMessage, messageKey
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Account,
    CardChanged,
    Did,
    DiscussionMessage,
    FriendshipNotice,
    GroupEdited,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupStep,
    JoinRequestAnswered,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    OfflineFile,
    Reaction,
    RosterChange,
    Segment,
    StatusChange,
    StrangerMessage,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class AccountProtocol(WebQQProtocol):
    """
    One sign-on of an account. Messages are delivered in the order of arrival,
    however long their senders and pictures take to fetch.
    """

    def __init__(self, account: QQAccount) -> None:
        self._account = account
        self._contacts = account.contacts
        self._listener = account.listener
        self._order = DeferredLock()
        # Of the events that are not delivered yet.
        self._holds: set[IEventHold] = set()
        self._isOver = False

    async def signedOn(self) -> None:
        account, contacts = self._account, self._contacts
        contacts.sessionStarted(self)
        account.joinRequests = {}
        await contacts.fetchAll()
        if contacts.isSession(self):
            self._listener.signedOn(account)

    def connectionLost(self, reason: Failure) -> None:
        account, listener = self._account, self._listener
        self._isOver = True
        for hold in self._holds:
            hold.notDelivered()
        wasOnline = account.isOnline
        self._contacts.sessionEnded()
        listener.signedOff(account)
        if reason.check(SessionExpired):
            if wasOnline:
                listener.connectionLost(account, "the session has ended", False)
        elif reason.check(WebQQError):
            # After a captcha that was not solved the service signs on again.
            isForGood = reason.check(CaptchaUnsolved) is None
            listener.connectionLost(account, reason.getErrorMessage(), isForGood)

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self._listener.captchaRequired(self._account, image)

    def messageReceived(self, message: Message) -> object:
        return self._receive(TargetKind.CONTACT, 0, message)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        self._contacts.temporaryChats[message.number] = message
        return self._receive(TargetKind.CONTACT, 0, message)

    def groupMessageReceived(self, message: GroupMessage) -> object:
        return self._receive(TargetKind.GROUP, message.number, message)

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        return self._receive(TargetKind.DISCUSSION, message.discussion, message)

    def _receive(
        self, kind: TargetKind, number: int, message: AnyMessage
    ) -> Deferred[None] | None:
        author = self._contacts.numberOf(message.sender)
        pictures = [each for each in message.content if isinstance(each, PICTURES)]
        if author is not None and not pictures and not self._order.locked:
            target = Target(kind, author if kind is TargetKind.CONTACT else number)
            if self._isKnown(target):
                self._deliver(target, author, message)
                return None
        if isinstance(message, GroupMessage | DiscussionMessage):
            self._listener.incompleteMessageReceived(
                self._account, Target(kind, number), message
            )

        async def complete(hold: IEventHold) -> None:
            author = await self._authorOf(message)
            target = Target(kind, author if kind is TargetKind.CONTACT else number)
            images = [await self._pictureOf(message, picture) for picture in pictures]
            try:
                if not self._isKnown(target):
                    await self._fetchConversation(target)
            finally:
                if not self._isLeft(hold):
                    self._deliver(target, author, message, tuple(images))

        return self._inOrder(complete)

    def _inOrder(
        self, complete: Callable[[IEventHold], Coroutine[Any, Any, None]]
    ) -> Deferred[None]:
        """
        Complete an event after those before it. Until then the server keeps the event,
        and gives it again after the next sign-on, in this process or the next one, if
        this sign-on ends before.

        @param complete: a function that completes and delivers the event, unless it is
            left to the server by then (L{_isLeft}).
        """
        hold = self.transport.holdEvent()
        self._holds.add(hold)

        async def run() -> None:
            if not self._isLeft(hold):
                await complete(hold)

        def completed(result: object) -> object:
            self._holds.discard(hold)
            hold.delivered()
            return result

        completing = self._order.run(lambda: Deferred.fromCoroutine(run()))
        return completing.addBoth(completed)

    def _isLeft(self, hold: IEventHold) -> bool:
        """
        Whether an event is not delivered, since the sign-on is over and the server
        gives it again. Better a message of an unknown sender than a lost one.
        """
        return self._isOver and hold.isKept

    def _deliver(
        self,
        target: Target,
        author: int,
        message: AnyMessage,
        pictures: tuple[bytes, ...] = (),
    ) -> None:
        incoming = IncomingMessage(
            target,
            author,
            message.content,
            message.font,
            message.time,
            messageKey(message),
            pictures,
            getattr(message, "sequence", 0),
            message.id,
        )
        self._listener.messageReceived(self._account, incoming)

    async def _authorOf(self, message: AnyMessage) -> int:
        known = self._contacts.numberOf(message.sender)
        if known is not None:
            return known
        if isinstance(message, StrangerMessage):
            return message.number
        try:
            return await self.fetchNumber(message.sender)
        except WebQQError:
            # Better a message of an unknown sender than a lost message.
            return 0

    async def _pictureOf(self, message: AnyMessage, segment: Segment) -> bytes:
        if isinstance(message, StrangerMessage):
            return b""
        try:
            picture = await self.fetchPicture(message, segment)
        except (WebQQError, ValueError):
            return b""
        return bytes(picture)

    def _isKnown(self, target: Target) -> bool:
        isContact = target.kind is TargetKind.CONTACT
        return isContact or target in self._contacts.conversations

    async def _fetchConversation(self, target: Target) -> None:
        if target.kind is TargetKind.DISCUSSION:
            await self._contacts.fetchDiscussion(Did(target.number))
        else:
            await self._contacts.fetchAll()
        self._account.contactsChanged()

    def messageSent(self, message: MessageSent) -> object:
        account = self._account

        def deliver(to: int) -> None:
            isGroup = bool(message.group)
            target = (
                Target(TargetKind.GROUP, message.number)
                if isGroup
                else Target(TargetKind.CONTACT, to)
            )
            self._listener.messageSent(
                account,
                IncomingMessage(
                    target,
                    account.number,
                    message.content,
                    message.font,
                    message.time,
                    messageKey(message),
                    id=message.id,
                ),
            )

        return self._report(deliver, message.to)

    def messageRecalled(self, recall: MessageRecalled) -> object:
        account = self._account

        def deliver(sender: int, operator: int) -> None:
            if recall.group:
                target = Target(TargetKind.GROUP, recall.number)
            elif sender == account.number:
                target = None
            else:
                target = Target(TargetKind.CONTACT, sender)
            self._listener.messageRecalled(account, target, operator, recall.id)

        return self._report(deliver, recall.sender, recall.operator)

    def memberMuted(self, mute: MemberMuted) -> object:
        target = Target(TargetKind.GROUP, mute.number)

        def deliver(member: int, operator: int) -> None:
            # A member whose number could not be fetched is not all members.
            if member or not mute.member:
                self._listener.memberMuted(
                    self._account, target, member, operator, mute.seconds
                )

        return self._report(deliver, mute.member, mute.operator)

    def memberPoked(self, poke: MemberPoked) -> object:
        target = Target(TargetKind.GROUP, poke.number)

        def deliver(sender: int, poked: int) -> None:
            self._listener.memberPoked(self._account, target, sender, poked, poke.time)

        return self._report(deliver, poke.sender, poke.target)

    def reactionChanged(self, reaction: Reaction) -> object:
        target = Target(TargetKind.GROUP, reaction.number)

        def deliver(sender: int) -> None:
            self._listener.reactionChanged(self._account, target, sender, reaction)

        return self._report(deliver, reaction.sender)

    def groupFileShared(self, file: GroupFile) -> object:
        target = Target(TargetKind.GROUP, file.number)

        def deliver(sender: int) -> None:
            self._listener.groupFileShared(self._account, target, sender, file)

        return self._report(deliver, file.sender)

    def groupEdited(self, edit: GroupEdited) -> object:
        target = Target(TargetKind.GROUP, edit.number)

        def deliver() -> None:
            group = self.groups.get(edit.group)
            name = None if group is None else group.markname or group.name
            if self._contacts.edit(target, name, edit.memo):
                self._account.contactsChanged()

        return self._report(deliver)

    def cardChanged(self, change: CardChanged) -> object:
        target = Target(TargetKind.GROUP, change.number)

        async def update(hold: IEventHold) -> None:
            number = await self._fetchedNumber(change.member)
            if change.card and number:
                self._contacts.rename(target, number, change.card)
            else:
                # The nick takes the place of the card.
                await self._contacts.fetchGroup(change.group, change.number)
            self._account.contactsChanged()

        return self._inOrder(update)

    def joinRequestAnswered(self, answer: JoinRequestAnswered) -> object:
        def deliver(operator: int) -> None:
            self._listener.joinAnswered(self._account, operator, answer)

        return self._report(deliver, answer.operator)

    def offlineFileReceived(self, file: OfflineFile) -> object:
        def deliver(sender: int) -> None:
            self._listener.offlineFileReceived(self._account, sender, file)

        return self._report(deliver, file.sender)

    def _report(
        self, deliver: Callable[..., None], *uins: Uin
    ) -> Deferred[None] | None:
        """
        Call a function with the numbers of some accounts, after the messages and
        events before it were delivered: at once, if all numbers are known. The
        number of uin 0, and one that cannot be fetched, is 0.
        """
        numbers = [self._knownNumber(uin) for uin in uins]
        if None not in numbers and not self._order.locked:
            deliver(*numbers)
            return None

        async def complete(hold: IEventHold) -> None:
            fetched = [await self._fetchedNumber(uin) for uin in uins]
            if not self._isLeft(hold):
                deliver(*fetched)

        return self._inOrder(complete)

    def _knownNumber(self, uin: Uin) -> int | None:
        # The number of an account is its own uin.
        isKnown = uin in (0, self._account.number)
        return int(uin) if isKnown else self._contacts.numberOf(uin)

    async def _fetchedNumber(self, uin: Uin) -> int:
        known = self._knownNumber(uin)
        if known is not None:
            return known
        try:
            return await self.fetchNumber(uin)
        except WebQQError:
            return 0

    def statusChanged(self, change: StatusChange) -> None:
        number = self._contacts.numberOf(change.uin)
        if number is not None:
            self._listener.presenceChanged(self._account, number, change.status)

    def typingNoticed(self, uin: Uin) -> None:
        number = self._contacts.numberOf(uin)
        if number is not None:
            self._listener.typingNoticed(self._account, number)

    def windowShaken(self, uin: Uin) -> None:
        number = self._contacts.numberOf(uin)
        if number is not None:
            self._listener.windowShaken(self._account, number)

    async def rosterChanged(self, change: RosterChange) -> None:
        self._contacts.removeFriends(change.removed)
        await self._contacts.addFriends(uin for uin, _ in change.added)
        self._account.contactsChanged()

    def friendshipRequested(self, request: FriendshipNotice) -> object:
        async def complete(hold: IEventHold) -> None:
            number = request.number or await self._contacts.fetchNumber(request.uin)
            if not self._isLeft(hold):
                self._listener.friendshipChanged(self._account, number, request)

        return self._inOrder(complete)

    def groupChanged(self, notice: GroupNotice) -> object:
        if notice.step is GroupStep.INVITED:
            # The account is no member, so there is no group to fetch.
            return None
        return self._inOrder(lambda hold: self._groupChanged(notice, hold))

    async def _groupChanged(self, notice: GroupNotice, hold: IEventHold) -> None:
        account, contacts, listener = self._account, self._contacts, self._listener
        if notice.step is GroupStep.REQUESTED:
            number = notice.memberNumber or await contacts.fetchNumber(notice.member)
            if not self._isLeft(hold):
                listener.joinRequested(account, number, notice)
            return
        target = Target(TargetKind.GROUP, notice.number)
        await contacts.fetchGroup(notice.group, notice.number)
        if self._isLeft(hold):
            return
        if target in contacts.conversations:
            account.contactsChanged()
        else:
            listener.leftGroup(account, target)
        # After the fetch, because listeners need the name of a new group.
        listener.groupChanged(account, notice)


class AccountFactory(WebQQFactory):
    """
    Builds the L{AccountProtocol} of each sign-on of an account.
    """

    def __init__(self, account: QQAccount) -> None:
        self._account = account

    def buildProtocol(self, account: Account) -> AccountProtocol:
        return AccountProtocol(self._account)
