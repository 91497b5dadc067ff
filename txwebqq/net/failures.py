"""
Network failures of HTTP exchanges, as L{Unreachable}, and replies that are none of
the server's.
"""

from __future__ import annotations

import re
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError
from twisted.web.client import (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.error import SchemeNotSupported

from txwebqq.errors import Intercepted, MalformedReply, NotHTTP, NotSent, Unreachable
from txwebqq.net.httpresponse import InvalidResponse
from txwebqq.net.keepalive import NO_ADDRESS
from txwebqq.wire.command import Command, Refusal

R = TypeVar("R")

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
    was no connection, L{NotHTTP} when the answer was none of HTTP.
    """
    while (reasons := getattr(error, "reasons", None)) is not None:
        if not reasons or reasons[-1].value is None:
            break
        error = reasons[-1].value
    if isinstance(error, CancelledError):
        return Unreachable("the request was cancelled")
    make = NotSent if _isUnsent(error) else Unreachable
    if isinstance(error, ParseError):
        make = NotHTTP
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


def raiseNotSent(failure: Failure) -> NoReturn:
    """
    Fail with L{NotSent} for the name of a host that is none. An errback.
    """
    failure.trap(ValueError)
    raise NotSent(NO_ADDRESS) from failure.value


def raiseTimedOut(result: object, seconds: float) -> NoReturn:
    """
    Fail with L{Unreachable} at the end of a timeout. For
    L{Deferred.addTimeout}.
    """
    raise Unreachable(f"no complete reply within {seconds:g} s")


REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The statuses of replies that lead to another address."""

# The beginning of a page. All replies of the protocol begin with another character,
# but those to uploads, which are pages that a browser runs.
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|html|head|body|\?xml)", re.I)

_LOGINS = {
    407: "the proxy wants a login",
    511: "the network wants a login in a browser",
}


def decoded(
    command: Command[R], status: int, body: bytes, url: str, location: str = ""
) -> R | Refusal:
    """
    Decode the reply to a command.

    @param url: the URL of the request.
    @param location: the URL to which the reply redirects.

    @raise Intercepted: when another one than the server has answered.
    @raise Unreachable: for another status than 200.
    @raise MalformedReply: when the body is not a reply to the command.
    """
    if status != 200:
        if not command.isPage:
            if status in REDIRECTS:
                raise Intercepted(_redirected(status, url, location), status)
            if status in _LOGINS:
                raise Intercepted(f"status {status}: {_LOGINS[status]}", status)
        raise Unreachable(f"the reply has status {status}", status)
    try:
        reply = command.decodeReply(body)
    except MalformedReply as e:
        reason = f"{command.endpointName}: {e}"
    else:
        # A picture may be any bytes.
        if not isinstance(reply, bytes) or not isPage(body):
            return reply
        reason = f"{command.endpointName}: not a picture"
    if isPage(body) and not command.isPage:
        raise Intercepted(
            f"an HTML page of {_hostOf(url)} instead of a reply: a captive portal or a"
            " proxy?"
        )
    raise MalformedReply(reason)


def isPage(body: bytes) -> bool:
    """
    Tell whether the body of a reply is a page of HTML, by its beginning.
    """
    return _PAGE.match(body) is not None


def _hostOf(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _redirected(status: int, url: str, location: str) -> str:
    host = _hostOf(location)
    if not host.isprintable() or len(host) > 253:
        host = ""
    if host and host != _hostOf(url):
        return (
            f"a redirect ({status}) to {host} instead of a reply: a captive portal or"
            " a proxy?"
        )
    scheme = "https" if location.lower().startswith("https:") else "another page"
    return (
        f"a redirect ({status}) to {scheme} of {_hostOf(url)} instead of a reply: a"
        " proxy, or a wrong address of the server?"
    )
