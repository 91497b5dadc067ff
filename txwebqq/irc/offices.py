"""
What a QQ account does with friends, groups and discussions.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import NotSignedOn
from txwebqq.irc.circle import Circle
from txwebqq.irc.places import Kind, Place
from txwebqq.model import Content, Did, Gid, Number, Uin


class Offices(Circle):
    """
    Each method fails with L{WebQQError}, with L{NotSignedOn} also when nobody
    is known there.
    """

    def __init__(self, number: Number) -> None:
        super().__init__(number)
        self._sending = DeferredLock()

    def send(self, place: Place, content: Content) -> Deferred[None]:
        """
        Say something somewhere, after all that was to be said before.

        @return: fires when it was accepted.
        """

        async def say() -> None:
            online = self.online
            if place.kind is Kind.GROUP:
                await online.sendGroupMessage(Gid(self.idOf(place)), content)
            elif place.kind is Kind.DISCUSSION:
                await online.sendDiscussionMessage(Did(self.idOf(place)), content)
            elif place.number in self.people:
                await online.sendMessage(self.people[place.number], content)
            else:
                await self._sendToStranger(place.number, content)

        return self._sending.run(lambda: Deferred.fromCoroutine(say()))

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

    async def _sendToStranger(self, number: int, content: Content) -> None:
        message, shared = self.strangers.get(number), self.shared(number)
        if message is not None:
            await self.online.answerStranger(message, content)
        elif shared is None:
            raise NotSignedOn(f"{self.number} does not know {number}")
        elif shared[0].kind is Kind.GROUP:
            gid = Gid(self.idOf(shared[0]))
            await self.online.sendStrangerMessage(shared[1], content, group=gid)
        else:
            did = Did(self.idOf(shared[0]))
            await self.online.sendStrangerMessage(shared[1], content, discussion=did)
