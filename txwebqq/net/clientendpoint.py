"""
Client endpoints of configuration files.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.endpoints import (
    HostnameEndpoint,
    clientFromString,
    wrapClientTLS,
)
from twisted.internet.interfaces import IStreamClientEndpoint

from txwebqq.errors import InvalidConfiguration
from txwebqq.net.tls import TrustRoots, VerifyingPolicy

_TLS = re.compile(r"tls:([A-Za-z0-9.-]+|(?:[0-9A-Fa-f]*\\:)+[0-9A-Fa-f]*):([0-9]{1,5})")


def clientEndpoint(
    text: str, caFile: str | None, reactor: Any
) -> IStreamClientEndpoint:
    """
    The endpoint that a text describes. C{tls:} is verified, and nothing else
    is encrypted.

    @param caFile: a file of certificates to trust beside the system's.

    @raise InvalidConfiguration: when the endpoint is none.
    """
    if text.startswith("tls:"):
        found = _TLS.fullmatch(text)
        if found is None:
            raise InvalidConfiguration(f"{text}: it is written tls:HOST:PORT")
        host = found[1].replace("\\:", ":")
        policy = VerifyingPolicy(TrustRoots(caFile))
        creator = policy.creatorForNetloc(host.encode("ascii"), int(found[2]))
        endpoint = HostnameEndpoint(reactor, host, int(found[2]))
        wrapped: IStreamClientEndpoint = wrapClientTLS(creator, endpoint)
        return wrapped
    if text.startswith("ssl:"):
        raise InvalidConfiguration(f"{text}: ssl: verifies nobody, tls: does")
    try:
        plain: IStreamClientEndpoint = clientFromString(reactor, text)
    except (ValueError, TypeError, OSError, LookupError) as e:
        raise InvalidConfiguration(f"{text}: no client endpoint: {e}") from e
    return plain
