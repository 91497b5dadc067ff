"""
What applications subclass: a protocol that lives for one sign-on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import assert_never

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.errors import CaptchaUnsolved
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol, IWebQQTransport
from txwebqq.model import (
    Account,
    Buddy,
    CallRequest,
    Category,
    Did,
    Discussion,
    DiscussionMessage,
    Event,
    FileNotice,
    FriendshipNotice,
    Gid,
    Group,
    GroupMessage,
    GroupNotice,
    GroupWebMessage,
    KickNotice,
    Message,
    OfflineFile,
    OfflineFileNotice,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    StrangerMessage,
    Tip,
    TransferProgress,
    Typing,
    Uin,
    UnknownEvent,
)
from txwebqq.requests.discussions import DiscussionRequests
from txwebqq.requests.friends import ContactRequests
from txwebqq.requests.groups import GroupRequests
from txwebqq.requests.history import HistoryRequests
from txwebqq.requests.media import MediaRequests
from txwebqq.requests.messages import MessageRequests
from txwebqq.requests.settings import SettingsRequests
from txwebqq.requests.temporary import TemporaryChatRequests


@implementer(IWebQQProtocol)
class WebQQProtocol(
    MediaRequests,
    DiscussionRequests,
    TemporaryChatRequests,
    MessageRequests,
    HistoryRequests,
    ContactRequests,
    GroupRequests,
    SettingsRequests,
):
    """
    The life of one sign-on: override what you want to know, call what you
    want to do.

    Callbacks are called in the order of the wire and never from within each
    other. One that returns an awaitable is watched, not waited for; whatever
    it raises is logged and changes nothing else.

    What asks the server returns a L{Deferred}; L{Asking
    <txwebqq.requests.requester.Requester>} says how it fails.

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
    def discussions(self) -> Mapping[Did, Discussion]:
        """
        The discussions that we are in, fetched soon after C{signedOn}.
        """
        return self.transport.discussions

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

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        """
        Somebody wrote in a discussion (protocol.md 5.3).
        """

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        """
        A fellow member who is no friend wrote to us (protocol.md 5.4).
        """

    def statusChanged(self, change: StatusChange) -> object:
        """
        A friend came, went or changed; C{buddies} knows already
        (protocol.md 5.5).
        """

    def typingNoticed(self, uin: Uin) -> object:
        """
        A friend is typing (protocol.md 5.7). There is no notice of the end.
        """

    def windowShaken(self, uin: Uin) -> object:
        """
        A friend shakes our window (protocol.md 5.7). While we are silent
        nobody can.
        """

    def friendshipRequested(self, request: FriendshipNotice) -> object:
        """
        Somebody wants to be our friend, has answered our own request, or has
        added us; C{request.step} says which (protocol.md 5.8).
        """

    def rosterChanged(self, change: RosterChange) -> object:
        """
        Friends were added or removed; C{buddies} knows already
        (protocol.md 5.9).
        """

    def groupChanged(self, notice: GroupNotice) -> object:
        """
        A group's membership changed, somebody asks to join one of ours, or our
        own request was answered; C{notice.step} says which (protocol.md 5.10).
        """

    def groupShared(self, share: GroupWebMessage) -> object:
        """
        Something was shared in a group (protocol.md 5.11).
        """

    def fileOffered(self, offer: FileNotice) -> object:
        """
        A friend offers a file, or a transfer was accepted or has ended;
        C{offer.step} says which (protocol.md 5.12).
        """

    def transferProgressed(self, progress: TransferProgress) -> object:
        """
        A transfer went on (protocol.md 5.13).
        """

    def offlineFileReceived(self, file: OfflineFile) -> object:
        """
        A file waits for us on the server (protocol.md 5.14).
        """

    def offlineFileAnswered(self, notice: OfflineFileNotice) -> object:
        """
        Somebody fetched or refused a file of ours (protocol.md 5.14).
        """

    def tipReceived(self, tip: Tip) -> object:
        """
        The server has a tip (protocol.md 5.15).
        """

    def callRequested(self, call: CallRequest) -> object:
        """
        Somebody calls by video, which WebQQ cannot answer (protocol.md 5.16).
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
            case DiscussionMessage():
                return self.discussionMessageReceived(event)
            case StrangerMessage():
                return self.strangerMessageReceived(event)
            case StatusChange():
                return self.statusChanged(event)
            case Typing():
                return self.typingNoticed(event.uin)
            case Shake():
                if self.status is Status.SILENT or event.uin not in self.buddies:
                    return None
                return self.windowShaken(event.uin)
            case FriendshipNotice():
                return self.friendshipRequested(event)
            case RosterChange():
                return self.rosterChanged(event)
            case GroupNotice():
                return self.groupChanged(event)
            case GroupWebMessage():
                return self.groupShared(event)
            case FileNotice():
                return self.fileOffered(event)
            case TransferProgress():
                return self.transferProgressed(event)
            case OfflineFile():
                return self.offlineFileReceived(event)
            case OfflineFileNotice():
                return self.offlineFileAnswered(event)
            case Tip():
                return self.tipReceived(event)
            case CallRequest():
                return self.callRequested(event)
            case KickNotice():
                return self.kicked(event)
            case UnknownEvent():
                return self.unknownEventReceived(event)
            case _:
                assert_never(event)

    def signOff(self) -> Deferred[None]:
        """
        Leave, for good: the service does not sign on again by itself.

        @return: fires when the server has been told and nothing is in flight.
        """
        return self.transport.signOff()


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
