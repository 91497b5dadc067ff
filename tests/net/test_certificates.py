"""
Server certificates that are read again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from tests.network.authority import LOCALHOST, Authority
from txwebqq.net.certificates import filesOf, readCertificates
from txwebqq.net.endpoints import listeningService

pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


def serialOf(creator: Any) -> int:
    """
    Do a TLS handshake in memory, and return the serial number of the server's
    certificate.
    """
    server = creator.serverConnectionForTLS(None)
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(1 << 16))
    certificate = client.get_peer_certificate()
    assert certificate is not None
    return certificate.get_serial_number()


def listening(endpoint: str) -> Any:
    reactor = MemoryReactorClock()
    service = listeningService(endpoint, Factory(), reactor)
    service.privilegedStartService()
    [(_, _, creator, *_)] = reactor.sslServers
    assert verifyObject(IOpenSSLServerConnectionCreator, creator)
    return creator


@pytest.mark.parametrize("kind", ["ssl:6697", "haproxy:ssl:6697"])
def test_renewed(tmp_path: Path, kind: str) -> None:
    """
    A connection after the renewal of the certificate gets the new one; while the
    files cannot be used, the former one is used, and the log has the reason.
    """
    authority = Authority(tmp_path, "ours")
    file = authority.issue(LOCALHOST)
    creator = listening(f"{kind}:privateKey={file}")
    first = serialOf(creator)
    assert serialOf(creator) == first
    authority.issue(LOCALHOST)
    second = serialOf(creator)
    assert second != first
    for damage in (lambda: file.write_text("half a fi"), file.unlink):
        damage()
        with capturedLogs() as events:
            assert serialOf(creator) == second
            assert serialOf(creator) == second
        [event] = events
        assert event["log_format"].startswith("Reading the new certificate failed")
    authority.issue(LOCALHOST)
    assert serialOf(creator) not in (first, second)


def test_readCertificates(tmp_path: Path) -> None:
    """
    Certificates whose files have changed can be read before the next connection.
    """
    authority = Authority(tmp_path, "ours")
    file = authority.issue(LOCALHOST)
    creator = listening(f"ssl:6697:privateKey={file}")
    with capturedLogs() as events:
        readCertificates()
        assert not [each for each in events if each.get("files") == str(file)]
        authority.issue(LOCALHOST)
        readCertificates()
    [event] = [each for each in events if each.get("files") == str(file)]
    assert event["log_format"].startswith("Read the new certificate")
    assert serialOf(creator)


def test_files() -> None:
    """
    The files of an endpoint are those that its arguments name.
    """
    assert filesOf("ssl:443") == ["server.pem"]
    assert filesOf(r"ssl:443:privateKey=C\:/k\\x.pem:interface=127.0.0.1") == [
        r"C:/k\x.pem"
    ]
    assert filesOf("ssl:443:certKey=c.pem:privateKey=k.pem:extraCertChain=x.pem") == [
        "k.pem",
        "c.pem",
        "x.pem",
    ]
