"""
Tokens of bots.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

MISSING, WRONG = 401, 403
"""HTTP statuses of refusals."""


def refusalOf(headers: Mapping[str, str], query: str, token: str) -> int:
    """
    Check the token of a request.

    @param headers: by their names in lower case.
    @param token: the right one, C{""} if none is needed. Then a page in a browser is
        refused, because any page can connect to a port of this machine.

    @return: an HTTP status, 0 if the request is allowed.
    """
    if not token:
        return WRONG if "origin" in headers else 0
    given = _givenIn(headers, query)
    if not given:
        return MISSING
    return 0 if hmac.compare_digest(given.encode(), token.encode()) else WRONG


def _givenIn(headers: Mapping[str, str], query: str) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    if given and kind.lower() in ("bearer", "token"):
        return given.strip()
    return parse_qs(query).get("access_token", [""])[0]
