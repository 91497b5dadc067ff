"""
The versions of TLS that our servers and clients accept, by handshakes in memory.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.application.service import IService
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory

from tests.network.authority import LOCALHOST, Authority
from txwebqq.net.endpoints import listeningService
from txwebqq.net.tls import TrustRoots, VerifyingPolicy
from txwebqq.operation.options import operationService
from txwebqq.operation.settings import OperationSettings
from txwebqq.server.tap import Options, ServerService

pytestmark = [
    pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Passing method to:DeprecationWarning"),
]

# OpenSSL of today does old versions at its lowest level of security only.
LOWEST = b"ALL:@SECLEVEL=0"


def handshake(client: SSL.Connection, server: SSL.Connection) -> str:
    """
    Do a TLS handshake in memory.

    @return: the version of TLS, or the reason of the failure.
    """
    server.set_accept_state()
    client.set_connect_state()
    reasons: list[str] = []
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error as e:
                reasons.append(str(e))
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(1 << 16))
    return " ".join(reasons) or client.get_protocol_version_name()


def contextUpTo(version: int) -> SSL.Context:
    """
    Return the context of a peer that knows no newer version.
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(LOWEST)
    context.set_max_proto_version(version)
    return context


def listen(kind: str, endpoint: str, reactor: Any) -> None:
    """
    Listen as a daemon does.
    """
    service: IService
    if kind == "server":
        options = Options()
        options.parseOptions(["--listen", endpoint, "--captcha", "never"])
        service = ServerService(options, reactor)
    elif kind == "operator":
        settings = OperationSettings(endpoint, "a token")
        service = operationService(settings, [], reactor)
    else:
        service = listeningService(endpoint, Factory(), reactor)
    service.privilegedStartService()


@pytest.mark.parametrize("kind", ["server", "operator", "IRC, bots and pictures"])
@pytest.mark.parametrize("method", ["", ":sslmethod=TLS_METHOD"])
def test_servers(tmp_path: Path, kind: str, method: str) -> None:
    """
    A server refuses TLS 1.1 because of its version, and accepts TLS 1.2 and 1.3, also
    when the endpoint names a method that allows older ones.
    """
    file = Authority(tmp_path, "ours").issue(LOCALHOST)
    reactor: Any = MemoryReactorClock()
    listen(kind, f"ssl:8890:privateKey={file}{method}", reactor)
    [(_, _, creator, *_)] = reactor.sslServers
    # As an OpenSSL that is more lenient than that of this machine.
    creator._current.getContext().set_cipher_list(LOWEST)

    def connect(version: int) -> str:
        server = creator.serverConnectionForTLS(None)
        return handshake(SSL.Connection(contextUpTo(version)), server)

    assert "unsupported protocol" in connect(SSL.TLS1_1_VERSION)
    assert connect(SSL.TLS1_2_VERSION) == "TLSv1.2"
    assert connect(SSL.TLS1_3_VERSION) == "TLSv1.3"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (SSL.TLS1_1_VERSION, "protocol version"),
        (SSL.TLS1_2_VERSION, "TLSv1.2"),
        (SSL.TLS1_3_VERSION, "TLSv1.3"),
    ],
)
def test_clients(tmp_path: Path, version: int, expected: str) -> None:
    """
    A client does not speak TLS 1.1 with a server, and TLS 1.2 and 1.3: for HTTPS, IRC
    and WebSockets, whose endpoints all come from the same policy.
    """
    authority = Authority(tmp_path, "ours")
    file = authority.issue(LOCALHOST)
    policy = VerifyingPolicy(TrustRoots(str(authority.file)))
    creator: Any = policy.creatorForNetloc(b"localhost", 443)
    protocol = SimpleNamespace(factory=TLSMemoryBIOFactory(creator, True, Factory()))
    lenient: Any = creator.clientConnectionForTLS(protocol).get_context()
    lenient._used = False
    lenient.set_cipher_list(LOWEST)
    client = creator.clientConnectionForTLS(protocol)
    assert client.get_context() is lenient
    context = contextUpTo(version)
    context.use_privatekey_file(str(file))
    context.use_certificate_file(str(file))
    assert expected in handshake(client, SSL.Connection(context))
