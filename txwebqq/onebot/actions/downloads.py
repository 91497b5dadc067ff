"""
Downloads of pictures and files by the addresses that a OneBot program gives.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from txwebqq.client import TreqLike
from txwebqq.errors import MalformedReply, Unreachable
from txwebqq.net.bodies import BodyCollector, Sink
from txwebqq.net.encodedurl import encodedURL
from txwebqq.net.failures import NETWORK_ERRORS, raiseTimedOut, unreachable

T = TypeVar("T")

TIMEOUT = 300.0
"""Seconds that a download may take."""

IN_BASE64 = "base64://"
"""The beginning of an address that is the file itself."""


class Downloads:
    """
    Fetches files by their addresses, C{http://}, C{https://} or C{base64://}.

    Paths are those of another machine, so they are never opened.
    """

    def __init__(self, treq: TreqLike, clock: IReactorTime) -> None:
        self._treq = treq
        self._clock = clock
        self._running: set[Deferred[int]] = set()

    def cancel(self) -> None:
        """
        End the downloads that are going on, which fail with L{Unreachable}.
        """
        for fetching in list(self._running):
            fetching.cancel()

    def fetch(self, url: str, sink: Sink, limit: int, start: int = 0) -> Deferred[int]:
        """
        Write a file to a sink.

        @param limit: the maximum size, in bytes.
        @param start: the number of bytes to leave out.

        @return: fires with the number of bytes written; fails with L{Unreachable},
            with its C{status} when nothing was written, and with
            L{MalformedReply}.
        """
        if url.startswith(IN_BASE64):
            work = _decode(url.removeprefix(IN_BASE64), sink, limit, start)
        elif url.startswith(("http://", "https://")):
            work = self._fetch(url, sink, limit, start)
        else:
            work = _refuse()
        fetching = Deferred.fromCoroutine(work)
        fetching.addTimeout(TIMEOUT, self._clock, raiseTimedOut)
        self._running.add(fetching)

        def ended(result: T) -> T:
            self._running.discard(fetching)
            return result

        return fetching.addBoth(ended)

    async def _fetch(self, url: str, sink: Sink, limit: int, start: int) -> int:
        try:
            response = await self._treq.request(
                "GET", encodedURL(url), unbuffered=True, reactor=self._clock
            )
            if response.code != 200:
                # Its body may have no end.
                _cancel(response)
                raise Unreachable(
                    f"the address replied with status {response.code}", response.code
                )
            rest: Sink = _Rest(sink, start) if start else sink
            collector = BodyCollector(rest, limit)
            response.deliverBody(collector)
            size = await collector.whole
        except NETWORK_ERRORS as e:
            raise unreachable(e) from e
        except ValueError as e:
            raise MalformedReply("the address is not a URL") from e
        return max(int(size) - start, 0) if isinstance(size, int) else 0


def _cancel(response: Any) -> None:
    collector = BodyCollector(_Nowhere(), 0)
    collector.whole.addErrback(lambda failure: None)
    response.deliverBody(collector)
    collector.whole.cancel()


class _Nowhere:
    def write(self, data: bytes, /) -> None:
        pass


class _Rest:
    """
    Writes what follows the first bytes to a sink.
    """

    def __init__(self, sink: Sink, start: int) -> None:
        self._sink = sink
        self._left = start

    def write(self, data: bytes, /) -> None:
        rest = data[self._left :]
        self._left = max(self._left - len(data), 0)
        if rest:
            self._sink.write(rest)


async def _decode(text: str, sink: Sink, limit: int, start: int) -> int:
    if len(text) * 3 // 4 > limit + 2:
        raise Unreachable(f"the file has more than {limit} bytes")
    try:
        data = b64decode("".join(text.split()), validate=True)[start:]
    except (binascii.Error, ValueError) as e:
        raise MalformedReply("the file is not in base64") from e
    sink.write(data)
    return len(data)


async def _refuse() -> int:
    raise Unreachable("the file is on the machine of the OneBot program")
