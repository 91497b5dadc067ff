"""
Network failures of HTTP exchanges, as L{Unreachable}.
"""

from __future__ import annotations

from typing import NoReturn

from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.python.failure import Failure
from twisted.web.client import (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.error import SchemeNotSupported

from txwebqq.errors import NotSent, Unreachable
from txwebqq.net.httpresponse import InvalidResponse

NETWORK_ERRORS = (
    CancelledError,
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
    InvalidResponse,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    SchemeNotSupported,
    TLSError,
)


# The causes for which no byte of a request has been sent.
_NOT_CONNECTED = (
    ConnectError,
    ConnectingCancelledError,
    DNSLookupError,
    SchemeNotSupported,
)


def unreachable(error: BaseException) -> Unreachable:
    """
    Make an L{Unreachable} whose text names the innermost cause, without the
    wrappers that L{twisted.web.client} puts around it; L{NotSent} when there
    was no connection.
    """
    while (reasons := getattr(error, "reasons", None)) is not None:
        if not reasons or reasons[-1].value is None:
            break
        error = reasons[-1].value
    if isinstance(error, CancelledError):
        return Unreachable("the request was cancelled")
    make = NotSent if _isUnsent(error) else Unreachable
    return make(f"{type(error).__name__}: {error}".rstrip(".: "))


def _isUnsent(error: BaseException) -> bool:
    if isinstance(error, TLSError):
        # The handshake has failed at our own check of the certificate.
        return "certificate verify failed" in str(error)
    return isinstance(error, _NOT_CONNECTED)


def raiseUnreachable(failure: Failure) -> NoReturn:
    """
    Turn a network failure into L{Unreachable}; any other failure stays as it
    is. An errback.
    """
    failure.trap(*NETWORK_ERRORS)
    assert failure.value is not None
    raise unreachable(failure.value) from failure.value


def raiseTimedOut(result: object, seconds: float) -> NoReturn:
    """
    Fail with L{Unreachable} at the end of a timeout. For
    L{Deferred.addTimeout}.
    """
    raise Unreachable(f"no complete reply within {seconds:g} s")
