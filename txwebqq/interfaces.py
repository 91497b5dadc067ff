"""
Interfaces between an application and its sign-ons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from twisted.application.service import IService
from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure
from zope.interface import Attribute, Interface

from txwebqq.model import (
    Account,
    Buddy,
    Category,
    Did,
    Discussion,
    Event,
    Font,
    Gid,
    Group,
    PictureBytes,
    QueuedMessage,
    QueuePolicy,
    Recipient,
    Segment,
    SendOutcome,
    StateChange,
    Status,
    Uin,
)
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.roster import Roster
from txwebqq.wire.command import Command
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import UploadCommand

P = ParamSpec("P")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class FactoryOf(Protocol[T_co]):
    """
    A factory and the class of its protocols, for type checkers that do not know
    zope interfaces: at runtime a factory provides L{IWebQQFactory}.
    """

    def buildProtocol(self, account: Account) -> T_co:
        """
        See L{IWebQQFactory.buildProtocol}.
        """


class IMessageQueue(Interface):
    """
    A durable queue of messages.
    """

    def send(
        to: Recipient,
        content: str | Iterable[Segment | PictureBytes | str],
        font: Font = Font(),
        key: str = "",
    ) -> Deferred[SendOutcome]:
        """
        Put a message into the queue. It is in the file when this method returns.

        @param key: the application's own name for the message: it is sent once.

        @return: fires with the outcome; fails with L{QueueFull}, L{NotQueued},
            L{TypeError} or L{ValueError} when the message is not in the queue.
        """


class IEventHold(Interface):
    """
    The hold of one event at the server. One that has not ended at the end of the
    sign-on goes on: the event is not given again to the same process, which may still
    deliver it. For the next process it was not delivered.
    """

    isKept: bool = Attribute(
        "Whether the server gives the event again when it was not delivered: it knows"
        " ack, and the event is none of those that are for one session only."
    )

    def delivered() -> None:
        """
        End the hold: the server may forget the event.
        """

    def notDelivered() -> None:
        """
        End the hold: the server gives the event again after the next sign-on, in this
        process or the next, and until then gives no other ones. No effect on an event
        that is not kept.
        """


class IWebQQTransport(Interface):
    """
    Connects a protocol to the server, for one sign-on.
    """

    buddies: Mapping[Uin, Buddy] = Attribute("The friends, kept current by events.")
    groups: Mapping[Gid, Group] = Attribute("The groups of the account.")
    discussions: Mapping[Did, Discussion] = Attribute("The account's discussions.")
    roster: Roster = Attribute("All of these, for requests that change them.")
    categories: tuple[Category, ...] = Attribute("The categories of the friend list.")
    status: Status = Attribute("The presence status of the account.")
    sendLocks: dict[tuple[str, int], DeferredLock] = Attribute(
        "Held while a split message is sent, by kind and id of the conversation."
    )
    temporaryChatSignatures: dict[tuple[Uin, int, int], tuple[float, str]] = Attribute(
        "Times and signatures, by uin, id of the group or discussion, and service."
    )

    def call(
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        """
        Perform one exchange. During a rejoin the request waits for its end.

        @param make: the class of the command, or a function that makes it;
            called with the ticket that the command carries and then the other
            arguments.

        @return: fires with the reply; fails with L{NotSignedOn},
            L{RequestRefused}, L{SessionExpired}, L{MalformedReply} or
            L{Unreachable}.
        """

    def send(
        make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        """
        Perform one exchange whose request contains a file.

        @param source: the file, which is closed when the exchange is over.

        @return: as L{call}.
        """

    def fetch(
        make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        """
        Perform one exchange whose reply is a picture or a file.

        @param sink: the consumer of the data, as it arrives.
        @param limit: the size in bytes at which the exchange fails.

        @return: fires with the size in bytes; fails as L{call}.
        """

    def seconds() -> float:
        """
        Return the time in seconds.
        """

    def cookie(name: str) -> str:
        """
        Return the value of a cookie that the server has set, or C{""}.
        """

    def friendListHash(ticket: Ticket) -> str:
        """
        Return the hash that requests for the lists of friends and groups carry
        (protocol.md 3.4), C{""} where the server wants none.
        """

    def listHash(ticket: Ticket) -> str:
        """
        The old name of L{friendListHash}, for one release.
        """

    def nextMessageId() -> int:
        """
        Return the id for the next message (protocol.md 4.10).
        """

    def nextTransferId() -> int:
        """
        Return the sender's own id for the next file transfer.
        """

    def setStatus(status: Status) -> Deferred[None]:
        """
        Set the presence status, now and after a rejoin.

        @return: fires when the server has accepted it; fails as L{call}.
        """

    def appear(status: Status) -> Deferred[None]:
        """
        The old name of L{setStatus}, for one release.
        """

    def holdEvents() -> Callable[[], None]:
        """
        Keep the server from forgetting the event that is being handled, since
        the application could not store it: a server that knows C{ack} gives it
        again after the next start. Meanwhile there are no further events.

        @return: ends this.
        """

    def holdEvent() -> IEventHold:
        """
        Keep the server from forgetting the event that is being handled until the
        application knows whether the event was delivered. Called within the callback
        of the event. Meanwhile there are no further polls, but the events after it
        that came with it are delivered.
        """

    def signOff() -> Deferred[None]:
        """
        Sign off.

        @return: fires when the server has been told and no request is in
            flight.
        """


class IWebQQProtocol(Interface):
    """
    Handles the events of one sign-on.
    """

    factory: IWebQQFactory = Attribute("The factory that built this protocol.")
    transport: IWebQQTransport = Attribute("The connection to the server.")
    account: Account = Attribute("The account that is signed on.")

    def makeConnection(
        account: Account, transport: IWebQQTransport, factory: IWebQQFactory
    ) -> object:
        """
        Begin a sign-on. Called once, first.
        """

    def captchaRequired(image: bytes) -> Awaitable[str]:
        """
        Read a captcha that the server wants to be solved.

        @return: fires with the text of the captcha; a failure gives up the
            sign-on.
        """

    def signedOn() -> object:
        """
        Handle the end of the sign-on: the message channel is open. Called once.
        """

    def eventReceived(event: Event) -> object:
        """
        Handle an event. Called in the order of the wire, after C{signedOn},
        and never while another callback runs.

        @return: an awaitable is checked for errors but not waited for.
        """

    def connectionLost(reason: Failure) -> object:
        """
        Handle the end of the session. Called once, last.

        @param reason: L{ConnectionDone} after a sign-off, else L{Kicked},
            L{LoggedOut}, L{LoginRefused} or L{SessionExpired}.
        """


class IWebQQFactory(Interface):
    """
    Builds the protocol of each sign-on.
    """

    def buildProtocol(account: Account) -> IWebQQProtocol:
        """
        Build the protocol for a sign-on that is about to begin.
        """


class IStateObserver(Interface):
    """
    Is told of the states of accounts. A factory that provides this is told of those
    of the accounts whose protocols it builds.
    """

    def stateChanged(account: Account, change: StateChange) -> object:
        """
        Handle a change of the state of an account. Called in order, never while
        another callback of the account runs, and before the callback of the
        protocol that tells of the same: C{connectionMade}, C{signedOn} or
        C{connectionLost}.

        @return: an awaitable is checked for errors but not waited for.
        """


class IAccountService(IService):
    """
    Keeps one account signed on, from C{startService} to C{stopService}, which fires
    when nothing is in flight and all connections are closed.
    """

    account: Account = Attribute("The account.")

    def signOn() -> None:
        """
        Sign on again after a kick, a refused login or a sign-off. It has no effect
        on a stopped service.
        """

    def signOff() -> Deferred[None]:
        """
        Sign off, until C{signOn} is called.

        @return: fires when nothing is in flight.
        """

    def whenSignedOn() -> Deferred[Any]:
        """
        Wait until the account is signed on.

        @return: fires with the protocol that is signed on, now or next; fails with
            L{LoginRefused}, L{Kicked}, L{LoggedOut} or L{NotSignedOn} when the
            service stays offline until C{signOn} is called.
        """

    def whenSignedOff() -> Deferred[None]:
        """
        Wait until the service stays offline.

        @return: fires after a sign-off; fails with L{LoginRefused}, L{Kicked} or
            L{LoggedOut} when the session was ended for good.
        """

    def addQueue(
        path: str | Path,
        settled: Callable[[QueuedMessage, SendOutcome], object],
        policy: QueuePolicy,
    ) -> Any:
        """
        Add a durable queue of messages to the account.

        @param path: the file, which no other process may use at the same time.
        @param settled: called with each message of an earlier process and its outcome.
            If it returns a Deferred or a coroutine, the outcome counts as told when
            that has ended.
        @param policy: the limits and the pace.

        @return: the L{MessageQueue<txwebqq.outbox.queue.MessageQueue>}.

        @raise InvalidConfiguration: when the file cannot be used.
        """
