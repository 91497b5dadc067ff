"""
What everything that asks the server has in common.
"""

from __future__ import annotations

from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Number
from txwebqq.wire.commands.contacts import Identity


class Requester:
    """
    Something with a way to the server.

    Everything that asks returns a L{Deferred}. It fails with L{NotSignedOn}
    without a session, L{RequestRefused} when the server says no,
    L{SessionExpired} when the ticket is dead, L{MalformedReply} or
    L{Unreachable} when no good answer came.

    @ivar transport: the way to the server.
    """

    transport: IWebQQTransport


def numberOf(identity: Identity) -> Number:
    """
    The number that an answer tells, for callbacks.
    """
    return identity.number
