"""
TLS, on real sockets: whom the client trusts, and whom it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from tests.network.authority import ELSEWHERE, LOCALHOST, LOOPBACK, NOW, YEAR, Authority
from tests.rig import CapturedLog
from txwebqq.client import connect
from txwebqq.errors import NotSent, Unreachable
from txwebqq.wire.commands.messages import GetOnlineBuddies2
from txwebqq.wire.form import Ticket

# What Twisted passes there is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

QUESTION = GetOnlineBuddies2(Ticket("1", "ps"))


class Answering(Resource):
    """
    Answers everything with nothing, and counts.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def render(self, request: Request) -> bytes:
        self.asked += 1
        return b'{"retcode":0,"result":[]}'


class House:
    """
    A server with a certificate of an authority of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = Authority(folder, "ours")
        self.answering = Answering()

    async def ask(
        self,
        certificate: Path,
        caFile: Path | None,
        host: str = "localhost",
    ) -> object:
        """
        Serve with a certificate, ask once, and leave nothing behind.
        """
        endpoint = serverFromString(
            reactor, f"ssl:0:interface=127.0.0.1:privateKey={certificate}"
        )
        port = await endpoint.listen(Site(self.answering))
        client = connect(
            reactor,
            f"https://{host}:{port.getHost().port}",
            None if caFile is None else str(caFile),
        )
        try:
            return await client.ask(QUESTION)
        finally:
            await client.close()
            await port.stopListening()


@pytest.fixture
def house(tmp_path: Path) -> House:
    """
    A house with an authority.
    """
    return House(tmp_path)


@ensureDeferred
@pytest.mark.parametrize(
    ("name", "host"), [(LOCALHOST, "localhost"), (LOOPBACK, "127.0.0.1")]
)
async def test_trusted(house: House, name: x509.GeneralName, host: str) -> None:
    """
    A certificate of an authority that was added is accepted for its name or
    address.
    """
    certificate = house.authority.issue(name)
    assert await house.ask(certificate, house.authority.file, host) == ()
    assert house.answering.asked == 1


@ensureDeferred
async def test_several(house: House, tmp_path: Path) -> None:
    """
    A file may hold several authorities, and words between them.
    """
    other = Authority(tmp_path, "theirs")
    both = tmp_path / "both.pem"
    both.write_bytes(
        b"# theirs\n" + other.file.read_bytes() + house.authority.file.read_bytes()
    )
    assert await house.ask(house.authority.issue(LOCALHOST), both) == ()


async def refused(asking: Awaitable[Any], why: str) -> None:
    """
    Expect a failure that says that the certificate was refused, why, and that the
    request was not sent.
    """
    with pytest.raises(NotSent, match=f"^certificate verify failed: .*{why}"):
        await asking


@ensureDeferred
async def test_unknown(house: House) -> None:
    """
    Without that authority no request is sent.
    """
    certificate = house.authority.issue(LOCALHOST)
    await refused(house.ask(certificate, None), "of an authority that is not known")
    assert house.answering.asked == 0


@ensureDeferred
async def test_otherAuthority(house: House, tmp_path: Path) -> None:
    """
    Nor with another one.
    """
    other = Authority(tmp_path, "theirs")
    certificate = house.authority.issue(LOCALHOST)
    await refused(house.ask(certificate, other.file), "authority that is not known")
    assert house.answering.asked == 0


@ensureDeferred
@pytest.mark.parametrize(
    ("names", "host"),
    [
        ([ELSEWHERE], "localhost"),
        ([LOOPBACK], "localhost"),
        ([LOCALHOST], "127.0.0.1"),
        ([x509.DNSName("127.0.0.1")], "127.0.0.1"),
        ([x509.DNSName("127.0.0.1")], "localhost"),
        ([x509.DNSName("*")], "localhost"),
        ([x509.DNSName("a..b"), ELSEWHERE], "localhost"),
        ([], "localhost"),
        ([], "127.0.0.1"),
    ],
)
async def test_wrongName(
    house: House, names: list[x509.GeneralName], host: str
) -> None:
    """
    A good certificate for another host is refused, and so is one whose names
    cannot be compared, or that has a common name only. The log says so.
    """
    certificate = house.authority.issue(*names)
    with CapturedLog() as logged:
        asking = house.ask(certificate, house.authority.file, host)
        await refused(asking, f"does not name the host {host}")
    assert house.answering.asked == 0
    assert (
        f"Refused the certificate of {host}, which does not name the host: "
        in logged.text
    )


@ensureDeferred
async def test_outdated(house: House) -> None:
    """
    An expired certificate is refused.
    """
    certificate = house.authority.issue(LOCALHOST, until=NOW - YEAR)
    asking = house.ask(certificate, house.authority.file)
    day = f"{NOW - YEAR:%Y-%m-%d}"
    await refused(asking, rf"of localhost has expired \({day}")
    assert house.answering.asked == 0


class Plain(Protocol):
    """
    Answers before it was asked, and remembers what it was asked.
    """

    heard = b""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        Plain.heard += data


@ensureDeferred
async def test_plain() -> None:
    """
    A server without TLS is not asked without it.
    """
    endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port = await endpoint.listen(Factory.forProtocol(Plain))
    client = connect(reactor, f"https://localhost:{port.getHost().port}")
    with pytest.raises(Unreachable, match="Error"):
        await client.ask(QUESTION)
    await client.close()
    await port.stopListening()
    assert b"psessionid" not in Plain.heard
