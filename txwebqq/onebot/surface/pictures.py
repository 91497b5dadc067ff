"""
Pictures: those of received messages, which are fetched when a bot asks for them, and
those that bots name for sending.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool

from txwebqq.errors import WebQQError
from txwebqq.imagetypes import imageTypeOf
from txwebqq.model import DiscussionMessage, GroupMessage, Message, Segment
from txwebqq.net.bodies import readBody
from txwebqq.net.endpoints import EndpointCache
from txwebqq.net.tls import TrustRoots, VerifyingPolicy
from txwebqq.net.treqsetup import LazyTreq
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
    Reads the pictures that bots name: C{base64://}, C{file://}, C{http://} and
    C{https://}. What is no picture is refused, so that no other file is sent.
    """

    def __init__(self, reactor: Any, caFile: str | None = None) -> None:
        self._reactor = reactor
        self._clock: IReactorTime = reactor
        policy = VerifyingPolicy(TrustRoots(caFile))
        self.treq = LazyTreq(reactor, EndpointCache(reactor, policy, FETCH_TIMEOUT))

    async def load(self, file: str) -> bytes:
        """
        Read a picture.

        @raise CallFailed: when it cannot be read, is too large or is no picture.
        """
        scheme = file.partition(":")[0].lower()
        if scheme == "base64":
            data = _decoded(file)
        elif scheme in ("http", "https"):
            data = await self._fetched(file)
        elif scheme == "file":
            path = Path(unquote(urlsplit(file).path))
            data = await self._inThread(path)
        elif file.startswith("/"):
            data = await self._inThread(Path(file))
        else:
            raise CallFailed(
                "the picture is not known: give file://, http or base64://"
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

    async def _fetched(self, url: str) -> bytes:
        async def fetch() -> bytes:
            response = await self.treq.request("GET", url, unbuffered=True)
            if response.code != 200:
                raise CallFailed(f"the picture was not found (HTTP {response.code})")
            return await readBody(response, MAX_PICTURE)

        try:
            return await Deferred.fromCoroutine(fetch()).addTimeout(
                FETCH_TIMEOUT, self._clock
            )
        except CallFailed:
            raise
        except WebQQError as e:
            raise CallFailed(f"the picture could not be fetched: {e}") from e
        except Exception as e:
            reason = type(e).__name__
            raise CallFailed(f"the picture could not be fetched ({reason})") from e


def _decoded(file: str) -> bytes:
    try:
        return b64decode(file.partition("://")[2], validate=False)
    except ValueError as e:
        raise CallFailed("the picture is not base64", MALFORMED) from e


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise CallFailed("the file of the picture does not exist")
        with path.open("rb") as file:
            return file.read(MAX_PICTURE + 1)
    except OSError as e:
        raise CallFailed(f"the picture cannot be read: {e.strerror}") from e
