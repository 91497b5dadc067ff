"""
Pictures: those of received messages, which are fetched when a bot asks for them, and
those that bots name for sending.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool

from txwebqq.client import TreqLike
from txwebqq.errors import MalformedReply, Unreachable
from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import DiscussionMessage, GroupMessage, Message, Segment
from txwebqq.net.bodies import BufferSink
from txwebqq.net.endpoints import EndpointCache
from txwebqq.net.failures import raiseTimedOut
from txwebqq.net.tls import policyFor
from txwebqq.net.treqsetup import LazyTreq
from txwebqq.onebot.actions.downloads import Downloads
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed

MAX_PICTURE = 16 * 1024 * 1024
"""Maximum size of a picture that is sent, in bytes."""

MAX_KNOWN = 2000
"""Received pictures that can be asked for."""

FETCH_TIMEOUT = 20
"""Seconds that fetching a picture over HTTP may take."""

PictureMessage = Message | GroupMessage | DiscussionMessage


class ReceivedPictures:
    """
    Remembers which message a picture came with, by its file name.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[PictureMessage, Segment]] = {}

    def keep(self, name: str, message: PictureMessage, segment: Segment) -> None:
        """
        Remember a picture.
        """
        self._known.pop(name, None)
        self._known[name] = message, segment
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def get(self, name: str) -> tuple[PictureMessage, Segment] | None:
        """
        Return the message and the segment of a picture, L{None} if it is not known.
        """
        return self._known.get(name)


class PictureLoader:
    """
    Reads the pictures that bots name: C{base64://}, C{file:///}, C{http://} and
    C{https://}. A file that is no picture is refused, so that bots cannot send other
    files of this machine.

    @param treq: makes the requests; L{None} for connections of its own.
    """

    def __init__(self, reactor: Any, treq: TreqLike | None = None) -> None:
        self._reactor = reactor
        self._clock: IReactorTime = reactor
        self._treq = LazyTreq(
            reactor, EndpointCache(reactor, policyFor(None), FETCH_TIMEOUT)
        )
        self._downloads = Downloads(treq or self._treq, reactor)

    def close(self) -> Deferred[None]:
        """
        End the fetching, and close the connections.

        @return: fires when they are closed.
        """
        self._downloads.cancel()
        return self._treq.close()

    async def load(self, file: str) -> bytes:
        """
        Read a picture.

        @raise CallFailed: when it cannot be read, is too large or is no picture.
        """
        scheme, _, rest = file.partition("://")
        match scheme.lower():
            case "base64" | "http" | "https":
                url = f"{scheme.lower()}://{rest}"
                data = await self.fetch(url, MAX_PICTURE, "picture")
            case "file" if rest.startswith("/"):
                data = await self._inThread(Path(unquote(rest)))
            case _ if file.startswith("/"):
                data = await self._inThread(Path(file))
            case _:
                raise CallFailed(
                    "the picture is not known: give file:///, http:// or base64://"
                )
        if len(data) > MAX_PICTURE:
            raise CallFailed("the picture is too large")
        if imageTypeOf(data) is None:
            raise CallFailed("the file is no JPEG, PNG, GIF or BMP picture")
        return data

    async def _inThread(self, path: Path) -> bytes:
        pool = getattr(self._reactor, "getThreadPool", None)
        if pool is None:
            return _read(path)
        # A path may be that of a slow disk.
        return await deferToThreadPool(self._reactor, pool(), _read, path)

    async def fetch(self, url: str, limit: int, kind: str) -> bytes:
        """
        Fetch a URL, also C{base64://}.

        @param limit: the maximum size, in bytes.
        @param kind: what it is, for the reason of a failure.

        @raise CallFailed: when it cannot be fetched or is too large.
        """
        body = BufferSink()
        fetching = self._downloads.fetch(url, body, limit)
        fetching.addTimeout(FETCH_TIMEOUT, self._clock, raiseTimedOut)
        try:
            return body.collected(await fetching)
        except MalformedReply as e:
            raise CallFailed(f"the {kind} cannot be read: {e}", MALFORMED) from e
        except Unreachable as e:
            raise CallFailed(f"the {kind} could not be fetched: {e}") from e


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise CallFailed("the file of the picture does not exist")
        with path.open("rb") as file:
            return file.read(MAX_PICTURE + 1)
    except OSError as e:
        raise CallFailed(f"the picture cannot be read: {e.strerror}") from e
