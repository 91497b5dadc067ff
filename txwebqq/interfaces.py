"""
What an application and a connection promise each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

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
    Gid,
    Group,
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


class IWebQQTransport(Interface):
    """
    The way from a protocol to the server, for one sign-on.
    """

    buddies: Mapping[Uin, Buddy] = Attribute("The friends, kept current.")
    groups: Mapping[Gid, Group] = Attribute("The groups that we are in.")
    discussions: Mapping[Did, Discussion] = Attribute("The discussions, likewise.")
    roster: Roster = Attribute("All of these lists, for requests that change them.")
    categories: tuple[Category, ...] = Attribute("The drawers of the friend list.")
    status: Status = Attribute("How we appear.")
    sendLocks: dict[tuple[str, int], DeferredLock] = Attribute(
        "By kind and id of a conversation, while a split message is sent to it."
    )
    temporaryChatSignatures: dict[tuple[Uin, int, int], tuple[float, str]] = Attribute(
        "By uin, place and service: the time of a signature and the signature."
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
        Perform one exchange whose question holds a file.

        @param source: is closed when that is over.

        @return: as L{call}.
        """

    def fetch(
        make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        """
        Perform one exchange that is answered by a picture or a file.

        @param sink: gets the answer piece by piece.
        @param limit: the bytes that are too many.

        @return: fires with the size; fails as L{call}.
        """

    def seconds() -> float:
        """
        The time, for what is kept only for a while.
        """

    def cookie(name: str) -> str:
        """
        The value of a cookie that the server gave us, or C{""}.
        """

    def friendListHash(ticket: Ticket) -> str:
        """
        The hash that requests for the lists of friends and groups carry
        (protocol.md 3.4), C{""} where the server wants none.
        """

    def listHash(ticket: Ticket) -> str:
        """
        The old name of L{friendListHash}, for one release.
        """

    def nextMessageId() -> int:
        """
        A number for the next message (protocol.md 4.10).
        """

    def nextTransferId() -> int:
        """
        The sender's own id for the next file transfer (protocol.md 2.7.5).
        """

    def setStatus(status: Status) -> Deferred[None]:
        """
        Set our presence status, now and after a rejoin.

        @return: fires when the server has accepted it; fails as L{call}.
        """

    def appear(status: Status) -> Deferred[None]:
        """
        The old name of L{setStatus}, for one release.
        """

    def signOff() -> Deferred[None]:
        """
        Leave.

        @return: fires when the server has been told and nothing is in flight.
        """


class IWebQQProtocol(Interface):
    """
    What handles the events of one sign-on.
    """

    factory: IWebQQFactory = Attribute("Who built this protocol.")
    transport: IWebQQTransport = Attribute("The way to the server.")
    account: Account = Attribute("Whom we sign on as.")

    def makeConnection(
        account: Account, transport: IWebQQTransport, factory: IWebQQFactory
    ) -> object:
        """
        A sign-on begins. Called once, first.
        """

    def captchaRequired(image: bytes) -> Awaitable[str]:
        """
        The server wants a captcha read.

        @return: fires with its text; a failure gives up the sign-on.
        """

    def signedOn() -> object:
        """
        The message channel is open. Called once.
        """

    def eventReceived(event: Event) -> object:
        """
        Something happened. Called in the order of the wire, after
        C{signedOn}, never from within itself.

        @return: when this is awaitable it is watched and not waited for.
        """

    def connectionLost(reason: Failure) -> object:
        """
        The sign-on is over. Called once, last.

        @param reason: L{ConnectionDone} when we meant it, else L{Kicked},
            L{LoggedOut}, L{LoginRefused} or L{SessionExpired}.
        """


class IWebQQFactory(Interface):
    """
    What builds the protocol of each sign-on, and outlives it.
    """

    def buildProtocol(account: Account) -> IWebQQProtocol:
        """
        A protocol for a sign-on that is about to begin.
        """
