"""
Actions of a QQ account in its conversations, addressed by permanent number.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import NotSignedOn, RequestRefused
from txwebqq.irc.qq.contacts import ContactDirectory
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Content,
    Did,
    Face,
    Font,
    Gid,
    PastMessage,
    Sent,
    Text,
    Uin,
)
from txwebqq.outbox.detection import SentDetection
from txwebqq.outbox.recipients import toDiscussion, toGroup
from txwebqq.requests.messages import DEFAULT_FONT


class AccountActions:
    """
    Sends messages and changes groups and discussions for one account.

    Each method fails with L{WebQQError <txwebqq.errors.WebQQError>}: with
    L{NotSignedOn} also when the account does not know the target.

    @param changed: called after an action has changed a conversation.
    """

    def __init__(self, contacts: ContactDirectory, changed: Callable[[], None]) -> None:
        self._contacts = contacts
        self._changed = changed
        self._sending = DeferredLock()
        # Of the present session.
        self._detection: SentDetection | None = None

    @property
    def detection(self) -> SentDetection:
        """
        Asks the server for messages whose answer is lost.

        @raise NotSignedOn: when the account is not signed on.
        """
        online = self._contacts.online
        if self._detection is None or self._detection.protocol is not online:
            self._detection = SentDetection(online)
        return self._detection

    def send(
        self,
        target: Target,
        content: Content,
        font: Font = DEFAULT_FONT,
        sendId: str = "",
    ) -> Deferred[Sent]:
        """
        Send a message after all messages that were given before.

        @param sendId: the id by which the server recognises the message when it is sent
            again, C{""} for none. Only messages to groups and discussions have one;
            they fail with L{MessageTooLong<txwebqq.errors.MessageTooLong>} when they
            are too long to be sent in one part.

        @return: fires with the message's id when the server has accepted it.
        """
        return self._sending.run(self._send, target, content, font, sendId)

    def _send(
        self, target: Target, content: Content, font: Font, sendId: str
    ) -> Deferred[Sent]:
        contacts = self._contacts
        online = contacts.online
        if sendId:
            return self._sendWithId(target, content, font, sendId)
        if target.kind is TargetKind.GROUP:
            gid = Gid(contacts.sessionIdOf(target))
            return online.sendGroupMessage(gid, content, font)
        if target.kind is TargetKind.DISCUSSION:
            did = Did(contacts.sessionIdOf(target))
            return online.sendDiscussionMessage(did, content, font)
        uin = contacts.friends.get(target.number)
        if uin is not None:
            return online.sendMessage(uin, content, font)
        return Deferred.fromCoroutine(
            self._sendInTemporaryChat(target.number, content, font)
        )

    def _sendWithId(
        self, target: Target, content: Content, font: Font, sendId: str
    ) -> Deferred[Sent]:
        contacts = self._contacts
        if target.kind is TargetKind.GROUP:
            gid = Gid(contacts.sessionIdOf(target))
            make = toGroup(gid, contacts.codeOf(target), font, sendId)
            return contacts.online.sendTo(("group", gid), content, make, "refuse")
        did = Did(contacts.sessionIdOf(target))
        make = toDiscussion(did, font, sendId)
        return contacts.online.sendTo(("discussion", did), content, make, "refuse")

    async def _sendInTemporaryChat(
        self, number: int, content: Content, font: Font
    ) -> Sent:
        contacts = self._contacts
        message = contacts.temporaryChats.get(number)
        if message is not None:
            return await contacts.online.answerStranger(message, content, font)
        shared = contacts.sharedGroup(number)
        if shared is None:
            raise NotSignedOn(f"{contacts.number} does not know {number}")
        target, uin = shared
        if target.kind is TargetKind.GROUP:
            gid = Gid(contacts.sessionIdOf(target))
            return await contacts.online.sendStrangerMessage(
                uin, content, group=gid, font=font
            )
        did = Did(contacts.sessionIdOf(target))
        return await contacts.online.sendStrangerMessage(
            uin, content, discussion=did, font=font
        )

    async def fetchRecent(self, target: Target) -> list[tuple[int | None, PastMessage]]:
        """
        Fetch the last messages of a group or discussion, each with its sender's
        number where that is known.
        """
        contacts = self._contacts
        if target.kind is TargetKind.DISCUSSION:
            did = Did(contacts.sessionIdOf(target))
            history = await contacts.online.fetchDiscussionHistory(did)
        else:
            history = await contacts.online.fetchGroupHistory(contacts.codeOf(target))
        return [(contacts.numberOf(m.sender), m) for m in history.messages]

    async def sendTyping(self, number: int) -> None:
        """
        Tell a friend that we are typing.
        """
        await self._contacts.online.sendTyping(self._friend(number))

    async def shakeWindow(self, number: int) -> None:
        """
        Shake a friend's window.
        """
        await self._contacts.online.shakeWindow(self._friend(number))

    def _friend(self, number: int) -> Uin:
        uin = self._contacts.friends.get(number)
        if uin is None:
            raise NotSignedOn(f"{number} is not a friend of {self._contacts.number}")
        return uin

    async def recall(self, target: Target, messageId: int) -> None:
        """
        Recall a message: one that we have sent to a friend or in a group, or any in
        a group that we administer.

        @param messageId: the id of the message in its conversation.
        """
        online = self._contacts.online
        if target.kind is TargetKind.CONTACT:
            await online.recallMessage(self._friend(target.number), messageId)
        else:
            await online.recallGroupMessage(self._gid(target), messageId)

    async def react(
        self, target: Target, messageId: int, face: Face | Text, isSet: bool = True
    ) -> None:
        """
        React to a message in a group, or take a reaction back.

        @param messageId: as for L{recall}.
        """
        gid = self._gid(target)
        await self._contacts.online.setReaction(gid, messageId, face, isSet)

    async def poke(self, target: Target, number: int) -> None:
        """
        Poke a member of a group.
        """
        gid = self._gid(target)
        await self._contacts.online.pokeMember(gid, self._member(target, number))

    async def mute(self, target: Target, number: int, seconds: int) -> None:
        """
        Mute a member of a group.

        @param seconds: the length of the mute; 0 ends it.
        """
        self._gid(target)
        code, uin = self._contacts.codeOf(target), self._member(target, number)
        await self._contacts.online.muteMember(code, uin, seconds)

    async def muteAll(self, target: Target, isMuted: bool) -> None:
        """
        Mute all members of a group but the owner and administrators, or end that.
        """
        self._gid(target)
        await self._contacts.online.muteGroup(self._contacts.codeOf(target), isMuted)

    def _gid(self, target: Target) -> Gid:
        if target.kind is not TargetKind.GROUP:
            raise RequestRefused(0, "only groups have this")
        return Gid(self._contacts.sessionIdOf(target))

    def _member(self, target: Target, number: int) -> Uin:
        contacts = self._contacts
        if number == contacts.number:
            return Uin(number)
        uin = contacts.memberUin(target, number)
        if uin is None:
            raise NotSignedOn(f"{number} is not a member of the group")
        return uin

    async def setTopic(self, target: Target, text: str) -> None:
        """
        Change a group's announcement, or a discussion's name.
        """
        contacts = self._contacts
        if target.kind is TargetKind.GROUP:
            await contacts.online.editGroup(contacts.codeOf(target), notice=text)
        else:
            did = Did(contacts.sessionIdOf(target))
            await contacts.online.renameDiscussion(did, text)
        await self.refresh(target)

    async def kick(self, target: Target, number: int) -> None:
        """
        Remove a member from a group. Discussions have no such request.
        """
        contacts = self._contacts
        uin = contacts.memberUin(target, number)
        if target.kind is not TargetKind.GROUP or uin is None:
            raise RequestRefused(0, "members of a discussion cannot be removed")
        await contacts.online.removeMember(contacts.codeOf(target), uin)
        await self.refresh(target)

    async def setAdmin(self, target: Target, number: int, granted: bool) -> None:
        """
        Make a group member an administrator, or an ordinary member again.
        """
        contacts = self._contacts
        uin = contacts.memberUin(target, number)
        if target.kind is not TargetKind.GROUP or uin is None:
            raise RequestRefused(0, "discussions have no administrators")
        await contacts.online.setAdmin(contacts.codeOf(target), uin, granted)
        await self.refresh(target)

    async def invite(self, target: Target, number: int) -> None:
        """
        Add a friend, or a member of a group of ours, to a discussion.
        """
        contacts = self._contacts
        did = Did(contacts.sessionIdOf(target))
        shared = contacts.sharedGroup(number)
        if number in contacts.friends:
            await contacts.online.inviteToDiscussion(did, [contacts.friends[number]])
        elif shared is not None and shared[0].kind is TargetKind.GROUP:
            member = (shared[1], Gid(contacts.sessionIdOf(shared[0])))
            await contacts.online.inviteToDiscussion(did, members=[member])
        else:
            raise NotSignedOn(f"{contacts.number} does not know {number}")
        await self.refresh(target)

    async def leave(self, target: Target) -> None:
        """
        Leave a group or discussion.
        """
        contacts = self._contacts
        if target.kind is TargetKind.GROUP:
            await contacts.online.leaveGroup(contacts.codeOf(target))
        else:
            await contacts.online.leaveDiscussion(Did(contacts.sessionIdOf(target)))
        contacts.remove(target)

    async def refresh(self, target: Target) -> None:
        """
        Fetch a group or discussion again and announce the change.
        """
        await self._contacts.fetch(target)
        self._changed()
