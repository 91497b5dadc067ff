"""
The clients of the demo: Echo, a bot; Alice, who follows a script; and Carol, who
signs on later.
"""

import sys
from base64 import b64decode
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredQueue, ensureDeferred
from twisted.python.failure import Failure

from txwebqq.errors import Kicked
from txwebqq.faces import withFacesNamed
from txwebqq.model import (
    CustomFace,
    DiscussionMessage,
    Event,
    Face,
    FriendshipNotice,
    FriendshipStep,
    GroupMessage,
    GroupPicture,
    KickNotice,
    Mention,
    Message,
    Number,
    OfflinePicture,
    Reply,
    Segment,
    Status,
    StatusChange,
    Text,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol

E = TypeVar("E", bound=Event)

PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52f"
    "OPeGAAAAAElFTkSuQmCC"
)
"""A red square."""


def tell(line: str) -> None:
    """
    Write a line of the transcript to the standard output of the process, since
    C{print} would write to the log of C{twistd}.
    """
    assert sys.__stdout__ is not None
    sys.__stdout__.write(line + "\n")
    sys.__stdout__.flush()


class Echo(WebQQProtocol):
    """
    Sends messages back, and becomes busy when asked to.
    """

    def signedOn(self) -> None:
        """
        Tell that Echo is online.
        """
        tell(f"Echo is signed on and has {len(self.buddies)} buddies.")

    async def messageReceived(self, message: Message) -> None:
        """
        Send a message back, or become busy.
        """
        if message.text == "Please be busy":
            await self.setStatus(Status.BUSY)
            return
        content = [await self.copied(message, segment) for segment in message.content]
        await self.sendMessage(message.sender, content, message.font)

    async def copied(self, message: Message, segment: Segment) -> Segment:
        """
        Return a segment for a message of Echo. A picture is uploaded again, since those
        of others cannot be sent.
        """
        if not isinstance(segment, CustomFace | OfflinePicture):
            return segment
        return await self.uploadPicture(await self.fetchPicture(message, segment))

    async def groupMessageReceived(self, message: GroupMessage) -> None:
        """
        Reply in the group; to a picture, with its size.
        """
        for picture in message.content:
            if isinstance(picture, GroupPicture):
                content = await self.fetchPicture(message, picture)
                size = f"A picture of {len(content)} bytes"
                await self.sendGroupMessage(message.group, size)
                return
        await self.sendGroupMessage(message.group, f"{message.text} indeed")

    async def friendshipRequested(self, request: FriendshipNotice) -> None:
        """
        Accept every friend request.
        """
        if request.step is FriendshipStep.REQUESTED:
            stranger = await self.fetchStranger(request.uin)
            tell(f"{stranger.nick} asks Echo to be friends: {request.text}")
            await self.acceptFriendship(request)

    def kicked(self, notice: KickNotice) -> None:
        """
        Tell the reason for the kick.
        """
        tell(f"Echo is kicked: another sign-on took over: {notice.reason}")


class EchoFactory(WebQQFactory):
    """
    Builds an L{Echo} for each sign-on.
    """

    protocol = Echo


class Alice(WebQQProtocol):
    """
    Follows the script, and signs off.
    """

    def __init__(self) -> None:
        self._events: DeferredQueue[Event] = DeferredQueue()

    def eventReceived(self, event: Event) -> None:
        """
        Keep an event until the script waits for it.
        """
        self._events.put(event)

    async def next(self, kind: type[E]) -> E:
        """
        Wait for the next event of a type; events of other types are dropped.
        """
        while True:
            event = await self._events.get()
            if isinstance(event, kind):
                return event

    async def changeOf(self, uin: Uin) -> StatusChange:
        """
        Wait for the next change of a friend's status.
        """
        while (change := await self.next(StatusChange)).uin != uin:
            pass
        return change

    def signedOn(self) -> Deferred[None]:
        """
        Begin the script.
        """
        return ensureDeferred(self.play())

    async def play(self) -> None:
        """
        Run the script.
        """
        tell("Alice is signed on. Her roster:")
        for buddy in self.buddies.values():
            tell(f"    {buddy.name} is {buddy.status.value}")
        for group in self.groups.values():
            details = await self.fetchGroup(group.code)
            names = ", ".join(member.name for member in details.members)
            tell(f"    {group.name}: {names}")
        [echo] = [b for b in self.buddies.values() if b.name == "Echo"]
        await self.sendMessage(echo.uin, [Text("Hello, 茶 or coffee? "), Face(14)])
        tell("Alice -> Echo: Hello, 茶 or coffee? [smile]")
        answer = await self.next(Message)
        assert Face(14) in answer.content
        tell(f"Echo -> Alice: {answer.text}[smile]")
        [teahouse] = self.groups.values()
        await self.sendGroupMessage(teahouse.gid, "The tea is good")
        tell(f"Alice -> {teahouse.name}: The tea is good")
        reply = await self.next(GroupMessage)
        speaker = self.buddies[reply.sender].name
        tell(f"{speaker} -> {teahouse.name}: {reply.text}")
        await self.sendGroupPicture(teahouse.gid, PICTURE, "tea.png")
        tell(f"Alice -> {teahouse.name}: [a picture]")
        reply = await self.next(GroupMessage)
        tell(f"{speaker} -> {teahouse.name}: {reply.text}")
        [carol] = [b for b in self.buddies.values() if b.name == "Carol"]
        await self.sendMessage(carol.uin, "Tea at eight")
        tell(f"Alice -> Carol, who is {carol.status.value}: Tea at eight")
        tell("*Carol")
        here = await self.next(StatusChange)
        tell(f"Alice sees that Carol is {here.status.value}.")
        thanks = await self.next(Message)
        tell(f"Carol -> Alice: {thanks.text}")
        did = await self.createDiscussion("Weekend", [carol.uin, echo.uin])
        await self.sendDiscussionMessage(did, "And on Sunday?")
        tell("Alice -> Weekend, a discussion: And on Sunday?")
        weekend = await self.next(DiscussionMessage)
        tell(f"Carol -> Weekend: {weekend.text}")
        number = await self.fetchNumber(echo.uin)
        await self.sendMessage(carol.uin, f"Echo is {number}")
        tell(f"Alice -> Carol: Echo is {number}")
        news = await self.next(Message)
        tell(f"Carol -> Alice: {news.text}")
        await self.sendMessage(echo.uin, "Please be busy")
        tell("Alice -> Echo: Please be busy")
        change = await self.changeOf(echo.uin)
        tell(f"Alice sees that {echo.name} is {change.status.value}.")
        tell("*Echo")
        back = await self.changeOf(echo.uin)
        tell(f"Alice sees that {echo.name} is {back.status.value}.")
        await self.signOff()

    def connectionLost(self, reason: Failure) -> None:
        """
        Tell that Alice has signed off.
        """
        if not reason.check(Kicked):
            tell("Alice has signed off.")


class AliceFactory(WebQQFactory):
    """
    Builds an L{Alice} for each sign-on.
    """

    protocol = Alice


class Tea(Alice):
    """
    Speaks with the bots of C{make demo-onebot}.
    """

    async def play(self) -> None:
        """
        Run the script.
        """
        friends = {buddy.name: buddy.uin for buddy in self.buddies.values()}
        for name, text in (("Echo", "Hello "), ("Guest", "Hello")):
            content = (Text(text), Face(14)) if name == "Echo" else (Text(text),)
            await self.sendMessage(friends[name], content)
            tell(f"Alice -> {name}: {withFacesNamed(content)}")
            answer = await self.next(Message)
            tell(f"{name} -> Alice: {withFacesNamed(answer.content)}")
        [teahouse] = self.groups.values()
        [guest] = [
            member
            for member in (await self.fetchGroup(teahouse.code)).members
            if member.name == "Guest"
        ]
        number = await self.fetchNumber(guest.uin)
        question = (Mention(number, "Guest"), Text(" Is the tea ready?"))
        asked = await self.sendGroupMessage(teahouse.gid, question)
        tell(f"Alice -> {teahouse.name}: @Guest Is the tea ready?")
        reply = await self.next(GroupMessage)
        assert Reply(asked.messageId) in reply.content
        tell(f"Guest -> {teahouse.name}, as a reply to Alice: {reply.text}")
        sent = await self.sendGroupMessage(teahouse.gid, "Pour it away")
        tell(f"Alice -> {teahouse.name}: Pour it away")
        await self.recallGroupMessage(teahouse.gid, sent.messageId)
        tell("Alice recalls that.")
        reply = await self.next(GroupMessage)
        tell(f"Guest -> {teahouse.name}: {reply.text}")
        await self.signOff()


class TeaFactory(WebQQFactory):
    """
    Builds a L{Tea} for each sign-on.
    """

    protocol = Tea


class Carol(WebQQProtocol):
    """
    Reads the message that was sent while she was offline, replies, and sends a
    friend request.
    """

    async def messageReceived(self, message: Message) -> None:
        """
        Reply, or send a friend request to the account in the message.
        """
        name, found, number = message.text.partition(" is ")
        if found:
            await self.requestFriendship(
                Number(int(number)), f"Alice told me of {name}"
            )
            return
        tell(f"Carol reads: {message.text}")
        await self.sendMessage(message.sender, "Thank you, I was away")

    async def friendshipRequested(self, request: FriendshipNotice) -> None:
        """
        Tell Alice of a new friend.
        """
        if request.step is FriendshipStep.PASSED_AND_ADDED:
            friend = self.buddies[request.uin]
            [alice] = [b for b in self.buddies.values() if b.name == "Alice"]
            await self.sendMessage(alice.uin, f"{friend.name} is my friend now")

    async def discussionMessageReceived(self, message: DiscussionMessage) -> None:
        """
        Reply in the discussion.
        """
        await self.sendDiscussionMessage(message.discussion, "On Sunday too")


class CarolFactory(WebQQFactory):
    """
    Builds a L{Carol} for each sign-on.
    """

    protocol = Carol
