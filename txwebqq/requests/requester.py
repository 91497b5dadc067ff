"""
Base of the classes that send requests to the server.
"""

from __future__ import annotations

from typing import TypeVar

from twisted.python.failure import Failure

from txwebqq.errors import RequestRefused
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Captcha, Number
from txwebqq.wire.commands.contacts import Identity

T = TypeVar("T")

NO_CAPTCHA = Captcha()


class Requester:
    """
    An object that sends requests to the server.

    Each request returns a L{Deferred}. It fails with L{NotSignedOn} when there
    is no session, L{RequestRefused} when the server refuses, L{SessionExpired}
    when the server no longer accepts the ticket, L{NotSent} when the server
    cannot be connected to, L{MalformedReply} or L{Unreachable} when there is no
    valid reply.

    @ivar transport: the connection to the server.
    """

    transport: IWebQQTransport


def numberOf(identity: Identity) -> Number:
    """
    Return the permanent number in a reply. A callback.
    """
    return identity.number


def ebEmpty(failure: Failure, retcode: int, empty: T) -> T:
    """
    Return C{empty} for a refusal that means that there is nothing. An errback.

    @param retcode: the code of that refusal.
    """
    failure.trap(RequestRefused)
    if getattr(failure.value, "retcode", None) != retcode:
        failure.raiseException()
    return empty
