"""
The texts of server endpoints.
"""

from __future__ import annotations

import pytest

from txwebqq.config.endpoints import checkEndpoint, isLocal
from txwebqq.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        ("carrier:pigeon", "^ValueError: Unknown endpoint type: 'carrier'"),
        ("tcp:many", "^'many' is not a number$"),
        ("tcp:", "^'' is not a number$"),
        ("tcp", "^'port' is missing$"),
        ("tcp:65536", "^a port is from 0 to 65535, not 65536$"),
        ("tcp:-1", "^a port is from 0 to 65535, not -1$"),
        ("tcp:1:interfce=127.0.0.1", "^'interfce' is not known here$"),
        ("tcp:1:interface=a:2", "^TypeError: "),
        ("", "^ValueError: "),
        ("ssl:443:sslmethod=TLSv1_1_METHOD", "versions of TLS before 1.2"),
        ("haproxy:ssl:443:sslmethod=TLSv1_METHOD:backlog=5", "before 1.2"),
    ],
)
def test_checkEndpoint(endpoint: str, error: str) -> None:
    """
    An endpoint that cannot be parsed is refused: common mistakes in plain words, all
    others with the error of Twisted.
    """
    checkEndpoint("tcp:1:interface=127.0.0.1")
    with pytest.raises(InvalidConfiguration, match=error):
        checkEndpoint(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("unix:/run/webqq/operate.sock", True),
        ("unix:operate.sock:mode=600", True),
        ("tcp:9100:interface=127.0.0.1", True),
        ("tcp:9100:interface=127.9.9.9", True),
        ("tcp:interface=localhost:port=9100", True),
        (r"tcp6:9100:interface=\:\:1", True),
        ("tcp:9100:interface=127.0.0.1:interface=localhost", True),
        ("tcp:9100", False),
        ("tcp6:9100", False),
        ("tcp:9100:interface=", False),
        ("tcp:9100:interface=0.0.0.0", False),
        ("tcp:9100:interface=192.0.2.1", False),
        ("tcp:9100:interface=127.0.0.1.example", False),
        (r"tcp6:9100:interface=\:\:", False),
        # Twisted listens at the last one.
        ("tcp:9100:interface=127.0.0.1:interface=0.0.0.0", False),
        ("tcp:9100:interface=localhost:interface=", False),
        (r"tcp:9100:interface=127.0.0.1:inter\face=0.0.0.0", False),
        ("systemd:domain=INET:index=0", False),
        ("", False),
    ],
)
def test_isLocal(endpoint: str, expected: bool) -> None:
    """
    Only a UNIX socket and a port whose interfaces are all loopback are out of the
    reach of other machines.
    """
    assert isLocal(endpoint) is expected
