"""
Refusals of bots and of OneBot programs that connect to us: for their tokens, and
without a token for where they come from.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    A refusal.

    @ivar status: the HTTP status.
    @ivar reason: for the peer and for the log.
    """

    status: int
    reason: str


MISSING = Refusal(401, "a token is needed")
WRONG = Refusal(403, "the token is wrong")
BROWSER = Refusal(403, "pages in browsers need a token, and no token is set")
HOST = Refusal(
    403,
    "without a token the host has to be localhost or 127.0.0.1, and no token is set",
)


def refusalOf(headers: Mapping[str, str], query: str, token: str) -> Refusal | None:
    """
    Check whether a request is allowed.

    @param headers: by their names in lower case, decoded as Latin-1.
    @param token: the right one, C{""} if none is needed. Then pages in browsers are
        refused, because any page can send requests to a port of this machine.

    @return: L{None} if the request is allowed.
    """
    if not token:
        # A request for a picture or a frame has no Origin.
        if "origin" in headers or "sec-fetch-site" in headers:
            return BROWSER
        # A page whose own host name was made to mean this machine has neither.
        isLocal = _LOCAL.fullmatch(headers.get("host", "localhost"))
        return None if isLocal else HOST
    given = _givenIn(headers, query)
    if not given:
        return MISSING
    return None if hmac.compare_digest(given.encode(), token.encode()) else WRONG


def _givenIn(headers: Mapping[str, str], query: str) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    if given and kind.lower() in ("bearer", "token"):
        return given.strip().encode("latin-1").decode("utf-8", "replace")
    return parse_qs(query).get("access_token", [""])[0]
