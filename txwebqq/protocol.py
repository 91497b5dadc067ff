"""
Base classes of applications: a protocol for each sign-on, and its factory.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, assert_never
from typing import Protocol as TypingProtocol

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.errors import CaptchaUnsolved
from txwebqq.interfaces import (
    IStateObserver,
    IWebQQFactory,
    IWebQQProtocol,
    IWebQQTransport,
)
from txwebqq.model import (
    Account,
    Buddy,
    CallRequest,
    CardChanged,
    Category,
    Did,
    Discussion,
    DiscussionMessage,
    Event,
    FileNotice,
    FriendEdited,
    FriendshipNotice,
    Gid,
    Group,
    GroupEdited,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupWebMessage,
    JoinRequestAnswered,
    KickNotice,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    MessagesMissed,
    OfflineFile,
    OfflineFileNotice,
    QueuedMessage,
    Reaction,
    RosterChange,
    SendOutcome,
    Shake,
    StateChange,
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
from txwebqq.requests.interaction import InteractionRequests
from txwebqq.requests.media import MediaRequests
from txwebqq.requests.messages import MessageRequests
from txwebqq.requests.queued import HasQueue
from txwebqq.requests.settings import SettingsRequests
from txwebqq.requests.temporary import TemporaryChatRequests

_SIMILARITY = 0.9
"""From 0 to 1: the similarity of two names from which on one is taken for a
misspelt other one. C{kickd} and C{kicked} have 0.91."""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _warnOfMisspelt(cls: type[Any], base: type[Any]) -> None:
    """
    Warn of methods of a new class that are named nearly as one that it may
    override: they would never be called.

    @param base: the class whose methods are overridden.
    """
    known = {
        _plain(name): name
        for name, value in vars(base).items()
        if name[0] != "_" and callable(value)
    }
    for name, value in vars(cls).items():
        if name[0] == "_" or not callable(value) or hasattr(super(cls, cls), name):
            continue
        near = get_close_matches(_plain(name), known, 1, _SIMILARITY)
        if near:
            warnings.warn(
                f"{cls.__qualname__}.{name} overrides nothing and is never called: "
                f"{base.__name__} has {known[near[0]]}",
                stacklevel=3,
            )


@implementer(IWebQQProtocol)
class WebQQProtocol(
    MediaRequests,
    DiscussionRequests,
    TemporaryChatRequests,
    MessageRequests,
    InteractionRequests,
    HistoryRequests,
    ContactRequests,
    GroupRequests,
    SettingsRequests,
):
    """
    One sign-on of an account. Subclass it, override its callbacks, and call its
    requests.

    Callbacks are called in the order of the wire and never from within each
    other. An awaitable that a callback returns is checked for errors but not
    waited for. An exception of a callback is logged and has no other effect.

    Requests return a L{Deferred}; L{Requester
    <txwebqq.requests.requester.Requester>} lists the failures.

    @ivar account: the account that signs on.
    @ivar factory: the factory that built this protocol, which outlives it.
        Annotate it in the subclass with its class.
    @ivar transport: the connection to the server.
    """

    account: Account
    factory: Any
    transport: IWebQQTransport

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _warnOfMisspelt(cls, WebQQProtocol)

    def makeConnection(
        self, account: Account, transport: IWebQQTransport, factory: IWebQQFactory
    ) -> object:
        """
        Set the attributes, and call C{connectionMade}.
        """
        self.account = account
        self.transport = transport
        self.factory = factory
        return self.connectionMade()

    @property
    def buddies(self) -> Mapping[Uin, Buddy]:
        """
        The friends, fetched once for each sign-on and kept current by events.
        """
        return self.transport.buddies

    @property
    def groups(self) -> Mapping[Gid, Group]:
        """
        The groups of the account.
        """
        return self.transport.groups

    @property
    def discussions(self) -> Mapping[Did, Discussion]:
        """
        The discussions of the account, fetched soon after C{signedOn}.
        """
        return self.transport.discussions

    @property
    def categories(self) -> tuple[Category, ...]:
        """
        The categories of the friend list, without the default one (index 0).
        """
        return self.transport.categories

    @property
    def status(self) -> Status:
        """
        The presence status of the account.
        """
        return self.transport.status

    def connectionMade(self) -> object:
        """
        Called first, when a sign-on begins.
        """

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        """
        Called when the server wants a captcha to be read (protocol.md 2.1.4).

        @param image: a picture, JPEG from all servers known.

        @return: fires with the text of the picture; a failure gives up the
            sign-on, but L{CaptchaLapsed<txwebqq.errors.CaptchaLapsed>} has the server
            asked for another picture. After a wrong text this is called again, with
            another picture. It is cancelled when no text is needed any more.
        """
        return fail(
            CaptchaUnsolved("the application does not override captchaRequired")
        )

    def signedOn(self) -> object:
        """
        Called once, when the account is online and its contacts are known.
        """

    def messageReceived(self, message: Message) -> object:
        """
        Called when a friend has sent a message (protocol.md 5.1).
        """

    def groupMessageReceived(self, message: GroupMessage) -> object:
        """
        Called when a member has sent a message to a group (protocol.md 5.2).
        """

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        """
        Called when a member has sent a message to a discussion
        (protocol.md 5.3).
        """

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        """
        Called when a member of a shared group or discussion, who is no friend,
        has sent a message in a temporary chat (protocol.md 5.4).
        """

    def statusChanged(self, change: StatusChange) -> object:
        """
        Called when the presence status of a friend has changed
        (protocol.md 5.5). C{buddies} is up to date already.
        """

    def typingNoticed(self, uin: Uin) -> object:
        """
        Called when a friend is typing (protocol.md 5.7). There is no notice of
        the end.
        """

    def windowShaken(self, uin: Uin) -> object:
        """
        Called when a friend sends a window shake (protocol.md 5.7), unless our
        status is L{Status.SILENT}.
        """

    def friendshipRequested(self, request: FriendshipNotice) -> object:
        """
        Called when another account wants to be a friend, has answered our
        friend request, or has added us; C{request.step} says which
        (protocol.md 5.8).
        """

    def rosterChanged(self, change: RosterChange) -> object:
        """
        Called when friends were added or removed (protocol.md 5.9).
        C{buddies} is up to date already.
        """

    def friendEdited(self, edit: FriendEdited) -> object:
        """
        Called when a friend has another nick or avatar (protocol.md 5.26).
        C{buddies} is up to date already.
        """

    def groupChanged(self, notice: GroupNotice) -> object:
        """
        Called when the members of a group have changed, an account asks to
        join a group that we administer, or our own request was answered;
        C{notice.step} says which (protocol.md 5.10).
        """

    def groupShared(self, share: GroupWebMessage) -> object:
        """
        Called when a member has shared a page or a file in a group
        (protocol.md 5.11).
        """

    def fileOffered(self, offer: FileNotice) -> object:
        """
        Called when a friend offers a file, or a file transfer was accepted or
        has ended; C{offer.step} says which (protocol.md 5.12).
        """

    def transferProgressed(self, progress: TransferProgress) -> object:
        """
        Called with the progress of a file transfer (protocol.md 5.13).
        """

    def offlineFileReceived(self, file: OfflineFile) -> object:
        """
        Called when a friend has sent an offline file, which waits on the
        server (protocol.md 5.14).
        """

    def offlineFileAnswered(self, notice: OfflineFileNotice) -> object:
        """
        Called when a friend has fetched or refused an offline file of ours
        (protocol.md 5.14).
        """

    def tipReceived(self, tip: Tip) -> object:
        """
        Called with a tip of the server (protocol.md 5.15).
        """

    def callRequested(self, call: CallRequest) -> object:
        """
        Called when a friend makes a video call, which WebQQ cannot answer
        (protocol.md 5.16).
        """

    def messageRecalled(self, recall: MessageRecalled) -> object:
        """
        Called when a message was recalled, which is to be shown no longer.
        """

    def memberMuted(self, mute: MemberMuted) -> object:
        """
        Called when a member or a whole group was muted, or is muted no longer.
        """

    def memberPoked(self, poke: MemberPoked) -> object:
        """
        Called when a member of a group has poked another one, or us.
        """

    def reactionChanged(self, reaction: Reaction) -> object:
        """
        Called when a member has set or removed a reaction to a message.
        """

    def groupFileShared(self, file: GroupFile) -> object:
        """
        Called when a member has shared a file in a group.
        """

    def groupEdited(self, edit: GroupEdited) -> object:
        """
        Called when the name, announcement, description or rule for joining of a group
        has changed.
        """

    def cardChanged(self, change: CardChanged) -> object:
        """
        Called when a member of a group has another card.
        """

    def joinRequestAnswered(self, answer: JoinRequestAnswered) -> object:
        """
        Called when an administrator has answered a request to join a group that the
        account administers; also when it was this one.
        """

    def messageSent(self, message: MessageSent) -> object:
        """
        Called when the account has sent a message by another client.
        """

    def messagesMissed(self, missed: MessagesMissed) -> object:
        """
        Called when messages of a group or discussion did not come, by their numbers.
        """

    def kicked(self, notice: KickNotice) -> object:
        """
        Called when another sign-on has taken the account over
        (protocol.md 5.6). C{connectionLost} follows, and the service stays
        offline until its C{signOn} is called.
        """

    def unknownEventReceived(self, event: UnknownEvent) -> object:
        """
        Called with an event of a poll type that this package does not know.
        """

    def connectionLost(self, reason: Failure) -> object:
        """
        Called exactly once and last, when the sign-on is over.

        @param reason: L{twisted.internet.error.ConnectionDone} after a
            sign-off; L{Kicked}, L{LoggedOut} and L{LoginRefused}, after which
            the service stays offline until its C{signOn} is called;
            L{SessionExpired}, after which it signs on again with another
            protocol.
        """

    def eventReceived(self, event: Event) -> object:
        """
        Dispatch an event to its callback. Override this to see all events.

        @return: the result of the callback.
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
            case FriendEdited():
                return self.friendEdited(event)
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
            case MessageRecalled():
                return self.messageRecalled(event)
            case MemberMuted():
                return self.memberMuted(event)
            case MemberPoked():
                return self.memberPoked(event)
            case Reaction():
                return self.reactionChanged(event)
            case GroupFile():
                return self.groupFileShared(event)
            case GroupEdited():
                return self.groupEdited(event)
            case CardChanged():
                return self.cardChanged(event)
            case JoinRequestAnswered():
                return self.joinRequestAnswered(event)
            case MessageSent():
                return self.messageSent(event)
            case KickNotice():
                return self.kicked(event)
            case UnknownEvent():
                return self.unknownEventReceived(event)
            case _:
                assert_never(event)

    def signOff(self) -> Deferred[None]:
        """
        Sign off. The service stays offline until its C{signOn} is called.

        @return: fires when the server has been told and no request is in
            flight.
        """
        return self.transport.signOff()


P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


class _NamesProtocol(TypingProtocol[P_co]):
    """
    The attribute by which a type checker finds the class of the protocols.
    """

    @property
    def protocol(self) -> Callable[[], P_co]: ...


@implementer(IWebQQFactory, IStateObserver)
class WebQQFactory(HasQueue):
    """
    Builds the protocol of each sign-on, and holds the data that outlives one.

    @cvar protocol: the class of the protocols.
    @cvar maxUnfinished: callbacks of an account whose results have not fired; while
        there are as many, its events wait.
    """

    protocol: type[WebQQProtocol] = WebQQProtocol
    maxUnfinished: int = 1000

    def messageSettled(self, message: QueuedMessage, outcome: SendOutcome) -> object:
        """
        Handle the outcome of a message that an earlier process has put into the
        queue (L{txwebqq.outbox.queue.MessageQueue}).

        @return: the outcome counts as told when an awaitable has ended.
        """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _warnOfMisspelt(cls, WebQQFactory)

    def buildProtocol(self: _NamesProtocol[P], account: Account) -> P:
        """
        Build the protocol for a sign-on that is about to begin.
        """
        return self.protocol()

    def stateChanged(self, account: Account, change: StateChange) -> object:
        """
        Called with each change of the state of an account. Protocols come and go with
        sign-ons; this is called for the times between them as well.

        It is called before the callback of the protocol that tells of the same, which
        is C{connectionMade}, C{signedOn} or C{connectionLost}. An exception is logged
        and has no other effect.
        """
