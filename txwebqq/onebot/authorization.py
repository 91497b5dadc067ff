"""
Refusals of bots, of OneBot programs that connect to us, and of operators: for their
tokens, and without a token for where they come from.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_bytes
from typing import TypeVar
from urllib.parse import parse_qs

from txwebqq.ratelimit import MAX_REMEMBERED, RateLimiter, networkOf

V = TypeVar("V")

_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.I)


MAX_GUESSES, GUESS_WINDOW = 10, 60.0
"""The wrong tokens of an address, and the seconds in which they are counted."""


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
TOO_MANY = Refusal(429, "too many wrong tokens of this address: try again in a minute")
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


class TokenAuthenticator:
    """
    Checks the tokens of requests, and limits how many wrong ones an address may try.
    From an address that has given the right token before, the right one is accepted
    also after too many wrong ones, so that nobody can keep its owner out. A wrong
    token that is repeated counts once: it is no guess.

    @param now: returns the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._guesses = RateLimiter(now, MAX_GUESSES, GUESS_WINDOW)
        self._key = token_bytes(32)
        # The digest of the last wrong token by address, the oldest first.
        self._wrong: OrderedDict[str, bytes] = OrderedDict()
        # The addresses that have given the right token, the oldest first.
        self._known: OrderedDict[str, None] = OrderedDict()

    def refusalOf(
        self, headers: Mapping[str, str], query: str, token: str, address: str
    ) -> Refusal | None:
        """
        Check whether a request is allowed, as L{refusalOf}.

        @param address: the IP address of the peer, C{""} for a UNIX socket.

        @return: L{TOO_MANY} after too many wrong tokens.
        """
        if not token:
            return refusalOf(headers, query, token)
        network = networkOf(address)
        hasCapacity = self._guesses.hasCapacity(network)
        if not hasCapacity and network not in self._known:
            # The token is not compared.
            return TOO_MANY
        refusal = refusalOf(headers, query, token)
        if refusal is None:
            _remember(self._known, network, None)
        elif refusal is WRONG:
            if not hasCapacity:
                return TOO_MANY
            given = _givenIn(headers, query).encode()
            digest = hmac.digest(self._key, given, "sha256")
            if self._wrong.get(network) != digest:
                self._guesses.take(network)
            _remember(self._wrong, network, digest)
        return refusal


def _remember(found: OrderedDict[str, V], network: str, value: V) -> None:
    found.pop(network, None)
    found[network] = value
    if len(found) > MAX_REMEMBERED:
        found.popitem(last=False)
