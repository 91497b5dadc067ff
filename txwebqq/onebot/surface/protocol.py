"""
The WebQQ protocol of an account that bots use: its events as those of OneBot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from txwebqq.errors import SessionExpired, WebQQError
from txwebqq.model import (
    Account,
    CardChanged,
    DiscussionMessage,
    FriendshipNotice,
    FriendshipStep,
    GroupEdited,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupWebMessage,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    OfflineFile,
    Reaction,
    RosterChange,
    StrangerMessage,
    Uin,
)
from txwebqq.onebot.surface.account import SurfaceAccount, keepLimited
from txwebqq.onebot.surface.directory import Directory, GroupInfo
from txwebqq.onebot.surface.events.groups import GroupEvents
from txwebqq.onebot.surface.events.interaction import InteractionEvents
from txwebqq.onebot.surface.events.messages import MessageEvents, asOwn
from txwebqq.onebot.surface.handover import (
    Delivery,
    currentDelivery,
    setCurrentDelivery,
)
from txwebqq.onebot.surface.store import Conversation, StoredMessage
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class SurfaceProtocol(WebQQProtocol):
    """
    One sign-on. Events reach the bots in the order of arrival, however long the
    numbers in them take to fetch.

    @ivar directory: the contacts of this sign-on.
    @ivar messages: makes the events of messages.
    @ivar strangers: the last message of each temporary chat, by the sender's number.
    """

    def __init__(self, account: SurfaceAccount) -> None:
        self._account = account
        self.directory = Directory(self, account.clock)
        self.messages = MessageEvents(account, self.directory)
        self._groups = GroupEvents(account, self.directory)
        self._interaction = InteractionEvents(account, self.directory)
        self.strangers: dict[int, StrangerMessage] = {}
        self._order = DeferredLock()
        self._isLost = False
        # Of the events whose own are not made yet.
        self._deliveries: set[Delivery] = set()

    def _inOrder(
        self, make: Callable[[], Coroutine[Deferred[Any], Any, None]]
    ) -> Awaitable[None]:
        """
        Make the events of an event of the server after those of the events before it.
        Until the bots have them the server keeps it; at the end of the sign-on it is
        left to the server if they are not made yet.
        """
        delivery = self._account.handover.begin(self.transport.holdEvent())
        self._deliveries.add(delivery)

        async def run() -> None:
            setCurrentDelivery(delivery)
            if not delivery.isLeft:
                await make()

        def ended(result: Any) -> Any:
            self._deliveries.discard(delivery)
            delivery.arrived()
            return result

        return self._order.run(lambda: Deferred.fromCoroutine(run())).addBoth(ended)

    def signedOn(self) -> object:
        async def load() -> None:
            try:
                await self.directory.load()
                own = await self.fetchSelf()
                self._account.nick = own.nick
            except WebQQError:
                # A bot's call fetches the rest.
                pass
            if not self._isLost:
                self._account.signedOn(self)

        return self._order.run(lambda: Deferred.fromCoroutine(load()))

    def connectionLost(self, reason: Failure) -> None:
        self._isLost = True
        for delivery in self._deliveries:
            delivery.leave()
        self._account.signedOff(self)
        if reason.check(WebQQError) and not reason.check(SessionExpired):
            assert reason.type is not None
            self._account.lost(reason.type.__name__, reason.getErrorMessage())
        elif not reason.check(SessionExpired, ConnectionDone):
            self._account.lost("", "the account was signed off")

    # Messages.

    def messageReceived(self, message: Message) -> object:
        async def receive() -> None:
            number = await self.directory.numberOr(message.sender)
            self._emit(self.messages.private(message, number))

        return self._inOrder(receive)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        async def receive() -> None:
            number = message.number or await self.directory.numberOr(message.sender)
            keepLimited(self.strangers, number, message)
            place = self.directory.groupNumber(message.place)
            group = await self.knownGroup(place) if place else None
            self._emit(self.messages.stranger(message, number, place, group))

        return self._inOrder(receive)

    def groupMessageReceived(self, message: GroupMessage) -> object:
        async def receive() -> None:
            group = await self.knownGroup(message.number)
            author = await self.directory.numberOr(message.sender)
            self._emit(self.messages.group(message, message.number, author, group))

        return self._inOrder(receive)

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        async def receive() -> None:
            did = message.discussion
            group = await self.knownGroup(did, message.version)
            if group is not None and group.id.code is not None:
                # A group with the same number: bots could not tell them apart.
                return
            author = await self.directory.numberOr(message.sender)
            self._emit(self.messages.group(message, did, author, group))

        return self._inOrder(receive)

    def groupShared(self, share: GroupWebMessage) -> object:
        async def receive() -> None:
            number = self.directory.groupNumber(share.group)
            if not number:
                return
            group = await self.knownGroup(number)
            author = await self.directory.numberOr(share.sender)
            self._emit(self.messages.shared(share, number, author, group))

        return self._inOrder(receive)

    def messageSent(self, message: MessageSent) -> object:
        async def receive() -> None:
            group: GroupInfo | None = None
            if message.group:
                kind = "group"
                number = message.number or self.directory.groupNumber(message.group)
                group = await self.knownGroup(number)
            else:
                kind, number = "private", await self.directory.numberOr(message.to)
            conversation: Conversation = kind, number
            stored = self.messages.sentElsewhere(conversation, group, message)
            if self._isLeft:
                return
            if self._account.messages.get(stored.event["message_id"]) is None:
                self.keepSent(stored)

        return self._inOrder(receive)

    def _emit(self, message: StoredMessage) -> None:
        if self._isLeft:
            return
        self._account.messages.keep(message)
        self._account.emit(message.event)

    @property
    def _isLeft(self) -> bool:
        # A message that is kept would be no news when the server gives it again.
        delivery = currentDelivery()
        return delivery is not None and delivery.isLeft

    def keepSent(self, message: StoredMessage) -> int:
        """
        Remember a message of our own, and tell the bots that want to hear of it.

        @return: its id.
        """
        self._account.messages.keep(message)
        self._account.emit(asOwn(message))
        number: int = message.event["message_id"]
        return number

    async def knownGroup(self, number: int, version: int = 0) -> GroupInfo | None:
        """
        Return a group, L{None} when it cannot be fetched.
        """
        try:
            return await self.directory.group(number, version=version)
        except WebQQError:
            return None

    # Notices and requests.

    def typingNoticed(self, uin: Uin) -> object:
        async def receive() -> None:
            number = await self.directory.numberOr(uin)
            self._account.notice(
                "notify",
                sub_type="input_status",
                user_id=number,
                group_id=0,
                event_type=1,
                status_text="对方正在输入...",
            )

        return self._inOrder(receive)

    def windowShaken(self, uin: Uin) -> object:
        return self._inOrder(lambda: self._interaction.shaken(uin))

    def messageRecalled(self, recall: MessageRecalled) -> object:
        return self._inOrder(lambda: self._interaction.recalled(recall))

    def memberMuted(self, mute: MemberMuted) -> object:
        return self._inOrder(lambda: self._interaction.muted(mute))

    def memberPoked(self, poke: MemberPoked) -> object:
        return self._inOrder(lambda: self._interaction.poked(poke))

    def reactionChanged(self, reaction: Reaction) -> object:
        return self._inOrder(lambda: self._interaction.reacted(reaction))

    def groupFileShared(self, file: GroupFile) -> object:
        return self._inOrder(lambda: self._interaction.fileShared(file))

    def friendshipRequested(self, request: FriendshipNotice) -> object:
        async def receive() -> None:
            if request.step is not FriendshipStep.REQUESTED:
                return
            number = request.number or await self.directory.numberOr(request.uin)
            flag = self._account.newFlag()
            keepLimited(self._account.friendRequests, flag, request)
            self._account.emit(
                self._account.event(
                    "request",
                    request_type="friend",
                    user_id=number,
                    comment=request.text,
                    flag=flag,
                )
            )

        return self._inOrder(receive)

    def rosterChanged(self, change: RosterChange) -> object:
        async def receive() -> None:
            self.directory.removeFriends(change.removed)
            added = await self.directory.addFriends(uin for uin, _ in change.added)
            for number in added:
                self._account.notice("friend_add", user_id=number)

        return self._inOrder(receive)

    def offlineFileReceived(self, file: OfflineFile) -> object:
        async def receive() -> None:
            number = await self.directory.numberOr(file.sender)
            self._account.notice(
                "offline_file",
                user_id=number,
                file={"name": file.name, "size": file.size, "url": ""},
            )

        return self._inOrder(receive)

    def groupEdited(self, edit: GroupEdited) -> object:
        return self._inOrder(lambda: self._groups.edited(edit))

    def cardChanged(self, change: CardChanged) -> object:
        return self._inOrder(lambda: self._groups.cardChanged(change))

    def groupChanged(self, notice: GroupNotice) -> object:
        return self._inOrder(lambda: self._groups.changed(notice))


class SurfaceFactory(WebQQFactory):
    """
    Builds the L{SurfaceProtocol} of each sign-on of an account.
    """

    def __init__(self, account: SurfaceAccount) -> None:
        self.account = account

    def buildProtocol(self, account: Account) -> SurfaceProtocol:
        return SurfaceProtocol(self.account)
