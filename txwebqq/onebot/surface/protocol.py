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
    DISSOLVED,
    OWNER_CHANGED,
    REMOVED,
    Account,
    Content,
    DiscussionMessage,
    FriendshipNotice,
    FriendshipStep,
    GroupMessage,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
    Message,
    OfflineFile,
    PastMessage,
    RosterChange,
    Sent,
    StrangerMessage,
    Uin,
)
from txwebqq.onebot.surface.account import SurfaceAccount, keepLimited
from txwebqq.onebot.surface.directory import Directory, GroupInfo, MemberInfo
from txwebqq.onebot.surface.segments import messageOf, pictureName, segmentsOf
from txwebqq.onebot.surface.store import Conversation, StoredMessage
from txwebqq.protocol import WebQQFactory, WebQQProtocol

JOIN_STEPS = (GroupStep.JOINED, GroupStep.AGREED, GroupStep.CREATED)


class SurfaceProtocol(WebQQProtocol):
    """
    One sign-on. Events reach the bots in the order of arrival, however long the
    numbers in them take to fetch.

    @ivar directory: the contacts of this sign-on.
    @ivar strangers: the last message of each temporary chat, by the sender's number.
    """

    def __init__(self, account: SurfaceAccount) -> None:
        self._account = account
        self.directory = Directory(self, account.clock)
        self.strangers: dict[int, StrangerMessage] = {}
        self._order = DeferredLock()
        self._isLost = False

    def _inOrder(
        self, make: Callable[[], Coroutine[Deferred[Any], Any, None]]
    ) -> Awaitable[None]:
        async def unlessLost() -> None:
            if not self._isLost:
                await make()

        return self._order.run(lambda: Deferred.fromCoroutine(unlessLost()))

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

        return self._inOrder(load)

    def connectionLost(self, reason: Failure) -> None:
        self._isLost = True
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
            self._emit(self.privateMessage(message, number))

        return self._inOrder(receive)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        async def receive() -> None:
            number = message.number or await self.directory.numberOr(message.sender)
            self.strangers[number] = message
            self._emit(await self._strangerMessage(message, number))

        return self._inOrder(receive)

    def groupMessageReceived(self, message: GroupMessage) -> object:
        async def receive() -> None:
            group = await self.knownGroup(message.number)
            author = await self.directory.numberOr(message.sender)
            self._emit(self.groupMessage(message, message.number, author, group))

        return self._inOrder(receive)

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        async def receive() -> None:
            did = message.discussion
            group = await self.knownGroup(did, message.version)
            if group is not None and group.id.code is not None:
                # A group with the same number: bots could not tell them apart.
                return
            author = await self.directory.numberOr(message.sender)
            self._emit(self.groupMessage(message, did, author, group))

        return self._inOrder(receive)

    def groupShared(self, share: GroupWebMessage) -> object:
        async def receive() -> None:
            ids = [g for g in self.directory.groups if g.id == share.group]
            if not ids:
                return
            group = await self.knownGroup(ids[0].number)
            author = await self.directory.numberOr(share.sender)
            now = int(self._account.clock.seconds())
            segments = [{"type": "xml", "data": {"data": share.markup}}]
            identity = ("share", ids[0].number, share.messageId, share.messageId2)
            event = self._groupEvent(
                self._account.messages.idOf(*identity),
                now,
                ids[0].number,
                author,
                group,
                segments,
            )
            self._emit(StoredMessage(("group", ids[0].number), event))

        return self._inOrder(receive)

    def _emit(self, message: StoredMessage) -> None:
        self._account.messages.keep(message)
        self._account.emit(message.event)

    async def knownGroup(self, number: int, version: int = 0) -> GroupInfo | None:
        """
        Return a group, L{None} when it cannot be fetched.
        """
        try:
            return await self.directory.group(number, version=version)
        except WebQQError:
            return None

    def privateMessage(self, message: Message, number: int) -> StoredMessage:
        """
        Make the event of a message from a friend.
        """
        for segment in message.content:
            if name := pictureName(segment):
                self._account.pictures.keep(name, message, segment)
        conversation = "private", number
        identity = self._identity(
            conversation, number, message.time, message.content, message.id
        )
        event = self.privateEvent(identity, message.time, number, number)
        event |= messageOf(segmentsOf(message.content))
        return StoredMessage(conversation, event)

    def privateEvent(
        self, messageId: int, time: int, author: int, peer: int
    ) -> dict[str, Any]:
        """
        Make the event of a message with a friend, without the message.
        """
        buddy = self.directory.friend(author)
        nick = buddy.nick if buddy else ""
        if author == self.account.number:
            nick = self._account.nick
        return {
            **self._event(messageId, time, author),
            "message_type": "private",
            "sub_type": "friend",
            "target_id": peer,
            "sender": {
                "user_id": author,
                "nickname": nick,
                "card": buddy.markname if buddy else "",
                "sex": "unknown",
                "age": 0,
            },
        }

    async def _strangerMessage(
        self, message: StrangerMessage, number: int
    ) -> StoredMessage:
        place = next((g for g in self.directory.groups if g.id == message.place), None)
        group = await self.knownGroup(place.number) if place else None
        member = group.members.get(number) if group else None
        conversation = "private", number
        identity = self._identity(
            conversation, number, message.time, message.content, message.id
        )
        event = self.privateEvent(identity, message.time, number, number)
        event["sub_type"] = "group"
        event["group_id"] = event["temp_source"] = place.number if place else 0
        event["sender"] |= {
            "nickname": member.nick if member else "",
            "group_id": event["group_id"],
        }
        event |= messageOf(segmentsOf(message.content))
        return StoredMessage(conversation, event)

    def groupMessage(
        self,
        message: GroupMessage | DiscussionMessage,
        number: int,
        author: int,
        group: GroupInfo | None,
    ) -> StoredMessage:
        """
        Make the event of a message in a group or discussion.
        """
        for segment in message.content:
            if name := pictureName(segment):
                self._account.pictures.keep(name, message, segment)
        conversation = "group", number
        identity = self._identity(
            conversation, author, message.time, message.content, message.id
        )
        segments = segmentsOf(message.content, group.named if group else _nobody)
        event = self._groupEvent(
            identity, message.time, number, author, group, segments
        )
        event["real_seq"] = str(message.sequence)
        return StoredMessage(conversation, event, message.sequence)

    def pastMessage(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        author: int,
        message: PastMessage,
    ) -> StoredMessage:
        """
        Make the event of a message of the history.
        """
        messages, (kind, number) = self._account.messages, conversation
        time, content = message.time, message.content
        identity = None
        if author == self.account.number and not message.id:
            identity = messages.sentId(conversation, content, time)
        if identity is None:
            identity = self._identity(conversation, author, time, content, message.id)
        if kind == "group":
            segments = segmentsOf(content, group.named if group else _nobody)
            event = self._groupEvent(identity, time, number, author, group, segments)
            event["real_seq"] = str(message.sequence)
        else:
            event = self.privateEvent(identity, time, author, number)
            event |= messageOf(segmentsOf(content))
        return StoredMessage(conversation, event, message.sequence)

    def _identity(
        self,
        conversation: Conversation,
        author: int,
        time: int,
        content: Content,
        wireId: int,
    ) -> int:
        # Servers that give no ids say 0, or always 1.
        own = wireId if wireId > 1 else content
        return self._account.messages.idOf(conversation, author, time, own)

    def _event(self, messageId: int, time: int, author: int) -> dict[str, Any]:
        return {
            "time": time,
            "self_id": self.account.number,
            "post_type": "message",
            "message_id": messageId,
            "message_seq": messageId,
            "real_id": messageId,
            "user_id": author,
            "font": 0,
        }

    def _groupEvent(
        self,
        messageId: int,
        time: int,
        number: int,
        author: int,
        group: GroupInfo | None,
        segments: list[dict[str, Any]],
    ) -> dict[str, Any]:
        member = group.members.get(author) if group else None
        if member is None:
            member = MemberInfo(author, Uin(0), "")
        return {
            **self._event(messageId, time, author),
            "message_type": "group",
            "sub_type": "normal",
            "anonymous": None,
            "group_id": number,
            "group_name": group.name if group else "",
            "sender": {
                "user_id": author,
                "nickname": member.nick,
                "card": member.card,
                "sex": member.gender,
                "age": 0,
                "area": member.area,
                "level": "",
                "role": member.role,
                "title": "",
            },
            **messageOf(segments),
        }

    def sentMessage(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        segments: list[dict[str, Any]],
        content: Content,
        sent: Sent,
    ) -> int:
        """
        Remember a message that was just sent.

        @param sent: the server's answer.

        @return: its id.
        """
        own, messages = self.account.number, self._account.messages
        time = sent.time or int(self._account.clock.seconds())
        if sent.time and sent.messageId > 1:
            number = self._identity(conversation, own, time, content, sent.messageId)
        else:
            number = messages.ownId(conversation, content, time)
        kind, peer = conversation
        if kind == "group":
            event = self._groupEvent(number, time, peer, own, group, segments)
        else:
            event = {
                **self.privateEvent(number, time, own, peer),
                **messageOf(segments),
            }
        messages.keep(StoredMessage(conversation, event))
        return number

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
        async def receive() -> None:
            number = await self.directory.numberOr(uin)
            self._account.notice(
                "notify",
                sub_type="poke",
                user_id=number,
                sender_id=number,
                target_id=self.account.number,
            )

        return self._inOrder(receive)

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

    def groupChanged(self, notice: GroupNotice) -> object:
        return self._inOrder(lambda: self._groupChanged(notice))

    async def _groupChanged(self, notice: GroupNotice) -> None:
        directory, own = self.directory, self.account.number
        number, step = notice.number, notice.step
        member = notice.memberNumber or await directory.numberOr(notice.member, own)
        admin = await directory.numberOr(notice.admin)
        directory.forget(number)
        if step is GroupStep.REQUESTED:
            flag = self._account.newFlag()
            keepLimited(self._account.joinRequests, flag, notice)
            self._account.emit(
                self._account.event(
                    "request",
                    request_type="group",
                    sub_type="add",
                    group_id=number,
                    user_id=member,
                    comment=notice.text,
                    flag=flag,
                )
            )
        elif step in JOIN_STEPS:
            if step is not GroupStep.JOINED:
                member = own
            if member == own:
                await directory.loadGroups()
            self._account.notice(
                "group_increase",
                sub_type="approve",
                group_id=number,
                user_id=member,
                operator_id=admin,
            )
        elif step is GroupStep.LEFT:
            how = "leave"
            if notice.operation == DISSOLVED:
                how, member = "disband", own
            elif notice.operation == REMOVED:
                how = "kick_me" if member == own else "kick"
            if member == own:
                directory.remove(number)
            self._account.notice(
                "group_decrease",
                sub_type=how,
                group_id=number,
                user_id=member,
                operator_id=admin or (member if how == "leave" else 0),
            )
        elif step is GroupStep.ADMIN and notice.operation != OWNER_CHANGED:
            self._account.notice(
                "group_admin",
                sub_type="set" if notice.operation % 2 else "unset",
                group_id=number,
                user_id=member,
            )


def _nobody(name: str) -> int:
    return 0


class SurfaceFactory(WebQQFactory):
    """
    Builds the L{SurfaceProtocol} of each sign-on of an account.
    """

    def __init__(self, account: SurfaceAccount) -> None:
        self.account = account

    def buildProtocol(self, account: Account) -> SurfaceProtocol:
        return SurfaceProtocol(self.account)
