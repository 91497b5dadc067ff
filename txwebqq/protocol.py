"""
What applications subclass: a protocol that lives for one sign-on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import assert_never

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.errors import CaptchaUnsolved
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol, IWebQQTransport
from txwebqq.model import (
    Account,
    Buddy,
    Category,
    Code,
    Content,
    Event,
    Font,
    FriendList,
    Gid,
    Group,
    GroupDetails,
    GroupList,
    GroupMessage,
    KickNotice,
    Message,
    Number,
    Profile,
    Segment,
    Status,
    StatusChange,
    Text,
    Uin,
    UnknownEvent,
)
from txwebqq.wire.channel import SendBuddyMsg2, SendQunMsg2
from txwebqq.wire.roster import (
    GROUP_NUMBER,
    GetFriendInfo2,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
    GetUserFriends2,
    Identity,
)

DEFAULT_FONT = Font()


def contentOf(content: str | Iterable[Segment]) -> Content:
    """
    A content from what is convenient to write.
    """
    return (Text(content),) if isinstance(content, str) else tuple(content)


@implementer(IWebQQProtocol)
class WebQQProtocol:
    """
    The life of one sign-on: override what you want to know, call what you
    want to do.

    Callbacks are called in the order of the wire and never from within each
    other. One that returns an awaitable is watched, not waited for; whatever
    it raises is logged and changes nothing else.

    Everything that asks the server returns a L{Deferred}. It fails with
    L{NotSignedOn} without a session, L{RequestRefused} when the server says
    no, L{SessionExpired} when the ticket is dead, L{MalformedReply} or
    L{Unreachable} when no good answer came.

    @ivar account: whom we sign on as.
    @ivar factory: who built this protocol, and outlives it.
    @ivar transport: the way to the server.
    """

    account: Account
    factory: IWebQQFactory
    transport: IWebQQTransport

    def makeConnection(
        self, account: Account, transport: IWebQQTransport, factory: IWebQQFactory
    ) -> object:
        """
        Set what C{connectionMade} may use, and call it.
        """
        self.account = account
        self.transport = transport
        self.factory = factory
        return self.connectionMade()

    @property
    def buddies(self) -> Mapping[Uin, Buddy]:
        """
        The friends, fetched once in a sign-on and kept current by events.
        """
        return self.transport.buddies

    @property
    def groups(self) -> Mapping[Gid, Group]:
        """
        The groups that we are in.
        """
        return self.transport.groups

    @property
    def categories(self) -> tuple[Category, ...]:
        """
        The drawers of the friend list; index 0 is not among them.
        """
        return self.transport.categories

    @property
    def status(self) -> Status:
        """
        How we appear.
        """
        return self.transport.status

    def connectionMade(self) -> object:
        """
        A sign-on begins; C{factory}, C{transport} and C{account} are set.
        """

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        """
        The server wants a captcha read (protocol.md 2.1.4).

        @param image: a picture, JPEG from all servers known.

        @return: fires with the text in it; a failure gives up the sign-on. It
            is called again, with another picture, when the text was wrong.
        """
        return fail(CaptchaUnsolved("this application reads no captchas"))

    def signedOn(self) -> object:
        """
        The message channel is open and the roster is there. Called once.
        """

    def messageReceived(self, message: Message) -> object:
        """
        A friend wrote to us (protocol.md 5.1).
        """

    def groupMessageReceived(self, message: GroupMessage) -> object:
        """
        Somebody wrote in a group (protocol.md 5.2).
        """

    def statusChanged(self, change: StatusChange) -> object:
        """
        A friend came, went or changed; C{buddies} knows already
        (protocol.md 5.5).
        """

    def kicked(self, notice: KickNotice) -> object:
        """
        Another sign-on took the account over (protocol.md 5.6).

        C{connectionLost} follows, and we do not sign on again by ourselves.
        """

    def unknownEventReceived(self, event: UnknownEvent) -> object:
        """
        Something happened that this package has no type for.
        """

    def connectionLost(self, reason: Failure) -> object:
        """
        The sign-on is over. Called exactly once, last.

        @param reason: L{twisted.internet.error.ConnectionDone} when we meant
            it; L{Kicked}, L{LoggedOut} and L{LoginRefused}, after which the
            service waits for a person; L{SessionExpired}, after which it
            signs on again with another protocol.
        """

    def eventReceived(self, event: Event) -> object:
        """
        The low door: every event passes here on its way to its callback.

        @return: what the callback returned.
        """
        match event:
            case Message():
                return self.messageReceived(event)
            case GroupMessage():
                return self.groupMessageReceived(event)
            case StatusChange():
                return self.statusChanged(event)
            case KickNotice():
                return self.kicked(event)
            case UnknownEvent():
                return self.unknownEventReceived(event)
            case _:
                assert_never(event)

    def sendMessage(
        self, uin: Uin, content: str | Iterable[Segment], font: Font = DEFAULT_FONT
    ) -> Deferred[None]:
        """
        Write to a friend (protocol.md 2.2.2).

        @return: fires when the server has accepted the message, which it then
            delivers even to somebody who is offline now. Also fails with
            L{MessageTooLong}.
        """
        return self.transport.call(
            lambda ticket: SendBuddyMsg2(
                ticket, uin, contentOf(content), self.transport.nextMessageId(), font
            )
        )

    def sendGroupMessage(
        self, gid: Gid, content: str | Iterable[Segment], font: Font = DEFAULT_FONT
    ) -> Deferred[None]:
        """
        Write in a group (protocol.md 2.2.3); we get no copy of it.

        @return: fires when the server has accepted the message. Also fails
            with L{MessageTooLong}.
        """
        return self.transport.call(
            lambda ticket: SendQunMsg2(
                ticket, gid, contentOf(content), self.transport.nextMessageId(), font
            )
        )

    def fetchBuddies(self) -> Deferred[FriendList]:
        """
        Ask for the friend list anew (protocol.md 2.3.1). C{buddies} does not
        need it.
        """
        return self.transport.call(GetUserFriends2)

    def fetchBuddy(self, uin: Uin) -> Deferred[Profile]:
        """
        Ask what somebody tells about themselves (protocol.md 2.3.2).

        @return: also fails with L{CaptchaNeeded}.
        """
        return self.transport.call(lambda ticket: GetFriendInfo2(ticket, uin))

    def fetchGroups(self) -> Deferred[GroupList]:
        """
        Ask for the group list anew (protocol.md 2.5.1).
        """
        return self.transport.call(GetGroupNameListMask2)

    def fetchGroup(self, code: Code) -> Deferred[GroupDetails]:
        """
        Ask for a group's details and members (protocol.md 2.5.2).

        @param code: the group's C{code}, not its C{gid}.
        """
        return self.transport.call(lambda ticket: GetGroupInfoExt2(ticket, code))

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        """
        Ask which permanent number is behind a uin (protocol.md 2.3.6). The
        original service blocked accounts that asked too often.
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, uin)
        ).addCallback(_numberOf)

    def fetchGroupNumber(self, code: Code) -> Deferred[Number]:
        """
        Ask which permanent number a group has (protocol.md 2.3.6).
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, code, GROUP_NUMBER)
        ).addCallback(_numberOf)

    def setStatus(self, status: Status | str) -> Deferred[None]:
        """
        Appear otherwise, from now on and after a rejoin (protocol.md 2.2.8).

        @param status: a L{Status} or its word.

        @return: also fails with L{ValueError} for a word that is no status.
        """
        try:
            wanted = Status(status)
        except ValueError:
            return fail()
        return self.transport.appear(wanted)

    def signOff(self) -> Deferred[None]:
        """
        Leave, for good: the service does not sign on again by itself.

        @return: fires when the server has been told and nothing is in flight.
        """
        return self.transport.signOff()


def _numberOf(identity: Identity) -> Number:
    return identity.number


@implementer(IWebQQFactory)
class WebQQFactory:
    """
    Builds the protocol of each sign-on; what must survive one lives here.

    @cvar protocol: the class of what is built.
    """

    protocol: type[WebQQProtocol] = WebQQProtocol

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        """
        A protocol for a sign-on that is about to begin.
        """
        return self.protocol()
