"""
QQ accounts in this process, as the friends of the accounts under test.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor

from tests.irc.clients import Terminal
from txwebqq.client import connect
from txwebqq.faces import withFaces, withFacesNamed
from txwebqq.model import (
    Account,
    Event,
    FriendshipNotice,
    Group,
    GroupFile,
    GroupMessage,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    Number,
    Reaction,
    Segment,
    Shake,
    StatusChange,
    Typing,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService


class RecordingProtocol(WebQQProtocol):
    """
    Records events as text.
    """

    factory: QQFriend

    def eventReceived(self, event: Event) -> object:
        self.factory.events.append(event)
        match event:
            case Message(content=content):
                self.factory.heard.append(withFacesNamed(content))
            case GroupMessage(number=number, content=content):
                self.factory.heard.append(f"{number}: {withFacesNamed(content)}")
            case MessageRecalled(number=number, id=messageId):
                self.factory.heard.append(f"{number}: recalled {messageId}")
            case FriendshipNotice(step=step):
                self.factory.heard.append(step.name)
            case Typing():
                self.factory.heard.append("types")
            case Shake():
                self.factory.heard.append("shakes")
            case MemberMuted(seconds=seconds):
                self.factory.heard.append(f"is muted for {seconds} s")
            case MemberPoked():
                self.factory.heard.append("pokes")
            case GroupFile(name=name):
                self.factory.heard.append(f"shares {name}")
            case Reaction():
                self.factory.heard.append("reacts")
            case StatusChange(status=status):
                self.factory.heard.append(f"is {status.value}")
        return super().eventReceived(event)


class QQFriend(WebQQFactory, Terminal):
    """
    A QQ account that a test controls; its text is the recorded events.

    @ivar events: the events.
    @ivar signOns: the counts of the sign-ons.
    """

    def __init__(
        self, url: str, number: int, password: str, caFile: str | None = None
    ) -> None:
        self.heard: list[str] = []
        self.events: list[Event] = []
        self._client = connect(reactor, url, caFile)
        account = Account(Number(number), password)
        self._service = WebQQService(account, self, self._client, reactor)
        self.signOns = self._service.signOns

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        protocol = RecordingProtocol()
        protocol.factory = self
        return protocol

    async def start(self) -> None:
        """
        Sign on, and wait until signed on.
        """
        self._service.startService()
        await self._service.whenSignedOn()

    async def stop(self) -> None:
        await self._service.stopService()
        await self._client.close()

    async def look(self) -> str:
        return "\n".join(self.heard)

    async def tell(self, name: str, text: str) -> None:
        """
        Send a message to a friend.
        """
        me: Any = await self._service.whenSignedOn()
        (uin,) = [b.uin for b in me.buddies.values() if name in (b.nick, b.markname)]
        await me.sendMessage(uin, withFaces(text))

    async def shake(self, name: str) -> None:
        """
        Shake a friend's window.
        """
        me: Any = await self._service.whenSignedOn()
        (uin,) = [b.uin for b in me.buddies.values() if name in (b.nick, b.markname)]
        await me.shakeWindow(uin)

    async def promote(self, group: str, name: str) -> None:
        """
        Make a group member an administrator.
        """
        me: Any = await self._service.whenSignedOn()
        (code,) = [g.code for g in me.groups.values() if g.name == group]
        details = await me.fetchGroup(code)
        (uin,) = [m.uin for m in details.members if m.nick == name]
        await me.setAdmin(code, uin)

    async def tellGroup(self, name: str, text: str, *before: Segment) -> int:
        """
        Send a message to a group.

        @param before: segments before the text.
        @return: the id of the message.
        """
        me: Any = await self._service.whenSignedOn()
        (gid,) = [g.gid for g in me.groups.values() if g.name == name]
        sent = await me.sendGroupMessage(gid, (*before, *withFaces(text)))
        return int(sent.messageId)

    async def recall(self, name: str, messageId: int) -> None:
        """
        Recall a message in a group.
        """
        me: Any = await self._service.whenSignedOn()
        (gid,) = [g.gid for g in me.groups.values() if g.name == name]
        await me.recallGroupMessage(gid, messageId)

    def lastIn(self, number: int) -> GroupMessage:
        """
        Return the last message that came in a group.
        """
        messages = [each for each in self.events if isinstance(each, GroupMessage)]
        return [each for each in messages if each.number == number][-1]

    async def online(self) -> Any:
        """
        Return the protocol.
        """
        return await self._service.whenSignedOn()

    async def groupAndMember(self, name: str, number: int) -> tuple[Group, Uin]:
        """
        Return a group, and a member of it by the permanent number.
        """
        me: Any = await self._service.whenSignedOn()
        (group,) = [g for g in me.groups.values() if g.name == name]
        for member in (await me.fetchGroup(group.code)).members:
            if await me.fetchNumber(member.uin) == number:
                return group, member.uin
        raise AssertionError(f"{number} is not in {name}")

    async def befriend(self, number: int, text: str) -> None:
        """
        Send a friend request.
        """
        me: Any = await self._service.whenSignedOn()
        await me.requestFriendship(Number(number), text)
