"""
What a QQ account does with friends, groups and discussions.
"""

from __future__ import annotations

from abc import abstractmethod

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import NotSignedOn, RequestRefused
from txwebqq.irc.qq.contacts import ContactDirectory
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Content, Did, Font, Gid, Number, PastMessage, Uin
from txwebqq.requests.messages import DEFAULT_FONT


class AccountActions(ContactDirectory):
    """
    Each method fails with L{WebQQError}, with L{NotSignedOn} also when nobody
    is known there.
    """

    def __init__(self, number: Number) -> None:
        super().__init__(number)
        self._sending = DeferredLock()

    def send(
        self, target: Target, content: Content, font: Font = DEFAULT_FONT
    ) -> Deferred[None]:
        """
        Say something somewhere, after all that was to be said before.

        @return: fires when it was accepted.
        """

        async def say() -> None:
            online = self.online
            if target.kind is TargetKind.GROUP:
                await online.sendGroupMessage(Gid(self.idOf(target)), content, font)
            elif target.kind is TargetKind.DISCUSSION:
                await online.sendDiscussionMessage(
                    Did(self.idOf(target)), content, font
                )
            elif target.number in self.people:
                await online.sendMessage(self.people[target.number], content, font)
            else:
                await self._sendToStranger(target.number, content, font)

        return self._sending.run(lambda: Deferred.fromCoroutine(say()))

    async def recent(self, target: Target) -> list[tuple[int | None, PastMessage]]:
        """
        What was said in a group or a discussion last, and by what number.
        """
        online = self.online
        if target.kind is TargetKind.DISCUSSION:
            stretch = await online.fetchDiscussionHistory(Did(self.idOf(target)))
        else:
            stretch = await online.fetchGroupHistory(self.codeOf(target))
        return [(self.numberOf(m.sender), m) for m in stretch.messages]

    async def type(self, number: int) -> None:
        """
        Let a friend know that we are typing.
        """
        await self.online.sendTyping(self._friend(number))

    async def shake(self, number: int) -> None:
        """
        Shake a friend's window.
        """
        await self.online.shakeWindow(self._friend(number))

    def _friend(self, number: int) -> Uin:
        uin = self.people.get(number)
        if uin is None:
            raise NotSignedOn(f"{number} is no friend of {self.number}")
        return uin

    async def setTopic(self, target: Target, text: str) -> None:
        """
        Change a group's announcement, or a discussion's name.
        """
        if target.kind is TargetKind.GROUP:
            await self.online.editGroup(self.codeOf(target), notice=text)
        else:
            await self.online.renameDiscussion(Did(self.idOf(target)), text)
        await self.refresh(target)

    async def remove(self, target: Target, number: int) -> None:
        """
        Put somebody out of a group; out of a discussion nobody can.
        """
        uin = self.memberOf(target, number)
        if target.kind is not TargetKind.GROUP or uin is None:
            raise RequestRefused(0, "nobody can be put out of a discussion")
        await self.online.removeMember(self.codeOf(target), uin)
        await self.refresh(target)

    async def promote(self, target: Target, number: int, granted: bool) -> None:
        """
        Make somebody an administrator of a group, or no longer one.
        """
        uin = self.memberOf(target, number)
        if target.kind is not TargetKind.GROUP or uin is None:
            raise RequestRefused(0, "discussions have no administrators")
        await self.online.setAdmin(self.codeOf(target), uin, granted)
        await self.refresh(target)

    async def invite(self, target: Target, number: int) -> None:
        """
        Take a friend, or somebody from a group of ours, into a discussion.
        """
        did, shared = Did(self.idOf(target)), self.sharedGroup(number)
        if number in self.people:
            await self.online.inviteToDiscussion(did, [self.people[number]])
        elif shared is not None and shared[0].kind is TargetKind.GROUP:
            fellow = (shared[1], Gid(self.idOf(shared[0])))
            await self.online.inviteToDiscussion(did, members=[fellow])
        else:
            raise NotSignedOn(f"{self.number} does not know {number}")
        await self.refresh(target)

    async def leaveGroup(self, target: Target) -> None:
        """
        Leave a group or a discussion.
        """
        if target.kind is TargetKind.GROUP:
            await self.online.leaveGroup(self.codeOf(target))
        else:
            await self.online.leaveDiscussion(Did(self.idOf(target)))
        self.forget(target)

    async def refresh(self, target: Target) -> None:
        """
        Learn what has become of a room, and tell.
        """
        if target.kind is TargetKind.GROUP:
            await self.learnGroup(Gid(self.idOf(target)), Number(target.number))
        else:
            await self.learnDiscussion(Did(target.number))
        self.changed()

    @abstractmethod
    def changed(self) -> None:
        """
        We know others than before, or other things of them.
        """

    async def _sendToStranger(self, number: int, content: Content, font: Font) -> None:
        message, shared = self.strangers.get(number), self.sharedGroup(number)
        if message is not None:
            await self.online.answerStranger(message, content, font)
        elif shared is None:
            raise NotSignedOn(f"{self.number} does not know {number}")
        elif shared[0].kind is TargetKind.GROUP:
            gid = Gid(self.idOf(shared[0]))
            await self.online.sendStrangerMessage(
                shared[1], content, group=gid, font=font
            )
        else:
            did = Did(self.idOf(shared[0]))
            await self.online.sendStrangerMessage(
                shared[1], content, discussion=did, font=font
            )
