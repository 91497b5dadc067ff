"""
Endpoints: those that a configuration file names, and those of URLs.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    clientFromString,
    serverFromString,
    wrapClientTLS,
)
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.error import SchemeNotSupported
from twisted.web.iweb import IAgentEndpointFactory, IPolicyForHTTPS
from zope.interface import implementer

from txwebqq.config.endpoints import checkEndpoint
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.certificates import ReloadingReactor
from txwebqq.net.tls import policyFor

CONNECT_TIMEOUT = 30
"""Seconds that connecting to an endpoint of a configuration file may take."""

_TLS = re.compile(r"tls:([A-Za-z0-9.-]+|(?:[0-9A-Fa-f]*\\:)+[0-9A-Fa-f]*):([0-9]{1,5})")


def _connector(
    reactor: Any, host: str, port: int, timeout: int, policy: IPolicyForHTTPS | None
) -> IStreamClientEndpoint:
    """
    Make the endpoint of a host and port.

    @param policy: verifies the certificate; L{None} for a connection without
        TLS.
    """
    # An address needs no lookup, and there is nothing to race.
    kind = TCP4ClientEndpoint if isIPAddress(host) else HostnameEndpoint
    plain: IStreamClientEndpoint = kind(reactor, host, port, timeout)
    if policy is None:
        return plain
    creator = policy.creatorForNetloc(host.encode("ascii"), port)
    wrapped: IStreamClientEndpoint = wrapClientTLS(creator, plain)
    return wrapped


def clientEndpoint(
    text: str, caFile: str | None, reactor: Any
) -> IStreamClientEndpoint:
    """
    Make the client endpoint that a text describes: C{tls:HOST:PORT}, whose
    certificate is verified, or a text for L{clientFromString}, without TLS.

    @param caFile: the name of a PEM file with certificate authorities to trust
        besides those of the system.

    @raise InvalidConfiguration: when the text does not describe an endpoint.
    """
    if text.startswith("tls:"):
        found = _TLS.fullmatch(text)
        if found is None:
            raise InvalidConfiguration(f"{text}: it is written tls:HOST:PORT")
        host, policy = found[1].replace("\\:", ":"), policyFor(caFile)
        return _connector(reactor, host, int(found[2]), CONNECT_TIMEOUT, policy)
    if text.startswith("ssl:"):
        raise InvalidConfiguration(
            f"{text}: ssl: does not verify the server, use tls: instead"
        )
    try:
        plain: IStreamClientEndpoint = clientFromString(reactor, text)
    except (ValueError, TypeError, OSError, LookupError) as e:
        raise InvalidConfiguration(f"{text}: not a client endpoint: {e}") from e
    return plain


def checkClientEndpoint(text: str) -> None:
    """
    Check that a text describes a client endpoint, as for L{clientEndpoint}.

    @raise InvalidConfiguration: when it does not.
    """
    if _TLS.fullmatch(text) is None:
        # Parsing does not use the reactor.
        clientEndpoint(text, None, None)


@implementer(IStreamClientEndpoint)
class NamedEndpoint:
    """
    A client endpoint that log lines name, and that logs why it could not be
    connected.

    @param name: the name, such as that of an IRC network.
    """

    _log = Logger()

    def __init__(self, name: str, endpoint: IStreamClientEndpoint) -> None:
        self._name = name
        self._endpoint = endpoint

    def __repr__(self) -> str:
        return self._name

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        connecting: Deferred[IProtocol] = self._endpoint.connect(factory)
        return connecting.addErrback(self._ebConnect)

    def _ebConnect(self, failure: Failure) -> Failure:
        if not failure.check(CancelledError):
            self._log.warn(
                "Connecting to {name} failed: {reason}.",
                name=self._name,
                reason=failure.getErrorMessage().rstrip("."),
            )
        return failure


def listeningService(
    endpoint: str, factory: IProtocolFactory, reactor: Any
) -> StreamServerEndpointService:
    """
    Make a service that listens at a server endpoint; starting it raises when
    the port is taken.

    @param endpoint: a text for L{serverFromString}. The certificate of an
        C{ssl:} endpoint is read again when its files have changed.

    @raise InvalidConfiguration: when the text does not describe an endpoint.
    """
    try:
        checkEndpoint(endpoint)
        server = serverFromString(ReloadingReactor(reactor, endpoint), endpoint)
    except (InvalidConfiguration, ValueError, TypeError, OSError) as e:
        raise InvalidConfiguration(f"{endpoint}: {e}") from e
    service = StreamServerEndpointService(server, factory)
    # A port that is taken ends the process, with the reason.
    service._raiseSynchronously = True
    return service


@implementer(IAgentEndpointFactory)
class EndpointCache:
    """
    Makes the endpoint of each server once. Given to an
    L{Agent<twisted.web.client.Agent>}.

    @param policy: verifies the certificates of C{https} servers.
    @param timeout: seconds that connecting may take.
    """

    def __init__(self, reactor: Any, policy: IPolicyForHTTPS, timeout: int) -> None:
        self._reactor = reactor
        self._policy = policy
        self._timeout = timeout
        self._known: dict[tuple[bytes, bytes, int], IStreamClientEndpoint] = {}

    def endpointFor(self, server: str) -> IStreamClientEndpoint:
        """
        Return the endpoint of a server, which is the part of a URL before its path.

        @raise SchemeNotSupported: for a scheme other than C{http} and C{https}.
        """
        return self.endpointForURI(URI.fromBytes(server.encode("ascii")))

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """
        @raise SchemeNotSupported: for a scheme other than C{http} and C{https}.
        """
        key = (uri.scheme, uri.host, uri.port)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._make(*key)
        return known

    def _make(self, scheme: bytes, host: bytes, port: int) -> IStreamClientEndpoint:
        if scheme not in (b"http", b"https"):
            raise SchemeNotSupported(f"Unsupported scheme: {scheme!r}")
        policy = self._policy if scheme == b"https" else None
        return _connector(
            self._reactor, host.decode("ascii"), port, self._timeout, policy
        )
