"""
Sites without an access log.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.net.site import SiteWithoutAccessLog


class Echo(Resource):
    """
    Replies with the body of a request.
    """

    isLeaf = True

    def render(self, request: Request) -> bytes:
        """
        Reply.
        """
        assert request.content is not None
        data: bytes = request.content.read()
        return data


@pytest.mark.parametrize(
    "contentType",
    [
        b"a\x0cb",
        b"\x0b",
        b"\x1c",
        b"\x85",
        b"\xff",
        b"multipart/form-data",
        b"multipart/form-data; boundary=\xff",
        b"application/x-www-form-urlencoded",
    ],
)
def test_contentType(contentType: bytes) -> None:
    """
    A POST reaches the resource with its body, with any C{Content-Type}: for
    some values Twisted would raise an exception, or refuse the request.
    """
    clock: Any = Clock()
    make: Any = SiteWithoutAccessLog
    channel: Any = make(Echo(), reactor=clock, timeout=None).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    channel.dataReceived(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Content-Type: %b\r\n\r\na=b" % contentType
    )
    assert transport.value().startswith(b"HTTP/1.1 200 OK\r\n")
    assert transport.value().endswith(b"\r\n\r\na=b")
