"""
Outcomes of sends: a message was delivered, certainly not, or perhaps.
"""

from __future__ import annotations

from txwebqq.errors import (
    MessageExpired,
    NotQueued,
    NotSent,
    NotSignedOn,
    PartlySent,
    RequestRefused,
    SessionExpired,
    UnknownRecipient,
)
from txwebqq.model.messages import Sent
from txwebqq.values import Value

TOO_MANY_MESSAGES = 112
"""The retcode of a message that the server refuses for now: too many were sent, or
wait for the recipient."""

_CERTAIN = (
    MessageExpired,
    NotQueued,
    NotSent,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
    UnknownRecipient,
    # The content cannot be sent.
    TypeError,
    ValueError,
)
"""Failures after which the server has certainly not accepted the message."""


class Delivered(Value):
    """
    The server has accepted the message, and delivers it.

    @ivar sent: its ids and time.
    """

    sent: Sent


class Failed(Value):
    """
    The message was certainly not delivered.

    @ivar reason: the failure. With L{PartlySent} the first parts of the message were
        delivered, and C{reason.rest} was not.
    """

    reason: Exception

    @property
    def isTemporary(self) -> bool:
        """
        Whether the same message may be accepted later: there was no session, no
        connection, or the server had been sent too much.
        """
        match self.reason:
            case NotSent() | NotSignedOn() | SessionExpired():
                return True
            case RequestRefused(retcode=code):
                return code == TOO_MANY_MESSAGES
        return False


class Uncertain(Value):
    """
    The message may have been delivered: the server's answer is lost.

    @ivar reason: the failure. With L{PartlySent} the first parts of the message were
        delivered, the next one perhaps, and those after it were not.
    """

    reason: Exception


SendOutcome = Delivered | Failed | Uncertain
"""The outcome of a send: exactly one of these."""


def outcomeOf(result: Sent | Exception) -> SendOutcome:
    """
    Tell the outcome of a send.

    @param result: the result of the send or the exception with which it has failed.
    """
    match result:
        case Sent():
            return Delivered(result)
        case PartlySent(reason=reason):
            isLost = isinstance(outcomeOf(reason), Uncertain)
            return Uncertain(result) if isLost else Failed(result)
        case _:
            isCertain = isinstance(result, _CERTAIN)
            return Failed(result) if isCertain else Uncertain(result)
